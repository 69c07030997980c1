"""After the end: again, with what, after how long, and when not."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import watchword
from support.scripted_server import HttpRefusal, Life, Peer, auth_error, auth_success, play, refuse, welcome
from support.stepped_time import SteppedTime
from watchword import State


def die(close_code: int | None, reason: str = "", *before: dict[str, Any], user: str = "ada") -> Life:
    """A life that lets the client in and then ends; None is without a close frame."""

    async def live(peer: Peer) -> None:
        await peer.say(auth_success(user, lifetime_s=None), *before)
        if close_code is None:
            peer.cut()
        else:
            await peer.close(close_code, reason)

    return live


def give(*tokens: str) -> Callable[[], Any]:
    """A token function that gives these in turn, then the last one again."""
    left = list(tokens)

    async def fetch() -> str:
        return left.pop(0) if len(left) > 1 else left[0]

    return fetch


def connect(url: str, time: SteppedTime, **arguments: Any) -> watchword.Client:
    return watchword.connect(url, clock=time.clock, sleep=time.sleep, random=time.random, **arguments)


@pytest.mark.parametrize(
    ("close_code", "reason"),
    [
        (None, ""),
        (1000, ""),
        (1001, ""),
        (1003, ""),
        (1005, ""),
        (1011, ""),
        (1012, "SERVER_SHUTDOWN"),
        (4055, "MOON_PHASE"),
    ],
)
async def test_an_end_that_allows_it_is_followed_by_another_connection(close_code: int | None, reason: str) -> None:
    time = SteppedTime()
    async with (
        play(die(close_code if close_code != 1005 else None, reason), welcome(user="bob")) as server,
        connect(server.url, time, token="a.b.c") as db,
    ):
        waiting = await db.wait_for(State.RECONNECTING, timeout_s=2)
        assert waiting.retry_after_s == 0.75
        assert waiting.reason is not None
        assert db.user.name == "ada"
        with pytest.raises(watchword.ConnectionLost, match="reconnecting, next attempt in"):
            await db.ping()
        assert await time.pass_wait() == 0.75
        await db.wait_for(State.OPEN, timeout_s=2)
        assert db.user.name == "bob"
        assert db.status.reason is None
        assert await db.ping() >= 0
        assert server.authorizations == ["Bearer a.b.c"] * 2


async def test_the_states_are_seen_in_their_order() -> None:
    time, seen = SteppedTime(), []
    async with play(die(None), refuse("OVERLOADED"), welcome()) as server:
        db = connect(server.url, time, token="a.b.c")

        async def follow() -> None:
            seen.extend([status.state.value async for status in db.states()])

        following = asyncio.create_task(follow())
        await asyncio.sleep(0)
        async with db:
            assert await time.pass_wait() == 0.75
            assert await time.pass_wait() == 1.25
            async for status in db.states():
                if status.state is State.OPEN:
                    break
        await following
    assert seen == ["connecting", "open", *["reconnecting"] * 4, "open", "closed"]


async def test_the_wait_grows_with_each_failure_and_starts_anew_after_ten_seconds_of_success() -> None:
    time = SteppedTime()
    stay = asyncio.Event()

    async def live(peer: Peer) -> None:
        await peer.say(auth_success())
        await stay.wait()
        peer.cut()

    async with (
        play(die(None), HttpRefusal(503), HttpRefusal(503), HttpRefusal(503), live, welcome()) as server,
        connect(server.url, time, token="a.b.c") as db,
    ):
        assert [await time.pass_wait() for _ in range(4)] == [0.75, 1.25, 2.25, 4.25]
        await db.wait_for(State.OPEN, timeout_s=2)
        time.advance(10)
        stay.set()
        assert await time.pass_wait() == 0.75


async def test_a_draining_server_says_when_to_come_back() -> None:
    time = SteppedTime()
    draining = {"type": "draining", "reconnect_after_ms": 6000}
    async with (
        play(die(1012, "SERVER_SHUTDOWN", draining), welcome()) as server,
        connect(server.url, time, token="a.b.c"),
    ):
        assert await time.pass_wait() == 6


async def test_a_hint_of_a_refusal_is_obeyed_while_reconnecting() -> None:
    time = SteppedTime()
    async with (
        play(die(None), refuse("RATE_LIMITED", retry_after_ms=70_000), welcome()) as server,
        connect(server.url, time, token="a.b.c") as db,
    ):
        assert await time.pass_wait() == 0.75
        assert await time.pass_wait() == 70
        await db.wait_for(State.OPEN, timeout_s=2)


async def test_too_many_connections_wait_for_half_a_minute() -> None:
    time = SteppedTime()
    async with (
        play(die(4004, "TOO_MANY_CONNECTIONS"), welcome()) as server,
        connect(server.url, time, token="a.b.c"),
    ):
        assert await time.pass_wait() == 30


@pytest.mark.parametrize(
    ("close_code", "reason", "kind"),
    [
        (4212, "REPLACED", watchword.Replaced),
        (4203, "INVALID_SIGNATURE", watchword.InvalidSignature),
        (4299, "GONE_FOR_GOOD", watchword.ServerError),
        (1002, "", watchword.ConnectionLost),
        (1007, "", watchword.ConnectionLost),
    ],
)
async def test_an_end_that_is_final_closes_the_client(close_code: int, reason: str, kind: type[Exception]) -> None:
    async with (
        play(die(close_code, reason)) as server,
        connect(server.url, SteppedTime(), token=give("one", "two")) as db,
    ):
        status = await db.wait_for(State.CLOSED, timeout_s=2)
        assert type(status.reason) is kind
        assert status.advice is watchword.Advice.STOP
        assert len(server.requests) == 1


async def test_a_policy_close_is_tried_three_times_more() -> None:
    time = SteppedTime()
    async with play(die(1008)) as server, connect(server.url, time, token="a.b.c") as db:
        assert [await time.pass_wait() for _ in range(3)] == [0.75, 1.25, 2.25]
        status = await db.wait_for(State.CLOSED, timeout_s=2)
        assert "Not tried again: refused 4 times in a row." in str(status.reason)
        assert len(server.requests) == 4


# Credentials that are refused


async def test_a_token_function_is_asked_for_every_connection() -> None:
    time = SteppedTime()
    async with (
        play(die(None), die(4100, "TOKEN_EXPIRED"), welcome()) as server,
        connect(server.url, time, token=give("one", "two", "three")) as db,
    ):
        await time.pass_wait()
        await time.pass_wait()
        await db.wait_for(State.OPEN, timeout_s=2)
        assert server.authorizations == ["Bearer one", "Bearer two", "Bearer three"]


async def test_one_token_that_expired_is_not_sent_again() -> None:
    async with (
        play(die(4100, "TOKEN_EXPIRED"), welcome()) as server,
        connect(server.url, SteppedTime(), token="a.b.c") as db,
    ):
        status = await db.wait_for(State.CLOSED, timeout_s=2)
        assert type(status.reason) is watchword.TokenExpired
        assert "there is no function to ask for another" in str(status.reason)
        assert status.advice is watchword.Advice.NEW_TOKEN
        assert len(server.requests) == 1


async def test_a_function_that_returns_the_refused_token_stops_the_client() -> None:
    time = SteppedTime()
    async with (
        play(die(4101, "TOKEN_REVOKED"), welcome()) as server,
        connect(server.url, time, token=give("one")) as db,
    ):
        await time.pass_wait()
        status = await db.wait_for(State.CLOSED, timeout_s=2)
        assert type(status.reason) is watchword.TokenRevoked
        assert "returned a token that was refused before" in str(status.reason)
        assert len(server.requests) == 1


async def test_a_refused_token_is_remembered_past_later_failures() -> None:
    time = SteppedTime()
    async with (
        play(die(4101, "TOKEN_REVOKED"), HttpRefusal(503), welcome()) as server,
        connect(server.url, time, token=give("one", "two", "one")) as db,
    ):
        await time.pass_wait()
        await time.pass_wait()
        status = await db.wait_for(State.CLOSED, timeout_s=2)
        assert type(status.reason) is watchword.TokenRevoked
        assert server.authorizations == ["Bearer one", "Bearer two"]


async def test_user_and_password_are_presented_again_once() -> None:
    time = SteppedTime()
    async with (
        play(die(4102, "TOKEN_STALE"), refuse("TOKEN_STALE"), welcome()) as server,
        connect(server.url, time, user="ada", password="pw") as db,
    ):
        await time.pass_wait()
        status = await db.wait_for(State.CLOSED, timeout_s=2)
        assert type(status.reason) is watchword.TokenStale
        assert "presented again and refused again" in str(status.reason)
        assert len(server.requests) == 2


async def test_a_token_function_that_fails_is_asked_again_later() -> None:
    time = SteppedTime()
    answers: list[str | Exception] = ["one", LookupError("no vault"), "two"]

    async def fetch() -> str:
        match answers.pop(0):
            case Exception() as error:
                raise error
            case token:
                return str(token)

    async with play(die(None), welcome(lifetime_s=None)) as server, connect(server.url, time, token=fetch) as db:
        assert await time.pass_wait() == 0.75
        assert await time.next_wait() == 1.25
        assert isinstance(db.status.reason, watchword.TokenUnavailable)
        await time.pass_wait()
        await db.wait_for(State.OPEN, timeout_s=2)
        assert server.authorizations == ["Bearer one", "Bearer two"]


async def test_a_token_function_that_says_stop_closes_the_client() -> None:
    time = SteppedTime()
    answers = iter(["one"])

    async def fetch() -> str:
        for token in answers:
            return token
        raise watchword.AuthenticationStopped("Signed out.")

    async with play(die(None), welcome(lifetime_s=None)) as server, connect(server.url, time, token=fetch) as db:
        await time.pass_wait()
        status = await db.wait_for(State.CLOSED, timeout_s=2)
        assert str(status.reason) == "Signed out."
        assert len(server.requests) == 1


# The first connection


async def test_on_opening_a_refused_token_is_replaced_once() -> None:
    time = SteppedTime()
    async with play(refuse("TOKEN_EXPIRED"), welcome()) as server:
        opening = asyncio.create_task(connect(server.url, time, token=give("one", "two")).__aenter__())
        assert await time.pass_wait() == 0.75
        db = await opening
        assert server.authorizations == ["Bearer one", "Bearer two"]
        await db.close()


@pytest.mark.parametrize("tokens", [("one", "two", "three"), ("one",)])
async def test_on_opening_a_second_refusal_is_raised(tokens: tuple[str, ...]) -> None:
    time = SteppedTime()
    async with play(refuse("TOKEN_EXPIRED")) as server:
        opening = asyncio.create_task(connect(server.url, time, token=give(*tokens)).__aenter__())
        await time.pass_wait()
        with pytest.raises(watchword.TokenExpired):
            await opening
        assert server.authorizations == [f"Bearer {token}" for token in tokens[:2]]


async def test_on_opening_a_failure_is_raised_also_from_the_token_function() -> None:
    async def fetch() -> str:
        raise LookupError("no vault")

    with pytest.raises(watchword.TokenUnavailable, match="no vault"):
        await watchword.connect("ws://127.0.0.1:9", token=fetch)


async def test_with_retry_first_the_opening_waits_for_the_server() -> None:
    time = SteppedTime()
    async with play(HttpRefusal(502), refuse("OVERLOADED"), welcome()) as server:
        db = connect(server.url, time, token="a.b.c", retry_first=True)
        opening = asyncio.create_task(db.__aenter__())
        assert await time.next_wait() == 0.75
        assert (db.state, db.status.retry_after_s) == (State.CONNECTING, 0.75)
        assert [await time.pass_wait(), await time.pass_wait()] == [0.75, 1.25]
        await opening
        assert await db.ping() >= 0
        await db.close()


async def test_with_retry_first_a_final_error_is_raised_all_the_same() -> None:
    async with play(refuse("UNTRUSTED_ISSUER")) as server:
        with pytest.raises(watchword.UntrustedIssuer):
            await connect(server.url, SteppedTime(), token="a.b.c", retry_first=True)


# The error that a failed renewal leaves


async def test_an_error_that_ended_nothing_is_not_blamed_for_a_later_loss() -> None:
    time = SteppedTime()
    async with (
        play(die(None, "", {**auth_error("KEY_UNAVAILABLE")}, {"type": "pong"}), welcome()) as server,
        connect(server.url, time, token="a.b.c") as db,
    ):
        status = await db.wait_for(State.RECONNECTING, timeout_s=2)
        assert type(status.reason) is watchword.ConnectionLost
