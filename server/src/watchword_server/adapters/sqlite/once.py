"""A request that happens once: its rows and what it gave are written in one transaction, under the key of its user.

Who sends it again is given what the first one gave. What is refused is rolled back, its key with it.
"""

import sqlite3
from typing import Final

from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.deadline import Deadline
from watchword_server.adapters.sqlite.engine import Engine
from watchword_server.adapters.sqlite.request import check_tables, run_statements
from watchword_server.adapters.sqlite.stored_catalog import StoredCatalog
from watchword_server.refusal import Refused
from watchword_server.sql.store import KEPT_RESULT_BYTES, KEPT_S, Once

__all__ = ["forget_some", "run_once"]

_KEY_BYTES: Final = 512
"""What a result counts beside its own bytes: its key, its user, a hash, three places in trees."""
_AT_ONCE: Final = 100
"""Results forgotten in one transaction, for which everybody waits."""

_FIND: Final = "SELECT fingerprint, kept_at, results FROM _results WHERE user_id = ? AND key = ?"
_FORGET: Final = "DELETE FROM _results WHERE user_id = ? AND key = ?"
_KEEP: Final = """
    INSERT INTO _results (user_id, key, fingerprint, kept_at, bytes, results)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6
    WHERE ?5 + ifnull((SELECT bytes FROM _keepers WHERE user_id = ?1), 0) <= ?7
"""
_FORGET_SOME: Final = "DELETE FROM _results WHERE id IN (SELECT id FROM _results WHERE kept_at <= ? LIMIT ?)"


def run_once(engine: Engine, once: Once, deadline: Deadline, catalog: StoredCatalog, *, value_bytes: int) -> bytes:
    """What the first request of the key gave, which this one is if there was none; in the savepoint of the caller.

    Args:
        engine: The connection.
        once: What to run.
        deadline: For its statements; it was started.
        catalog: The tables there are.
        value_bytes: The limit of one value, for messages.

    Raises:
        Refused: INVALID_PARAMS, RESULT_TOO_LARGE, LIMIT_EXCEEDED, as `Store.write_once` has them.
        sqlite3.Error: The result cannot be read or kept.
        As `run_statements`.
    """
    check_tables(once, catalog)
    if (kept := _find(engine, once)) is not None:
        return kept
    results = once.encode(run_statements(engine, once, deadline, catalog, value_bytes=value_bytes))
    _keep(engine, once, results)
    return results


def forget_some(connection: sqlite3.Connection, before: float) -> bool:
    """Forget a few of the results kept at or before this time; whether there may be more."""
    return connection.execute(_FORGET_SOME, (before, _AT_ONCE)).rowcount == _AT_ONCE


def _find(engine: Engine, once: Once) -> bytes | None:
    row: tuple[bytes, float, bytes] | None = engine.execute(_FIND, (once.user_id, once.key)).fetchone()
    if row is None:
        return None
    fingerprint, kept_at, results = row
    if kept_at <= once.at - KEPT_S:  # nobody came by to forget it
        engine.execute(_FORGET, (once.user_id, once.key))
        return None
    if fingerprint != once.fingerprint:
        message = (
            "The idempotency_key was used with other statements, params or as_user before: "
            "a new request takes a new key."
        )
        raise Refused(ErrorCode.INVALID_PARAMS, message)
    return results


def _keep(engine: Engine, once: Once, results: bytes) -> None:
    if len(results) > KEPT_RESULT_BYTES:
        message = (
            f"The results of a request with an idempotency_key have at most {KEPT_RESULT_BYTES} bytes, "
            f"and these have {len(results)} (kept_result_bytes)."
        )
        raise Refused(ErrorCode.RESULT_TOO_LARGE, message)
    size = len(results) + _KEY_BYTES
    values = (once.user_id, once.key, once.fingerprint, once.at, size, results, once.kept_bytes)
    if not engine.execute(_KEEP, values).rowcount:
        message = (
            f"What is kept for the idempotency keys of one user has at most {once.kept_bytes} bytes (kept_bytes). "
            "Send it without a key, or when keys of yesterday were forgotten."
        )
        raise Refused(ErrorCode.LIMIT_EXCEEDED, message)
