"""The user context, from the handshake to the end of the connection."""

import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from support.accounts import make_account
from support.clock import FakeClock
from support.doors import knock
from support.presenting import WAYS, basic, by_message
from support.raw_socket import RawSocket, raw_socket, text, upgrade
from support.server import PASSWORD, log_lines, running_server
from support.tokens import NOW, OWN, SECRET, TRUSTED, make_claims, make_token
from watchword_protocol.errors import ErrorCode
from watchword_protocol.timestamps import format_time
from watchword_server.app import RunningServer, serve
from watchword_server.auth.account import Account, RevokedToken
from watchword_server.config import Auth, Config, Server, Storage
from watchword_server.user import AuthenticatedUser, Role

AUTH = {"jwt_secret": SECRET, "jwt_trusted_issuers": (TRUSTED,)}


def contexts(server: RunningServer) -> list[AuthenticatedUser]:
    """Of all that are in, as the server holds them."""
    return [connection.user for connection in server.service.registry if connection.user is not None]


async def sign_in(socket: RawSocket) -> dict[str, Any]:
    assert (await socket.read_http()).status == 101
    return await socket.read_message()


async def read_me(server: RunningServer, authorization: str) -> dict[str, Any]:
    request = f"GET /v1/api/auth/me HTTP/1.1\r\nHost: x\r\n{authorization}\r\n\r\n".encode()
    async with raw_socket(server.port, request) as socket:
        answer = await socket.read_http()
    assert answer.status == 200
    context: dict[str, Any] = json.loads(answer.body)
    return context


def as_told(user: AuthenticatedUser) -> Mapping[str, Any]:
    """The context as `me` tells it (protocol, section 5)."""
    return {
        "user": {"id": user.id, "name": user.name, "role": str(user.role.value), "email": user.email},
        "auth_method": user.auth_method,
        "issuer": user.issuer,
        "token_id": user.token_id,
        "claims": user.claims,
        "expires_at": None if user.expires_at is None else format_time(user.expires_at),
    }


@pytest.mark.parametrize("way", [*WAYS, "password"])
async def test_me_and_auth_success_tell_what_the_connection_holds(tmp_path: Path, way: str) -> None:
    claims: dict[str, Any] = {
        "iss": TRUSTED,
        "exp": NOW + 600.25,
        "tenant": {"id": 7},
        "groups": ["a", "b"],
        "big": 2**70,
        "email": "x@y",
    }
    token = make_token(**claims).decode()
    sent = upgrade(basic("ada", PASSWORD)) if way == "password" else WAYS[way](token)
    authorization = basic("ada", PASSWORD) if way == "password" else f"Authorization: Bearer {token}"
    async with (
        running_server(tmp_path, clock=FakeClock(), auth=AUTH) as server,
        raw_socket(server.port, sent) as socket,
    ):
        success = await sign_in(socket)
        [user] = contexts(server)
        assert await read_me(server, authorization) == as_told(user)
    assert (success["user"], success["user_id"], success["role"]) == (user.name, user.id, user.role.value)
    assert success["expires_at"] == as_told(user)["expires_at"]
    assert user.email == "ada@example.org", "the account's, whatever the token claims"
    if way == "password":
        assert (user.auth_method, user.claims, success["expires_at"]) == ("basic", {}, None)
    else:
        assert success["expires_at"] == "2027-01-15T08:10:00.250000Z"
        assert user == AuthenticatedUser(
            id="u_ada",
            name="ada",
            role=Role.USER,
            email="ada@example.org",
            auth_method="jwt",
            issuer=TRUSTED,
            token_id="t-17",
            session_id=None,
            claims=make_claims(**claims),
            expires_at=NOW + 600.25,
            address="127.0.0.1",
        )


async def test_a_renewal_in_place_replaces_the_whole_context(tmp_path: Path) -> None:
    clock = FakeClock()
    first = make_token(jti="t-1", sid="s-1", x=1).decode()
    async with (
        running_server(tmp_path, clock=clock, auth=AUTH) as server,
        raw_socket(server.port, WAYS["header"](first)) as socket,
    ):
        success = await sign_in(socket)
        steps: list[tuple[bytes, str, str | None, str | None]] = [
            (by_message(make_token(jti="t-2", sid="s-2", iss=TRUSTED, exp=NOW + 900).decode()), "jwt", "t-2", "s-2"),
            (by_message(make_token(jti="t-3", exp=NOW + 60).decode()), "jwt", "t-3", None),
            (
                text({"type": "authenticate", "method": "basic", "user": "ada", "password": PASSWORD}),
                "basic",
                None,
                None,
            ),
            (by_message(make_token(jti="t-4").decode()), "jwt", "t-4", None),
        ]
        for sent, method, token_id, session_id in steps:
            socket.send(sent)
            renewed = await socket.read_message()
            [user] = contexts(server)
            assert (user.auth_method, user.token_id, user.session_id) == (method, token_id, session_id)
            assert (renewed["type"], renewed["expires_at"]) == ("auth_success", as_told(user)["expires_at"])
            assert renewed["connection_id"] == success["connection_id"]
        assert len(server.service.registry) == 1


CODES = [ErrorCode.TOKEN_REVOKED, ErrorCode.TOKEN_STALE, ErrorCode.ACCOUNT_LOCKED]


@pytest.mark.parametrize("code", CODES)
async def test_ending_a_user_reaches_all_connections_whichever_way_they_came(tmp_path: Path, code: ErrorCode) -> None:
    async with running_server(tmp_path, clock=FakeClock(), auth=AUTH) as server, AsyncExitStack() as stack:
        sent = [WAYS[way](make_token(jti=f"t-{way}").decode()) for way in WAYS]
        sent += [upgrade(basic("ada", PASSWORD)), WAYS["header"](make_token(sub="ada", iss=TRUSTED).decode())]
        sockets = [await stack.enter_async_context(raw_socket(server.port, each)) for each in sent]
        bob = await stack.enter_async_context(raw_socket(server.port, WAYS["header"](make_token(sub="u_bob").decode())))
        for socket in (*sockets, bob):
            assert (await sign_in(socket))["type"] == "auth_success"
        assert server.service.registry.end_user("u_ada", code) == 5
        for socket in sockets:
            assert await socket.read_close() == (code.close, code.name), "the close frame alone"
        bob.send(text({"type": "ping", "id": 1}))
        assert await bob.read_message() == {"type": "pong", "id": 1}


CHANGES: dict[str, tuple[dict[str, Any], ErrorCode, ErrorCode]] = {
    # what changes; how an open connection ends; what the same token gets at the door
    "deleted": ({"deleted_at": NOW}, ErrorCode.TOKEN_REVOKED, ErrorCode.INVALID_CREDENTIALS),
    "locked": ({"locked": True}, ErrorCode.ACCOUNT_LOCKED, ErrorCode.ACCOUNT_LOCKED),
    "promoted": ({"role": Role.DBA, "valid_after": NOW}, ErrorCode.TOKEN_STALE, ErrorCode.TOKEN_STALE),
}


@pytest.mark.parametrize(("members", "end", "door"), CHANGES.values(), ids=CHANGES)
async def test_who_changes_an_account_ends_its_connections_and_bars_its_tokens(
    tmp_path: Path, members: dict[str, Any], end: ErrorCode, door: ErrorCode
) -> None:
    sent = WAYS["header"](make_token(sub="u_eve").decode())
    async with running_server(tmp_path, clock=FakeClock(), auth=AUTH) as server, AsyncExitStack() as stack:
        eve: Account = make_account("eve")
        await server.accounts.add(eve)
        sockets = [await stack.enter_async_context(raw_socket(server.port, sent)) for _ in range(3)]
        for socket in sockets:
            await sign_in(socket)
        await server.accounts.replace(replace(eve, **members))
        server.service.authenticator.forget(eve.id, eve.name)
        server.service.registry.end_user(eve.id, end)
        for socket in sockets:
            assert await socket.read_close() == (end.close, end.name)
        answer = await knock(server, sent)
        assert (answer.code, answer.close) == (door.name, door.close)


async def test_a_revoked_token_ends_its_connections_and_comes_in_no_more(tmp_path: Path) -> None:
    revoked, other = (WAYS["header"](make_token(jti=jti).decode()) for jti in ("t-1", "t-2"))
    async with (
        running_server(tmp_path, clock=FakeClock(), auth=AUTH) as server,
        raw_socket(server.port, revoked) as ended,
        raw_socket(server.port, other) as living,
    ):
        for socket in (ended, living):
            await sign_in(socket)
        token = RevokedToken("token", OWN, "t-1", NOW + 600)
        await server.accounts.revoke(token)
        server.service.authenticator._verifier.rules.revocations.add(token)
        assert server.service.registry.end_token(OWN, "t-1", ErrorCode.TOKEN_REVOKED) == 1
        assert await ended.read_close() == (4101, "TOKEN_REVOKED")
        assert (await knock(server, revoked)).code == "TOKEN_REVOKED"
        living.send(text({"type": "ping"}))
        assert await living.read_message() == {"type": "pong"}


@pytest.mark.parametrize("exp", [NOW + 600, NOW - 20], ids=["in time", "within the leeway"])
async def test_what_was_revoked_and_who_was_seen_outlives_the_server(tmp_path: Path, exp: float) -> None:
    sent = WAYS["header"](make_token(jti="t-1", exp=exp).decode())
    async with running_server(tmp_path, clock=FakeClock(), auth=AUTH) as server:
        assert (await knock(server, sent)).code is None
        await server.accounts.revoke(RevokedToken("token", OWN, "t-1", exp))
    config = Config(server=Server(port=0), auth=Auth(jwt_secret=SECRET), storage=Storage(path=str(tmp_path / "data")))
    async with serve(config, clock=FakeClock(), log=log_lines([])) as server:
        assert (await knock(server, sent)).code == "TOKEN_REVOKED"
        ada = await server.accounts.by_id("u_ada")
    assert ada is not None
    assert ada.last_seen_at == NOW
