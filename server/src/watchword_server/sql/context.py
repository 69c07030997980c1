"""What holds for all of one statement while it is resolved."""

from typing import TYPE_CHECKING, Final

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.catalog import Catalog, Table
from watchword_server.sql.coercion import Coercion
from watchword_server.sql.fault import SqlFault
from watchword_server.user import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from watchword_server.sql import nodes
    from watchword_server.sql.names import Names
    from watchword_server.sql.query_tree import RowsTree

__all__ = ["MAX_SOURCES", "Context"]

MAX_SOURCES: Final = 50
"""Tables and queries in one statement, those within others too; the engine joins 64 at most."""


class Context:
    """One statement.

    Args:
        catalog: The tables there are.
        namespace: Where a table's name without one is looked up.
        role: Decides what exists and what may be written.
        rows: Resolves a query within another: the node, and the names around it.

    `tables`: those that were named, by the number of their source.
    """

    __slots__ = ("_count", "catalog", "coercion", "namespace", "role", "rows", "tables")

    def __init__(
        self,
        catalog: Catalog,
        namespace: str,
        role: Role,
        rows: "Callable[[Context, nodes.Rows, Names | None], RowsTree]",
    ) -> None:
        self.catalog = catalog
        self.namespace = namespace
        self.role = role
        self.rows = rows
        self.coercion = Coercion()
        self.tables: dict[int, Table] = {}
        self._count = 0

    def next_number(self, at: int) -> int:
        """Of a source.

        Raises:
            SqlFault: LIMIT_EXCEEDED.
        """
        self._count += 1
        if self._count > MAX_SOURCES:
            message = f"A statement has at most {MAX_SOURCES} tables and queries (tables)."
            raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message, at)
        return self._count
