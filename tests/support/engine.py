"""The whole way of a statement on a SQLite in memory: planned, bound, run; without files, threads and groups."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from support.parameters import parameters as to_wire
from support.stepping import to_end
from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.layout import create_statement
from watchword_server.adapters.sqlite.row_ids import RowIds
from watchword_server.sql.catalog import AccessLevel, Catalog, Column, Table, TableId, TableType
from watchword_server.sql.engine_functions import ENGINE_AGGREGATES, ENGINE_FUNCTIONS, EngineFunction
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.plan import Plan
from watchword_server.sql.planner import Planner
from watchword_server.sql.types import SqlType
from watchword_server.sql.values import WIRE_FORMS, bind_values
from watchword_server.user import Role

__all__ = ["NOW_US", "Engine", "catalog_of", "table_of"]

NOW_US = 1_795_000_000_123_456


def table_of(
    title: str,
    columns: Sequence[tuple[str, SqlType]],
    primary_key: Sequence[str],
    *,
    type_: TableType = TableType.USER,
    access_level: AccessLevel = AccessLevel.PRIVATE,
    id_: int = 1,
) -> Table:
    """A table of these columns; those of the key are NOT NULL."""
    namespace, name = title.split(".")
    listed = tuple(Column(column, kind, not_null=column in primary_key) for column, kind in columns)
    return Table(TableId(id_), namespace, name, type_, access_level, listed, tuple(primary_key))


def catalog_of(*tables: Table) -> Catalog:
    """A catalog of these tables and their namespaces."""
    names = frozenset(table.namespace for table in tables)
    return Catalog(1, names, {(table.namespace, table.name): table for table in tables})


@dataclass
class Engine:
    """Tables in memory. `fault`: the last that a function of ours raised."""

    catalog: Catalog
    planner: Planner = field(
        default_factory=lambda: Planner(max_bytes=16384, max_parameters=1000, max_statements=100, capacity=100)
    )
    fault: SqlFault | None = None

    def __post_init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=0)
        self.connection.execute("PRAGMA case_sensitive_like = ON")
        for each in (*ENGINE_FUNCTIONS, *RowIds(lambda: NOW_US // 1_000, lambda bits: bits).functions):
            call = self._keeping(each)
            self.connection.create_function(each.name, each.taken, call, deterministic=each.is_deterministic)
        for name, aggregate in ENGINE_AGGREGATES:
            self.connection.create_window_function(name, 1, aggregate)
        for table in self.catalog.tables.values():
            self.connection.execute(create_statement(table, self.catalog))

    def close(self) -> None:
        """Forget everything."""
        self.connection.close()

    def _keeping(self, known: EngineFunction) -> Any:
        """The function, whose fault is kept: the engine says only that there was one."""

        def keeping(*values: Any) -> Any:
            try:
                return known.function(*(values[:-1] if known.has_place else values))
            except SqlFault as fault:
                self.fault = fault
                raise

        return keeping

    def plans(self, sql: str, role: Role = Role.USER) -> tuple[Plan, ...]:
        """The plans of a request."""
        plans = to_end(self.planner.plan(sql, catalog=self.catalog, namespace="app", role=role))
        assert isinstance(plans, tuple)
        return plans

    def run(
        self, sql: str, parameters: Sequence[Any] = (), *, user: str = "ada", role: Role = Role.USER
    ) -> tuple[Plan, list[tuple[Any, ...]]]:
        """The plan of one statement, and its rows in stored form.

        Raises:
            SqlFault: From the planner, the values or the engine.
        """
        [plan] = self.plans(sql, role)
        values = bind_values(plan, to_wire(*parameters), user_id=user, user_name=user.title(), now_us=NOW_US)
        self.fault = None
        try:
            return plan, self.connection.execute(plan.text, values).fetchall()
        except sqlite3.IntegrityError as error:
            raise SqlFault(ErrorCode.CONSTRAINT_VIOLATION, str(error)) from None
        except sqlite3.OperationalError as error:
            if self.fault is not None:
                raise self.fault from None
            if str(error) == "parser stack overflow":
                raise SqlFault(ErrorCode.LIMIT_EXCEEDED, str(error)) from None
            if str(error) == "integer overflow":
                raise SqlFault(ErrorCode.TYPE_MISMATCH, str(error)) from None
            raise

    def ask(
        self, sql: str, parameters: Sequence[Any] = (), *, user: str = "ada", role: Role = Role.USER
    ) -> list[tuple[Any, ...]]:
        """The rows of one statement in wire form."""
        plan, rows = self.run(sql, parameters, user=user, role=role)
        forms = [WIRE_FORMS.get(column.type) for column in plan.columns]
        return [
            tuple(
                value if form is None or value is None else form(value) for value, form in zip(row, forms, strict=True)
            )
            for row in rows
        ]
