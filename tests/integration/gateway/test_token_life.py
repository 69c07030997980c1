"""The token governs the connection to its end: expiry, its announcement, renewal in place."""

from pathlib import Path
from typing import Any

import pytest

from support.clock import FakeClock
from support.presenting import by_message, sign_in
from support.raw_socket import RawSocket, frame, raw_socket, text
from support.server import PASSWORD, SECRET, hold_passwords, pass_time, running_server, token
from watchword_protocol.errors import ErrorCode
from watchword_protocol.timestamps import parse_time
from watchword_server.refusal import Refused

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUIET = {"interval_s": 3_600}


async def come_in(socket: RawSocket) -> dict[str, Any]:
    await socket.read_http()
    success = await socket.read_message()
    assert success["type"] == "auth_success"
    return success


async def ping(socket: RawSocket) -> None:
    socket.send(text({"type": "ping", "id": 5}))
    assert await socket.read_message() == {"type": "pong", "id": 5}


@pytest.mark.parametrize("leeway_s", [0, 30])
async def test_a_connection_ends_at_exp_and_leeway(tmp_path: Path, leeway_s: int) -> None:
    clock = FakeClock()
    auth = {"jwt_secret": SECRET, "leeway_s": leeway_s}
    async with (
        running_server(tmp_path, clock=clock, auth=auth, heartbeat=QUIET) as server,
        raw_socket(server.port, sign_in(token(server, lifetime_s=20))) as socket,
    ):
        success = await come_in(socket)
        assert parse_time(success["expires_at"]) == clock.wall() + 20
        pass_time(server, clock, 20 + leeway_s - 0.001)
        await ping(socket)
        pass_time(server, clock, 0.001)
        assert await socket.read_close() == (4100, "TOKEN_EXPIRED")
        socket.send(frame("close", b"\x10\x04"))
        assert await socket.read_end() == b""


async def test_who_never_answers_the_close_is_cut_off(tmp_path: Path) -> None:
    clock = FakeClock()
    async with (
        running_server(tmp_path, clock=clock) as server,
        raw_socket(server.port, sign_in(token(server, lifetime_s=1))) as socket,
    ):
        await come_in(socket)
        pass_time(server, clock, 31)
        assert (await socket.read_close())[0] == 4100
        pass_time(server, clock, 5)
        assert await socket.read_end() == b""
        assert not server.service.open


async def test_expiry_is_announced_to_those_who_negotiated_v1_only(tmp_path: Path) -> None:
    clock = FakeClock()
    async with running_server(tmp_path, clock=clock, heartbeat=QUIET) as server:
        credential = token(server, lifetime_s=100)
        async with (
            raw_socket(server.port, sign_in(credential, v1=True)) as v1,
            raw_socket(server.port, sign_in(credential)) as plain,
        ):
            success = await come_in(v1)
            await come_in(plain)
            pass_time(server, clock, 69.9)
            await ping(v1)
            pass_time(server, clock, 0.1)
            assert await v1.read_message() == {"type": "token_expiring", "expires_at": success["expires_at"]}
            await ping(plain)
            pass_time(server, clock, 59)
            await ping(v1)
            pass_time(server, clock, 1)
            assert await v1.read_close() == await plain.read_close() == (4100, "TOKEN_EXPIRED")


async def test_expiry_that_is_near_is_announced_at_once(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, clock=FakeClock()) as server,
        raw_socket(server.port, sign_in(token(server, lifetime_s=29), v1=True)) as socket,
    ):
        await come_in(socket)
        assert (await socket.read_message())["type"] == "token_expiring"


async def test_renewal_replaces_the_end_even_by_a_nearer_one(tmp_path: Path) -> None:
    clock = FakeClock()
    async with (
        running_server(tmp_path, clock=clock) as server,
        raw_socket(server.port, sign_in(token(server, lifetime_s=100))) as socket,
    ):
        first = await come_in(socket)
        for lifetime_s in (1_000, 50):
            socket.send(by_message(token(server, lifetime_s=lifetime_s, jti=f"t{lifetime_s}")))
            renewed = await socket.read_message()
            assert (renewed["type"], renewed["connection_id"]) == ("auth_success", first["connection_id"])
            assert parse_time(renewed["expires_at"]) == clock.wall() + lifetime_s
        (connection,) = server.service.registry
        assert connection.user is not None
        assert connection.user.token_id == "t50"
        pass_time(server, clock, 80)
        assert (await socket.read_close())[0] == 4100


@pytest.mark.parametrize(
    ("user", "changes", "code", "close_code"),
    [
        ("bob", {}, "USER_MISMATCH", 4207),
        ("ada", {"lifetime_s": -31}, "TOKEN_EXPIRED", 4100),
        ("ada", {"iss": "somebody"}, "UNTRUSTED_ISSUER", 4204),
        ("nobody", {}, "INVALID_CREDENTIALS", 4205),
    ],
)
async def test_a_failed_renewal_ends_the_connection(
    tmp_path: Path, user: str, changes: dict[str, Any], code: str, close_code: int
) -> None:
    async with running_server(tmp_path) as server, raw_socket(server.port, sign_in(token(server))) as socket:
        await come_in(socket)
        socket.send(by_message(token(server, user, **changes)), text({"type": "ping", "id": 1}))
        error, told = await socket.read_refusal()
        assert (error["code"], told) == (code, close_code)
        socket.send(frame("close"))
        assert await socket.read_end() == b""


async def test_a_malformed_renewal_ends_the_connection_too(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, raw_socket(server.port, sign_in(token(server))) as socket:
        await come_in(socket)
        socket.send(text({"type": "authenticate", "method": "jwt"}))
        error, close_code = await socket.read_refusal()
        assert (error["code"], close_code) == ("MALFORMED_AUTHORIZATION", 4200)


async def test_keys_that_cannot_be_fetched_cost_a_renewal_and_not_the_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_server(tmp_path) as server, raw_socket(server.port, sign_in(token(server))) as socket:
        await come_in(socket)

        def refuse(*_: object) -> None:
            raise Refused(ErrorCode.KEY_UNAVAILABLE, retry_after_ms=2_000)

        with monkeypatch.context() as patched:
            patched.setattr(server.service.authenticator, "try_now", refuse)
            socket.send(by_message("x.y.z"))
            error = await socket.read_message()
        assert (error["type"], error["code"], error["retry_after_ms"]) == ("auth_error", "KEY_UNAVAILABLE", 2_000)
        await ping(socket)


async def test_the_old_tokens_end_is_not_waived_while_a_new_credential_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    async with (
        running_server(tmp_path, clock=clock) as server,
        raw_socket(server.port, sign_in(token(server, lifetime_s=5))) as socket,
    ):
        await come_in(socket)
        entered, _ = hold_passwords(server, monkeypatch)
        socket.send(text({"type": "authenticate", "method": "basic", "user": "ada", "password": PASSWORD}))
        await entered.wait()
        pass_time(server, clock, 35)
        assert await socket.read_close() == (4100, "TOKEN_EXPIRED")
        # The farewell is read, although reading had been paused for the check.
        socket.send(frame("close", b"\x10\x04"))
        assert await socket.read_end() == b""


async def test_a_password_may_renew_a_token_and_ends_its_expiry(tmp_path: Path) -> None:
    clock = FakeClock()
    async with (
        running_server(tmp_path, clock=clock) as server,
        raw_socket(server.port, sign_in(token(server, lifetime_s=5))) as socket,
    ):
        await come_in(socket)
        socket.send(text({"type": "authenticate", "method": "basic", "user": "ada", "password": PASSWORD}))
        assert (await socket.read_message())["expires_at"] is None
        pass_time(server, clock, 20)
        socket.send(text({"type": "ping", "id": 5}))
        assert (await socket.read_message())["type"] == "pong"


@pytest.mark.parametrize("code", [ErrorCode.TOKEN_REVOKED, ErrorCode.TOKEN_STALE, ErrorCode.ACCOUNT_LOCKED])
async def test_the_registry_ends_every_connection_of_a_user_and_nobody_elses(tmp_path: Path, code: ErrorCode) -> None:
    async with running_server(tmp_path) as server:
        sent = [sign_in(token(server, name)) for name in ("ada", "ada", "bob")]
        async with (
            raw_socket(server.port, sent[0]) as first,
            raw_socket(server.port, sent[1]) as second,
            raw_socket(server.port, sent[2]) as other,
        ):
            for socket in (first, second, other):
                await come_in(socket)
            assert server.service.registry.end_user("u_ada", code) == 2
            assert await first.read_close() == await second.read_close() == (code.close, code.name)
            await ping(other)
            assert server.service.registry.end_user("u_nobody", code) == 0


async def test_the_registry_ends_connections_by_the_token_and_session_that_they_live_by_now(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        credentials = [token(server, jti="t1", sid="s1"), token(server, jti="t2", sid="s2")]
        async with (
            raw_socket(server.port, sign_in(credentials[0])) as first,
            raw_socket(server.port, sign_in(credentials[1])) as second,
        ):
            await come_in(first)
            await come_in(second)
            first.send(by_message(token(server, jti="t3", sid="s3")))
            await first.read_message()
            registry = server.service.registry
            assert registry.end_token("watchword", "t1", ErrorCode.TOKEN_REVOKED) == 0
            assert registry.end_token("another", "t3", ErrorCode.TOKEN_REVOKED) == 0
            assert registry.end_token("watchword", "t3", ErrorCode.TOKEN_REVOKED) == 1
            assert registry.end_session("watchword", "s2", ErrorCode.TOKEN_REVOKED) == 1
            assert await first.read_close() == await second.read_close() == (4101, "TOKEN_REVOKED")
