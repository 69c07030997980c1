"""A fresh token in place of the old one, on the open connection."""

from collections.abc import Callable
from typing import Any

import pytest

import watchword
from support.scripted_server import Life, Peer, auth_error, auth_success, play, welcome
from support.stepped_time import SteppedTime
from watchword import State

EXPIRING = {"type": "token_expiring", "expires_at": "2026-06-01T12:15:00Z"}


def renew(
    *answers: dict[str, Any], before: tuple[dict[str, Any], ...] = (), lifetime_s: float = 900, end: int = 0
) -> Life:
    """A life that answers one renewal after the other; `end` is a close code after the last one."""

    async def live(peer: Peer) -> None:
        await peer.say(auth_success(lifetime_s=lifetime_s), *before)
        for answer in answers:
            await peer.hear()
            await peer.say(answer)
        if end:
            await peer.close(end)
        await peer.answer_pings()

    return live


def count_tokens() -> Callable[[], Any]:
    """A token function that gives t1, t2, ..."""
    given = 0

    async def fetch() -> str:
        nonlocal given
        given += 1
        return f"t{given}"

    return fetch


def connect(url: str, time: SteppedTime, **arguments: Any) -> watchword.Client:
    return watchword.connect(url, clock=time.clock, sleep=time.sleep, random=time.random, **arguments)


async def test_half_a_minute_before_its_end_a_token_is_renewed_in_place() -> None:
    time = SteppedTime()
    async with (
        play(renew(auth_success(lifetime_s=1800), auth_success("ada", lifetime_s=60))) as server,
        connect(server.url, time, token=count_tokens()) as db,
    ):
        assert await time.pass_wait() == 870
        assert await time.pass_wait() == 1770
        assert await time.next_wait() == 30
        assert db.user.lifetime_s == 60
        assert [message["token"] for message in server.peers[0].heard] == ["t2", "t3"]
        assert (len(server.peers), db.state) == (1, State.OPEN)


async def test_the_servers_announcement_comes_before_our_own_time() -> None:
    time = SteppedTime()
    async with (
        play(renew(auth_success(lifetime_s=1800), before=(EXPIRING,))) as server,
        connect(server.url, time, token=count_tokens()) as db,
    ):
        await time.wait_for(450)
        time.advance(450)
        await time.wait_for(1770)
        await db.ping()
        assert await time.next_wait() == 1770  # the announcement was for the old token
        assert db.user.lifetime_s == 1800
        assert len(server.peers) == 1


async def test_short_tokens_are_not_fetched_in_a_circle() -> None:
    """The server announces the end of a short token at once; the client still lives half of its life."""
    time = SteppedTime()

    async def live(peer: Peer) -> None:
        while True:
            await peer.say(auth_success(lifetime_s=10), EXPIRING)
            await peer.hear()

    async with play(live) as server, connect(server.url, time, token=count_tokens()):
        assert [await time.pass_wait() for _ in range(4)] == [5, 5, 5, 5]
        assert await time.next_wait() == 5
        assert len(server.peers[0].heard) == 4


@pytest.mark.parametrize("credential", [{"token": "a.b.c"}, {"user": "ada", "password": "pw"}])
async def test_what_cannot_be_renewed_is_left_alone(credential: dict[str, str]) -> None:
    time = SteppedTime()
    async with (
        play(welcome(EXPIRING, lifetime_s=1)) as server,
        connect(server.url, time, **credential) as db,
    ):
        await db.ping()
        time.advance(5)
        await db.ping()
        assert {message["type"] for message in server.peers[0].heard} == {"ping"}


async def test_without_an_expiry_the_token_function_is_asked_once() -> None:
    time = SteppedTime()
    async with play(welcome(lifetime_s=None)) as server, connect(server.url, time, token=count_tokens()) as db:
        await db.ping()
        time.advance(1_000_000)
        await db.ping()
        assert {message["type"] for message in server.peers[0].heard} == {"ping"}


async def test_the_same_token_is_not_sent_and_asked_for_again_later() -> None:
    time, tokens = SteppedTime(), iter(["one", "one", "one", "two"])

    async def fetch() -> str:
        return next(tokens)

    async with (
        play(renew(auth_success(lifetime_s=1800), lifetime_s=100)) as server,
        connect(server.url, time, token=fetch) as db,
    ):
        assert [await time.pass_wait() for _ in range(3)] == [70, 15, 7.5]
        assert await time.next_wait() == 1770
        assert db.user.lifetime_s == 1800
        assert [message["token"] for message in server.peers[0].heard] == ["two"]


async def test_a_renewal_without_keys_leaves_the_connection_open_and_is_tried_again() -> None:
    time = SteppedTime()
    async with (
        play(renew(auth_error("KEY_UNAVAILABLE"), auth_success(lifetime_s=1800), lifetime_s=100)) as server,
        connect(server.url, time, token=count_tokens()) as db,
    ):
        assert await time.pass_wait() == 70
        assert await time.pass_wait() == 15
        assert await time.next_wait() == 1770
        assert db.user.lifetime_s == 1800
        assert (len(server.peers), db.state) == (1, State.OPEN)


async def test_a_failing_token_function_does_not_end_the_connection() -> None:
    time, calls = SteppedTime(), 0

    async def fetch() -> str:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise LookupError("no vault")
        return f"t{calls}"

    async with (
        play(renew(auth_success(lifetime_s=1800), lifetime_s=100)) as server,
        connect(server.url, time, token=fetch) as db,
    ):
        assert [await time.pass_wait(), await time.pass_wait()] == [70, 15]
        assert await time.next_wait() == 1770
        assert db.user.lifetime_s == 1800
        assert [message["token"] for message in server.peers[0].heard] == ["t3"]


async def test_a_refused_renewal_ends_the_connection_and_the_next_one_gets_another_token() -> None:
    time = SteppedTime()
    async with (
        play(renew(auth_error("TOKEN_EXPIRED"), end=4100), welcome()) as server,
        connect(server.url, time, token=count_tokens()) as db,
    ):
        assert await time.pass_wait() == 870
        await db.wait_for(State.RECONNECTING, timeout_s=2)
        assert await time.pass_wait() == 0.75
        await db.wait_for(State.OPEN, timeout_s=2)
        assert server.authorizations == ["Bearer t1", "Bearer t3"]


async def test_a_token_refused_in_a_renewal_is_not_sent_again() -> None:
    time, tokens = SteppedTime(), iter(["one", "two", "two"])

    async def fetch() -> str:
        return next(tokens)

    async with (
        play(renew(auth_error("TOKEN_EXPIRED"), end=4100), welcome()) as server,
        connect(server.url, time, token=fetch) as db,
    ):
        await time.pass_wait()
        await db.wait_for(State.RECONNECTING, timeout_s=2)
        await time.pass_wait()
        status = await db.wait_for(State.CLOSED, timeout_s=2)
        assert type(status.reason) is watchword.TokenExpired
        assert server.authorizations == ["Bearer one"]


async def test_another_users_token_stops_the_client() -> None:
    time = SteppedTime()
    async with (
        play(renew(auth_error("USER_MISMATCH"), end=4207)) as server,
        connect(server.url, time, token=count_tokens()) as db,
    ):
        await time.pass_wait()
        status = await db.wait_for(State.CLOSED, timeout_s=2)
        assert type(status.reason) is watchword.UserMismatch


async def test_a_token_on_its_way_is_not_blamed_for_the_end_of_the_old_one() -> None:
    """The connection ends by the old token's expiry while the new one is under way: the new one may still be used."""
    time, tokens = SteppedTime(), iter(["old", "new", "new"])

    async def fetch() -> str:
        return next(tokens)

    async def live(peer: Peer) -> None:
        await peer.say(auth_success())
        await peer.hear()
        await peer.close(4100, "TOKEN_EXPIRED")

    async with play(live, welcome()) as server, connect(server.url, time, token=fetch) as db:
        await time.pass_wait()
        await db.wait_for(State.RECONNECTING, timeout_s=2)
        await time.pass_wait()
        await db.wait_for(State.OPEN, timeout_s=2)
        assert server.authorizations == ["Bearer old", "Bearer new"]


async def test_after_a_sign_out_the_connection_lives_until_its_token_ends() -> None:
    time, tokens = SteppedTime(), iter(["one"])

    async def fetch() -> str:
        for token in tokens:
            return token
        raise watchword.AuthenticationStopped("Signed out.")

    async with play(welcome()) as server, connect(server.url, time, token=fetch) as db:
        await time.pass_wait()
        assert await db.ping() >= 0
        assert db.state is State.OPEN
        server.peers[0].cut()
        await db.wait_for(State.RECONNECTING, timeout_s=2)
        await time.pass_wait()
        status = await db.wait_for(State.CLOSED, timeout_s=2)
        assert isinstance(status.reason, watchword.AuthenticationStopped)


async def test_a_sleep_that_raises_is_logged_and_makes_no_circle(caplog: pytest.LogCaptureFixture) -> None:
    async def sleep(_seconds: float) -> None:
        raise ZeroDivisionError("on purpose")

    tokens = count_tokens()
    async with play(welcome()) as server, watchword.connect(server.url, token=tokens, sleep=sleep) as db:
        assert await db.ping() > 0
        assert await db.ping() > 0
    assert await tokens() == "t2"
    assert "ZeroDivisionError: on purpose" in caplog.text
