"""TRUNCATE, as it is meant: a DELETE of every row that the user may delete."""

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.catalog import Catalog, Table
from watchword_server.sql.fault import SqlFault

__all__ = ["check_truncation"]


def check_truncation(table: Table, catalog: Catalog, at: int) -> None:
    """Whether all rows of a table may go at once.

    Raises:
        SqlFault: UNSUPPORTED_SQL: other tables refer to it. PostgreSQL does not look whether their rows do, either.
    """
    if any(each.id != table.id for each, _ in catalog.referring(table.id)):
        message = f"TRUNCATE of {table.title}, to which foreign keys refer, is not supported: use DELETE."
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, at)
