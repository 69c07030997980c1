"""An HTTP connection that is idle for too long ends; one on which something happens does not.

The time is uvicorn's, five seconds of the loop's own clock, so that these tests call what its timer calls.
"""

from pathlib import Path

import pytest

from support.clock import FakeClock
from support.presenting import basic
from support.raw_socket import RawSocket, get, raw_socket
from support.server import PASSWORD, hold_passwords, running_server, until
from watchword_server.app import RunningServer
from watchword_server.gateway.edge import Edge

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def be_answered(server: RunningServer, socket: RawSocket) -> Edge:
    """One request and its answer; the server's end of the connection, whose timer runs now."""
    socket.send(get())
    assert (await socket.read_http()).status == 200
    (edge,) = server.service.open
    assert isinstance(edge, Edge)
    await until(lambda: edge.timeout_keep_alive_task is not None)
    return edge


async def test_who_is_idle_for_too_long_is_let_go(tmp_path: Path) -> None:
    async with running_server(tmp_path, clock=FakeClock()) as server, raw_socket(server.port) as socket:
        edge = await be_answered(server, socket)
        edge.timeout_keep_alive_handler()
        assert await socket.read_end() == b""
        await until(lambda: not server.service.open)


async def test_a_request_under_way_is_not_idle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_server(tmp_path, clock=FakeClock()) as server, raw_socket(server.port) as socket:
        edge = await be_answered(server, socket)
        entered, released = hold_passwords(server, monkeypatch)
        socket.send(get("/v1/api/auth/me", basic("ada", PASSWORD)))
        await entered.wait()
        edge.timeout_keep_alive_handler()
        released.set()
        assert (await socket.read_http()).status == 200


async def test_half_a_request_is_not_idle(tmp_path: Path) -> None:
    """It has a deadline of its own."""
    async with running_server(tmp_path, clock=FakeClock()) as server, raw_socket(server.port) as socket:
        edge = await be_answered(server, socket)
        socket.send(get()[:9])
        await until(lambda: edge._head)
        edge.timeout_keep_alive_handler()
        socket.send(get()[9:])
        assert (await socket.read_http()).status == 200
