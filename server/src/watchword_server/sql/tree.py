"""Expressions as they are meant: every name bound, everything with its type, all that is allowed and no more.

Made by the resolver, read by the generator. What these classes, and those of `query_tree`, cannot say does not reach
the engine.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from typing import Literal as Word

from watchword_server.sql.catalog import Column
from watchword_server.sql.plan import BindKind, StoredValue
from watchword_server.sql.types import SqlType

if TYPE_CHECKING:
    from watchword_server.sql.query_tree import RowsTree

__all__ = [
    "QUERIES",
    "Aggregate",
    "Apply",
    "Bound",
    "Case",
    "Chain",
    "ColumnValue",
    "Constant",
    "Exists",
    "Expression",
    "FrameBound",
    "FrameTree",
    "InList",
    "InRows",
    "Key",
    "Quantified",
    "Scalar",
    "Template",
    "WindowCall",
    "WindowTree",
    "children",
    "place_of",
    "walk_expressions",
]

_CALL = re.compile(r"\b([a-z_][a-z0-9_]*)\(")
_PLACE = ", {at}"
_TAIL = "{tail}"
_TOKEN = re.compile(r"\{[0-9]\}|[A-Za-z_0-9]+\(|[A-Za-z_0-9.]+|'[^']*'|[^\s\w]")


class Template:
    """One rule of the engine's text.

    Args:
        text: With `{0}`, `{1}`, ... where the arguments go, each once, so that text cannot grow by nesting;
            functions of the engine are in small letters, the engine's own words in capitals. `{at}`: the number of the
            place, for a function that fails. `{tail}`: where FILTER and OVER go, behind an aggregate's brackets.
        raises: It can fail on some row, or make a value that is too large.
        safe: It can neither fail nor take long, whatever is in the row.
        variadic: `{0}` takes all arguments.
        volatile: The function's name as users write it, where every call of it gives another value.
        also: Functions of the engine that the text does not show (the operator LIKE is one).
        links: `{0}` may be the same template again, and stands without brackets of its own then.

    `stack`: for each argument, how much the engine's parser holds at most when it comes to it.
    """

    __slots__ = ("functions", "has_place", "links", "raises", "safe", "stack", "text", "variadic", "volatile")

    def __init__(
        self,
        text: str,
        *,
        raises: bool = False,
        safe: bool = False,
        variadic: bool = False,
        also: tuple[str, ...] = (),
        links: bool = False,
        volatile: str | None = None,
    ) -> None:
        self.text = text
        self.raises = raises
        self.safe = safe
        self.variadic = variadic
        self.links = links
        self.volatile = volatile
        self.has_place = _PLACE in text
        self.stack = _stack(text)
        self.functions = frozenset(_CALL.findall(text)) | frozenset(also)

    def __repr__(self) -> str:
        return f"<Template {self.text}>"

    def fill(self, arguments: list[str], place: int = 0, tail: str = "") -> str:
        """The text with the arguments in it, the number of the place, and an aggregate's FILTER and OVER."""
        if self.variadic:
            return self.text.format(", ".join(arguments), at=place, tail=tail)
        return self.text.format(*arguments, at=place, tail=tail)

    def fill_links(self, arguments: list[str]) -> str:
        """The text of a chain: of `({0} || {1})` it is `(a || b || c)`."""
        first, *rest = arguments
        for argument in rest:
            first = self.text[1:-1].format(first, argument)
        return f"({first})"


def _stack(text: str) -> tuple[int, ...]:
    """Tokens before each argument, and one more for the empty DISTINCT of each call: never too few."""
    found: dict[int, int] = {}
    seen = 0
    for token in _TOKEN.findall(text.replace(_PLACE, "").replace(_TAIL, "")):  # which come behind the arguments
        if token[0] == "{":
            found[int(token[1:-1])] = seen
        seen += 2 if token[-1] == "(" and len(token) > 1 else 1
        seen += token[-1] == "(" and len(token) > 1
    return tuple(found[place] for place in sorted(found))


@dataclass(frozen=True, slots=True)
class Constant:
    """A value in stored form. Of type UNKNOWN, until its place gives it a type, the text between the quotes."""

    type: SqlType
    value: StoredValue


@dataclass(slots=True)
class Bound:
    """What is bound when the statement runs. `number`: of the request's parameter. `is_cast`: its type was written.

    The one node that changes: where a `$n` stands is told before its type is, which is UNKNOWN until then.
    """

    type: SqlType
    kind: BindKind = BindKind.PARAMETER
    number: int = 0
    is_cast: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class ColumnValue:
    """A column of a source of the statement's, of this query or of one around it.

    `source`: its number. `label`: what the user calls it, where that is not the column's own name. `at`: as of `Apply`.
    """

    column: Column
    source: int
    at: int = field(default=0, compare=False, repr=False)
    label: str = field(default="", compare=False, repr=False)

    @property
    def type(self) -> SqlType:
        """The column's."""
        return self.column.type

    @property
    def title(self) -> str:
        """Its name, for messages."""
        return self.label or self.column.name


@dataclass(frozen=True, slots=True)
class Apply:
    """An operator, a function or a cast: its template says what it is.

    `at`: the offset of what was written, as in nodes; equal expressions are equal wherever they stand.
    """

    type: SqlType
    template: Template
    arguments: "tuple[Expression, ...]"
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """All of them, or one of them."""

    word: Word["AND", "OR"]
    items: "tuple[Expression, ...]"

    @property
    def type(self) -> SqlType:
        """Boolean."""
        return SqlType.BOOLEAN


@dataclass(frozen=True, slots=True)
class InList:
    """`operand IN (items)`, all of one type."""

    operand: "Expression"
    items: "tuple[Expression, ...]"

    @property
    def type(self) -> SqlType:
        """Boolean."""
        return SqlType.BOOLEAN


@dataclass(frozen=True, slots=True)
class Case:
    """With an operand the tests are of its type, without one they are boolean."""

    type: SqlType
    operand: "Expression | None"
    whens: "tuple[tuple[Expression, Expression], ...]"
    otherwise: "Expression | None"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One value of a group's rows, of those for which `condition` is true. `argument` None: count(*)."""

    type: SqlType
    template: Template
    argument: "Expression | None"
    distinct: bool = False
    condition: "Expression | None" = None
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class FrameBound:
    """Where a frame begins or ends; `offset` None is UNBOUNDED."""

    kind: Word["preceding", "current row", "following"]
    offset: "Expression | None" = None


@dataclass(frozen=True, slots=True)
class FrameTree:
    """The rows around the current one that a window function looks at."""

    mode: Word["rows", "range", "groups"]
    start: FrameBound
    end: FrameBound
    exclude: Word["current row", "group", "ties"] | None


@dataclass(frozen=True, slots=True)
class WindowTree:
    """The rows that a window function looks at, and their order."""

    partition: "tuple[Expression, ...]" = ()
    order: "tuple[Key, ...]" = ()
    frame: FrameTree | None = None


@dataclass(frozen=True, slots=True)
class WindowCall:
    """One value of the rows around each row, of those for which `condition` is true."""

    type: SqlType
    template: Template
    arguments: "tuple[Expression, ...]"
    window: WindowTree
    condition: "Expression | None" = None
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """The one value of a query, NULL if it has no row. `is_single`: it has no second row, whatever the tables hold."""

    type: SqlType
    query: "RowsTree"
    is_single: bool
    at: int = field(default=0, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Exists:
    """Whether a query has a row."""

    query: "RowsTree"

    @property
    def type(self) -> SqlType:
        """Boolean."""
        return SqlType.BOOLEAN


@dataclass(frozen=True, slots=True, eq=False)
class InRows:
    """`operand IN (query)`, of one column of the operand's type."""

    operand: "Expression"
    query: "RowsTree"

    @property
    def type(self) -> SqlType:
        """Boolean."""
        return SqlType.BOOLEAN


@dataclass(frozen=True, slots=True, eq=False)
class Quantified:
    """Whether `condition` is true for any row of the query, or for all; `source` is the query's number in it."""

    condition: "Expression"
    quantifier: Word["any", "all"]
    source: int
    query: "RowsTree"

    @property
    def type(self) -> SqlType:
        """Boolean."""
        return SqlType.BOOLEAN


Expression = (
    Constant
    | Bound
    | ColumnValue
    | Apply
    | Chain
    | InList
    | Case
    | Aggregate
    | WindowCall
    | Scalar
    | Exists
    | InRows
    | Quantified
)

QUERIES: Final = (Scalar, Exists, InRows, Quantified)
"""Expressions with a query in them."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of ORDER BY. `output`: the number, from 1, of the output that it is; else `expression`."""

    output: int | None
    expression: Expression
    descending: bool
    nulls_first: bool


_PLACED: Final = (Apply, Aggregate, ColumnValue, WindowCall, Scalar)


def children(expression: Expression) -> tuple[Expression, ...]:
    """What the expression is made of, one level down, without the queries in it."""
    match expression:
        case Constant() | Bound() | ColumnValue() | Scalar() | Exists():
            return ()
        case Apply():
            return expression.arguments
        case Chain():
            return expression.items
        case InList():
            return (expression.operand, *expression.items)
        case Aggregate():
            return tuple(each for each in (expression.argument, expression.condition) if each is not None)
        case InRows():
            return (expression.operand,)
        case Quantified():
            return (expression.condition,)
        case WindowCall():
            return _of_window(expression)
        case Case():
            pairs = tuple(each for pair in expression.whens for each in pair)
            ends = tuple(each for each in (expression.operand, expression.otherwise) if each is not None)
            return pairs + ends


def _of_window(call: WindowCall) -> tuple[Expression, ...]:
    window = call.window
    found = [*call.arguments, *window.partition, *(key.expression for key in window.order)]
    if call.condition is not None:
        found.append(call.condition)
    if window.frame is not None:
        found += [each.offset for each in (window.frame.start, window.frame.end) if each.offset is not None]
    return tuple(found)


def place_of(expression: Expression) -> int | None:
    """Where it was written: the place of its outermost part that knows its own; None where none does."""
    placed = (each.at for each in walk_expressions(expression) if isinstance(each, _PLACED))
    return next(filter(None, placed), None)


def walk_expressions(*expressions: Expression | None) -> Iterator[Expression]:
    """The expressions and everything in them, without the queries."""
    stack = [each for each in expressions if each is not None]
    while stack:
        here = stack.pop()
        yield here
        stack.extend(children(here))
