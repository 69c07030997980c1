"""When a connection is read from, and when its bytes wait outside."""

from pathlib import Path

import pytest

from support.clock import FakeClock
from support.presenting import basic, sign_in
from support.raw_socket import frame, get, raw_socket, text, upgrade
from support.server import PASSWORD, hold_passwords, running_server, token, until
from watchword_server.app import RunningServer
from watchword_server.gateway.reader import READ_BYTES
from watchword_server.gateway.websocket import WebSocket

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_who_does_not_take_its_answers_is_not_read_from(server: RunningServer) -> None:
    async with raw_socket(server.port, sign_in(token(server))) as socket:
        await socket.read_http()
        assert (await socket.read_message())["type"] == "auth_success"
        (connection,) = server.service.registry
        assert isinstance(connection, WebSocket)
        connection.pause_writing()  # as the transport does when it is full
        assert not connection._is_reading
        socket.send(text({"type": "ping", "id": 1}))
        async with raw_socket(server.port, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n") as other:
            await other.read_http()
        assert socket.unread == b""
        connection.resume_writing()
        assert await socket.read_message() == {"type": "pong", "id": 1}


async def test_who_sends_without_a_pause_lets_the_others_have_their_turn(tmp_path: Path) -> None:
    """A loop may read many times from one before it looks at anybody else: after a whole buffer it may not."""
    async with (
        running_server(tmp_path, limits={"messages_per_s": 1_000}) as server,
        raw_socket(server.port, sign_in(token(server))) as socket,
    ):
        await socket.read_http()
        assert (await socket.read_message())["type"] == "auth_success"
        (connection,) = server.service.registry
        assert isinstance(connection, WebSocket)
        pongs = frame("pong", b"p" * 58)
        connection.get_buffer(-1)[:] = pongs * (READ_BYTES // len(pongs))
        connection.buffer_updated(READ_BYTES)
        assert not connection._is_reading
        await until(lambda: connection._is_reading)
        socket.send(text({"type": "ping", "id": 1}))
        assert await socket.read_message() == {"type": "pong", "id": 1}


async def test_little_is_taken_in_behind_a_credential_that_is_being_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger may not fill our memory while it waits; what is meant for a user is all there afterwards."""
    async with running_server(tmp_path) as server:
        entered, released = hold_passwords(server, monkeypatch)
        large = text({"type": "ping", "id": 1, "x": "y" * 900_000})
        async with raw_socket(server.port, upgrade(basic("ada", PASSWORD)), large) as socket:
            await entered.wait()
            (connection,) = server.service.open
            await until(lambda: not connection._is_reading and not connection._is_resting)
            assert READ_BYTES <= connection._incoming.waiting_bytes < 2 * READ_BYTES
            released.set()
            await socket.read_http()
            assert (await socket.read_message())["type"] == "auth_success"
            assert await socket.read_message() == {"type": "pong", "id": 1}


@pytest.mark.parametrize(
    ("sent", "code"),
    [(frame("pong") * 130, "RATE_LIMITED"), (frame("text", b"x" * 2_001), "MESSAGE_TOO_LARGE")],
)
async def test_who_sends_too_much_is_not_waited_for(tmp_path: Path, sent: bytes, code: str) -> None:
    """Its farewell stands behind all that it has sent. No time passes here, so that no deadline helps."""
    limits = {"messages_per_s": 10, "max_message_bytes": 2_000}
    async with (
        running_server(tmp_path, clock=FakeClock(), limits=limits) as server,
        raw_socket(server.port, sign_in(token(server)), sent) as socket,
    ):
        await socket.read_http()
        while (received := await socket.read_frame())[0] != 0x88:
            pass
        assert received[1][2:].decode() == code
        socket.send(sent)
        assert await socket.read_end() == b""


async def test_more_than_the_turn_of_an_http_connection_waits_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever one read gives: uvloop's is 256 KB."""
    async with running_server(tmp_path) as server:
        entered, released = hold_passwords(server, monkeypatch)
        body = b"_" * 40_000
        request = get("/v1/api/auth/me", basic("ada", PASSWORD), f"Content-Length: {len(body)}")
        async with raw_socket(server.port, get()) as socket:
            assert (await socket.read_http()).status == 200
            (edge,) = server.service.open
            edge.data_received(request + body)
            assert len(edge._unread) == len(request + body) - READ_BYTES
            assert not edge.transport.is_reading()
            await entered.wait()
            await until(edge.transport.is_reading)
            assert edge._unread == b""
            released.set()
            assert (await socket.read_http()).status == 200
