"""States: followed without a gap, waited for, and final at the end."""

import asyncio

import pytest

from watchword.exceptions import Closed, ConnectionLost, TokenExpired
from watchword.state import State, StateLog, Status


async def test_who_follows_sees_every_state_also_those_that_pass_at_once() -> None:
    log = StateLog()
    seen: list[State] = []

    async def follow() -> None:
        seen.extend([status.state async for status in log.follow()])

    follower = asyncio.create_task(follow())
    await asyncio.sleep(0)
    for state in (State.OPEN, State.RECONNECTING, State.OPEN, State.CLOSED):
        log.publish(Status(state))
    await follower
    assert seen == [State.CONNECTING, State.OPEN, State.RECONNECTING, State.OPEN, State.CLOSED]


async def test_who_lags_far_behind_goes_on_from_what_is_kept() -> None:
    log = StateLog()
    following = log.follow()
    assert (await anext(following)).state is State.CONNECTING
    for number in range(200):
        log.publish(Status(State.RECONNECTING, retry_after_s=float(number)))
    log.publish(Status(State.CLOSED))
    rest = [status async for status in following]
    assert len(rest) == 64
    assert rest[0].retry_after_s == 137
    assert rest[-1].state is State.CLOSED


async def test_a_wait_for_the_next_state_can_be_cancelled_and_taken_up_again() -> None:
    log = StateLog()
    following = log.follow()
    assert (await anext(following)).state is State.CONNECTING
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(following), 0.001)
    for state in (State.OPEN, State.CLOSED):
        log.publish(Status(state))
    assert [status.state async for status in following] == [State.OPEN, State.CLOSED]
    assert [status async for status in following] == []


async def test_nothing_follows_closed() -> None:
    log = StateLog()
    log.publish(Status(State.CLOSED))
    log.publish(Status(State.OPEN))
    assert log.status.state is State.CLOSED


async def test_waiting_ends_when_the_state_comes() -> None:
    log = StateLog()
    waiter = asyncio.create_task(log.wait_for(State.OPEN))
    await asyncio.sleep(0)
    assert not waiter.done()
    log.publish(Status(State.OPEN))
    assert (await waiter).state is State.OPEN


@pytest.mark.parametrize("reason", [None, TokenExpired()])
async def test_waiting_for_what_will_not_come_raises_why(reason: TokenExpired | None) -> None:
    log = StateLog()
    log.publish(Status(State.CLOSED, reason))
    with pytest.raises(TokenExpired if reason else Closed):
        await log.wait_for(State.OPEN)


def test_a_status_reads_as_a_sentence() -> None:
    assert str(Status(State.OPEN)) == "open"
    status = Status(State.RECONNECTING, ConnectionLost("The link broke."), 1.25)
    assert str(status) == "reconnecting, next attempt in 1.2 s (The link broke.)"
