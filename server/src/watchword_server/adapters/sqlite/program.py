"""What the program that SQLite makes of a statement opens and reads, held to the plan's permissions.

A part of the second wall: the authorizer is not asked about the columns that SQLite makes itself, those of
`JOIN ... USING` and `NATURAL JOIN`, and so not about their tables.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from watchword_server.sql.plan import Permissions

__all__ = ["Store", "check_program", "read_stores"]

# sqlite.org/opcode.html: what opens a table or an index by its root page (P2) in a database (P3) under a cursor (P1).
_OPENING: Final = frozenset({"OpenRead", "OpenWrite", "ReopenIdx"})
_VIRTUAL: Final = frozenset({"VOpen", "VFilter", "VUpdate"})
_MAIN: Final = 0


class Store(NamedTuple):
    """A table, or an index of one: whose rows, and its columns in the order that they are stored in."""

    table: str
    columns: Sequence[str]


def read_stores(connection: sqlite3.Connection, tables: Iterable[str]) -> Mapping[int, Store]:
    """The tables and their indexes, by root page; in a statement of ours."""
    names = list(tables)
    holders = ", ".join("?" * len(names))
    sql = f"SELECT rootpage, type, name, tbl_name FROM main.sqlite_schema WHERE tbl_name IN ({holders})"  # noqa: S608  # question marks only
    found = {}
    for root, kind, name, table in connection.execute(sql, names).fetchall():
        pragma = "pragma_table_info" if kind == "table" else "pragma_index_info"
        columns = connection.execute(f"SELECT name FROM {pragma}(?)", (name,)).fetchall()  # noqa: S608  # one of the two
        found[root] = Store(table, [column for (column,) in columns])
    return found


def check_program(
    program: Iterable[Sequence[Any]], permissions: Permissions, stores: Mapping[int, Store], *, is_write: bool
) -> None:
    """Refuse a program that opens another store, or, of a statement that only reads, reads another column.

    A write reads every column of its table, to keep the indexes.

    Args:
        program: The rows of EXPLAIN.
        permissions: The plan's.
        stores: Of the tables in it.
        is_write: Whether the plan writes.

    Raises:
        sqlite3.DatabaseError: It reaches further.
    """
    opened: dict[int, Store] = {}
    for _, opcode, cursor, second, database, *_ in program:
        if opcode in _OPENING:
            if database != _MAIN or second not in stores:
                raise _not_authorized()
            opened[cursor] = stores[second]
        elif opcode in _VIRTUAL:
            raise _not_authorized()
        elif opcode == "Column" and cursor in opened and not is_write:
            store = opened[cursor]
            # Behind the columns of an index stands the row's own number.
            if second < len(store.columns) and (store.table, store.columns[second]) not in permissions.reads:
                raise _not_authorized()


def _not_authorized() -> sqlite3.DatabaseError:
    """As SQLite itself says it where the authorizer denies."""
    error = sqlite3.DatabaseError("not authorized")
    error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_AUTH, "SQLITE_AUTH"
    return error
