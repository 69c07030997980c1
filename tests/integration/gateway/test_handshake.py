"""From header block to user context, or to the refusal that comes first."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from support.presenting import WAYS, basic, by_message, sign_in
from support.raw_socket import KEY, frame, raw_socket, text, upgrade
from support.server import PASSWORD, SECRET, running_server, token
from watchword_protocol.errors import ErrorCode
from watchword_server.app import RunningServer

ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 1.3, for KEY

pytestmark = pytest.mark.asyncio(loop_scope="module")

Servers = Mapping[str, RunningServer]


@pytest.mark.parametrize("way", WAYS)
async def test_a_token_comes_in_by_every_way(server: RunningServer, way: str) -> None:
    async with raw_socket(server.port, WAYS[way](token(server, "ada"))) as socket:
        answer = await socket.read_http()
        assert (answer.status, answer.headers["sec-websocket-accept"]) == (101, [ACCEPT])
        assert answer.headers.get("sec-websocket-protocol") == (["watchword.v1"] if way == "subprotocol" else None)
        success = await socket.read_message()
    assert (success["type"], success["user"], success["user_id"]) == ("auth_success", "ada", "u_ada")
    assert (success["role"], success["limits"]["max_message_bytes"]) == ("user", 1_048_576)


@pytest.mark.parametrize(
    "sent",
    [
        upgrade(basic("ada", PASSWORD)),
        upgrade() + text({"type": "authenticate", "method": "basic", "user": "ada", "password": PASSWORD}),
    ],
)
async def test_a_password_comes_in_and_does_not_expire(server: RunningServer, sent: bytes) -> None:
    async with raw_socket(server.port, sent) as socket:
        assert (await socket.read_http()).status == 101
        success = await socket.read_message()
    assert (success["user"], success["expires_at"]) == ("ada", None)


async def test_the_101_and_the_first_message_leave_in_one_write(server: RunningServer) -> None:
    async with raw_socket(server.port, sign_in(token(server))) as socket:
        first = await socket.reader.read(65_536)
    assert first.startswith(b"HTTP/1.1 101 ")
    assert b'"auth_success"' in first


@pytest.mark.parametrize("way", ["header", "subprotocol"])
@pytest.mark.parametrize(
    ("lifetime_s", "secret", "expected"),
    [
        (-31, SECRET, ErrorCode.TOKEN_EXPIRED),
        (900, SECRET.upper(), ErrorCode.INVALID_SIGNATURE),
        (-31, SECRET.upper(), ErrorCode.INVALID_SIGNATURE),
    ],
)
async def test_a_bad_token_is_told_by_close_code_or_by_status(
    servers: Servers, way: str, lifetime_s: float, secret: str, expected: ErrorCode
) -> None:
    server = servers["close"]
    bad = token(server, lifetime_s=lifetime_s, secret=secret)
    async with raw_socket(server.port, WAYS[way](bad)) as socket:
        assert (await socket.read_http()).status == 101
        error, close_code = await socket.read_refusal()
    assert (error["code"], close_code) == (expected.name, expected.close)
    assert expected.advice is not None
    assert error["advice"] == expected.advice.value
    server = servers["http"]
    bad = token(server, lifetime_s=lifetime_s, secret=secret)
    async with raw_socket(server.port, WAYS[way](bad)) as socket:
        answer = await socket.read_http()
        assert answer.status == expected.http
        assert (answer.error["code"], answer.error["close_code"]) == (expected.name, expected.close)
        (challenge,) = answer.headers["www-authenticate"]
        assert 'error="invalid_token"' in challenge
        assert answer.headers["cache-control"] == ["no-store"]
        assert await socket.read_end() == b""


@pytest.mark.parametrize("mode", ["close", "http"])
async def test_a_first_message_is_refused_by_close_code_in_both_modes(servers: Servers, mode: str) -> None:
    server = servers[mode]
    async with raw_socket(server.port, upgrade() + by_message(token(server, lifetime_s=-31))) as socket:
        assert (await socket.read_http()).status == 101
        error, close_code = await socket.read_refusal()
    assert (error["code"], close_code) == ("TOKEN_EXPIRED", 4100)


@pytest.mark.parametrize("mode", ["close", "http"])
@pytest.mark.parametrize(("user", "password"), [("nobody", PASSWORD), ("dora", PASSWORD), ("ada", "wrong horse 1")])
async def test_a_wrong_password_a_deleted_and_an_unknown_user_look_the_same(
    servers: Servers, mode: str, user: str, password: str
) -> None:
    server = servers[mode]
    async with raw_socket(server.port, upgrade(basic(user, password))) as socket:
        answer = await socket.read_http()
        if mode == "close":
            error, close_code = await socket.read_refusal()
            assert (error["code"], close_code) == ("INVALID_CREDENTIALS", 4205)
            assert error["message"] == "Invalid username or password"
        else:
            assert (answer.status, answer.error["code"]) == (401, "INVALID_CREDENTIALS")
            assert len(answer.headers["www-authenticate"]) == 2


async def test_a_header_that_fails_never_falls_through_to_the_subprotocol(server: RunningServer) -> None:
    good = f"Sec-WebSocket-Protocol: watchword.v1, watchword.jwt.{token(server)}"
    async with raw_socket(server.port, upgrade("Authorization: Bearer x.y.z", good)) as socket:
        await socket.read_http()
        error, _ = await socket.read_refusal()
    assert error["code"] == "INVALID_TOKEN"
    late = by_message(token(server))
    async with raw_socket(server.port, upgrade("Authorization: Digest x", good) + late) as socket:
        await socket.read_http()
        error, _ = await socket.read_refusal()
    assert error["code"] == "MALFORMED_AUTHORIZATION"


async def test_the_token_in_the_url_counts_for_nothing(server: RunningServer) -> None:
    target = f"/v1/ws?token={token(server)}&access_token={token(server)}"
    async with raw_socket(server.port, upgrade(target=target) + text({"type": "ping", "id": 1})) as socket:
        assert (await socket.read_http()).status == 101
        assert await socket.read_message() == {"type": "pong", "id": 1}


# Adjacent rows of the order of checks, both broken: the first answers.
BROKEN_PAIRS: list[tuple[dict[str, Any], list[str], int, str]] = [
    ({"target": "/v1/other", "method": "POST"}, [], 404, "NOT_FOUND"),
    ({"method": "POST", "drop": "Sec-WebSocket-Version"}, [], 405, "MALFORMED_MESSAGE"),
    ({"drop": "Sec-WebSocket-Version"}, ["Origin: https://evil.example"], 426, "MALFORMED_MESSAGE"),
    ({"drop": "Sec-WebSocket-Key"}, ["Origin: https://evil.example"], 400, "MALFORMED_MESSAGE"),
    ({}, ["Sec-WebSocket-Protocol: watchword.jwt.x", "Origin: https://evil.example"], 400, "MALFORMED_AUTHORIZATION"),
]


@pytest.mark.parametrize("mode", ["close", "http"])
@pytest.mark.parametrize(("request_line", "fields", "status", "code"), BROKEN_PAIRS)
async def test_of_two_faults_the_first_in_the_order_of_checks_answers(
    servers: Servers, mode: str, request_line: dict[str, Any], fields: list[str], status: int, code: str
) -> None:
    server = servers[mode]
    async with raw_socket(server.port, upgrade(*fields, "Authorization: Bearer x", **request_line)) as socket:
        answer = await socket.read_http()
        assert (answer.status, answer.error["code"]) == (status, code)
        assert answer.headers["connection"] == ["close"]
        assert await socket.read_end() == b""


async def test_the_websocket_headers_come_before_the_limits_and_these_before_origin(tmp_path: Path) -> None:
    limits = {"connections_per_address": 1}
    async with running_server(tmp_path, limits=limits) as server, raw_socket(server.port, upgrade()) as first:
        await first.read_http()
        async with raw_socket(server.port, upgrade(drop="Sec-WebSocket-Key")) as socket:
            assert (await socket.read_http()).status == 400
        async with raw_socket(server.port, upgrade("Origin: https://evil.example")) as socket:
            answer = await socket.read_http()
            assert (answer.status, answer.error["code"]) == (429, "TOO_MANY_CONNECTIONS")
            assert answer.headers["retry-after"] == ["30"]


@pytest.mark.parametrize("credential", ["Bearer x.y.z", "Bearer", "nonsense"])
async def test_origin_comes_before_the_credential(servers: Servers, credential: str) -> None:
    sent = upgrade("Origin: https://evil.example", f"Authorization: {credential}")
    async with raw_socket(servers["close"].port, sent) as socket:
        await socket.read_http()
        error, close_code = await socket.read_refusal()
        assert (error["code"], close_code) == ("ORIGIN_NOT_ALLOWED", 4208)
    server = servers["http"]
    async with raw_socket(server.port, sent) as socket:
        answer = await socket.read_http()
        assert (answer.status, answer.error["code"]) == (403, "ORIGIN_NOT_ALLOWED")
        assert "www-authenticate" not in answer.headers


# What is offered in Sec-WebSocket-Protocol; status; what is selected.
SUBPROTOCOLS: list[tuple[list[str], int, list[str] | None]] = [
    ([], 101, None),
    (["watchword.v1"], 101, ["watchword.v1"]),
    (["chat, watchword.v1, other"], 101, ["watchword.v1"]),
    (["chat", "watchword.v1"], 101, ["watchword.v1"]),
    (["chat, superchat"], 101, None),
    (["watchword.v2"], 101, None),
    (["WATCHWORD.V1"], 101, None),
    (["watchword.jwt.x"], 400, None),
    (["chat, watchword.jwt.x"], 400, None),
    (["watchword.v1 chat"], 400, None),
    ([""], 400, None),
    ([","], 400, None),
    (["watchword.v1, a/b"], 400, None),
]


@pytest.mark.parametrize(("offered", "status", "selected"), SUBPROTOCOLS)
async def test_subprotocols(server: RunningServer, offered: list[str], status: int, selected: list[str] | None) -> None:
    fields = [f"Sec-WebSocket-Protocol: {value}" for value in offered]
    async with raw_socket(server.port, upgrade(*fields)) as socket:
        answer = await socket.read_http()
        assert (answer.status, answer.headers.get("sec-websocket-protocol")) == (status, selected)
        if status == 400:
            assert answer.error["code"] == "MALFORMED_AUTHORIZATION"


async def test_a_token_without_our_version_beside_it_is_refused_beside_a_good_header_too(server: RunningServer) -> None:
    fields = [f"Authorization: Bearer {token(server)}", f"Sec-WebSocket-Protocol: watchword.jwt.{token(server)}"]
    async with raw_socket(server.port, upgrade(*fields)) as socket:
        answer = await socket.read_http()
    assert answer.status == 400
    assert answer.error["message"] == "offer watchword.v1 beside the token"


async def test_nothing_behind_a_refused_request_is_understood(servers: Servers) -> None:
    """The answer over HTTP is the last word, whatever frames stand behind the request."""
    behind = [frame("text", b"x", mask=None), frame("ping"), frame("close"), b"\x00" * 100]
    server = servers["http"]
    for sent in behind:
        async with raw_socket(server.port, upgrade(basic("ada", "wrong horse 1")), sent) as socket:
            answer = await socket.read_http()
            assert (answer.status, await socket.read_end()) == (401, b"")


async def test_nothing_secret_is_logged(tmp_path: Path) -> None:
    lines: list[Any] = []
    async with running_server(tmp_path, lines=lines) as server:
        tokens = [token(server), token(server, lifetime_s=-60), token(server, secret=SECRET.upper())]
        for each in tokens:
            for way in WAYS.values():
                async with raw_socket(server.port, way(each)) as socket:
                    await socket.read_http()
                    await socket.read_message()
        async with raw_socket(server.port, upgrade(basic("ada", PASSWORD))) as socket:
            await socket.read_http()
            await socket.read_message()
    told = json.dumps(lines)
    assert len(lines) >= 10
    for secret in (*(part for each in tokens for part in each.split(".")[1:]), PASSWORD, SECRET, KEY):
        assert secret not in told
