"""When everybody has left, nothing is left of them, however they left."""

import asyncio
import gc
import socket as sockets
import struct
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
import uvloop

from support.clock import FakeClock
from support.presenting import basic, by_message, sign_in
from support.raw_socket import frame, raw_socket, text, upgrade
from support.server import PASSWORD, hold_passwords, running_server, token, until
from watchword_protocol.errors import ErrorCode
from watchword_server.app import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")


def is_empty(server: RunningServer) -> bool:
    service = server.service
    counts = (len(service.open), len(service.registry), len(service.connections), len(service.sockets))
    return counts == (0, 0, 0, 0) and not service.connections._by_address and not service.registry._by_user


# What was sent before the client is gone, by the phase that it is in then.
PHASES: dict[str, Callable[[RunningServer], bytes]] = {
    "connected": lambda _: b"",
    "half a header block": lambda _: upgrade()[:-1],
    "a refused request": lambda _: b"NONSENSE\r\n\r\n",
    "a refused upgrade": lambda _: upgrade(drop="Host"),
    "between plain requests": lambda _: b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    "half a second request": lambda _: b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /",
    "waiting for authenticate": lambda _: upgrade(),
    "half an authenticate": lambda server: upgrade() + by_message(token(server))[:30],
    "authenticated": lambda server: sign_in(token(server)),
    "in a fragmented message": lambda server: sign_in(token(server)) + frame("text", b"{", fin=False),
    "refused": lambda server: sign_in(token(server, lifetime_s=-60)),
    "broken": lambda server: sign_in(token(server)) + b"\xff\xff",
    "too large": lambda server: sign_in(token(server)) + frame("text", b"x" * 2_000_000),
    "closed by itself": lambda server: sign_in(token(server)) + frame("close"),
    "a password is being checked": lambda _: upgrade(basic("ada", PASSWORD)),
    "a wrong password is being checked": lambda _: upgrade(basic("ada", "wrong horse 1")),
    "a password in a message is being checked": lambda _: (
        upgrade() + text({"type": "authenticate", "method": "basic", "user": "ada", "password": PASSWORD})
    ),
    "a renewal is being checked": lambda server: (
        sign_in(token(server)) + text({"type": "authenticate", "method": "basic", "user": "ada", "password": PASSWORD})
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def timeless(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Mapping[str, RunningServer]]:
    """A server for each mode, whose clock stands still, so that no deadline helps."""
    directory = tmp_path_factory.mktemp("timeless")
    async with (
        running_server(directory / "close", clock=FakeClock()) as close,
        running_server(directory / "http", clock=FakeClock(), handshake={"reject": "http"}) as http,
    ):
        yield {"close": close, "http": http}


@pytest.mark.parametrize("mode", ["close", "http"])
@pytest.mark.parametrize("is_polite", [True, False])
@pytest.mark.parametrize("phase", PHASES)
async def test_who_vanishes_leaves_nothing_behind(
    timeless: Mapping[str, RunningServer], phase: str, mode: str, monkeypatch: pytest.MonkeyPatch, *, is_polite: bool
) -> None:
    """With a reset and with an orderly end of the stream. During a check of a password that is noticed at its end."""
    server = timeless[mode]
    forget_passwords(server)
    entered, released = hold_passwords(server, monkeypatch)
    async with raw_socket(server.port, PHASES[phase](server)) as socket:
        await until(lambda: server.service.open)
        if "being checked" in phase:
            await until(entered.is_set)
        async with raw_socket(server.port, b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n") as other:
            await other.read_http()
        if is_polite:
            socket.writer.write_eof()
            released.set()
            await socket.read_end()
    released.set()
    await until(lambda: is_empty(server))


def forget_passwords(server: RunningServer) -> None:
    """Neither a right one, which would not be checked again, nor the count of wrong ones."""
    authenticator = server.service.authenticator
    authenticator.forget("u_ada", "ada")
    authenticator._attempts.succeeded("ada", "127.0.0.1")


@pytest.mark.parametrize("mode", ["close", "http"])
async def test_ending_from_outside_leaves_nothing_behind_while_a_password_is_checked(
    timeless: Mapping[str, RunningServer], mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check that comes late must not open what has been ended."""
    server = timeless[mode]
    forget_passwords(server)
    entered, released = hold_passwords(server, monkeypatch)
    async with raw_socket(server.port, upgrade(basic("ada", PASSWORD))) as socket:
        await until(entered.is_set)
        (connection,) = server.service.open
        connection.end(ErrorCode.SERVER_SHUTDOWN)
        released.set()
        answer = await socket.read_http()
        if mode == "http":
            assert (answer.status, answer.error["code"]) == (503, "SERVER_SHUTDOWN")
        else:
            error, close_code = await socket.read_refusal()
            assert (error["code"], close_code) == ("SERVER_SHUTDOWN", 1012)
            socket.send(frame("close", b"\x03\xf4"))
        assert await socket.read_end() == b""
        assert not server.service.registry
    await until(lambda: is_empty(server))


async def test_who_is_gone_before_it_is_accepted_leaves_nothing_behind(tmp_path: Path) -> None:
    """Reset while it waits in the backlog: such a socket has no address any more."""
    async with running_server(tmp_path) as server:
        for _ in range(20):
            client = sockets.create_connection(("127.0.0.1", server.port))
            client.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        async with raw_socket(server.port, sign_in(token(server))) as socket:
            await socket.read_http()
            assert (await socket.read_message())["type"] == "auth_success"
        await until(lambda: is_empty(server))


async def test_a_thousand_handshakes_leave_no_garbage(tmp_path: Path) -> None:
    """What forms no cycle costs the collector nothing; of the two loops, the standard one's own transports do."""
    async with running_server(tmp_path, limits={"connections_per_address": 2_000}) as server:
        await come_and_go(server, 20)
        gc.collect()
        gc.disable()
        try:
            await come_and_go(server, 1_000)
            gc.set_debug(gc.DEBUG_SAVEALL)
            found = gc.collect()
            ours = [type(each) for each in gc.garbage if type(each).__module__.startswith("watchword")]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
    assert ours == []
    if isinstance(asyncio.get_running_loop(), uvloop.Loop):
        assert found < 100


async def come_and_go(server: RunningServer, count: int) -> None:
    """Handshake, close, and the end, `count` times over plain blocking sockets."""
    sent = [sign_in(token(server, jti=str(number))) + frame("close") for number in range(count)]

    def run() -> None:
        for each in sent:
            with sockets.create_connection(("127.0.0.1", server.port)) as client:
                client.sendall(each)
                while client.recv(65_536):
                    pass

    await asyncio.to_thread(run)
    await until(lambda: is_empty(server))


async def test_one_call_ends_a_thousand_connections_of_a_user(tmp_path: Path) -> None:
    limits = {"connections_per_address": 2_000, "connections_per_user": 2_000}
    async with running_server(tmp_path, limits=limits) as server:
        sent = sign_in(token(server))
        clients = []
        try:
            for _ in range(1_000):
                client = sockets.create_connection(("127.0.0.1", server.port))
                clients.append(client)
                client.sendall(sent)
                client.setblocking(False)
                if len(clients) % 50 == 0:
                    await until(lambda: len(server.service.registry) == len(clients))
            for client in clients:
                client.recv(65_536)
            assert server.service.registry.end_user("u_ada", ErrorCode.TOKEN_REVOKED) == 1_000
            farewell = frame("close", (4101).to_bytes(2) + b"TOKEN_REVOKED", mask=None)
            assert {client.recv(65_536) for client in clients} == {farewell}
            for client in clients:
                client.sendall(frame("close", (4101).to_bytes(2)))
            await until(lambda: is_empty(server))
        finally:
            for client in clients:
                client.close()


async def test_who_leaves_while_a_password_waits_is_noticed_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the passwords of those who have left would be verified before those of the others."""
    async with running_server(tmp_path) as server:
        entered, _released = hold_passwords(server, monkeypatch)
        async with raw_socket(server.port, upgrade(basic("ada", PASSWORD))):
            await until(entered.is_set)
        await until(lambda: is_empty(server))


@pytest.mark.parametrize("mode", ["close", "http"])
@pytest.mark.parametrize("is_ended", [True, False])
async def test_a_check_that_nobody_waits_for_any_more_is_given_up(
    timeless: Mapping[str, RunningServer], mode: str, monkeypatch: pytest.MonkeyPatch, *, is_ended: bool
) -> None:
    """And its place in the line with it, whether the client left or was told to."""
    server = timeless[mode]
    forget_passwords(server)
    entered, _released = hold_passwords(server, monkeypatch)
    async with raw_socket(server.port, upgrade(basic("ada", PASSWORD))) as socket:
        await until(entered.is_set)
        if is_ended:
            (connection,) = server.service.open
            connection.end(ErrorCode.SERVER_SHUTDOWN)
        else:
            socket.abort()
        await until(lambda: not server.service.authenticator._waiting)
    await until(lambda: is_empty(server))
