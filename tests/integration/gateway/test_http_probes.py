"""Deadlines, sizes and order of requests, for every request of a plain HTTP connection."""

import asyncio
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httptools
import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from support.clock import FakeClock
from support.presenting import basic, sign_in
from support.raw_socket import RawSocket, frame, get, raw_socket, upgrade
from support.server import PASSWORD, hold_passwords, pass_time, running_server, token, until
from watchword_server.app import RunningServer
from watchword_server.gateway.edge import Edge

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("before", [b"", get()])
@pytest.mark.parametrize("sent", [b"", b"G", get()[:-2], upgrade()[:-2]])
async def test_half_a_header_block_has_a_deadline(tmp_path: Path, before: bytes, sent: bytes) -> None:
    """Without a byte of a further request, a kept-alive connection just ends."""
    clock = FakeClock()
    async with running_server(tmp_path, clock=clock) as server, raw_socket(server.port, before) as socket:
        if before:
            assert (await socket.read_http()).status == 200
        for byte in sent:
            socket.send(bytes((byte,)))
        async with raw_socket(server.port, get()) as other:
            await other.read_http()
        pass_time(server, clock, 4.9)
        assert socket.unread == b""
        pass_time(server, clock, 0.1)
        if sent or not before:
            answer = await socket.read_http()
            assert (answer.status, answer.error["code"]) == (408, "AUTH_TIMEOUT")
            assert await socket.read_end() == b""


async def test_half_a_header_block_behind_a_slow_request_has_a_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    async with running_server(tmp_path, clock=clock) as server:
        entered, released = hold_passwords(server, monkeypatch)
        async with raw_socket(server.port, get("/v1/api/auth/me", basic("ada", PASSWORD)), get()[:-2]) as socket:
            await entered.wait()
            (edge,) = server.service.open
            await until(lambda: edge._head_bytes)
            pass_time(server, clock, 4.9)
            assert not edge._is_over
            pass_time(server, clock, 0.1)
            assert edge._is_over
            released.set()
            answer = await socket.read_http()
            assert (answer.status, answer.headers["connection"]) == (200, ["close"])
            assert await socket.read_end() == b""


async def test_half_a_header_block_behind_a_slow_request_is_read_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer that comes between its halves does not make the second one the beginning of another request."""
    async with running_server(tmp_path) as server:
        entered, released = hold_passwords(server, monkeypatch)
        async with raw_socket(server.port, get("/v1/api/auth/me", basic("ada", PASSWORD)), get()[:-9]) as socket:
            await entered.wait()
            (edge,) = server.service.open
            await until(lambda: edge._head_bytes)
            released.set()
            assert (await socket.read_http()).status == 200
            socket.send(get()[-9:])
            answer = await socket.read_http()
            assert (answer.status, "connection" in answer.headers) == (200, False)


async def test_who_does_not_leave_after_a_refusal_is_cut_off(tmp_path: Path) -> None:
    """After a time of its own, however long a header block may take."""
    clock = FakeClock()
    async with running_server(tmp_path, clock=clock, handshake={"header_timeout_s": 100}) as server:
        for before in (b"", get()):
            async with raw_socket(server.port, before) as socket:
                if before:
                    await socket.read_http()
                socket.send(b"NONSENSE\r\n\r\n")
                assert (await socket.read_http()).status == 400
                assert len(server.service.open) == 1
                pass_time(server, clock, 5)
                await until(lambda: not server.service.open, patience_s=2)  # less than uvicorn's own timer has


async def test_a_large_header_block_behind_a_slow_request_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not read to its end, however long the first request takes; which is still answered."""
    async with running_server(tmp_path) as server:
        entered, released = hold_passwords(server, monkeypatch)
        async with raw_socket(server.port, get("/v1/api/auth/me", basic("ada", PASSWORD))) as socket:
            await entered.wait()
            sent = 0
            socket.send(b"GET /healthz HTTP/1.1\r\n")
            (edge,) = server.service.open
            while not edge._is_over:
                socket.send(b"X: " + b"y" * 1_000 + b"\r\n")
                sent += 1_005
                assert sent < 1_000_000
                await asyncio.sleep(0)
            released.set()
            answer = await socket.read_http()
            assert (answer.status, answer.headers["connection"]) == (200, ["close"])
            assert await socket.read_end() == b""


async def test_many_pipelined_requests_are_answered_in_order(server: RunningServer) -> None:
    """Sixteen wait at most."""
    paths = ["/healthz", "/nothing", "/readyz"]
    async with raw_socket(server.port, *(get(path) for path in paths * 5)) as socket:
        assert [(await socket.read_http()).status for _ in range(15)] == [200, 404, 200] * 5
        socket.send(get())
        assert (await socket.read_http()).status == 200


async def test_too_many_pipelined_requests_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_server(tmp_path) as server:
        entered, released = hold_passwords(server, monkeypatch)
        async with raw_socket(server.port, get("/v1/api/auth/me", basic("ada", PASSWORD))) as socket:
            await entered.wait()
            socket.send(get() * 100)
            (edge,) = server.service.open
            await until(lambda: edge._is_over)
            released.set()
            answers = [await socket.read_http() for _ in range(17)]
            assert {each.status for each in answers} == {200}
            assert await socket.read_end() == b""


async def test_a_used_connection_may_still_become_a_websocket(server: RunningServer) -> None:
    async with raw_socket(server.port, get()) as socket:
        assert (await socket.read_http()).status == 200
        socket.send(get("/nothing"))
        assert (await socket.read_http()).status == 404
        socket.send(sign_in(token(server)))
        await expect_websocket(socket)


async def test_who_has_not_taken_its_answers_gets_no_websocket(server: RunningServer) -> None:
    """Whose transport is full already would not be noticed to be stuck: it is told so only once."""
    async with raw_socket(server.port, get()) as socket, raw_socket(server.port, get()) as other:
        for each in (socket, other):
            assert (await each.read_http()).status == 200
        for edge in server.service.open:
            edge.pause_writing()  # as its transport does when it is full
        socket.send(sign_in(token(server)))
        assert await socket.read_end() == b""
        (edge,) = server.service.open
        edge.resume_writing()
        other.send(sign_in(token(server)))
        await expect_websocket(other)


async def expect_websocket(socket: RawSocket) -> None:
    assert (await socket.read_http()).status == 101
    assert (await socket.read_message())["type"] == "auth_success"
    socket.send(frame("close"))
    assert await socket.read_frame() == (0x88, b"")
    assert await socket.read_end() == b""


async def test_an_upgrade_pipelined_behind_a_request_is_no_upgrade(server: RunningServer) -> None:
    """The first answer comes first, and no byte of it can land in a WebSocket."""
    async with raw_socket(server.port, get(), sign_in(token(server)), frame("ping")) as socket:
        assert (await socket.read_http()).status == 200
        answer = await socket.read_http()
        assert (answer.status, answer.headers["connection"]) == (426, ["close"])
        assert await socket.read_end() == b""


async def test_an_upgrade_is_none_while_a_pipelined_request_is_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_server(tmp_path) as server:
        entered, released = hold_passwords(server, monkeypatch)
        async with raw_socket(server.port, get(), get("/v1/api/auth/me", basic("ada", PASSWORD))) as socket:
            assert (await socket.read_http()).status == 200
            await entered.wait()
            socket.send(sign_in(token(server)))
            async with raw_socket(server.port, get()) as other:
                await other.read_http()
            assert socket.unread == b""
            released.set()
            assert (await socket.read_http()).status == 200
            assert (await socket.read_http()).status == 426


async def test_a_body_that_never_comes_keeps_nothing(tmp_path: Path) -> None:
    """Answered without waiting for it, and then the connection ends."""
    async with running_server(tmp_path) as server:
        for method, status in (("POST", 405), ("GET", 200)):
            async with raw_socket(server.port, get("/healthz", "Content-Length: 10", method=method)) as socket:
                assert (await socket.read_http()).status == status
                assert await socket.read_end() == b""
        await until(lambda: not server.service.open)


# What stands before, and what is repeated.
WRAPPINGS = {
    "chunk extensions": (b"", b"1;" + b"x" * 1_000 + b"\r\n_\r\n"),
    "leading zeros": (b"", b"0" * 1_000 + b"1\r\n_\r\n"),
    "trailers": (b"0\r\n", b"a: " + b"b" * 1_000 + b"\r\n"),
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
async def test_what_is_wrapped_around_a_body_is_bounded(
    tmp_path: Path, wrapping: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is nobody's, however long the request takes; which is still answered."""
    before, piece = WRAPPINGS[wrapping]
    async with running_server(tmp_path) as server:
        entered, released = hold_passwords(server, monkeypatch)
        request = get("/v1/api/auth/me", basic("ada", PASSWORD), "Transfer-Encoding: chunked")
        async with raw_socket(server.port, request, before) as socket:
            await entered.wait()
            (edge,) = server.service.open
            sent = 0
            while not edge._is_over:
                socket.send(piece)
                sent += len(piece)
                assert sent < 1_000_000
                await asyncio.sleep(0)
            released.set()
            answer = await socket.read_http()
            assert (answer.status, answer.headers["connection"]) == (200, ["close"])


async def test_a_body_may_come_byte_by_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In chunks of one byte, which have five around it; and the connection goes on."""
    async with running_server(tmp_path) as server:
        entered, released = hold_passwords(server, monkeypatch)
        request = get("/v1/api/auth/me", basic("ada", PASSWORD), "Transfer-Encoding: chunked")
        async with raw_socket(server.port, request, b"1\r\n_\r\n" * 20_000, b"0\r\n\r\n") as socket:
            await entered.wait()
            (edge,) = server.service.open
            await until(lambda: edge._is_body_complete)
            released.set()
            assert (await socket.read_http()).status == 200
            socket.send(get())
            assert (await socket.read_http()).status == 200


def bodies(server: RunningServer) -> list[int]:
    """How many bytes have come of the body of each request under way."""
    return [each._body_bytes for each in server.service.open if isinstance(each, Edge) and each._under_way]


async def test_a_body_has_half_a_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While its request is under way; one that has come whole has no deadline any more."""
    clock = FakeClock()
    async with running_server(tmp_path, clock=clock) as server:
        _, released = hold_passwords(server, monkeypatch)
        request = get("/v1/api/auth/me", basic("ada", PASSWORD), "Content-Length: 10")
        async with raw_socket(server.port, request, b"12345") as late, raw_socket(server.port, request) as good:
            await until(lambda: sorted(bodies(server)) == [0, 5])
            pass_time(server, clock, 29.9)
            good.send(b"1234567890")
            await until(lambda: sorted(bodies(server)) == [5, 10])
            assert len(server.service.open) == 2
            pass_time(server, clock, 0.1)
            answer = await late.read_http()
            assert (answer.status, answer.error["code"]) == (408, "AUTH_TIMEOUT")
            assert answer.error["message"] == "The body did not come within 30 s"
            assert await late.read_end() == b""
            late.abort()
            await until(lambda: len(server.service.open) == 1)
            pass_time(server, clock, 1_000)
            released.set()
            assert (await good.read_http()).status == 200
            good.send(get())
            assert (await good.read_http()).status == 200


async def expect_too_late(server: RunningServer, socket: RawSocket) -> None:
    """The one answer to a request whose body did not come; its task is over, too."""
    answer = await socket.read_http()
    assert (answer.status, answer.headers["connection"]) == (408, ["close"])
    await until(lambda: not server.listener.server_state.tasks)
    assert await socket.read_end() == b""


async def test_who_waits_for_a_body_that_does_not_come_ends(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock, lines = FakeClock(), list[Mapping[str, Any]]()
    async with running_server(tmp_path, clock=clock, lines=lines) as server:
        bearer = f"Authorization: Bearer {token(server)}"
        request = get("/v1/api/sql", bearer, "Content-Length: 10", "Expect: 100-continue", method="POST")
        async with raw_socket(server.port, request) as socket:
            assert (await socket.read_http()).status == 100
            pass_time(server, clock, 30)
            await expect_too_late(server, socket)
    assert [(line["event"], line["code"]) for line in lines] == [("refused", "AUTH_TIMEOUT")]
    assert not caplog.records


async def test_who_comes_to_a_body_after_its_time_says_nothing_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    async with running_server(tmp_path, clock=clock) as server:
        entered, released = hold_passwords(server, monkeypatch)
        fields = (basic("ada", PASSWORD), "Content-Length: 10", "Expect: 100-continue")
        async with raw_socket(server.port, get("/v1/api/sql", *fields, method="POST")) as socket:
            await entered.wait()
            pass_time(server, clock, 30)
            released.set()
            await expect_too_late(server, socket)
    assert not caplog.records


async def test_a_body_that_does_not_come_is_not_told_in_place_of_the_answer_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection ends without a word."""
    clock = FakeClock()
    async with running_server(tmp_path, clock=clock) as server:
        entered, _ = hold_passwords(server, monkeypatch)
        slow, late = get("/v1/api/auth/me", basic("ada", PASSWORD)), get("/v1/api/auth/me", "Content-Length: 10")
        async with raw_socket(server.port, slow, late) as socket:
            await entered.wait()
            (edge,) = server.service.open
            await until(lambda: len(edge._under_way) == 2)
            pass_time(server, clock, 30)
            assert await socket.read_end() == b""


async def test_a_body_that_comes_is_read_over(server: RunningServer) -> None:
    async with raw_socket(server.port, get("/healthz", "Content-Length: 3"), b"abc", get("/nothing")) as socket:
        assert [(await socket.read_http()).status for _ in range(2)] == [200, 404]


async def test_a_client_that_leaves_while_its_request_is_under_way_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_server(tmp_path) as server:
        entered, released = hold_passwords(server, monkeypatch)
        async with raw_socket(server.port, get("/v1/api/auth/me", basic("ada", PASSWORD))):
            await entered.wait()
        await until(lambda: not server.service.open)
        released.set()
        await until(lambda: not server.listener.server_state.tasks)
        assert len(server.service.sockets) == 0


async def test_uvicorn_still_has_what_the_edge_uses_of_it() -> None:
    """Public by import, not by promise: when this fails, read uvicorn's changes before anything else."""
    callbacks = ["on_message_begin", "on_headers_complete", "on_message_complete", "on_response_complete"]
    for name in [*callbacks, "connection_made", "connection_lost", "timeout_keep_alive_handler", "shutdown"]:
        assert callable(getattr(HttpToolsProtocol, name)), name
    source = inspect.getsource(HttpToolsProtocol)
    for attribute in ("parser", "pipeline", "cycle", "connections", "transport", "tasks"):
        assert f"self.{attribute}" in source, attribute
    assert "self.pipeline.pop()" in inspect.getsource(HttpToolsProtocol.on_response_complete)
    assert "self.pipeline.appendleft(" in inspect.getsource(HttpToolsProtocol.on_headers_complete)
    assert "self.timeout_keep_alive_handler" in inspect.getsource(HttpToolsProtocol.on_response_complete)
    assert list(inspect.signature(HttpToolsProtocol.__init__).parameters)[1:4] == [
        "config",
        "server_state",
        "app_state",
    ]
    cycle = inspect.getsource(RequestResponseCycle)
    for attribute in ("response_complete", "keep_alive"):
        assert f"self.{attribute}" in cycle, attribute
    assert issubclass(httptools.HttpParserUpgrade, Exception)
