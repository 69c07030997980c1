"""The tables there are, as one moment knows them: a snapshot that statements are resolved against."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Final

from watchword_server.sql.constraints import Check, ForeignKey, Index
from watchword_server.sql.table_id import TableId
from watchword_server.sql.types import SqlType
from watchword_server.user import Role

__all__ = ["DEFAULT_NAMESPACE", "MAX_COLUMNS", "AccessLevel", "Catalog", "Column", "Table", "TableId", "TableType"]

MAX_COLUMNS: Final = 500
"""Of a table."""

DEFAULT_NAMESPACE: Final = "default"
"""Where a table's name without a namespace is looked up; nothing makes it but CREATE NAMESPACE."""


@unique
class TableType(StrEnum):
    """Whose rows a table holds; the value is the word in `WITH (TYPE = ...)`."""

    USER = "USER"
    """Each row has an owner, and everybody, of whatever role, sees their own rows only."""
    SHARED = "SHARED"


@unique
class AccessLevel(StrEnum):
    """Who may read a SHARED table; writing is for service and up. The value is the option's word."""

    PUBLIC = "public"
    PRIVATE = "private"
    RESTRICTED = "restricted"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    `default`: the constant in stored form where `has_default`, else NULL is what is missing. `default_call`: the
    function that makes what is missing, one value a row; the two exclude each other.
    """

    name: str
    type: SqlType
    not_null: bool = False
    has_default: bool = False
    default: int | float | str | bytes | None = None
    default_call: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """One table. `primary_key`: column names in order, never empty.

    `creator`: the id of the user who made it; None where that was before it was kept. `foreign_keys`: its own, to
    other tables or to itself.
    """

    id: TableId
    namespace: str
    name: str
    type: TableType
    access_level: AccessLevel
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    creator: str | None = None
    indexes: tuple[Index, ...] = ()
    checks: tuple[Check, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()

    @property
    def title(self) -> str:
        """As users write it."""
        return f"{self.namespace}.{self.name}"

    def column(self, name: str) -> Column | None:
        """The column of this name."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def unique_keys(self) -> tuple[tuple[str, ...], ...]:
        """Columns of which no two rows have the same: the primary key and those of the UNIQUE constraints."""
        constraints = tuple(each.columns for each in self.indexes if each.is_constraint)
        return (self.primary_key, *constraints)

    def is_visible_to(self, role: Role) -> bool:
        """Whether the table exists for this role; else it is NOT_FOUND."""
        return self.type is TableType.USER or self.access_level is AccessLevel.PUBLIC or role.includes(Role.SERVICE)

    def is_writable_by(self, role: Role) -> bool:
        """Whether this role may change its rows (of a USER table: its own)."""
        return self.type is TableType.USER or role.includes(Role.SERVICE)


@dataclass(frozen=True, slots=True)
class Catalog:
    """Namespaces and tables. `version` grows with every change, so that a plan knows whether it is still good."""

    version: int = 0
    namespaces: frozenset[str] = frozenset()
    tables: Mapping[tuple[str, str], Table] = field(default_factory=dict)

    def find(self, namespace: str, name: str) -> Table | None:
        """The table, whoever may see it."""
        return self.tables.get((namespace, name))

    def of_id(self, number: TableId) -> Table | None:
        """The table of this id."""
        return next((table for table in self.tables.values() if table.id == number), None)

    def referring(self, number: TableId) -> tuple[tuple[Table, ForeignKey], ...]:
        """The foreign keys that refer to the table, each with the table that has it."""
        return tuple((each, key) for each in self.tables.values() for key in each.foreign_keys if key.table == number)
