"""The names of output columns without an alias, as PostgreSQL names them.

Source: PostgreSQL, `FigureColname` of its parse_target.c.
"""

from typing import Final

from watchword_server.sql.casts import TYPE_WORDS
from watchword_server.sql.nodes import Call, Case, Cast, Expression, Name

__all__ = ["output_name"]

_NAMELESS: Final = "?column?"


def output_name(node: Expression) -> str:
    """The name of a column that is this expression."""
    return _name(node)[0]


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
        case Case():
            inner, is_strong = _NAMELESS, False
            if node.otherwise is not None:
                inner, is_strong = _name(node.otherwise)
            return (inner, True) if is_strong else ("case", False)
        case _:
            return _NAMELESS, False
