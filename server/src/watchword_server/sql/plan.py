"""A statement ready to run: the engine's text, what is bound, what it may touch, what it gives."""

from dataclasses import dataclass, field
from enum import Enum, unique
from typing import NamedTuple

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.table_id import TableId
from watchword_server.sql.types import SqlType

__all__ = ["Bind", "BindKind", "OutputColumn", "Permissions", "Place", "Plan", "RowCheck", "StoredValue"]

StoredValue = int | float | str | bytes | None
"""A value in stored form: what `SqlType.storage` holds."""


@unique
class BindKind(Enum):
    """Where a bound value comes from."""

    PARAMETER = "the request's `$n`"
    CONSTANT = "a value of the statement's own, which the engine would not read back bit for bit from text"
    USER = "the id of the user whose statement it is"
    NAME = "that user's name"
    NOW = "the moment of the request, microseconds since 1970"


@dataclass(frozen=True, slots=True)
class Bind:
    """One `?n` of the text, in order. `type`: what it is converted to.

    `number`: of the request's parameter, from 1. `value`: of a constant.
    """

    kind: BindKind
    number: int = 0
    type: SqlType = SqlType.TEXT
    value: StoredValue = None


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """One column of the result. `flags`: pk, nn, uq, as on the wire."""

    name: str
    type: SqlType
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Permissions:
    """All that the engine may touch while it runs the statement; physical names. The second wall asks it.

    `reads`: (table, column); the column is empty where a table is read without any. `inserts`, `deletes`: tables.
    `updates`: (table, column). `functions`: of the engine, in small letters. `commons`: the names
    of queries of WITH, which ask for what is in them.
    """

    reads: frozenset[tuple[str, str]] = frozenset()
    inserts: frozenset[str] = frozenset()
    updates: frozenset[tuple[str, str]] = frozenset()
    deletes: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    commons: frozenset[str] = frozenset()

    @property
    def tables(self) -> frozenset[str]:
        """Every table that is touched in whatever way."""
        return self.inserts | self.deletes | {table for table, _ in self.reads | self.updates}


class Place(NamedTuple):
    """Of something that may fail while the statement runs.

    `at`: the offset in the text, as in nodes; None where it stands in a definition. `column`: of the table, that the
    value is for.
    """

    at: int | None
    column: str | None

    def of(self, fault: SqlFault) -> SqlFault:
        """The fault, as one of this place."""
        message = fault.message if self.column is None else f'Column "{self.column}": {fault.message}'
        return SqlFault(fault.code, message, self.at)


class RowCheck(NamedTuple):
    """What is told where a row that was written is not as it must be."""

    code: ErrorCode
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One SELECT, INSERT, UPDATE or DELETE. The user's identity is bound, never part of the text: one plan serves all.

    `columns`: of the result; empty for a write without RETURNING. `parameters`: how many `$n` the statement has.
    `made_values`: how many columns have values of any size that stand in no row, or in another column too.
    `places`: by the numbers that the text gives the functions that may fail; plans that differ in nothing else are
    equal. `sums`: of what SQLite itself adds up, which knows no place.
    `checks`: of each row that is written; the last columns of what the text gives are theirs, 1 where all is well.
    `reference`: what is told where a foreign key does not hold: SQLite does not say which. `target`: where keys reach
    further, the table that the statement itself writes; its physical name.
    `version`: of the catalog that it was made for.
    """

    text: str
    binds: tuple[Bind, ...]
    columns: tuple[OutputColumn, ...]
    permissions: Permissions
    tables: frozenset[TableId]
    parameters: int
    is_write: bool
    made_values: int = 0
    places: tuple[Place, ...] = field(default=(), compare=False)
    sums: tuple[Place, ...] = field(default=(), compare=False)
    checks: tuple[RowCheck, ...] = ()
    reference: str = field(default="", compare=False)
    target: str = field(default="", compare=False)
    version: int = field(default=0, compare=False)

    def __repr__(self) -> str:
        """For people: the text, what is bound, what comes out."""
        binds = ", ".join(
            f"${bind.number} {bind.type.title}" if bind.kind is BindKind.PARAMETER else bind.kind.name.lower()
            for bind in self.binds
        )
        columns = ", ".join(f"{column.name} {column.type.title}" for column in self.columns)
        return f"<Plan {'write' if self.is_write else 'read'} ({binds}) -> ({columns})\n  {self.text}>"
