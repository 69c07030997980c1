"""Where the parser is in its tokens, and how it says no."""

from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.keywords import NEEDS_AS, NOT_A_NAME
from watchword_server.sql.lex import Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from watchword_server.sql.nodes import Expression, Order, Rows

__all__ = ["MAX_DEPTH", "MAX_LINKS", "OPERATORS", "Cursor", "Grammar"]

MAX_DEPTH: Final = 60
"""Levels of brackets, calls, CASE, NOT and signs within each other."""
MAX_LINKS: Final = 200
"""Operators of one chain (`a + b + c`): its tree leans to the left, and every later pass walks down it."""

OPERATORS: Final = frozenset({"+", "-", "*", "/", "%", "||", "=", "<>", "<", "<=", ">", ">="})
"""All that there are."""

# What PostgreSQL has where the grammar here is at its end: named, when it is met where nothing fits.
_CONSTRUCTS: Final = {
    "[": "An array",
    "array": "An array",
    "escape": "ESCAPE",
    "fetch": "FETCH",
    "for": "A locking clause (FOR)",
    "into": "SELECT INTO",
    "lateral": "LATERAL",
    "overlaps": "OVERLAPS",
    "tablesample": "TABLESAMPLE",
    "variadic": "VARIADIC",
    "within": "WITHIN GROUP",
}
_HINTS: Final = {
    ":": "parameters are written $1, $2",
    "?": "parameters are written $1, $2",
    "@": "parameters are written $1, $2",
    "==": "equality is written =",
}
# Before one of these words, PostgreSQL takes the first for no name, whatever is allowed there.
_JOINED: Final = {
    "not": frozenset({"between", "ilike", "in", "like", "similar"}),
    "nulls": frozenset({"first", "last"}),
    "with": frozenset({"ordinality", "time"}),
    "without": frozenset({"time"}),
}
# After the first of the two as a column, the second fits nowhere.
_TYPES_OF_SEVERAL_WORDS: Final = frozenset(
    {
        ("double", "precision"),
        ("character", "varying"),
        ("char", "varying"),
        ("time", "with"),
        ("time", "without"),
        ("timestamp", "with"),
        ("timestamp", "without"),
    }
)
_NOTHING: Final = Token(TokenKind.END, "", "", 0)

_T = TypeVar("_T")


class Grammar(NamedTuple):
    """The rules that stand above each other: queries in expressions, expressions in queries."""

    expression: "Callable[[Cursor], Expression]"
    order_keys: "Callable[[Cursor], tuple[Order, ...]]"
    rows: "Callable[[Cursor, Rows | None], Rows]"


class Cursor:
    """The tokens of a request, and the place reached.

    `here`: the token not yet taken. `links`: operators taken so far, of all chains together. `grammar`: for rules that
    are in turn part of the rules that they need.
    """

    __slots__ = ("_depth", "_index", "_tokens", "grammar", "here", "links")

    def __init__(self, tokens: list[Token], grammar: Grammar) -> None:
        self.grammar = grammar
        self._tokens = [*tokens, tokens[-1], tokens[-1]]  # so that `peek` may look two beyond the end
        self._index = 0
        self._depth = 0
        self.here = tokens[0]
        self.links = 0

    # --- looking and taking -------------------------------------------------------------------------------

    def peek(self, distance: int = 1) -> Token:
        """The token so far behind `here`; 2 at most."""
        return self._tokens[self._index + distance]

    def advance(self) -> Token:
        """Take the token."""
        token = self.here
        self._index += 1
        self.here = self._tokens[self._index]
        return token

    def mark(self) -> int:
        """Where it is, for `since`."""
        return self._index

    def since(self, mark: int) -> list[Token]:
        """The tokens taken since then."""
        return self._tokens[mark : self._index]

    def take(self, key: str) -> bool:
        """Take the word, mark or operator if it is here."""
        if self.here.key != key:
            return False
        self.advance()
        return True

    def take_if_exists(self) -> bool:
        """Take IF EXISTS, where it stands."""
        return self._take_if("if", "exists")

    def take_if_not_exists(self) -> bool:
        """Take IF NOT EXISTS, where it stands."""
        return self._take_if("if", "not", "exists")

    def _take_if(self, *keys: str) -> bool:
        if (self.here.key, self.peek().key) != keys[:2]:
            return False
        self.expect(*keys)
        return True

    def expect(self, *keys: str) -> None:
        """Take these, in this order.

        Raises:
            SqlFault: Another token is here.
        """
        for key in keys:
            if self.here.key != key:
                raise self.unexpected(f'"{key.upper()}"')
            self.advance()

    def name(self, what: str) -> str:
        """Take a name of a column or table; `what` it names, for the message."""
        token = self.here
        is_word = token.kind is TokenKind.WORD and token.key not in NOT_A_NAME
        if token.kind is TokenKind.QUOTED or (is_word and not self.is_joined()):
            return self.advance().value
        raise self.unexpected(what)

    def is_joined(self) -> bool:
        """Whether the word here and the next are one, as NOT IN and NULLS FIRST are: then it is no name."""
        followers = _JOINED.get(self.here.key)
        return followers is not None and self.peek().key in followers

    def label(self, what: str) -> str:
        """Take a name where key words are names too: after a dot and after AS."""
        kind = self.here.kind
        if kind is TokenKind.QUOTED or (kind is TokenKind.WORD and not self.is_joined()):
            return self.advance().value
        raise self.unexpected(what)

    def bare_label(self) -> str | None:
        """Take the alias of an output that stands without AS; None where there is none."""
        token = self.here
        is_word = token.kind is TokenKind.WORD and token.key not in NEEDS_AS
        if token.kind is TokenKind.QUOTED or (is_word and not self.is_joined()):
            return self.advance().value
        return None

    def listed(self, rule: "Callable[[Cursor], _T]") -> tuple[_T, ...]:
        """One or more of them, with commas between."""
        if self.here.key == ",":
            raise self.unexpected("a value")
        items = [rule(self)]
        while self.here.key == ",":
            self.advance()
            items.append(rule(self))
        return tuple(items)

    def names_in_brackets(self) -> tuple[str, ...]:
        """Names of columns, in brackets."""
        self.expect("(")
        names = self.listed(lambda cursor: cursor.name("a column"))
        self.expect(")")
        return names

    # --- limits -------------------------------------------------------------------------------------------

    def descend(self) -> None:
        """One level down; `ascend` takes it back.

        Raises:
            SqlFault: LIMIT_EXCEEDED.
        """
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.exceeded(f"The statement is nested more than {MAX_DEPTH} levels deep (nesting).")

    def ascend(self) -> None:
        """One level up."""
        self._depth -= 1

    def exceeded(self, message: str) -> SqlFault:
        """What is here is too much."""
        return SqlFault(ErrorCode.LIMIT_EXCEEDED, message, self.here.at)

    # --- saying no ----------------------------------------------------------------------------------------

    def unsupported(self, construct: str, at: int | None = None) -> SqlFault:
        """PostgreSQL has it and this grammar has not; `at`: where it begins, if not here."""
        return SqlFault(ErrorCode.UNSUPPORTED_SQL, f"{construct} is not supported.", self.here.at if at is None else at)

    def invalid(self, message: str, at: int | None = None) -> SqlFault:
        """It is wrong; `at`: where, if not here."""
        return SqlFault(ErrorCode.INVALID_SQL, message, self.here.at if at is None else at)

    def unexpected(self, expected: str) -> SqlFault:
        """The token here is not what was expected: unsupported where a construct begins with it, else wrong."""
        token = self.here
        if token.kind is TokenKind.OPERATOR and token.key not in OPERATORS:
            hint = f" ({_HINTS[token.key]})" if token.key in _HINTS else ""
            return self.unsupported(f"The operator {token.value}{hint}")
        before = self._tokens[self._index - 1] if self._index else _NOTHING
        if construct := _CONSTRUCTS.get(token.key):
            return self.unsupported(construct)
        if (before.key, token.key) in _TYPES_OF_SEVERAL_WORDS:
            return self.unsupported(f"A typed literal ({before.key} {token.key} ... '...')", before.at)
        if token.kind is TokenKind.TEXT and before.kind is TokenKind.TEXT:
            return self.unsupported("A string in several parts")
        return self.invalid(f"Expected {expected}, found {_found(token)}.")


def _found(token: Token) -> str:
    if token.kind is TokenKind.END:
        return "the end of the text"
    if token.kind is TokenKind.TEXT:
        return "a string"
    if token.kind is TokenKind.PARAMETER:
        return f"${token.value}"
    if hint := _HINTS.get(token.key):
        return f'"{token.value}": {hint}'
    if token.key in NOT_A_NAME:
        return f'the key word {token.key.upper()} (as a name it is written "{token.key}")'
    return f'"{token.value[:40]}"'
