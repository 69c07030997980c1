"""A statement as it is meant: every name bound, every expression with its type, everything that is allowed and no more.

Made by the resolver, read by the generator. What these classes cannot say does not reach the engine.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal as Word

from watchword_server.sql.catalog import Column, Table
from watchword_server.sql.plan import BindKind, RowCheck, StoredValue
from watchword_server.sql.types import SqlType

__all__ = [
    "Aggregate",
    "Apply",
    "Bound",
    "Case",
    "Chain",
    "ColumnValue",
    "Constant",
    "DeleteTree",
    "Expression",
    "InList",
    "InsertTree",
    "Key",
    "OutputTree",
    "RowTest",
    "SelectTree",
    "Template",
    "Tree",
    "UpdateTree",
    "children",
    "place_of",
    "walk_expressions",
]

_CALL = re.compile(r"\b([a-z_][a-z0-9_]*)\(")
_PLACE = ", {at}"
_TOKEN = re.compile(r"\{[0-9]\}|[A-Za-z_0-9]+\(|[A-Za-z_0-9.]+|'[^']*'|[^\s\w]")


class Template:
    """One rule of the engine's text.

    Args:
        text: With `{0}`, `{1}`, ... where the arguments go, each once, so that text cannot grow by nesting;
            functions of the engine are in small letters, the engine's own words in capitals. `{at}`: the number of the
            place, for a function that fails.
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

    def fill(self, arguments: list[str], place: int = 0) -> str:
        """The text with the arguments in it, and the number of the place."""
        if self.variadic:
            return self.text.format(", ".join(arguments), at=place)
        return self.text.format(*arguments, at=place)

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
    for token in _TOKEN.findall(text.replace(_PLACE, "")):  # which comes behind the arguments
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
    """A column of the statement's one table. `at`: as of `Apply`."""

    column: Column
    at: int = field(default=0, compare=False, repr=False)

    @property
    def type(self) -> SqlType:
        """The column's."""
        return self.column.type


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
    """One value of a group's rows. `argument` None: count(*)."""

    type: SqlType
    template: Template
    argument: "Expression | None"
    distinct: bool = False
    at: int = field(default=0, compare=False, repr=False)


Expression = Constant | Bound | ColumnValue | Apply | Chain | InList | Case | Aggregate


@dataclass(frozen=True, slots=True)
class OutputTree:
    """One column of the result."""

    name: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Key:
    """One key of ORDER BY. `output`: the number, from 1, of the output that it is; else `expression`."""

    output: int | None
    expression: Expression
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class SelectTree:
    """`grouped`: one row for each group, or one for all where `group` is empty. `limit`, `offset`: of type BIGINT."""

    table: Table | None
    outputs: tuple[OutputTree, ...]
    where: Expression | None = None
    grouped: bool = False
    group: tuple[Expression, ...] = ()
    having: Expression | None = None
    order: tuple[Key, ...] = ()
    limit: Expression | None = None
    offset: Expression | None = None
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class RowTest:
    """What is asked of each row as it was written: the condition is not false; where `is_strict`, it is true."""

    condition: Expression
    check: RowCheck
    is_strict: bool = False


@dataclass(frozen=True, slots=True)
class InsertTree:
    """Each row has one value for each of `columns`; the other columns of the table have constant defaults."""

    table: Table
    columns: tuple[Column, ...]
    rows: tuple[tuple[Expression, ...], ...]
    returning: tuple[OutputTree, ...] = ()
    tests: tuple[RowTest, ...] = ()


@dataclass(frozen=True, slots=True)
class UpdateTree:
    """Values are computed from the row as it was."""

    table: Table
    sets: tuple[tuple[Column, Expression], ...]
    where: Expression | None = None
    returning: tuple[OutputTree, ...] = ()
    tests: tuple[RowTest, ...] = ()


@dataclass(frozen=True, slots=True)
class DeleteTree:
    """The rows that go; all without `where`."""

    table: Table
    where: Expression | None = None
    returning: tuple[OutputTree, ...] = ()


Tree = SelectTree | InsertTree | UpdateTree | DeleteTree


def children(expression: Expression) -> tuple[Expression, ...]:
    """What the expression is made of, one level down."""
    match expression:
        case Constant() | Bound() | ColumnValue():
            return ()
        case Apply():
            return expression.arguments
        case Chain():
            return expression.items
        case InList():
            return (expression.operand, *expression.items)
        case Aggregate():
            return () if expression.argument is None else (expression.argument,)
        case Case():
            pairs = tuple(each for pair in expression.whens for each in pair)
            ends = tuple(each for each in (expression.operand, expression.otherwise) if each is not None)
            return pairs + ends


def place_of(expression: Expression) -> int | None:
    """Where it was written: the place of its outermost part that knows its own; None where none does."""
    placed = (each.at for each in walk_expressions(expression) if isinstance(each, (Apply, Aggregate, ColumnValue)))
    return next(filter(None, placed), None)


def walk_expressions(*expressions: Expression | None) -> Iterator[Expression]:
    """The expressions and everything in them."""
    stack = [each for each in expressions if each is not None]
    while stack:
        here = stack.pop()
        yield here
        stack.extend(children(here))
