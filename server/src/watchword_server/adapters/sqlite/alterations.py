"""From one table of the catalog to another of the same id: what SQLite has to do.

SQLite itself adds a column that is empty, and renames a table, and with it what refers to it. For everything else the
table is made anew and its rows are copied (sqlite.org/lang_altertable.html, section 7): with foreign keys switched off,
or the former table, as it goes, would take with it what refers to its rows.
"""

from collections.abc import Mapping
from dataclasses import replace

from watchword_server.adapters.sqlite.layout import (
    COPY,
    column_definition,
    create_statement,
    drop_index_statement,
    drop_statement,
    index_statement,
)
from watchword_server.sql.catalog import Catalog, Column, Table
from watchword_server.sql.physical import physical_columns, physical_name
from watchword_server.sql.quoting import quoted_name

__all__ = ["alteration", "is_same_to_plans"]


def alteration(old: Table, new: Table, renamed: Mapping[str, str], catalog: Catalog) -> list[str]:
    """The statements, in order.

    Args:
        old: The table as it is.
        new: As it shall be; of the same type and the same primary key.
        renamed: New names of columns, to those that they had.
        catalog: As it shall be.
    """
    if _needs_copy(old, new, renamed):
        return [*_copy(old, new, renamed, catalog), *(index_statement(new, index) for index in new.indexes)]
    statements = [drop_index_statement(old, index) for index in old.indexes if index not in new.indexes]
    if physical_name(old) != physical_name(new):
        statements.append(f"ALTER TABLE {quoted_name(physical_name(old))} RENAME TO {quoted_name(physical_name(new))}")
    name = quoted_name(physical_name(new))
    statements += [
        f"ALTER TABLE {name} ADD COLUMN {column_definition(column)}" for column in new.columns[len(old.columns) :]
    ]
    return statements + [index_statement(new, index) for index in new.indexes if index not in old.indexes]


def is_same_to_plans(old: Table, new: Table) -> bool:
    """Whether a plan for the one is good for the other: of indexes none speaks but of UNIQUE constraints."""
    return _spoken_of(old) == _spoken_of(new)


def _spoken_of(table: Table) -> Table:
    return replace(table, indexes=tuple(index for index in table.indexes if index.is_constraint))


def _needs_copy(old: Table, new: Table, renamed: Mapping[str, str]) -> bool:
    count = len(old.columns)
    is_longer_at_most = new.columns[:count] == old.columns and all(map(_is_empty, new.columns[count:]))
    return bool(renamed) or not is_longer_at_most or old.foreign_keys != new.foreign_keys


def _is_empty(column: Column) -> bool:
    """Whether it holds NULL in rows that were there before."""
    return not (column.not_null or column.has_default)


def _copy(old: Table, new: Table, renamed: Mapping[str, str], catalog: Catalog) -> list[str]:
    former = {column.name for column in old.columns}
    kept = [column.name for column in new.columns if renamed.get(column.name, column.name) in former]
    targets = physical_columns(new, tuple(kept))
    sources = physical_columns(old, tuple(renamed.get(name, name) for name in kept))
    into, out = ", ".join(map(quoted_name, targets)), ", ".join(map(quoted_name, sources))
    return [
        create_statement(new, catalog, COPY),
        f"INSERT INTO {COPY} ({into}) SELECT {out} FROM {quoted_name(physical_name(old))}",  # noqa: S608  # quoted names
        drop_statement(old),
        f"ALTER TABLE {COPY} RENAME TO {quoted_name(physical_name(new))}",
    ]
