"""A connection of SQLite behind the second wall, and the one function through which users' statements run."""

import sqlite3
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.deadline import STEPS, Progress
from watchword_server.adapters.sqlite.faults import primary_code
from watchword_server.adapters.sqlite.program import check_program, read_btrees
from watchword_server.adapters.sqlite.rows import Converters, RowForm, encode_rows
from watchword_server.adapters.sqlite.wall import Wall
from watchword_server.refusal import Refused
from watchword_server.sql.calls import MAX_ARGUMENTS
from watchword_server.sql.catalog import MAX_COLUMNS
from watchword_server.sql.constraint_definitions import MAX_CONSTRAINTS
from watchword_server.sql.engine_functions import ENGINE_AGGREGATES, EngineFunction
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.plan import Plan, RowCheck, StoredValue
from watchword_server.sql.store import Outcome

__all__ = ["CACHED_STATEMENTS", "Engine", "Overdue"]

CACHED_STATEMENTS: Final = 256
_LARGE_TEXT: Final = 4_096
_MAX_LARGE_BYTES: Final = 524_288
"""Of prepared statements with such texts; prepared, they take some thirty times as much."""
_MADE_BYTES: Final = 8_388_608
"""A row is measured when Python has it, which takes up to four bytes for each. Until then the values that a statement
makes, or shows more than once, may take so many together; those of a stored row are bounded by its own size."""

_MAX_CASCADE: Final = 500
"""Rows that refer to one another in a chain, which one statement deletes or changes by its foreign keys."""

_LIMITS: Final = (
    (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
    (sqlite3.SQLITE_LIMIT_COLUMN, MAX_COLUMNS + 1 + MAX_CONSTRAINTS),  # with the owner; with a test for each check
    (sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 20),
    (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 1_000),
    (sqlite3.SQLITE_LIMIT_FUNCTION_ARG, MAX_ARGUMENTS + 1),  # with the place
    (sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256),
    (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 16_777_216),  # of our text, which is longer than the user's
    (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, _MAX_CASCADE),
    (sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 32_766),
    (sqlite3.SQLITE_LIMIT_VDBE_OP, 1_000_000),
    (sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0),
)
_PRAGMAS: Final = (
    "foreign_keys = ON",
    "recursive_triggers = ON",
    "trusted_schema = OFF",
    "cell_size_check = ON",
    "cache_spill = OFF",  # what a write that runs away has changed is dropped, and not undone page by page in the log
    "case_sensitive_like = ON",
)


@dataclass(frozen=True, slots=True)
class _Known:
    """A plan that was run. `value_bytes`: the largest value while it runs.

    `text`: its own, marked, so that neither a plan of other permissions nor a statement of ours has the same, and with
    it the same prepared statement, about which the wall is not asked again.
    """

    plan: Plan
    text: str
    form: RowForm
    value_bytes: int


class Overdue(Exception):  # noqa: N818  # what happened, not a fault
    """The statement has to end, which a function of ours noticed; the deadline says why."""


class Engine(sqlite3.Connection):
    """Statements of ours go through `execute`, those of users through `run`."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.progress: Final = Progress()
        self._wall: Final = Wall()
        self._converters: Converters = {}
        self._value_bytes = 0
        self._failures: Final[list[tuple[Exception, int | None]]] = []  # with the number of the place
        self._known: Final[OrderedDict[str, _Known]] = OrderedDict()
        self._serial = 0
        self._large_bytes = 0
        self.set_authorizer(self._wall.judge)
        self.set_progress_handler(self.progress, STEPS)

    def prepare(self, *, value_bytes: int, functions: Iterable[EngineFunction], converters: Converters) -> None:
        """Make it fit for users' statements; once, before the first.

        Args:
            value_bytes: The limit of one value, and of one row as SQLite stores, groups or sorts it.
            functions: What plans may call beside SQLite's own.
            converters: For the rows of results.
        """
        for pragma in _PRAGMAS:
            self.execute(f"PRAGMA {pragma}")
        for each in functions:
            call = self._keeping_failures(each)
            self.create_function(each.name, each.taken, call, deterministic=each.is_deterministic)
        for name, aggregate in ENGINE_AGGREGATES:
            self.create_window_function(name, 1, aggregate)
        if sys.version_info >= (3, 12):
            # Where a name that is not there would be a text.
            self.setconfig(sqlite3.SQLITE_DBCONFIG_DQS_DML, False)
            self.setconfig(sqlite3.SQLITE_DBCONFIG_DQS_DDL, False)
            self.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)
        for limit, value in _LIMITS:
            self.setlimit(limit, value)
        self._value_bytes = value_bytes
        self.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, self._value_bytes)
        self._converters = converters

    def run(self, plan: Plan, values: Sequence[StoredValue], *, max_rows: int, max_bytes: int) -> Outcome:
        """Run one statement of a user's, to its end, behind the wall; one that writes inside a transaction.

        Raises:
            Refused: RESULT_TOO_LARGE, or what a check of the plan says: a write has happened all the same, its
                savepoint is the caller's to roll back.
            SqlFault: A function of ours refused a value.
            sqlite3.Error, MemoryError, OverflowError, UnicodeEncodeError: see `to_refusal`.
        """
        known = self._find(plan, values)
        if plan.is_write and not self.in_transaction:
            raise RuntimeError("a write outside of a transaction would commit by itself")
        self._wall.permissions = plan.permissions
        is_wide = known.value_bytes < self._value_bytes
        if is_wide:
            self.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, known.value_bytes)
        cursor = self.cursor()
        try:
            cursor.execute(known.text, values)
            rows = _checked(cursor, plan.checks) if plan.checks else cursor
            if plan.columns:
                return Outcome(*encode_rows(rows, known.form, max_rows=max_rows, max_bytes=max_bytes))
            return Outcome(b"[]", sum(1 for _ in rows) if plan.checks else self._written(cursor))
        except sqlite3.Error as error:
            if self._failures:
                raise _placed(*self._failures[0], plan) from error
            if is_wide and primary_code(error) == sqlite3.SQLITE_TOOBIG:
                message = f"With so many columns no value may be over {known.value_bytes} bytes (result_bytes)."
                raise Refused(ErrorCode.RESULT_TOO_LARGE, message) from error
            raise
        finally:
            cursor.close()
            if is_wide:
                self.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, self._value_bytes)
            self._failures.clear()
            self._wall.permissions = None

    def _written(self, cursor: sqlite3.Cursor) -> int:
        """How many rows the statement wrote. Behind WITH, Python takes it for one that only reads."""
        if cursor.rowcount >= 0:
            return cursor.rowcount
        self._wall.permissions = None
        return int(self.execute("SELECT changes()").fetchone()[0])

    def _find(self, plan: Plan, values: Sequence[StoredValue]) -> _Known:
        known = self._known.get(plan.text)
        if known is not None and (known.plan is plan or known.plan == plan):
            self._known.move_to_end(plan.text)
            return known
        if len(plan.text) > _LARGE_TEXT:
            self._count_large(len(plan.text))
        self._serial += 1
        text = f"/* {self._serial} */ {plan.text}"
        self._check_reach(plan, text, values)
        form = RowForm.of(plan.columns, self._converters)
        value_bytes = min(self._value_bytes, _MADE_BYTES // max(1, plan.made_values))
        known = self._known[plan.text] = _Known(plan, text, form, value_bytes)
        self._known.move_to_end(plan.text)
        if len(self._known) > CACHED_STATEMENTS:
            self._known.popitem(last=False)
        return known

    def _count_large(self, size: int) -> None:
        """Prepared statements are remembered by number: push all of them out when the large ones are too much."""
        self._large_bytes += size
        if self._large_bytes > _MAX_LARGE_BYTES:
            self._known.clear()
            for number in range(CACHED_STATEMENTS):
                self.execute(f"SELECT {number}")
            self._large_bytes = size

    def _check_reach(self, plan: Plan, text: str, values: Sequence[StoredValue]) -> None:
        """Hold the program that SQLite makes of a new plan's text to the plan's permissions.

        Raises:
            sqlite3.DatabaseError: It reaches further, said as the authorizer says it.
            sqlite3.Error: As for the text itself. A transaction may be gone with it.
        """
        is_inside = self.in_transaction
        if not is_inside:
            self.execute("BEGIN")
        try:
            # First: what has run knows the schema of its transaction; EXPLAIN takes the one that the connection knew.
            btrees = read_btrees(self, plan.permissions.tables)
            self._wall.permissions = plan.permissions
            self.text_factory = _read_loosely  # constants stand in it, bytes too
            program = self.execute(f"EXPLAIN {text}", values).fetchall()
        finally:
            self.text_factory = str
            self._wall.permissions = None
            if not is_inside and self.in_transaction:
                self.execute("ROLLBACK")
        check_program(program, plan.permissions, btrees, is_write=plan.is_write)

    def _keeping_failures(self, known: EngineFunction) -> Callable[..., Any]:
        """Python tells SQLite only that a function raised; what, is kept here for `run`.

        The time is asked before each: within one row SQLite itself looks neither at its progress handler nor at an
        interrupt, and a few functions of a megabyte each are seconds.
        """
        failures, is_over, function = self._failures, self.progress, known.function
        has_place = known.has_place
        end = -1 if has_place else None

        def call(*values: Any) -> Any:
            try:
                if is_over():
                    raise Overdue
                return function(*values[:end])
            except Exception as error:
                failures.append((error, values[-1] if has_place else None))
                raise

        return call


def _checked(cursor: sqlite3.Cursor, checks: Sequence[RowCheck]) -> Iterator[tuple[Any, ...]]:
    """The rows, each without the answers of the checks, which are its last columns.

    Raises:
        Refused: A check does not hold.
    """
    count = len(checks)
    for row in cursor:
        answers = row[-count:]
        if not all(answers):
            failed = checks[answers.index(0)]
            raise Refused(failed.code, failed.message)
        yield row[:-count]


def _placed(failure: Exception, number: int | None, plan: Plan) -> Exception:
    """What is told of a function's failure."""
    if number is None or not isinstance(failure, SqlFault):
        return failure
    return plan.places[number].of(failure)


def _read_loosely(text: bytes) -> str:
    return text.decode(errors="replace")
