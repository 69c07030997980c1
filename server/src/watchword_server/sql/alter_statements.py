"""Tokens to ALTER TABLE.

Source: PostgreSQL's page on it; SET ACCESS_LEVEL is ours.
"""

from collections.abc import Callable
from typing import Final

from watchword_server.sql.constraint_statements import refuse, table_constraint
from watchword_server.sql.cursor import Cursor
from watchword_server.sql.definition_nodes import (
    AddColumn,
    AddConstraint,
    AlterTable,
    DropColumn,
    DropConstraint,
    Option,
    RenameColumn,
    RenameTable,
    SetAccessLevel,
    TableChange,
)
from watchword_server.sql.nodes import Name
from watchword_server.sql.sources import column_name, qualified_name
from watchword_server.sql.table_statements import column_definition, option_value

__all__ = ["alter", "take_cascade"]

_CHANGES: Final = {
    "alter": "ALTER COLUMN",
    "attach": "ATTACH PARTITION",
    "cluster": "CLUSTER",
    "detach": "DETACH PARTITION",
    "disable": "DISABLE",
    "enable": "ENABLE",
    "force": "FORCE ROW LEVEL SECURITY",
    "inherit": "INHERIT",
    "no": "NO INHERIT",
    "not": "NOT OF",
    "of": "OF",
    "owner": "OWNER TO",
    "replica": "REPLICA IDENTITY",
    "reset": "RESET",
    "validate": "VALIDATE CONSTRAINT",
}
_ADDED: Final = {
    "primary": "ADD PRIMARY KEY, to a table that has one,",
    "exclude": "EXCLUDE",
}


def alter(cursor: Cursor) -> AlterTable:
    """ALTER TABLE, or a refusal that names what else is to be altered."""
    at = cursor.advance().at
    if cursor.here.key != "table":
        if not cursor.here.key:
            raise cursor.unexpected('"TABLE"')
        raise cursor.unsupported(f"ALTER {cursor.here.key.upper()}", at)
    cursor.advance()
    if_exists = cursor.take_if_exists()
    if cursor.here.key == "only":
        raise cursor.unsupported("ONLY")
    table = qualified_name(cursor)
    if cursor.here.key == "*":
        raise cursor.unsupported("A star behind a table")
    rule = _RULES.get(cursor.here.key)
    if rule is None:
        refuse(cursor, _CHANGES)
        raise cursor.unexpected("ADD, DROP, RENAME or SET ACCESS_LEVEL")
    cursor.advance()
    change = rule(cursor)
    if cursor.here.key == ",":
        raise cursor.unsupported("ALTER TABLE with several changes")
    return AlterTable(table, change, if_exists, at)


def take_cascade(cursor: Cursor) -> bool:
    """Take CASCADE, or RESTRICT, which is what is meant without it."""
    if cursor.take("cascade"):
        return True
    cursor.take("restrict")
    return False


def _add(cursor: Cursor) -> TableChange:
    refuse(cursor, _ADDED)
    if constraint := table_constraint(cursor):
        return AddConstraint(constraint)
    cursor.take("column")
    if_not_exists = cursor.take_if_not_exists()
    return AddColumn(column_definition(cursor), if_not_exists)


def _drop(cursor: Cursor) -> TableChange:
    if cursor.take("constraint"):
        if_exists = cursor.take_if_exists()
        at = cursor.here.at
        name = Name(None, cursor.name("a constraint"), at)
        return DropConstraint(name, if_exists, take_cascade(cursor))
    cursor.take("column")
    if_exists = cursor.take_if_exists()
    return DropColumn(column_name(cursor), if_exists, take_cascade(cursor))


def _rename(cursor: Cursor) -> TableChange:
    if cursor.here.key == "constraint":
        raise cursor.unsupported("RENAME CONSTRAINT")
    if cursor.take("to"):
        at = cursor.here.at
        name = cursor.name("a table")
        if cursor.here.key == ".":
            raise cursor.unsupported("RENAME into another namespace")
        return RenameTable(name, at)
    cursor.take("column")
    column = column_name(cursor)
    cursor.expect("to")
    return RenameColumn(column, cursor.name("a column"))


def _set(cursor: Cursor) -> TableChange:
    at = cursor.here.at
    if cursor.here.key != "access_level":
        if not cursor.here.key or cursor.here.key == ";":
            raise cursor.unexpected('"ACCESS_LEVEL"')
        raise cursor.unsupported("SET of anything but ACCESS_LEVEL")
    cursor.advance()
    cursor.take("=")
    return SetAccessLevel(Option("ACCESS_LEVEL", option_value(cursor), at))


_RULES: Final[dict[str, Callable[[Cursor], TableChange]]] = {
    "add": _add,
    "drop": _drop,
    "rename": _rename,
    "set": _set,
}
"""By the first word, which is taken."""
