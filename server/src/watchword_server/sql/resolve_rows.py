"""Nodes to trees, queries: VALUES, set operations, and what stands around any query, WITH, ORDER BY and LIMIT.

Source: PostgreSQL, 7.4 "Combining Queries", 7.7 "VALUES Lists", 10.5 "UNION, CASE, and Related Constructs".
"""

from dataclasses import replace
from typing import Final
from typing import Literal as Word

from watchword_protocol.errors import ErrorCode
from watchword_server.sql import nodes
from watchword_server.sql.common_tables import resolve_with
from watchword_server.sql.context import Context
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.names import Names, Relation, made_columns
from watchword_server.sql.output_types import settled, typed, unified
from watchword_server.sql.query_tree import OutputTree, QuerySource, RowsTree, SelectTree, SetTree, ValuesTree
from watchword_server.sql.resolve_expressions import ExpressionResolver
from watchword_server.sql.resolve_select import SelectResolver, check_keys

__all__ = ["resolve_open", "resolve_query", "resolve_rows"]

_Operator = Word["UNION", "UNION ALL", "INTERSECT", "EXCEPT"]
_WORDS: Final[dict[tuple[str, bool], _Operator]] = {
    ("union", False): "UNION",
    ("union", True): "UNION ALL",
    ("intersect", False): "INTERSECT",
    ("except", False): "EXCEPT",
}


def resolve_rows(node: nodes.Rows, context: Context) -> RowsTree:
    """A statement that only reads. An output that is a parameter may get its type from another place still."""
    tree = resolve_open(context, node, None)
    if not isinstance(tree, SelectTree):
        return settled(tree, context)
    leave_open = context.coercion.leave_open
    outputs = (replace(each, expression=leave_open(each.expression, node.at)) for each in tree.outputs)
    return replace(tree, outputs=tuple(outputs))


def resolve_query(context: Context, node: nodes.Rows, outer: Names | None) -> RowsTree:
    """A query within another; what has no type is text.

    Args:
        context: Of the statement.
        node: The query.
        outer: What names mean around it.
    """
    return settled(resolve_open(context, node, outer), context)


def resolve_open(context: Context, node: nodes.Rows, outer: Names | None) -> RowsTree:
    """A query whose outputs may have no type yet."""
    names = Names(outer)
    commons = resolve_with(node.common, context, names, resolve_open) if node.common else ()
    match node:
        case nodes.Select():
            return replace(SelectResolver(context, Names(names)).select(node), commons=commons)
        case nodes.Values():
            tree: RowsTree = _values(node, context, names)
        case nodes.SetOperation():
            tree = _set_operation(node, context, names)
    if not commons and not node.order and node.limit is None and node.offset is None:
        return tree
    return replace(_ordered(tree, node, context, names), commons=commons)


def _values(node: nodes.Values, context: Context, names: Names) -> ValuesTree:
    if any(len(row) != len(node.rows[0]) for row in node.rows):
        raise SqlFault(ErrorCode.INVALID_SQL, "The rows of VALUES must have the same length.", node.at)
    resolver = ExpressionResolver(context, names)
    rows = [[resolver.within("VALUES", value) for value in row] for row in node.rows]
    places = [value.at for value in node.rows[0]]
    columns = [
        context.coercion.unify(column, "VALUES", at)[1]
        for column, at in zip(zip(*rows, strict=True), places, strict=True)
    ]
    return ValuesTree(tuple(zip(*columns, strict=True)))


def _set_operation(node: nodes.SetOperation, context: Context, names: Names) -> SetTree:
    word = node.operator.upper()
    if (node.operator, node.all) not in _WORDS:
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, f"{word} ALL is not supported.", node.at)
    left, right = (resolve_open(context, each, names) for each in (node.left, node.right))
    types = unified(left, right, word, context, node.at)
    if not node.all:
        check_keys(types, word, node.at)
    left, right = (typed(each, types, context) for each in (left, right))
    return SetTree(_WORDS[node.operator, node.all], left, right)


def _ordered(tree: RowsTree, node: nodes.Values | nodes.SetOperation, context: Context, names: Names) -> SelectTree:
    """The query with its ORDER BY and LIMIT, which know its columns by their names and numbers."""
    tree = settled(tree, context)
    number = context.next_number(node.at)
    columns = made_columns(number, ((output.name, output.type) for output in tree.outputs))
    inside = Names(names)
    inside.add([Relation("", number, columns)], columns, node.at)
    outputs = tuple(OutputTree(each.name, each.value) for each in columns)
    return SelectResolver(context, inside).ordered(node, (QuerySource(number, tree),), outputs)
