"""The store's fake: tables in memory, each request at once and by itself; and failures on demand."""

import sqlite3
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.deadline import Deadline
from watchword_server.adapters.sqlite.engine import Engine
from watchword_server.adapters.sqlite.migrations import migrate
from watchword_server.adapters.sqlite.once import forget_some, run_once
from watchword_server.adapters.sqlite.request import run_statements
from watchword_server.adapters.sqlite.rows import Converters
from watchword_server.adapters.sqlite.stored_catalog import StoredCatalog
from watchword_server.refusal import Refused
from watchword_server.sql.catalog import Catalog
from watchword_server.sql.definer import Definer
from watchword_server.sql.definition_nodes import Definition
from watchword_server.sql.engine_functions import ENGINE_FUNCTIONS, EngineFunction
from watchword_server.sql.store import Once, Outcome, Transaction

__all__ = ["MemoryStore"]


class MemoryStore:
    """Fulfils `Store` without threads, groups and files; what it does, it does before the first `await`.

    `failures`: raised, one a call, instead of running it. `requests`: what was asked, in order.
    """

    def __init__(
        self,
        *,
        converters: Converters,
        value_bytes: int = 1_048_576,
        functions: tuple[EngineFunction, ...] = ENGINE_FUNCTIONS,
    ) -> None:
        self.failures: deque[Exception] = deque()
        self.requests: list[Transaction | Definition] = []
        self._value_bytes = value_bytes
        self._is_closed = False
        self._engine = sqlite3.connect(":memory:", isolation_level=None, factory=Engine)
        migrate(self._engine)
        self._engine.prepare(value_bytes=value_bytes, functions=functions, converters=converters)
        self._catalog = StoredCatalog(self._engine)

    @property
    def catalog(self) -> Catalog:
        return self._catalog.catalog

    async def read(self, transaction: Transaction) -> list[Outcome]:
        return self._run(transaction)

    async def write(self, transaction: Transaction) -> list[Outcome]:
        return self._run(transaction)

    async def write_once(self, once: Once) -> bytes:
        with self._begin(once) as deadline:
            return run_once(self._engine, once, deadline, self._catalog, value_bytes=self._value_bytes)

    async def forget_results(self, before: float) -> None:
        while forget_some(self._engine, before):
            pass

    async def define(self, definition: Definition, definer: Definer) -> None:
        self._enter(definition)
        self._catalog.define(self._engine, definition, definer)

    async def check(self) -> None:
        if self._is_closed:
            raise Refused(ErrorCode.STORAGE_UNAVAILABLE)
        if self.failures:
            raise self.failures.popleft()

    async def close(self) -> None:
        self._is_closed = True
        self._engine.close()

    def _run(self, transaction: Transaction) -> list[Outcome]:
        with self._begin(transaction) as deadline:
            return run_statements(self._engine, transaction, deadline, self._catalog, value_bytes=self._value_bytes)

    @contextmanager
    def _begin(self, transaction: Transaction) -> Iterator[Deadline]:
        self._enter(transaction)
        deadline = Deadline(transaction.time_ms / 1_000, time.monotonic)
        deadline.start()
        with self._engine:
            self._engine.execute("BEGIN")
            yield deadline

    def _enter(self, request: Transaction | Definition) -> None:
        if self._is_closed:
            raise Refused(ErrorCode.STORAGE_UNAVAILABLE)
        self.requests.append(request)
        if self.failures:
            raise self.failures.popleft()
