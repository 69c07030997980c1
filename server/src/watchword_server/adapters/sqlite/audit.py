"""The audit log in SQLite. Triggers of its table refuse what would change a row, or take one from its middle."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

from watchword_server.adapters.sqlite.database import Database
from watchword_server.auth.audit import AuditRow

__all__ = ["SqliteAudit", "append_rows"]

_MEMBERS: Final = AuditRow.__struct_fields__
_INSERT: Final = f"INSERT INTO audit_log ({', '.join(_MEMBERS)}) VALUES ({', '.join('?' * len(_MEMBERS))})"  # noqa: S608  # names of ours only
# From the oldest on: it looks at no more rows than there are to drop, and at one beyond.
_OLDEST: Final = "SELECT id, at FROM audit_log ORDER BY id LIMIT ?"


class SqliteAudit:
    """Fulfils `AuditLog`. The database stays the caller's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, rows: Sequence[AuditRow]) -> None:
        await self._database.write(lambda connection: append_rows(connection, rows))

    async def prune(self, before: float, *, at_most: int) -> int:
        def drop(connection: sqlite3.Connection) -> int:
            last = None
            oldest = connection.execute(_OLDEST, (at_most,))
            for number, at_us in oldest:
                if at_us >= _to_us(before):
                    break
                last = number
            oldest.close()
            return 0 if last is None else connection.execute("DELETE FROM audit_log WHERE id <= ?", (last,)).rowcount

        return await self._database.write(drop)


def append_rows(connection: sqlite3.Connection, rows: Iterable[AuditRow]) -> None:
    """Add them, in a transaction of the caller's."""
    connection.executemany(_INSERT, map(_to_values, rows))


def _to_values(row: AuditRow) -> list[str | int | None]:
    members = {name: getattr(row, name) for name in _MEMBERS}
    role = None if row.role is None else row.role.value
    return list((members | {"at": _to_us(row.at), "role": role}).values())


def _to_us(time_s: float) -> int:
    return round(time_s * 1_000_000)
