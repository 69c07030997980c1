"""How a table of the catalog lies in SQLite: its columns, its indexes, its foreign keys.

A UNIQUE constraint is an index; a CHECK of the user's is not here at all: plans hold it. The CHECKs here hold a column
to its type.
"""

from typing import Final

from watchword_server.sql.catalog import Catalog, Column, Table, TableType
from watchword_server.sql.constraints import ForeignKey, Index
from watchword_server.sql.physical import OWNER, physical_columns, physical_name
from watchword_server.sql.quoting import quoted_name, quoted_text
from watchword_server.sql.types import SqlType

__all__ = [
    "COPY",
    "column_definition",
    "create_statement",
    "drop_index_statement",
    "drop_statement",
    "index_statement",
    "literal",
]

COPY: Final = "_new"
"""A table that is made to take another's place; no table of a user's has a name without a dot."""

_POWER: Final = 60
"""2.0**60 and its quotients are exact."""


def create_statement(table: Table, catalog: Catalog, name: str | None = None) -> str:
    """CREATE TABLE, under another name where one is given; `catalog`: of the tables that it refers to.

    Each CHECK is named after its column, so that its error tells which.
    """
    lines = [f"{quoted_name(OWNER)} TEXT NOT NULL"] if table.type is TableType.USER else []
    lines += [column_definition(column, is_key=column.name in table.primary_key) for column in table.columns]
    lines.append(f"PRIMARY KEY ({_listed(physical_columns(table, table.primary_key))})")
    lines += [_foreign_key(table, key, catalog) for key in table.foreign_keys]
    return f"CREATE TABLE {quoted_name(name or physical_name(table))} ({', '.join(lines)}) STRICT"


def _foreign_key(table: Table, key: ForeignKey, catalog: Catalog) -> str:
    other = table if key.table == table.id else catalog.of_id(key.table)
    if other is None:
        raise LookupError(f"{table.title} refers to a table that is not there")
    columns, referred = _listed(physical_columns(table, key.columns)), _listed(physical_columns(other, key.key))
    actions = f"ON DELETE {key.on_delete.value} ON UPDATE {key.on_update.value}"
    return f"FOREIGN KEY ({columns}) REFERENCES {quoted_name(physical_name(other))} ({referred}) {actions}"


def index_statement(table: Table, index: Index) -> str:
    """CREATE INDEX. Where NULLs stand in it SQLite decides, and sorts by it all the same."""
    keys = [quoted_name(OWNER)] if table.type is TableType.USER else []
    keys += [f"{quoted_name(key.column)} {'DESC' if key.descending else 'ASC'}" for key in index.keys]
    unique = "UNIQUE " if index.is_unique else ""
    name, on = _index_name(table, index), quoted_name(physical_name(table))
    return f"CREATE {unique}INDEX {name} ON {on} ({', '.join(keys)})"


def drop_index_statement(table: Table, index: Index) -> str:
    """DROP INDEX."""
    return f"DROP INDEX {_index_name(table, index)}"


def _index_name(table: Table, index: Index) -> str:
    return quoted_name(f"{table.namespace}.{index.name}")


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(map(quoted_name, names))


def drop_statement(table: Table) -> str:
    """DROP TABLE."""
    return f"DROP TABLE {quoted_name(physical_name(table))}"


def column_definition(column: Column, *, is_key: bool = False) -> str:
    """A column, as it stands in CREATE TABLE."""
    name = quoted_name(column.name)
    not_null = column.not_null or is_key
    # INT, not INTEGER, which as the only column of a primary key would be the rowid and take NULL for "the next".
    parts = [name, "INT" if column.type.storage == "INTEGER" else column.type.storage]
    if not_null:
        parts.append("NOT NULL")
    if column.has_default:
        parts.append(f"DEFAULT ({literal(column.default)})")
    if (check := _check(column.type, name)) is not None:
        parts.append(f"CONSTRAINT {name} CHECK ({check})")
    return " ".join(parts)


def _check(type_: SqlType, name: str) -> str | None:
    return None if type_.check is None else type_.check.format(name)


def literal(value: float | str | bytes | None) -> str:
    """A constant that SQLite reads back bit for bit."""
    match value:
        case None:
            return "NULL"
        case int():
            # Its magnitude alone would not be an integer any more.
            return str(value) if value != -(2**63) else "-9223372036854775807 - 1"
        case float():
            return _real(value)
        case str():
            return quoted_text(value)
        case bytes():
            return f"x'{value.hex()}'"


def _real(value: float) -> str:
    """An integer times powers of two, all exact: SQLite's reading of decimal fractions is not."""
    numerator, denominator = value.as_integer_ratio()
    exponent = 1 - denominator.bit_length()
    while numerator and numerator % 2 == 0:
        numerator //= 2
        exponent += 1
    factors = []
    while exponent:
        step = max(-_POWER, min(_POWER, exponent))
        factors.append(f" {'*' if step > 0 else '/'} {2 ** abs(step)}.0")
        exponent -= step
    sign = "-" if str(value).startswith("-") else ""
    return f"{sign}{abs(numerator)}.0{''.join(factors)}"
