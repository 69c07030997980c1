"""How much one connection, one user, one address may take, and what is answered beyond it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from support.clock import FakeClock
from support.presenting import WAYS, by_message, sign_in
from support.raw_socket import RawSocket, frame, raw_socket, text, upgrade
from support.server import SECRET, pass_time, running_server, token, until
from watchword_server.app import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def come_in(socket: RawSocket) -> None:
    await socket.read_http()
    assert (await socket.read_message())["type"] == "auth_success"


async def test_the_limit_per_address_is_told_over_http(tmp_path: Path) -> None:
    """Addresses count apart, and who leaves makes room."""
    async with running_server(tmp_path, limits={"connections_per_address": 2}) as server:
        sent = sign_in(token(server))
        async with raw_socket(server.port, sent) as first, raw_socket(server.port, sent) as second:
            await come_in(first)
            await come_in(second)
            async with raw_socket(server.port, sent) as third:
                answer = await third.read_http()
                assert (answer.status, answer.error["code"]) == (429, "TOO_MANY_CONNECTIONS")
                assert (answer.error["close_code"], answer.headers["retry-after"]) == (4004, ["30"])
            async with raw_socket(server.port, sent, local="127.0.0.9") as elsewhere:
                await come_in(elsewhere)
            first.abort()
            await until(lambda: len(server.service.connections) == 1)
            async with raw_socket(server.port, sent) as third:
                await come_in(third)


async def test_behind_a_trusted_proxy_the_clients_addresses_count(tmp_path: Path) -> None:
    proxies = {"port": 0, "trusted_proxies": ("127.0.0.1",)}
    async with running_server(tmp_path, limits={"connections_per_address": 1}, server=proxies) as server:
        one, other = (upgrade(f"X-Forwarded-For: 192.0.2.{n}") for n in (1, 2))
        async with raw_socket(server.port, one) as first, raw_socket(server.port, other) as second:
            assert (await first.read_http()).status == (await second.read_http()).status == 101
            async with raw_socket(server.port, one) as third:
                assert (await third.read_http()).status == 429


async def test_the_limit_of_the_server_is_told_over_http(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, limits={"connections": 1}) as server,
        raw_socket(server.port, upgrade()) as first,
    ):
        await first.read_http()
        async with raw_socket(server.port, sign_in(token(server))) as second:
            answer = await second.read_http()
            assert (answer.status, answer.error["code"]) == (503, "OVERLOADED")
            assert (answer.error["close_code"], answer.headers["retry-after"]) == (1013, ["5"])


async def test_far_beyond_the_limits_a_socket_is_not_even_answered(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, limits={"connections": 2, "connections_per_address": 1}) as server,
        raw_socket(server.port) as first,
        raw_socket(server.port) as second,
    ):
        await until(lambda: len(server.service.sockets) == 2)
        async with raw_socket(server.port, upgrade()) as third:
            assert await third.read_end() == b""
        first.abort()
        second.abort()
        await until(lambda: len(server.service.sockets) == 0)


@pytest.mark.parametrize("mode", ["close", "http"])
@pytest.mark.parametrize("way", WAYS)
async def test_the_limit_per_user(tmp_path: Path, mode: str, way: str) -> None:
    limits = {"connections_per_user": 1}
    async with (
        running_server(tmp_path, limits=limits, handshake={"reject": mode}) as server,
        raw_socket(server.port, sign_in(token(server))) as first,
    ):
        await come_in(first)
        async with raw_socket(server.port, WAYS[way](token(server))) as second:
            answer = await second.read_http()
            if mode == "http" and way != "first message":
                assert (answer.status, answer.error["code"]) == (429, "TOO_MANY_CONNECTIONS")
            else:
                error, close_code = await second.read_refusal()
                assert (error["code"], close_code) == ("TOO_MANY_CONNECTIONS", 4004)
        first.send(by_message(token(server)))
        assert (await first.read_message())["type"] == "auth_success"
        async with raw_socket(server.port, sign_in(token(server, "bob"))) as other:
            await come_in(other)


async def test_a_new_connection_replaces_the_old_one_where_that_is_switched_on(tmp_path: Path) -> None:
    auth = {"jwt_secret": SECRET, "replace_connections": True}
    async with running_server(tmp_path, auth=auth) as server, raw_socket(server.port, sign_in(token(server))) as old:
        await come_in(old)
        async with raw_socket(server.port, sign_in(token(server, "bob"))) as other:
            await come_in(other)
            async with raw_socket(server.port, sign_in(token(server))) as new:
                await come_in(new)
                assert await old.read_close() == (4212, "REPLACED")
                new.send(by_message(token(server)))
                assert (await new.read_message())["type"] == "auth_success"
            other.send(text({"type": "ping"}))
            assert (await other.read_message())["type"] == "pong"


async def test_beyond_the_rate_messages_are_answered_and_not_run(tmp_path: Path) -> None:
    clock = FakeClock()
    async with (
        running_server(tmp_path, clock=clock, limits={"messages_per_s": 10}) as server,
        raw_socket(server.port, sign_in(token(server))) as socket,
    ):
        await come_in(socket)
        socket.send(b"".join(text({"type": "ping", "id": number}) for number in range(25)))
        answers = [await socket.read_message() for _ in range(25)]
        assert [each["type"] for each in answers] == ["pong"] * 20 + ["error"] * 5
        assert {each["code"] for each in answers[20:]} == {"RATE_LIMITED"}
        assert [each["id"] for each in answers] == list(range(25))
        assert answers[-1]["retry_after_ms"] == 100
        pass_time(server, clock, 0.1)
        socket.send(text({"type": "ping", "id": "again"}))
        assert await socket.read_message() == {"type": "pong", "id": "again"}


async def test_beyond_the_rate_control_frames_are_dropped(tmp_path: Path) -> None:
    clock = FakeClock()
    async with (
        running_server(tmp_path, clock=clock, limits={"messages_per_s": 10}) as server,
        raw_socket(server.port, sign_in(token(server))) as socket,
    ):
        await come_in(socket)
        socket.send(frame("ping") * 30, text({"type": "ping", "id": "late"}))
        for _ in range(20):
            assert await socket.read_frame() == (0x8A, b"")
        error = await socket.read_message()
        assert (error["code"], error["id"]) == ("RATE_LIMITED", "late")


@pytest.mark.parametrize("sent", [frame("ping"), frame("pong"), text({"type": "ping"}), frame("binary", b"x")])
@pytest.mark.parametrize("is_authenticated", [True, False])
async def test_a_flood_ends_the_connection(tmp_path: Path, sent: bytes, *, is_authenticated: bool) -> None:
    """After ten seconds' worth of refusals without a second's pause."""
    clock = FakeClock()
    async with (
        running_server(tmp_path, clock=clock, limits={"messages_per_s": 10}) as server,
        raw_socket(server.port, sign_in(token(server)) if is_authenticated else upgrade()) as socket,
    ):
        await socket.read_http()
        if not is_authenticated and sent == frame("binary", b"x"):
            return  # which ends a connection that is not authenticated by itself
        socket.send(sent * 121)
        while (frame_read := await socket.read_frame())[0] != 0x88:
            pass
    assert frame_read[1] == (4003).to_bytes(2) + b"RATE_LIMITED"


async def test_a_second_of_pause_forgives(tmp_path: Path) -> None:
    clock = FakeClock()
    async with (
        running_server(tmp_path, clock=clock, limits={"messages_per_s": 10}) as server,
        raw_socket(server.port, sign_in(token(server))) as socket,
    ):
        await come_in(socket)
        for round_ in range(4):
            socket.send(frame("pong") * 90, text({"type": "ping", "id": round_}))
            assert (await socket.read_message())["id"] == round_
            pass_time(server, clock, 1.0)


TOO_LARGE = [
    frame("text", b"x" * 2_001),
    frame("binary", b"x" * 2_001),
    frame("text", b"x" * 1_500, fin=False) + frame("cont", b"x" * 501, fin=False),
    frame("text", b"x" * 1_500, fin=False) + frame("ping") + frame("cont", b"x" * 501),
    frame("text", b"x" * 100_000),
    b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03\x04",
]


@pytest.mark.parametrize("sent", TOO_LARGE, ids=range(len(TOO_LARGE)))
async def test_a_message_over_the_limit_is_told_and_ends_the_connection(tmp_path: Path, sent: bytes) -> None:
    async with (
        running_server(tmp_path, limits={"max_message_bytes": 2_000}) as server,
        raw_socket(server.port, sign_in(token(server)), text({"type": "ping", "x": "y" * 1_970})) as socket,
    ):
        await come_in(socket)
        assert (await socket.read_message())["type"] == "pong"
        socket.send(sent, b"\x00" * 50_000)
        answers = await read_all(socket)
        assert answers[-2:] == ["MESSAGE_TOO_LARGE", (1009, "MESSAGE_TOO_LARGE")]


async def read_all(socket: RawSocket) -> list[Any]:
    """The codes of all messages up to the close frame, and that."""
    out: list[Any] = []
    while True:
        first, payload = await socket.read_frame()
        if first == 0x88:
            return [*out, (int.from_bytes(payload[:2]), payload[2:].decode())]
        if first == 0x81:
            out.append(json.loads(payload)["code"])


async def test_who_is_still_sending_a_large_message_can_read_why_it_was_refused(server: RunningServer) -> None:
    """Closing at once would reset the connection, and lose the answer with it."""
    async with raw_socket(server.port, sign_in(token(server))) as socket:
        await come_in(socket)
        head = b"\x81\xff" + (64 * 1_048_576).to_bytes(8) + b"\x01\x02\x03\x04"
        socket.send(head)
        for _ in range(64):
            socket.send(b"x" * 65_536)
            await asyncio.wait_for(socket.writer.drain(), 10)
        error = await socket.read_message()
        assert (error["type"], error["code"]) == ("error", "MESSAGE_TOO_LARGE")
        assert await socket.read_close() == (1009, "MESSAGE_TOO_LARGE")
        assert await socket.read_end() == b""


async def test_binary_is_an_error_and_no_end_after_authentication(server: RunningServer) -> None:
    async with raw_socket(server.port, sign_in(token(server)), frame("binary", b"{}")) as socket:
        await come_in(socket)
        error = await socket.read_message()
        assert (error["type"], error["code"]) == ("error", "UNSUPPORTED_DATA")
        socket.send(text("no json"), text({"type": "ping", "id": 1}))
        assert (await socket.read_message())["code"] == "MALFORMED_MESSAGE"
        assert (await socket.read_message())["type"] == "pong"


BROKEN = [
    (frame("text", b"{}", mask=None), 1002),
    (frame("text", b"{}", rsv=4), 1002),
    (frame(3, b""), 1002),
    (frame(11, b""), 1002),
    (frame("ping", b"x" * 126), 1002),
    (frame("ping", fin=False), 1002),
    (frame("cont", b"x"), 1002),
    (frame("text", b"a", fin=False) + frame("text", b"b"), 1002),
    (frame("close", b"\x03"), 1002),
    (frame("close", (1005).to_bytes(2)), 1002),
    (frame("close", (999).to_bytes(2)), 1002),
    (frame("close", (1000).to_bytes(2) + b"\xff"), 1007),
    (frame("text", b"\xff"), 1007),
    (frame("text", b"\xc3", fin=False) + frame("cont", b"("), 1007),
    (frame("text", b"\xed\xa0\x80"), 1007),
]


@pytest.mark.parametrize("is_authenticated", [True, False])
@pytest.mark.parametrize(("sent", "code"), BROKEN)
async def test_broken_frames_end_the_connection(
    server: RunningServer, sent: bytes, code: int, *, is_authenticated: bool
) -> None:
    opening = sign_in(token(server)) if is_authenticated else upgrade()
    async with raw_socket(server.port, opening, sent, text({"type": "ping"})) as socket:
        await socket.read_http()
        if is_authenticated:
            await socket.read_message()
        assert (await socket.read_close())[0] == code
        assert await socket.read_end() == b""


@pytest.mark.parametrize("sent", [frame("text", b"{}", mask=None), frame("text", b"x" * 2_001), frame("pong") * 130])
async def test_who_does_not_leave_when_its_connection_has_ended_is_cut_off(tmp_path: Path, sent: bytes) -> None:
    clock, limits = FakeClock(), {"messages_per_s": 10, "max_message_bytes": 2_000}
    async with (
        running_server(tmp_path, clock=clock, limits=limits) as server,
        raw_socket(server.port, sign_in(token(server)), sent) as socket,
    ):
        await socket.read_end()
        pass_time(server, clock, 4.9)
        assert len(server.service.open) == 1
        pass_time(server, clock, 0.1)
        await until(lambda: not server.service.open)


@pytest.mark.parametrize("payload", [b"", b"\x03\xe8", b"\x03\xe8bye", b"\x0f\xa0", b"\x03\xe8" + b"r" * 123])
async def test_a_close_is_echoed_and_nothing_behind_it_is_read(server: RunningServer, payload: bytes) -> None:
    behind = [frame("ping"), frame("text", b"\xff"), text({"type": "ping"})]
    async with raw_socket(server.port, sign_in(token(server)), frame("close", payload), *behind) as socket:
        await come_in(socket)
        assert await socket.read_frame() == (0x88, payload)
        assert await socket.read_end() == b""


async def test_characters_may_be_split_between_fragments(server: RunningServer) -> None:
    whole = '{"type":"ping","id":"größe"}'.encode()
    at = whole.index(b"\xc3") + 1
    sent = frame("text", whole[:at], fin=False) + frame("ping", b"p") + frame("cont", b"", fin=False)
    async with raw_socket(server.port, sign_in(token(server)), sent, frame("cont", whole[at:])) as socket:
        await come_in(socket)
        assert await socket.read_frame() == (0x8A, b"p")
        assert await socket.read_message() == {"type": "pong", "id": "größe"}
