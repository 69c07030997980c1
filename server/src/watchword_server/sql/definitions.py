"""Statements that change the catalog, as they are meant: types, keys, defaults, options, all checked.

The store keeps what comes out of here and gives it its id.
"""

from collections.abc import Callable, Iterable
from typing import Final

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.casts import TYPE_WORDS
from watchword_server.sql.catalog import MAX_COLUMNS, AccessLevel, Catalog, Column, Table, TableId, TableType
from watchword_server.sql.context import Context
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.names import Names, nearest
from watchword_server.sql.nodes import ColumnDefinition, CreateNamespace, CreateTable, DropTable, Name, TableName
from watchword_server.sql.resolve_expressions import ExpressionResolver
from watchword_server.sql.resolve_rows import resolve_query
from watchword_server.sql.tree import Constant
from watchword_server.sql.types import SqlType
from watchword_server.user import Role

__all__ = [
    "NO_ID",
    "check_namespace",
    "dropped_table",
    "table_definition",
]

NO_ID: Final = TableId(0)
"""Of a table that the store has not made yet."""
_MAX_KEY_COLUMNS: Final = 16
# PostgreSQL's tables have columns of these names already (its chapter 5.5 "System Columns").
_SYSTEM_COLUMNS: Final = frozenset({"cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"})


def check_namespace(definition: CreateNamespace, catalog: Catalog) -> bool:
    """Whether there is anything to do.

    Raises:
        SqlFault: INVALID_SQL: no good name. ALREADY_EXISTS.
    """
    _check_name("namespace", definition.name, definition.at)
    if definition.name.lower().startswith("sqlite_"):
        message = 'The name of a namespace does not begin with "sqlite_": the engine keeps such names for itself.'
        raise SqlFault(ErrorCode.INVALID_SQL, message, definition.at)
    if definition.name not in catalog.namespaces:
        return True
    if definition.if_not_exists:
        return False
    raise SqlFault(ErrorCode.ALREADY_EXISTS, f'The namespace "{definition.name}" exists.', definition.at)


def table_definition(definition: CreateTable, catalog: Catalog, namespace: str) -> Table | None:
    """The table, with `NO_ID`; None where IF NOT EXISTS finds one of its name.

    Args:
        definition: From the parser.
        catalog: What there is.
        namespace: Where a name without one belongs.

    Raises:
        SqlFault: ALREADY_EXISTS, NOT_FOUND (the namespace), INVALID_SQL, UNSUPPORTED_SQL, TYPE_MISMATCH (a default),
            LIMIT_EXCEEDED.
    """
    name = definition.table
    where = _namespace(name, catalog, namespace)
    _check_name("table", name.name, name.at)
    if catalog.find(where, name.name) is not None:
        if definition.if_not_exists:
            return None
        raise SqlFault(ErrorCode.ALREADY_EXISTS, f'The table "{where}.{name.name}" exists.', name.at)
    _check_case(f"{where}.{name.name}", (table.title for table in catalog.tables.values()), name.at)
    if len(definition.columns) > MAX_COLUMNS:
        message = f"A table has at most {MAX_COLUMNS} columns (columns)."
        raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message, definition.at)
    of_columns = (Name(None, column.name, column.at) for column in definition.columns if column.primary_key)
    written = definition.primary_key or tuple(of_columns)
    key = tuple(each.name for each in written)
    columns = tuple(_column(column, key) for column in definition.columns)
    names = [column.name for column in columns]
    for place, column in enumerate(definition.columns):
        if column.name in names[:place]:
            raise SqlFault(ErrorCode.INVALID_SQL, f'The column "{column.name}" is there twice.', column.at)
        _check_case(column.name, names[:place], column.at)
    _check_key(definition, columns, written)
    type_, access_level = _options(definition)
    return Table(NO_ID, where, name.name, type_, access_level, columns, key)


def dropped_table(definition: DropTable, catalog: Catalog, namespace: str) -> Table | None:
    """The table that goes; None where IF EXISTS finds none.

    Raises:
        SqlFault: NOT_FOUND.
    """
    name = definition.table
    where = namespace if name.namespace is None else name.namespace
    table = catalog.find(where, name.name)
    if table is None and not definition.if_exists:
        title = f"{where}.{name.name}"
        hint = nearest(title, sorted(each.title for each in catalog.tables.values()))
        raise SqlFault(ErrorCode.NOT_FOUND, f'There is no table "{title}".{hint}', name.at)
    return table


def _namespace(name: TableName, catalog: Catalog, namespace: str) -> str:
    where = namespace if name.namespace is None else name.namespace
    if where not in catalog.namespaces:
        hint = nearest(where, sorted(catalog.namespaces))
        message = f'There is no namespace "{where}".{hint} CREATE NAMESPACE makes one.'
        raise SqlFault(ErrorCode.NOT_FOUND, message, name.at)
    return where


def _check_name(what: str, name: str, at: int) -> None:
    """A dot would make two names one in the store; what begins with an underscore is the server's own."""
    if "." in name or name.startswith("_"):
        message = f'The name of a {what} has no dot and does not begin with an underscore: "{name}" is not possible.'
        raise SqlFault(ErrorCode.INVALID_SQL, message, at)


def _check_case(name: str, others: Iterable[str], at: int) -> None:
    """For the engine, names that differ in the case of ASCII letters are one."""
    folded = name.encode().lower()
    for other in others:
        if other.encode().lower() == folded:
            message = f'The name "{name}" differs from "{other}" in the case of letters only, which is not supported.'
            raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, at)


def _column(definition: ColumnDefinition, key: tuple[str, ...]) -> Column:
    if definition.name.startswith("_"):
        message = f'The name of a column does not begin with an underscore: "{definition.name}" is not possible.'
        raise SqlFault(ErrorCode.INVALID_SQL, message, definition.at)
    if definition.name in _SYSTEM_COLUMNS:
        message = f'"{definition.name}" is the name of a system column in PostgreSQL: a column needs another.'
        raise SqlFault(ErrorCode.INVALID_SQL, message, definition.at)
    word = TYPE_WORDS.get(definition.type)
    if word is None:
        message = f'The type {definition.type} of the column "{definition.name}" is not supported.'
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, definition.at)
    not_null = definition.not_null or definition.name in key
    if definition.default is None:
        return Column(definition.name, word.type, not_null)
    context = Context(Catalog(), "", Role.USER, resolve_query)
    value = ExpressionResolver(context, Names()).within("DEFAULT", definition.default)
    value = context.coercion.assign(value, word.type, definition.name, definition.default.at)
    if not isinstance(value, Constant):
        message = f'The DEFAULT of the column "{definition.name}" is computed: only a constant is supported.'
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, definition.default.at)
    return Column(definition.name, word.type, not_null, has_default=value.value is not None, default=value.value)


def _check_key(definition: CreateTable, columns: tuple[Column, ...], key: tuple[Name, ...]) -> None:
    if not key:
        message = "A table has a PRIMARY KEY: which columns identify a row?"
        raise SqlFault(ErrorCode.INVALID_SQL, message, definition.table.at)
    if len(key) > _MAX_KEY_COLUMNS:
        message = f"A primary key has at most {_MAX_KEY_COLUMNS} columns (key_columns)."
        raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message, key[_MAX_KEY_COLUMNS].at)
    types = {column.name: column.type for column in columns}
    for place, node in enumerate(key):
        name, at = node.name, node.at
        if name not in types:
            hint = nearest(name, list(types))
            raise SqlFault(ErrorCode.NOT_FOUND, f'The primary key names no column of the table: "{name}".{hint}', at)
        if node in key[:place]:
            raise SqlFault(ErrorCode.INVALID_SQL, f'The primary key names the column "{name}" twice.', at)
        if types[name] is SqlType.JSON:
            raise SqlFault(ErrorCode.INVALID_SQL, f'The column "{name}" is json, which cannot be a key.', at)


# Option, and the word of its value to what it means.
_TYPES: Final = {each.value: each for each in TableType}
_ACCESS_LEVELS: Final = {each.value.upper(): each for each in AccessLevel}
_WORDS: Final[dict[str, Callable[[str], object]]] = {"TYPE": _TYPES.get, "ACCESS_LEVEL": _ACCESS_LEVELS.get}
_VALUES: Final = {"TYPE": "'USER' or 'SHARED'", "ACCESS_LEVEL": "'public' or 'private'"}


def _options(definition: CreateTable) -> tuple[TableType, AccessLevel]:
    places: dict[str, int] = {}
    given: dict[str, object] = {}
    for option in definition.options:
        name, at = option.name, option.at
        if name not in _WORDS:
            raise SqlFault(ErrorCode.UNSUPPORTED_SQL, f"The option {name} is not supported.", at)
        places[name], given[name] = at, _WORDS[name](option.value.upper())
        if given[name] is None:
            raise SqlFault(ErrorCode.INVALID_SQL, f"The option {name} is {_VALUES[name]}.", at)
    type_, access_level = given.get("TYPE"), given.get("ACCESS_LEVEL")
    if not isinstance(type_, TableType):
        message = f"A table has a type: write WITH (TYPE = {_VALUES['TYPE'].replace(' or ', ') or (TYPE = ')})."
        raise SqlFault(ErrorCode.INVALID_SQL, message, definition.table.at)
    if type_ is TableType.USER and access_level is not None:
        message = "ACCESS_LEVEL is an option of SHARED tables: in a USER table everybody sees their own rows."
        raise SqlFault(ErrorCode.INVALID_SQL, message, places["ACCESS_LEVEL"])
    return type_, access_level if isinstance(access_level, AccessLevel) else AccessLevel.PRIVATE
