"""Nodes to trees, INSERT, UPDATE and DELETE.

Source: PostgreSQL's pages on them; its analyze.c for the order of the clauses.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from watchword_protocol.errors import ErrorCode
from watchword_server.sql import nodes
from watchword_server.sql.catalog import Column, Table
from watchword_server.sql.common_tables import resolve_with
from watchword_server.sql.context import Context
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.lookup import column_of, writable_table
from watchword_server.sql.names import Named, Names, Relation, made_columns
from watchword_server.sql.output_types import converted
from watchword_server.sql.query_tree import (
    EXCLUDED,
    CommonTree,
    ConflictTree,
    DeleteTree,
    InsertTree,
    OutputTree,
    QuerySource,
    RowsTree,
    SelectTree,
    SourceTree,
    TableSource,
    UpdateTree,
    ValuesTree,
    columns_in,
)
from watchword_server.sql.resolve_expressions import ExpressionResolver
from watchword_server.sql.resolve_from import relation_of, resolve_from
from watchword_server.sql.resolve_rows import resolve_open
from watchword_server.sql.resolve_select import resolve_targets
from watchword_server.sql.row_conditions import check_tests, default_call
from watchword_server.sql.tree import QUERIES, ColumnValue, Constant, Expression, place_of, walk_expressions
from watchword_server.sql.truncation import check_truncation
from watchword_server.sql.volatile import refuse_volatile

__all__ = ["resolve_delete", "resolve_insert", "resolve_truncate", "resolve_update"]


def resolve_insert(query: nodes.Insert, context: Context) -> InsertTree:
    """INSERT."""
    write = _Write(query, context)
    table = write.target.table
    _check_once(query.columns)
    named = [column_of(table, name) for name in query.columns] or list(table.columns)
    rows: RowsTree | None = None
    if query.query is not None:
        tree = resolve_open(context, query.query, write.around)
        columns = _fitting(query, named, len(tree.outputs))

        def assign(value: Expression, index: int) -> Expression:
            column = columns[index]
            return context.coercion.assign(value, column.type, column.name, place_of(value) or query.at)

        made = _made(table, columns)
        rows = write.with_made(converted(tree, assign, context), made)
    else:
        width = len(query.rows[0]) if query.rows else 0
        if any(len(row) != width for row in query.rows):
            raise SqlFault(ErrorCode.INVALID_SQL, "The rows of VALUES must have the same length.", query.at)
        columns = _fitting(query, named, width)
        # The engine takes no ON CONFLICT behind DEFAULT VALUES.
        made = _made(table, columns) if query.rows or query.conflict is None else list(table.columns)
        left = (nodes.Default(query.at),) * len(made)
        if query.rows or made:
            listed = query.rows or ((),)
            rows = ValuesTree(tuple(write.new_row((*row, *left), (*columns, *made)) for row in listed))
    conflict = None if query.conflict is None else write.conflict(query.conflict)
    returning = write.returning(query.returning)
    tests = check_tests(write.target)
    return InsertTree(write.target, (*columns, *made), rows, conflict, returning, write.commons, tests)


def _made(table: Table, columns: Sequence[Column]) -> list[Column]:
    """The columns whose values are made for each row, since the statement has none."""
    return [column for column in table.columns if column.default_call is not None and column not in columns]


def _fitting(query: nodes.Insert, named: list[Column], width: int) -> list[Column]:
    if width > len(named) or (query.columns and width < len(named)):
        message = f"INSERT has {len(named)} columns and {width} values."
        raise SqlFault(ErrorCode.INVALID_SQL, message, query.at)
    return named[:width]


def resolve_update(query: nodes.Update, context: Context) -> UpdateTree:
    """UPDATE."""
    _check_once([name for name, _ in query.sets])
    write = _Write(query, context)
    columns = [column_of(write.target.table, name) for name, _ in query.sets]
    sources = write.beside(query.sources)
    where = write.where(query.where)
    returning = write.returning(query.returning)
    values = write.values([value for _, value in query.sets], columns, "UPDATE")
    sets = tuple(zip(columns, values, strict=True))
    return UpdateTree(write.target, sets, sources, where, returning, write.commons, check_tests(write.target))


def resolve_delete(query: nodes.Delete, context: Context) -> DeleteTree:
    """DELETE."""
    write = _Write(query, context)
    sources = write.beside(query.sources)
    where = write.where(query.where)
    return DeleteTree(write.target, sources, where, write.returning(query.returning), write.commons)


def resolve_truncate(query: nodes.Truncate, context: Context) -> DeleteTree:
    """TRUNCATE: a DELETE of every row that the user may delete."""
    table = writable_table(context.catalog, query.table, context.namespace, context.role)
    check_truncation(table, context.catalog, query.at)
    return DeleteTree(TableSource(context.next_number(query.at), table))


class _Write:
    """A statement that changes one table. `around`: the names of its WITH."""

    __slots__ = ("_at", "_context", "_expressions", "_relation", "around", "commons", "target")

    def __init__(self, query: nodes.Insert | nodes.Update | nodes.Delete, context: Context) -> None:
        self._context = context
        self._at = query.at
        self.around = Names()
        commons: tuple[CommonTree, ...] = ()
        if query.common is not None:
            commons = resolve_with(query.common, context, self.around, resolve_open)
        self.commons = commons
        table = writable_table(context.catalog, query.table, context.namespace, context.role)
        self.target = TableSource(context.next_number(query.table.at), table)
        context.tables[self.target.number] = table
        name = query.table
        self._relation = relation_of(self.target, name.alias or name.name, (), name.at)
        names = Names(self.around)
        names.add([self._relation], self._relation.columns, name.at)
        self._expressions = ExpressionResolver(context, names)

    def beside(self, items: Sequence[nodes.FromItem]) -> tuple[SourceTree, ...]:
        """FROM or USING."""
        return resolve_from(items, self._context, self._expressions.names)

    def with_made(self, rows: RowsTree, made: Sequence[Column]) -> RowsTree:
        """The rows of a query, each with values of its own for these columns."""
        if not made:
            return rows
        number = self._context.next_number(self._at)
        columns = made_columns(number, ((output.name, output.type) for output in rows.outputs))
        outputs = [OutputTree(each.name, each.value) for each in columns]
        assign = self._context.coercion.assign
        outputs += [
            OutputTree(column.name, assign(self._default(column), column.type, column.name, self._at))
            for column in made
        ]
        return SelectTree((QuerySource(number, rows),), tuple(outputs))

    def where(self, node: nodes.Expression | None) -> Expression | None:
        """WHERE."""
        return None if node is None else self._expressions.within("WHERE", node, "WHERE")

    def returning(self, targets: Sequence[nodes.Target]) -> tuple[OutputTree, ...]:
        """RETURNING: of the row that was written."""
        expressions = self._expressions
        expressions.no_aggregates = expressions.no_windows = "RETURNING"
        outputs = resolve_targets(targets, expressions)
        expressions.no_aggregates = expressions.no_windows = None
        settled = []
        for output in outputs:
            value = self._context.coercion.leave_open(output.expression, place_of(output.expression) or 0)
            self._context.coercion.decide(value)  # before SET, which comes after it
            _check_returned(value, self.target)
            refuse_volatile("RETURNING", value)
            settled.append(replace(output, expression=value))
        return tuple(settled)

    def new_row(
        self, row: Sequence[nodes.Expression | nodes.Default], columns: Sequence[Column]
    ) -> tuple[Expression, ...]:
        """A row of VALUES."""
        found = self.values(row, columns, "VALUES")
        for value, node in zip(found, row, strict=True):
            if any(each.source == self.target.number for each in columns_in(value)):
                raise SqlFault(ErrorCode.INVALID_SQL, "VALUES names no column: there is no row yet.", node.at)
        return found

    def values(
        self, row: Sequence[nodes.Expression | nodes.Default], columns: Sequence[Column], clause: str
    ) -> tuple[Expression, ...]:
        """What goes into these columns: each value is read before the first gets its column's type."""
        values = [
            self._default(column) if isinstance(node, nodes.Default) else self._expressions.within(clause, node)
            for node, column in zip(row, columns, strict=True)
        ]
        assign = self._context.coercion.assign
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

    def conflict(self, node: nodes.OnConflict) -> ConflictTree:
        """ON CONFLICT.

        Raises:
            SqlFault: INVALID_SQL: the columns are no unique key.
        """
        table = self.target.table
        key = self._conflict_key(node, table)
        if node.sets is None:
            return ConflictTree(key, at=node.at)
        if not key:
            raise SqlFault(ErrorCode.INVALID_SQL, "DO UPDATE needs the columns of a key: ON CONFLICT (...).", node.at)
        _check_once([name for name, _ in node.sets])
        columns = [column_of(table, name) for name, _ in node.sets]
        excluded = [Named(column.name, ColumnValue(column, EXCLUDED)) for column in table.columns]
        names = Names(self.around)
        columns_of_both = [*self._relation.columns, *excluded]  # so that one without a table's name is either's
        names.add([self._relation, Relation("excluded", EXCLUDED, excluded)], columns_of_both, node.at)
        before, self._expressions.names = self._expressions.names, names
        values = self.values([value for _, value in node.sets], columns, "ON CONFLICT")
        where = None if node.where is None else self._expressions.within("WHERE", node.where, "WHERE")
        self._expressions.names = before
        return ConflictTree(key, tuple(zip(columns, values, strict=True)), where, node.at)

    def _conflict_key(self, node: nodes.OnConflict, table: Table) -> tuple[str, ...]:
        if node.constraint is not None:
            keys = {each.name: each.columns for each in table.indexes if each.is_constraint}
            keys[f"{table.name}_pkey"] = table.primary_key
            if node.constraint in keys:
                return keys[node.constraint]
            message = f'There is no unique key "{node.constraint}" of {table.title}.'
            raise SqlFault(ErrorCode.NOT_FOUND, message, node.at)
        named = {column_of(table, name).name for name in node.columns}
        unique = [table.primary_key, *(each.columns for each in table.indexes if each.is_unique)]
        if not named or any(named == set(key) for key in unique):
            return tuple(dict.fromkeys(name.name for name in node.columns))
        message = f"({', '.join(sorted(named))}) is no unique key of {table.title}: ON CONFLICT names one."
        raise SqlFault(ErrorCode.INVALID_SQL, message, node.at)


def _check_returned(value: Expression, target: TableSource) -> None:
    """The engine has the written row there, and nothing else."""
    for each in walk_expressions(value):
        if isinstance(each, QUERIES):
            raise SqlFault(ErrorCode.UNSUPPORTED_SQL, "A subquery in RETURNING is not supported.", place_of(value))
        if isinstance(each, ColumnValue) and each.source != target.number:
            message = f'RETURNING of a column of another table ("{each.title}") is not supported.'
            raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, each.at)


def _check_once(columns: Iterable[nodes.Name]) -> None:
    seen: set[str] = set()
    for node in columns:
        if node.name in seen:
            raise SqlFault(ErrorCode.INVALID_SQL, f'The column "{node.name}" is given twice.', node.at)
        seen.add(node.name)
