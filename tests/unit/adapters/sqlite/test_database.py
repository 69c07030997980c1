"""Opening the database, its transactions, and what its faults become."""

import asyncio
import os
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite import database as database_module
from watchword_server.adapters.sqlite.data_directory import DataUnusable
from watchword_server.adapters.sqlite.database import check_library, open_database, open_for_reading
from watchword_server.adapters.sqlite.engine_thread import EngineThread, open_engine
from watchword_server.refusal import Refused


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "watchword.db"


@asynccontextmanager
async def connected(path: Path) -> AsyncIterator[EngineThread]:
    connection = await open_engine(path, mode="rw")
    try:
        yield connection
    finally:
        await connection.close()


def pragma(connection: sqlite3.Connection, name: str) -> Any:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


@pytest.mark.parametrize("version", [(3, 38, 5), (2, 99, 99), (3, 8, 0)])
def test_an_old_sqlite_library_is_refused_with_the_ways_out(version: tuple[int, int, int]) -> None:
    with pytest.raises(DataUnusable, match=r"Python's SQLite library is .* needs 3.39 .* newer Python .* upgrade"):
        check_library(version)


@pytest.mark.parametrize("version", [(3, 39, 0), (3, 50, 1), (4, 0, 0)])
def test_a_new_enough_sqlite_library_is_accepted(version: tuple[int, int, int]) -> None:
    check_library(version)


async def test_the_writer_is_durable_and_strict_and_the_reader_cannot_write(path: Path) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "journal_size_limit")
    async with await open_database(path) as database:
        settings = await database.write(lambda connection: [pragma(connection, name) for name in names])
        assert settings == ["wal", 2, 1, 0, 67_108_864]
        assert await database.read(lambda connection: pragma(connection, "trusted_schema")) == 0
        with pytest.raises(Refused) as refusal:
            await database.read(lambda connection: connection.execute("DELETE FROM users"))
        assert refusal.value.code is ErrorCode.STORAGE_UNAVAILABLE


async def test_synchronous_follows_the_setting(path: Path) -> None:
    async with await open_database(path, synchronous="normal") as database:
        assert await database.write(lambda connection: pragma(connection, "synchronous")) == 1


async def test_a_log_that_a_reader_made_grow_is_cut_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "_LOG_BYTES", 1_000_000)
    log = path.with_name("watchword.db-wal")

    def add(key: str, connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO revoked VALUES ('token', 'i', ?, 1.0)", (key,))

    async with await open_database(path) as database:
        await database.read(lambda connection: connection.execute("BEGIN"))
        await database.read(lambda connection: connection.execute("SELECT * FROM revoked").fetchall())
        await database.write(partial(add, "x" * 6_000_000))  # over a checkpoint's 1,000 pages
        assert log.stat().st_size > 6_000_000
        await database.read(lambda connection: connection.execute("COMMIT"))
        await database.write(partial(add, "everything is checkpointed"))
        await database.write(partial(add, "and the log begun anew"))
        assert log.stat().st_size <= 1_000_000


async def test_all_its_files_are_the_owners_alone(path: Path) -> None:
    path.touch(mode=0o666)
    async with await open_database(path):
        files = sorted(path.parent.iterdir())
        assert [file.name for file in files] == ["watchword.db", "watchword.db-shm", "watchword.db-wal"]
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


async def test_tables_are_strict(path: Path) -> None:
    async with await open_database(path) as database:
        tables = await database.read(
            lambda connection: connection.execute(
                "SELECT name, strict FROM pragma_table_list WHERE schema = 'main'"
            ).fetchall()
        )
    assert {name for name, _ in tables} >= {"users", "revoked"}
    assert all(strict for name, strict in tables if not name.startswith("sqlite_"))


async def test_a_failing_operation_leaves_nothing_behind(path: Path) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO revoked VALUES ('token', 'i', 'k', 1.0)")
        raise LookupError("after the first write")

    async with await open_database(path) as database:
        with pytest.raises(LookupError):
            await database.write(fail)
        assert await database.read(lambda connection: connection.execute("SELECT * FROM revoked").fetchall()) == []
        await database.write(
            lambda connection: connection.execute("INSERT INTO revoked VALUES ('token', 'i', 'k', 2.0)")
        )


async def test_a_cancelled_write_still_commits(path: Path) -> None:
    running, go_on = threading.Event(), threading.Event()

    def write(connection: sqlite3.Connection) -> None:
        running.set()
        go_on.wait(10)
        connection.execute("INSERT INTO revoked VALUES ('token', 'i', 'k', 1.0)")

    async with await open_database(path) as database:
        task = asyncio.create_task(database.write(write))
        await asyncio.to_thread(running.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        count = await database.write(lambda connection: connection.execute("SELECT count(*) FROM revoked").fetchone())
        assert count == (1,)


async def test_a_full_disk_is_storage_full_and_reads_go_on(path: Path) -> None:
    def fill(connection: sqlite3.Connection) -> None:
        rows = ((f"key {number}" * 1_000,) for number in range(100))
        connection.executemany("INSERT INTO revoked VALUES ('token', 'i', ?, 1.0)", rows)

    async with await open_database(path) as database:
        await database.write(lambda connection: connection.execute("PRAGMA max_page_count = 20"))
        with pytest.raises(Refused) as refusal:
            await database.write(fill)
        assert refusal.value.code is ErrorCode.STORAGE_FULL
        assert await database.read(
            lambda connection: connection.execute("SELECT count(*) FROM revoked").fetchone()
        ) == (0,)


async def test_a_database_locked_by_another_is_storage_unavailable_and_heals(path: Path) -> None:
    async with await open_database(path) as database:
        await database.write(lambda connection: connection.execute("PRAGMA busy_timeout = 0"))
        intruder = sqlite3.connect(path, isolation_level=None)
        intruder.execute("BEGIN IMMEDIATE")
        with pytest.raises(Refused) as refusal:
            await database.write(lambda connection: None)
        assert refusal.value.code is ErrorCode.STORAGE_UNAVAILABLE
        intruder.close()
        await database.write(lambda connection: None)


async def test_an_extended_result_code_counts_as_its_primary_one(path: Path) -> None:
    """SQLITE_BUSY_SNAPSHOT: a reader that wants to write after another has written."""
    await (await open_database(path)).close()
    insert = "INSERT INTO revoked VALUES ('token', 'i', 'k', 1.0)"
    async with connected(path) as late, connected(path) as early:
        await late.run(lambda connection: connection.execute("BEGIN"))
        await late.run(lambda connection: connection.execute("SELECT * FROM revoked").fetchall())
        await early.run(lambda connection: connection.execute(insert))
        with pytest.raises(Refused) as refusal:
            await late.run(lambda connection: connection.execute(insert))
        assert refusal.value.code is ErrorCode.STORAGE_UNAVAILABLE


async def test_a_fault_of_ours_is_not_dressed_up_as_the_storages(path: Path) -> None:
    async with await open_database(path) as database:
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await database.read(lambda connection: connection.execute("SELECT * FROM nowhere"))


async def test_a_closed_database_is_unavailable_and_closing_twice_is_harmless(path: Path) -> None:
    database = await open_database(path)
    for _ in range(2):
        await database.close()
    for attempt in (database.read, database.write):
        with pytest.raises(Refused) as refusal:
            await attempt(lambda connection: None)
        assert refusal.value.code is ErrorCode.STORAGE_UNAVAILABLE


async def test_a_connection_runs_a_whole_function_on_its_own_thread_in_order(path: Path) -> None:
    """Fails when an upgrade of aiosqlite takes away what `EngineThread.run` stands on."""
    path.touch()
    order: list[int] = []

    def note(number: int, _connection: sqlite3.Connection) -> threading.Thread:
        order.append(number)
        return threading.current_thread()

    async with connected(path) as connection:
        threads = await asyncio.gather(*(connection.run(partial(note, number)) for number in (1, 2)))
        assert isinstance(await connection.run(lambda raw: raw), sqlite3.Connection)
    assert order == [1, 2]
    assert len(set(threads)) == 1
    assert threads[0] is not threading.current_thread()


def not_a_database(path: Path) -> None:
    path.write_bytes(b"Dear diary, " * 1_000)


def another_program(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE places (id INTEGER)")
    connection.close()


def newer_release(path: Path) -> None:
    asyncio.run(_open_and_close(path))
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.close()


def damaged(path: Path) -> None:
    asyncio.run(_open_and_close(path))
    content = bytearray(path.read_bytes())
    content[4096 : 2 * 4096] = b"\xff" * 4096
    path.write_bytes(content)


def a_directory(path: Path) -> None:
    path.mkdir()


def in_a_circle(path: Path) -> None:
    path.symlink_to(path)


def to_nowhere(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere")


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def without_users(path: Path) -> None:
    asyncio.run(_open_and_close(path))
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE users")
    connection.close()


def empty(path: Path) -> None:
    path.touch()


async def _open_and_close(path: Path) -> None:
    await (await open_database(path)).close()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (not_a_database, "it is not a database; move it away"),
        (another_program, "belongs to another program"),
        (newer_release, "layout 999 and this release knows"),
        (damaged, "it is damaged .*; restore it from a backup"),
        (a_directory, "is a directory, not a file; move it away, or name another directory with --data"),
        (a_pipe, "is a pipe, not a file"),
        (in_a_circle, "is a symbolic link, not a file"),
        (to_nowhere, "is a symbolic link, not a file"),
        (without_users, "its table users is gone; restore it from a backup"),
    ],
)
def test_an_unusable_file_is_refused_in_one_sentence_that_names_it(path: Path, spoil: Any, sentence: str) -> None:
    spoil(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(DataUnusable, match=sentence) as refusal:
        asyncio.run(_open_and_close(path))
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert before == (path.read_bytes() if path.is_file() else None), "it was left as it was"


@pytest.mark.parametrize("open_it", [open_database, open_for_reading])
async def test_what_a_link_leads_to_is_left_alone(path: Path, tmp_path: Path, open_it: Any) -> None:
    """It may be another program's, or the database of another server."""
    target = tmp_path / "target"
    await (await open_database(target)).close()
    target.chmod(0o644)
    before = target.read_bytes()
    path.symlink_to(target)
    with pytest.raises(DataUnusable, match=r"watchword\.db is a symbolic link, not a file"):
        await open_it(path)
    assert target.read_bytes() == before
    assert target.stat().st_mode & 0o777 == 0o644


async def test_a_link_to_nowhere_makes_no_file(path: Path, tmp_path: Path) -> None:
    to_nowhere(path)
    with pytest.raises(DataUnusable):
        await open_database(path)
    assert list(tmp_path.iterdir()) == [path]


async def test_a_link_that_comes_between_is_not_followed(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "target"
    target.touch(mode=0o644)
    monkeypatch.setattr(database_module, "_check_kind", lambda link: link.symlink_to(target))
    with pytest.raises(DataUnusable, match="Too many levels of symbolic links"):
        await open_database(path)
    assert target.stat().st_mode & 0o777 == 0o644


async def test_opening_for_reading_what_is_not_there_makes_nothing(path: Path) -> None:
    with pytest.raises(DataUnusable, match=r"there is no database at .*watchword\.db"):
        await open_for_reading(path)
    assert not path.exists()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (not_a_database, ": it is not a database; move it away"),
        (another_program, ": the database belongs to another program"),
        (newer_release, ": the database has layout 999"),
        (a_directory, " is a directory, not a file; move it away"),
        (in_a_circle, " is a symbolic link, not a file; move it away"),
        (without_users, ": its table users is gone; restore it from a backup"),
        (empty, ": it is empty; start the server once, or add the first user"),
    ],
)
def test_what_cannot_be_read_is_told_as_what_it_is(path: Path, spoil: Any, sentence: str) -> None:
    spoil(path)
    with pytest.raises(DataUnusable) as refusal:
        asyncio.run(open_for_reading(path))
    assert str(refusal.value).startswith(f"{path}{sentence}")


async def test_a_database_that_another_program_holds_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await (await open_database(path)).close()
    intruder = sqlite3.connect(path, isolation_level=None)
    intruder.execute("PRAGMA locking_mode = EXCLUSIVE")
    intruder.execute("BEGIN IMMEDIATE")
    intruder.execute("DELETE FROM users")
    connect = partial(sqlite3.connect, timeout=0)
    monkeypatch.setattr("watchword_server.adapters.sqlite.engine_thread.sqlite3.connect", connect)
    with pytest.raises(DataUnusable, match="another program holds it; wait for it to end, or stop it"):
        await open_for_reading(path)
    intruder.close()


async def test_opening_for_reading_works_beside_the_writer_and_sees_what_it_wrote(path: Path) -> None:
    async with await open_database(path) as database, await open_for_reading(path) as other:
        await database.write(
            lambda connection: connection.execute("INSERT INTO revoked VALUES ('token', 'i', 'k', 1.0)")
        )
        assert await other.read(lambda connection: connection.execute("SELECT key FROM revoked").fetchall()) == [("k",)]


async def test_opening_for_reading_an_older_layout_asks_for_a_start(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 0")
    connection.close()
    with pytest.raises(DataUnusable, match="start the server once"):
        await open_for_reading(path)
