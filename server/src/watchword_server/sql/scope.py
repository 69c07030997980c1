"""The first wall: which rows a statement may look at, and what of the user's own is judged before that is decided.

A USER table is read as `(SELECT ... WHERE "_owner" = ? AND <safe>) AS "t1"`. Engines reorder predicates, and an error,
or a delay, on a hidden row tells its content: so only conjuncts that can neither fail nor take long stand beside the
owner, where they can use an index. Where anything else is judged in the statement, the subquery ends in a fence
(`LIMIT -1`): SQLite's query flattener (its rules 8 and 19) and its push-down of predicates both stop at a LIMIT.
"""

from collections.abc import Iterable, Iterator

from watchword_server.sql.catalog import Table, TableType
from watchword_server.sql.query_tree import (
    DeleteTree,
    InsertTree,
    JoinTree,
    SelectTree,
    SourceTree,
    TableSource,
    Tree,
    UpdateTree,
    all_queries,
    conditions_of,
    conjuncts,
    joins_in,
    leaves,
    roots,
)
from watchword_server.sql.tree import (
    QUERIES,
    Aggregate,
    Apply,
    ColumnValue,
    Expression,
    Scalar,
    WindowCall,
    walk_expressions,
)

__all__ = ["Scopes", "can_raise", "is_safe", "is_scoped"]

_COMPUTED = (Apply, Aggregate, WindowCall)


def is_scoped(table: Table) -> bool:
    """Whether not everybody who may read the table sees all its rows."""
    return table.type is TableType.USER


def is_safe(expression: Expression) -> bool:
    """Whether the expression can neither fail nor take long, whatever the row holds."""
    for each in walk_expressions(expression):
        if isinstance(each, QUERIES) or (isinstance(each, _COMPUTED) and not each.template.safe):
            return False
    return True


def can_raise(expression: Expression) -> bool:
    """Whether the expression fails on some row; what is in the queries in it, they say themselves."""
    for each in walk_expressions(expression):
        if isinstance(each, _COMPUTED) and each.template.raises:
            return True
        if isinstance(each, Scalar) and not each.is_single:
            return True
    return False


class Scopes:
    """Where in a statement its conditions are judged.

    Args:
        tree: The statement.

    `is_fenced`: whether a fence stands between the rows that may be looked at and what the statement does with them.
    """

    __slots__ = ("_columns", "_inside", "_moved", "_target", "is_fenced")

    def __init__(self, tree: Tree) -> None:
        self._columns: dict[int, dict[str, None]] = {}
        self._inside: dict[int, list[Expression]] = {}
        self._moved: set[int] = set()
        self._target = tree.target.number if isinstance(tree, (UpdateTree, DeleteTree)) else None
        queries = [*all_queries(tree)]
        for query in queries:
            for each in walk_expressions(*roots(query)):
                if isinstance(each, ColumnValue):
                    self._columns.setdefault(each.source, {})[each.column.name] = None
            if isinstance(query, (SelectTree, UpdateTree, DeleteTree)):
                self._move(query)
        self.is_fenced = any(map(self._is_hazardous, queries))

    def inside(self, number: int) -> list[Expression]:
        """The conditions that stand beside the owner of this source."""
        return self._inside.get(number, [])

    def outside(self, condition: Expression | None) -> list[Expression]:
        """What is left of a condition."""
        return [each for each in conjuncts(condition) if id(each) not in self._moved]

    def columns(self, number: int) -> list[str]:
        """The columns of this source that the statement names."""
        return list(self._columns.get(number, ()))

    def is_target(self, number: int) -> bool:
        """Whether it is the table that an UPDATE or DELETE changes."""
        return number == self._target

    def _move(self, query: SelectTree | UpdateTree | DeleteTree) -> None:
        sources = _sources_of(query)
        own = {leaf.number: leaf for leaf in leaves(sources)}
        for condition, movable in _places(query.where, sources):
            for each in conjuncts(condition):
                named = {
                    found.source for found in walk_expressions(each) if isinstance(found, ColumnValue)
                } & own.keys()
                if len(named) != 1 or not named <= movable or not is_safe(each):
                    continue
                [number] = named
                leaf = own[number]
                if isinstance(leaf, TableSource) and is_scoped(leaf.table):
                    self._inside.setdefault(number, []).append(each)
                    self._moved.add(id(each))

    def _is_hazardous(self, query: Tree) -> bool:
        """Whether something in it can fail, or take long where it decides about rows.

        What a write computes, and returns, it computes of rows that are chosen already.
        """
        if isinstance(query, InsertTree):
            return False
        if not isinstance(query, (UpdateTree, DeleteTree)) and any(map(can_raise, roots(query))):
            return True
        return any(not is_safe(each) for condition in conditions_of(query) for each in conjuncts(condition))


def _sources_of(query: SelectTree | UpdateTree | DeleteTree) -> tuple[SourceTree, ...]:
    """All that the query reads from, with the table that it changes."""
    return query.sources if isinstance(query, SelectTree) else (query.target, *query.sources)


def _places(where: Expression | None, sources: tuple[SourceTree, ...]) -> Iterator[tuple[Expression | None, set[int]]]:
    """Each condition, and the sources whose rows it may leave out before they are joined."""
    yield where, _required(sources)
    for join in joins_in(sources):
        sides = {"inner": (join.left, join.right), "left": (join.right,), "right": (join.left,), "full": ()}
        yield join.condition, _required(sides[join.kind])


def _required(sources: Iterable[SourceTree]) -> set[int]:
    """Those that no outer join completes with NULLs."""
    found: set[int] = set()
    for source in sources:
        if not isinstance(source, JoinTree):
            found.add(source.number)
        elif source.kind == "inner":
            found |= _required((source.left, source.right))
        elif source.kind != "full":
            found |= _required((source.left if source.kind == "left" else source.right,))
    return found
