"""The text of a request to its statements: the only way in."""

from typing import Any, Final

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.account_statements import account_rule
from watchword_server.sql.administration import DEFINITIONS, truncate
from watchword_server.sql.cursor import MAX_DEPTH, MAX_LINKS, Cursor
from watchword_server.sql.definition_nodes import ForeignKeyAction, Statement
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.grammar import GRAMMAR
from watchword_server.sql.keywords import words
from watchword_server.sql.lex import Token, TokenKind, lex
from watchword_server.sql.nodes import Literal, LiteralKind, Name, Parameter
from watchword_server.sql.statements import QUERIES

__all__ = ["MAX_HEIGHT", "parse_request", "parse_tokens"]

MAX_HEIGHT: Final = MAX_DEPTH + MAX_LINKS + 4
"""Nodes from a statement to its deepest leaf: chains inside brackets inside chains add up, so they are bounded
together, and what walks down a tree may recurse. The 4: the statement, an output, a leaf, and one to spare."""

_LEAVES: Final = frozenset({str, int, bool, type(None), LiteralKind, ForeignKeyAction, Literal, Name, Parameter})

_RULES: Final = {**QUERIES, **DEFINITIONS, "truncate": truncate}

# Statements that PostgreSQL or SQLite has. Any other word is a mistake.
_STATEMENTS: Final = words(
    """abort analyse analyze attach begin call checkpoint close cluster comment commit copy deallocate declare
    describe detach discard do end execute explain fetch grant import listen load lock merge move notify pragma prepare
    reassign refresh reindex release replace reset revoke rollback savepoint security set show start table
    unlisten use vacuum"""
)


def parse_request(text: str, *, max_bytes: int, max_parameters: int, max_statements: int) -> tuple[Statement, ...]:
    """The statements of a text, at least one; `;` stands between them, and empty ones are skipped.

    Args:
        text: Of any content. Positions in nodes and faults count from its start.
        max_bytes: Of the text in UTF-8 (`limits.sql_bytes`).
        max_parameters: The highest `n` of a `$n` (`limits.params`).
        max_statements: Of one request (`limits.statements`).

    Returns:
        Trees of at most `MAX_HEIGHT` levels. Numbers are as long as the text has them.

    Raises:
        SqlFault: INVALID_SQL: what is wrong and where. UNSUPPORTED_SQL: which construct, and where.
            LIMIT_EXCEEDED: which limit, with its name in brackets. `statement` is set where the text is one of tokens.
    """
    return parse_tokens(lex(text, max_bytes=max_bytes, max_parameters=max_parameters), max_statements=max_statements)


def parse_tokens(tokens: list[Token], *, max_statements: int) -> tuple[Statement, ...]:
    """As `parse_request`, of a text whose tokens are there."""
    cursor = Cursor(tokens, GRAMMAR)
    statements: list[Statement] = []
    while True:
        while cursor.take(";"):
            pass
        if cursor.here.kind is TokenKind.END:
            break
        if len(statements) == max_statements:
            raise cursor.exceeded(f"The request has more than {max_statements} statements (statements).")
        try:
            statements.append(_statement(cursor))
        except SqlFault as fault:
            fault.statement = len(statements)
            raise
    if not statements:
        raise SqlFault(ErrorCode.INVALID_SQL, "The text holds no statement.", 0)
    return tuple(statements)


def _statement(cursor: Cursor) -> Statement:
    start, links = cursor.here, cursor.links
    rule = account_rule(cursor) or _RULES.get(start.key)
    if rule is None:
        if start.key in _STATEMENTS:
            raise cursor.unsupported(start.key.upper())
        raise cursor.unexpected("a statement")
    try:
        statement = rule(cursor)
    except RecursionError:
        # Brackets with an operator of every level in each take more of the interpreter's stack than levels.
        raise cursor.exceeded("The statement is nested too deeply (nesting).") from None
    if cursor.here.key != ";" and cursor.here.kind is not TokenKind.END:
        raise cursor.unexpected("the end of the statement")
    if cursor.links - links > MAX_LINKS:
        _check_height(statement)
    return statement


def _check_height(statement: Statement) -> None:
    """Refuse a tree that is too high; what has few links cannot be, for each level has one or is one of `MAX_DEPTH`."""
    level: list[Any] = [statement]
    for _ in range(MAX_HEIGHT):
        below: list[Any] = []
        for node in level:
            for name in node.__slots__:  # a node's fields
                _add(getattr(node, name), below)
        if not below:
            return
        level = below
    message = f"The statement's tree has more than {MAX_HEIGHT} levels (nesting)."
    raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message, statement.at)


def _add(child: Any, nodes: list[Any]) -> None:
    """Add the nodes that are in this field."""
    if isinstance(child, tuple):
        for each in child:
            _add(each, nodes)
    elif type(child) not in _LEAVES:
        nodes.append(child)
