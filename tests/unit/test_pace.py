"""Who holds the loop, and for how long."""

import asyncio
from collections.abc import Callable

import pytest

from support.clock import FakeClock
from watchword_server.pace import Pace
from watchword_server.steps import Steps

SLICE_S = 1 / 128  # so that sums are exact


async def loop_turns(count: int = 1) -> None:
    """Let the loop go around."""
    for _ in range(count):
        await asyncio.sleep(0)


def step(pace: Pace, clock: FakeClock, slices: float) -> bool:
    """Take a step of so many slices, if it may begin."""
    if not pace.begin():
        return False
    clock.advance(slices * SLICE_S)
    pace.end()
    return True


async def test_after_a_slice_of_steps_the_loop_goes_around_first() -> None:
    clock = FakeClock(monotonic=0.0)
    pace = Pace(clock.monotonic, SLICE_S)
    assert [step(pace, clock, 0.75) for _ in range(3)] == [True, True, False]
    await loop_turns()
    assert [step(pace, clock, 0.75) for _ in range(3)] == [True, True, False]


async def test_a_step_ends_where_the_next_begins() -> None:
    clock = FakeClock(monotonic=0.0)
    pace = Pace(clock.monotonic, SLICE_S)
    assert pace.begin()
    clock.advance(SLICE_S)
    assert not pace.begin()


async def test_time_that_passes_while_nobody_works_is_nobodys() -> None:
    clock = FakeClock(monotonic=0.0)
    pace = Pace(clock.monotonic, SLICE_S)
    for _ in range(5):
        assert step(pace, clock, 0.1)
        clock.advance(10 * SLICE_S)


def worker(pace: Pace, clock: FakeClock, done: list[str], name: str, steps: int) -> Callable[[], None]:
    """Does steps of half a slice while it is its turn, and waits in between; its user is the first letter."""
    left = steps

    def go_on() -> None:
        nonlocal left
        while left:
            if not step(pace, clock, 0.5):
                pace.wait(name[0], go_on)
                return
            left -= 1
            done.append(name)

    return go_on


async def test_users_take_turns_however_many_connections_one_of_them_has() -> None:
    clock, done = FakeClock(monotonic=0.0), list[str]()
    pace = Pace(clock.monotonic, SLICE_S)
    for name in ("a1", "a2", "a3", "a4", "b1", "c1"):
        worker(pace, clock, done, name, 2)()
    assert done == ["a1", "a1"]
    await loop_turns()
    assert done[2:] == ["a2", "a2"]
    await loop_turns(4)
    assert done[4:] == ["b1", "b1", "c1", "c1", "a3", "a3", "a4", "a4"]


async def test_who_fails_in_a_turn_keeps_nobody_else_from_theirs() -> None:
    clock, failures = FakeClock(monotonic=0.0), list[BaseException]()
    pace = Pace(clock.monotonic, SLICE_S)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context["exception"]))
    assert [step(pace, clock, 1), pace.begin()] == [True, False]
    went_on = asyncio.Event()
    pace.wait("a", lambda: 1 // 0)  # type: ignore[arg-type]  # it fails before it returns
    pace.wait("b", went_on.set)
    await asyncio.wait_for(went_on.wait(), 2)
    assert [type(failure) for failure in failures] == [ZeroDivisionError]


def counting(clock: FakeClock, done: list[str], name: str, count: int) -> Steps[str]:
    """Steps of a whole slice each."""
    for number in range(count):
        if number:
            yield
        clock.advance(SLICE_S)
        done.append(name)
    return name


async def test_work_in_steps_rests_when_the_slice_is_used_up() -> None:
    clock, done = FakeClock(monotonic=0.0), list[str]()
    pace = Pace(clock.monotonic, SLICE_S)
    results = tuple(
        await asyncio.gather(
            pace.through("a", counting(clock, done, "a", 3)),
            pace.through("b", counting(clock, done, "b", 3)),
            pace.through("c", counting(clock, done, "c", 1)),
        )
    )
    assert results == ("a", "b", "c")
    assert done == ["a", "a", "b", "c", "a", "b", "b"]


async def test_what_a_user_has_begun_is_done_before_the_next_of_theirs_begins() -> None:
    clock, done = FakeClock(monotonic=0.0), list[str]()
    pace = Pace(clock.monotonic, SLICE_S)
    assert step(pace, clock, 1)
    walks = [pace.through(name[0], counting(clock, done, name, 3)) for name in ("a1", "a2", "b1")]
    await asyncio.gather(*walks)
    assert done == ["a1", "b1", "a1", "b1", "a1", "b1", "a2", "a2", "a2"]


async def test_who_gives_up_waiting_has_no_turn() -> None:
    clock, done = FakeClock(monotonic=0.0), list[str]()
    pace = Pace(clock.monotonic, SLICE_S)
    waiting = asyncio.create_task(pace.through("a", counting(clock, done, "a", 1)))
    asyncio.get_running_loop().call_soon(waiting.cancel)
    assert step(pace, clock, 1)
    await asyncio.wait([waiting])
    await loop_turns(2)
    assert waiting.cancelled()
    assert not done


async def test_what_fails_in_a_later_turn_is_raised_where_it_is_waited_for() -> None:
    clock = FakeClock(monotonic=0.0)
    pace = Pace(clock.monotonic, SLICE_S)

    def failing() -> Steps[None]:
        clock.advance(SLICE_S)
        yield
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await pace.through("a", failing())
