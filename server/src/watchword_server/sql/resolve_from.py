"""Nodes to trees, FROM: its sources get their numbers, their columns their names.

Source: PostgreSQL, 7.2.1 "The FROM Clause"; its parse_clause.c for the columns of JOIN ... USING.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from watchword_protocol.errors import ErrorCode
from watchword_server.sql import nodes
from watchword_server.sql.context import Context
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.functions import GREATEST
from watchword_server.sql.lookup import readable_table
from watchword_server.sql.names import Named, Names, Relation, made_columns
from watchword_server.sql.query_tree import (
    CommonSource,
    JoinTree,
    QuerySource,
    SourceTree,
    TableSource,
    columns_in,
    conjuncts,
    joins_in,
    leaves,
)
from watchword_server.sql.resolve_expressions import ExpressionResolver
from watchword_server.sql.tree import Apply, Chain, ColumnValue, Expression, place_of

__all__ = ["relation_of", "resolve_from"]


class _Item(NamedTuple):
    """An item of FROM: its tree, the sources in it by name, and the columns that it shows."""

    tree: SourceTree
    relations: Sequence[Relation]
    columns: Sequence[Named]


def resolve_from(items: Sequence[nodes.FromItem], context: Context, names: Names) -> tuple[SourceTree, ...]:
    """The sources of a query; their names come into `names`.

    Args:
        items: What stands between the commas.
        context: Of the statement.
        names: Of the query. What is around it, WITH too, is what queries in FROM see; each other
            they do not.

    Raises:
        SqlFault: NOT_FOUND, INVALID_SQL, TYPE_MISMATCH; as any query.
    """
    trees = []
    for item in items:
        found = _item(item, context, names)
        names.add(found.relations, found.columns, _place(item))
        trees.append(found.tree)
    _check_conditions(tuple(trees))
    return tuple(trees)


def _check_conditions(sources: tuple[SourceTree, ...]) -> None:
    """SQLite takes a condition of an inner join that names no source for one of the whole FROM.

    Beside a RIGHT or FULL JOIN that is another meaning (up to its release 3.40 at least).
    """
    joins = list(joins_in(sources))
    if not any(join.kind in ("right", "full") for join in joins):
        return
    numbers = {leaf.number for leaf in leaves(sources)}
    for join in joins:
        for each in conjuncts(join.condition if join.kind == "inner" else None):
            if numbers.isdisjoint(column.source for column in columns_in(each)):
                message = "A join condition that names no table, beside a RIGHT or FULL JOIN, is not supported."
                raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, place_of(each))


def relation_of(source: TableSource, alias: str, columns: Sequence[str] = (), at: int = 0) -> Relation:
    """A table by its name in the statement, with other names for its first columns."""
    table = source.table
    found = [Named(column.name, ColumnValue(column, source.number, at, column.name)) for column in table.columns]
    return Relation(alias, source.number, _renamed(found, columns, alias, at), table, table.title)


def _place(item: nodes.FromItem) -> int:
    return _place(item.left) if isinstance(item, nodes.Join) else item.at


def _item(item: nodes.FromItem, context: Context, names: Names) -> _Item:
    match item:
        case nodes.Join():
            return _join(item, context, names)
        case nodes.DerivedTable():
            return _derived(item, context, names)
        case nodes.TableName():
            common = names.common(item.name) if item.namespace is None else None
            if common is not None:
                number = context.next_number(item.at)
                listed = made_columns(number, common.columns)
                return _query_item(CommonSource(number, common.number), item, item.alias or item.name, listed)
            table = readable_table(context.catalog, item, context.namespace, context.role)
            source = TableSource(context.next_number(item.at), table)
            context.tables[source.number] = table
            relation = relation_of(source, item.alias or item.name, item.columns, item.at)
            return _Item(source, [relation], relation.columns)


def _derived(item: nodes.DerivedTable, context: Context, names: Names) -> _Item:
    tree = context.rows(context, item.query, names.outer)
    number = context.next_number(item.at)
    listed = made_columns(number, ((output.name, output.type) for output in tree.outputs))
    return _query_item(QuerySource(number, tree), item, item.alias, listed)


def _query_item(
    source: QuerySource | CommonSource,
    item: nodes.TableName | nodes.DerivedTable,
    alias: str,
    listed: Sequence[Named],
) -> _Item:
    columns = _renamed(listed, item.columns, alias, item.at)
    return _Item(source, [Relation(alias, source.number, columns)], columns)


def _renamed(columns: Sequence[Named], names: Sequence[str], alias: str, at: int) -> Sequence[Named]:
    if len(names) > len(columns):
        message = f'"{alias}" has {len(columns)} columns, and {len(names)} names are given.'
        raise SqlFault(ErrorCode.INVALID_SQL, message, at)
    renamed = [Named(name, column.value) for name, column in zip(names, columns, strict=False)]
    return [*renamed, *columns[len(names) :]]


# --- joins ------------------------------------------------------------------------------------------------


def _join(item: nodes.Join, context: Context, names: Names) -> _Item:
    left, right = _item(item.left, context, names), _item(item.right, context, names)
    relations = [*left.relations, *right.relations]
    if item.using:
        condition, columns = _using(item, left, right, context)
    else:
        condition, columns = None, [*left.columns, *right.columns]
    inside = Names(names.outer)
    inside.add(relations, columns, _place(item.right))
    if item.condition is not None:
        resolver = ExpressionResolver(context, inside)
        condition = resolver.within("JOIN ... ON", item.condition, "JOIN ... ON")
        if item.kind == "full":
            _check_full(condition, left.tree, right.tree, item.at)
    return _Item(JoinTree(item.kind, left.tree, right.tree, condition), relations, columns)


def _check_full(condition: Expression, left: SourceTree, right: SourceTree, at: int) -> None:
    """PostgreSQL joins in full by what is equal on both sides, and by nothing else."""
    sides = [{leaf.number for leaf in leaves((side,))} for side in (left, right)]
    for each in conjuncts(condition):
        if isinstance(each, Apply) and each.template.text == "({0} = {1})":
            named = [{column.source for column in columns_in(operand)} for operand in each.arguments]
            if all(named) and any(named[0] <= one and named[1] <= other for one, other in (sides, sides[::-1])):
                return
    message = "A FULL JOIN on anything but an equality between its sides is not supported."
    raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, at)


def _using(item: nodes.Join, left: _Item, right: _Item, context: Context) -> tuple[Expression, list[Named]]:
    """The condition, and the columns: those that are joined on first, once each."""
    resolver = ExpressionResolver(context, Names())
    conditions: list[Expression] = []
    merged: list[Named] = []
    for name in item.using:
        if any(each.name == name.name for each in merged):
            raise SqlFault(ErrorCode.INVALID_SQL, f'USING names the column "{name.name}" twice.', name.at)
        sides = [_one(each.columns, name, side) for each, side in ((left, "left"), (right, "right"))]
        comparison = resolver.operate("=", sides[0], sides[1], name.at)
        conditions.append(comparison)
        merged.append(Named(name.name, _merge(item.kind, comparison)))
    joined = {each.name for each in merged}
    rest = [each for each in (*left.columns, *right.columns) if each.name not in joined]
    condition = conditions[0] if len(conditions) == 1 else Chain("AND", tuple(conditions))
    return condition, [*merged, *rest]


def _one(columns: Sequence[Named], name: nodes.Name, side: str) -> Expression:
    found = [each.value for each in columns if each.name == name.name]
    if not found:
        message = f'USING names the column "{name.name}", which the {side} side of the join does not have.'
        raise SqlFault(ErrorCode.NOT_FOUND, message, name.at)
    if len(found) > 1:
        message = f'USING names the column "{name.name}", which the {side} side of the join has more than once.'
        raise SqlFault(ErrorCode.INVALID_SQL, message, name.at)
    value = found[0]
    return replace(value, at=name.at) if isinstance(value, ColumnValue) else value


def _merge(kind: str, comparison: Apply) -> Expression:
    """The one column of both: of the side that has all its rows in the result, or of whichever has one."""
    left, right = comparison.arguments
    if kind == "full":
        return Apply(left.type, GREATEST["coalesce"], (left, right), comparison.at)
    return right if kind == "right" else left
