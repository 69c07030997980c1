"""Tokens to CREATE TABLE: PostgreSQL's grammar, with a word for whose rows it holds and options of our own.

Source: PostgreSQL's page on CREATE TABLE.
"""

from typing import Final

from watchword_server.sql.constraint_statements import column_constraint, refuse, table_constraint
from watchword_server.sql.cursor import Cursor
from watchword_server.sql.definition_nodes import ColumnDefinition, Constraint, CreateTable, Option
from watchword_server.sql.expressions import operand
from watchword_server.sql.lex import TokenKind
from watchword_server.sql.nodes import Call, Cast, Expression, Literal, Name, Parameter, walk
from watchword_server.sql.sources import column_name, column_names, qualified_name
from watchword_server.sql.type_names import type_name

__all__ = ["column_definition", "create_table", "option", "option_value"]

_COLUMN_CLAUSES: Final = {
    "collate": "COLLATE",
    "compression": "COMPRESSION",
    "generated": "GENERATED (for numbers that grow, write BIGINT DEFAULT SNOWFLAKE_ID())",
    "storage": "STORAGE",
    "autoincrement": "AUTOINCREMENT (write BIGINT DEFAULT SNOWFLAKE_ID())",
    "deferrable": "DEFERRABLE",
    "initially": "INITIALLY",
}
_TABLE_ELEMENTS: Final = {"exclude": "EXCLUDE", "like": "LIKE in a table's definition"}
_TABLE_CLAUSES: Final = {
    "as": "CREATE TABLE AS",
    "inherits": "INHERITS",
    "of": "A table of a type",
    "on": "ON COMMIT",
    "partition": "PARTITION",
    "strict": "STRICT",
    "tablespace": "TABLESPACE",
    "using": "USING",
    "without": "WITHOUT",
}
_MAY_REPEAT: Final = frozenset({"not", "null"})


def create_table(cursor: Cursor, type_: str | None, at: int) -> CreateTable:
    """What stands behind the word TABLE; `type_`: the word before it, in capitals."""
    if_not_exists = cursor.take_if_not_exists()
    table = qualified_name(cursor)
    refuse(cursor, _TABLE_CLAUSES)
    cursor.expect("(")
    columns: list[ColumnDefinition] = []
    constraints: list[Constraint] = []
    primary_key: tuple[Name, ...] = ()
    while True:
        start = cursor.here
        again = False
        if start.key == "primary":
            again = bool(primary_key) or any(column.primary_key for column in columns)
            cursor.expect("primary", "key")
            primary_key = column_names(cursor)
        elif constraint := table_constraint(cursor):
            constraints.append(constraint)
        else:
            refuse(cursor, _TABLE_ELEMENTS)
            columns.append(column := column_definition(cursor))
            again = column.primary_key and (bool(primary_key) or any(each.primary_key for each in columns[:-1]))
        if again:
            raise cursor.invalid("A table has one primary key: write PRIMARY KEY (a, b) for several columns.", start.at)
        if not cursor.take(","):
            break
    cursor.expect(")")
    refuse(cursor, _TABLE_CLAUSES)
    options = _options(cursor) if cursor.take("with") else ()
    refuse(cursor, _TABLE_CLAUSES)
    if not columns:
        raise cursor.invalid("A table has at least one column.", at)
    return CreateTable(table, tuple(columns), primary_key, options, if_not_exists, tuple(constraints), type_, at)


def column_definition(cursor: Cursor) -> ColumnDefinition:
    """A column: its name, its type and what is said of it."""
    name = column_name(cursor)
    type_ = type_name(cursor)
    default: Expression | None = None
    constraints: list[Constraint] = []
    seen: set[str] = set()
    while True:
        token = cursor.here
        match token.key:
            case "primary":
                cursor.expect("primary", "key")
            case "not":
                cursor.expect("not", "null")
            case "null":
                cursor.advance()
            case "default":
                cursor.advance()
                default = _default(cursor)
            case _:
                constraint = column_constraint(cursor, name)
                if constraint is None:
                    refuse(cursor, _COLUMN_CLAUSES)
                    break
                constraints.append(constraint)
                continue
        if token.key in seen and token.key not in _MAY_REPEAT:
            raise cursor.invalid(f"{token.key.upper()} stands twice at one column.", token.at)
        seen.add(token.key)
        if {"not", "null"} <= seen:
            raise cursor.invalid("A column is NULL, or it is NOT NULL.", token.at)
    is_key = "primary" in seen
    return ColumnDefinition(name.name, type_, "not" in seen, is_key, default, tuple(constraints), name.at)


def _default(cursor: Cursor) -> Expression:
    at = cursor.here.at
    value = operand(cursor)
    for node in walk(value):
        if isinstance(node, Name):
            raise cursor.invalid("A DEFAULT is made without a row: it names no column.", node.at)
        if isinstance(node, Parameter):
            raise cursor.invalid("A DEFAULT is there for good: it has no parameters.", node.at)
    innermost = value
    while isinstance(innermost, Cast):
        innermost = innermost.operand
    is_call = isinstance(innermost, Call) and not innermost.arguments
    if not (isinstance(innermost, Literal) or is_call):
        raise cursor.unsupported("A DEFAULT that is computed", at)
    return value


def _options(cursor: Cursor) -> tuple[Option, ...]:
    cursor.expect("(")
    options = cursor.listed(option)
    cursor.expect(")")
    seen: set[str] = set()
    for each in options:
        if each.name in seen:
            raise cursor.invalid(f"The option {each.name} is given twice.", each.at)
        seen.add(each.name)
    return options


def option(cursor: Cursor) -> Option:
    """`name = value`."""
    at = cursor.here.at
    name = cursor.label("an option").upper()
    cursor.expect("=")
    return Option(name, option_value(cursor), at)


def option_value(cursor: Cursor) -> str:
    """What stands behind the sign."""
    if cursor.here.kind not in (TokenKind.TEXT, TokenKind.NUMBER):
        raise cursor.unexpected("the option's value, in single quotes")
    return cursor.advance().value
