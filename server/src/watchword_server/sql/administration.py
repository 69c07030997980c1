"""Tokens to the statements that change the catalog: a small grammar of our own, with PostgreSQL's where it has one."""

from collections.abc import Callable
from typing import Final

from watchword_server.sql.cursor import Cursor
from watchword_server.sql.expressions import operand
from watchword_server.sql.lex import TokenKind
from watchword_server.sql.nodes import (
    Call,
    Cast,
    ColumnDefinition,
    CreateNamespace,
    CreateTable,
    Definition,
    DropTable,
    Expression,
    Literal,
    Name,
    Option,
    Parameter,
    walk,
)
from watchword_server.sql.sources import qualified_name
from watchword_server.sql.type_names import type_name

__all__ = ["DEFINITIONS"]

_COLUMN_CONSTRAINTS: Final = {
    "check": "A CHECK constraint",
    "collate": "COLLATE",
    "compression": "COMPRESSION",
    "constraint": "A constraint with a name",
    "generated": "GENERATED",
    "references": "A foreign key (REFERENCES)",
    "storage": "STORAGE",
    "unique": "A UNIQUE constraint",
    "autoincrement": "AUTOINCREMENT",
    "deferrable": "DEFERRABLE",
    "initially": "INITIALLY",
}
_TABLE_CONSTRAINTS: Final = {
    "check": "A CHECK constraint",
    "constraint": "A constraint with a name",
    "foreign": "A foreign key",
    "like": "LIKE in a table's definition",
    "unique": "A UNIQUE constraint",
}
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
# Words between CREATE and TABLE.
_KINDS_OF_TABLE: Final = frozenset({"user", "shared", "stream", "temp", "temporary", "unlogged", "foreign", "virtual"})


def _create(cursor: Cursor) -> Definition:
    at = cursor.advance().at
    what = cursor.here
    if what.key == "namespace":
        cursor.advance()
        return CreateNamespace(if_not_exists=_if_not_exists(cursor), name=cursor.name("a namespace"), at=at)
    if what.key == "table":
        cursor.advance()
        return _create_table(cursor, at)
    if what.kind is not TokenKind.WORD:
        raise cursor.unexpected('"NAMESPACE" or "TABLE"')
    words = what.key
    if words in _KINDS_OF_TABLE and cursor.peek().key == "table":
        words += " table"
    raise cursor.unsupported(f"CREATE {words.upper()}", at)


def _if_not_exists(cursor: Cursor) -> bool:
    if not (cursor.here.key == "if" and cursor.peek().key == "not"):
        return False
    cursor.expect("if", "not", "exists")
    return True


def _create_table(cursor: Cursor, at: int) -> CreateTable:
    if_not_exists = _if_not_exists(cursor)
    table = qualified_name(cursor)
    _refuse(cursor, _TABLE_CLAUSES)
    cursor.expect("(")
    columns: list[ColumnDefinition] = []
    primary_key: tuple[Name, ...] = ()
    while True:
        start = cursor.here
        if start.key == "primary":
            again = bool(primary_key) or any(column.primary_key for column in columns)
            primary_key = _primary_key(cursor)
        else:
            _refuse(cursor, _TABLE_CONSTRAINTS)
            columns.append(column := _column(cursor))
            again = column.primary_key and (bool(primary_key) or any(each.primary_key for each in columns[:-1]))
        if again:
            raise cursor.invalid("A table has one primary key: write PRIMARY KEY (a, b) for several columns.", start.at)
        if not cursor.take(","):
            break
    cursor.expect(")")
    _refuse(cursor, _TABLE_CLAUSES)
    options = _options(cursor) if cursor.take("with") else ()
    _refuse(cursor, _TABLE_CLAUSES)
    if not columns:
        raise cursor.invalid("A table has at least one column.", at)
    return CreateTable(table, tuple(columns), primary_key, options, if_not_exists, at)


def _refuse(cursor: Cursor, constructs: dict[str, str]) -> None:
    if construct := constructs.get(cursor.here.key):
        raise cursor.unsupported(construct)


def _primary_key(cursor: Cursor) -> tuple[Name, ...]:
    cursor.expect("primary", "key", "(")
    names = cursor.listed(_column_name)
    cursor.expect(")")
    return names


def _column_name(cursor: Cursor) -> Name:
    at = cursor.here.at
    return Name(None, cursor.name("a column"), at)


def _column(cursor: Cursor) -> ColumnDefinition:
    at = cursor.here.at
    name = cursor.name("a column")
    type_ = type_name(cursor)
    default: Expression | None = None
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
                _refuse(cursor, _COLUMN_CONSTRAINTS)
                break
        if token.key in seen and token.key not in _MAY_REPEAT:
            raise cursor.invalid(f"{token.key.upper()} stands twice at one column.", token.at)
        seen.add(token.key)
        if {"not", "null"} <= seen:
            raise cursor.invalid("A column is NULL, or it is NOT NULL.", token.at)
    return ColumnDefinition(name, type_, "not" in seen, "primary" in seen, default, at)


def _default(cursor: Cursor) -> Expression:
    at = cursor.here.at
    value = operand(cursor)
    for node in walk(value):
        if isinstance(node, Name):
            raise cursor.invalid("A DEFAULT is a constant: it names no column.", node.at)
        if isinstance(node, Parameter):
            raise cursor.invalid("A DEFAULT is a constant: it has no parameters.", node.at)
        if isinstance(node, Call):
            raise cursor.unsupported(f"A DEFAULT that calls a function ({node.name})", node.at)
    constant = value
    while isinstance(constant, Cast):
        constant = constant.operand
    if not isinstance(constant, Literal):
        raise cursor.unsupported("A DEFAULT that is computed", at)
    return value


def _options(cursor: Cursor) -> tuple[Option, ...]:
    cursor.expect("(")
    options = cursor.listed(_option)
    cursor.expect(")")
    seen: set[str] = set()
    for option in options:
        if option.name in seen:
            raise cursor.invalid(f"The option {option.name} is given twice.", option.at)
        seen.add(option.name)
    return options


def _option(cursor: Cursor) -> Option:
    at = cursor.here.at
    name = cursor.label("an option").upper()
    cursor.expect("=")
    if cursor.here.kind not in (TokenKind.TEXT, TokenKind.NUMBER):
        raise cursor.unexpected("the option's value, in single quotes")
    return Option(name, cursor.advance().value, at)


def _drop(cursor: Cursor) -> DropTable:
    at = cursor.advance().at
    if cursor.here.kind is not TokenKind.WORD:
        raise cursor.unexpected('"TABLE"')
    if cursor.here.key != "table":
        raise cursor.unsupported(f"DROP {cursor.here.key.upper()}", at)
    cursor.advance()
    if_exists = False
    if cursor.here.key == "if" and cursor.peek().key == "exists":
        cursor.expect("if", "exists")
        if_exists = True
    table = qualified_name(cursor)
    if cursor.here.key == ",":
        raise cursor.unsupported("DROP of several tables at once")
    if cursor.here.key in ("cascade", "restrict"):
        raise cursor.unsupported(f"DROP TABLE ... {cursor.here.key.upper()}")
    return DropTable(table, if_exists, at)


DEFINITIONS: Final[dict[str, Callable[[Cursor], Definition]]] = {"create": _create, "drop": _drop}
"""The rule of each statement, by its first word, which is not yet taken."""
