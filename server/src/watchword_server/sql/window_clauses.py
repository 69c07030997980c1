"""Tokens to windows: what stands behind OVER, and in WINDOW.

Source: PostgreSQL, 4.2.8 "Window Function Calls"; the rule `window_specification` of its grammar.
"""

from typing import Final
from typing import Literal as Word

from watchword_server.sql.cursor import Cursor
from watchword_server.sql.lex import TokenKind
from watchword_server.sql.nodes import Expression, Frame, FrameBound, Window

__all__ = ["over", "window_in_brackets"]

_MODES: Final[dict[str, Word["rows", "range", "groups"]]] = {"rows": "rows", "range": "range", "groups": "groups"}
_DIRECTIONS: Final[dict[str, Word["preceding", "following"]]] = {"preceding": "preceding", "following": "following"}
_NO_BASE: Final = frozenset({"partition", *_MODES})
"""With these words a window begins, though they may be names elsewhere."""


def over(cursor: Cursor) -> Window:
    """What follows OVER: a window, or the name of one."""
    if cursor.here.key == "(":
        return window_in_brackets(cursor)
    at = cursor.here.at
    return Window(cursor.name("a window"), is_name=True, at=at)


def window_in_brackets(cursor: Cursor) -> Window:
    """`(base PARTITION BY ... ORDER BY ... frame)`."""
    at = cursor.here.at
    cursor.expect("(")
    base = None
    is_word = cursor.here.kind is TokenKind.WORD and cursor.here.key not in (*_NO_BASE, "order")
    if is_word or cursor.here.kind is TokenKind.QUOTED:
        base = cursor.name("a window")
    partition: tuple[Expression, ...] = ()
    if cursor.here.key == "partition":
        cursor.expect("partition", "by")
        partition = cursor.listed(cursor.grammar.expression)
    order = cursor.grammar.order_keys(cursor) if cursor.here.key == "order" else ()
    mode = _MODES.get(cursor.here.key)
    frame = _frame(cursor, mode) if mode is not None else None
    cursor.expect(")")
    return Window(base, partition, order, frame, at=at)


def _frame(cursor: Cursor, mode: Word["rows", "range", "groups"]) -> Frame:
    at = cursor.advance().at
    if cursor.take("between"):
        start = _bound(cursor)
        cursor.expect("and")
        end = _bound(cursor)
    else:
        start, end = _bound(cursor), FrameBound("current row")
    return Frame(mode, start, end, _exclude(cursor), at)


def _bound(cursor: Cursor) -> FrameBound:
    key, follower = cursor.here.key, cursor.peek().key
    if key == "unbounded" and follower in _DIRECTIONS:
        cursor.advance()
        return FrameBound(_DIRECTIONS[cursor.advance().key])
    if key == "current" and follower == "row":
        cursor.expect("current", "row")
        return FrameBound("current row")
    offset = cursor.grammar.expression(cursor)
    if cursor.here.key not in _DIRECTIONS:
        raise cursor.unexpected('"PRECEDING" or "FOLLOWING"')
    return FrameBound(_DIRECTIONS[cursor.advance().key], offset)


def _exclude(cursor: Cursor) -> Word["current row", "group", "ties"] | None:
    if not cursor.take("exclude"):
        return None
    if cursor.take("group"):
        return "group"
    if cursor.take("ties"):
        return "ties"
    if cursor.take("current"):
        cursor.expect("row")
        return "current row"
    cursor.expect("no", "others")
    return None
