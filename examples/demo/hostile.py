"""Statements that want more than their own rows: what the server answers to each, held against a table."""

from typing import Final, NamedTuple

import watchword
from examples.demo.owners import OWNERS
from examples.demo.servers import Server
from examples.demo.tokens import mint
from watchword_protocol.errors import ErrorCode

__all__ = ["STATEMENTS", "Attempt", "Statement", "attempt_all", "find_traces", "judge"]

_A_CONNECTION: Final = 20  # statements; more would be a flood, which is another chapter
_BULK_ROWS: Final = 100
_BULK: Final = "ab" * 20_000
_INSERT_BULK: Final = "INSERT INTO app.notes VALUES ROWS".replace(
    "ROWS", ", ".join(f"({1_000 + row}, $1)" for row in range(_BULK_ROWS))
)
# Some 5 ms a row of the bulk.
_RUNAWAY: Final = "DELETE FROM app.notes WHERE TERMS".replace(
    "TERMS", " AND ".join([f"body NOT LIKE '{'%a' * 100}c'"] * 20)
)
_UNSUPPORTED, _MISSING, _LIMIT = ErrorCode.UNSUPPORTED_SQL, ErrorCode.NOT_FOUND, ErrorCode.LIMIT_EXCEEDED


class Statement(NamedTuple):
    """What is sent, and what has to be told.

    `place`: line:column of what is wrong, empty where no place is meant. `shown`: what the reader sees of a long text.
    """

    text: str
    code: ErrorCode
    place: str = ""
    shown: str = ""
    params: tuple[int, ...] = ()
    timeout_ms: int | None = None


class Attempt(NamedTuple):
    """A statement, what was told (code, place, sentence), and where that is wrong."""

    shown: str
    code: str
    place: str
    sentence: str
    differences: list[str]


STATEMENTS: Final = (
    # What the engine itself knows.
    Statement("SELECT * FROM sqlite_master", _MISSING, "1:15"),
    Statement("SELECT * FROM pragma_table_info('users')", _UNSUPPORTED, "1:15"),
    Statement("PRAGMA writable_schema = ON", _UNSUPPORTED, "1:1"),
    Statement("ATTACH DATABASE '/etc/passwd' AS x", _UNSUPPORTED, "1:1"),
    Statement("VACUUM INTO '/tmp/copy.db'", _UNSUPPORTED, "1:1"),
    Statement("BEGIN EXCLUSIVE", _UNSUPPORTED, "1:1"),
    # Other tables, other rows.
    Statement("SELECT password_hash FROM _users", _MISSING, "1:27"),
    Statement('SELECT * FROM main."app.notes"', _MISSING, "1:15"),
    Statement('SELECT * FROM "app.notes"', _MISSING, "1:15"),
    Statement("SELECT _owner FROM app.notes", _MISSING, "1:8"),
    Statement("SELECT rowid FROM app.notes", _MISSING, "1:8"),
    Statement("UPDATE app.notes SET _owner = 'u_1'", _MISSING, "1:22"),
    Statement("SELECT * FROM app.prices", _MISSING, "1:15", "SELECT * FROM app.prices (private)"),
    Statement("WITH n AS (DELETE FROM app.notes) SELECT 1", _UNSUPPORTED, "1:11"),
    Statement("SELECT id FROM app.notes UNION SELECT id FROM app.prices", _MISSING, "1:47"),
    Statement("SELECT (SELECT count(*) FROM sqlite_schema)", _MISSING, "1:30"),
    Statement("DROP TABLE app.notes", ErrorCode.PERMISSION_DENIED),
    # Functions that reach out of the table, or fill the memory.
    Statement("SELECT load_extension('evil.so')", _UNSUPPORTED, "1:8"),
    Statement("SELECT readfile('/etc/passwd')", _UNSUPPORTED, "1:8"),
    Statement("SELECT randomblob(1000000000)", _UNSUPPORTED, "1:8"),
    Statement("SELECT printf('%1000000000d', 1)", _UNSUPPORTED, "1:8"),
    # One statement inside or behind another.
    Statement("SELECT 1; DROP TABLE app.notes", _UNSUPPORTED, "1:11"),
    Statement("SELECT 1;\nPRAGMA user_version", _UNSUPPORTED, "2:1", "SELECT 1; (a new line) PRAGMA ..."),
    Statement("SELECT 1 /* and no end", ErrorCode.INVALID_SQL, "1:10"),
    Statement("SELECT 1 --\n; ATTACH 'x' AS y", _UNSUPPORTED, "2:3", "SELECT 1 -- (a new line) ; ATTACH"),
    Statement("INSERT OR ROLLBACK INTO app.notes VALUES (9, '')", _UNSUPPORTED, "1:8"),
    # Arithmetic.
    Statement("SELECT 1 / (id - id) FROM app.notes", ErrorCode.TYPE_MISMATCH, "1:10"),
    Statement("SELECT 9223372036854775807 + id FROM app.notes", ErrorCode.TYPE_MISMATCH, "1:28"),
    # Too much of it.
    Statement(f"SELECT '{'x' * 16_384}'", _LIMIT, "", "a text of more than 16 KiB"),
    Statement(f"SELECT {'(' * 61}1{')' * 61}", _LIMIT, "1:68", "61 pairs of brackets"),
    Statement(f"SELECT {'+'.join('1' * 300)}", _LIMIT, "1:409", "1+1+1+..., 300 times"),
    Statement("SELECT $1", _LIMIT, "", "1,001 parameters", tuple(range(1_001))),
    Statement(_RUNAWAY.replace("DELETE", "SELECT id"), ErrorCode.QUERY_TIMEOUT, "", "a read that runs away", (), 100),
    Statement(_RUNAWAY, ErrorCode.QUERY_TIMEOUT, "", "a write that runs away"),
)
"""All are sent by somebody of the role user, who has rows in app.notes."""


async def attempt_all(server: Server) -> list[Attempt]:
    """Each statement, by the first of the two owners."""
    attempts: list[Attempt] = []
    for start in range(0, len(STATEMENTS), _A_CONNECTION):
        async with watchword.connect(server.url, token=mint(OWNERS[0])) as db:
            if not start:
                await db.query(_INSERT_BULK, _BULK)
            attempts += [await _attempt(db, statement) for statement in STATEMENTS[start : start + _A_CONNECTION]]
    return attempts


async def _attempt(db: watchword.Client, statement: Statement) -> Attempt:
    try:
        rows = await db.query(statement.text, *statement.params, timeout_ms=statement.timeout_ms)
    except watchword.ServerError as error:
        return judge(statement, error.code, _place(error), error.message)
    return judge(statement, "answered", "", f"{rows.row_count} rows")


def judge(statement: Statement, code: str, place: str, sentence: str) -> Attempt:
    """What was told, held against what had to be."""
    pairs = (("error code", code, statement.code.name), ("place", place, statement.place))
    differences = [
        f"the {what} is {seen or 'none'}, and should be {wanted or 'none'}"
        for what, seen, wanted in pairs
        if seen != wanted
    ]
    return Attempt(statement.shown or statement.text, code, place, sentence, differences)


def _place(error: watchword.ServerError) -> str:
    return "" if error.line is None else f"{error.line}:{error.column}"


async def find_traces(server: Server) -> list[str]:
    """What the attempts have left behind: nothing, or a sentence each."""
    found: list[str] = []
    for name, expected in zip(OWNERS, (2 + _BULK_ROWS, 1), strict=True):
        async with watchword.connect(server.url, token=mint(name)) as db:
            count = await db.query_value("SELECT count(*) FROM app.notes")
        if count != expected:
            found.append(f"{name} has {count} notes, and should have {expected}")
    return found
