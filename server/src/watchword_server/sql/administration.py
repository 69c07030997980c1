"""Tokens to the statements that change the catalog: a small grammar of our own, with PostgreSQL's where it has one."""

from collections.abc import Callable
from typing import Final

from watchword_server.sql.alter_statements import alter, take_cascade
from watchword_server.sql.cursor import Cursor
from watchword_server.sql.definition_nodes import CreateNamespace, Definition, DropIndex, DropNamespace, DropTable
from watchword_server.sql.index_statements import create_index, drop_index
from watchword_server.sql.lex import TokenKind
from watchword_server.sql.nodes import Truncate
from watchword_server.sql.sources import qualified_name
from watchword_server.sql.table_statements import create_table

__all__ = ["DEFINITIONS", "truncate"]

# Words between CREATE and TABLE: those that there are, and those that are refused with it.
_TYPES_OF_TABLE: Final = frozenset({"user", "shared"})
_KINDS_OF_TABLE: Final = frozenset({"stream", "temp", "temporary", "unlogged", "foreign", "virtual"})


def _create(cursor: Cursor) -> Definition:
    at = cursor.advance().at
    what = cursor.here
    if what.kind is not TokenKind.WORD:
        raise cursor.unexpected('"NAMESPACE", "TABLE" or "INDEX"')
    follower = cursor.peek().key
    if what.key == "namespace":
        cursor.advance()
        return _create_namespace(cursor, at)
    if what.key == "table" or (what.key in _TYPES_OF_TABLE and follower == "table"):
        type_ = None if what.key == "table" else cursor.advance().key.upper()
        cursor.advance()
        return create_table(cursor, type_, at)
    if what.key == "index" or (what.key == "unique" and follower == "index"):
        is_unique = cursor.take("unique")
        cursor.advance()
        return create_index(cursor, at, is_unique=is_unique)
    words = f"{what.key} table" if what.key in _KINDS_OF_TABLE and follower == "table" else what.key
    raise cursor.unsupported(f"CREATE {words.upper()}", at)


def _create_namespace(cursor: Cursor, at: int) -> CreateNamespace:
    if_not_exists = cursor.take_if_not_exists()
    return CreateNamespace(cursor.name("a namespace"), if_not_exists, at)


def _drop(cursor: Cursor) -> Definition:
    at = cursor.advance().at
    what = cursor.here
    if what.kind is not TokenKind.WORD:
        raise cursor.unexpected('"NAMESPACE", "TABLE" or "INDEX"')
    rule = _DROPS.get(what.key)
    if rule is None:
        raise cursor.unsupported(f"DROP {what.key.upper()}", at)
    cursor.advance()
    return rule(cursor, at)


def _drop_namespace(cursor: Cursor, at: int) -> DropNamespace:
    if_exists = cursor.take_if_exists()
    name = cursor.name("a namespace")
    if cursor.here.key == ",":
        raise cursor.unsupported("DROP of several namespaces at once")
    return DropNamespace(name, if_exists, take_cascade(cursor), at)


def _drop_table(cursor: Cursor, at: int) -> DropTable:
    if_exists = cursor.take_if_exists()
    table = qualified_name(cursor)
    if cursor.here.key == ",":
        raise cursor.unsupported("DROP of several tables at once")
    return DropTable(table, if_exists, take_cascade(cursor), at)


_DROPS: Final[dict[str, Callable[[Cursor, int], DropNamespace | DropTable | DropIndex]]] = {
    "namespace": _drop_namespace,
    "table": _drop_table,
    "index": drop_index,
}

_BEHIND_TRUNCATE: Final = {
    ",": "TRUNCATE of several tables at once",
    "*": "A star behind a table",
    "restart": "RESTART IDENTITY",
    "continue": "CONTINUE IDENTITY",
    "cascade": "TRUNCATE ... CASCADE",
}


def truncate(cursor: Cursor) -> Truncate:
    """TRUNCATE, which changes no definition: a write like any other."""
    at = cursor.advance().at
    cursor.take("table")
    if cursor.here.key == "only":
        raise cursor.unsupported("ONLY")
    table = qualified_name(cursor)
    if construct := _BEHIND_TRUNCATE.get(cursor.here.key):
        raise cursor.unsupported(construct)
    cursor.take("restrict")
    return Truncate(table, at)


DEFINITIONS: Final[dict[str, Callable[[Cursor], Definition]]] = {"create": _create, "drop": _drop, "alter": alter}
"""The rule of each statement, by its first word, which is not yet taken."""
