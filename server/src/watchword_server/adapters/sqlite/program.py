"""What the program that SQLite makes of a statement opens and reads, held to the plan's permissions.

A part of the second wall: the authorizer is not asked about the columns that SQLite makes itself, those of
`JOIN ... USING` and `NATURAL JOIN`, and so not about their tables.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from watchword_server.sql.plan import Permissions

__all__ = ["Btree", "check_program", "read_btrees"]

# sqlite.org/opcode.html: what opens a table or an index by its root page (P2) in a database (P3) under a cursor (P1).
_OPENING: Final = frozenset({"OpenRead", "OpenWrite", "ReopenIdx"})
_VIRTUAL: Final = frozenset({"VOpen", "VFilter", "VUpdate"})
_MAIN: Final = 0


class Btree(NamedTuple):
    """A table, or an index of one, as it is stored: whose rows, and its columns in the order that they stand in."""

    table: str
    columns: Sequence[str]


def read_btrees(connection: sqlite3.Connection, tables: Iterable[str]) -> Mapping[int, Btree]:
    """The tables and their indexes, by root page; in a statement of ours."""
    names = list(tables)
    holders = ", ".join("?" * len(names))
    sql = f"SELECT rootpage, type, name, tbl_name FROM main.sqlite_schema WHERE tbl_name IN ({holders})"  # noqa: S608  # question marks only
    found = {}
    for root, kind, name, table in connection.execute(sql, names).fetchall():
        pragma = "pragma_table_info" if kind == "table" else "pragma_index_info"
        columns = connection.execute(f"SELECT name FROM {pragma}(?)", (name,)).fetchall()  # noqa: S608  # one of the two
        found[root] = Btree(table, [column for (column,) in columns])
    return found


def check_program(
    program: Iterable[Sequence[Any]], permissions: Permissions, btrees: Mapping[int, Btree], *, is_write: bool
) -> None:
    """Refuse a program that opens another b-tree, or, of a statement that only reads, reads another column.

    A write reads every column of its table, to keep the indexes.

    Args:
        program: The rows of EXPLAIN.
        permissions: The plan's.
        btrees: Of the tables in it.
        is_write: Whether the plan writes.

    Raises:
        sqlite3.DatabaseError: It reaches further.
    """
    opened: dict[int, Btree] = {}
    for _, opcode, cursor, second, database, *_ in program:
        if opcode in _OPENING:
            if database != _MAIN or second not in btrees:
                raise _not_authorized()
            opened[cursor] = btrees[second]
        elif opcode in _VIRTUAL:
            raise _not_authorized()
        elif opcode == "Column" and cursor in opened and not is_write:
            btree = opened[cursor]
            # Behind the columns of an index stands the row's own number.
            if second < len(btree.columns) and (btree.table, btree.columns[second]) not in permissions.reads:
                raise _not_authorized()


def _not_authorized() -> sqlite3.DatabaseError:
    """As SQLite itself says it where the authorizer denies."""
    error = sqlite3.DatabaseError("not authorized")
    error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_AUTH, "SQLITE_AUTH"
    return error
