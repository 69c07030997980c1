"""What strangers do to an HTTP server: empty lines, trailers, missing and repeated Host, more than one turn takes."""

from pathlib import Path
from typing import Any

import pytest
from uvicorn.protocols.http import httptools_impl

from support.clock import FakeClock
from support.presenting import basic
from support.raw_socket import get, raw_socket, text, upgrade
from support.server import PASSWORD, pass_time, running_server, until
from watchword_server.app import RunningServer
from watchword_server.connection import Moment

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: test.example\r\n\r\n"


@pytest.mark.parametrize("lines", [b"\r\n", b"\r\n\r\n", b"\r\n" * 9])
async def test_empty_lines_before_a_request_mean_nothing(server: RunningServer, lines: bytes) -> None:
    """RFC 9112 2.2; on a fresh connection, between requests, and before an upgrade."""
    async with raw_socket(server.port, lines + HEALTH) as socket:
        assert (await socket.read_http()).status == 200
        socket.send(lines + HEALTH)
        assert (await socket.read_http()).status == 200
        socket.send(lines + upgrade())
        assert (await socket.read_http()).status == 101
    async with raw_socket(server.port, lines + upgrade()) as socket:
        assert (await socket.read_http()).status == 101


@pytest.mark.parametrize("opening", [b"", HEALTH])
async def test_empty_lines_are_no_request_and_win_no_time(tmp_path: Path, opening: bytes) -> None:
    clock = FakeClock()
    far = Moment(clock.monotonic() + 1_000.0, clock.wall())
    async with running_server(tmp_path, clock=clock) as server, raw_socket(server.port, opening) as socket:
        if opening:
            assert (await socket.read_http()).status == 200
        socket.send(b"\r\n\r\n")
        await until(lambda: any(each.is_due(far) for each in server.service.open))
        pass_time(server, clock, 4.0)
        socket.send(b"\r\n\r\n")
        pass_time(server, clock, 2.0)
        answer = await socket.read_http()
        assert (answer.status, answer.error["code"]) == (408, "AUTH_TIMEOUT")


@pytest.mark.parametrize("trailer", [b"a:\r\n", b"a: " + b"b" * 500 + b"\r\n", b"a" * 16])
async def test_trailers_without_end_end_the_connection(server: RunningServer, trailer: bytes) -> None:
    head = f"GET /v1/api/auth/me HTTP/1.1\r\nHost: a\r\n{basic('ada', PASSWORD)}\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with raw_socket(server.port, head.encode() + b"0\r\n") as socket:
        socket.send(trailer * (1_048_576 // len(trailer)))
        await socket.read_end()
    await until(lambda: not server.service.open)


async def test_a_trailer_does_not_pass_for_a_header(server: RunningServer) -> None:
    head = b"GET /v1/api/auth/me HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    trailer = b"0\r\n" + basic("ada", PASSWORD).encode() + b"\r\n\r\n"
    async with raw_socket(server.port, head + trailer) as socket:
        answer = await socket.read_http()
        assert (answer.status, answer.error["code"]) == (401, "AUTH_REQUIRED")


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: a\r\n", b"Host: a\r\nhost: b\r\n"])
async def test_a_request_names_its_host_once(server: RunningServer, hosts: bytes) -> None:
    """RFC 9112 3.2."""
    async with raw_socket(server.port, b"GET /healthz HTTP/1.1\r\n" + hosts + b"\r\n") as socket:
        answer = await socket.read_http()
        assert (answer.status, answer.error["code"]) == (400, "MALFORMED_MESSAGE")


async def test_what_stands_behind_a_later_upgrade_goes_with_it(server: RunningServer) -> None:
    """More than one turn of it: the rest waits in the HTTP connection when the transport is given away."""
    pings = 400
    sent = upgrade(basic("ada", PASSWORD)) + text({"type": "ping", "id": "x" * 60}) * pings
    assert len(sent) > 2 * 16_384
    async with raw_socket(server.port, HEALTH + sent) as socket:
        assert (await socket.read_http()).status == 200
        # The upgrade was pipelined behind a request under way: it is answered as plain HTTP, and the connection ends.
        assert (await socket.read_http()).status == 426
    async with raw_socket(server.port, HEALTH) as socket:
        assert (await socket.read_http()).status == 200
        socket.send(sent)
        assert (await socket.read_http()).status == 101
        messages = [await socket.read_message() for _ in range(pings + 1)]
        assert messages[0]["type"] == "auth_success"
        assert {message["type"] for message in messages[1:]} == {"pong"}


async def test_a_client_that_pipelines_and_leaves_is_no_error(tmp_path: Path) -> None:
    """`running_server` fails where anything is raised into nothing; the last request waits for the others."""
    request = f"GET /v1/api/auth/me HTTP/1.1\r\nHost: a\r\n{basic('nobody', PASSWORD)}\r\n\r\n".encode()
    async with running_server(tmp_path) as server:
        for _ in range(3):
            async with raw_socket(server.port, (HEALTH + request) * 4) as socket:
                assert (await socket.read_http()).status == 200
        async with raw_socket(server.port, request) as socket:
            assert (await socket.read_http()).status == 401


async def test_who_has_reset_its_connection_still_has_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvicorn asks the socket, which does not know any more; failures must not be counted for nobody."""
    monkeypatch.setattr(httptools_impl, "get_remote_addr", lambda _transport: None)
    lines: list[Any] = []
    request = get("/v1/api/auth/me", basic("ada", "wrong horse 1"))
    async with running_server(tmp_path, lines=lines) as server, raw_socket(server.port, request) as socket:
        assert (await socket.read_http()).status == 401
    assert [line["address"] for line in lines] == ["127.0.0.1"]
