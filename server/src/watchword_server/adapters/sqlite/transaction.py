"""How a transaction begins and ends, and what it means when its end fails."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.faults import primary_code
from watchword_server.refusal import Refused

__all__ = ["begin", "commit", "make_room", "roll_back", "transaction", "without_foreign_keys"]


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commits at the end, or rolls back when anything is raised.

    Raises:
        As for `commit`.
    """
    begin(connection)
    try:
        yield
        commit(connection)
    except BaseException:
        roll_back(connection)
        raise


@contextmanager
def without_foreign_keys(connection: sqlite3.Connection) -> Iterator[None]:
    """For transactions within it, rows may go that others refer to; afterwards it is as it was.

    Inside a transaction the pragma does nothing: one that cannot even be rolled back is left to the next `begin`.
    """
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        roll_back(connection)
        connection.execute("PRAGMA foreign_keys = ON")


def begin(connection: sqlite3.Connection) -> None:
    """Begin one that writes."""
    if connection.in_transaction:  # the roll-back of one before failed, too
        connection.execute("ROLLBACK")
        connection.execute("PRAGMA foreign_keys = ON")  # see `without_foreign_keys`
    connection.execute("BEGIN IMMEDIATE")


def commit(connection: sqlite3.Connection) -> None:
    """Make it durable.

    Raises:
        Refused: COMMIT_UNKNOWN: all of it may have reached the disk before the disk failed. It is not seen now;
            when the server starts again it may be there.
        sqlite3.Error: Nothing of it is there. It is still open.
    """
    try:
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if primary_code(error) == sqlite3.SQLITE_IOERR:
            raise Refused(ErrorCode.COMMIT_UNKNOWN) from error
        raise


def roll_back(connection: sqlite3.Connection) -> None:
    """End it after a failure, which is the one to tell about: that the end fails, too, is found by the next `begin`."""
    if connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


def make_room(connection: sqlite3.Connection) -> None:
    """The disk is full: let what comes next be written over the log, whose pages go to their places in the database.

    Outside transactions. It does what the disk and those who read allow, and waits for nobody.
    """
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
