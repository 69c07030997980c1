"""Who is in a group, and who is told what."""

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from support.engine_room import found, make_engine, make_group, row_ids
from support.plans import ADD, RUNAWAY_WRITE, request
from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.engine import Engine
from watchword_server.adapters.sqlite.group import Answer, Group
from watchword_server.adapters.sqlite.stored_catalog import StoredCatalog
from watchword_server.adapters.sqlite.writer import Writer
from watchword_server.refusal import Refused

if TYPE_CHECKING:
    from watchword_server.sql.store import Outcome


class Thread:
    """In place of the writer's thread: runs a group when the test says so, on its own thread.

    `groups`: the ids that were in the database after each. `failure`: raised in place of the next group.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.groups: list[list[int]] = []
        self.failure: Exception | None = None
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.has_begun = asyncio.Event()

    async def run(self, operation: Callable[[Engine], list[Answer]]) -> list[Answer]:
        before = set(row_ids(self.engine))
        self.has_begun.set()
        await self.go_on.wait()
        if (failure := self.failure) is not None:
            self.failure = None
            raise failure
        answers = operation(self.engine)
        self.groups.append([number for number in row_ids(self.engine) if number not in before])
        return answers


@pytest.fixture
def room() -> Iterator[tuple[Engine, StoredCatalog]]:
    with make_engine() as room:
        yield room


@pytest.fixture
def thread(room: tuple[Engine, StoredCatalog]) -> Thread:
    return Thread(room[0])


@pytest.fixture
def group(room: tuple[Engine, StoredCatalog]) -> Group:
    return make_group(room[1])


def start(writer: Writer, *numbers: int, user: str = "ada") -> list["asyncio.Task[list[Outcome]]"]:
    return [asyncio.create_task(writer.write(request((ADD, (user, number, "t")), user=user))) for number in numbers]


async def test_whoever_writes_in_one_turn_of_the_loop_is_in_one_group(thread: Thread, group: Group) -> None:
    writer = Writer(group, thread.run)
    await asyncio.gather(*start(writer, 1, 2, 3))
    assert thread.groups == [[1, 2, 3]]


async def test_whoever_comes_while_a_group_runs_is_in_the_next_with_those_just_answered(
    thread: Thread, group: Group
) -> None:
    writer = Writer(group, thread.run)
    thread.go_on.clear()

    async def twice() -> None:
        for number in (1, 4):
            await writer.write(request((ADD, ("ada", number, "t"))))

    first = asyncio.create_task(twice())
    await thread.has_begun.wait()
    others = start(writer, 2, 3, user="bob")
    await asyncio.sleep(0)
    thread.go_on.set()
    await asyncio.gather(first, *others)
    assert thread.groups == [[1], [2, 3, 4]]


async def test_users_take_turns_and_those_that_had_none_come_first(room: tuple[Engine, StoredCatalog]) -> None:
    thread = Thread(room[0])
    writer = Writer(make_group(room[1], time_s=0.0), thread.run)  # one write each
    thread.go_on.clear()
    many = start(writer, 1, 2, 3)
    await thread.has_begun.wait()
    few = start(writer, 11, user="bob") + start(writer, 21, 22, user="cyd")
    await asyncio.sleep(0)
    thread.go_on.set()
    await asyncio.gather(*many, *few)
    assert [number for [number] in thread.groups] == [1, 11, 21, 2, 22, 3]


async def test_who_ran_away_last_time_is_alone_in_a_group_between_those_of_the_others(
    thread: Thread, group: Group
) -> None:
    """So that nobody waits for the end of a group in which a write probably runs away again."""
    writer = Writer(group, thread.run)
    thread.go_on.clear()
    rude = [asyncio.create_task(writer.write(request((RUNAWAY_WRITE, ("eve",)), user="eve", time_ms=5)))]
    await thread.has_begun.wait()
    rude += start(writer, 91, 92, 93, user="eve")
    good = start(writer, 1, 2) + start(writer, 3, user="bob")
    await asyncio.sleep(0)
    thread.go_on.set()
    runaway, *others = await asyncio.gather(*rude, *good, return_exceptions=True)
    assert isinstance(runaway, Refused)
    assert not any(isinstance(result, BaseException) for result in others)
    assert thread.groups == [[], [1, 2, 3], [91], [92, 93]], "and with a write that went well they are like all others"


async def test_suspects_wait_for_one_group_of_the_others_not_for_all(room: tuple[Engine, StoredCatalog]) -> None:
    thread = Thread(room[0])
    writer = Writer(make_group(room[1], time_s=0.0), thread.run)  # one write each
    thread.go_on.clear()
    rude = [asyncio.create_task(writer.write(request((RUNAWAY_WRITE, ("eve",)), user="eve", time_ms=5)))]
    await thread.has_begun.wait()
    rude += start(writer, 91, user="eve")
    good = start(writer, 1, 2, 3)
    await asyncio.sleep(0)
    thread.go_on.set()
    await asyncio.gather(*rude, *good, return_exceptions=True)
    assert thread.groups == [[], [1], [91], [2], [3]]


async def test_a_write_cancelled_before_its_group_starts_does_not_happen(thread: Thread, group: Group) -> None:
    writer = Writer(group, thread.run)
    thread.go_on.clear()
    [first] = start(writer, 1)
    await thread.has_begun.wait()
    second, third = start(writer, 2, 3)
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.sleep(0)
    thread.go_on.set()
    await asyncio.gather(first, third)
    with pytest.raises(asyncio.CancelledError):
        await second
    assert thread.groups == [[1], [3]]


async def test_nor_does_one_cancelled_in_the_very_turn_in_which_its_group_starts(thread: Thread, group: Group) -> None:
    writer = Writer(group, thread.run)
    first, second = start(writer, 1, 2)
    await asyncio.sleep(0)
    second.cancel()
    await first
    alone = start(writer, 3)
    await asyncio.sleep(0)
    alone[0].cancel()
    await asyncio.wait([second, *alone])
    assert thread.groups == [[1]]


async def test_nor_does_one_that_its_group_did_not_take_in_and_nothing_is_left_of_it(
    room: tuple[Engine, StoredCatalog],
) -> None:
    thread = Thread(room[0])
    writer = Writer(make_group(room[1], time_s=0.0), thread.run)  # one write each
    thread.go_on.clear()
    first, second = start(writer, 1, 2)
    await thread.has_begun.wait()
    second.cancel()
    thread.go_on.set()
    await asyncio.wait([first, second])
    await writer.close()
    assert second.cancelled()
    assert thread.groups == [[1]]
    assert not writer._turns


async def test_a_write_cancelled_later_still_happens(thread: Thread, group: Group) -> None:
    writer = Writer(group, thread.run)
    thread.go_on.clear()
    first, second = start(writer, 1, 2)
    await thread.has_begun.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    thread.go_on.set()
    await second
    assert thread.groups == [[1, 2]]


async def test_one_that_fails_is_told_and_the_others_are_there(thread: Thread, group: Group) -> None:
    writer = Writer(group, thread.run)
    results = await asyncio.gather(*start(writer, 1, 1, 2), return_exceptions=True)
    answers = [result for result in results if not isinstance(result, BaseException) or isinstance(result, Exception)]
    assert [found(answer) for answer in answers] == ["[[1]]", "CONSTRAINT_VIOLATION", "[[2]]"]
    assert thread.groups == [[1, 2]]


async def test_when_the_thread_fails_everybody_is_told_and_the_next_group_runs(thread: Thread, group: Group) -> None:
    writer = Writer(group, thread.run)
    thread.failure = Refused(ErrorCode.STORAGE_UNAVAILABLE)
    for result in await asyncio.gather(*start(writer, 1, 2), return_exceptions=True):
        assert isinstance(result, Refused)
    await asyncio.gather(*start(writer, 3))
    assert thread.groups == [[3]]


async def test_closing_finishes_the_group_that_runs_and_refuses_who_waits(thread: Thread, group: Group) -> None:
    writer = Writer(group, thread.run)
    thread.go_on.clear()
    [running] = start(writer, 1)
    await thread.has_begun.wait()
    [waiting] = start(writer, 2)
    await asyncio.sleep(0)
    closing = asyncio.create_task(writer.close())
    with pytest.raises(Refused):
        await waiting
    assert not closing.done()
    thread.go_on.set()
    await closing
    await running
    await writer.close()
    with pytest.raises(Refused):
        await writer.write(request((ADD, ("ada", 3, "t"))))
    assert thread.groups == [[1]]
