"""Readers under whoever comes, leaves and stays: in the end every connection and every place is free."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from support.engine_room import make_engine
from support.plans import LIST, request
from watchword_server.adapters.sqlite.engine import Engine
from watchword_server.adapters.sqlite.readers import Readers
from watchword_server.adapters.sqlite.stored_catalog import StoredCatalog

if TYPE_CHECKING:
    from watchword_server.sql.store import Outcome

USERS = ("ada", "bob")
CONNECTIONS = 4

Step = tuple[str, int, bool]
steps = st.tuples(
    st.sampled_from(["ask", "ask", "ask", "cancel", "run", "run slowly", "hold"]),
    st.integers(0, 30),  # which one, of those there are
    st.booleans(),  # whether the loop has a turn after it
)


class Thread:
    """In place of a connection's thread: what is handed over runs when the test says so."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._line: deque[tuple[asyncio.Future[Any], Callable[[Engine], Any]]] = deque()

    async def run(self, operation: Callable[[Engine], Any]) -> Any:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._line.append((future, operation))
        return await future

    @property
    def is_busy(self) -> bool:
        return bool(self._line)

    def go_on(self) -> None:
        future, operation = self._line.popleft()
        try:
            result = operation(self._engine)
        except Exception as error:  # noqa: BLE001  # as aiosqlite does
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(result)


class Clock:
    """Seconds that pass with every look, while a read is to be slow."""

    def __init__(self) -> None:
        self.is_running = False
        self._now = 0.0

    def __call__(self) -> float:
        self._now += self.is_running
        return self._now


async def play(engine: Engine, catalog: StoredCatalog, script: list[Step]) -> None:
    clock = Clock()
    threads = [Thread(engine) for _ in range(CONNECTIONS)]
    readers = Readers(threads, catalog, value_bytes=1_000, slow_s=1.0, now=clock)  # type: ignore[arg-type]  # see `Thread`
    asked: list[asyncio.Task[list[Outcome]]] = []
    held: set[str] = set()  # slow places, as by reads that are still running

    def release(user: str) -> None:
        held.remove(user)
        readers.places.give_back(user)
        readers._hand_out()  # as the end of such a read does

    for act, which, has_turn in script:
        waiting = [task for task in asked if not task.done()]
        busy = [thread for thread in threads if thread.is_busy]
        match act:
            case "ask":
                user = USERS[which % len(USERS)]
                asked.append(asyncio.create_task(readers.read(request((LIST, (user,)), user=user, time_ms=60_000))))
            case "cancel" if waiting:
                waiting[which % len(waiting)].cancel()
            case "run" | "run slowly" if busy:
                clock.is_running = act == "run slowly"
                busy[which % len(busy)].go_on()
                clock.is_running = False
            case "hold" if (user := USERS[which % len(USERS)]) in held:
                release(user)
            case "hold" if readers.places.take(user):
                held.add(user)
        if has_turn:
            await asyncio.sleep(0)
    for user in tuple(held):
        release(user)
    for _ in range(20 * len(asked) + 20):
        for thread in threads:
            if thread.is_busy:
                thread.go_on()
        await asyncio.sleep(0)
    assert [task for task in asked if not task.done()] == [], "whoever stayed is answered"
    for task in asked:
        assert task.cancelled() or task.result()[0].rows == b"[]"
    assert len(readers._free) == CONNECTIONS
    assert not readers._running
    assert not readers.places._holders
    assert not readers._waiting
    assert not readers._waiting_slow
    assert not readers._leaving


@settings(max_examples=300)
@given(st.lists(steps, min_size=20, max_size=60))
def test_after_everybody_left_all_connections_and_places_are_free(script: list[Step]) -> None:
    with make_engine() as (engine, catalog):
        asyncio.run(play(engine, catalog, script))
