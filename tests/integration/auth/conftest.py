"""A server for each mode of `handshake.reject`, whose clock stands still where the tests' tokens are valid."""

from collections.abc import AsyncGenerator, Mapping

import pytest
import pytest_asyncio

from support.clock import FakeClock
from support.server import running_server
from support.tokens import SECRET, TRUSTED
from watchword_server.app import RunningServer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Mapping[str, RunningServer]]:
    directory = tmp_path_factory.mktemp("servers")
    auth = {"jwt_secret": SECRET, "jwt_trusted_issuers": (TRUSTED,), "max_failures": 3}
    limits = {"connections_per_address": 5_000}
    async with (
        running_server(directory / "close", clock=FakeClock(), auth=auth, limits=limits) as close,
        running_server(
            directory / "http", clock=FakeClock(), auth=auth, limits=limits, handshake={"reject": "http"}
        ) as http,
    ):
        yield {"close": close, "http": http}
