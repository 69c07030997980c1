"""The layout of our own tables, by version.

`PRAGMA user_version` says how many steps a database has seen. A step that was released is never edited: a change of
layout is a new step at the end.
"""

import re
import sqlite3
from collections.abc import Sequence
from typing import Final

from watchword_server.adapters.sqlite.data_directory import DataUnusable

__all__ = ["APPLICATION_ID", "MIGRATIONS", "check_tables", "migrate", "read_version"]

APPLICATION_ID: Final = 0x57617463
"""Bytes 68 to 71 of the file ("Watc"), which tell our databases from others (sqlite.org/fileformat.html 1.3.15)."""

MIGRATIONS: Final[Sequence[Sequence[str]]] = (
    (
        """
        CREATE TABLE users (
            id TEXT NOT NULL PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            role TEXT NOT NULL CHECK (role IN ('user', 'service', 'dba', 'system')),
            email TEXT,
            password_hash TEXT,
            auth_type TEXT NOT NULL CHECK (auth_type IN ('password', 'oauth')),
            issuer TEXT,
            subject TEXT,
            valid_after REAL,
            locked INTEGER NOT NULL CHECK (locked IN (0, 1)),
            created_at REAL NOT NULL,
            updated_at REAL NOT NULL,
            last_seen_at REAL,
            deleted_at REAL,
            CHECK ((issuer IS NULL) = (subject IS NULL))
        ) STRICT
        """,
        "CREATE UNIQUE INDEX users_subject ON users (issuer, subject) WHERE issuer IS NOT NULL",
        """
        CREATE TABLE revoked (
            kind TEXT NOT NULL CHECK (kind IN ('token', 'session')),
            issuer TEXT NOT NULL,
            key TEXT NOT NULL,
            expires_at REAL NOT NULL,
            PRIMARY KEY (kind, issuer, key)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX revoked_expiry ON revoked (expires_at)",
    ),
    (
        "CREATE TABLE _namespaces (name TEXT NOT NULL PRIMARY KEY) STRICT",
        # AUTOINCREMENT: an id is never used again. `definition` is read by `stored_catalog`.
        """
        CREATE TABLE _tables (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            namespace TEXT NOT NULL REFERENCES _namespaces (name),
            name TEXT NOT NULL,
            definition TEXT NOT NULL,
            UNIQUE (namespace, name)
        ) STRICT
        """,
    ),
    (
        # `at`: microseconds since 1970, as every TIMESTAMP is stored.
        """
        CREATE TABLE audit_log (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at INTEGER NOT NULL,
            actor TEXT NOT NULL,
            actor_id TEXT,
            role TEXT,
            action TEXT NOT NULL,
            target TEXT,
            source TEXT NOT NULL,
            result TEXT NOT NULL,
            request_id TEXT,
            detail TEXT
        ) STRICT
        """,
        """
        CREATE TRIGGER audit_log_unchanged BEFORE UPDATE ON audit_log
        BEGIN SELECT RAISE(ABORT, 'a row of the audit log is never changed'); END
        """,
        """
        CREATE TRIGGER audit_log_whole BEFORE DELETE ON audit_log
        WHEN EXISTS (SELECT 1 FROM audit_log WHERE id < OLD.id)
        BEGIN SELECT RAISE(ABORT, 'the audit log loses its oldest rows only'); END
        """,
    ),
    (
        # The first results of requests with an idempotency key, and what they take of each user. See `once`.
        """
        CREATE TABLE _results (
            id INTEGER PRIMARY KEY,
            user_id TEXT NOT NULL,
            key TEXT NOT NULL,
            fingerprint BLOB NOT NULL,
            kept_at REAL NOT NULL,
            bytes INTEGER NOT NULL,
            results BLOB NOT NULL,
            UNIQUE (user_id, key)
        ) STRICT
        """,
        "CREATE INDEX _results_age ON _results (kept_at)",
        "CREATE TABLE _keepers (user_id TEXT NOT NULL PRIMARY KEY, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID",
        """
        CREATE TRIGGER _results_kept AFTER INSERT ON _results BEGIN
            INSERT INTO _keepers (user_id, bytes) VALUES (new.user_id, new.bytes)
                ON CONFLICT (user_id) DO UPDATE SET bytes = bytes + excluded.bytes;
        END
        """,
        """
        CREATE TRIGGER _results_forgotten AFTER DELETE ON _results BEGIN
            UPDATE _keepers SET bytes = bytes - old.bytes WHERE user_id = old.user_id;
            DELETE FROM _keepers WHERE user_id = old.user_id AND bytes = 0;
        END
        """,
    ),
)

_TABLES: Final = {
    name for step in MIGRATIONS for statement in step for name in re.findall(r"CREATE TABLE (\w+)", statement)
}


def read_version(connection: sqlite3.Connection, *, known: int = len(MIGRATIONS)) -> int:
    """How many steps the database has seen; 0 for an empty one.

    Raises:
        DataUnusable: It belongs to another program, or its version is none that a release of `known` steps writes.
    """
    version = _read_pragma(connection, "user_version")
    if _read_pragma(connection, "application_id") != APPLICATION_ID:
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if version or tables:
            raise DataUnusable("the database belongs to another program; name another directory with --data")
    if not 0 <= version <= known:
        raise DataUnusable(
            f"the database has layout {version} and this release knows {known}; use the release that wrote it"
        )
    return version


def check_tables(connection: sqlite3.Connection) -> None:
    """Whether the newest layout is there, as its version says.

    Raises:
        DataUnusable: A table was taken away behind our back.
    """
    found = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if missing := sorted(_TABLES - found):
        raise DataUnusable(f"its table {missing[0]} is gone; restore it from a backup")


def migrate(connection: sqlite3.Connection, steps: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Bring the database to the newest layout, each step in a transaction of its own: wholly done or not at all.

    The connection is in autocommit mode (`isolation_level=None`).

    Raises:
        DataUnusable: See `read_version`. sqlite3.Error: A step failed and was rolled back; those before it stay.
    """
    for version in range(read_version(connection, known=len(steps)), len(steps)):
        # Leaving the block commits, or rolls back when anything at all is raised.
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            for statement in steps[version]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version + 1}")


def _read_pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
