"""The second wall: SQLite's authorizer, which lets a statement reach what its plan names, and nothing else.

Beside it `program` looks at what SQLite makes of each new text.

Installed when a connection opens and never replaced: that would empty the statement cache. SQLite asks it when a
statement is prepared, and again when the schema changed, not each time a cached one runs (sqlite.org/c3ref/
set_authorizer.html). It holds reach: tables, columns, functions, pragmas, files. Whose rows, the plan's text says.
"""

import sqlite3
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from watchword_server.sql.plan import Permissions

__all__ = ["Wall"]

_SCHEMA: Final = "main"


class Wall:
    """What the statement that is being prepared may touch.

    `permissions` None: it is one of ours (users, layout, catalog, transactions), which may touch everything.
    """

    __slots__ = ("permissions",)

    def __init__(self) -> None:
        self.permissions: Permissions | None = None

    def judge(self, action: int, first: str | None, second: str | None, schema: str | None, inside: str | None) -> int:
        """SQLite's question. `inside`: the trigger, view or query of WITH that asks.

        What foreign keys do by themselves is asked as if the statement did it: its plan allows that (`references`).
        """
        permissions = self.permissions
        if permissions is None:
            return sqlite3.SQLITE_OK
        if inside is not None and inside not in permissions.commons:
            return sqlite3.SQLITE_DENY
        match action:
            case sqlite3.SQLITE_SELECT:
                allowed = True  # what it reads is asked one by one
            case sqlite3.SQLITE_RECURSIVE:
                allowed = bool(permissions.commons)
            case sqlite3.SQLITE_READ:
                # Without a column: rows are counted, or a constant decides and SQLite leaves the columns out.
                columns = permissions.reads
                if second:
                    allowed = schema == _SCHEMA and (first, second) in columns
                else:  # of the table that an UPDATE with FROM changes, SQLite does not say where it is
                    is_known = first in permissions.commons or any(table == first for table, _ in columns)
                    allowed = schema in (_SCHEMA, None) and is_known
            case sqlite3.SQLITE_FUNCTION:
                allowed = second is not None and second.lower() in permissions.functions
            case sqlite3.SQLITE_INSERT:
                allowed = schema == _SCHEMA and first in permissions.inserts
            case sqlite3.SQLITE_UPDATE:
                allowed = schema == _SCHEMA and (first, second) in permissions.updates
            case sqlite3.SQLITE_DELETE:
                allowed = schema == _SCHEMA and first in permissions.deletes
            case _:
                allowed = False
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY
