"""Short ways to the parser, with roomy limits."""

from typing import NamedTuple

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.definition_nodes import Statement
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.nodes import Expression, Select, Star
from watchword_server.sql.parser import parse_request

__all__ = ["Refusal", "expression_of", "refusal_of", "statement_of", "statements_of"]


class Refusal(NamedTuple):
    """What a fault says. `column`: on its line, from 1; 0 where no place is meant."""

    code: ErrorCode
    line: int
    column: int
    message: str


def statements_of(
    text: str, *, max_bytes: int = 16_384, max_parameters: int = 1_000, max_statements: int = 100
) -> tuple[Statement, ...]:
    """The statements of a text."""
    return parse_request(text, max_bytes=max_bytes, max_parameters=max_parameters, max_statements=max_statements)


def statement_of(text: str) -> Statement:
    """The one statement of a text."""
    (statement,) = statements_of(text)
    return statement


def expression_of(text: str) -> Expression:
    """What `text` is as the one output of a SELECT."""
    statement = statement_of(f"SELECT {text}")
    assert isinstance(statement, Select)
    (target,) = statement.targets
    assert target.alias is None
    assert not isinstance(target.expression, Star)
    return target.expression


def refusal_of(text: str, **limits: int) -> Refusal:
    """Why the text is refused."""
    try:
        found = statements_of(text, **limits)
    except SqlFault as fault:
        line, column = fault.place(text) or (0, 0)
        return Refusal(fault.code, line, column, fault.message)
    raise AssertionError(f"taken: {found}")
