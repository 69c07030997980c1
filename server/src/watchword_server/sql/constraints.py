"""What is kept of a table beside its columns: indexes, checks, foreign keys. Names are within the table's namespace."""

from dataclasses import dataclass

from watchword_server.sql.definition_nodes import ForeignKeyAction
from watchword_server.sql.table_id import TableId

__all__ = ["Check", "ForeignKey", "ForeignKeyAction", "Index", "Key"]


@dataclass(frozen=True, slots=True)
class Key:
    """One column of an index. NULLs come first in it or last: that orders its rows, and no query depends on it."""

    column: str
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """An index. `is_unique`: no two rows, of one owner in a USER table, have the same values, of which none is NULL.

    `is_constraint`: it is that of a UNIQUE constraint, and goes with it.
    """

    name: str
    keys: tuple[Key, ...]
    is_unique: bool = False
    is_constraint: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its keys."""
        return tuple(key.column for key in self.keys)


@dataclass(frozen=True, slots=True)
class Check:
    """A condition that is not false of any row. `text`: as `condition_text` writes it. `columns`: that it names."""

    name: str
    text: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Values of `columns`, of which none is NULL, are those of `key` in a row of the table, of the same owner."""

    name: str
    columns: tuple[str, ...]
    table: TableId
    key: tuple[str, ...]
    on_delete: ForeignKeyAction = ForeignKeyAction.NO_ACTION
    on_update: ForeignKeyAction = ForeignKeyAction.NO_ACTION
