"""Nodes to trees, WITH: queries that others name.

Source: PostgreSQL, 7.8 "WITH Queries (Common Table Expressions)"; its parse_cte.c for what a recursive one may be.
"""

from collections.abc import Callable, Sequence

from watchword_protocol.errors import ErrorCode
from watchword_server.sql import nodes
from watchword_server.sql.coercion import mismatch
from watchword_server.sql.context import Context
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.names import Common, Names
from watchword_server.sql.output_types import settled, typed, unified
from watchword_server.sql.query_tree import (
    CommonSource,
    CommonTree,
    JoinTree,
    RowsTree,
    SelectTree,
    SetTree,
    SourceTree,
    all_queries,
    leaves,
)
from watchword_server.sql.resolve_select import check_keys
from watchword_server.sql.tree import WindowCall, walk_expressions
from watchword_server.sql.types import SqlType

__all__ = ["resolve_with"]

_Resolve = Callable[[Context, nodes.Rows, Names | None], RowsTree]


def resolve_with(node: nodes.With, context: Context, names: Names, resolve_open: _Resolve) -> tuple[CommonTree, ...]:
    """The queries of WITH; their names come into `names`.

    Raises:
        SqlFault: INVALID_SQL: two of one name. UNSUPPORTED_SQL: recursion of another form. And as any query.
    """
    found: list[CommonTree] = []
    for each in node.tables:
        if each.name in names.commons:
            raise SqlFault(ErrorCode.INVALID_SQL, f'WITH has two queries of the name "{each.name}".', each.at)
        if node.recursive and (later := _named_in(each.query) & _later(node, each)):
            message = f'A query of WITH that names a later one ("{min(later)}") is not supported.'
            raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, each.at)
        if node.recursive and each.name in _named_in(each.query):
            found.append(_recursive(each, context, names, resolve_open))
            continue
        tree = settled(resolve_open(context, each.query, names), context)
        number = context.next_number(each.at)
        names.commons[each.name] = Common(number, _columns(each, tree))
        found.append(CommonTree(number, tree))
    return tuple(found)


def _columns(node: nodes.CommonTable, tree: RowsTree) -> Sequence[tuple[str, SqlType]]:
    listed = [(output.name, output.type) for output in tree.outputs]
    if len(node.columns) > len(listed):
        message = f'"{node.name}" has {len(listed)} columns, and {len(node.columns)} names are given.'
        raise SqlFault(ErrorCode.INVALID_SQL, message, node.at)
    renamed = [(name, type_) for name, (_, type_) in zip(node.columns, listed, strict=False)]
    return [*renamed, *listed[len(renamed) :]]


def _named_in(query: nodes.Rows) -> set[str]:
    """Names without a namespace that stand for tables, or queries of WITH."""
    tables = (each for each in nodes.walk(query) if isinstance(each, nodes.TableName))
    return {each.name for each in tables if each.namespace is None}


def _later(node: nodes.With, table: nodes.CommonTable) -> set[str]:
    place = node.tables.index(table)
    return {each.name for each in node.tables[place + 1 :]} - {each.name for each in node.tables[: place + 1]}


def _recursive(node: nodes.CommonTable, context: Context, names: Names, resolve_open: _Resolve) -> CommonTree:
    query = node.query
    if not isinstance(query, nodes.SetOperation) or query.operator != "union":
        message = f'"{node.name}" names itself: it must be of the form first UNION [ALL] next.'
        raise SqlFault(ErrorCode.INVALID_SQL, message, node.at)
    if query.order or query.limit is not None or query.offset is not None or query.common is not None:
        message = "ORDER BY, LIMIT and WITH of a recursive query itself are not supported."
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, node.at)
    if node.name in _named_in(query.left):
        message = f'"{node.name}" must not name itself in the first part of its union.'
        raise SqlFault(ErrorCode.INVALID_SQL, message, node.at)
    first = settled(resolve_open(context, query.left, names), context)
    number = context.next_number(node.at)
    names.commons[node.name] = Common(number, _columns(node, first))
    step = resolve_open(context, query.right, names)
    word = "UNION ALL" if query.all else "UNION"
    types = unified(first, step, word, context, node.at)
    for output, type_ in zip(first.outputs, types, strict=True):
        if output.type is not type_:
            message = (
                f'The column "{output.name}" is {output.type.title} in the first part of "{node.name}" and '
                f"{type_.title} with the second: write a cast in the first."
            )
            raise mismatch(message, node.at)
    if not query.all:
        check_keys(types, word, node.at)
    step = typed(step, types, context)
    _check_step(step, number, node)
    return CommonTree(number, SetTree("UNION ALL" if query.all else "UNION", first, step), is_recursive=True)


def _check_step(tree: RowsTree, number: int, node: nodes.CommonTable) -> None:
    """What the engine takes as a step, and PostgreSQL too: its own rows once in FROM, row by row."""
    queries = all_queries(tree)
    times = sum(
        _is_own(leaf, number) for query in queries if isinstance(query, SelectTree) for leaf in leaves(query.sources)
    )
    is_plain = (
        isinstance(tree, SelectTree)
        and not (tree.grouped or tree.distinct or tree.distinct_on or tree.order or tree.commons)
        and tree.limit is None
        and tree.offset is None
        and not any(
            isinstance(each, WindowCall) for output in tree.outputs for each in walk_expressions(output.expression)
        )
        and sum(_is_own(leaf, number) for leaf in leaves(tree.sources)) == 1
        and not any(_is_optional(source, number) for source in tree.sources)
    )
    if times != 1 or not is_plain:
        message = (
            f'"{node.name}" must name itself once, in the FROM of its second part, which has no aggregates, windows, '
            "DISTINCT, ORDER BY, LIMIT or WITH: anything else is not supported."
        )
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, node.at)


def _is_own(source: SourceTree, number: int) -> bool:
    return isinstance(source, CommonSource) and source.common == number


def _is_optional(source: SourceTree, number: int) -> bool:
    """Whether the rows stand on a side of an outer join that may be missing."""
    if not isinstance(source, JoinTree):
        return False
    missing = {"left": (source.right,), "right": (source.left,), "full": (source.left, source.right), "inner": ()}
    if any(_is_own(leaf, number) for leaf in leaves(missing[source.kind])):
        return True
    return _is_optional(source.left, number) or _is_optional(source.right, number)
