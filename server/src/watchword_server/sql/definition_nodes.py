"""The syntax of the statements that change the catalog, as it was written; see `nodes`."""

from dataclasses import dataclass, field
from enum import StrEnum, unique

from watchword_server.sql.account_nodes import AccountStatement
from watchword_server.sql.nodes import Expression, Name, Query, TableName

__all__ = [
    "AddColumn",
    "AddConstraint",
    "AlterTable",
    "Check",
    "ColumnDefinition",
    "Constraint",
    "CreateIndex",
    "CreateNamespace",
    "CreateTable",
    "Definition",
    "DropColumn",
    "DropConstraint",
    "DropIndex",
    "DropNamespace",
    "DropTable",
    "ForeignKey",
    "ForeignKeyAction",
    "IndexKey",
    "Option",
    "RenameColumn",
    "RenameTable",
    "SetAccessLevel",
    "Standalone",
    "Statement",
    "Unique",
]


@unique
class ForeignKeyAction(StrEnum):
    """What becomes of a row when the row that it refers to goes, or its key changes; the value is the words for it."""

    NO_ACTION = "NO ACTION"
    RESTRICT = "RESTRICT"
    CASCADE = "CASCADE"
    SET_NULL = "SET NULL"
    SET_DEFAULT = "SET DEFAULT"


@dataclass(frozen=True, slots=True)
class Unique:
    """`[CONSTRAINT name] UNIQUE (columns)`; `name` None: to be chosen."""

    name: str | None
    columns: tuple[Name, ...]
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Check:
    """`[CONSTRAINT name] CHECK (condition)`. `text`: the condition once more, as tokens with one space between."""

    name: str | None
    condition: Expression
    text: str = field(compare=False, repr=False)
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`FOREIGN KEY (columns) REFERENCES table (key)`; `key` empty: the primary key."""

    name: str | None
    columns: tuple[Name, ...]
    table: TableName
    key: tuple[Name, ...] = ()
    on_delete: ForeignKeyAction = ForeignKeyAction.NO_ACTION
    on_update: ForeignKeyAction = ForeignKeyAction.NO_ACTION
    at: int = field(default=0, compare=False, repr=False)


Constraint = Unique | Check | ForeignKey


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    """One column of a table; `default` is a constant expression, or a call without arguments."""

    name: str
    type: str
    not_null: bool = False
    primary_key: bool = False
    default: Expression | None = None
    constraints: tuple[Constraint, ...] = ()
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Option:
    """`name = value` of WITH; the name folded to upper case, the value as quoted."""

    name: str
    value: str
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CreateNamespace:
    """CREATE NAMESPACE [IF NOT EXISTS] name."""

    name: str
    if_not_exists: bool = False
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DropNamespace:
    """DROP NAMESPACE [IF EXISTS] name [CASCADE]."""

    name: str
    if_exists: bool = False
    cascade: bool = False
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CreateTable:
    """CREATE [USER | SHARED] TABLE ... WITH (options).

    `primary_key`: of a table constraint, empty where a column has it. `constraints`: of the table, not of its columns.
    `type`: the word before TABLE, in capitals.
    """

    table: TableName
    columns: tuple[ColumnDefinition, ...]
    primary_key: tuple[Name, ...] = ()
    options: tuple[Option, ...] = ()
    if_not_exists: bool = False
    constraints: tuple[Constraint, ...] = ()
    type: str | None = None
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DropTable:
    """DROP TABLE [IF EXISTS] table [CASCADE]."""

    table: TableName
    if_exists: bool = False
    cascade: bool = False
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class IndexKey:
    """One key of an index; as in `Order`."""

    column: Name
    descending: bool = False
    nulls_first: bool | None = None


@dataclass(frozen=True, slots=True)
class CreateIndex:
    """CREATE [UNIQUE] INDEX [IF NOT EXISTS] [name] ON table (keys)."""

    name: str | None
    table: TableName
    keys: tuple[IndexKey, ...]
    is_unique: bool = False
    if_not_exists: bool = False
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DropIndex:
    """DROP INDEX [IF EXISTS] index, whose name is like a table's."""

    index: TableName
    if_exists: bool = False
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AddColumn:
    """ADD [COLUMN] [IF NOT EXISTS] column."""

    column: ColumnDefinition
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropColumn:
    """DROP [COLUMN] [IF EXISTS] column [CASCADE]."""

    column: Name
    if_exists: bool = False
    cascade: bool = False


@dataclass(frozen=True, slots=True)
class RenameColumn:
    """RENAME [COLUMN] column TO name."""

    column: Name
    name: str


@dataclass(frozen=True, slots=True)
class RenameTable:
    """RENAME TO name."""

    name: str
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SetAccessLevel:
    """SET ACCESS_LEVEL [=] 'level'."""

    level: Option


@dataclass(frozen=True, slots=True)
class AddConstraint:
    """ADD [CONSTRAINT name] constraint."""

    constraint: Constraint


@dataclass(frozen=True, slots=True)
class DropConstraint:
    """DROP CONSTRAINT [IF EXISTS] name [CASCADE]."""

    name: Name
    if_exists: bool = False
    cascade: bool = False


TableChange = AddColumn | DropColumn | RenameColumn | RenameTable | SetAccessLevel | AddConstraint | DropConstraint


@dataclass(frozen=True, slots=True)
class AlterTable:
    """ALTER TABLE [IF EXISTS] table change."""

    table: TableName
    change: TableChange
    if_exists: bool = False
    at: int = field(default=0, compare=False, repr=False)


Definition = CreateNamespace | DropNamespace | CreateTable | DropTable | AlterTable | CreateIndex | DropIndex
Standalone = Definition | AccountStatement
"""What has no plan, and is all of its request."""
Statement = Query | Standalone
