"""Plain HTTP on the port, polite and otherwise: uvicorn's protocol under our limits."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from support.presenting import basic
from support.raw_socket import KEY, frame, get, raw_socket, upgrade
from support.server import PASSWORD, SECRET, token
from watchword_server.app import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

Servers = Mapping[str, RunningServer]


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
