"""The catalog in the database: read at start, changed on the writer's thread, the newest one handed to everybody."""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import replace

from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.alterations import alteration, is_same_to_plans
from watchword_server.adapters.sqlite.data_directory import DataUnusable
from watchword_server.adapters.sqlite.engine import Engine
from watchword_server.adapters.sqlite.faults import to_refusal
from watchword_server.adapters.sqlite.layout import (
    create_statement,
    drop_statement,
    index_statement,
)
from watchword_server.adapters.sqlite.stored_table import read_table, write_table
from watchword_server.adapters.sqlite.transaction import transaction, without_foreign_keys
from watchword_server.refusal import Refused
from watchword_server.sql.catalog import Catalog, Table, TableId
from watchword_server.sql.change import Change
from watchword_server.sql.definer import Definer
from watchword_server.sql.definition_nodes import Definition
from watchword_server.sql.definitions import decide
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.physical import physical_name
from watchword_server.sql.plan import Plan
from watchword_server.sql.proof import Proof
from watchword_server.sql.quoting import quoted_name
from watchword_server.sql.values import bind_values

__all__ = ["StoredCatalog"]


class StoredCatalog:
    """`catalog`: the newest committed one. Tables that are gone or others since the start, or just now, are marked."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read it.

        Raises:
            DataUnusable: A definition in it was damaged behind our back.
        """
        namespaces = connection.execute("SELECT name FROM _namespaces").fetchall()
        rows = connection.execute("SELECT id, namespace, name, CAST(definition AS BLOB) FROM _tables").fetchall()
        tables = [read_table(*row) for row in rows]
        ids = {table.id for table in tables}
        for table in tables:
            if not ids.issuperset(key.table for key in table.foreign_keys):
                raise DataUnusable(f"its table {table.title} refers to one that is gone; restore it from a backup")
        self._changed: Mapping[TableId, tuple[int, bool]] = {}  # the version, and whether it is gone
        self._replace(0, (name for (name,) in namespaces), tables)

    def find(self, physical: str) -> Table | None:
        """The table of this physical name."""
        return self._by_physical_name.get(physical)

    def outdated(self, plan: Plan) -> Refused | None:
        """What is told of a plan that was made before one of its tables went, or became another; None where none did.

        For any thread. Asked after the plan ran it is sure: marks are set before a change can be seen.
        """
        changed = self._changed
        marks = [mark for number in plan.tables if (mark := changed.get(number)) and mark[0] > plan.version]
        if any(is_gone for _, is_gone in marks):
            return Refused(ErrorCode.NOT_FOUND, "A table of the statement was dropped meanwhile.")
        if marks:
            return Refused(ErrorCode.SCHEMA_CHANGED, "A table of the statement was altered meanwhile: send it again.")
        return None

    def define(self, engine: Engine, definition: Definition, definer: Definer) -> None:
        """Change the catalog and the tables in one transaction; the newest catalog is there when this returns.

        Raises:
            SqlFault: As `decide`.
            Refused: CONSTRAINT_VIOLATION: the rows that are there do not fit. COMMIT_UNKNOWN: it may have happened.
            sqlite3.Error: Nothing happened.
        """
        change = decide(definition, self.catalog, definer)
        if change is None:
            return
        before = self._changed
        try:
            with without_foreign_keys(engine), transaction(engine):
                tables = self._carry_out(engine, change)
                self._changed = {**before, **self._marks(tables)}
        except BaseException:
            self._changed = before
            raise
        self._replace(self.catalog.version + 1, change.catalog.namespaces, tables)

    def _carry_out(self, engine: Engine, change: Change) -> list[Table]:
        """The difference, in the database; the tables with their ids."""
        old, new = self.catalog, change.catalog
        engine.executemany("INSERT INTO _namespaces VALUES (?)", [(name,) for name in new.namespaces - old.namespaces])
        former = {table.id: table for table in old.tables.values()}
        tables: list[Table] = []
        for table in new.tables.values():
            known = former.pop(table.id, None)
            if known is None:
                tables.append(_create(engine, table, new))
                continue
            tables.append(table)
            if known != table:
                _alter(engine, known, table, change.renamed.get(table.id, {}), new)
        for table in former.values():
            engine.execute(drop_statement(table))
            engine.execute("DELETE FROM _tables WHERE id = ?", (table.id,))
        gone = [(name,) for name in old.namespaces - new.namespaces]
        engine.executemany("DELETE FROM _namespaces WHERE name = ?", gone)
        for proof in change.proofs:
            _prove(engine, proof)
        return tables

    def _marks(self, tables: Iterable[Table]) -> dict[TableId, tuple[int, bool]]:
        """Those that plans must not take for what they were; a table is another, too, when what refers to it is."""
        version = self.catalog.version + 1
        former = {table.id: table for table in self.catalog.tables.values()}
        marks: dict[TableId, tuple[int, bool]] = {}
        for table in tables:
            known = former.pop(table.id, None)
            keys = set(() if known is None else known.foreign_keys) ^ set(table.foreign_keys)
            marks |= dict.fromkeys((key.table for key in keys), (version, False))
            if known is not None and not is_same_to_plans(known, table):
                marks[table.id] = (version, False)
        return marks | dict.fromkeys(former, (version, True))

    def _replace(self, version: int, namespaces: Iterable[str], tables: Iterable[Table]) -> None:
        by_name = {(table.namespace, table.name): table for table in tables}
        self._by_physical_name = {physical_name(table): table for table in by_name.values()}
        self.catalog = Catalog(version, frozenset(namespaces), by_name)


def _create(engine: Engine, table: Table, catalog: Catalog) -> Table:
    """The table, with the id that it gets."""
    insert = "INSERT INTO _tables (namespace, name, definition) VALUES (?, ?, '')"
    number = TableId(engine.execute(insert, (table.namespace, table.name)).lastrowid or 0)
    own = (replace(key, table=number) if key.table == table.id else key for key in table.foreign_keys)
    table = replace(table, id=number, foreign_keys=tuple(own))
    _keep(engine, table)
    engine.execute(create_statement(table, catalog))
    for index in table.indexes:
        engine.execute(index_statement(table, index))
    return table


def _alter(engine: Engine, old: Table, new: Table, renamed: Mapping[str, str], catalog: Catalog) -> None:
    try:
        for statement in alteration(old, new, renamed, catalog):
            engine.execute(statement)
    except sqlite3.IntegrityError as error:
        refusal = to_refusal(error, new, value_bytes=0)
        if refusal is None:
            raise
        message = f"The rows of {new.title} do not fit. {refusal.message}"
        raise Refused(ErrorCode.CONSTRAINT_VIOLATION, message) from error
    _keep(engine, new)
    for key in set(new.foreign_keys) - set(old.foreign_keys):
        if engine.execute(f"PRAGMA foreign_key_check({quoted_name(physical_name(new))})").fetchone() is not None:
            message = f'A row of {new.title} breaks the foreign key "{key.name}".'
            raise Refused(ErrorCode.CONSTRAINT_VIOLATION, message)


def _keep(engine: Engine, table: Table) -> None:
    update = "UPDATE _tables SET namespace = ?, name = ?, definition = ? WHERE id = ?"
    engine.execute(update, (table.namespace, table.name, write_table(table), table.id))


def _prove(engine: Engine, proof: Proof) -> None:
    values = bind_values(proof.plan, (), user_id="", user_name="", now_us=0)
    try:
        found = engine.run(proof.plan, values, max_rows=1, max_bytes=1_000)
    except SqlFault as fault:  # its place is in a text of ours
        raise Refused(fault.code, f"{proof.refusal.message} {fault.message}") from fault
    if found.row_count:
        raise proof.refusal
