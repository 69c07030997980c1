"""The audit log of a server's directory, as it is read from the file."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from watchword_server.adapters.sqlite.data_directory import database_path

__all__ = ["Row", "audit_rows"]


class Row(NamedTuple):
    """One row, but for its number and time."""

    actor: str
    actor_id: str | None
    role: str | None
    action: str
    target: str | None
    source: str
    result: str
    request_id: str | None
    detail: str | None


def audit_rows(directory: Path, action: str | None = None) -> list[Row]:
    """The rows that are written, of this action; a running server writes logins a few seconds later."""
    path = database_path(directory / "data")
    columns = ", ".join(Row._fields)
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        found = [Row(*row) for row in connection.execute(f"SELECT {columns} FROM audit_log ORDER BY id")]
    return [row for row in found if action in (None, row.action)]
