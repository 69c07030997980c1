"""The definition of a table as it is kept: one JSON text in `_tables`.

What a release adds here has a default, with which the definitions of former releases are read.
"""

import msgspec
from msgspec import UNSET, Struct, UnsetType

from watchword_server.adapters.sqlite.data_directory import DataUnusable
from watchword_server.sql.catalog import AccessLevel, Column, Table, TableId, TableType
from watchword_server.sql.condition_text import condition_of
from watchword_server.sql.constraints import Check, ForeignKey, Index
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.types import SqlType

__all__ = ["read_table", "write_table"]


class _StoredBytes(Struct):
    """JSON keeps the other values of a default apart and exact."""

    base64: bytes


class _StoredColumn(Struct, omit_defaults=True):
    name: str
    type: str
    not_null: bool
    default: int | float | str | _StoredBytes | UnsetType | None = UNSET
    default_call: str | None = None


class _Definition(Struct, omit_defaults=True):
    """What `_tables.definition` holds, in JSON."""

    type: TableType
    access_level: AccessLevel
    primary_key: tuple[str, ...]
    columns: tuple[_StoredColumn, ...]
    creator: str | None = None
    indexes: tuple[Index, ...] = ()
    checks: tuple[Check, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()


def write_table(table: Table) -> str:
    """The text of its definition."""
    definition = _Definition(
        table.type,
        table.access_level,
        table.primary_key,
        tuple(map(_write_column, table.columns)),
        table.creator,
        table.indexes,
        table.checks,
        table.foreign_keys,
    )
    return msgspec.json.encode(definition).decode()


def read_table(number: int, namespace: str, name: str, definition: bytes) -> Table:
    """The table of a row of `_tables`.

    Raises:
        DataUnusable: The definition was damaged behind our back.
    """
    try:
        content = msgspec.json.decode(definition, type=_Definition)
        columns = tuple(map(_read_column, content.columns))
        table = Table(
            TableId(number),
            namespace,
            name,
            content.type,
            content.access_level,
            columns,
            content.primary_key,
            content.creator,
            content.indexes,
            content.checks,
            content.foreign_keys,
        )
        _check(table)
    except (ValueError, KeyError, RecursionError, SqlFault) as error:  # msgspec's own are ValueErrors
        message = f"the definition of its table {namespace}.{name} is damaged; restore it from a backup"
        raise DataUnusable(message) from error
    return table


def _check(table: Table) -> None:
    """Raises: ValueError: It names a column that it does not have. SqlFault: A check cannot be read."""
    named = {*table.primary_key}
    named |= {column for index in table.indexes for column in index.columns}
    named |= {column for check in table.checks for column in check.columns}
    named |= {column for key in table.foreign_keys for column in key.columns}
    if not table.primary_key or not {column.name for column in table.columns}.issuperset(named):
        raise ValueError("a key without a column")
    for check in table.checks:
        condition_of(check.text)


def _write_column(column: Column) -> _StoredColumn:
    default = _StoredBytes(column.default) if isinstance(column.default, bytes) else column.default
    stored = default if column.has_default else UNSET
    return _StoredColumn(column.name, column.type.name, column.not_null, stored, column.default_call)


def _read_column(column: _StoredColumn) -> Column:
    default = column.default.base64 if isinstance(column.default, _StoredBytes) else column.default
    value, has_default = (None, False) if default is UNSET else (default, True)
    return Column(column.name, SqlType[column.type], column.not_null, has_default, value, column.default_call)
