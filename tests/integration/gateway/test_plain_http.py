"""Plain HTTP on the port, polite and otherwise: uvicorn's protocol under our limits."""

import asyncio
import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httptools
import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from support.clock import FakeClock
from support.presenting import basic, sign_in
from support.raw_socket import KEY, RawSocket, frame, raw_socket, upgrade
from support.server import PASSWORD, SECRET, hold_passwords, pass_time, running_server, token, until
from watchword_server.app import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

Servers = Mapping[str, RunningServer]


def get(path: str = "/healthz", *fields: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: test.example", *fields, "", ""]).encode("latin-1")


async def test_liveness_and_readiness(server: RunningServer) -> None:
    async with raw_socket(server.port, get("/healthz"), get("/readyz")) as socket:
        alive, ready = await socket.read_http(), await socket.read_http()
    assert (alive.status, json.loads(alive.body)) == (200, {"status": "ok"})
    assert (ready.status, json.loads(ready.body)) == (200, {"status": "ready"})
    assert alive.headers["cache-control"] == ["no-store"]


# Authorization lines; status, error code, and the beginnings of the challenges.
CREDENTIALS: list[tuple[list[str], int, str, list[str]]] = [
    ([], 401, "AUTH_REQUIRED", ['Bearer realm="watchword"', 'Basic realm="watchword", charset="UTF-8"']),
    ([basic("ada", "wrong horse 1")], 401, "INVALID_CREDENTIALS", ['Bearer realm="watchword"', "Basic "]),
    ([basic("dora", PASSWORD)], 401, "INVALID_CREDENTIALS", ['Bearer realm="watchword"', "Basic "]),
    ([basic("nobody", PASSWORD)], 401, "INVALID_CREDENTIALS", ['Bearer realm="watchword"', "Basic "]),
    (["Authorization: Bearer x.y.z"], 401, "INVALID_TOKEN", ['Bearer realm="watchword", error="invalid_token"']),
    (
        ["Authorization: Bearer"],
        400,
        "MALFORMED_AUTHORIZATION",
        ['Bearer realm="watchword", error="invalid_r', "Basic "],
    ),
    (["Authorization: Digest a"], 400, "MALFORMED_AUTHORIZATION", ['Bearer realm="watchword", error="inv', "Basic "]),
    (
        [basic("ada", PASSWORD), basic("ada", PASSWORD)],
        400,
        "MALFORMED_AUTHORIZATION",
        ['Bearer realm="watchword", error="invalid_request"', "Basic "],
    ),
]


@pytest.mark.parametrize(("fields", "status", "code", "challenges"), CREDENTIALS)
async def test_a_refused_credential_is_told_alike_by_endpoint_and_upgrade(
    servers: Servers, fields: list[str], status: int, code: str, challenges: list[str]
) -> None:
    sent = [get("/v1/api/auth/me", *fields)]
    if fields:  # an upgrade without one goes on to the first message
        sent.append(upgrade(*fields))
    for each in sent:
        async with raw_socket(servers["http"].port, each) as socket:
            answer = await socket.read_http()
        assert (answer.status, answer.error["code"]) == (status, code)
        assert answer.headers["content-type"] == ["application/json"]
        told = answer.headers["www-authenticate"]
        assert len(told) == len(challenges)
        assert all(value.startswith(start) for value, start in zip(told, challenges, strict=True))


@pytest.mark.parametrize(
    ("claims", "status", "code", "error"),
    [
        ({"lifetime_s": -60}, 401, "TOKEN_EXPIRED", "invalid_token"),
        ({"secret": SECRET.upper()}, 401, "INVALID_SIGNATURE", "invalid_token"),
        ({"iss": "somebody"}, 401, "UNTRUSTED_ISSUER", "invalid_token"),
        ({"sub": None}, 400, "MISSING_CLAIM", "invalid_request"),
        ({"nbf": 4_000_000_000}, 401, "TOKEN_NOT_YET_VALID", "invalid_token"),
        ({"role": "dba"}, 401, "TOKEN_STALE", "invalid_token"),
    ],
)
async def test_a_refused_token_is_told_alike_by_endpoint_and_upgrade(
    servers: Servers, claims: dict[str, Any], status: int, code: str, error: str
) -> None:
    server = servers["http"]
    field = f"Authorization: Bearer {token(server, **claims)}"
    for sent in (get("/v1/api/auth/me", field), upgrade(field)):
        async with raw_socket(server.port, sent) as socket:
            answer = await socket.read_http()
        assert (answer.status, answer.error["code"]) == (status, code)
        (challenge,) = answer.headers["www-authenticate"]
        assert f'error="{error}"' in challenge


async def test_access_denied_asks_for_more_scope(servers: Servers) -> None:
    server = servers["http"]
    fields = [f"Authorization: Bearer {token(server, 'sys')}", "X-Forwarded-For: 192.0.2.1"]
    for sent in (get("/v1/api/auth/me", *fields), upgrade(*fields)):
        async with raw_socket(server.port, sent) as socket:
            answer = await socket.read_http()
        assert (answer.status, answer.error["code"]) == (403, "ACCESS_DENIED")
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"][0]


@pytest.mark.parametrize("way", ["token", "password"])
async def test_me_is_the_user_context(server: RunningServer, way: str) -> None:
    field = f"Authorization: bearer {token(server, jti='t1', x=1)}" if way == "token" else basic("ada", PASSWORD)
    async with raw_socket(server.port, get("/v1/api/auth/me", field)) as socket:
        answer = await socket.read_http()
    context = json.loads(answer.body)
    assert answer.status == 200
    assert context["user"] == {"id": "u_ada", "name": "ada", "role": "user", "email": "ada@example.org"}
    if way == "token":
        assert (context["auth_method"], context["issuer"], context["token_id"]) == ("jwt", "watchword", "t1")
        assert (context["claims"]["x"], context["expires_at"][-1]) == (1, "Z")
    else:
        assert (context["auth_method"], context["issuer"], context["expires_at"]) == ("basic", None, None)


# Request; status, error code, headers that must be there.
ANSWERS: list[tuple[bytes, int, str | None, dict[str, list[str]]]] = [
    (get("/nothing"), 404, "NOT_FOUND", {}),
    (get("/"), 404, "NOT_FOUND", {}),
    (get("/v1/api/auth/me/"), 404, "NOT_FOUND", {}),
    (get("/healthz", method="POST"), 405, "MALFORMED_MESSAGE", {}),
    (get("/v1/api/auth/me", "Content-Length: 0", method="POST"), 405, "MALFORMED_MESSAGE", {}),
    (get("/v1/ws"), 426, "MALFORMED_MESSAGE", {"upgrade": ["websocket"], "sec-websocket-version": ["13"]}),
    (get("/v1/ws", method="DELETE"), 405, "MALFORMED_MESSAGE", {}),
    (upgrade(target="/v1/api/auth/me"), 404, "NOT_FOUND", {"connection": ["close"]}),
    (upgrade(method="POST"), 405, "MALFORMED_MESSAGE", {"allow": ["GET"]}),
    (upgrade(drop="Upgrade"), 426, "MALFORMED_MESSAGE", {"upgrade": ["websocket"]}),
    (upgrade(drop="Connection"), 426, "MALFORMED_MESSAGE", {"upgrade": ["websocket"]}),
    (upgrade(drop="Sec-WebSocket-Version"), 426, "MALFORMED_MESSAGE", {"sec-websocket-version": ["13"]}),
    (upgrade(drop="Host"), 400, "MALFORMED_MESSAGE", {}),
    (upgrade("Host: other.example"), 400, "MALFORMED_MESSAGE", {}),
    (upgrade("Origin: https://a", "Origin: https://b"), 400, "MALFORMED_MESSAGE", {}),
    (upgrade("Content-Length: 5"), 400, "MALFORMED_MESSAGE", {}),
    (upgrade("Transfer-Encoding: chunked"), 400, "MALFORMED_MESSAGE", {}),
    (upgrade(f"Sec-WebSocket-Key: {KEY}"), 400, "MALFORMED_MESSAGE", {}),
    (get("/healthz", "X: a\r\n folded"), 400, "MALFORMED_MESSAGE", {"connection": ["close"]}),
    (get("/healthz", "X : a"), 400, "MALFORMED_MESSAGE", {}),
    (b"NONSENSE\r\n\r\n", 400, "MALFORMED_MESSAGE", {}),
    (b"GET /healthz HTTP/3.0\r\n\r\n", 400, "MALFORMED_MESSAGE", {}),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "MALFORMED_MESSAGE", {}),
    (get("/healthz", *(f"X-{n}: y" for n in range(128))), 431, "MESSAGE_TOO_LARGE", {}),
    (get("/healthz", "X: " + "y" * 8_190), 431, "MESSAGE_TOO_LARGE", {}),
    (get("/" + "y" * 8_190), 431, "MESSAGE_TOO_LARGE", {}),
    (get("/healthz", *("X: " + "y" * 8_000 for _ in range(5))), 431, "MESSAGE_TOO_LARGE", {"connection": ["close"]}),
    (upgrade("Sec-WebSocket-Protocol: " + "y" * 8_190), 431, "MESSAGE_TOO_LARGE", {}),
    (b"X" * 32_768, 431, "MESSAGE_TOO_LARGE", {"connection": ["close"]}),
]


@pytest.mark.parametrize(("sent", "status", "code", "headers"), ANSWERS, ids=range(len(ANSWERS)))
async def test_every_refusal_has_its_status_and_the_one_body(
    server: RunningServer, sent: bytes, status: int, code: str, headers: dict[str, list[str]]
) -> None:
    """On a new connection and on one that was used before."""
    for before in (b"", get()):
        async with raw_socket(server.port, before) as socket:
            if before:
                assert (await socket.read_http()).status == 200
            socket.send(sent)
            answer = await socket.read_http()
        assert (answer.status, answer.error["code"]) == (status, code)
        got = {name: [", ".join(sorted(value.split(", "))) for value in answer.headers[name]] for name in headers}
        assert got == headers  # a list in any order
        assert answer.error["request_id"]


async def test_405_names_what_is_allowed(server: RunningServer) -> None:
    """RFC 9110 15.5.6."""
    async with raw_socket(server.port, get(method="POST")) as socket:
        (allowed,) = (await socket.read_http()).headers["allow"]
    assert set(allowed.split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize("spelling", ["websocket", "WebSocket", "WEBSOCKET", " websocket ", "websocket,", ",websocket"])
async def test_spellings_of_upgrade_that_are_good(server: RunningServer, spelling: str) -> None:
    async with raw_socket(server.port, upgrade(f"Upgrade:{spelling}", drop="Upgrade")) as socket:
        assert (await socket.read_http()).status == 101


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (["Upgrade: websocket/13"], 426),
        (["Upgrade: websocket, h2c"], 426),
        (["Upgrade: websocket", "Upgrade: websocket"], 426),
        (["Upgrade: websockets"], 426),
        (["Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"], 426),
        (["Upgrade:"], 426),
        (["UpgradE : websocket"], 400),
    ],
)
async def test_other_spellings_are_answered_as_plain_requests(
    server: RunningServer, fields: list[str], status: int
) -> None:
    """As if no upgrade had been asked for (RFC 9110 7.8), and nothing behind it is understood."""
    async with raw_socket(server.port, upgrade(*fields, drop="Upgrade"), frame("ping"), get()) as socket:
        answer = await socket.read_http()
        assert (answer.status, answer.error["code"]) == (status, "MALFORMED_MESSAGE")
        assert b"\x8a" not in await socket.read_end()


async def test_h2c_is_not_spoken(server: RunningServer) -> None:
    sent = get("/healthz", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
    async with raw_socket(server.port, sent, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") as socket:
        assert (await socket.read_http()).status == 200
        assert await socket.read_end() == b""


async def test_empty_lines_before_a_request_are_ignored(server: RunningServer) -> None:
    """RFC 9112 2.2."""
    for sent in (get(), b"\r\n" + get(), b"\r\n\r\n" + get()):
        async with raw_socket(server.port, sent) as socket:
            assert (await socket.read_http()).status == 200


async def test_head_is_answered_without_a_body(server: RunningServer) -> None:
    async with raw_socket(server.port, get(method="HEAD"), get()) as socket:
        head = await socket.read_http(has_body=False)
        assert (head.status, head.headers["content-length"]) == (200, ["15"])
        assert json.loads((await socket.read_http()).body) == {"status": "ok"}


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://app.example", True),
        ("https://any.example:8443", True),
        ("https://any.example", True),
        ("https://evil.example", False),
        ("https://app.example.evil.example", False),
        ("https://any.example:8443.evil.example", False),
        ("null", False),
    ],
)
async def test_pages_of_listed_origins_may_read_the_api(servers: Servers, origin: str, *, allowed: bool) -> None:
    preflight = ["Access-Control-Request-Method: GET", "Access-Control-Request-Headers: authorization"]
    sent = [
        get("/v1/api/auth/me", f"Origin: {origin}", *preflight, method="OPTIONS"),
        get("/v1/api/auth/me", f"Origin: {origin}"),
    ]
    async with raw_socket(servers["listed"].port, *sent) as socket:
        answers = [await socket.read_http(), await socket.read_http()]
    assert (answers[0].status == 200) is allowed
    assert allowed or answers[0].error["code"] == "ORIGIN_NOT_ALLOWED"
    expected = [origin] if allowed else None
    assert [each.headers.get("access-control-allow-origin") for each in answers] == [expected, expected]
    assert answers[1].status == 401


# Deadlines and sizes, for every request of a connection.


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


async def test_who_does_not_leave_after_a_refusal_is_cut_off(tmp_path: Path) -> None:
    clock = FakeClock()
    async with running_server(tmp_path, clock=clock) as server:
        for before in (b"", get()):
            async with raw_socket(server.port, before) as socket:
                if before:
                    await socket.read_http()
                socket.send(b"NONSENSE\r\n\r\n")
                assert (await socket.read_http()).status == 400
                assert len(server.service.open) == 1
                pass_time(server, clock, 5)
                await until(lambda: not server.service.open)


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
