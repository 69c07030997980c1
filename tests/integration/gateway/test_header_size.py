"""One limit for a header block, to the byte: for the first request of a connection, for a later one, for an upgrade."""

from collections.abc import AsyncGenerator, Callable

import pytest
import pytest_asyncio

from support.raw_socket import get, raw_socket, upgrade
from support.server import running_server
from watchword_server.app import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 2_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[RunningServer]:
    """One with a small limit, so that a whole block comes in one piece."""
    async with running_server(tmp_path_factory.mktemp("small"), handshake={"max_header_bytes": LIMIT}) as server:
        yield server


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(("request_", "status"), [(lambda field: get("/healthz", field), 200), (upgrade, 101)])
@pytest.mark.parametrize("beyond", [0, 1, 500])
async def test_a_header_block_may_have_so_many_bytes_and_not_one_more(
    server: RunningServer, request_: Callable[[str], bytes], status: int, beyond: int, *, is_first: bool
) -> None:
    sent = request_("X: " + "y" * (LIMIT + beyond - len(request_("X: "))))
    assert len(sent) == LIMIT + beyond
    async with raw_socket(server.port) as socket:
        if not is_first:
            socket.send(get())
            assert (await socket.read_http()).status == 200
        socket.send(sent)
        answer = await socket.read_http()
        if beyond:
            assert (answer.status, answer.error["code"]) == (431, "MESSAGE_TOO_LARGE")
            assert await socket.read_end() == b""
        else:
            assert answer.status == status


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_header_block_without_end_is_refused_at_the_limit(server: RunningServer, *, is_first: bool) -> None:
    async with raw_socket(server.port) as socket:
        if not is_first:
            socket.send(get())
            assert (await socket.read_http()).status == 200
        socket.send(get()[:-2] + b"X: " + b"y" * LIMIT)
        assert (await socket.read_http()).status == 431
        assert await socket.read_end() == b""
