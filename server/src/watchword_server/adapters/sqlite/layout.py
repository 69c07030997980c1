"""How a table of the catalog lies in SQLite: its physical name, its columns, its CHECKs."""

from typing import Final

from watchword_server.sql.catalog import Column, Table, TableType
from watchword_server.sql.types import SqlType

__all__ = ["OWNER", "create_statement", "drop_statement", "literal", "physical_name", "quoted"]

OWNER: Final = "_owner"
"""The hidden column of USER tables: the user's id."""

_POWER: Final = 60
"""2.0**60 and its quotients are exact."""


def physical_name(table: Table) -> str:
    """Its name in SQLite. A namespace has no dot, so no two tables share one; ours have none."""
    return f"{table.namespace}.{table.name}"


def quoted(name: str) -> str:
    """A name as it stands in a statement."""
    return '"' + name.replace('"', '""') + '"'


def create_statement(table: Table) -> str:
    """CREATE TABLE. Each CHECK is named after its column, so that its error tells which."""
    is_owned = table.type is TableType.USER
    lines = [f"{quoted(OWNER)} TEXT NOT NULL"] if is_owned else []
    lines += [_column(column, is_key=column.name in table.primary_key) for column in table.columns]
    key = [OWNER, *table.primary_key] if is_owned else table.primary_key
    lines.append(f"PRIMARY KEY ({', '.join(map(quoted, key))})")
    return f"CREATE TABLE {quoted(physical_name(table))} ({', '.join(lines)}) STRICT"


def drop_statement(table: Table) -> str:
    """DROP TABLE."""
    return f"DROP TABLE {quoted(physical_name(table))}"


def _column(column: Column, *, is_key: bool) -> str:
    name = quoted(column.name)
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
            return "'" + value.replace("'", "''") + "'"
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
