"""The catalog in the database: read at start, changed on the writer's thread, the newest one handed to everybody."""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace

import msgspec
from msgspec import UNSET, Struct, UnsetType

from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.data_directory import DataUnusable
from watchword_server.adapters.sqlite.layout import create_statement, drop_statement, physical_name
from watchword_server.adapters.sqlite.transaction import transaction
from watchword_server.refusal import Refused
from watchword_server.sql.catalog import AccessLevel, Catalog, Column, Table, TableId, TableType
from watchword_server.sql.nodes import CreateNamespace, CreateTable, Definition, DropTable
from watchword_server.sql.types import SqlType

__all__ = ["StoredCatalog", "TableOf"]

TableOf = Callable[[CreateTable, Catalog], Table | None]
"""The table that a definition describes, its id left to us; None where nothing is to be done. Raises: SqlFault."""


class StoredCatalog:
    """`catalog`: the newest committed one. `dropped`: ids of tables that are gone since the start, or go just now."""

    def __init__(self, connection: sqlite3.Connection, table_of: TableOf) -> None:
        """Read it.

        Raises:
            DataUnusable: A definition in it was damaged behind our back.
        """
        namespaces = connection.execute("SELECT name FROM _namespaces").fetchall()
        rows = connection.execute("SELECT id, namespace, name, CAST(definition AS BLOB) FROM _tables").fetchall()
        self.dropped: set[TableId] = set()
        self._table_of = table_of
        self._replace(0, (name for (name,) in namespaces), (_read_table(*row) for row in rows))

    def find(self, physical: str) -> Table | None:
        """The table of this physical name."""
        return self._by_physical_name.get(physical)

    def define(self, connection: sqlite3.Connection, definition: Definition) -> None:
        """Change the catalog and the tables in one transaction; the newest catalog is there when this returns.

        Raises:
            Refused: ALREADY_EXISTS, NOT_FOUND; COMMIT_UNKNOWN: it may have happened.
            SqlFault: As `TableOf`.
            sqlite3.Error: Nothing happened.
        """
        doomed: Table | None = None
        try:
            with transaction(connection):
                namespaces, tables = set(self.catalog.namespaces), dict(self.catalog.tables)
                match definition:
                    case CreateNamespace():
                        if not self._create_namespace(connection, definition):
                            return
                        namespaces.add(definition.name)
                    case CreateTable():
                        table = self._create_table(connection, definition)
                        if table is None:
                            return
                        tables[table.namespace, table.name] = table
                    case DropTable():
                        doomed = self._find_doomed(definition)
                        if doomed is None:
                            return
                        connection.execute(drop_statement(doomed))
                        connection.execute("DELETE FROM _tables WHERE id = ?", (doomed.id,))
                        del tables[doomed.namespace, doomed.name]
                        self.dropped.add(doomed.id)  # before the commit: who sees it gone must find it here
        except BaseException:
            if doomed is not None:
                self.dropped.discard(doomed.id)
            raise
        self._replace(self.catalog.version + 1, namespaces, tables.values())

    def _create_namespace(self, connection: sqlite3.Connection, definition: CreateNamespace) -> bool:
        if definition.name in self.catalog.namespaces:
            if definition.if_not_exists:
                return False
            raise Refused(ErrorCode.ALREADY_EXISTS, f"The namespace {definition.name} exists.")
        _refuse_dots(definition.name)
        connection.execute("INSERT INTO _namespaces (name) VALUES (?)", (definition.name,))
        return True

    def _create_table(self, connection: sqlite3.Connection, definition: CreateTable) -> Table | None:
        table = self._table_of(definition, self.catalog)
        if table is None:
            return None
        if table.namespace not in self.catalog.namespaces:
            raise Refused(ErrorCode.NOT_FOUND, f"There is no namespace {table.namespace}.")
        if self.catalog.find(table.namespace, table.name) is not None:
            if definition.if_not_exists:
                return None
            raise Refused(ErrorCode.ALREADY_EXISTS, f"The table {table.title} exists.")
        _refuse_dots(table.name)
        values = (table.namespace, table.name, _write_table(table))
        insert = "INSERT INTO _tables (namespace, name, definition) VALUES (?, ?, ?)"
        number = connection.execute(insert, values).lastrowid
        connection.execute(create_statement(table))
        return replace(table, id=TableId(number or 0))

    def _find_doomed(self, definition: DropTable) -> Table | None:
        namespace, name = definition.table.namespace or "", definition.table.name
        table = self.catalog.find(namespace, name)
        if table is None and not definition.if_exists:
            raise Refused(ErrorCode.NOT_FOUND, f"There is no table {f'{namespace}.' if namespace else ''}{name}.")
        return table

    def _replace(self, version: int, namespaces: Iterable[str], tables: Iterable[Table]) -> None:
        by_name = {(table.namespace, table.name): table for table in tables}
        self._by_physical_name = {physical_name(table): table for table in by_name.values()}
        self.catalog = Catalog(version, frozenset(namespaces), by_name)


def _refuse_dots(name: str) -> None:
    """A physical name joins namespace and name with a dot."""
    if "." in name:
        raise Refused(ErrorCode.UNSUPPORTED_SQL, "A name of a namespace or a table has no dot in it.")


class _StoredBytes(Struct):
    """JSON keeps the other values of a default apart and exact."""

    base64: bytes


class _StoredColumn(Struct):
    name: str
    type: str
    not_null: bool
    default: int | float | str | _StoredBytes | UnsetType | None = UNSET


class _Definition(Struct):
    """What `_tables.definition` holds, in JSON."""

    type: TableType
    access_level: AccessLevel
    primary_key: tuple[str, ...]
    columns: tuple[_StoredColumn, ...]


def _write_table(table: Table) -> str:
    columns = tuple(map(_write_column, table.columns))
    definition = _Definition(table.type, table.access_level, table.primary_key, columns)
    return msgspec.json.encode(definition).decode()


def _read_table(number: int, namespace: str, name: str, definition: bytes) -> Table:
    """Raises: DataUnusable."""
    try:
        content = msgspec.json.decode(definition, type=_Definition)
        columns = tuple(map(_read_column, content.columns))
        if not content.primary_key or not {column.name for column in columns}.issuperset(content.primary_key):
            raise ValueError("a primary key without a column")
    except (ValueError, KeyError, RecursionError) as error:  # msgspec's own are ValueErrors
        message = f"the definition of its table {namespace}.{name} is damaged; restore it from a backup"
        raise DataUnusable(message) from error
    return Table(TableId(number), namespace, name, content.type, content.access_level, columns, content.primary_key)


def _write_column(column: Column) -> _StoredColumn:
    default = _StoredBytes(column.default) if isinstance(column.default, bytes) else column.default
    return _StoredColumn(column.name, column.type.name, column.not_null, default if column.has_default else UNSET)


def _read_column(column: _StoredColumn) -> Column:
    default = column.default.base64 if isinstance(column.default, _StoredBytes) else column.default
    value, has_default = (None, False) if default is UNSET else (default, True)
    return Column(column.name, SqlType[column.type], column.not_null, has_default, value)
