"""Tokens to the constraints of tables and columns.

Source: PostgreSQL's pages on CREATE TABLE and ALTER TABLE.
"""

from collections.abc import Callable
from typing import Final

from watchword_server.sql.condition_text import text_of
from watchword_server.sql.cursor import Cursor
from watchword_server.sql.definition_nodes import Check, Constraint, ForeignKey, ForeignKeyAction, Unique
from watchword_server.sql.expressions import expression
from watchword_server.sql.lex import Token
from watchword_server.sql.nodes import Name
from watchword_server.sql.sources import column_names, qualified_name

__all__ = ["column_constraint", "refuse", "table_constraint"]

_NOT_UNIQUE_ALONE: Final = {
    "nulls": "UNIQUE with NULLS",
    "include": "INCLUDE",
    "using": "USING INDEX",
    "with": "WITH behind a constraint",
}
_BEHIND: Final = {
    "deferrable": "DEFERRABLE",
    "initially": "INITIALLY",
    "no": "NO INHERIT",
    "enforced": "ENFORCED",
}
_OTHERS: Final = {
    "exclude": "EXCLUDE",
    "primary": "A primary key with a name, or behind the table's creation,",
    "not": "A NOT NULL constraint with a name",
    "null": "A NULL constraint with a name",
    "default": "A DEFAULT with a name",
    "generated": "GENERATED",
    "collate": "COLLATE with a name",
}
_ACTIONS: Final = {tuple(action.value.lower().split()): action for action in ForeignKeyAction}
_ON_UPDATE: Final = frozenset({ForeignKeyAction.NO_ACTION, ForeignKeyAction.RESTRICT, ForeignKeyAction.CASCADE})


def refuse(cursor: Cursor, constructs: dict[str, str]) -> None:
    """Refuse what begins here by its name.

    Raises:
        SqlFault: UNSUPPORTED_SQL.
    """
    if construct := constructs.get(cursor.here.key):
        raise cursor.unsupported(construct)


def column_constraint(cursor: Cursor, column: Name) -> Constraint | None:
    """The constraint of a column that begins here; None where none does that has a rule here."""
    return _constraint(cursor, _OF_COLUMN, column)


def table_constraint(cursor: Cursor) -> Constraint | None:
    """The constraint of a table that begins here; None where none does."""
    return _constraint(cursor, _OF_TABLE, Name(None, ""))


_Rule = Callable[[Cursor, str | None, Token, Name], Constraint]


def _constraint(cursor: Cursor, rules: dict[str, _Rule], column: Name) -> Constraint | None:
    start, name = cursor.here, None
    if start.key == "constraint":
        cursor.advance()
        name = cursor.name("a constraint")
        if construct := _OTHERS.get(cursor.here.key):
            raise cursor.unsupported(construct, start.at)
    rule = rules.get(cursor.here.key)
    if rule is None:
        if name is not None:
            raise cursor.unexpected("a constraint")
        return None
    found = rule(cursor, name, start, column)
    refuse(cursor, _BEHIND)
    if cursor.here.key == "not" and cursor.peek().key in ("deferrable", "valid", "enforced"):
        raise cursor.unsupported(f"NOT {cursor.peek().key.upper()}")
    return found


def _unique(cursor: Cursor, name: str | None, start: Token, column: Name) -> Unique:
    cursor.advance()
    refuse(cursor, _NOT_UNIQUE_ALONE)
    columns = (column,) if column.name else column_names(cursor)
    refuse(cursor, _NOT_UNIQUE_ALONE)
    return Unique(name, columns, start.at)


def _check(cursor: Cursor, name: str | None, start: Token, _column: Name) -> Check:
    cursor.advance()
    cursor.expect("(")
    before = cursor.mark()
    condition = expression(cursor)
    text = text_of(cursor.since(before), condition)
    cursor.expect(")")
    return Check(name, condition, text, start.at)


def _references(cursor: Cursor, name: str | None, start: Token, column: Name) -> ForeignKey:
    return _reference(cursor, name, start, (column,))


def _foreign_key(cursor: Cursor, name: str | None, start: Token, _column: Name) -> ForeignKey:
    cursor.expect("foreign", "key")
    return _reference(cursor, name, start, column_names(cursor))


def _reference(cursor: Cursor, name: str | None, start: Token, columns: tuple[Name, ...]) -> ForeignKey:
    cursor.expect("references")
    table = qualified_name(cursor)
    key = column_names(cursor) if cursor.here.key == "(" else ()
    if cursor.take("match") and not cursor.take("simple"):
        raise cursor.unsupported(f"MATCH {cursor.here.value.upper()}")
    on = {"delete": ForeignKeyAction.NO_ACTION, "update": ForeignKeyAction.NO_ACTION}
    seen: set[str] = set()
    while cursor.here.key == "on":
        at, when = cursor.advance().at, cursor.here.key
        if when not in on:
            raise cursor.unexpected('"DELETE" or "UPDATE"')
        if when in seen:
            raise cursor.invalid(f"ON {when.upper()} stands twice.", at)
        seen.add(when)
        cursor.advance()
        on[when] = _action(cursor)
        if when == "update" and on[when] not in _ON_UPDATE:
            raise cursor.unsupported(f"ON UPDATE {on[when].value}", at)
    return ForeignKey(name, columns, table, key, on["delete"], on["update"], start.at)


def _action(cursor: Cursor) -> ForeignKeyAction:
    for words, action in _ACTIONS.items():
        if cursor.here.key == words[0] and (len(words) == 1 or cursor.peek().key == words[1]):
            cursor.expect(*words)
            if cursor.here.key == "(":
                raise cursor.unsupported(f"{action.value} of some columns")
            return action
    raise cursor.unexpected("NO ACTION, RESTRICT, CASCADE, SET NULL or SET DEFAULT")


_OF_COLUMN: Final[dict[str, _Rule]] = {"unique": _unique, "check": _check, "references": _references}
_OF_TABLE: Final[dict[str, _Rule]] = {"unique": _unique, "check": _check, "foreign": _foreign_key}
