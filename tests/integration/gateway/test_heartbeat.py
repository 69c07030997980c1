"""Pings find the peers that are gone."""

from pathlib import Path

import pytest

from support.clock import FakeClock
from support.presenting import sign_in
from support.raw_socket import RawSocket, frame, raw_socket, text
from support.server import pass_time, running_server, token

pytestmark = pytest.mark.asyncio(loop_scope="module")

PING = (0x89, b"")
HEARTBEAT = {"interval_s": 20, "timeout_s": 7}


async def come_in(socket: RawSocket) -> None:
    await socket.read_http()
    success = await socket.read_message()
    assert success["limits"]["heartbeat_s"] == 20


async def test_silence_is_asked_for_a_sign_of_life_and_then_ended(tmp_path: Path) -> None:
    clock = FakeClock()
    async with (
        running_server(tmp_path, clock=clock, heartbeat=HEARTBEAT) as server,
        raw_socket(server.port, sign_in(token(server))) as socket,
    ):
        await come_in(socket)
        pass_time(server, clock, 19.9)
        assert socket.unread == b""
        pass_time(server, clock, 0.1)
        assert await socket.read_frame() == PING
        pass_time(server, clock, 6.9)
        pass_time(server, clock, 0.1)
        assert await socket.read_close() == (4005, "HEARTBEAT_TIMEOUT")
        # The close frame is not answered either.
        pass_time(server, clock, 5)
        assert await socket.read_end() == b""
        assert not server.service.registry


@pytest.mark.parametrize("sign", [frame("pong"), frame("ping"), text({"type": "ping"}), b"\x81"])
async def test_any_byte_is_a_sign_of_life(tmp_path: Path, sign: bytes) -> None:
    clock = FakeClock()
    async with (
        running_server(tmp_path, clock=clock, heartbeat=HEARTBEAT) as server,
        raw_socket(server.port, sign_in(token(server))) as socket,
        raw_socket(server.port, sign_in(token(server))) as other,
    ):
        await come_in(socket)
        await come_in(other)
        for _ in range(3):
            pass_time(server, clock, 20)
            while await socket.read_frame() != PING:
                pass
            assert await other.read_frame() == PING
            clock.advance(1)
            socket.send(sign)
            other.send(text({"type": "ping", "id": "seen"}))
            assert (await other.read_message())["id"] == "seen"
            pass_time(server, clock, 6)
            sign = sign if sign != b"\x81" else b"\x80"
        assert len(server.service.registry) == 2


async def test_who_speaks_is_not_pinged(tmp_path: Path) -> None:
    clock = FakeClock()
    async with (
        running_server(tmp_path, clock=clock, heartbeat=HEARTBEAT) as server,
        raw_socket(server.port, sign_in(token(server))) as socket,
    ):
        await come_in(socket)
        for number in range(5):
            pass_time(server, clock, 15)
            socket.send(text({"type": "ping", "id": number}))
            assert await socket.read_message() == {"type": "pong", "id": number}


async def test_the_settings_are_obeyed_by_the_servers_own_sweep(tmp_path: Path) -> None:
    """In real time, so with the shortest settings there are; the sweep looks twice a second."""
    heartbeat = {"interval_s": 0.05, "timeout_s": 0.05}
    async with (
        running_server(tmp_path, heartbeat=heartbeat) as server,
        raw_socket(server.port, sign_in(token(server))) as socket,
    ):
        await socket.read_http()
        await socket.read_message()
        assert await socket.read_frame() == PING
        assert await socket.read_close() == (4005, "HEARTBEAT_TIMEOUT")
