"""A stop tells everyone who reads, and ends in time whoever does not."""

import asyncio
import json
import signal
import socket as sockets
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import jwt
import pytest

from support.asking import Held, asking
from support.clock import FakeClock
from support.presenting import basic, sign_in
from support.raw_socket import RawSocket, frame, raw_socket, upgrade
from support.server import PASSWORD, SECRET, hold_passwords, pass_time, running_server, token, until
from support.sql_server import sql_server
from watchword_protocol.errors import ErrorCode
from watchword_server.app import RunningServer
from watchword_server.gateway import listener
from watchword_server.gateway.sweep import SWEEP_INTERVAL_S
from watchword_server.refusal import Refused

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def say_goodbye(socket: RawSocket) -> None:
    assert await socket.read_close() == (1012, "SERVER_SHUTDOWN")
    socket.send(frame("close", b"\x03\xf4"))
    assert await socket.read_end() == b""


async def test_everyone_is_told_by_what_they_understand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_server(tmp_path) as server:
        entered, _ = hold_passwords(server, monkeypatch)
        async with (
            raw_socket(server.port, sign_in(token(server), v1=True)) as v1,
            raw_socket(server.port, sign_in(token(server))) as plain,
            raw_socket(server.port, upgrade("Sec-WebSocket-Protocol: watchword.v1")) as stranger,
            raw_socket(server.port, upgrade(basic("ada", PASSWORD))) as checked,
            raw_socket(server.port, upgrade()[:20]) as half,
            raw_socket(server.port, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n") as http,
        ):
            for socket in (v1, plain):
                await socket.read_http()
                assert (await socket.read_message())["type"] == "auth_success"
            await stranger.read_http()
            assert (await http.read_http()).status == 200
            await until(entered.is_set)
            await until(lambda: len(server.service.open) == 6)
            server.listener.stop()
            draining = await v1.read_message()
            assert draining["type"] == "draining"
            assert 0 <= draining["reconnect_after_ms"] < 2_000
            await say_goodbye(v1)
            await say_goodbye(plain)
            for socket in (stranger, checked):
                if socket is checked:
                    assert (await socket.read_http()).status == 101
                error = await socket.read_message()
                assert (error["type"], error["code"]) == ("auth_error", "SERVER_SHUTDOWN")
                await say_goodbye(socket)
            assert await half.read_end() == await http.read_end() == b""


async def test_nobody_is_accepted_any_more_and_readiness_says_so_before(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path) as server,
        raw_socket(server.port, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n") as socket,
    ):
        await socket.read_http()
        server.listener.should_exit = True  # as `stop` does, before the listener has noticed
        socket.send(b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = await socket.read_http()
        assert (answer.status, json.loads(answer.body)["reason"]) == (503, "stopping")
        server.listener.stop()
        await until(lambda: is_closed(server))


async def test_a_write_that_takes_seconds_is_still_answered_before_the_goodbye(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    async with sql_server(tmp_path, clock=clock) as server, asking(server, v1=True) as ada:
        writes = Held(server, "write", monkeypatch)
        write = ada.send("INSERT INTO app.notes VALUES (1, 'x', 1)")
        await until(lambda: writes.entered)
        server.listener.stop()
        assert (await ada.socket.read_message())["type"] == "draining"
        for _ in range(4):
            pass_time(server, clock, 2 * SWEEP_INTERVAL_S)
        writes.let_go()
        answer = await ada.socket.read_message()
        assert (answer["type"], answer["id"]) == ("result", write)
        await say_goodbye(ada.socket)


def is_closed(server: RunningServer) -> bool:
    with sockets.socket() as client:
        return client.connect_ex(("127.0.0.1", server.port)) != 0


async def test_a_request_under_way_is_still_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_server(tmp_path) as server:
        entered, released = hold_passwords(server, monkeypatch)
        sent = f"GET /v1/api/auth/me HTTP/1.1\r\nHost: a\r\n{basic('ada', PASSWORD)}\r\n\r\n".encode()
        async with raw_socket(server.port, sent) as socket:
            await until(entered.is_set)
            server.listener.stop()
            await until(lambda: is_closed(server))
            released.set()
            answer = await socket.read_http()
            assert (answer.status, answer.headers["connection"]) == (200, ["close"])
            assert await socket.read_end() == b""


async def test_a_request_that_does_not_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "_GRACE_S", 0.05)
    async with running_server(tmp_path) as server:
        entered, released = hold_passwords(server, monkeypatch)
        sent = f"GET /v1/api/auth/me HTTP/1.1\r\nHost: a\r\n{basic('ada', PASSWORD)}\r\n\r\n".encode()
        async with raw_socket(server.port, sent):
            await until(entered.is_set)
            server.listener.stop()
            try:
                await until(lambda: not server.listener.server_state.tasks, patience_s=3)
            finally:
                released.set()


async def test_no_password_is_looked_at_any_more_after_the_stop(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        passwords = server.service.authenticator._passwords
    with pytest.raises(Refused) as refusal:
        await passwords.verify(None, PASSWORD)
    assert refusal.value.code is ErrorCode.SERVER_SHUTDOWN


async def test_what_keeps_it_from_listening_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(listener.Listener, "startup", fail)
    with pytest.raises(ZeroDivisionError):
        async with running_server(tmp_path):
            raise AssertionError("it never listened")


class Process(NamedTuple):
    """`watchword serve` in a process of its own."""

    process: asyncio.subprocess.Process
    port: int

    async def wait(self, patience_s: float = 10.0) -> int:
        async with asyncio.timeout(patience_s):
            return await self.process.wait()


@asynccontextmanager
async def served(directory: Path) -> AsyncGenerator[Process]:
    """The command, on a free port, with the user ada."""
    command = [sys.executable, "-m", "watchword_server"]
    environment = {"WATCHWORD_AUTH__JWT_SECRET": SECRET, "WATCHWORD_STORAGE__SYNCHRONOUS": "off"}
    data = ["--data", str(directory)]
    adding = await asyncio.create_subprocess_exec(
        *command, "user", "add", "ada", "--role", "user", "--password-stdin", *data,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    await adding.communicate(PASSWORD.encode())
    assert adding.returncode == 0
    process = await asyncio.create_subprocess_exec(
        *command, "serve", "--port", "0", *data,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        assert line.startswith("listening on ws://127.0.0.1:"), line
        yield Process(process, int(line.removesuffix("/v1/ws\n").rpartition(":")[2]))
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def sign_in_from_outside() -> bytes:
    claims = {"iss": "watchword", "sub": "ada", "exp": 4_000_000_000}
    return sign_in(jwt.encode(claims, SECRET, algorithm="HS256"), v1=True)


@pytest.mark.asyncio(loop_scope="module", loop_factories=["asyncio"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_process_tells_its_clients_and_exits_0(tmp_path: Path, number: signal.Signals) -> None:
    async with served(tmp_path) as server, raw_socket(server.port, sign_in_from_outside()) as socket:
        await socket.read_http()
        assert (await socket.read_message())["type"] == "auth_success"
        server.process.send_signal(number)
        assert (await socket.read_message())["type"] == "draining"
        await say_goodbye(socket)
        assert await server.wait() == 0


@pytest.mark.long
@pytest.mark.asyncio(loop_scope="module", loop_factories=["asyncio"])
@pytest.mark.parametrize("is_flooding", [False, True])
async def test_the_process_exits_0_under_ten_seconds_with_a_client_that_reads_nothing(
    tmp_path: Path, *, is_flooding: bool
) -> None:
    """It takes the five seconds that a farewell gets."""
    async with served(tmp_path) as server, raw_socket(server.port, sign_in_from_outside(), limit=1_000) as socket:
        await socket.read_http()
        socket.writer.transport.pause_reading()  # type: ignore[attr-defined]  # every transport of a socket has it
        if is_flooding:
            socket.send(frame("ping", b"x" * 125) * 100_000)
        server.process.send_signal(signal.SIGTERM)
        assert await server.wait() == 0


@pytest.mark.asyncio(loop_scope="module", loop_factories=["asyncio"])
async def test_a_second_sigint_waits_for_nobody(tmp_path: Path) -> None:
    async with served(tmp_path) as server, raw_socket(server.port, sign_in_from_outside()) as socket:
        await socket.read_http()
        await socket.read_message()
        server.process.send_signal(signal.SIGINT)
        assert (await socket.read_message())["type"] == "draining"
        assert (await socket.read_close())[0] == 1012
        server.process.send_signal(signal.SIGINT)
        assert await server.wait(3.0) == 0
