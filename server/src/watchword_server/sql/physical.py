"""How a table of the catalog is known to the engine: its name there, and the column that says whose a row is."""

from collections.abc import Iterable
from typing import Final

from watchword_server.sql.catalog import Table, TableType

__all__ = ["OWNER", "physical_columns", "physical_name"]

OWNER: Final = "_owner"
"""The hidden first column of a USER table: the id of the user whose row it is. Users' columns never begin with `_`."""


def physical_name(table: Table) -> str:
    """Its name in the engine. A namespace has no dot, so no two tables share one; ours have none."""
    return f"{table.namespace}.{table.name}"


def physical_columns(table: Table, names: Iterable[str]) -> tuple[str, ...]:
    """The columns of a key or a row: behind the owner, where rows have one."""
    return (OWNER, *names) if table.type is TableType.USER else tuple(names)
