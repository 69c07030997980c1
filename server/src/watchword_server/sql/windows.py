"""Nodes to trees, window functions and their windows.

Source: PostgreSQL, 4.2.8 "Window Function Calls"; its parse_clause.c and parse_agg.c for what goes with what.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from watchword_protocol.errors import ErrorCode
from watchword_server.sql import nodes
from watchword_server.sql.calls import aggregate_parts
from watchword_server.sql.coercion import mismatch
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.functions import AGGREGATES
from watchword_server.sql.operators import COMPARABLE
from watchword_server.sql.tree import (
    Constant,
    Expression,
    FrameBound,
    FrameTree,
    Key,
    Template,
    WindowCall,
    WindowTree,
    walk_expressions,
)
from watchword_server.sql.types import INTEGERS, NUMBERS, SqlType
from watchword_server.sql.window_functions import WINDOW_AGGREGATES, WINDOW_FUNCTIONS

if TYPE_CHECKING:
    from watchword_server.sql.resolve_expressions import ExpressionResolver

__all__ = ["check_windows", "resolve_window_call"]

_STEPS: Final = {"preceding": -1, "current row": 0, "following": 1}


def resolve_window_call(resolver: ExpressionResolver, node: nodes.Call) -> Expression:
    """`function(...) OVER (...)`.

    Raises:
        SqlFault: INVALID_SQL: it may not stand here, or is no window function. UNSUPPORTED_SQL, TYPE_MISMATCH.
    """
    if resolver.no_windows:
        message = f"The window function {node.name} may not stand in {resolver.no_windows}."
        raise SqlFault(ErrorCode.INVALID_SQL, message, node.at)
    if node.distinct:
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, "DISTINCT in a window function is not supported.", node.at)
    if node.name in WINDOW_FUNCTIONS:
        type_, template, arguments = _call(resolver, node)
    elif node.name in AGGREGATES:
        type_, template, argument = aggregate_parts(resolver, node)
        arguments = () if argument is None else (argument,)
        if argument is not None:
            template = WINDOW_AGGREGATES.get((node.name, argument.type), template)
    else:
        message = f"{node.name} is no window function: it takes no OVER."
        raise SqlFault(ErrorCode.INVALID_SQL, message, node.at)
    condition = resolver.filter_of(node)
    window = _window(resolver, node.over or nodes.Window())
    for part in (*arguments, *([condition] if condition is not None else ()), *_parts(window)):
        if any(isinstance(each, WindowCall) for each in walk_expressions(part)):
            raise SqlFault(ErrorCode.INVALID_SQL, "A window function stands inside another.", node.at)
    return WindowCall(type_, template, arguments, window, condition, node.at)


def check_windows(resolver: ExpressionResolver) -> None:
    """Resolve those of WINDOW, also where nothing asks for them.

    Raises:
        SqlFault: As a window that is used.
    """
    for window in resolver.windows.values():
        _window(resolver, window)


def _parts(window: WindowTree) -> list[Expression]:
    return [*window.partition, *(key.expression for key in window.order)]


# --- functions --------------------------------------------------------------------------------------------


def _call(resolver: ExpressionResolver, node: nodes.Call) -> tuple[SqlType, Template, tuple[Expression, ...]]:
    row = WINDOW_FUNCTIONS[node.name]
    if node.condition is not None:
        message = f"{node.name} is no aggregate: it takes no FILTER."
        raise SqlFault(ErrorCode.INVALID_SQL, message, node.at)
    if node.star or not row.least <= len(node.arguments) <= row.most:
        counts = str(row.least) if row.least == row.most else f"{row.least} to {row.most}"
        raise mismatch(f"{node.name} takes {counts} arguments.", node.at)
    arguments = [resolver.resolve(each) for each in node.arguments]
    if row.constant is not None and row.constant < len(arguments):
        _check_constant(arguments[row.constant], node, row.low)
    if row.result is None:
        values = [resolver.coercion.settle(arguments[0], node.at), *arguments[2:]]
        type_, values = resolver.coercion.unify(values, node.name, node.at)
        arguments = [values[0], *arguments[1:2], *values[1:]]
    else:
        type_ = row.result
    return type_, row.templates[len(arguments)], tuple(arguments)


def _check_constant(value: Expression, node: nodes.Call, low: int) -> None:
    """SQLite takes no other."""
    if not isinstance(value, Constant) or value.type not in INTEGERS or not isinstance(value.value, int):
        message = f"{node.name} with a number that is not written out is not supported."
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, node.at)
    if value.value < low:
        code = ErrorCode.TYPE_MISMATCH if low else ErrorCode.UNSUPPORTED_SQL
        raise SqlFault(code, f"{node.name} takes a number of at least {low}.", node.at)


# --- windows ----------------------------------------------------------------------------------------------


def _window(resolver: ExpressionResolver, node: nodes.Window) -> WindowTree:
    node = _whole(resolver, node)
    partition = tuple(_key(resolver, each, "PARTITION BY") for each in node.partition)
    order = tuple(
        Key(
            None,
            _key(resolver, each.expression, "ORDER BY"),
            each.descending,
            each.descending if each.nulls_first is None else each.nulls_first,
        )
        for each in node.order
    )
    return WindowTree(partition, order, None if node.frame is None else _frame(node.frame, order, resolver))


def _whole(resolver: ExpressionResolver, node: nodes.Window) -> nodes.Window:
    """The window with what it takes over from the one that it names."""
    if node.base is None:
        return node
    base = resolver.windows.get(node.base)
    if base is None:
        raise SqlFault(ErrorCode.NOT_FOUND, f'There is no window "{node.base}".', node.at)
    base = _whole(resolver, base)
    if node.is_name:
        return base
    if node.partition:
        raise SqlFault(ErrorCode.INVALID_SQL, f'The window "{node.base}" has its PARTITION BY already.', node.at)
    if node.order and base.order:
        raise SqlFault(ErrorCode.INVALID_SQL, f'The window "{node.base}" has its ORDER BY already.', node.at)
    if base.frame is not None:
        message = f'The window "{node.base}" has a frame: it can only be used as it is.'
        raise SqlFault(ErrorCode.INVALID_SQL, message, node.at)
    return replace(node, base=None, partition=base.partition, order=base.order or node.order)


def _key(resolver: ExpressionResolver, node: nodes.Expression, clause: str) -> Expression:
    value = resolver.coercion.settle(resolver.resolve(node), node.at)
    if value.type not in COMPARABLE:
        raise mismatch(f"{clause} needs values that compare, and {value.type.title} does not.", node.at)
    return value


def _frame(node: nodes.Frame, order: tuple[Key, ...], resolver: ExpressionResolver) -> FrameTree:
    if node.mode == "groups" and not order:
        raise SqlFault(ErrorCode.INVALID_SQL, "A frame of GROUPS needs an ORDER BY.", node.at)
    start, end = (_bound(node, bound, order, resolver) for bound in (node.start, node.end))
    if _STEPS[start.kind] > _STEPS[end.kind]:
        raise SqlFault(ErrorCode.INVALID_SQL, "A frame does not end before it starts.", node.at)
    if (start.kind, start.offset) == ("following", None) or (end.kind, end.offset) == ("preceding", None):
        raise SqlFault(ErrorCode.INVALID_SQL, "A frame neither starts nor ends beyond all rows.", node.at)
    return FrameTree(node.mode, start, end, node.exclude)


def _bound(
    node: nodes.Frame, bound: nodes.FrameBound, order: tuple[Key, ...], resolver: ExpressionResolver
) -> FrameBound:
    if bound.offset is None:
        return FrameBound(bound.kind)
    value = resolver.resolve(bound.offset)
    if not isinstance(value, Constant) or not isinstance(value.value, (int, float)):
        message = "A frame with a distance that is not written out as a number is not supported."
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, node.at)
    allowed: tuple[SqlType, ...] = INTEGERS
    if node.mode == "range":
        if len(order) != 1:
            message = "A frame of RANGE with a distance needs an ORDER BY of one key."
            raise SqlFault(ErrorCode.INVALID_SQL, message, node.at)
        key = order[0].expression.type
        if key not in NUMBERS:
            message = f"A frame of RANGE with a distance over {key.title} is not supported."
            raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, node.at)
        allowed = NUMBERS if key is SqlType.DOUBLE else INTEGERS
    if value.type not in allowed and value.type is SqlType.DOUBLE:
        message = "A frame with a distance that is no whole number is not supported."
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, node.at)
    if value.type not in allowed:
        raise mismatch(f"The distance of a frame is {value.type.title}, not a whole number.", node.at)
    if value.value < 0:
        raise mismatch("The distance of a frame must not be negative.", node.at)
    return FrameBound(bound.kind, value)
