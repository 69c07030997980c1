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
    "CommonTable",
    "Default",
    "Delete",
    "DerivedTable",
    "Exists",
    "Expression",
    "Frame",
    "FrameBound",
    "FromItem",
    "InList",
    "InQuery",
    "Infix",
    "Insert",
    "IsDistinct",
    "IsTest",
    "Join",
    "Like",
    "Literal",
    "LiteralKind",
    "Name",
    "Not",
    "OnConflict",
    "Or",
    "Order",
    "Parameter",
    "Prefix",
    "Quantified",
    "Query",
    "Rows",
    "Select",
    "SetOperation",
    "Star",
    "Subquery",
    "TableName",
    "Target",
    "Truncate",
    "Update",
    "Values",
    "Window",
    "With",
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
class FrameBound:
    """Where a frame begins or ends. `offset`: of PRECEDING and FOLLOWING; None is UNBOUNDED."""

    kind: Word["preceding", "current row", "following"]
    offset: "Expression | None" = None


@_node
class Frame:
    """`mode BETWEEN start AND end [EXCLUDE ...]`; without BETWEEN the end is CURRENT ROW."""

    mode: Word["rows", "range", "groups"]
    start: FrameBound
    end: FrameBound
    exclude: Word["current row", "group", "ties"] | None = None
    at: int = field(default=0, compare=False, repr=False)


@_node
class Window:
    """`(base PARTITION BY ... ORDER BY ... frame)`. `base`: the name of the window that it goes on from.

    `is_name`: it is no more than that name, as in `OVER w`, which takes the frame of the other too.
    """

    base: str | None = None
    partition: tuple["Expression", ...] = ()
    order: tuple["Order", ...] = ()
    frame: Frame | None = None
    is_name: bool = False
    at: int = field(default=0, compare=False, repr=False)


@_node
class Call:
    """`name(arguments)`, `name(*)`, `name(DISTINCT arguments)`; CURRENT_USER and its like have no brackets.

    `condition`: of FILTER (WHERE ...). `over`: the window of a window function.
    """

    name: str
    arguments: tuple["Expression", ...] = ()
    star: bool = False
    distinct: bool = False
    condition: "Expression | None" = None
    over: Window | None = None
    at: int = field(default=0, compare=False, repr=False)


@_node
class Case:
    """`CASE [operand] WHEN test THEN value ... [ELSE otherwise] END`."""

    operand: "Expression | None"
    whens: tuple[tuple["Expression", "Expression"], ...]
    otherwise: "Expression | None"
    at: int = field(default=0, compare=False, repr=False)


@_node
class Subquery:
    """`(query)` as a value."""

    query: "Rows"
    at: int = field(default=0, compare=False, repr=False)


@_node
class Exists:
    """`EXISTS (query)`."""

    query: "Rows"
    at: int = field(default=0, compare=False, repr=False)


@_node
class InQuery:
    """`operand [NOT] IN (query)`."""

    operand: "Expression"
    query: "Rows"
    negated: bool = False
    at: int = field(default=0, compare=False, repr=False)


@_node
class Quantified:
    """`operand operator ANY | SOME | ALL (query)`."""

    operand: "Expression"
    operator: str
    quantifier: Word["any", "all"]
    query: "Rows"
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
    | Subquery
    | Exists
    | InQuery
    | Quantified
)


@_node
class TableName:
    """`[namespace.]name [AS alias [(columns)]]`."""

    namespace: str | None
    name: str
    alias: str | None = None
    columns: tuple[str, ...] = ()
    at: int = field(default=0, compare=False, repr=False)


@_node
class DerivedTable:
    """`(query) AS alias [(columns)]`."""

    query: "Rows"
    alias: str
    columns: tuple[str, ...] = ()
    at: int = field(default=0, compare=False, repr=False)


@_node
class Join:
    """`left kind JOIN right ON condition | USING (columns)`; CROSS JOIN is INNER without either."""

    kind: Word["inner", "left", "right", "full"]
    left: "FromItem"
    right: "FromItem"
    condition: Expression | None = None
    using: tuple[Name, ...] = ()
    at: int = field(default=0, compare=False, repr=False)


FromItem = TableName | DerivedTable | Join


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
class CommonTable:
    """`name [(columns)] AS (query)`."""

    name: str
    columns: tuple[str, ...]
    query: "Rows"
    at: int = field(default=0, compare=False, repr=False)


@_node
class With:
    """`WITH [RECURSIVE] tables`."""

    tables: tuple[CommonTable, ...]
    recursive: bool = False
    at: int = field(default=0, compare=False, repr=False)


@_node
class Select:
    """`sources`: what stands between the commas of FROM. `limit` and `offset` None: not given. LIMIT ALL is NULL.

    `distinct_on`: the keys of DISTINCT ON. `windows`: name and definition, of WINDOW.
    """

    targets: tuple[Target, ...]
    sources: tuple[FromItem, ...] = ()
    where: Expression | None = None
    group: tuple[Expression, ...] = ()
    having: Expression | None = None
    windows: tuple[tuple[str, Window], ...] = ()
    order: tuple[Order, ...] = ()
    limit: Expression | None = None
    offset: Expression | None = None
    distinct: bool = False
    distinct_on: tuple[Expression, ...] = ()
    common: With | None = None
    at: int = field(default=0, compare=False, repr=False)


@_node
class Values:
    """`VALUES (...), ...` as a query; its columns are `column1`, `column2`, ..."""

    rows: tuple[tuple[Expression, ...], ...]
    order: tuple[Order, ...] = ()
    limit: Expression | None = None
    offset: Expression | None = None
    common: With | None = None
    at: int = field(default=0, compare=False, repr=False)


@_node
class SetOperation:
    """`left UNION | INTERSECT | EXCEPT [ALL] right`; ORDER BY, LIMIT and WITH are of the whole."""

    operator: Word["union", "intersect", "except"]
    all: bool
    left: "Rows"
    right: "Rows"
    order: tuple[Order, ...] = ()
    limit: Expression | None = None
    offset: Expression | None = None
    common: With | None = None
    at: int = field(default=0, compare=False, repr=False)


Rows = Select | Values | SetOperation
"""A query that only reads."""


@_node
class OnConflict:
    """`ON CONFLICT [(columns) | ON CONSTRAINT constraint] DO NOTHING | DO UPDATE SET ... [WHERE ...]`.

    `sets` None: DO NOTHING.
    """

    columns: tuple[Name, ...] = ()
    constraint: str | None = None
    sets: tuple[tuple[Name, Expression | Default], ...] | None = None
    where: Expression | None = None
    at: int = field(default=0, compare=False, repr=False)


@_node
class Insert:
    """`columns` empty: all of the table's, in order. `rows` empty, and no query: DEFAULT VALUES.

    `query`: instead of `rows`; VALUES with nothing behind them are rows.
    """

    table: TableName
    columns: tuple[Name, ...]
    rows: tuple[tuple[Expression | Default, ...], ...] = ()
    query: Rows | None = None
    conflict: OnConflict | None = None
    returning: tuple[Target, ...] = ()
    common: With | None = None
    at: int = field(default=0, compare=False, repr=False)


@_node
class Update:
    """SET in the order written. `sources`: of FROM."""

    table: TableName
    sets: tuple[tuple[Name, Expression | Default], ...]
    sources: tuple[FromItem, ...] = ()
    where: Expression | None = None
    returning: tuple[Target, ...] = ()
    common: With | None = None
    at: int = field(default=0, compare=False, repr=False)


@_node
class Delete:
    """DELETE FROM table. `sources`: of USING."""

    table: TableName
    sources: tuple[FromItem, ...] = ()
    where: Expression | None = None
    returning: tuple[Target, ...] = ()
    common: With | None = None
    at: int = field(default=0, compare=False, repr=False)


@_node
class Truncate:
    """TRUNCATE [TABLE] table: it deletes the rows that the user may delete."""

    table: TableName
    at: int = field(default=0, compare=False, repr=False)


Query = Rows | Insert | Update | Delete | Truncate


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
