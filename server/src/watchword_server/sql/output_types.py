"""The types of a query's columns: as they are, as text where nothing says more, as another query's, as a table's.

Source: PostgreSQL, 10.5 "UNION, CASE, and Related Constructs", 10.6 "SELECT Output Columns".
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.casts import Ease
from watchword_server.sql.context import Context
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.names import made_columns
from watchword_server.sql.query_tree import OutputTree, QuerySource, RowsTree, SelectTree, SetTree, ValuesTree
from watchword_server.sql.tree import Expression, place_of
from watchword_server.sql.types import SqlType

__all__ = ["converted", "settled", "typed", "unified"]

Convert = Callable[[Expression, int], Expression]
"""A value of the column with this index, from 0, to what becomes of it."""


def settled(tree: RowsTree, context: Context) -> RowsTree:
    """The query; its columns without a type are text."""
    types = [SqlType.TEXT if each.type is SqlType.UNKNOWN else each.type for each in tree.outputs]
    return typed(tree, types, context)


def unified(left: RowsTree, right: RowsTree, what: str, context: Context, at: int) -> list[SqlType]:
    """The types that the columns of both come to.

    Raises:
        SqlFault: INVALID_SQL: not as many columns. TYPE_MISMATCH: a column has no common type.
    """
    counts = len(left.outputs), len(right.outputs)
    if counts[0] != counts[1]:
        message = f"{what} has {counts[0]} columns on its left side and {counts[1]} on its right side."
        raise SqlFault(ErrorCode.INVALID_SQL, message, at)
    pairs = zip(left.outputs, right.outputs, strict=True)
    return [context.coercion.unified_type([one.expression, other.expression], what, at) for one, other in pairs]


def typed(tree: RowsTree, types: Sequence[SqlType], context: Context) -> RowsTree:
    """The query; its columns are of these types, to which there are casts that nobody needs to write."""

    def convert(value: Expression, index: int) -> Expression:
        at = place_of(value) or 0
        return context.coercion.must(value, types[index], "An output", at, Ease.IMPLICIT)

    changed = any(each.type is not type_ for each, type_ in zip(tree.outputs, types, strict=True))
    return converted(tree, convert, context) if changed else tree


def converted(tree: RowsTree, convert: Convert, context: Context) -> RowsTree:
    """The query with every value of its columns converted."""
    match tree:
        case ValuesTree():
            return ValuesTree(
                tuple(tuple(convert(value, index) for index, value in enumerate(row)) for row in tree.rows)
            )
        case SelectTree() if not _compares(tree):
            outputs = (
                replace(each, expression=convert(each.expression, index)) for index, each in enumerate(tree.outputs)
            )
            return replace(tree, outputs=tuple(outputs))
        case _:
            return _around(tree, convert, context)


def _compares(tree: SelectTree) -> bool:
    """Whether its outputs are compared with each other, as what they are now; constants stay what they are."""
    has_types = all(each.type is not SqlType.UNKNOWN for each in tree.outputs)
    return has_types and (tree.distinct or bool(tree.distinct_on))


def _around(tree: SelectTree | SetTree, convert: Convert, context: Context) -> SelectTree:
    number = context.next_number(0)
    columns = made_columns(number, ((output.name, output.type) for output in tree.outputs))
    outputs = (OutputTree(each.name, convert(each.value, index)) for index, each in enumerate(columns))
    return SelectTree((QuerySource(number, tree),), tuple(outputs))
