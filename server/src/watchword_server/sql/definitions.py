"""Statements that change the catalog, as they are meant: the catalog as it is -> the catalog as it shall be.

Nothing is done here. The store carries the difference over into its tables, and gives new ones their ids.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.alterations import altered, without_keys_to
from watchword_server.sql.catalog import DEFAULT_NAMESPACE, Catalog, Table
from watchword_server.sql.change import Change, changed
from watchword_server.sql.constraint_definitions import new_index
from watchword_server.sql.definer import Definer
from watchword_server.sql.definition_nodes import (
    AlterTable,
    CreateIndex,
    CreateNamespace,
    CreateTable,
    Definition,
    DropIndex,
    DropNamespace,
    DropTable,
)
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.names import nearest
from watchword_server.sql.object_names import check_name, relation_names
from watchword_server.sql.table_definition import new_table

__all__ = ["decide"]


def decide(definition: Definition, catalog: Catalog, definer: Definer) -> Change | None:
    """What becomes of the catalog; None where there is nothing to do.

    Args:
        definition: From the parser.
        catalog: What there is.
        definer: Whose definition it is; a role that may have such definitions.

    Raises:
        SqlFault: ALREADY_EXISTS, NOT_FOUND, PERMISSION_DENIED, INVALID_SQL, UNSUPPORTED_SQL, TYPE_MISMATCH,
            CONSTRAINT_VIOLATION (what else depends on it), LIMIT_EXCEEDED.
    """
    return _RULES[type(definition)](definition, catalog, definer)


def _create_namespace(definition: CreateNamespace, catalog: Catalog, _definer: Definer) -> Change | None:
    name, at = definition.name, definition.at
    check_name("namespace", name, at)
    if name.lower().startswith("sqlite_"):
        message = 'The name of a namespace does not begin with "sqlite_": the engine keeps such names for itself.'
        raise SqlFault(ErrorCode.INVALID_SQL, message, at)
    if name not in catalog.namespaces:
        return Change(replace(catalog, namespaces=catalog.namespaces | {name}))
    if definition.if_not_exists:
        return None
    raise SqlFault(ErrorCode.ALREADY_EXISTS, f'The namespace "{name}" exists.', at)


def _drop_namespace(definition: DropNamespace, catalog: Catalog, _definer: Definer) -> Change | None:
    name, at = definition.name, definition.at
    if name not in catalog.namespaces:
        if definition.if_exists:
            return None
        hint = nearest(name, sorted(catalog.namespaces))
        raise SqlFault(ErrorCode.NOT_FOUND, f'There is no namespace "{name}".{hint}', at)
    tables = [table for table in catalog.tables.values() if table.namespace == name]
    if tables and not definition.cascade:
        count = f"{len(tables)} table{'' if len(tables) == 1 else 's'}"
        message = f'The namespace "{name}" holds {count}: DROP NAMESPACE ... CASCADE drops them with it.'
        raise SqlFault(ErrorCode.CONSTRAINT_VIOLATION, message, at)
    rest = _without(tables, catalog)
    return Change(replace(rest, namespaces=rest.namespaces - {name}))


def _create_table(definition: CreateTable, catalog: Catalog, definer: Definer) -> Change | None:
    table = new_table(definition, catalog, definer)
    return None if table is None else changed(catalog, table)


def _drop_table(definition: DropTable, catalog: Catalog, definer: Definer) -> Change | None:
    table = _existing(definition, catalog, definer)
    if table is None:
        return None
    others = [each for each in catalog.referring(table.id) if each[0].id != table.id]
    if others and not definition.cascade:
        message = (
            f"Foreign keys of other tables refer to {table.title} ({len(others)}): "
            "DROP TABLE ... CASCADE drops them with it."
        )
        raise SqlFault(ErrorCode.CONSTRAINT_VIOLATION, message, definition.table.at)
    return Change(_without([table], catalog))


def _alter_table(definition: AlterTable, catalog: Catalog, definer: Definer) -> Change | None:
    table = _existing(definition, catalog, definer)
    return None if table is None else altered(table, definition.change, catalog, definer)


def _create_index(definition: CreateIndex, catalog: Catalog, definer: Definer) -> Change | None:
    table = definer.table(catalog, definition.table)
    if definition.if_not_exists and definition.name in relation_names(catalog, table.namespace):
        return None
    index = new_index(table, definition, catalog)
    return changed(catalog, replace(table, indexes=(*table.indexes, index)))


def _drop_index(definition: DropIndex, catalog: Catalog, definer: Definer) -> Change | None:
    name = definition.index
    where = DEFAULT_NAMESPACE if name.namespace is None else name.namespace
    found = _table_of_index(catalog, where, name.name)
    if found is None or not found.is_visible_to(definer.role):
        if definition.if_exists:
            return None
        raise SqlFault(ErrorCode.NOT_FOUND, f'There is no index "{where}.{name.name}".', name.at)
    table = definer.table(catalog, replace(name, namespace=found.namespace, name=found.name))
    if any(each.is_constraint for each in table.indexes if each.name == name.name):
        message = (
            f'"{name.name}" is a UNIQUE constraint of {table.title}: '
            f"ALTER TABLE {table.title} DROP CONSTRAINT takes it away."
        )
        raise SqlFault(ErrorCode.CONSTRAINT_VIOLATION, message, name.at)
    return changed(catalog, replace(table, indexes=tuple(each for each in table.indexes if each.name != name.name)))


def _existing(definition: DropTable | AlterTable, catalog: Catalog, definer: Definer) -> Table | None:
    """The table; None where there is none, and IF EXISTS says that it need not be there."""
    try:
        return definer.table(catalog, definition.table)
    except SqlFault as fault:
        if fault.code is ErrorCode.NOT_FOUND and definition.if_exists:
            return None
        raise


def _table_of_index(catalog: Catalog, namespace: str, name: str) -> Table | None:
    tables = (table for table in catalog.tables.values() if table.namespace == namespace)
    return next((table for table in tables if any(index.name == name for index in table.indexes)), None)


def _without(tables: Iterable[Table], catalog: Catalog) -> Catalog:
    """The catalog without the tables, and without the foreign keys to them."""
    gone = {table.id for table in tables}
    rest = (without_keys_to(gone, table) for table in catalog.tables.values() if table.id not in gone)
    return replace(catalog, tables={(table.namespace, table.name): table for table in rest})


_Rule = Callable[[Any, Catalog, Definer], Change | None]

_RULES: Final[Mapping[type, _Rule]] = {
    CreateNamespace: _create_namespace,
    DropNamespace: _drop_namespace,
    CreateTable: _create_table,
    DropTable: _drop_table,
    AlterTable: _alter_table,
    CreateIndex: _create_index,
    DropIndex: _drop_index,
}
