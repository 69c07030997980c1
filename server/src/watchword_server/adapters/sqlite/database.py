"""The database file, checked and opened: a connection that writes and one that reads.

The store takes the one that writes along, and opens readers of its own for users' statements (`store.py`); the one that
reads here is for our own tables.
"""

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self, TypeVar

from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.data_directory import DataUnusable
from watchword_server.adapters.sqlite.engine import Engine
from watchword_server.adapters.sqlite.engine_thread import EngineThread, open_engine
from watchword_server.adapters.sqlite.faults import primary_code
from watchword_server.adapters.sqlite.migrations import MIGRATIONS, check_tables, migrate, read_version
from watchword_server.adapters.sqlite.transaction import transaction
from watchword_server.refusal import Refused

__all__ = [
    "Database",
    "Operation",
    "as_unusable",
    "check_library",
    "faults_named",
    "open_database",
    "open_for_reading",
    "open_prepared",
]

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], T]

# Primary codes of https://sqlite.org/rescode.html that have a way out.
_REMEDIES: Final = {
    sqlite3.SQLITE_BUSY: "another program holds it; wait for it to end, or stop it",
    sqlite3.SQLITE_CORRUPT: "it is damaged; restore it from a backup",
    sqlite3.SQLITE_FULL: "no space left on its disk; make room",
    sqlite3.SQLITE_NOTADB: "it is not a database; move it away, or name another directory with --data",
}

_LOG_BYTES: Final = 67_108_864
"""What is kept of the write-ahead log, to be written over; what overlapping readers made it grow by is given back."""

_KINDS: Final = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a directory",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}

_OLDEST_LIBRARY: Final = (3, 39, 0)  # the first with RIGHT and FULL JOIN


class Database:
    """An open database; `close` it, or use it in `async with`."""

    def __init__(self, path: Path, writer: EngineThread | None, reader: EngineThread) -> None:
        self.path = path
        self._writer = writer
        self._reader = reader

    async def read(self, operation: Operation[T]) -> T:
        """Run a function that only reads, in one hop; it sees every write that returned before.

        Raises:
            Refused: STORAGE_UNAVAILABLE.
            Whatever the operation raises.
        """
        return await self._reader.run(operation)

    async def write(self, operation: Operation[T]) -> T:
        """Run a function in a transaction of its own, in one hop: durable when this returns, undone when it raises.

        Cancelling: stops the waiting; the write still happens.

        Raises:
            Refused: STORAGE_FULL, STORAGE_UNAVAILABLE (also: opened for reading only); COMMIT_UNKNOWN: it may be there.
            Whatever the operation raises.
        """
        if self._writer is None:
            raise Refused(ErrorCode.STORAGE_UNAVAILABLE)

        def transact(connection: sqlite3.Connection) -> T:
            with transaction(connection):
                return operation(connection)

        return await self._writer.run(transact)

    async def run_on_writer(self, operation: Callable[[Engine], T]) -> T:
        """Run a function that begins and ends its transactions itself, on the connection that writes.

        Raises:
            As for `write`.
        """
        if self._writer is None:
            raise Refused(ErrorCode.STORAGE_UNAVAILABLE)
        return await self._writer.run(operation)

    async def close(self) -> None:
        """Finish what runs, then close; a second time is harmless."""
        await self._reader.close()
        if self._writer is not None:  # last, so that it is the one to fold the log into the file
            await self._writer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


def check_library(version: tuple[int, int, int] = sqlite3.sqlite_version_info[:3]) -> None:
    """Refuse an SQLite library that lacks what the server needs.

    Raises:
        DataUnusable: It is older than 3.39.
    """
    if version < _OLDEST_LIBRARY:
        raise DataUnusable(
            f"Python's SQLite library is {'.'.join(map(str, version))} and Watchword needs 3.39 or later: "
            "use a newer Python (python.org's and uv's bring their own), "
            "or upgrade the system's SQLite (libsqlite3) that this Python is linked to"
        )


async def open_database(path: Path, *, synchronous: Literal["full", "normal", "off"] = "full") -> Database:
    """Open the file for reading and writing; create it (mode 0600) where it is missing, bring its layout up to date.

    Raises:
        DataUnusable: The library is too old; the file is damaged, no database, not ours, newer than us or out of reach;
            or it is no file but a link, whose target is left as it is.
    """
    check_library()
    _check_kind(path)
    _create_file(path)

    def prepare(connection: sqlite3.Connection) -> None:
        _check_file(connection)
        read_version(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        migrate(connection)
        check_tables(connection)

    writer = await open_prepared(path, "rw", prepare)
    try:
        reader = await open_prepared(path, "ro", _prepare_reader)
    except BaseException:
        await writer.close()
        raise
    return Database(path, writer, reader)


async def open_for_reading(path: Path) -> Database:
    """Open the file for reading only, beside a server that may be running; every write is refused.

    Raises:
        DataUnusable: There is no such file, or its layout is not this release's; else as for `open_database`.
    """
    check_library()
    _check_kind(path)

    def prepare(connection: sqlite3.Connection) -> None:
        _prepare_reader(connection)
        version = read_version(connection)
        if not version:
            raise DataUnusable("it is empty; start the server once, or add the first user, and it gets its tables")
        if version < len(MIGRATIONS):
            raise DataUnusable("an older release wrote it; start the server once to bring it up to date")
        check_tables(connection)

    return Database(path, None, await open_prepared(path, "ro", prepare))


async def open_prepared(path: Path, mode: Literal["rw", "ro"], prepare: Callable[[Engine], None]) -> EngineThread:
    """Open a connection and prepare it on its thread, with every failure as a sentence that names the file.

    Raises:
        DataUnusable: It cannot be opened or prepared.
    """
    try:
        connection = await open_engine(path, mode=mode)
    except sqlite3.Error as error:
        raise _describe_unopened(path, error) from error
    try:
        with faults_named(path):
            await connection.run(prepare)
    except BaseException:
        await connection.close()
        raise
    return connection


@contextmanager
def faults_named(path: Path) -> Iterator[None]:
    """What is wrong with the database inside, in one sentence that names the file.

    Raises:
        DataUnusable: Whatever else the storage refused.
    """
    try:
        yield
    except DataUnusable as error:
        raise DataUnusable(f"{path}: {error}") from error
    except (Refused, sqlite3.Error) as error:
        raise as_unusable(path, error) from error


def as_unusable(path: Path, error: Refused | sqlite3.Error) -> DataUnusable:
    """What the storage refused, for the person at the terminal: the file, what is wrong with it, what to do."""
    cause = error.__cause__ if isinstance(error, Refused) else error
    sentence = _REMEDIES.get(primary_code(cause))
    return DataUnusable(f"{path}: {sentence}" if sentence else f"{path} cannot be used: {cause or error}")


def _describe_unopened(path: Path, error: sqlite3.Error) -> DataUnusable:
    """SQLite says of all alike that it is unable to open the file; the system knows why."""
    try:
        with path.open("rb"):
            return as_unusable(path, error)
    except FileNotFoundError:
        return DataUnusable(f"there is no database at {path}; name its directory with --data")
    except OSError as reason:
        return DataUnusable(f"{path} cannot be opened: {reason.strerror}")


def _check_kind(path: Path) -> None:
    """A link leads to a file that may be another program's; nothing is done to what is no file of our own."""
    try:
        kind = stat.S_IFMT(path.lstat().st_mode)
    except FileNotFoundError:
        return  # who opens it makes it, or tells
    except OSError as error:
        raise DataUnusable(f"{path} cannot be opened: {error.strerror}") from error
    if kind != stat.S_IFREG:
        what = _KINDS.get(kind, "something else")
        raise DataUnusable(f"{path} is {what}, not a file; move it away, or name another directory with --data")


def _create_file(path: Path) -> None:
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            os.fchmod(file, 0o600)  # SQLite gives the files beside it (-wal, -shm) the same mode
        finally:
            os.close(file)
    except OSError as error:
        raise DataUnusable(f"{path} cannot be opened: {error.strerror}") from error


def _prepare_reader(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA trusted_schema = OFF")


def _check_file(connection: sqlite3.Connection) -> None:
    problems = connection.execute("PRAGMA quick_check(1)").fetchall()
    if problems != [("ok",)]:
        found = " ".join(problems[0][0].split())
        raise DataUnusable(f"it is damaged ({found}); restore it from a backup")
