"""Layouts of the database: each step wholly or not at all."""

import sqlite3
from collections.abc import Iterator

import pytest

from watchword_server.adapters.sqlite.data_directory import DataUnusable
from watchword_server.adapters.sqlite.migrations import MIGRATIONS, migrate, read_version

FIRST = ("CREATE TABLE one (id INTEGER)", "INSERT INTO one VALUES (1)")
SECOND = ("CREATE TABLE two (id INTEGER)", "UPDATE one SET id = 2")


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_an_empty_database_gets_every_step_and_says_so(connection: sqlite3.Connection) -> None:
    migrate(connection)
    assert read_version(connection) == len(MIGRATIONS)
    assert tables(connection) >= {"users", "revoked"}


def test_a_step_that_was_taken_is_not_taken_again(connection: sqlite3.Connection) -> None:
    migrate(connection, [FIRST])
    migrate(connection, [FIRST])
    migrate(connection, [FIRST, SECOND])
    assert connection.execute("SELECT id FROM one").fetchall() == [(2,)]
    assert tables(connection) == {"one", "two"}


@pytest.mark.parametrize("failure", ["SELECT * FROM nowhere", "INSERT INTO one VALUES (1, 2)", "not SQL"])
def test_a_step_that_fails_is_rolled_back_whole_and_can_be_taken_later(
    connection: sqlite3.Connection, failure: str
) -> None:
    with pytest.raises(sqlite3.Error):
        migrate(connection, [FIRST, (*SECOND, failure)])
    assert not connection.in_transaction
    assert read_version(connection, known=2) == 1
    assert tables(connection) == {"one"}
    assert connection.execute("SELECT id FROM one").fetchall() == [(1,)]
    migrate(connection, [FIRST, SECOND])
    assert read_version(connection, known=2) == 2


def test_an_interruption_in_the_middle_of_a_step_leaves_the_layout_before(connection: sqlite3.Connection) -> None:
    asked = 0

    def interrupt() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    migrate(connection, [FIRST])
    connection.set_progress_handler(interrupt, 1_000)
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        migrate(connection, [FIRST, (*SECOND, endless)])
    connection.set_progress_handler(None, 0)
    assert read_version(connection, known=2) == 1
    assert tables(connection) == {"one"}


def test_a_newer_layout_is_refused(connection: sqlite3.Connection) -> None:
    migrate(connection, [FIRST, SECOND])
    with pytest.raises(DataUnusable, match="layout 2 and this release knows 1"):
        migrate(connection, [FIRST])


def test_a_layout_that_no_release_has_is_refused(connection: sqlite3.Connection) -> None:
    migrate(connection, [FIRST])
    connection.execute("PRAGMA user_version = -5")
    with pytest.raises(DataUnusable, match="layout -5 and this release knows 1"):
        migrate(connection, [FIRST])


@pytest.mark.parametrize("mark", ["CREATE TABLE places (id INTEGER)", "PRAGMA user_version = 7"])
def test_another_programs_database_is_refused_and_left_alone(connection: sqlite3.Connection, mark: str) -> None:
    connection.execute(mark)
    with pytest.raises(DataUnusable, match="another program"):
        migrate(connection)
    assert "users" not in tables(connection)
