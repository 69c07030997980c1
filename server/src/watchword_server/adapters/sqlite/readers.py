"""Reads on a few connections, so shared that nobody's slow ones keep the others waiting.

A user's reads run on half of the connections at most. One that turns old while half of them are taken by old ones, or
its user has an old one already, is interrupted and waits for such a place: a slow place.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from functools import partial

from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.deadline import Deadline, Stop
from watchword_server.adapters.sqlite.engine import Engine
from watchword_server.adapters.sqlite.engine_thread import EngineThread
from watchword_server.adapters.sqlite.request import Interrupted, run_statements
from watchword_server.adapters.sqlite.stored_catalog import StoredCatalog
from watchword_server.refusal import Refused
from watchword_server.sql.store import Outcome, Transaction
from watchword_server.turns import Turns

__all__ = ["Readers", "SlowPlaces"]

_Waiting = Turns[asyncio.Future[EngineThread]]


class SlowPlaces:
    """Who may be slow just now: so many users, one read each. Asked by the threads of all readers."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._holders: set[str] = set()
        self._lock = threading.Lock()

    def take(self, user: str) -> bool:
        """Whether there was a place, which then is this user's until `give_back`."""
        with self._lock:
            if user in self._holders or len(self._holders) >= self._count:
                return False
            self._holders.add(user)
            return True

    def give_back(self, user: str) -> None:
        """The user's read has ended."""
        with self._lock:
            self._holders.discard(user)


class _Reading:
    """One request on a reader's thread. `has_place`: it may be slow."""

    def __init__(self, readers: "Readers", request: Transaction, *, has_place: bool) -> None:
        self._readers = readers
        self._request = request
        slow_s = float("inf") if has_place else readers.slow_s
        take_place = partial(readers.places.take, request.user_id)
        self.deadline = Deadline(request.time_ms / 1_000, readers.now, slow_s=slow_s, take_place=take_place)
        self.deadline.has_place = has_place

    def run(self, engine: Engine) -> list[Outcome]:
        readers, request = self._readers, self._request
        self.deadline.start()
        try:
            if len(request.statements) > 1:  # one statement is on one state by itself
                engine.execute("BEGIN")
            return run_statements(engine, request, self.deadline, readers.catalog, value_bytes=readers.value_bytes)
        finally:
            if self.deadline.has_place:
                readers.places.give_back(request.user_id)
            if engine.in_transaction:
                engine.execute("ROLLBACK")  # last: it may fail


class Readers:
    """Lives in one loop; closes its connections.

    Args:
        connections: Open and prepared, two or more.
        catalog: The tables there are.
        value_bytes: The limit of one value, for messages.
        slow_s: The age at which a read is slow.
        now: A monotonic clock, seconds.
    """

    def __init__(
        self,
        connections: Sequence[EngineThread],
        catalog: StoredCatalog,
        *,
        value_bytes: int,
        slow_s: float,
        now: Callable[[], float],
    ) -> None:
        self.catalog = catalog
        self.value_bytes = value_bytes
        self.slow_s = slow_s
        self.now = now
        half = max(1, len(connections) // 2)
        self.places = SlowPlaces(half)
        self._connections = tuple(connections)
        self._free = list(connections)
        self._running: dict[str, int] = {}  # by user; none is zero
        self._running_at_most = half
        self._waiting: _Waiting = Turns()
        self._waiting_slow: _Waiting = Turns()
        self._leaving: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def read(self, request: Transaction) -> list[Outcome]:
        """See `Store.read`."""
        has_place = False
        while True:
            connection = await self._get(request.user_id, slow=has_place)
            reading = _Reading(self, request, has_place=has_place)
            try:
                outcomes = await connection.run(reading.run)
            except asyncio.CancelledError:
                reading.deadline.cancel()
                leaving = asyncio.create_task(self._leave(connection, request.user_id))
                self._leaving.add(leaving)
                leaving.add_done_callback(self._leaving.discard)
                raise
            except Interrupted as interrupted:
                self._put_back(connection, request.user_id)
                if interrupted.stop is not Stop.DISPLACED:
                    raise
                has_place = True
            except BaseException:
                self._put_back(connection, request.user_id)
                raise
            else:
                self._put_back(connection, request.user_id)
                return outcomes

    async def check(self) -> None:
        """See `Store.check`. All are asked, past those who wait for one; the first that has a moment answers."""
        asked = [asyncio.create_task(connection.run(_read_something)) for connection in self._connections]
        try:
            answered, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in asked:
                each.cancel()
        for each in answered:
            each.result()

    async def close(self) -> None:
        """Let what runs finish, refuse what waits, close the connections; a second time is harmless."""
        self._is_closed = True
        for waiting in (self._waiting, self._waiting_slow):
            for _, place in waiting.take_all():
                if not place.done():
                    place.set_exception(Refused(ErrorCode.STORAGE_UNAVAILABLE))
        for connection in self._connections:
            await connection.close()
        if self._leaving:
            await asyncio.wait(self._leaving)

    async def _get(self, user: str, *, slow: bool) -> EngineThread:
        """A connection, and with `slow` a slow place, when it is this user's turn."""
        if self._is_closed:
            raise Refused(ErrorCode.STORAGE_UNAVAILABLE)
        if not slow and self._free and self._may_run(user):
            return self._take(user)  # who waits may not run now, or would have been handed one
        turns = self._waiting_slow if slow else self._waiting
        place: asyncio.Future[EngineThread] = asyncio.get_running_loop().create_future()
        turns.add(user, place)
        self._hand_out()
        if place.done():
            return place.result()
        try:
            return await place
        except asyncio.CancelledError:
            if not turns.remove(user, place) and place.done() and not place.cancelled() and not place.exception():
                if slow:
                    self.places.give_back(user)
                self._put_back(place.result(), user)
            raise

    def _put_back(self, connection: EngineThread, user: str) -> None:
        self._running[user] -= 1
        if not self._running[user]:
            del self._running[user]
        self._free.append(connection)  # the last one is taken first: its cache is warm
        self._hand_out()

    def _hand_out(self) -> None:
        """Free connections to those whose turn it is."""
        while self._free and (turn := self._next()):
            turns, user, place = turn
            if place.done():  # cancelled, and the task that waited has not run since
                turns.remove(user, place)
            else:
                turns.take(user)
                place.set_result(self._take(user))

    def _take(self, user: str) -> EngineThread:
        self._running[user] = self._running.get(user, 0) + 1
        return self._free.pop()

    def _may_run(self, user: str) -> bool:
        return self._running.get(user, 0) < self._running_at_most

    def _next(self) -> "tuple[_Waiting, str, asyncio.Future[EngineThread]] | None":
        """Whose turn it is, with a slow place of theirs where they need one; or who does not wait any more."""
        for user, place in self._waiting_slow:
            if place.done() or (self._may_run(user) and self.places.take(user)):
                return self._waiting_slow, user, place
        for user, place in self._waiting:
            if place.done() or self._may_run(user):
                return self._waiting, user, place
        return None

    async def _leave(self, connection: EngineThread, user: str) -> None:
        """After a cancelled read: the connection is free when its thread is."""
        try:
            await connection.run(lambda _: None)
        except Refused:
            return  # it is closed
        self._put_back(connection, user)


def _read_something(engine: Engine) -> None:
    engine.execute("SELECT count(*) FROM _tables").fetchone()
