"""Statements as they are meant: sources with numbers of their own, and what is made of their rows.

A number stands for one source in the whole statement, so that a query may name the columns of one around it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from typing import Literal as Word

from watchword_server.sql.catalog import Column, Table
from watchword_server.sql.plan import RowCheck
from watchword_server.sql.tree import QUERIES, Chain, ColumnValue, Expression, Key, walk_expressions
from watchword_server.sql.types import SqlType

__all__ = [
    "EXCLUDED",
    "CommonSource",
    "CommonTree",
    "ConflictTree",
    "DeleteTree",
    "InsertTree",
    "JoinTree",
    "OutputTree",
    "QuerySource",
    "RowTest",
    "RowsTree",
    "SelectTree",
    "SetTree",
    "SourceTree",
    "TableSource",
    "Tree",
    "UpdateTree",
    "ValuesTree",
    "all_expressions",
    "all_queries",
    "columns_in",
    "conditions_of",
    "conjuncts",
    "joins_in",
    "leaves",
    "nested_queries",
    "roots",
]

EXCLUDED: Final = 0
"""The number of the row that ON CONFLICT did not insert; sources count from 1."""


@dataclass(frozen=True, slots=True)
class OutputTree:
    """One column of the result."""

    name: str
    expression: Expression

    @property
    def type(self) -> SqlType:
        """The expression's."""
        return self.expression.type


@dataclass(frozen=True, slots=True)
class TableSource:
    """A table of the catalog."""

    number: int
    table: Table


@dataclass(frozen=True, slots=True)
class QuerySource:
    """A query in FROM."""

    number: int
    query: "RowsTree"


@dataclass(frozen=True, slots=True)
class CommonSource:
    """A query of WITH, by its number."""

    number: int
    common: int


@dataclass(frozen=True, slots=True)
class JoinTree:
    """Two sources, and what their rows have to do with each other."""

    kind: Word["inner", "left", "right", "full"]
    left: "SourceTree"
    right: "SourceTree"
    condition: Expression | None


SourceTree = TableSource | QuerySource | CommonSource | JoinTree


@dataclass(frozen=True, slots=True)
class CommonTree:
    """A query of WITH. `is_recursive`: it is a union whose right side reads its own rows."""

    number: int
    query: "RowsTree"
    is_recursive: bool = False


@dataclass(frozen=True, slots=True)
class SelectTree:
    """`grouped`: one row for each group, or one for all where `group` is empty. `limit`, `offset`: of type BIGINT.

    `distinct_on`: of the rows for which these are equal, the first.
    """

    sources: tuple[SourceTree, ...]
    outputs: tuple[OutputTree, ...]
    where: Expression | None = None
    grouped: bool = False
    group: tuple[Expression, ...] = ()
    having: Expression | None = None
    order: tuple[Key, ...] = ()
    limit: Expression | None = None
    offset: Expression | None = None
    distinct: bool = False
    distinct_on: tuple[Expression, ...] = ()
    commons: tuple[CommonTree, ...] = ()


@dataclass(frozen=True, slots=True)
class ValuesTree:
    """Rows written out; all of a column are of one type."""

    rows: tuple[tuple[Expression, ...], ...]

    @property
    def outputs(self) -> tuple[OutputTree, ...]:
        """Of the first row, with PostgreSQL's names."""
        return tuple(OutputTree(f"column{place}", value) for place, value in enumerate(self.rows[0], 1))


@dataclass(frozen=True, slots=True)
class SetTree:
    """`left operator right`, whose columns are of the same types; those of the result have the names of the left."""

    operator: Word["UNION", "UNION ALL", "INTERSECT", "EXCEPT"]
    left: "RowsTree"
    right: "RowsTree"

    @property
    def outputs(self) -> tuple[OutputTree, ...]:
        """Of the left side."""
        return self.left.outputs


RowsTree = SelectTree | ValuesTree | SetTree


@dataclass(frozen=True, slots=True)
class ConflictTree:
    """What becomes of a row that has the key of another. `key` empty: any unique key. `sets` None: nothing."""

    key: tuple[str, ...]
    sets: tuple[tuple[Column, Expression], ...] | None = None
    where: Expression | None = None
    at: int = 0


@dataclass(frozen=True, slots=True)
class RowTest:
    """What is asked of each row as it was written: the condition is not false; where `is_strict`, it is true."""

    condition: Expression
    check: RowCheck
    is_strict: bool = False


@dataclass(frozen=True, slots=True)
class InsertTree:
    """The rows have one value for each of `columns`; the other columns of the table have constant defaults.

    `rows` None: one row of defaults.
    """

    target: TableSource
    columns: tuple[Column, ...]
    rows: RowsTree | None
    conflict: ConflictTree | None = None
    returning: tuple[OutputTree, ...] = ()
    commons: tuple[CommonTree, ...] = ()
    tests: tuple[RowTest, ...] = ()


@dataclass(frozen=True, slots=True)
class UpdateTree:
    """Values are computed from the row as it was, and from those of `sources` that `where` finds for it."""

    target: TableSource
    sets: tuple[tuple[Column, Expression], ...]
    sources: tuple[SourceTree, ...] = ()
    where: Expression | None = None
    returning: tuple[OutputTree, ...] = ()
    commons: tuple[CommonTree, ...] = ()
    tests: tuple[RowTest, ...] = ()


@dataclass(frozen=True, slots=True)
class DeleteTree:
    """The rows that go; all without `where`."""

    target: TableSource
    sources: tuple[SourceTree, ...] = ()
    where: Expression | None = None
    returning: tuple[OutputTree, ...] = ()
    commons: tuple[CommonTree, ...] = ()


Tree = RowsTree | InsertTree | UpdateTree | DeleteTree


def leaves(sources: tuple[SourceTree, ...]) -> Iterator[TableSource | QuerySource | CommonSource]:
    """The sources without the joins that hold them, from left to right."""
    for source in sources:
        if isinstance(source, JoinTree):
            yield from leaves((source.left, source.right))
        else:
            yield source


def conjuncts(condition: Expression | None) -> tuple[Expression, ...]:
    """What must all be true."""
    if condition is None:
        return ()
    if isinstance(condition, Chain) and condition.word == "AND":
        return tuple(each for item in condition.items for each in conjuncts(item))
    return (condition,)


def joins_in(sources: tuple[SourceTree, ...]) -> Iterator[JoinTree]:
    """Every join, those within others too."""
    for source in sources:
        if isinstance(source, JoinTree):
            yield source
            yield from joins_in((source.left, source.right))


def conditions_of(tree: Tree) -> Iterator[Expression]:
    """What decides about rows: ON, WHERE, HAVING."""
    if isinstance(tree, (SelectTree, UpdateTree, DeleteTree)):
        yield from _conditions(tree.sources)
        yield from _given(tree.where, tree.having if isinstance(tree, SelectTree) else None)


def _conditions(sources: tuple[SourceTree, ...]) -> Iterator[Expression]:
    for source in sources:
        if isinstance(source, JoinTree):
            yield from _conditions((source.left, source.right))
            yield from _given(source.condition)


def _given(*expressions: Expression | None) -> Iterator[Expression]:
    return (each for each in expressions if each is not None)


def roots(tree: Tree) -> Iterator[Expression]:
    """Every expression that stands on its own in the statement, or query, itself."""
    match tree:
        case SelectTree():
            yield from _conditions(tree.sources)
            yield from (each.expression for each in tree.outputs)
            yield from (*tree.group, *tree.distinct_on)
            yield from (key.expression for key in tree.order)
            yield from _given(tree.where, tree.having, tree.limit, tree.offset)
        case ValuesTree():
            yield from (value for row in tree.rows for value in row)
        case SetTree():
            pass
        case InsertTree():
            yield from (each.expression for each in tree.returning)
            yield from (test.condition for test in tree.tests)
            if tree.conflict is not None:
                yield from (value for _, value in tree.conflict.sets or ())
                yield from _given(tree.conflict.where)
        case UpdateTree() | DeleteTree():
            yield from _conditions(tree.sources)
            yield from (each.expression for each in tree.returning)
            yield from _given(tree.where)
            if isinstance(tree, UpdateTree):
                yield from (value for _, value in tree.sets)
                yield from (test.condition for test in tree.tests)


def nested_queries(tree: Tree) -> Iterator[RowsTree]:
    """The queries that are parts of the statement, or query, itself, but for those inside expressions."""
    match tree:
        case SetTree():
            yield from (tree.left, tree.right)
        case InsertTree():
            yield from () if tree.rows is None else (tree.rows,)
            yield from (common.query for common in tree.commons)
        case SelectTree() | UpdateTree() | DeleteTree():
            yield from (each.query for each in leaves(tree.sources) if isinstance(each, QuerySource))
            yield from (common.query for common in tree.commons)
        case ValuesTree():
            pass


def all_queries(tree: Tree) -> Iterator[Tree]:
    """The statement, or query, and every query in it."""
    stack: list[Tree] = [tree]
    while stack:
        here = stack.pop()
        yield here
        stack += (each.query for each in walk_expressions(*roots(here)) if isinstance(each, QUERIES))
        stack += nested_queries(here)


def all_expressions(tree: Tree) -> Iterator[Expression]:
    """Every expression of the statement, with all that is in it, in the queries within it too."""
    return (each for query in all_queries(tree) for each in walk_expressions(*roots(query)))


def columns_in(*expressions: Expression | None) -> Iterator[ColumnValue]:
    """The columns that the expressions name, in the queries within them too."""
    for expression in walk_expressions(*expressions):
        if isinstance(expression, ColumnValue):
            yield expression
        elif isinstance(expression, QUERIES):
            inner = all_expressions(expression.query)
            yield from (each for each in inner if isinstance(each, ColumnValue))
