"""What becomes of the catalog by a definition."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, NamedTuple

from watchword_server.sql.catalog import Catalog, Table, TableId
from watchword_server.sql.proof import Proof

__all__ = ["Change", "changed"]

_NOTHING: Final[Mapping[TableId, Mapping[str, str]]] = MappingProxyType({})


class Change(NamedTuple):
    """`catalog`: as it shall be, its version still the former one.

    `renamed`: by table, new names of columns to those that they had. `proofs`: what rows must show, or it is refused.
    """

    catalog: Catalog
    renamed: Mapping[TableId, Mapping[str, str]] = _NOTHING
    proofs: tuple[Proof, ...] = ()


def changed(catalog: Catalog, *tables: Table) -> Change:
    """The catalog with these tables, in place of those of their ids."""
    ids = {table.id for table in tables}
    rest = [table for table in catalog.tables.values() if table.id not in ids]
    return Change(replace(catalog, tables={(each.namespace, each.name): each for each in (*rest, *tables)}))
