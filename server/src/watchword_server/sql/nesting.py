"""How deep the engine's text nests, and how deep it may.

SQLite's parser has a stack of 100 entries before its version 3.46, and says no more than "parser stack overflow" where
it ends: what would pass it is refused here, in our words.
"""

from typing import Final

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.tree import (
    Aggregate,
    Apply,
    Case,
    Chain,
    Expression,
    InList,
    InRows,
    Quantified,
    WindowCall,
    children,
    place_of,
)

__all__ = ["CHAIN_LINKS", "MAX_STACK", "check_nesting", "spine"]

MAX_STACK: Final = 70
"""Of one expression; the rest is for the statement around it."""
CHAIN_LINKS: Final = 40
"""Conditions that stand side by side; more are put in brackets by so many."""

_OF_CHAIN: Final = 3  # bracket, what is left of it, the word
_OF_IN: Final = 6  # bracket, operand, IN, bracket, items, comma
_OF_WINDOW: Final = 9  # call, bracket, arguments, bracket, OVER, bracket, PARTITION, BY, keys
_OF_CASE: Final = 7  # bracket, CASE, operand, earlier branches, WHEN, test, THEN


def check_nesting(expression: Expression) -> None:
    """Refuse what the engine's parser cannot hold.

    Raises:
        SqlFault: LIMIT_EXCEEDED.
    """
    if _stack(expression) > MAX_STACK:
        message = "An expression is nested too deeply for the engine (nesting)."
        raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message, place_of(expression))


def spine(apply: Apply) -> list[Expression]:
    """The links of a chain of one template, from left to right."""
    links: list[Expression] = []
    here: Expression = apply
    while isinstance(here, Apply) and here.template is apply.template:
        here, link = here.arguments
        links.append(link)
    return [here, *reversed(links)]


def _stack(expression: Expression) -> int:
    match expression:
        case Apply() if expression.template.links:
            return _OF_CHAIN + max(map(_stack, spine(expression)))
        case Apply() if expression.template.variadic:
            return expression.template.stack[0] + 2 + max(map(_stack, expression.arguments))
        case Apply():
            pairs = zip(expression.template.stack, expression.arguments, strict=True)
            return max((held + _stack(argument) for held, argument in pairs), default=1)
        case Chain():
            levels, links = 1, len(expression.items)
            while links > CHAIN_LINKS:
                levels, links = levels + 1, -(-links // CHAIN_LINKS)
            return _OF_CHAIN * levels + max(map(_stack, expression.items))
        case InList():
            return _OF_IN + max(map(_stack, (expression.operand, *expression.items)))
        case Case():
            parts = [each for pair in expression.whens for each in pair]
            parts += [each for each in (expression.operand, expression.otherwise) if each is not None]
            return _OF_CASE + max(map(_stack, parts))
        case Aggregate() if expression.argument is not None:
            return expression.template.stack[0] + 1 + max(map(_stack, children(expression)))
        case WindowCall():
            return _OF_WINDOW + max(map(_stack, children(expression)), default=0)
        case InRows() | Quantified():
            return _OF_IN + max(map(_stack, children(expression)))
        case _:
            return 1
