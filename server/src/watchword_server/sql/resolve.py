"""Nodes to trees, statements: the second allow-list.

The order in which the clauses are resolved is PostgreSQL's, since a parameter takes the type of its first place. It is

    SELECT  outputs, WHERE, HAVING, ORDER BY, GROUP BY, DISTINCT, OFFSET, LIMIT
    INSERT  row by row, RETURNING
    UPDATE  WHERE, RETURNING, SET
    DELETE  WHERE, RETURNING

and of a row, as of SET, all values are read before the first gets its column's type.
Source: PostgreSQL's pages on SELECT, INSERT, UPDATE and DELETE; its analyze.c where they are silent.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from watchword_protocol.errors import ErrorCode
from watchword_server.sql import nodes
from watchword_server.sql.casts import Ease
from watchword_server.sql.catalog import Catalog, Column, Table
from watchword_server.sql.coercion import Coercion, mismatch
from watchword_server.sql.engine_functions import row_limit
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.functions import ROW_COUNTS
from watchword_server.sql.identity import Identities
from watchword_server.sql.lookup import readable_table, writable_table
from watchword_server.sql.operators import COMPARABLE
from watchword_server.sql.output_names import output_name
from watchword_server.sql.resolve_expressions import ExpressionResolver, nearest
from watchword_server.sql.row_conditions import check_tests, default_call
from watchword_server.sql.table_definition import MAX_COLUMNS
from watchword_server.sql.tree import (
    Aggregate,
    Apply,
    ColumnValue,
    Constant,
    DeleteTree,
    Expression,
    InsertTree,
    Key,
    OutputTree,
    SelectTree,
    Tree,
    UpdateTree,
    place_of,
    walk_expressions,
)
from watchword_server.sql.truncation import truncated
from watchword_server.sql.types import SqlType
from watchword_server.sql.volatile import refuse_volatile
from watchword_server.user import Role

__all__ = ["MAX_KEYS", "MAX_OUTPUTS", "resolve"]

MAX_OUTPUTS: Final = MAX_COLUMNS
"""Columns of a result: the engine has one limit for both."""
MAX_KEYS: Final = 100
"""Of ORDER BY, and of GROUP BY."""

_Literal: Final = nodes.Literal


def resolve(query: nodes.Query, catalog: Catalog, namespace: str, role: Role) -> Tree:
    """The statement's tree for a user of this role.

    Args:
        query: From the parser.
        catalog: The tables there are.
        namespace: Where a table's name without one is looked up.
        role: Decides what exists and what may be written.

    Raises:
        SqlFault: NOT_FOUND, PERMISSION_DENIED, TYPE_MISMATCH, INVALID_SQL, UNSUPPORTED_SQL, INVALID_PARAMS,
            LIMIT_EXCEEDED.
    """
    coercion = Coercion()
    tree = _tree(query, catalog, namespace, role, coercion)
    coercion.finish()
    return tree


def _tree(query: nodes.Query, catalog: Catalog, namespace: str, role: Role, coercion: Coercion) -> Tree:
    if isinstance(query, nodes.Select):
        table = readable_table(catalog, query.table, namespace, role) if query.table else None
        return _StatementResolver(table, query.table, role, coercion).select(query)
    table = writable_table(catalog, query.table, namespace, role)
    if isinstance(query, nodes.Truncate):
        return truncated(table, catalog, query.at)
    resolver = _StatementResolver(table, query.table, role, coercion)
    match query:
        case nodes.Insert():
            return resolver.insert(query, table)
        case nodes.Update():
            return resolver.update(query, table)
        case nodes.Delete():
            where = resolver.condition(query.where, "WHERE")
            return DeleteTree(table, where, resolver.returning(query.returning))


class _StatementResolver:
    """One statement over at most one table."""

    __slots__ = ("_expressions", "_identities", "_places", "_table")

    def __init__(self, table: Table | None, name: nodes.TableName | None, role: Role, coercion: Coercion) -> None:
        self._table = table
        self._identities = Identities()
        self._places: dict[int, int] = {}  # of the outputs, from 1, by the expression's number
        alias = (name.alias or name.name) if name else None
        self._expressions = ExpressionResolver(table, alias, coercion, role)

    # --- SELECT -------------------------------------------------------------------------------------------

    def select(self, query: nodes.Select) -> SelectTree:
        if max(len(query.order), len(query.group)) > MAX_KEYS:
            message = f"ORDER BY and GROUP BY have at most {MAX_KEYS} keys (keys)."
            raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message, query.at)
        outputs = self._targets(query.targets)
        where = self.condition(query.where, "WHERE")
        having = None
        if query.having is not None:
            having = self._expressions.boolean(query.having, "HAVING", query.having.at)
            refuse_volatile("HAVING", having)
        if query.order:
            for place, output in enumerate(outputs, 1):
                self._places.setdefault(self._identities.number(output.expression), place)
        order = tuple(self._key(each, outputs) for each in query.order)
        group = tuple(self._group(each, outputs) for each in query.group)
        values = [each.expression for each in outputs] + [key.expression for key in order]
        has_aggregates = any(isinstance(each, Aggregate) for each in walk_expressions(*values, having))
        grouped = bool(group) or having is not None or has_aggregates
        if grouped:
            self._check_grouping(query, outputs, order, having, group)
        if query.distinct:
            self._check_distinct(query, outputs, order)
        offset, limit = self._count(query.offset, "OFFSET"), self._count(query.limit, "LIMIT")
        return SelectTree(self._table, outputs, where, grouped, group, having, order, limit, offset, query.distinct)

    def condition(self, node: nodes.Expression | None, clause: str) -> Expression | None:
        """A WHERE."""
        if node is None:
            return None
        self._expressions.no_aggregates = clause
        found = self._expressions.boolean(node, clause, node.at)
        self._expressions.no_aggregates = None
        refuse_volatile(clause, found)
        return found

    def _targets(self, targets: Iterable[nodes.Target]) -> tuple[OutputTree, ...]:
        found: list[OutputTree] = []
        for target in targets:
            node = target.expression
            if isinstance(node, nodes.Star):
                found.extend(OutputTree(column.name, ColumnValue(column, node.at)) for column in self._star(node))
            else:
                value = self._expressions.coercion.leave_open(self._expressions.resolve(node), node.at)
                found.append(OutputTree(target.alias or output_name(node), value))
            if len(found) > MAX_OUTPUTS:
                message = f"A result has at most {MAX_OUTPUTS} columns (columns)."
                raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message, node.at)
        return tuple(found)

    def _star(self, star: nodes.Star) -> tuple[Column, ...]:
        if star.table is not None:
            self._expressions.check_qualifier(star.table, star.at)
        if self._table is None:
            raise SqlFault(ErrorCode.INVALID_SQL, "There is no table that * could stand for.", star.at)
        return self._table.columns

    def _key(self, order: nodes.Order, outputs: tuple[OutputTree, ...]) -> Key:
        node = order.expression
        output = _position(node, outputs, "ORDER BY")
        if output is None and isinstance(node, nodes.Name) and node.table is None:
            output = _named(node, outputs)
        if output is not None:
            value = self._settle(outputs[output - 1].expression, node.at)
        else:
            value = self._settle(self._expressions.resolve(node), node.at)
            refuse_volatile("ORDER BY", value)
            output = self._places.get(self._identities.number(value))
        if value.type not in COMPARABLE:
            raise mismatch(f"ORDER BY needs values that compare, and {value.type.title} does not.", node.at)
        nulls_first = order.descending if order.nulls_first is None else order.nulls_first
        return Key(output, value, order.descending, nulls_first)

    def _group(self, node: nodes.Expression, outputs: tuple[OutputTree, ...]) -> Expression:
        output = _position(node, outputs, "GROUP BY")
        if output is None and isinstance(node, nodes.Name) and node.table is None:
            # Here a column of the table comes before an output of that name.
            is_column = self._expressions.find(None, node.name, node.at) is not None
            output = None if is_column else _named(node, outputs)
        if output is not None:
            value = self._settle(outputs[output - 1].expression, node.at)
            if any(isinstance(each, Aggregate) for each in walk_expressions(value)):
                raise SqlFault(ErrorCode.INVALID_SQL, "An aggregate may not stand in GROUP BY.", node.at)
        else:
            self._expressions.no_aggregates = "GROUP BY"
            value = self._settle(self._expressions.resolve(node), node.at)
            self._expressions.no_aggregates = None
        refuse_volatile("GROUP BY", value)
        if value.type not in COMPARABLE:
            raise mismatch(f"GROUP BY needs values that can be equal, and {value.type.title} cannot.", node.at)
        return value

    def _check_grouping(
        self,
        query: nodes.Select,
        outputs: tuple[OutputTree, ...],
        order: tuple[Key, ...],
        having: Expression | None,
        group: tuple[Expression, ...],
    ) -> None:
        columns = {each.column.name for each in group if isinstance(each, ColumnValue)}
        if self._table is not None and columns.issuperset(self._table.primary_key):
            return  # each group is one row
        values = [each.expression for each in outputs] + [key.expression for key in order]
        if having is not None:
            values.append(having)
        keys = frozenset(map(self._identities.number, group))
        for value in values:
            if loose := self._identities.ungrouped(value, keys):
                message = (
                    f'The column "{loose.column.name}" must stand in GROUP BY or in an aggregate: '
                    "a group has many of its values."
                )
                raise SqlFault(ErrorCode.INVALID_SQL, message, loose.at)
        aggregated = any(isinstance(x, Aggregate) for each in outputs for x in walk_expressions(each.expression))
        if not group and not aggregated:
            construct = "An aggregate in HAVING or ORDER BY alone, without one in the result,"
            raise SqlFault(ErrorCode.UNSUPPORTED_SQL, f"{construct} is not supported.", query.at)

    def _check_distinct(self, query: nodes.Select, outputs: tuple[OutputTree, ...], order: tuple[Key, ...]) -> None:
        for output in outputs:
            value = self._settle(output.expression, query.at)
            if value.type not in COMPARABLE:
                at = place_of(value)
                message = f"DISTINCT needs values that can be equal, and {value.type.title} cannot."
                raise mismatch(message, query.at if at is None else at)
        for key, written in zip(order, query.order, strict=True):
            if key.output is None:
                message = "With DISTINCT, what ORDER BY names must be an output column."
                raise SqlFault(ErrorCode.INVALID_SQL, message, written.expression.at)

    def _settle(self, value: Expression, at: int) -> Expression:
        """What is compared with its like: text if it has no type yet."""
        return self._expressions.coercion.settle(value, at)

    def _count(self, node: nodes.Expression | None, clause: str) -> Expression | None:
        if node is None:
            return None
        value = self._expressions.resolve(node)
        refuse_volatile(clause, value)
        for each in walk_expressions(value):
            if isinstance(each, (ColumnValue, Aggregate)):
                raise SqlFault(ErrorCode.INVALID_SQL, f"{clause} is one number: it names no column.", node.at)
        found = self._expressions.coercion.coerce(value, SqlType.BIGINT, node.at, Ease.ASSIGNMENT)
        if found is None:
            raise mismatch(f"{clause} is {value.type.title}, not a number.", node.at)
        if isinstance(found, Constant) and isinstance(found.value, int):
            try:
                row_limit(0, found.value)
            except SqlFault as fault:
                raise mismatch(fault.message, node.at) from None
        return found if isinstance(found, Constant) else Apply(SqlType.BIGINT, ROW_COUNTS[clause], (found,), node.at)

    # --- writes -------------------------------------------------------------------------------------------

    def returning(self, targets: tuple[nodes.Target, ...]) -> tuple[OutputTree, ...]:
        self._expressions.no_aggregates = "RETURNING"
        outputs = self._targets(targets)
        for output in outputs:
            self._expressions.coercion.decide(output.expression)  # before SET, which comes after it
            refuse_volatile("RETURNING", output.expression)
        return outputs

    def insert(self, query: nodes.Insert, table: Table) -> InsertTree:
        self._expressions.no_aggregates = "VALUES"
        _check_once(query.columns)
        named = [self._column(table, name) for name in query.columns] or list(table.columns)
        width = len(query.rows[0]) if query.rows else 0
        if any(len(row) != width for row in query.rows):
            raise SqlFault(ErrorCode.INVALID_SQL, "The rows of VALUES must have the same length.", query.at)
        if width > len(named) or (query.columns and width < len(named)):
            message = f"INSERT has {len(named)} columns and {width} values."
            raise SqlFault(ErrorCode.INVALID_SQL, message, query.at)
        named = named[:width]
        made = [column for column in table.columns if column.default_call is not None and column not in named]
        left = (nodes.Default(query.at),) * len(made)
        columns = (*named, *made)
        rows = tuple(self._values((*row, *left), columns, self._new_value) for row in query.rows or ((),))
        return InsertTree(table, columns, rows, self.returning(query.returning), check_tests(table))

    def update(self, query: nodes.Update, table: Table) -> UpdateTree:
        _check_once([name for name, _ in query.sets])
        columns = [self._column(table, name) for name, _ in query.sets]
        where = self.condition(query.where, "WHERE")
        returning = self.returning(query.returning)
        self._expressions.no_aggregates = "UPDATE"
        values = self._values([value for _, value in query.sets], columns, self._expressions.resolve)
        sets = tuple(zip(columns, values, strict=True))
        return UpdateTree(table, sets, where, returning, check_tests(table))

    def _values(
        self,
        row: Sequence[nodes.Expression | nodes.Default],
        columns: Sequence[Column],
        resolve_value: Callable[[nodes.Expression], Expression],
    ) -> tuple[Expression, ...]:
        """What goes into these columns: each value is read before the first gets its column's type."""
        values = [
            self._default(column) if isinstance(node, nodes.Default) else resolve_value(node)
            for node, column in zip(row, columns, strict=True)
        ]
        assign = self._expressions.coercion.assign
        return tuple(
            assign(value, column.type, column.name, node.at)
            for value, column, node in zip(values, columns, row, strict=True)
        )

    def _default(self, column: Column) -> Expression:
        """What the column has where nothing is said, not yet as one of its type."""
        call = default_call(column)
        if call is not None:
            return self._expressions.resolve(call)
        return Constant(column.type, column.default if column.has_default else None)

    def _new_value(self, node: nodes.Expression) -> Expression:
        """Of a row that is not there yet."""
        value = self._expressions.resolve(node)
        if any(isinstance(each, ColumnValue) for each in walk_expressions(value)):
            raise SqlFault(ErrorCode.INVALID_SQL, "VALUES names no column: there is no row yet.", node.at)
        return value

    def _column(self, table: Table, node: nodes.Name) -> Column:
        column = table.column(node.name)
        if column is None:
            hint = nearest(node.name, [each.name for each in table.columns])
            raise SqlFault(ErrorCode.NOT_FOUND, f'There is no column "{node.name}" in {table.title}.{hint}', node.at)
        return column


def _check_once(columns: Iterable[nodes.Name]) -> None:
    seen: set[str] = set()
    for node in columns:
        if node.name in seen:
            raise SqlFault(ErrorCode.INVALID_SQL, f'The column "{node.name}" is given twice.', node.at)
        seen.add(node.name)


def _position(node: nodes.Expression, outputs: tuple[OutputTree, ...], clause: str) -> int | None:
    """The number of the output that a constant stands for; None if the node is no constant."""
    if not isinstance(node, _Literal):
        return None
    if node.kind is not nodes.LiteralKind.INTEGER:
        raise SqlFault(ErrorCode.INVALID_SQL, f"A constant in {clause} is the number of an output column.", node.at)
    text = node.text.lstrip("+")
    place = int(text) if text.isdecimal() and len(text) < 6 else 0
    if not 1 <= place <= len(outputs):
        raise SqlFault(ErrorCode.INVALID_SQL, f"{clause} {text[:20]}: there is no such output column.", node.at)
    return place


def _named(node: nodes.Name, outputs: tuple[OutputTree, ...]) -> int | None:
    """The number of the output of this name."""
    found = [place for place, each in enumerate(outputs, 1) if each.name == node.name]
    if any(outputs[place - 1].expression != outputs[found[0] - 1].expression for place in found):
        raise SqlFault(ErrorCode.INVALID_SQL, f'More than one output column is named "{node.name}".', node.at)
    return found[0] if found else None
