"""The store in SQLite: the catalog, the writer and the readers of one database file."""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from watchword_server.adapters.sqlite.database import Database, faults_named, open_prepared
from watchword_server.adapters.sqlite.engine import Engine
from watchword_server.adapters.sqlite.group import Group
from watchword_server.adapters.sqlite.once import forget_some
from watchword_server.adapters.sqlite.readers import Readers
from watchword_server.adapters.sqlite.rows import Converters
from watchword_server.adapters.sqlite.stored_catalog import StoredCatalog
from watchword_server.adapters.sqlite.watchdog import Watchdog
from watchword_server.adapters.sqlite.writer import Writer
from watchword_server.sql.catalog import Catalog
from watchword_server.sql.definer import Definer
from watchword_server.sql.definition_nodes import Definition
from watchword_server.sql.engine_functions import ENGINE_FUNCTIONS, EngineFunction
from watchword_server.sql.store import Once, Outcome, Transaction

if TYPE_CHECKING:
    from watchword_server.adapters.sqlite.engine_thread import EngineThread

__all__ = ["SqliteStore", "open_store"]

READERS: Final = 4
SLOW_S: Final = 0.1
GROUP_S: Final = 0.05
"""A group that ran so long takes in nobody further. With one runaway of 100 ms and everything before it replayed, a
bystander waits 200 ms."""


class SqliteStore:
    """Fulfils `Store`. The database stays the caller's, who closes it after the store."""

    def __init__(
        self, database: Database, catalog: StoredCatalog, writer: Writer, readers: Readers, watchdog: Watchdog
    ) -> None:
        self._database = database
        self._watchdog = watchdog
        self._catalog = catalog
        self._writer = writer
        self._readers = readers

    @property
    def catalog(self) -> Catalog:
        return self._catalog.catalog

    async def read(self, transaction: Transaction) -> list[Outcome]:
        return await self._readers.read(transaction)

    async def write(self, transaction: Transaction) -> list[Outcome]:
        return await self._writer.write(transaction)

    async def write_once(self, once: Once) -> bytes:
        return await self._writer.write_once(once)

    async def forget_results(self, before: float) -> None:
        while await self._database.write(lambda connection: forget_some(connection, before)):
            pass

    async def define(self, definition: Definition, definer: Definer) -> None:
        await self._database.run_on_writer(lambda engine: self._catalog.define(engine, definition, definer))

    async def check(self) -> None:
        await self._readers.check()

    async def close(self) -> None:
        await self._writer.close()
        await self._readers.close()
        await asyncio.to_thread(self._watchdog.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


async def open_store(
    database: Database,
    *,
    converters: Converters,
    value_bytes: int,
    functions: Iterable[EngineFunction] = ENGINE_FUNCTIONS,
    readers: int = READERS,
    slow_s: float = SLOW_S,
    group_s: float = GROUP_S,
    now: Callable[[], float] = time.monotonic,
) -> SqliteStore:
    """Open the store of an open database; `close` it, or use it in `async with`, before the database.

    Args:
        database: Opened for writing.
        converters: From stored values to their wire form.
        value_bytes: The largest value, and the largest row; one that has a result in it that is kept, too.
        functions: What plans may call beside SQLite's own.
        readers: Connections that read; two at least.
        slow_s: The age at which a read is slow, and needs one of half of the readers.
        group_s: Running time after which a group takes in nobody further.
        now: A monotonic clock, seconds.

    Raises:
        DataUnusable: The catalog cannot be read, or the file not opened once more.
    """
    functions = tuple(functions)

    engines: list[Engine] = []

    def prepare(engine: Engine) -> None:
        engine.prepare(value_bytes=value_bytes, functions=functions, converters=converters)
        engines.append(engine)

    def prepare_writer(engine: Engine) -> StoredCatalog:
        prepare(engine)
        return StoredCatalog(engine)

    with faults_named(database.path):
        catalog = await database.run_on_writer(prepare_writer)
    async with AsyncExitStack() as opened:
        connections = [await _open_reader(database, prepare, opened) for _ in range(readers)]
        opened.pop_all()
    group = Group(catalog, group_s, value_bytes, now)
    return SqliteStore(
        database,
        catalog,
        Writer(group, database.run_on_writer),
        Readers(connections, catalog, value_bytes=value_bytes, slow_s=slow_s, now=now),
        Watchdog(engines),
    )


async def _open_reader(database: Database, prepare: Callable[[Engine], None], opened: AsyncExitStack) -> "EngineThread":
    connection = await open_prepared(database.path, "ro", prepare)
    opened.push_async_callback(connection.close)
    return connection
