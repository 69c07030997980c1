"""How readers are shared."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from support.plans import ADD, CREATE_APP, CREATE_NOTES, FUNCTIONS, LIST, ROOT, RUNAWAY_READ, make_plan, request
from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.database import Database
from watchword_server.adapters.sqlite.readers import SlowPlaces
from watchword_server.adapters.sqlite.store import SqliteStore, open_store
from watchword_server.refusal import Refused
from watchword_server.sql.engine_functions import EngineFunction
from watchword_server.sql.types import SqlType

if TYPE_CHECKING:
    from watchword_server.sql.store import Outcome


class Gate:
    """A function of SQL that waits until the test opens it; one thread after another may have `entered`."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self._open = threading.Event()

    def __call__(self, _value: object) -> int:
        self.entered.release()
        if not self._open.wait(10):
            raise TimeoutError("nobody opened the gate")
        return 1

    async def wait_for(self, readers: int) -> None:
        for _ in range(readers):
            assert await asyncio.to_thread(self.entered.acquire, timeout=10)

    def open(self) -> None:
        self._open.set()


WAIT = make_plan("SELECT ww_wait(1)", columns=[("v", SqlType.INT)], functions=["ww_wait"])


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()


@pytest.fixture
async def store(database: Database, gate: Gate) -> AsyncIterator[SqliteStore]:
    """Four readers; slow is who runs for 10 ms."""
    functions = (*FUNCTIONS, EngineFunction("ww_wait", 1, gate))
    async with await open_store(
        database, converters={}, value_bytes=10_000, functions=functions, readers=4, slow_s=0.01
    ) as store:
        for definition in (CREATE_APP, CREATE_NOTES):
            await store.define(definition, ROOT)
        await store.write(request((ADD, ("ada", 1, "first"))))
        yield store
        gate.open()


def run_away(store: SqliteStore, user: str, time_ms: int = 5_000) -> "asyncio.Task[list[Outcome]]":
    return asyncio.create_task(store.read(request((RUNAWAY_READ, ()), user=user, time_ms=time_ms)))


def wait(store: SqliteStore, user: str) -> "asyncio.Task[list[Outcome]]":
    return asyncio.create_task(store.read(request((WAIT, ()), user=user)))


async def point_read(store: SqliteStore, user: str = "ada") -> Any:
    [outcome] = await store.read(request((LIST, ("ada",)), user=user))
    return orjson.loads(outcome.rows)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # the threads of readers set no events
            await asyncio.sleep(0.001)


def holders(store: SqliteStore) -> set[str]:
    """Who has a slow place."""
    return store._readers.places._holders


async def cancel(*tasks: "asyncio.Task[list[Outcome]]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def is_idle(store: SqliteStore) -> None:
    """Every connection comes back, and every place."""
    await until(lambda: len(store._readers._free) == 4)
    assert holders(store) == set()
    assert not store._readers._running


async def test_slow_reads_have_half_of_the_readers_and_the_rest_is_for_everybody(store: SqliteStore) -> None:
    slow = [run_away(store, user) for user in ("eve", "mal", "joe")]
    await until(lambda: len(holders(store)) == 2 and len(store._readers._free) == 2)
    assert len(store._readers._waiting_slow) == 1, "the third was interrupted, and waits"
    for _ in range(5):
        assert await point_read(store) == [[1, "first"]]
    [waiting] = {"eve", "mal", "joe"} - holders(store)
    first = next(iter(holders(store)))
    await cancel(slow[("eve", "mal", "joe").index(first)])
    await until(lambda: waiting in holders(store))
    assert len(store._readers._waiting_slow) == 0
    await cancel(*slow)
    await is_idle(store)


async def test_one_user_has_one_slow_read_at_a_time_however_many_wait(store: SqliteStore) -> None:
    slow = [run_away(store, "eve") for _ in range(8)]
    await until(lambda: len(store._readers._waiting_slow) == 7)
    assert holders(store) == {"eve"}
    assert len(store._readers._free) == 3
    assert await point_read(store, "eve") == [[1, "first"]], "their quick ones go on"
    await cancel(*slow)
    await is_idle(store)


async def test_one_that_waited_for_a_slow_place_has_its_whole_time_there(store: SqliteStore) -> None:
    slow = [run_away(store, "eve", time_ms=60) for _ in range(3)]
    for outcome in await asyncio.gather(*slow, return_exceptions=True):
        assert isinstance(outcome, Refused)
        assert outcome.code is ErrorCode.QUERY_TIMEOUT
        assert "60 ms" in outcome.message
    await is_idle(store)


async def test_one_user_runs_on_half_of_the_readers_and_others_overtake_what_waits(
    store: SqliteStore, gate: Gate
) -> None:
    many = [wait(store, "eve") for _ in range(5)]
    await gate.wait_for(2)
    assert len(store._readers._free) == 2
    assert await point_read(store) == [[1, "first"]]
    gate.open()
    await asyncio.gather(*many)
    await is_idle(store)


async def test_users_take_turns_where_all_readers_are_taken(store: SqliteStore) -> None:
    """And who has half of them already is passed over."""
    readers = store._readers
    taken = {user: [await readers._get(user, slow=False) for _ in range(2)] for user in ("eve", "mal")}
    order: list[str] = []

    async def note(user: str) -> None:
        readers_own = await readers._get(user, slow=False)
        order.append(user)
        taken.setdefault(user, []).append(readers_own)

    waiting = [asyncio.create_task(note(user)) for user in ("eve", "eve", "eve", "bob")]
    await asyncio.sleep(0)
    for user, expected in (("mal", ["bob"]), ("eve", ["bob", "eve"]), ("mal", ["bob", "eve"]), ("eve", None)):
        readers._put_back(taken[user].pop(), user)
        await asyncio.sleep(0)
        assert order == (expected or ["bob", "eve", "eve"])
    for user in ("bob", "eve", "eve", "eve"):
        readers._put_back(taken[user].pop(), user)
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    await is_idle(store)


async def test_a_requests_reads_are_on_one_state(store: SqliteStore, gate: Gate) -> None:
    reading = asyncio.create_task(store.read(request((LIST, ("ada",)), (WAIT, ()), (LIST, ("ada",)))))
    await gate.wait_for(1)
    await store.write(request((ADD, ("ada", 2, "second"))))
    assert len(await point_read(store)) == 2
    gate.open()
    before, _, after = await reading
    assert before.rows == after.rows == b'[[1,"first"]]'


async def test_a_cancelled_read_stops_and_its_connection_is_usable(store: SqliteStore) -> None:
    for _ in range(8):
        slow = run_away(store, "eve", time_ms=60_000)
        await until(lambda: holders(store) == {"eve"})
        await cancel(slow)
        assert await point_read(store, "eve") == [[1, "first"]]
    await is_idle(store)


async def test_a_read_cancelled_while_it_waits_leaves_nothing(store: SqliteStore, gate: Gate) -> None:
    taken = [wait(store, user) for user in ("eve", "eve", "mal", "mal")]
    await gate.wait_for(4)
    waiting = [wait(store, "bob") for _ in range(3)]
    await asyncio.sleep(0)
    await cancel(*waiting)
    gate.open()
    await asyncio.gather(*taken)
    await is_idle(store)


async def test_a_read_cancelled_just_when_it_gets_its_connection_gives_it_back(store: SqliteStore) -> None:
    readers = store._readers
    connections = [await readers._get(user, slow=False) for user in ("eve", "eve", "mal", "mal")]
    waiting = asyncio.create_task(readers._get("bob", slow=False))
    waiting_slow = asyncio.create_task(readers._get("joe", slow=True))
    await asyncio.sleep(0)
    for user, connection in zip(("eve", "eve", "mal", "mal"), connections, strict=True):
        readers._put_back(connection, user)
    await cancel(waiting, waiting_slow)  # type: ignore[arg-type]  # any task will do
    await is_idle(store)


@pytest.mark.parametrize("slow", [False, True])
async def test_a_connection_passes_over_who_was_cancelled_a_moment_before(store: SqliteStore, slow: bool) -> None:
    """In the same turn of the loop: what waited does not know it yet."""
    readers = store._readers
    connections = [await readers._get(user, slow=False) for user in ("eve", "eve", "mal", "mal")]
    waiting = [asyncio.create_task(readers._get("bob", slow=slow)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    waiting[1].cancel()
    for user, connection in zip(("eve", "eve", "mal", "mal"), connections, strict=True):
        readers._put_back(connection, user)
    async with asyncio.timeout(10):
        readers._put_back(await waiting[2], "bob")
    readers.places.give_back("bob")
    await is_idle(store)


async def test_a_check_passes_those_who_wait_and_needs_one_reader_only(store: SqliteStore, gate: Gate) -> None:
    running = [wait(store, user) for user in ("eve", "mal", "joe")]
    await gate.wait_for(3)
    last, its_gate = store._readers._take("bob"), Gate()
    busy = asyncio.create_task(last.run(its_gate))
    await its_gate.wait_for(1)
    waiting = [asyncio.create_task(point_read(store, f"user {number}")) for number in range(20)]
    checking = asyncio.create_task(store.check())
    await asyncio.sleep(0)
    its_gate.open()
    await asyncio.gather(checking, busy)
    assert not any(each.done() for each in (*running, *waiting))
    store._readers._put_back(last, "bob")
    gate.open()
    await asyncio.gather(*running, *waiting)
    await is_idle(store)


async def test_a_check_reads_the_file(store: SqliteStore, database: Database) -> None:
    await database.write(lambda connection: connection.execute("ALTER TABLE _tables RENAME TO gone"))
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await store.check()


async def test_closing_finishes_what_runs_and_refuses_what_waits(store: SqliteStore, gate: Gate) -> None:
    running = [wait(store, user) for user in ("eve", "eve", "mal", "mal")]
    await gate.wait_for(4)
    waiting = wait(store, "bob")
    await asyncio.sleep(0)
    closing = asyncio.create_task(store.close())
    with pytest.raises(Refused) as refusal:
        await waiting
    assert refusal.value.code is ErrorCode.STORAGE_UNAVAILABLE
    gate.open()
    await closing
    for [outcome] in await asyncio.gather(*running):
        assert outcome.rows == b"[[1]]"


def test_a_place_is_for_one_user_and_one_read() -> None:
    places = SlowPlaces(2)
    assert places.take("eve")
    assert not places.take("eve")
    assert places.take("mal")
    assert not places.take("joe")
    places.give_back("eve")
    assert places.take("joe")
