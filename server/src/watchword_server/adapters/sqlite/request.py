"""One request's statements on a connection: their time, and what the user is told of their faults."""

import sqlite3
from typing import TypeVar

from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.deadline import Deadline, Stop
from watchword_server.adapters.sqlite.engine import Engine, Overdue
from watchword_server.adapters.sqlite.faults import primary_code, to_refusal
from watchword_server.adapters.sqlite.stored_catalog import StoredCatalog
from watchword_server.refusal import Refused
from watchword_server.sql.catalog import Table
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.plan import Plan
from watchword_server.sql.store import Outcome, Transaction

__all__ = ["Interrupted", "check_tables", "run_statements"]


_R = TypeVar("_R", bound=Refused | SqlFault)


class Interrupted(Exception):  # noqa: N818  # what happened, not a fault
    """The statement was stopped for another reason than its time, which `stop` tells."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop)
        self.stop = stop


def run_statements(
    engine: Engine, request: Transaction, deadline: Deadline, catalog: StoredCatalog, *, value_bytes: int
) -> list[Outcome]:
    """Run a request's statements one after another; begin and end of a transaction are the caller's.

    Args:
        engine: The connection.
        request: What to run.
        deadline: For all of them together; it was started.
        catalog: The tables there are.
        value_bytes: The limit of one value, for messages.

    Raises:
        Refused, SqlFault: With the index of the statement. What happened before it is the caller's to roll back.
        Interrupted: CANCELLED or DISPLACED.
        RuntimeError: A fault of ours; the cause tells.
    """
    outcomes: list[Outcome] = []
    size = 0
    engine.progress.begin(deadline)
    try:
        for plan, values in request.statements:
            if engine.progress():
                raise _stopped(deadline, request, len(outcomes))
            try:
                outcome = engine.run(plan, values, max_rows=request.rows, max_bytes=request.result_bytes)
            except Exception as error:
                if deadline.stop is not None and _is_interrupt(error):
                    raise _stopped(deadline, request, len(outcomes)) from None
                if (outdated := catalog.outdated(plan)) is not None:
                    raise _at(len(outcomes), outdated) from error
                refusal = to_refusal(
                    error, _written(plan, catalog), value_bytes=value_bytes, sums=plan.sums, reference=plan.reference
                )
                if refusal is None:
                    # SQLite's own sentence has physical names: it is for the log only. The plan's text has the user's
                    # constants in it, which are for nobody.
                    raise RuntimeError(f"a statement failed: {error}") from error
                raise _at(len(outcomes), refusal) from error
            # Asked afterwards: whatever state it saw, a table that was gone or another in it is marked by now. Another
            # may have taken its name, with other rows than the plan has a scope for.
            if (outdated := catalog.outdated(plan)) is not None:
                raise _at(len(outcomes), outdated)
            outcomes.append(outcome)
            size += len(outcome.rows)
            if size > request.result_bytes:
                message = f"The results together are larger than {request.result_bytes} bytes (result_bytes)."
                raise _at(len(outcomes) - 1, Refused(ErrorCode.RESULT_TOO_LARGE, message))
    finally:
        engine.progress.end()
    return outcomes


def check_tables(request: Transaction, catalog: StoredCatalog) -> None:
    """Whether the tables are there for which a request was planned, though none of its statements is to run.

    Raises:
        Refused: NOT_FOUND, SCHEMA_CHANGED, with the index of the statement.
    """
    for index, (plan, _) in enumerate(request.statements):
        if (outdated := catalog.outdated(plan)) is not None:
            raise _at(index, outdated)


def _stopped(deadline: Deadline, request: Transaction, statement: int) -> Exception:
    if deadline.stop is not Stop.TIME:
        return Interrupted(deadline.stop or Stop.CANCELLED)
    message = f"The statement took longer than {request.time_ms} ms ({request.time_limit})."
    return _at(statement, Refused(ErrorCode.QUERY_TIMEOUT, message))


def _at(statement: int, refusal: _R) -> _R:
    refusal.statement = statement
    return refusal


def _is_interrupt(error: Exception) -> bool:
    return isinstance(error, Overdue) or primary_code(error) == sqlite3.SQLITE_INTERRUPT


def _written(plan: Plan, catalog: StoredCatalog) -> Table | None:
    """The one table that the plan itself writes."""
    if plan.target:
        return catalog.find(plan.target)
    permissions = plan.permissions
    names = permissions.inserts or frozenset(name for name, _ in permissions.updates) or permissions.deletes
    return next((table for name in names if (table := catalog.find(name))), None)
