"""ALTER TABLE, as it is meant."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, Final

from watchword_protocol.errors import ErrorCode
from watchword_server.sql import definition_nodes as nodes
from watchword_server.sql.catalog import Catalog, Table, TableId
from watchword_server.sql.change import Change, changed
from watchword_server.sql.condition_text import renamed
from watchword_server.sql.constraint_definitions import constraint_names, with_constraint
from watchword_server.sql.constraints import ForeignKey, Key
from watchword_server.sql.definer import Definer
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.lookup import column_of
from watchword_server.sql.names import nearest
from watchword_server.sql.object_names import check_case, check_new_relation
from watchword_server.sql.proof import proof_of_check, proof_of_emptiness
from watchword_server.sql.table_definition import access_level, check_size, defined_column

__all__ = ["altered", "without_keys_to"]


def altered(table: Table, node: nodes.TableChange, catalog: Catalog, definer: Definer) -> Change | None:
    """The catalog with the table as it shall be; None where there is nothing to do.

    Raises:
        SqlFault: ALREADY_EXISTS, NOT_FOUND, INVALID_SQL, UNSUPPORTED_SQL, TYPE_MISMATCH, PERMISSION_DENIED,
            CONSTRAINT_VIOLATION (what else depends on it), LIMIT_EXCEEDED.
    """
    return _RULES[type(node)](table, node, catalog, definer)


def without_keys_to(gone: Collection[TableId], table: Table) -> Table:
    """The table without its foreign keys to those that go."""
    rest = tuple(key for key in table.foreign_keys if key.table not in gone)
    return table if len(rest) == len(table.foreign_keys) else replace(table, foreign_keys=rest)


def _add_column(table: Table, node: nodes.AddColumn, catalog: Catalog, definer: Definer) -> Change | None:
    definition = node.column
    if table.column(definition.name) is not None:
        if node.if_not_exists:
            return None
        message = f'The column "{definition.name}" of {table.title} exists.'
        raise SqlFault(ErrorCode.ALREADY_EXISTS, message, definition.at)
    if definition.primary_key:
        raise SqlFault(ErrorCode.INVALID_SQL, f"{table.title} has a primary key.", definition.at)
    check_case(definition.name, [column.name for column in table.columns], definition.at)
    check_size(len(table.columns) + 1, definition.at)
    found = replace(table, columns=(*table.columns, defined_column(definition)))
    for constraint in definition.constraints:
        found = with_constraint(found, constraint, catalog, definer)
    change = _checked(table, found, catalog)
    if found.columns[-1].default_call is None:
        return change
    message = f"{table.title} has rows: add the column without its DEFAULT, which is a call."
    return change._replace(proofs=(proof_of_emptiness(found, message), *change.proofs))


def _drop_column(table: Table, node: nodes.DropColumn, catalog: Catalog, _definer: Definer) -> Change | None:
    name = node.column.name
    if node.if_exists and table.column(name) is None:
        return None
    column_of(table, node.column)
    if name in table.primary_key:
        message = f'"{name}" is a column of the primary key of {table.title}, which stays.'
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, node.column.at)
    if len(table.columns) == 1:
        raise SqlFault(ErrorCode.INVALID_SQL, f'"{name}" is the only column of {table.title}.', node.column.at)
    unique = [each.columns for each in table.indexes if each.is_constraint and name in each.columns]
    checks = [each for each in table.checks if name in each.columns]
    # PostgreSQL takes away with a column what is about it alone, and asks for CASCADE where another column is named.
    wide = [each.name for each in checks if len(each.columns) > 1]
    outside = _keys_to(table, unique, catalog)
    if (wide or outside) and not node.cascade:
        raise _depends(f'the column "{name}"', [*wide, *(key.name for _, key in outside)], node.column.at)
    found = replace(
        table,
        columns=tuple(each for each in table.columns if each.name != name),
        indexes=tuple(each for each in table.indexes if name not in each.columns),
        checks=tuple(each for each in table.checks if name not in each.columns),
        foreign_keys=tuple(each for each in table.foreign_keys if name not in each.columns),
    )
    return _without_keys(found, outside, catalog)


def _rename_column(table: Table, node: nodes.RenameColumn, catalog: Catalog, _definer: Definer) -> Change:
    old, new = node.column.name, node.name
    column = column_of(table, node.column)
    others = [each.name for each in table.columns if each.name != old]
    if new in (*others, old):
        raise SqlFault(ErrorCode.ALREADY_EXISTS, f'The column "{new}" of {table.title} exists.', node.column.at)
    defined_column(nodes.ColumnDefinition(new, "bigint", at=node.column.at))  # whether the name is a possible one
    check_case(new, others, node.column.at)

    def named(columns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new if each == old else each for each in columns)

    found = replace(
        table,
        columns=tuple(replace(each, name=new) if each == column else each for each in table.columns),
        primary_key=named(table.primary_key),
        indexes=tuple(replace(each, keys=tuple(_key(key, old, new) for key in each.keys)) for each in table.indexes),
        checks=tuple(
            replace(each, text=renamed(each.text, old, new), columns=named(each.columns)) for each in table.checks
        ),
        foreign_keys=tuple(replace(each, columns=named(each.columns)) for each in table.foreign_keys),
    )
    tables = [
        replace(
            each,
            foreign_keys=tuple(
                replace(key, key=named(key.key)) if key.table == table.id else key for key in each.foreign_keys
            ),
        )
        for each in (found, *(each for each in _referring(table, catalog)))
    ]
    return changed(catalog, *tables)._replace(renamed={table.id: {new: old}})


def _rename_table(table: Table, node: nodes.RenameTable, catalog: Catalog, _definer: Definer) -> Change:
    check_new_relation("table", node.name, table.namespace, catalog, node.at)
    return changed(catalog, replace(table, name=node.name))


def _set_access_level(table: Table, node: nodes.SetAccessLevel, catalog: Catalog, _definer: Definer) -> Change | None:
    level = access_level(table, node.level)
    return None if level is table.access_level else changed(catalog, replace(table, access_level=level))


def _add_constraint(table: Table, node: nodes.AddConstraint, catalog: Catalog, definer: Definer) -> Change:
    return _checked(table, with_constraint(table, node.constraint, catalog, definer), catalog)


def _drop_constraint(table: Table, node: nodes.DropConstraint, catalog: Catalog, _definer: Definer) -> Change | None:
    name = node.name.name
    if name not in constraint_names(table):
        if node.if_exists:
            return None
        hint = nearest(name, sorted(constraint_names(table)))
        message = f'{table.title} has no constraint "{name}".{hint}'
        raise SqlFault(ErrorCode.NOT_FOUND, message, node.name.at)
    unique = [each.columns for each in table.indexes if each.is_constraint and each.name == name]
    outside = _keys_to(table, unique, catalog)
    if outside and not node.cascade:
        raise _depends(f'the constraint "{name}"', [key.name for _, key in outside], node.name.at)
    found = replace(
        table,
        indexes=tuple(each for each in table.indexes if not (each.is_constraint and each.name == name)),
        checks=tuple(each for each in table.checks if each.name != name),
        foreign_keys=tuple(each for each in table.foreign_keys if each.name != name),
    )
    return _without_keys(found, outside, catalog)


# --- parts of them ----------------------------------------------------------------------------------------


def _key(key: Key, old: str, new: str) -> Key:
    return replace(key, column=new) if key.column == old else key


def _referring(table: Table, catalog: Catalog) -> list[Table]:
    """Other tables with a foreign key to it."""
    return list({each.id: each for each, _ in catalog.referring(table.id) if each.id != table.id}.values())


def _keys_to(table: Table, unique: Collection[tuple[str, ...]], catalog: Catalog) -> list[tuple[Table, ForeignKey]]:
    """The foreign keys that need one of these UNIQUE constraints, which are to go."""
    doomed = [sorted(columns) for columns in unique]
    return [(each, key) for each, key in catalog.referring(table.id) if sorted(key.key) in doomed]


def _without_keys(table: Table, keys: Collection[tuple[Table, ForeignKey]], catalog: Catalog) -> Change:
    """The catalog with the table, and without these foreign keys."""
    gone = [(each.id, key.name) for each, key in keys]
    tables = {each.id: each for each, _ in keys} | {table.id: table}
    return changed(
        catalog,
        *(
            replace(each, foreign_keys=tuple(key for key in each.foreign_keys if (each.id, key.name) not in gone))
            for each in tables.values()
        ),
    )


def _checked(before: Table, table: Table, catalog: Catalog) -> Change:
    """With a proof for each check that is new."""
    new = [each for each in table.checks if each not in before.checks]
    return changed(catalog, table)._replace(proofs=tuple(proof_of_check(table, each) for each in new))


def _depends(what: str, names: Collection[str], at: int) -> SqlFault:
    listed = ", ".join(f'"{name}"' for name in names)
    message = f"On {what} depends {listed}: CASCADE drops what depends on it."
    return SqlFault(ErrorCode.CONSTRAINT_VIOLATION, message, at)


_Rule = Callable[[Table, Any, Catalog, Definer], Change | None]

_RULES: Final[Mapping[type, _Rule]] = {
    nodes.AddColumn: _add_column,
    nodes.DropColumn: _drop_column,
    nodes.RenameColumn: _rename_column,
    nodes.RenameTable: _rename_table,
    nodes.SetAccessLevel: _set_access_level,
    nodes.AddConstraint: _add_constraint,
    nodes.DropConstraint: _drop_constraint,
}
