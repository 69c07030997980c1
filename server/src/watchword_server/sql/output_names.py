"""The names of output columns without an alias, as PostgreSQL names them.

Source: PostgreSQL, `FigureColname` of its parse_target.c.
"""

from typing import Final

from watchword_server.sql.casts import TYPE_WORDS
from watchword_server.sql.nodes import (
    Call,
    Case,
    Cast,
    Exists,
    Expression,
    Name,
    Rows,
    Select,
    SetOperation,
    Star,
    Subquery,
    Values,
)

__all__ = ["output_name"]

_NAMELESS: Final = "?column?"


def output_name(node: Expression) -> str:
    """The name of a column that is this expression."""
    return _name(node)[0]


def _first_name(query: Rows) -> str:
    """The name of a query's first column."""
    match query:
        case SetOperation():
            return _first_name(query.left)
        case Values():
            return "column1"
        case Select():
            first = query.targets[0]
            if first.alias is not None:
                return first.alias
            return _NAMELESS if isinstance(first.expression, Star) else output_name(first.expression)


def _name(node: Expression) -> tuple[str, bool]:
    """The name, and whether it is strong: a type's and `case` yield to what is inside them."""
    match node:
        case Name():
            return node.name, True
        case Call():
            return node.name, True
        case Cast():
            inner, is_strong = _name(node.operand)
            if is_strong:
                return inner, True
            word = TYPE_WORDS.get(node.type)
            return (word.output if word else node.type), False
        case Subquery():
            return _first_name(node.query), True
        case Exists():
            return "exists", True
        case Case():
            inner, is_strong = _NAMELESS, False
            if node.otherwise is not None:
                inner, is_strong = _name(node.otherwise)
            return (inner, True) if is_strong else ("case", False)
        case _:
            return _NAMELESS, False
