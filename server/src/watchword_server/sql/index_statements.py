"""Tokens to CREATE INDEX and DROP INDEX.

Source: PostgreSQL's pages on them.
"""

from typing import Final

from watchword_server.sql.cursor import Cursor
from watchword_server.sql.definition_nodes import CreateIndex, DropIndex, IndexKey
from watchword_server.sql.expressions import order_of
from watchword_server.sql.lex import TokenKind
from watchword_server.sql.sources import column_name, qualified_name

__all__ = ["create_index", "drop_index"]

_BEHIND: Final = {
    "include": "INCLUDE",
    "nulls": "NULLS NOT DISTINCT",
    "tablespace": "TABLESPACE",
    "where": "An index of a part of the rows (WHERE)",
    "with": "WITH behind an index",
}


def create_index(cursor: Cursor, at: int, *, is_unique: bool) -> CreateIndex:
    """What stands behind the word INDEX."""
    if cursor.here.key == "concurrently":
        raise cursor.unsupported("CONCURRENTLY")
    if_not_exists = cursor.take_if_not_exists()
    name = None if cursor.here.key == "on" and not if_not_exists else cursor.name("an index")
    if cursor.here.key == ".":
        raise cursor.unsupported("An index's name with a namespace, which is its table's,")
    cursor.expect("on")
    if cursor.here.key == "only":
        raise cursor.unsupported("ONLY")
    table = qualified_name(cursor)
    if cursor.take("using") and not cursor.take("btree"):
        raise cursor.unsupported(f"USING {cursor.here.value[:20]}")
    cursor.expect("(")
    keys = cursor.listed(_key)
    cursor.expect(")")
    if construct := _BEHIND.get(cursor.here.key):
        raise cursor.unsupported(construct)
    return CreateIndex(name, table, keys, is_unique, if_not_exists, at)


def _key(cursor: Cursor) -> IndexKey:
    if cursor.here.key == "(" or cursor.peek().key == "(":
        raise cursor.unsupported("An index of an expression")
    column = column_name(cursor)
    if cursor.here.key == "collate":
        raise cursor.unsupported("COLLATE")
    if cursor.here.kind is TokenKind.WORD and cursor.here.key not in ("asc", "desc", "nulls"):
        raise cursor.unsupported("An operator class")
    descending, nulls_first = order_of(cursor)
    return IndexKey(column, descending, nulls_first)


def drop_index(cursor: Cursor, at: int) -> DropIndex:
    """What stands behind the word INDEX."""
    if cursor.here.key == "concurrently":
        raise cursor.unsupported("CONCURRENTLY")
    if_exists = cursor.take_if_exists()
    index = qualified_name(cursor)
    if cursor.here.key == ",":
        raise cursor.unsupported("DROP of several indexes at once")
    if not cursor.take("restrict") and cursor.here.key == "cascade":
        raise cursor.unsupported("DROP INDEX ... CASCADE")
    return DropIndex(index, if_exists, at)
