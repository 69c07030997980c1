"""A reader that reads slowly loses nothing; one that never reads costs a bounded amount and is ended."""

import asyncio
import os
import socket as sockets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest

from support.clock import FakeClock
from support.presenting import sign_in
from support.raw_socket import frame, raw_socket, text
from support.server import pass_time, running_server, token, until
from watchword_protocol.errors import ErrorCode
from watchword_server.app import RunningServer
from watchword_server.gateway.edge import Edge
from watchword_server.gateway.websocket import WebSocket

QUICK: Final = {"messages_per_s": 1_000_000}
PINGS: Final = b"".join(frame("ping", b"%0125d" % number) for number in range(500))


def shrink_buffers(server: RunningServer) -> None:
    """Small kernel buffers for connections to come, so that little data fills them."""
    (listener,) = server.listener.servers[0].sockets
    with sockets.socket(fileno=os.dup(listener.fileno())) as same:
        same.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, 4_096)


class DeafClient:
    """Sends and does not read, over a socket with a small receive buffer."""

    def __init__(self, server: RunningServer) -> None:
        self.socket = sockets.socket()
        self.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4_096)
        self.socket.connect(("127.0.0.1", server.port))
        self.socket.setblocking(False)

    def __enter__(self) -> "DeafClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def flood(self, data: bytes) -> None:
        """Send until nothing is taken any more."""
        while True:
            for _ in range(20):
                try:
                    sent = self.socket.send(data)
                except BlockingIOError:
                    sent = 0
                if sent:
                    data = data[sent:] + data[:sent]
                    break
                await asyncio.sleep(0.005)
            else:
                return

    async def read_all(self) -> bytes:
        """Everything until the server ends the connection; a reset counts as an end."""
        out = bytearray()
        try:
            while data := await asyncio.get_running_loop().sock_recv(self.socket, 65_536):
                out += data
        except ConnectionError:
            pass
        return bytes(out)


async def stall(server: RunningServer, client: DeafClient) -> WebSocket:
    """Bring a client in that reads nothing and asks for more than fits; the server's end of it."""
    await client.send(sign_in(token(server)))
    await until(lambda: len(server.service.registry) == 1)
    await client.flood(PINGS)
    (connection,) = server.service.registry
    assert isinstance(connection, WebSocket)
    assert connection._outbox.stalled_at is not None
    return connection


async def test_a_reader_that_never_reads_is_not_listened_to_and_costs_a_bounded_amount(tmp_path: Path) -> None:
    async with running_server(tmp_path, clock=FakeClock(), limits=QUICK) as server:
        shrink_buffers(server)
        with DeafClient(server) as client:
            connection = await stall(server, client)
            assert connection._outbox.unsent_bytes < 120_000
            assert not connection._is_reading
            async with raw_socket(server.port, sign_in(token(server)), text({"type": "ping", "id": 1})) as other:
                await other.read_http()
                await other.read_message()
                assert (await other.read_message())["id"] == 1


async def test_a_reader_that_never_reads_is_ended(tmp_path: Path) -> None:
    clock, lines = FakeClock(), list[Any]()
    async with running_server(tmp_path, clock=clock, lines=lines, limits=QUICK) as server:
        shrink_buffers(server)
        with DeafClient(server) as client:
            await stall(server, client)
            pass_time(server, clock, 59.9)
            assert len(server.service.registry) == 1
            pass_time(server, clock, 0.1)
            await until(lambda: not server.service.open)
    assert [line["code"] for line in lines if line["event"] == "ended"] == ["SLOW_CONSUMER"]


async def test_a_reader_that_was_slow_and_reads_on_loses_nothing(tmp_path: Path) -> None:
    clock = FakeClock()
    async with running_server(tmp_path, clock=clock, limits=QUICK) as server:
        shrink_buffers(server)
        with DeafClient(server) as client:
            await client.send(sign_in(token(server)))
            await until(lambda: len(server.service.registry) == 1)
            sending = asyncio.create_task(client.send(PINGS * 4 + frame("close")))
            (connection,) = server.service.registry
            assert isinstance(connection, WebSocket)
            await until(lambda: connection._outbox.stalled_at is not None)
            pass_time(server, clock, 30)
            received = await client.read_all()
            await sending
    pongs = b"".join(frame("pong", b"%0125d" % number, mask=None) for number in range(500)) * 4
    assert received.endswith(pongs + frame("close", mask=None))


async def test_a_stuck_reader_does_not_time_out_by_its_heartbeat(tmp_path: Path) -> None:
    """We do not listen to it, so that its silence says nothing."""
    clock = FakeClock()
    heartbeat = {"interval_s": 5, "timeout_s": 5}
    async with running_server(tmp_path, clock=clock, limits=QUICK, heartbeat=heartbeat) as server:
        shrink_buffers(server)
        with DeafClient(server) as client:
            await stall(server, client)
            for _ in range(9):
                pass_time(server, clock, 6)
            assert len(server.service.registry) == 1


@pytest.mark.parametrize("code", [ErrorCode.TOKEN_REVOKED, ErrorCode.SERVER_SHUTDOWN])
async def test_a_stuck_reader_is_cut_off_when_its_end_comes_from_outside(tmp_path: Path, code: ErrorCode) -> None:
    """The close frame could not be delivered, and who has no rights any more must not keep a connection."""
    async with running_server(tmp_path, clock=FakeClock(), limits=QUICK) as server:
        shrink_buffers(server)
        with DeafClient(server) as client:
            connection = await stall(server, client)
            connection.end(code)
            await until(lambda: not server.service.open)
            assert len(server.service.connections) == len(server.service.sockets) == 0


async def test_a_stuck_reader_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    async with running_server(tmp_path, clock=FakeClock(), limits=QUICK) as server:
        shrink_buffers(server)
        client = DeafClient(server)
        await stall(server, client)
    with client:
        assert len(server.service.sockets) == 0


REQUEST: Final = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"


async def ask_once(client: DeafClient, server: RunningServer) -> Edge:
    """The first request: where it was answered."""
    await client.send(REQUEST)
    await until(lambda: [one for one in server.service.open if isinstance(one, Edge) and one._is_between])
    (edge,) = server.service.open
    assert isinstance(edge, Edge)
    return edge


async def ask_once_more(client: DeafClient, edge: Edge) -> None:
    """A request, which has been answered when this returns, or waits because its client does not read."""
    answered = edge.server_state.total_requests
    await client.send(REQUEST)
    await until(lambda: edge.flow.write_paused or edge.server_state.total_requests > answered)


async def test_a_client_that_never_reads_its_http_answers_is_ended(tmp_path: Path) -> None:
    clock = FakeClock()
    async with running_server(tmp_path, clock=clock) as server:
        shrink_buffers(server)
        with DeafClient(server) as client:
            edge = await ask_once(client, server)
            while not edge.flow.write_paused:
                await ask_once_more(client, edge)
            assert edge.transport.get_write_buffer_size() < 120_000
            pass_time(server, clock, 59.9)
            assert server.service.open
            pass_time(server, clock, 0.1)
            await until(lambda: not server.service.open)
        await until(lambda: not server.listener.server_state.tasks)
        assert len(server.service.sockets) == 0


@pytest.mark.parametrize(
    "last", [REQUEST[:-2] + b"Connection: close\r\n\r\n", REQUEST[:-2] + b"Content-Length: 1\r\n\r\n"]
)
async def test_a_last_http_answer_that_is_not_taken_has_a_deadline(tmp_path: Path, last: bytes) -> None:
    clock = FakeClock()
    async with running_server(tmp_path, clock=clock) as server:
        shrink_buffers(server)
        with DeafClient(server) as client:
            edge = await ask_once(client, server)
            while not edge.transport.get_write_buffer_size():
                await ask_once_more(client, edge)
            await client.send(last)
            await until(edge.transport.is_closing)
            pass_time(server, clock, 4.9)
            assert server.service.open
            pass_time(server, clock, 0.1)
            await until(lambda: not server.service.open)


async def test_a_peer_that_does_not_stop_sending_is_cut_off(tmp_path: Path) -> None:
    """It is told MESSAGE_TOO_LARGE, and may have some more on the way; not without end, though nobody looks at it."""
    async with (
        running_server(tmp_path, clock=FakeClock()) as server,  # whose deadlines do not pass
        raw_socket(server.port, sign_in(token(server))) as socket,
    ):
        await socket.read_http()
        await socket.read_message()
        socket.send(frame("text", b"x" * 1_100_000))
        assert (await socket.read_message())["code"] == "MESSAGE_TOO_LARGE"
        piece = b"x" * 1_048_576
        with suppress(ConnectionError):
            for _ in range(64):
                socket.send(piece)
                await socket.writer.drain()
        await until(lambda: not server.service.open)


@pytest.mark.parametrize("end", [Edge.timeout_keep_alive_handler, Edge.shutdown])
async def test_who_is_idle_and_has_not_taken_all_answers_has_a_deadline(
    tmp_path: Path, end: Callable[[Edge], None]
) -> None:
    """When uvicorn's timer ends it, and when the server stops."""
    clock = FakeClock()
    async with running_server(tmp_path, clock=clock) as server:
        shrink_buffers(server)
        with DeafClient(server) as client:
            edge = await ask_once(client, server)
            while not edge.transport.get_write_buffer_size():
                await ask_once_more(client, edge)
            await until(lambda: edge._is_between)
            end(edge)
            pass_time(server, clock, 4.9)
            assert server.service.open
            pass_time(server, clock, 0.1)
            await until(lambda: not server.service.open)


async def test_who_says_goodbye_and_does_not_take_what_is_unsent_has_a_deadline(tmp_path: Path) -> None:
    clock = FakeClock()
    async with running_server(tmp_path, clock=clock, limits=QUICK) as server:
        shrink_buffers(server)
        with DeafClient(server) as client:
            await client.send(sign_in(token(server)))
            await until(lambda: len(server.service.registry) == 1)
            (connection,) = server.service.registry
            assert isinstance(connection, WebSocket)
            while not connection._transport.get_write_buffer_size():
                await client.send(PINGS[: len(PINGS) // 25])
                await asyncio.sleep(0)
            assert connection._outbox.stalled_at is None
            await client.send(frame("close"))
            await until(connection._transport.is_closing)
            pass_time(server, clock, 4.9)
            assert server.service.open
            pass_time(server, clock, 0.1)
            await until(lambda: not server.service.open)
