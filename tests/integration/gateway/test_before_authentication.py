"""What a stranger may do: little, and only until the deadline."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from support.clock import FakeClock
from support.presenting import WAYS, basic, by_message, sign_in
from support.raw_socket import RawSocket, frame, raw_socket, text, upgrade
from support.server import PASSWORD, hold_passwords, pass_time, running_server, token
from watchword_server.app import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

Servers = Mapping[str, RunningServer]


async def ping(socket: RawSocket, number: int = 1) -> None:
    """A round trip, so that all that was sent before it has been handled."""
    socket.send(text({"type": "ping", "id": number}))
    assert await socket.read_message() == {"type": "pong", "id": number}


# A first message, and the error that it ends the connection with.
FIRST_MESSAGES = [
    (text('{"type":"query","id":1,"sql":"SELECT 1"}'), "AUTH_REQUIRED"),
    (text('{"type":"query"}'), "AUTH_REQUIRED"),
    (text('{"type":"subscribe","subscription":7}'), "AUTH_REQUIRED"),
    (text('{"type":"nonsense"}'), "MALFORMED_MESSAGE"),
    (text('{"type":"ping","id":{}}'), "MALFORMED_MESSAGE"),
    (text("[]"), "MALFORMED_MESSAGE"),
    (text("not json"), "MALFORMED_MESSAGE"),
    (text(""), "MALFORMED_MESSAGE"),
    (text('{"type":"authenticate","method":"jwt"}'), "MALFORMED_AUTHORIZATION"),
    (text('{"type":"authenticate","method":"jwt","token":""}'), "MALFORMED_AUTHORIZATION"),
    (text('{"type":"authenticate","method":"saml","token":"x"}'), "MALFORMED_AUTHORIZATION"),
    (text('{"type":"authenticate","method":"jwt","token":"x"}'), "INVALID_TOKEN"),
    (frame("binary", b"{}"), "UNSUPPORTED_DATA"),
    (frame("binary", b""), "UNSUPPORTED_DATA"),
    (frame("text", b"a" * 16_385), "MESSAGE_TOO_LARGE"),
    (frame("text", b"a" * 10_000, fin=False) + frame("cont", b"a" * 6_385), "MESSAGE_TOO_LARGE"),
    (frame("text", b"a" * 70_000), "MESSAGE_TOO_LARGE"),
]


@pytest.mark.parametrize("mode", ["close", "http"])
@pytest.mark.parametrize(("sent", "code"), FIRST_MESSAGES)
async def test_a_wrong_first_message_ends_the_connection(servers: Servers, mode: str, sent: bytes, code: str) -> None:
    async with raw_socket(servers[mode].port, upgrade(), sent) as socket:
        assert (await socket.read_http()).status == 101
        error, _ = await socket.read_refusal()
        assert error["code"] == code
        socket.send(frame("close", b"\x03\xe8"))
        assert await socket.read_end() == b""


async def test_a_message_of_16_kib_is_understood_before_authentication(server: RunningServer) -> None:
    message = {"type": "authenticate", "method": "jwt", "token": token(server), "padding": ""}
    message["padding"] = "x" * (16_384 - len(json.dumps(message)))
    async with raw_socket(server.port, upgrade(), text(message)) as socket:
        await socket.read_http()
        assert (await socket.read_message())["type"] == "auth_success"


async def test_the_deadline_is_not_extended_by_pings_and_dribbled_bytes(tmp_path: Path) -> None:
    clock = FakeClock()
    async with running_server(tmp_path, clock=clock) as server, raw_socket(server.port, upgrade()) as socket:
        await socket.read_http()
        message = by_message(token(server))
        for number in range(4):
            pass_time(server, clock, 1.2)
            socket.send(frame("ping"))
            assert await socket.read_frame() == (0x8A, b"")
            await ping(socket, number)
        socket.send(message[:20])
        await ping_of_another(server)
        pass_time(server, clock, 0.3)
        error, close_code = await socket.read_refusal()
    assert (error["code"], close_code) == ("AUTH_TIMEOUT", 4002)


async def ping_of_another(server: RunningServer) -> None:
    """A round trip on another connection, so that the loop has seen what was sent before."""
    async with raw_socket(server.port, upgrade()) as socket:
        await socket.read_http()
        await ping(socket)


async def test_the_deadline_is_for_the_message_and_not_for_the_check_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    async with running_server(tmp_path, clock=clock) as server:
        entered, released = hold_passwords(server, monkeypatch)
        async with raw_socket(server.port, upgrade()) as socket:
            await socket.read_http()
            pass_time(server, clock, 4.9)
            socket.send(text({"type": "authenticate", "method": "basic", "user": "ada", "password": PASSWORD}))
            await entered.wait()
            pass_time(server, clock, 9.9)
            released.set()
            assert (await socket.read_message())["type"] == "auth_success"


@pytest.mark.parametrize("way", ["header", "first message"])
async def test_a_check_that_takes_too_long_is_given_up(
    tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    password = text({"type": "authenticate", "method": "basic", "user": "ada", "password": PASSWORD})
    sent = upgrade(basic("ada", PASSWORD)) if way == "header" else upgrade() + password
    async with running_server(tmp_path, clock=clock) as server:
        entered, _ = hold_passwords(server, monkeypatch)
        async with raw_socket(server.port, sent) as socket:
            await entered.wait()
            pass_time(server, clock, 10.0)
            answer = await socket.read_http()
            if way == "header":
                assert (answer.status, answer.error["code"]) == (503, "OVERLOADED")
                assert answer.headers["retry-after"] == ["5"]
            else:
                error, close_code = await socket.read_refusal()
                assert (error["code"], close_code) == ("OVERLOADED", 1013)
                socket.send(frame("close", b"\x03\xf5"))
            assert await socket.read_end() == b""


PING_BEHIND = (frame("ping", b"behind"), text({"type": "ping", "id": "behind"}))


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_sent_behind_a_credential_is_answered_behind_its_answer(server: RunningServer, way: str) -> None:
    async with raw_socket(server.port, WAYS[way](token(server)), *PING_BEHIND) as socket:
        assert (await socket.read_http()).status == 101
        assert (await socket.read_message())["type"] == "auth_success"
        assert await socket.read_frame() == (0x8A, b"behind")
        assert await socket.read_message() == {"type": "pong", "id": "behind"}


@pytest.mark.parametrize("is_fragmented", [False, True])
@pytest.mark.parametrize("way", ["header", "first message"])
async def test_nothing_is_read_behind_a_credential_while_it_is_being_checked(
    tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch, *, is_fragmented: bool
) -> None:
    """The password takes its time; what was sent behind it, and later, waits."""
    password = json.dumps({"type": "authenticate", "method": "basic", "user": "ada", "password": PASSWORD}).encode()
    whole = frame("text", password)
    parts = frame("text", password[:30], fin=False) + frame("ping", b"between") + frame("cont", password[30:])
    sent = upgrade(basic("ada", PASSWORD)) if way == "header" else upgrade() + (parts if is_fragmented else whole)
    async with running_server(tmp_path) as server:
        entered, released = hold_passwords(server, monkeypatch)
        async with raw_socket(server.port, sent, *PING_BEHIND) as socket:
            await entered.wait()
            socket.send(frame("ping", b"later"))
            if way == "header":
                await ping_of_another(server)
                assert socket.unread == b""
                released.set()
                await socket.read_http()
            else:
                await socket.read_http()
                if is_fragmented:
                    assert await socket.read_frame() == (0x8A, b"between")
                await ping_of_another(server)
                assert socket.unread == b""
                released.set()
            assert (await socket.read_message())["type"] == "auth_success"
            assert await socket.read_frame() == (0x8A, b"behind")
            assert await socket.read_message() == {"type": "pong", "id": "behind"}
            assert await socket.read_frame() == (0x8A, b"later")


async def test_a_query_behind_a_bad_credential_is_never_looked_at(server: RunningServer) -> None:
    query = text({"type": "query", "id": 9, "sql": "SELECT 1"})
    sent = WAYS["first message"](token(server, lifetime_s=-60)) + query
    async with raw_socket(server.port, sent, frame("close", b"\x03\xe8")) as socket:
        await socket.read_http()
        error, _ = await socket.read_refusal()
        assert (error["code"], await socket.read_end()) == ("TOKEN_EXPIRED", b"")


async def test_large_messages_are_for_those_who_are_authenticated(server: RunningServer) -> None:
    async with raw_socket(
        server.port, sign_in(token(server)), text({"type": "ping", "id": 1, "x": "y" * 900_000})
    ) as socket:
        await socket.read_http()
        assert (await socket.read_message())["type"] == "auth_success"
        assert await socket.read_message() == {"type": "pong", "id": 1}
