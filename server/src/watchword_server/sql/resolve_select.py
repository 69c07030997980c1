"""Nodes to trees, SELECT.

Source: PostgreSQL's page on SELECT; its parse_clause.c and parse_agg.c where it is silent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from watchword_protocol.errors import ErrorCode
from watchword_server.sql import nodes
from watchword_server.sql.casts import Ease
from watchword_server.sql.catalog import MAX_COLUMNS
from watchword_server.sql.coercion import mismatch
from watchword_server.sql.context import Context
from watchword_server.sql.engine_functions import row_limit
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.functions import ROW_COUNTS
from watchword_server.sql.grouping import check_grouping
from watchword_server.sql.identity import Identities
from watchword_server.sql.names import Named, Names
from watchword_server.sql.operators import COMPARABLE
from watchword_server.sql.output_names import output_name
from watchword_server.sql.query_tree import OutputTree, SelectTree, SourceTree, columns_in
from watchword_server.sql.resolve_expressions import ExpressionResolver
from watchword_server.sql.resolve_from import resolve_from
from watchword_server.sql.tree import (
    Aggregate,
    Apply,
    ColumnValue,
    Constant,
    Expression,
    Key,
    Scalar,
    WindowCall,
    place_of,
    walk_expressions,
)
from watchword_server.sql.types import SqlType
from watchword_server.sql.volatile import refuse_volatile
from watchword_server.sql.windows import check_windows

__all__ = ["MAX_KEYS", "MAX_OUTPUTS", "SelectResolver", "check_keys", "resolve_targets"]

MAX_OUTPUTS: Final = MAX_COLUMNS
"""Columns of a result: the engine has one limit for both."""
MAX_KEYS: Final = 100
"""Of ORDER BY, and of GROUP BY."""

_Outputs = tuple[OutputTree, ...]


class SelectResolver:
    """One SELECT.

    Args:
        context: Of the statement.
        names: What is around the query; its own come into it.
    """

    __slots__ = ("_context", "_expressions", "_identities", "_names", "_places")

    def __init__(self, context: Context, names: Names) -> None:
        self._context = context
        self._names = names
        self._expressions = ExpressionResolver(context, names)
        self._identities = Identities()
        self._places: dict[int, int] = {}  # of the outputs, from 1, by the expression's number

    def select(self, query: nodes.Select) -> SelectTree:
        """The query, but for its WITH."""
        self._check_limits(query)
        sources = resolve_from(query.sources, self._context, self._names)
        self._add_windows(query)
        outputs = resolve_targets(query.targets, self._expressions)
        where = None
        if query.where is not None:
            where = self._expressions.within("WHERE", query.where, "WHERE")
        having = None
        if query.having is not None:
            self._expressions.no_windows = "HAVING"
            having = self._expressions.boolean(query.having, "HAVING", query.having.at)
            self._expressions.no_windows = None
            refuse_volatile("HAVING", having)
        order = self._order(query.order, outputs)
        group = tuple(self._group(each, outputs) for each in query.group)
        distinct_on = self._distinct_on(query, outputs, order)
        values = [each.expression for each in outputs] + [key.expression for key in order] + list(distinct_on)
        has_aggregates = any(isinstance(each, Aggregate) for each in walk_expressions(*values, having))
        grouped = bool(group) or having is not None or has_aggregates
        if grouped:
            check_grouping(self._context, self._names, self._identities, query, outputs, [*values, having], group)
        if query.distinct:
            self._check_distinct(query, outputs, order)
        offset, limit = self._count(query.offset, "OFFSET"), self._count(query.limit, "LIMIT")
        check_windows(self._expressions)
        return SelectTree(
            sources, outputs, where, grouped, group, having, order, limit, offset, query.distinct, distinct_on
        )

    def ordered(
        self, query: nodes.Values | nodes.SetOperation, sources: tuple[SourceTree, ...], outputs: _Outputs
    ) -> SelectTree:
        """The ORDER BY and LIMIT of what is no SELECT: keys are its columns, by name or number."""
        self._check_limits(query)
        for each in query.order:
            node = each.expression
            is_column = isinstance(node, nodes.Literal) or (isinstance(node, nodes.Name) and node.table is None)
            if isinstance(query, nodes.SetOperation) and not is_column:
                message = "ORDER BY of a set operation names columns of its result, or their numbers."
                raise SqlFault(ErrorCode.INVALID_SQL, message, node.at)
        order = self._order(query.order, outputs)
        offset, limit = self._count(query.offset, "OFFSET"), self._count(query.limit, "LIMIT")
        return SelectTree(sources, outputs, order=order, limit=limit, offset=offset)

    def _check_limits(self, query: nodes.Rows) -> None:
        groups = query.group if isinstance(query, nodes.Select) else ()
        if max(len(query.order), len(groups)) > MAX_KEYS:
            message = f"ORDER BY and GROUP BY have at most {MAX_KEYS} keys (keys)."
            raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message, query.at)

    def _add_windows(self, query: nodes.Select) -> None:
        windows = self._expressions.windows
        for name, window in query.windows:
            if name in windows:
                raise SqlFault(ErrorCode.INVALID_SQL, f'The window "{name}" is there twice.', window.at)
            base = windows.get(window.base or "")
            if window.base is not None and base is None:
                raise SqlFault(ErrorCode.NOT_FOUND, f'There is no window "{window.base}".', window.at)
            windows[name] = window

    # --- keys ---------------------------------------------------------------------------------------------

    def _order(self, order: Sequence[nodes.Order], outputs: _Outputs) -> tuple[Key, ...]:
        if order:
            for number, output in enumerate(outputs, 1):
                self._places.setdefault(self._identities.number(output.expression), number)
        keys = []
        for each in order:
            place, value = self._key(each.expression, outputs, "ORDER BY")
            nulls_first = each.descending if each.nulls_first is None else each.nulls_first
            keys.append(Key(place, value, each.descending, nulls_first))
        return tuple(keys)

    def _key(self, node: nodes.Expression, outputs: _Outputs, clause: str) -> tuple[int | None, Expression]:
        """A key: the number of the output that it is, if it is one, and its value."""
        output = _position(node, outputs, clause)
        if output is None and isinstance(node, nodes.Name) and node.table is None:
            output = _named(node, outputs)
        if output is not None:
            value = self._settle(outputs[output - 1].expression, node.at)
        else:
            value = self._settle(self._expressions.resolve(node), node.at)
            refuse_volatile(clause, value)
            output = self._places.get(self._identities.number(value))
        check_keys([value.type], clause, node.at)
        return output, value

    def _group(self, node: nodes.Expression, outputs: _Outputs) -> Expression:
        output = _position(node, outputs, "GROUP BY")
        if output is None and isinstance(node, nodes.Name) and node.table is None:
            # Here a column of the query's own comes before an output of that name.
            is_column = self._names.own(node.name, node.at) is not None
            output = None if is_column else _named(node, outputs)
        if output is not None:
            value = self._settle(outputs[output - 1].expression, node.at)
            for each in walk_expressions(value):
                if isinstance(each, (Aggregate, WindowCall)):
                    what = "An aggregate" if isinstance(each, Aggregate) else "A window function"
                    raise SqlFault(ErrorCode.INVALID_SQL, f"{what} may not stand in GROUP BY.", node.at)
        else:
            value = self._settle(self._expressions.within("GROUP BY", node), node.at)
        refuse_volatile("GROUP BY", value)
        check_keys([value.type], "GROUP BY", node.at)
        return value

    def _distinct_on(self, query: nodes.Select, outputs: _Outputs, order: tuple[Key, ...]) -> tuple[Expression, ...]:
        if not query.distinct_on:
            return ()
        values = tuple(self._key(each, outputs, "DISTINCT ON")[1] for each in query.distinct_on)
        wanted = {self._identities.number(each) for each in values}
        found: set[int] = set()
        for key in order:
            number = self._identities.number(key.expression)
            if number not in wanted:
                break
            found.add(number)
        if order and found != wanted:
            message = "The keys of DISTINCT ON must be the first ones of ORDER BY."
            if len(found) < len(wanted) and len(found) < len(order):
                raise SqlFault(ErrorCode.INVALID_SQL, message, query.at)
        return values

    def _check_distinct(self, query: nodes.Select, outputs: _Outputs, order: tuple[Key, ...]) -> None:
        for output in outputs:
            value = self._settle(output.expression, query.at)
            at = place_of(value)
            check_keys([value.type], "DISTINCT", query.at if at is None else at)
        for key, written in zip(order, query.order, strict=True):
            if key.output is None:
                message = "With DISTINCT, what ORDER BY names must be an output column."
                raise SqlFault(ErrorCode.INVALID_SQL, message, written.expression.at)

    def _settle(self, value: Expression, at: int) -> Expression:
        """What is compared with its like: text if it has no type yet."""
        return self._context.coercion.settle(value, at)

    def _count(self, node: nodes.Expression | None, clause: str) -> Expression | None:
        if node is None:
            return None
        value = self._expressions.within(clause, node)
        own = self._names.own_numbers()
        if any(each.source in own for each in columns_in(value)):
            raise SqlFault(ErrorCode.INVALID_SQL, f"{clause} is one number: it names no column.", node.at)
        found = self._context.coercion.coerce(value, SqlType.BIGINT, node.at, Ease.ASSIGNMENT)
        if found is None:
            raise mismatch(f"{clause} is {value.type.title}, not a number.", node.at)
        if isinstance(found, Constant) and isinstance(found.value, int):
            try:
                row_limit(0, found.value)
            except SqlFault as fault:
                raise mismatch(fault.message, node.at) from None
        return found if isinstance(found, Constant) else Apply(SqlType.BIGINT, ROW_COUNTS[clause], (found,), node.at)


def resolve_targets(targets: Iterable[nodes.Target], expressions: ExpressionResolver) -> _Outputs:
    """The outputs; one without a type has none yet.

    Raises:
        SqlFault: LIMIT_EXCEEDED; as any expression.
    """
    found: list[OutputTree] = []
    for target in targets:
        node = target.expression
        if isinstance(node, nodes.Star):
            found.extend(OutputTree(name, value) for name, value in _star(node, expressions.names))
        else:
            value = expressions.resolve(node)
            name = value.query.outputs[0].name if isinstance(value, Scalar) else output_name(node)
            found.append(OutputTree(target.alias or name, value))
        if len(found) > MAX_OUTPUTS:
            message = f"A result has at most {MAX_OUTPUTS} columns (columns)."
            raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message, node.at)
    return tuple(found)


def _star(star: nodes.Star, names: Names) -> Sequence[Named]:
    if star.table is not None:
        return [_placed(each, star) for each in names.relation(star.table, star.at).columns]
    if not names.relations:
        raise SqlFault(ErrorCode.INVALID_SQL, "There is no table that * could stand for.", star.at)
    return [_placed(each, star) for each in names.columns]


def _placed(column: Named, star: nodes.Star) -> Named:
    value = column.value
    return Named(column.name, replace(value, at=star.at)) if isinstance(value, ColumnValue) else column


def check_keys(types: Iterable[SqlType], clause: str, at: int) -> None:
    """Whether values of these types can be equal, and compared.

    Raises:
        SqlFault: TYPE_MISMATCH.
    """
    for type_ in types:
        if type_ not in COMPARABLE:
            raise mismatch(f"{clause} needs values that compare, and {type_.title} does not.", at)


def _position(node: nodes.Expression, outputs: _Outputs, clause: str) -> int | None:
    """The number of the output that a constant stands for; None if the node is no constant."""
    if not isinstance(node, nodes.Literal):
        return None
    if node.kind is not nodes.LiteralKind.INTEGER:
        raise SqlFault(ErrorCode.INVALID_SQL, f"A constant in {clause} is the number of an output column.", node.at)
    text = node.text.lstrip("+")
    place = int(text) if text.isdecimal() and len(text) < 6 else 0
    if not 1 <= place <= len(outputs):
        raise SqlFault(ErrorCode.INVALID_SQL, f"{clause} {text[:20]}: there is no such output column.", node.at)
    return place


def _named(node: nodes.Name, outputs: _Outputs) -> int | None:
    """The number of the output of this name."""
    found = [place for place, each in enumerate(outputs, 1) if each.name == node.name]
    if any(outputs[place - 1].expression != outputs[found[0] - 1].expression for place in found):
        raise SqlFault(ErrorCode.INVALID_SQL, f'More than one output column is named "{node.name}".', node.at)
    return found[0] if found else None
