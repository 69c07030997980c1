"""Nodes to trees, queries inside expressions.

Source: PostgreSQL, 9.23 "Subquery Expressions" and 4.2.11 "Scalar Subqueries".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.names import made_columns
from watchword_server.sql.operators import NOT
from watchword_server.sql.query_tree import OutputTree, QuerySource, RowsTree, SelectTree, ValuesTree
from watchword_server.sql.tree import (
    Aggregate,
    Apply,
    Constant,
    Exists,
    Expression,
    InRows,
    Quantified,
    Scalar,
    WindowCall,
    walk_expressions,
)
from watchword_server.sql.types import SqlType

if TYPE_CHECKING:
    from watchword_server.sql import nodes
    from watchword_server.sql.resolve_expressions import ExpressionResolver

__all__ = ["resolve_exists", "resolve_in", "resolve_quantified", "resolve_scalar"]


def resolve_scalar(resolver: ExpressionResolver, node: nodes.Subquery) -> Expression:
    """`(query)`.

    Raises:
        SqlFault: INVALID_SQL: it has several columns; and as any query.
    """
    tree = _column(resolver, node.query, node.at)
    return Scalar(tree.outputs[0].type, tree, _is_single(tree), node.at)


def resolve_exists(resolver: ExpressionResolver, node: nodes.Exists) -> Expression:
    """`EXISTS (query)`."""
    return Exists(resolver.context.rows(resolver.context, node.query, resolver.names))


def resolve_in(resolver: ExpressionResolver, node: nodes.InQuery) -> Expression:
    """`operand [NOT] IN (query)`."""
    found = _compared(resolver, node.operand, "=", node.query, node.at)
    test = _in_rows(*found)
    return _not(test) if node.negated else test


def resolve_quantified(resolver: ExpressionResolver, node: nodes.Quantified) -> Expression:
    """`operand operator ANY | ALL (query)`."""
    number, tree, condition = _compared(resolver, node.operand, node.operator, node.query, node.at)
    if (node.operator, node.quantifier) == ("=", "any"):
        return _in_rows(number, tree, condition)
    if (node.operator, node.quantifier) == ("<>", "all"):
        return _not(_in_rows(number, tree, condition))
    if any(isinstance(each, (Aggregate, WindowCall)) for each in walk_expressions(condition)):
        construct = f"An aggregate or a window function beside {node.operator} {node.quantifier.upper()}"
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, f"{construct} is not supported.", node.at)
    return Quantified(condition, node.quantifier, number, tree)


def _compared(
    resolver: ExpressionResolver, operand: nodes.Expression, operator: str, query: nodes.Rows, at: int
) -> tuple[int, RowsTree, Apply]:
    """The query, its number, and the comparison of the operand with its column."""
    tree = _column(resolver, query, at)
    number = resolver.context.next_number(at)
    [column] = made_columns(number, [(tree.outputs[0].name, tree.outputs[0].type)])
    return number, tree, resolver.operate(operator, resolver.resolve(operand), column.value, at)


def _in_rows(number: int, tree: RowsTree, comparison: Apply) -> InRows:
    """The query's column gets the type that it is compared as."""
    operand, column = comparison.arguments
    if isinstance(column, Apply):
        source = QuerySource(number, tree)
        tree = SelectTree((source,), (OutputTree("", column),))
    return InRows(operand, tree)


def _not(value: Expression) -> Apply:
    return Apply(SqlType.BOOLEAN, NOT, (value,))


def _column(resolver: ExpressionResolver, query: nodes.Rows, at: int) -> RowsTree:
    """The query, of one column."""
    tree = resolver.context.rows(resolver.context, query, resolver.names)
    if len(tree.outputs) != 1:
        message = f"A query that is a value has one column, and this one has {len(tree.outputs)}."
        raise SqlFault(ErrorCode.INVALID_SQL, message, at)
    return tree


def _is_single(tree: RowsTree) -> bool:
    """Whether it cannot have a second row."""
    match tree:
        case SelectTree():
            limit = tree.limit.value if isinstance(tree.limit, Constant) else None
            is_limited = isinstance(limit, int) and limit <= 1
            return is_limited or not tree.sources or (tree.grouped and not tree.group)
        case ValuesTree():
            return len(tree.rows) == 1
    return False
