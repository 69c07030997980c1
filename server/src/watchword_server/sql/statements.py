"""Tokens to INSERT, UPDATE and DELETE, with what stands before and around any statement: WITH, brackets.

Source: PostgreSQL's pages on these statements, and the rules behind them in its grammar.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from watchword_server.sql.cursor import Cursor
from watchword_server.sql.expressions import expression
from watchword_server.sql.nodes import (
    Default,
    Delete,
    Expression,
    FromItem,
    Insert,
    Name,
    OnConflict,
    Query,
    Rows,
    Target,
    Update,
    Values,
)
from watchword_server.sql.queries import rows, target, values_rows, with_clause
from watchword_server.sql.sources import CONTINUES_QUERY, begins_query, column_name, from_items, table_name

__all__ = ["QUERIES"]

_Sets = tuple[tuple[Name, Expression | Default], ...]


def _with(cursor: Cursor) -> Query:
    """A statement with WITH before it: what it is shows behind, for its queries may have any name, `delete` too."""
    common = with_clause(cursor)
    rule = _WRITES.get(cursor.here.key)
    return rows(cursor, common=common) if rule is None else replace(rule(cursor), common=common)


# --- INSERT -----------------------------------------------------------------------------------------------


def _insert(cursor: Cursor) -> Insert:
    at = cursor.advance().at
    if cursor.here.key == "or":
        raise cursor.unsupported("INSERT OR")
    cursor.expect("into")
    table = table_name(cursor, alias="after AS")
    columns: tuple[Name, ...] = ()
    if cursor.here.key == "(" and not _is_query_in_brackets(cursor):
        cursor.advance()
        columns = cursor.listed(_column)
        cursor.expect(")")
    listed, query = _new_rows(cursor, columns)
    conflict = _conflict(cursor) if cursor.here.key == "on" and cursor.peek().key == "conflict" else None
    return Insert(table, columns, listed, query, conflict, _returning(cursor), at=at)


def _is_query_in_brackets(cursor: Cursor) -> bool:
    follower = cursor.peek()
    return follower.key in ("(", "select", "with", "table") or (follower.key == "values" and cursor.peek(2).key == "(")


def _new_rows(
    cursor: Cursor, columns: tuple[Name, ...]
) -> tuple[tuple[tuple[Expression | Default, ...], ...], Rows | None]:
    """Rows written out, or a query."""
    if cursor.here.key == "default":
        if columns:
            raise cursor.invalid("DEFAULT VALUES stands without a list of columns.")
        cursor.expect("default", "values")
        return (), None
    if cursor.here.key == "overriding":
        raise cursor.unsupported("OVERRIDING")
    at = cursor.here.at
    if cursor.here.key != "values":
        if not begins_query(cursor) and cursor.here.key != "(":
            raise cursor.unexpected('"VALUES" or a query')
        return (), rows(cursor)
    listed = values_rows(cursor)
    if cursor.here.key not in CONTINUES_QUERY:
        return listed, None
    plain: list[tuple[Expression, ...]] = []
    for row in listed:
        values = [value for value in row if not isinstance(value, Default)]
        if len(values) < len(row):
            raise cursor.invalid("DEFAULT stands in the VALUES of an INSERT only.", at)
        plain.append(tuple(values))
    return (), rows(cursor, Values(tuple(plain), at=at))


def _conflict(cursor: Cursor) -> OnConflict:
    at = cursor.here.at
    cursor.expect("on", "conflict")
    columns: tuple[Name, ...] = ()
    constraint = None
    if cursor.take("("):
        columns = cursor.listed(_conflict_column)
        cursor.expect(")")
        if cursor.here.key == "where":
            raise cursor.unsupported("A condition in the target of ON CONFLICT")
    elif cursor.here.key == "on":
        cursor.expect("on", "constraint")
        constraint = cursor.name("a constraint")
    cursor.expect("do")
    if cursor.take("nothing"):
        return OnConflict(columns, constraint, None, None, at)
    cursor.expect("update", "set")
    sets = cursor.listed(_set)
    return OnConflict(columns, constraint, sets, _where(cursor), at)


def _conflict_column(cursor: Cursor) -> Name:
    if cursor.here.key == "(" or cursor.peek().key == "(":
        raise cursor.unsupported("An expression in the target of ON CONFLICT")
    name = _column(cursor)
    if cursor.here.key == "collate":
        raise cursor.unsupported("COLLATE")
    return name


# --- UPDATE and DELETE ------------------------------------------------------------------------------------


def _update(cursor: Cursor) -> Update:
    at = cursor.advance().at
    if cursor.here.key == "or":
        raise cursor.unsupported("UPDATE OR")
    table = table_name(cursor, alias="before SET")
    cursor.expect("set")
    sets = cursor.listed(_set)
    sources: tuple[FromItem, ...] = from_items(cursor) if cursor.take("from") else ()
    return Update(table, sets, sources, _where(cursor), _returning(cursor), at=at)


def _delete(cursor: Cursor) -> Delete:
    at = cursor.advance().at
    cursor.expect("from")
    table = table_name(cursor, alias="before SET")
    sources: tuple[FromItem, ...] = from_items(cursor) if cursor.take("using") else ()
    return Delete(table, sources, _where(cursor), _returning(cursor), at=at)


# --- parts ------------------------------------------------------------------------------------------------


def _column(cursor: Cursor) -> Name:
    """The name of a column to write into."""
    name = column_name(cursor)
    if cursor.here.key == "." or cursor.here.key == "[":
        raise cursor.unsupported("A part of a column")
    return name


def _set(cursor: Cursor) -> tuple[Name, Expression | Default]:
    if cursor.here.key == "(":
        raise cursor.unsupported("SET of several columns at once")
    name = _column(cursor)
    cursor.expect("=")
    if cursor.here.key == "default":
        return name, Default(cursor.advance().at)
    return name, expression(cursor)


def _where(cursor: Cursor) -> Expression | None:
    if not cursor.take("where"):
        return None
    if cursor.here.key == "current" and cursor.peek().key == "of":
        raise cursor.unsupported("WHERE CURRENT OF")
    return expression(cursor)


def _returning(cursor: Cursor) -> tuple[Target, ...]:
    return cursor.listed(target) if cursor.take("returning") else ()


_WRITES: Final[dict[str, Callable[[Cursor], Insert | Update | Delete]]] = {
    "insert": _insert,
    "update": _update,
    "delete": _delete,
}

QUERIES: Final[dict[str, Callable[[Cursor], Query]]] = {
    "select": rows,
    "values": rows,
    "(": rows,
    "with": _with,
    **_WRITES,
}
"""The rule of each statement, by its first word, which is not yet taken."""
