"""One SQLite connection on its own thread, and what its faults mean to the rest of the server."""

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal, Self, TypeVar, cast

import aiosqlite

from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.engine import CACHED_STATEMENTS, Engine
from watchword_server.adapters.sqlite.faults import storage_fault
from watchword_server.refusal import Refused

__all__ = ["EngineThread", "open_engine"]

T = TypeVar("T")


class EngineThread(aiosqlite.Connection):
    """An aiosqlite connection that runs a whole operation in one hop.

    A hop to the thread and back costs 30 to 85 us, a statement 1 us, and aiosqlite has no public way to hand its thread
    a function. This class is the one place that reaches for its private `_execute` and `_conn`; a test fails when an
    upgrade takes them away.
    """

    _is_closed = False
    _stopped: asyncio.Future[None] | None = None

    async def open(self) -> Self:
        """Start the thread and connect.

        Raises:
            sqlite3.Error: The file cannot be opened.
        """
        try:
            await self
        except BaseException:
            # aiosqlite told its thread to stop and does not wait for it; a loop closed first makes the thread fail.
            if self._stopped is not None:
                await self._stopped
            raise
        return self

    def stop(self) -> "asyncio.Future[None] | None":
        self._stopped = super().stop()
        return self._stopped

    async def run(self, operation: Callable[[Engine], T]) -> T:
        """Run a function on the connection's thread, after all that was handed over before.

        Cancelling: stops the waiting, not the operation.

        Raises:
            Refused: STORAGE_FULL or STORAGE_UNAVAILABLE; also whatever the operation itself raises.
        """
        if self._is_closed:
            raise Refused(ErrorCode.STORAGE_UNAVAILABLE)
        try:
            # aiosqlite types its public part only.
            result = await self._execute(operation, self._conn)  # type: ignore[no-untyped-call]
        except (sqlite3.Error, MemoryError) as error:
            refusal = storage_fault(error)
            if refusal is None:
                raise
            raise refusal from error
        return cast("T", result)

    async def close(self) -> None:
        """Finish what was handed over, then close; a second time is harmless."""
        self._is_closed = True
        await super().close()


async def open_engine(path: Path, *, mode: Literal["rw", "ro"]) -> EngineThread:
    """Open a file that exists; the caller closes the connection. Transactions are begun explicitly."""
    return await EngineThread(partial(_connect, path, mode), iter_chunk_size=64).open()


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(address, uri=True, isolation_level=None, factory=Engine, cached_statements=CACHED_STATEMENTS)
