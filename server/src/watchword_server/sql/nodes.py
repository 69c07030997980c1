"""The syntax of a statement, as it was written: what these classes cannot say is not supported.

Made by the parser, read by the resolver. `at` is the offset in characters of the construct, for error messages; two
nodes are equal when they say the same, wherever it stands.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from enum import Enum, unique
from typing import Literal as Word
from typing import TypeVar, dataclass_transform

__all__ = [
    "And",
    "Between",
    "Call",
    "Case",
    "Cast",
    "Default",
    "Delete",
    "Expression",
    "InList",
    "Infix",
    "Insert",
    "IsDistinct",
    "IsTest",
    "Like",
    "Literal",
    "LiteralKind",
    "Name",
    "Not",
    "Or",
    "Order",
    "Parameter",
    "Prefix",
    "Query",
    "Select",
    "Star",
    "TableName",
    "Target",
    "Truncate",
    "Update",
    "walk",
]

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def _node(cls: type[_T]) -> type[_T]:
    return dataclass(frozen=True, slots=True)(cls)


@unique
class LiteralKind(Enum):
    """How a literal was written."""

    TEXT = "a quoted string, of unknown type"
    INTEGER = "digits, with a sign perhaps"
    DECIMAL = "digits with a point or an exponent"
    BOOLEAN = "TRUE or FALSE"
    NULL = "NULL"


@_node
class Literal:
    """A constant. `text`: decoded for TEXT, as written for numbers, "true" or "false", empty for NULL."""

    kind: LiteralKind
    text: str
    at: int = field(default=0, compare=False, repr=False)


@_node
class Parameter:
    """`$number`, from 1."""

    number: int
    at: int = field(default=0, compare=False, repr=False)


@_node
class Name:
    """A column: `name` or `table.name`."""

    table: str | None
    name: str
    at: int = field(default=0, compare=False, repr=False)


@_node
class Star:
    """`*` or `table.*`, only as a target."""

    table: str | None
    at: int = field(default=0, compare=False, repr=False)


@_node
class Infix:
    """`left operator right`, of the operators `+ - * / % || = <> < <= > >=`."""

    operator: str
    left: "Expression"
    right: "Expression"
    at: int = field(default=0, compare=False, repr=False)


@_node
class Prefix:
    """`- operand`; a plus sign leaves no node, and a minus before a number belongs to the number."""

    operator: Word["-"]
    operand: "Expression"
    at: int = field(default=0, compare=False, repr=False)


@_node
class And:
    """All of them: a chain of any length is one node."""

    items: tuple["Expression", ...]
    at: int = field(default=0, compare=False, repr=False)


@_node
class Or:
    """One of them."""

    items: tuple["Expression", ...]
    at: int = field(default=0, compare=False, repr=False)


@_node
class Not:
    """`NOT operand`."""

    operand: "Expression"
    at: int = field(default=0, compare=False, repr=False)


@_node
class IsTest:
    """`operand IS [NOT] NULL | TRUE | FALSE | UNKNOWN`."""

    operand: "Expression"
    what: Word["null", "true", "false", "unknown"]
    negated: bool = False
    at: int = field(default=0, compare=False, repr=False)


@_node
class IsDistinct:
    """`left IS [NOT] DISTINCT FROM right`."""

    left: "Expression"
    right: "Expression"
    negated: bool = False
    at: int = field(default=0, compare=False, repr=False)


@_node
class Between:
    """`operand [NOT] BETWEEN low AND high`."""

    operand: "Expression"
    low: "Expression"
    high: "Expression"
    negated: bool = False
    at: int = field(default=0, compare=False, repr=False)


@_node
class InList:
    """`operand [NOT] IN (items)`."""

    operand: "Expression"
    items: tuple["Expression", ...]
    negated: bool = False
    at: int = field(default=0, compare=False, repr=False)


@_node
class Like:
    """`operand [NOT] LIKE | ILIKE pattern`, with PostgreSQL's backslash as escape."""

    operand: "Expression"
    pattern: "Expression"
    ignores_case: bool = False
    negated: bool = False
    at: int = field(default=0, compare=False, repr=False)


@_node
class Cast:
    """`CAST(operand AS type)` or `operand::type`; `type` as written, folded, several words joined by one space."""

    operand: "Expression"
    type: str
    at: int = field(default=0, compare=False, repr=False)


@_node
class Call:
    """`name(arguments)`, `name(*)`, `name(DISTINCT arguments)`; CURRENT_USER and its like have no brackets."""

    name: str
    arguments: tuple["Expression", ...] = ()
    star: bool = False
    distinct: bool = False
    at: int = field(default=0, compare=False, repr=False)


@_node
class Case:
    """`CASE [operand] WHEN test THEN value ... [ELSE otherwise] END`."""

    operand: "Expression | None"
    whens: tuple[tuple["Expression", "Expression"], ...]
    otherwise: "Expression | None"
    at: int = field(default=0, compare=False, repr=False)


@_node
class Default:
    """DEFAULT, in VALUES and SET only."""

    at: int = field(default=0, compare=False, repr=False)


Expression = (
    Literal
    | Parameter
    | Name
    | Infix
    | Prefix
    | And
    | Or
    | Not
    | IsTest
    | IsDistinct
    | Between
    | InList
    | Like
    | Cast
    | Call
    | Case
)


@_node
class TableName:
    """`[namespace.]name [AS alias]`."""

    namespace: str | None
    name: str
    alias: str | None = None
    at: int = field(default=0, compare=False, repr=False)


@_node
class Target:
    """One output: an expression with its alias, or a star."""

    expression: Expression | Star
    alias: str | None = None


@_node
class Order:
    """One key of ORDER BY; `nulls_first` None: PostgreSQL's default, last ascending and first descending."""

    expression: Expression
    descending: bool = False
    nulls_first: bool | None = None


@_node
class Select:
    """One table or none; `limit` and `offset` None: not given. LIMIT ALL is none."""

    targets: tuple[Target, ...]
    table: TableName | None = None
    where: Expression | None = None
    group: tuple[Expression, ...] = ()
    having: Expression | None = None
    order: tuple[Order, ...] = ()
    limit: Expression | None = None
    offset: Expression | None = None
    distinct: bool = False
    at: int = field(default=0, compare=False, repr=False)


@_node
class Insert:
    """`columns` empty: all of the table's, in order. `rows` empty: DEFAULT VALUES."""

    table: TableName
    columns: tuple[Name, ...]
    rows: tuple[tuple[Expression | Default, ...], ...]
    returning: tuple[Target, ...] = ()
    at: int = field(default=0, compare=False, repr=False)


@_node
class Update:
    """SET in the order written."""

    table: TableName
    sets: tuple[tuple[Name, Expression | Default], ...]
    where: Expression | None = None
    returning: tuple[Target, ...] = ()
    at: int = field(default=0, compare=False, repr=False)


@_node
class Delete:
    """DELETE FROM table."""

    table: TableName
    where: Expression | None = None
    returning: tuple[Target, ...] = ()
    at: int = field(default=0, compare=False, repr=False)


@_node
class Truncate:
    """TRUNCATE [TABLE] table: it deletes the rows that the user may delete."""

    table: TableName
    at: int = field(default=0, compare=False, repr=False)


Query = Select | Insert | Update | Delete | Truncate


def walk(node: object) -> Iterator[object]:
    """The node and everything in it."""
    stack = [node]
    while stack:
        here = stack.pop()
        if isinstance(here, tuple):
            stack.extend(here)
        elif hasattr(type(here), "__dataclass_fields__"):
            yield here
            stack.extend(getattr(here, each.name) for each in fields(here))  # type: ignore[arg-type]  # a dataclass
