"""The name of a type in a cast or a column's definition: its words, not yet its meaning."""

from typing import Final

from watchword_server.sql.cursor import Cursor
from watchword_server.sql.keywords import NOT_A_FUNCTION, words
from watchword_server.sql.lex import TokenKind

__all__ = ["type_name"]

_OWN_GRAMMAR: Final = words(
    "bigint boolean char character dec decimal float int integer numeric real smallint time timestamp varchar"
)
_REFUSED: Final = frozenset({"bit", "interval", "national", "nchar", "setof"})
_SECOND: Final = {"double": "precision", "char": "varying", "character": "varying"}
_ZONED: Final = frozenset({"time", "timestamp"})


def type_name(cursor: Cursor) -> str:
    """The words of a type, folded, with one space between: `double precision`, `timestamp with time zone`.

    Raises:
        SqlFault: INVALID_SQL where no type stands; UNSUPPORTED_SQL for lengths, arrays, quotes and namespaces.
    """
    token = cursor.here
    if token.kind is TokenKind.QUOTED:
        raise cursor.unsupported("A type's name in double quotes")
    if token.key in _REFUSED:
        raise cursor.unsupported(f"The type {token.key}")
    is_other_word = token.key in NOT_A_FUNCTION and token.key not in _OWN_GRAMMAR
    if token.kind is not TokenKind.WORD or is_other_word or cursor.is_joined():
        raise cursor.unexpected("a type")
    name = cursor.advance().key
    second = _SECOND.get(name)
    if second is not None and cursor.take(second):
        name = f"{name} {second}"
    if name in _ZONED and cursor.here.key in ("with", "without") and cursor.peek().key == "time":
        name = f"{name} {cursor.advance().key} time zone"
        cursor.expect("time", "zone")
    follower = cursor.here.key
    if follower == "(":
        raise cursor.unsupported("A type with a length or precision")
    if follower == "[" or follower == "array":
        raise cursor.unsupported("An array")
    if follower == ".":
        raise cursor.unsupported("A type's name with a namespace")
    return name
