"""The text in which the condition of a CHECK is kept: its tokens with one space between, columns by their bare names.

It is read again by the parser. What stood there of comments, of casing and of the table's name is gone: so a renamed
table leaves it as it is, and a renamed column is one token.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from watchword_server.sql.cursor import Cursor
from watchword_server.sql.expressions import expression
from watchword_server.sql.grammar import GRAMMAR
from watchword_server.sql.lex import Token, TokenKind, lex
from watchword_server.sql.nodes import Expression, Name, walk
from watchword_server.sql.quoting import quoted_name, quoted_text

__all__ = ["columns_of", "condition_of", "renamed", "text_of"]

_MAX_BYTES = 16_777_216  # what was taken once is not refused later


def text_of(tokens: Sequence[Token], condition: Expression) -> str:
    """The text of a condition that was read from these tokens."""
    return _written(tokens, condition, {})


@lru_cache(maxsize=1_000)
def condition_of(text: str) -> Expression:
    """The condition of a text.

    Raises:
        SqlFault: It is none: not `text_of`'s.
    """
    cursor = Cursor(lex(text, max_bytes=_MAX_BYTES, max_parameters=0), GRAMMAR)
    found = expression(cursor)
    if cursor.here.kind is not TokenKind.END:
        raise cursor.unexpected("the end of the condition")
    return found


def columns_of(condition: Expression) -> tuple[str, ...]:
    """The columns that it names, each once, in order."""
    names = sorted((each for each in walk(condition) if isinstance(each, Name)), key=lambda each: each.at)
    return tuple(dict.fromkeys(each.name for each in names))


def renamed(text: str, old: str, new: str) -> str:
    """The text with another name for a column."""
    tokens = lex(text, max_bytes=_MAX_BYTES, max_parameters=0)[:-1]
    return _written(tokens, condition_of(text), {old: new})


def _written(tokens: Sequence[Token], condition: Expression, names: Mapping[str, str]) -> str:
    columns = {each.at: each for each in walk(condition) if isinstance(each, Name)}
    words: list[str] = []
    rest = iter(tokens)
    for token in rest:
        name = columns.get(token.at)
        if name is None:
            words.append(_word(token))
            continue
        words.append(quoted_name(names.get(name.name, name.name)))
        if name.table is not None:
            next(rest)  # the dot
            next(rest)  # and the column's own token
    return " ".join(words)


def _word(token: Token) -> str:
    match token.kind:
        case TokenKind.QUOTED:
            return quoted_name(token.value)
        case TokenKind.TEXT:
            return quoted_text(token.value)
        case TokenKind.WORD | TokenKind.MARK | TokenKind.OPERATOR:
            return token.key
    return token.value
