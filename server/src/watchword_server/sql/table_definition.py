"""CREATE TABLE, as it is meant: types, keys, defaults, options, all checked."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.casts import TYPE_WORDS
from watchword_server.sql.catalog import (
    DEFAULT_NAMESPACE,
    MAX_COLUMNS,
    AccessLevel,
    Catalog,
    Column,
    Table,
    TableId,
    TableType,
)
from watchword_server.sql.constraint_definitions import check_keys, with_constraint
from watchword_server.sql.context import Context
from watchword_server.sql.definer import Definer
from watchword_server.sql.definition_nodes import ColumnDefinition, CreateTable, Option
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.names import Names, nearest
from watchword_server.sql.nodes import Call, Expression, Name, TableName
from watchword_server.sql.object_names import check_case, check_new_relation
from watchword_server.sql.resolve_expressions import ExpressionResolver
from watchword_server.sql.resolve_rows import resolve_query
from watchword_server.sql.row_conditions import DEFAULT_CALLS
from watchword_server.sql.tree import Constant
from watchword_server.user import Role

__all__ = ["NO_ID", "access_level", "check_size", "defined_column", "new_table"]

NO_ID: Final = TableId(0)
"""Of a table that the store has not made yet."""
# PostgreSQL's tables have columns of these names already (its chapter 5.5 "System Columns").
_SYSTEM_COLUMNS: Final = frozenset({"cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"})
_SERIALS: Final = frozenset({"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"})


def new_table(definition: CreateTable, catalog: Catalog, definer: Definer) -> Table | None:
    """The table, with `NO_ID`; None where IF NOT EXISTS finds one of its name.

    Raises:
        SqlFault: ALREADY_EXISTS, NOT_FOUND (the namespace), INVALID_SQL, UNSUPPORTED_SQL, TYPE_MISMATCH (a default),
            PERMISSION_DENIED (a table referred to), LIMIT_EXCEEDED.
    """
    name = definition.table
    where = _namespace(name, catalog)
    if definition.if_not_exists and catalog.find(where, name.name) is not None:
        return None
    check_new_relation("table", name.name, where, catalog, name.at)
    check_size(len(definition.columns), definition.at)
    of_columns = (Name(None, column.name, column.at) for column in definition.columns if column.primary_key)
    written = definition.primary_key or tuple(of_columns)
    key = tuple(each.name for each in written)
    columns = tuple(defined_column(column, key) for column in definition.columns)
    names = [column.name for column in columns]
    for place, column in enumerate(definition.columns):
        if column.name in names[:place]:
            raise SqlFault(ErrorCode.INVALID_SQL, f'The column "{column.name}" is there twice.', column.at)
        check_case(column.name, names[:place], column.at)
    if not written:
        message = "A table has a PRIMARY KEY: which columns identify a row?"
        raise SqlFault(ErrorCode.INVALID_SQL, message, name.at)
    check_keys("primary key", written, columns)
    type_, level = _options(definition)
    table = Table(NO_ID, where, name.name, type_, level, columns, key, definer.user_id)
    for each in (*(each for column in definition.columns for each in column.constraints), *definition.constraints):
        table = with_constraint(table, each, catalog, definer)
    return table


def check_size(columns: int, at: int) -> None:
    """Whether a table may have so many columns.

    Raises:
        SqlFault: LIMIT_EXCEEDED.
    """
    if columns > MAX_COLUMNS:
        message = f"A table has at most {MAX_COLUMNS} columns (columns)."
        raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message, at)


def _namespace(name: TableName, catalog: Catalog) -> str:
    where = DEFAULT_NAMESPACE if name.namespace is None else name.namespace
    if where not in catalog.namespaces:
        hint = nearest(where, sorted(catalog.namespaces))
        message = f'There is no namespace "{where}".{hint} CREATE NAMESPACE makes one.'
        raise SqlFault(ErrorCode.NOT_FOUND, message, name.at)
    return where


def defined_column(definition: ColumnDefinition, key: Sequence[str] = ()) -> Column:
    """The column, without its constraints; `key`: names of the primary key's columns.

    Raises:
        SqlFault: INVALID_SQL, UNSUPPORTED_SQL, TYPE_MISMATCH (the default).
    """
    if definition.name.startswith("_"):
        message = f'The name of a column does not begin with an underscore: "{definition.name}" is not possible.'
        raise SqlFault(ErrorCode.INVALID_SQL, message, definition.at)
    if definition.name in _SYSTEM_COLUMNS:
        message = f'"{definition.name}" is the name of a system column in PostgreSQL: a column needs another.'
        raise SqlFault(ErrorCode.INVALID_SQL, message, definition.at)
    word = TYPE_WORDS.get(definition.type)
    if word is None:
        hint = " Write BIGINT DEFAULT SNOWFLAKE_ID()." if definition.type in _SERIALS else ""
        message = f'The type {definition.type} of the column "{definition.name}" is not supported.{hint}'
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, definition.at)
    column = Column(definition.name, word.type, definition.not_null or definition.name in key)
    return column if definition.default is None else _with_default(column, definition.default)


def _with_default(column: Column, default: Expression) -> Column:
    at = default.at
    if isinstance(default, Call) and default.name not in DEFAULT_CALLS:
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, f"A DEFAULT that calls {default.name} is not supported.", at)
    context = Context(Catalog(), "", Role.USER, resolve_query)
    found = ExpressionResolver(context, Names()).within("DEFAULT", default)
    value = context.coercion.assign(found, column.type, column.name, at)
    if isinstance(default, Call):
        return replace(column, default_call=default.name)
    if not isinstance(value, Constant):
        message = f'The DEFAULT of the column "{column.name}" is computed: only a constant or a call is supported.'
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, at)
    return replace(column, has_default=value.value is not None, default=value.value)


# Option, and the word of its value to what it means.
_TYPES: Final = {each.value: each for each in TableType}
_ACCESS_LEVELS: Final = {each.value.upper(): each for each in AccessLevel}
_WORDS: Final[dict[str, Callable[[str], object]]] = {"TYPE": _TYPES.get, "ACCESS_LEVEL": _ACCESS_LEVELS.get}
_VALUES: Final = {"TYPE": "'USER' or 'SHARED'", "ACCESS_LEVEL": "'public', 'private' or 'restricted'"}


def _options(definition: CreateTable) -> tuple[TableType, AccessLevel]:
    given = {option.name: (_meaning(option), option.at) for option in definition.options}
    type_, type_at = given.get("TYPE", (None, definition.table.at))
    word = None if definition.type is None else TableType(definition.type)
    if word is not None and type_ not in (None, word):
        message = f"The table is {word.value} in one place and another in the next: write its type once."
        raise SqlFault(ErrorCode.INVALID_SQL, message, type_at)
    type_ = word or type_
    if not isinstance(type_, TableType):
        message = (
            "A table has a type: write CREATE USER TABLE or CREATE SHARED TABLE, or WITH (TYPE = 'USER') or "
            "(TYPE = 'SHARED')."
        )
        raise SqlFault(ErrorCode.INVALID_SQL, message, definition.table.at)
    level, level_at = given.get("ACCESS_LEVEL", (AccessLevel.PRIVATE, None))
    if level_at is not None:
        _check_has_level(type_, level_at)
    return type_, level if isinstance(level, AccessLevel) else AccessLevel.PRIVATE


def access_level(table: Table, option: Option) -> AccessLevel:
    """The access level that the option says.

    Raises:
        SqlFault: INVALID_SQL.
    """
    _check_has_level(table.type, option.at)
    level = _meaning(option)
    return level if isinstance(level, AccessLevel) else AccessLevel.PRIVATE


def _meaning(option: Option) -> object:
    if option.name not in _WORDS:
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, f"The option {option.name} is not supported.", option.at)
    found = _WORDS[option.name](option.value.upper())
    if found is None:
        raise SqlFault(ErrorCode.INVALID_SQL, f"The option {option.name} is {_VALUES[option.name]}.", option.at)
    return found


def _check_has_level(type_: TableType, at: int) -> None:
    if type_ is TableType.USER:
        message = "ACCESS_LEVEL is an option of SHARED tables: in a USER table everybody sees their own rows."
        raise SqlFault(ErrorCode.INVALID_SQL, message, at)
