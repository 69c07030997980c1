"""What went wrong in SQLite, as rows of the error table: the one place that reads SQLite's codes and sentences.

Nothing of physical names, other users or paths gets into a message: what is named is named by the catalog.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Final

from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.layout import COPY
from watchword_server.refusal import Refused
from watchword_server.sql.catalog import Table
from watchword_server.sql.constraints import Index
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.physical import OWNER, physical_columns, physical_name
from watchword_server.sql.plan import Place

__all__ = ["primary_code", "storage_fault", "to_refusal"]

# Primary codes of https://sqlite.org/rescode.html. What is missing is a fault of ours, and stays the exception it is.
_STORAGE: Final = {
    sqlite3.SQLITE_FULL: ErrorCode.STORAGE_FULL,
    sqlite3.SQLITE_BUSY: ErrorCode.STORAGE_UNAVAILABLE,
    sqlite3.SQLITE_CANTOPEN: ErrorCode.STORAGE_UNAVAILABLE,
    sqlite3.SQLITE_CORRUPT: ErrorCode.STORAGE_UNAVAILABLE,
    sqlite3.SQLITE_IOERR: ErrorCode.STORAGE_UNAVAILABLE,
    sqlite3.SQLITE_LOCKED: ErrorCode.STORAGE_UNAVAILABLE,
    sqlite3.SQLITE_NOMEM: ErrorCode.STORAGE_UNAVAILABLE,
    sqlite3.SQLITE_NOTADB: ErrorCode.STORAGE_UNAVAILABLE,
    sqlite3.SQLITE_PERM: ErrorCode.STORAGE_UNAVAILABLE,
    sqlite3.SQLITE_PROTOCOL: ErrorCode.STORAGE_UNAVAILABLE,
    sqlite3.SQLITE_READONLY: ErrorCode.STORAGE_UNAVAILABLE,
}
_CONSTRAINT_DATATYPE: Final = 19 | 12 << 8  # of a STRICT table; Python's module has no name for it

# SQLite says these in words only (SQLITE_ERROR); how they begin.
_SENTENCES: Final = (
    ("malformed JSON", ErrorCode.TYPE_MISMATCH, "A text is no valid input for json."),
    ("datatype mismatch", ErrorCode.TYPE_MISMATCH, "A value is not of the type that stands there."),
    ("LIKE or GLOB pattern too complex", ErrorCode.LIMIT_EXCEEDED, "A LIKE pattern is too long (pattern_bytes)."),
    ("Expression tree is too large", ErrorCode.LIMIT_EXCEEDED, "The statement is nested too deeply (nesting)."),
    ("parser stack overflow", ErrorCode.LIMIT_EXCEEDED, "The statement is nested too deeply (nesting)."),
    (
        "too many levels of trigger recursion",
        ErrorCode.LIMIT_EXCEEDED,
        "Foreign keys lead from row to row too far (cascade_levels).",
    ),
    ("too many columns", ErrorCode.LIMIT_EXCEEDED, "The statement has too many columns (columns)."),
    ("too many arguments", ErrorCode.LIMIT_EXCEEDED, "A function has too many arguments (arguments)."),
    ("too many SQL variables", ErrorCode.LIMIT_EXCEEDED, "The statement has too many parameters (params)."),
    ("variable number must be", ErrorCode.LIMIT_EXCEEDED, "The statement has too many parameters (params)."),
    ("query string is too large", ErrorCode.LIMIT_EXCEEDED, "The statement is too long (sql_bytes)."),
)


def primary_code(error: BaseException | None) -> int:
    """SQLite's primary result code; 255, which is none, where the error is not SQLite's."""
    return _code(error) & 0xFF


def storage_fault(error: sqlite3.Error | MemoryError) -> Refused | None:
    """The refusal where the disk, the file or memory is to blame."""
    if isinstance(error, MemoryError):  # how Python tells SQLITE_NOMEM
        return Refused(ErrorCode.STORAGE_UNAVAILABLE)
    code = _STORAGE.get(primary_code(error))
    return None if code is None else Refused(code)


def to_refusal(
    error: Exception, table: Table | None, *, value_bytes: int, sums: Sequence[Place] = (), reference: str = ""
) -> Refused | SqlFault | None:
    """What the user is told of an exception that a plan's statement raised; None where it is a fault of ours.

    Args:
        error: What SQLite, Python's module or a function of ours raised; not SQLITE_INTERRUPT.
        table: The one that the statement writes.
        value_bytes: The limit of one value, for the message.
        sums: Those of the statement, of which one has overflowed if any has: SQLite does not say which.
        reference: What is told of a foreign key that does not hold; empty where the statement meets none.
    """
    match error:
        case Refused() | SqlFault():
            return error
        case OverflowError() | UnicodeEncodeError():  # while binding
            return Refused(
                ErrorCode.TYPE_MISMATCH, "A value cannot be stored: an integer beyond 64 bits, or no Unicode."
            )
        case MemoryError() | sqlite3.Error():
            pass
        case _:
            return None
    if refusal := storage_fault(error):
        return refusal
    if isinstance(error, sqlite3.Error):
        code = _code(error)
        if primary_code(error) == sqlite3.SQLITE_TOOBIG:
            message = f"A value, or a row as a whole, is larger than {value_bytes} bytes (value_bytes)."
            return Refused(ErrorCode.LIMIT_EXCEEDED, message)
        if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY and reference:
            return Refused(ErrorCode.CONSTRAINT_VIOLATION, reference)
        if table is not None and code in _CONSTRAINTS:
            return _CONSTRAINTS[code](table, str(error))
        if str(error) == "integer overflow":
            fault = SqlFault(ErrorCode.TYPE_MISMATCH, "A sum is out of range for bigint.")
            return sums[0].of(fault) if len(sums) == 1 else fault
        for beginning, meaning, message in _SENTENCES:
            if str(error).startswith(beginning):
                return Refused(meaning, message)
    return None


def _code(error: BaseException | None) -> int:
    """The extended result code; -1 where SQLite is not the one that raised."""
    return getattr(error, "sqlite_errorcode", -1)


def _is_of(table: Table, sentence: str) -> bool:
    """Whether SQLite speaks of this table, and not of one that a foreign key's action wrote."""
    return sentence.partition(" failed: ")[2].startswith((f"{physical_name(table)}.", f"{COPY}."))


def _of_another_table() -> Refused:
    message = "A foreign key would change a row of another table, which a constraint of that table refuses."
    return Refused(ErrorCode.CONSTRAINT_VIOLATION, message)


def _not_unique(table: Table, sentence: str) -> Refused:
    if not _is_of(table, sentence):
        return _of_another_table()
    index = next((each for each in table.indexes if each.is_unique and sentence == _of_index(table, each)), None)
    if index is None:
        what = f"The primary key ({', '.join(table.primary_key)})"
    else:
        kind = "constraint" if index.is_constraint else "index"
        what = f'The {kind} "{index.name}" ({", ".join(index.columns)})'
    message = f"{what} of {table.title} is unique, and a row with these values exists."
    return Refused(ErrorCode.CONSTRAINT_VIOLATION, message)


def _of_index(table: Table, index: Index) -> str:
    """How SQLite says that its values are there twice."""
    columns = (f"{physical_name(table)}.{column}" for column in physical_columns(table, index.columns))
    return f"UNIQUE constraint failed: {', '.join(columns)}"


def _missing(table: Table, sentence: str) -> Refused:
    if not _is_of(table, sentence):
        return _of_another_table()
    title = sentence.removeprefix("NOT NULL constraint failed: ")
    name = title.removeprefix(f"{physical_name(table)}.").removeprefix(f"{COPY}.")
    return Refused(ErrorCode.CONSTRAINT_VIOLATION, f"{_column(table, name)} is NOT NULL and needs a value.")


def _out_of_range(table: Table, sentence: str) -> Refused:
    return _mistyped(table, sentence.removeprefix("CHECK constraint failed: "))


def _wrong_class(table: Table, sentence: str) -> Refused:
    return _mistyped(table, sentence.partition(f" column {physical_name(table)}.")[2])


def _mistyped(table: Table, name: str) -> Refused:
    column = table.column(name)
    type_ = "its type" if column is None else f"its type, {column.type.title}"
    return Refused(ErrorCode.TYPE_MISMATCH, f"The value for {_column(table, name)} does not fit {type_}.")


def _column(table: Table, name: str) -> str:
    """As users write it; the hidden column has no name for them."""
    return f"{table.title}.{name}" if name != OWNER and table.column(name) else f"A column of {table.title}"


_CONSTRAINTS: Final[dict[int, Callable[[Table, str], Refused]]] = {
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: _not_unique,
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: _not_unique,
    sqlite3.SQLITE_CONSTRAINT_NOTNULL: _missing,
    sqlite3.SQLITE_CONSTRAINT_CHECK: _out_of_range,
    _CONSTRAINT_DATATYPE: _wrong_class,
}
