"""Constraints and indexes, as they are meant: bound to the columns of their tables, and with names."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from watchword_protocol.errors import ErrorCode
from watchword_server.sql import definition_nodes as nodes
from watchword_server.sql.catalog import DEFAULT_NAMESPACE, Catalog, Column, Table, TableType
from watchword_server.sql.condition_text import columns_of
from watchword_server.sql.constraints import Check, ForeignKey, ForeignKeyAction, Index, Key
from watchword_server.sql.definer import Definer
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.names import nearest
from watchword_server.sql.nodes import Name
from watchword_server.sql.object_names import check_name, check_new_relation, chosen_name, relation_names
from watchword_server.sql.query_tree import TableSource
from watchword_server.sql.row_conditions import refuse_impure, resolved_check
from watchword_server.sql.types import INTEGERS, SqlType

__all__ = ["MAX_CONSTRAINTS", "MAX_KEY_COLUMNS", "check_keys", "constraint_names", "new_index", "with_constraint"]

MAX_KEY_COLUMNS: Final = 16
MAX_CONSTRAINTS: Final = 64
"""Of one table, with its indexes."""
_WRITING: Final = frozenset({ForeignKeyAction.SET_NULL, ForeignKeyAction.SET_DEFAULT})


def constraint_names(table: Table) -> set[str]:
    """The names of the table's constraints, of which no two are the same."""
    unique = (each.name for each in table.indexes if each.is_constraint)
    return {*unique, *(each.name for each in table.checks), *(each.name for each in table.foreign_keys)}


def with_constraint(table: Table, node: nodes.Constraint, catalog: Catalog, definer: Definer) -> Table:
    """The table with one constraint more.

    Args:
        table: As it is, or shall be.
        node: From the parser.
        catalog: What there is beside the table.
        definer: Who wants it.

    Raises:
        SqlFault: ALREADY_EXISTS, NOT_FOUND, INVALID_SQL, UNSUPPORTED_SQL, TYPE_MISMATCH, PERMISSION_DENIED,
            LIMIT_EXCEEDED.
    """
    _check_count(table, node.at)
    if node.name is not None:
        check_name("constraint", node.name, node.at)
        if node.name in constraint_names(table):
            message = f'The constraint "{node.name}" of {table.title} exists.'
            raise SqlFault(ErrorCode.ALREADY_EXISTS, message, node.at)
    match node:
        case nodes.Unique():
            index = _unique(table, node, catalog)
            return replace(table, indexes=(*table.indexes, index))
        case nodes.Check():
            table = replace(table, checks=(*table.checks, _check(table, node)))
        case nodes.ForeignKey():
            table = replace(table, foreign_keys=(*table.foreign_keys, _foreign_key(table, node, catalog, definer)))
    _check_actions(table, node.at)
    return table


def new_index(table: Table, node: nodes.CreateIndex, catalog: Catalog) -> Index:
    """The index of a CREATE INDEX.

    Raises:
        SqlFault: ALREADY_EXISTS, NOT_FOUND, INVALID_SQL, LIMIT_EXCEEDED.
    """
    _check_count(table, node.at)
    columns = [key.column for key in node.keys]
    check_keys("index", columns, table.columns)
    keys = tuple(
        Key(key.column.name, key.descending, key.descending if key.nulls_first is None else key.nulls_first)
        for key in node.keys
    )
    names = [column.name for column in columns]
    return Index(_relation(table, node.name, names, "idx", catalog, node.at), keys, node.is_unique)


def check_keys(what: str, columns: Sequence[Name], of: Iterable[Column]) -> None:
    """Whether these columns can be a key.

    Raises:
        SqlFault: LIMIT_EXCEEDED, NOT_FOUND, INVALID_SQL.
    """
    if len(columns) > MAX_KEY_COLUMNS:
        message = f"A key has at most {MAX_KEY_COLUMNS} columns (key_columns)."
        raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message, columns[MAX_KEY_COLUMNS].at)
    types = {column.name: column.type for column in of}
    for place, node in enumerate(columns):
        name, at = node.name, node.at
        if name not in types:
            hint = nearest(name, list(types))
            raise SqlFault(ErrorCode.NOT_FOUND, f'The {what} names no column of the table: "{name}".{hint}', at)
        if node in columns[:place]:
            raise SqlFault(ErrorCode.INVALID_SQL, f'The {what} names the column "{name}" twice.', at)
        if types[name] is SqlType.JSON:
            raise SqlFault(ErrorCode.INVALID_SQL, f'The column "{name}" is json, which cannot be a key.', at)


def _check_count(table: Table, at: int) -> None:
    if len(table.indexes) + len(table.checks) + len(table.foreign_keys) >= MAX_CONSTRAINTS:
        message = f"A table has at most {MAX_CONSTRAINTS} indexes and constraints (constraints)."
        raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message, at)


def _relation(table: Table, name: str | None, columns: Sequence[str], label: str, catalog: Catalog, at: int) -> str:
    """The name of an index, which no other table or index of the namespace has."""
    own = {table.name, *(each.name for each in table.indexes)}
    if name is None:
        taken = own | relation_names(catalog, table.namespace).keys() | constraint_names(table)
        return chosen_name(table.name, columns, label, taken)
    if name in own:
        raise SqlFault(ErrorCode.ALREADY_EXISTS, f'The name "{name}" is taken in {table.namespace}.', at)
    check_new_relation("index", name, table.namespace, catalog, at)
    return name


def _unique(table: Table, node: nodes.Unique, catalog: Catalog) -> Index:
    check_keys("UNIQUE constraint", node.columns, table.columns)
    columns = [column.name for column in node.columns]
    name = _relation(table, node.name, columns, "key", catalog, node.at)
    return Index(name, tuple(map(Key, columns)), is_unique=True, is_constraint=True)


def _check(table: Table, node: nodes.Check) -> Check:
    refuse_impure(node.condition)
    resolved_check(TableSource(1, table), node.condition)
    columns = columns_of(node.condition)
    name = node.name or chosen_name(table.name, columns if len(columns) == 1 else (), "check", constraint_names(table))
    return Check(name, node.text, columns)


def _foreign_key(table: Table, node: nodes.ForeignKey, catalog: Catalog, definer: Definer) -> ForeignKey:
    check_keys("foreign key", node.columns, table.columns)
    where = DEFAULT_NAMESPACE if node.table.namespace is None else node.table.namespace
    is_own = (where, node.table.name) == (table.namespace, table.name)
    other = table if is_own else definer.referred_table(catalog, node.table)
    if other.type is not table.type:
        message = (
            f"{table.title} is a {table.type.value} table and {other.title} a {other.type.value} table: a foreign key "
            "stays among tables of one type."
        )
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, node.table.at)
    columns = tuple(column.name for column in node.columns)
    key = _referred_key(node, other, len(columns))
    types = {each.name: each.type for each in table.columns}
    other_types = {each.name: each.type for each in other.columns}
    for column, referred in zip(node.columns, key, strict=True):
        one, two = types[column.name], other_types[referred]
        if one is not two and not {one, two} <= set(INTEGERS):
            message = f'The column "{column.name}" is {one.title}, and "{referred}" of {other.title} is {two.title}.'
            raise SqlFault(ErrorCode.TYPE_MISMATCH, message, column.at)
    if node.on_delete in _WRITING:
        _check_writing(table, node, columns)
    name = node.name or chosen_name(table.name, columns, "fkey", constraint_names(table))
    return ForeignKey(name, columns, other.id, key, node.on_delete, node.on_update)


def _referred_key(node: nodes.ForeignKey, other: Table, count: int) -> tuple[str, ...]:
    """The columns referred to, of which a constraint says that no two rows have the same."""
    key = tuple(column.name for column in node.key) or other.primary_key
    if len(key) != count:
        message = f"The foreign key has {count} columns, and refers to {len(key)}."
        raise SqlFault(ErrorCode.INVALID_SQL, message, node.at)
    if node.key:
        check_keys("foreign key", node.key, other.columns)
    if sorted(key) not in [sorted(each) for each in other.unique_keys]:
        message = f"A foreign key refers to the primary key, or the columns of a UNIQUE constraint, of {other.title}."
        raise SqlFault(ErrorCode.INVALID_SQL, message, node.key[0].at)
    return key


def _check_writing(table: Table, node: nodes.ForeignKey, columns: tuple[str, ...]) -> None:
    """Whether ON DELETE SET NULL or SET DEFAULT can be."""
    word = node.on_delete.value
    if table.type is TableType.USER:
        message = f"ON DELETE {word} in a USER table is not supported: NO ACTION, RESTRICT and CASCADE are."
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, node.at)
    if word == "SET DEFAULT" and any(each.default_call for each in table.columns if each.name in columns):
        message = "ON DELETE SET DEFAULT is not supported where the DEFAULT is a call: only a constant is."
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, node.at)


def _check_actions(table: Table, at: int) -> None:
    """Refuse a foreign key that would write into a column that a check names: only statements are checked."""
    checked = {column for check in table.checks for column in check.columns}
    for key in table.foreign_keys:
        is_writing = key.on_delete in _WRITING or key.on_update is ForeignKeyAction.CASCADE
        if is_writing and not checked.isdisjoint(key.columns):
            message = f'The foreign key "{key.name}" changes a column that a CHECK names, which is not supported.'
            raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, at)
