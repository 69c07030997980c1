"""Every test here runs on both loops, the standard library's and uvloop. A module's tests share their servers."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping

import pytest
import pytest_asyncio
import uvloop

from support.server import running_server
from watchword_server.app import RunningServer

_ORIGINS = ("https://app.example", "https://any.example:*")


@pytest.hookimpl(optionalhook=True)
def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Mapping[str, RunningServer]]:
    """One for each mode of `handshake.reject`, one with a list of origins; for tests that leave nothing behind."""
    directory = tmp_path_factory.mktemp("servers")
    limits = {"connections_per_address": 1_000}
    async with (
        running_server(directory / "close", limits=limits) as close,
        running_server(directory / "http", limits=limits, handshake={"reject": "http"}) as http,
        running_server(directory / "listed", limits=limits, server={"port": 0, "origins": _ORIGINS}) as listed,
    ):
        yield {"close": close, "http": http, "listed": listed}


@pytest.fixture
def server(servers: Mapping[str, RunningServer]) -> RunningServer:
    """The server with default settings."""
    return servers["close"]
