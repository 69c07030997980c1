"""The client and the server, over real sockets: they agree on everything that the scripted lives pretend."""

from pathlib import Path
from typing import Any

import pytest

import watchword
from support.clock import FakeClock
from support.server import PASSWORD, SECRET, USERS, running_server, token, until
from support.stepped_time import SteppedTime
from watchword import ErrorCode, State
from watchword_server.app import RunningServer
from watchword_server.gateway.sweep import sweep

NO_LEEWAY = {"jwt_secret": SECRET, "leeway_s": 0}


def fail(error: Exception) -> None:
    raise error


def connect(server: RunningServer, time: SteppedTime, **arguments: Any) -> watchword.Client:
    return watchword.connect(server.url, clock=time.clock, sleep=time.sleep, random=time.random, **arguments)


@pytest.mark.parametrize("present", ["header", "subprotocol", "first_message"])
async def test_a_token_comes_in_by_every_way(tmp_path: Path, present: watchword.Present) -> None:
    async with (
        running_server(tmp_path) as server,
        watchword.connect(server.url, token=token(server), present=present) as db,
    ):
        assert (db.user.name, db.user.id, db.user.role) == ("ada", USERS["ada"].id, "user")
        assert db.user.lifetime_s == pytest.approx(900, abs=5)
        assert db.user.limits.max_message_bytes == 1_048_576
        assert await db.ping() > 0


@pytest.mark.parametrize("present", ["header", "first_message"])
async def test_a_password_comes_in_by_both_ways_and_nothing_expires(tmp_path: Path, present: watchword.Present) -> None:
    async with (
        running_server(tmp_path) as server,
        watchword.connect(server.url, user="ada", password=PASSWORD, present=present) as db,
    ):
        assert (db.user.name, db.user.expires_at) == ("ada", None)


@pytest.mark.parametrize("present", ["header", "subprotocol", "first_message"])
@pytest.mark.parametrize("reject", ["close", "http"])
async def test_a_refusal_is_the_same_exception_by_every_way_and_in_both_modes(
    tmp_path: Path, present: watchword.Present, reject: str
) -> None:
    async with running_server(tmp_path, handshake={"reject": reject}) as server:
        bad = {
            watchword.TokenExpired: token(server, lifetime_s=-100),
            watchword.InvalidSignature: token(server, secret="a secret that is none of the server's own"),
            watchword.UntrustedIssuer: token(server, iss="https://elsewhere.example"),
            watchword.MissingClaim: token(server, sub=None),
            watchword.InvalidToken: "not-a-jwt",
            watchword.InvalidCredentials: token(server, "nobody"),
        }
        for kind, credential in bad.items():
            with pytest.raises(kind) as caught:
                await watchword.connect(server.url, token=credential, present=present)
            assert caught.value.request_id
            assert (caught.value.http_status is not None) is (reject == "http" and present != "first_message")
        await until(
            lambda: not server.service.open, patience_s=2
        )  # a client that was refused and left is let go at once


async def test_a_path_that_is_none_of_the_servers_is_not_found(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        with pytest.raises(watchword.NotFound):
            await watchword.connect(server.url + "/elsewhere", token=token(server))


async def test_a_token_that_ends_closes_a_client_that_has_no_other(tmp_path: Path) -> None:
    clock = FakeClock()
    async with (
        running_server(tmp_path, clock=clock, auth=NO_LEEWAY) as server,
        watchword.connect(server.url, token=token(server, lifetime_s=5)) as db,
    ):
        assert db.user.lifetime_s == 5
        clock.advance(5)
        sweep(server.service.open, server.service.now(), fail)
        status = await db.wait_for(State.CLOSED, timeout_s=2)
        assert type(status.reason) is watchword.TokenExpired
        assert status.reason.close_code == 4100


async def test_a_token_function_keeps_the_same_connection_past_the_first_tokens_end(tmp_path: Path) -> None:
    clock, time = FakeClock(), SteppedTime()
    async with running_server(tmp_path, clock=clock, auth=NO_LEEWAY) as server:

        async def fetch() -> str:
            return token(server, lifetime_s=60)

        async with connect(server, time, token=fetch) as db:
            first = db.user
            for _ in range(4):  # the server announces each end at once, since less than its notice is left
                assert await time.next_wait() == 30
                clock.advance(30)
                time.advance(30)
                await time.wait_for(30)
                sweep(server.service.open, server.service.now(), fail)
            assert await db.ping() >= 0
            assert (db.state, db.user.connection_id) == (State.OPEN, first.connection_id)
            assert first.expires_at is not None
            assert db.user.expires_at is not None
            assert (db.user.expires_at - first.expires_at).total_seconds() == pytest.approx(120)


async def test_another_users_token_ends_the_connection_and_the_client(tmp_path: Path) -> None:
    time = SteppedTime()
    async with running_server(tmp_path) as server:
        names = iter(["ada", "bob"])

        async def fetch() -> str:
            return token(server, next(names))

        async with connect(server, time, token=fetch) as db:
            await time.pass_wait()
            status = await db.wait_for(State.CLOSED, timeout_s=2)
            assert type(status.reason) is watchword.UserMismatch


async def test_a_user_ended_from_outside_presents_the_password_again_once_more(tmp_path: Path) -> None:
    time = SteppedTime()
    async with (
        running_server(tmp_path) as server,
        connect(server, time, user="ada", password=PASSWORD) as db,
    ):
        assert server.service.registry.end_user(db.user.id, ErrorCode.TOKEN_STALE) == 1
        status = await db.wait_for(State.RECONNECTING, timeout_s=2)
        assert type(status.reason) is watchword.TokenStale
        assert await time.pass_wait() == 0.75
        await db.wait_for(State.OPEN, timeout_s=2)


async def test_a_server_that_restarts_is_found_again(tmp_path: Path) -> None:
    time = SteppedTime()
    async with running_server(tmp_path / "one") as server:
        db = await connect(server, time, token=token(server))
        port = server.port
    async with running_server(tmp_path / "two", server={"port": port}):
        status = await db.wait_for(State.RECONNECTING, timeout_s=2)
        assert type(status.reason) is watchword.ServerShutdown
        assert await time.pass_wait() <= 2
        await db.wait_for(State.OPEN, timeout_s=2)
        assert await db.ping() >= 0
        await db.close()
