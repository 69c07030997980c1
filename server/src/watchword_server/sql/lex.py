"""Text to tokens, by PostgreSQL's rules for what is in and a refusal for what is not. One pass, linear in the text.

Source: PostgreSQL, 4.1 "Lexical Structure"; its `scan.l` where the text is silent.
"""

import re
from enum import Enum, unique
from typing import Final, NamedTuple

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.fault import SqlFault

__all__ = ["MAX_NAME_BYTES", "MAX_OPERATOR_CHARACTERS", "Token", "TokenKind", "lex"]

MAX_NAME_BYTES: Final = 63
"""As PostgreSQL, which cuts longer names off; here they are refused, since two of them would become one."""
MAX_OPERATOR_CHARACTERS: Final = 8
"""Keeps a row of signs linear; the longest operator of PostgreSQL's own has five."""


@unique
class TokenKind(Enum):
    """What a token is."""

    WORD = "a key word or a name without quotes"
    QUOTED = "a name in double quotes"
    TEXT = "a string"
    NUMBER = "a number without sign"
    PARAMETER = "$n"
    MARK = "punctuation"
    OPERATOR = "an operator"
    END = "the end of the text"


class Token(NamedTuple):
    """One token.

    `key`: what the grammar asks for: a word folded to lower case, a mark, an operator; empty for all that is the
    user's own (quoted names, strings, numbers, parameters). `value`: a name, a decoded string, a number as written,
    the digits of a parameter. `at`: the offset in characters.
    """

    kind: TokenKind
    key: str
    value: str
    at: int


_START = r"A-Za-z_\u0080-\U0010ffff"
# Possessive quantifiers stand on single characters only: on groups, Python before 3.11.5 gets them wrong.
_TOKEN: Final = re.compile(
    rf"""[ \t\r\n\f]*+(?:
      (?P<refused>[uU]&['"] | [bBxXnN]')
    | (?P<escape>[eE]'(?:[^'\\]++|\\.|'')*'(?!'))
    | (?P<bad_escape>[eE]')
    | (?P<word>[{_START}][{_START}0-9$]*+)
    | (?P<mark>::|[()\[\],;:]|\.(?![0-9]))
    | (?P<number>(?:[0-9]++(?:\.(?!\.)[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?)
    | (?P<parameter>\$[0-9]++)
    | (?P<text>'(?:[^']++|'')*'(?!'))
    | (?P<quoted>"(?:[^"]++|"")*"(?!"))
    | (?P<comment>--[^\r\n]*+)
    | (?P<block>/\*)
    | (?P<operator>[-+*/<>=~!@\#%^&|`?]{{1,10}}+)
    | (?P<dollar>\$(?:[{_START}][{_START}0-9]*+)?\$)
    | (?P<end>\Z)
    )""",
    re.VERBOSE | re.DOTALL,
)
_NAME_START: Final = re.compile(f"[{_START}]")
_BLOCK: Final = re.compile(r"/\*|\*/")
_ESCAPE: Final = re.compile(
    r"""\\(?:
      (?P<high>u[dD][89abAB][0-9a-fA-F]{2}|U0000[dD][89abAB][0-9a-fA-F]{2})
        \\(?P<low>u[dD][c-fC-F][0-9a-fA-F]{2}|U0000[dD][c-fC-F][0-9a-fA-F]{2})
    | (?P<unicode>u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})
    | (?P<cut>[uUv])
    | x(?P<hex>[0-9a-fA-F]{1,2})
    | (?P<octal>[0-7]{1,3})
    | (?P<other>.)
    )""",
    re.VERBOSE | re.DOTALL,
)
_CONTROLS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
# In UTF-8 PostgreSQL folds these letters alone.
_FOLD: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_REFUSED: Final = {
    "u": "A string or name with Unicode escapes (U&)",
    "b": "A bit string (B'...')",
    "x": "A bit string (X'...')",
    "n": "A string of a national character set (N'...')",
}
_OPENED: Final = {"'": "This string", '"': "This quoted name"}


def lex(text: str, *, max_bytes: int, max_parameters: int) -> list[Token]:
    """The tokens of the text, with one of kind END behind them.

    Args:
        text: Of any content.
        max_bytes: Of the text in UTF-8 (`limits.sql_bytes`).
        max_parameters: The highest `n` of a `$n` (`limits.params`).

    Raises:
        SqlFault: INVALID_SQL, UNSUPPORTED_SQL (strings without a rule here), LIMIT_EXCEEDED.
    """
    _check(text, max_bytes)
    tokens: list[Token] = []
    append, match, position = tokens.append, _TOKEN.match, 0
    new = tuple.__new__  # what Token(...) comes to, in half the time
    word, mark, operator, number = TokenKind.WORD, TokenKind.MARK, TokenKind.OPERATOR, TokenKind.NUMBER
    is_ascii = text.isascii()
    while True:
        found = match(text, position)
        if found is None:
            raise _stray(text, position)
        kind = found.lastgroup or ""
        value = found[kind]
        position = found.end()
        at = position - len(value)
        if kind == "word":
            value = value.lower() if is_ascii else value.translate(_FOLD)
            if len(value) > MAX_NAME_BYTES // 4:
                _check_name(value, at)
            append(new(Token, (word, value, value, at)))
        elif kind == "mark":
            append(new(Token, (mark, value, value, at)))
        elif kind == "operator":
            value = _operator(value, at)
            position = at + len(value)
            if value == "!=":
                value = "<>"
            append(new(Token, (operator, value, value, at)))
        elif kind == "number":
            if _NAME_START.match(text, position):
                raise _after_number(text, position, at)
            append(new(Token, (number, "", value, at)))
        elif kind == "text":
            append(Token(TokenKind.TEXT, "", value[1:-1].replace("''", "'"), at))
        elif kind == "parameter":
            if _NAME_START.match(text, position):
                raise SqlFault(ErrorCode.INVALID_SQL, f"There is no space between {value} and what follows.", at)
            append(Token(TokenKind.PARAMETER, "", _parameter(value, at, max_parameters), at))
        elif kind == "quoted":
            value = value[1:-1].replace('""', '"')
            if not value:
                raise SqlFault(ErrorCode.INVALID_SQL, "A quoted name is empty.", at)
            _check_name(value, at)
            append(Token(TokenKind.QUOTED, "", value, at))
        elif kind == "end":
            append(Token(TokenKind.END, "", "", len(text)))
            return tokens
        elif kind == "block":
            position = _end_of_block(text, at)
        elif kind == "escape":
            append(Token(TokenKind.TEXT, "", _unescape(value[2:-1].replace("''", "'"), at), at))
        elif kind == "dollar":
            close = text.find(value, position)
            if close < 0:
                raise SqlFault(ErrorCode.INVALID_SQL, f"The string that {value[:40]} begins has no end.", at)
            append(Token(TokenKind.TEXT, "", text[position:close], at))
            position = close + len(value)
        elif kind == "refused":
            raise SqlFault(ErrorCode.UNSUPPORTED_SQL, f"{_REFUSED[value[0].lower()]} is not supported.", at)
        elif kind == "bad_escape":
            raise SqlFault(ErrorCode.INVALID_SQL, "This string has no end.", at)
        # else a comment to the end of its line


def _check(text: str, max_bytes: int) -> None:
    size = len(text)
    if size <= max_bytes:
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:
            message = "The text holds half a character (a lone surrogate)."
            raise SqlFault(ErrorCode.INVALID_SQL, message, error.start) from None
    if size > max_bytes:
        raise SqlFault(ErrorCode.LIMIT_EXCEEDED, f"The text has more than {max_bytes} bytes (sql_bytes).")
    if (nul := text.find("\0")) >= 0:
        raise SqlFault(ErrorCode.INVALID_SQL, "The text holds a NUL character.", nul)


def _check_name(name: str, at: int) -> None:
    if len(name.encode()) > MAX_NAME_BYTES:
        raise SqlFault(ErrorCode.LIMIT_EXCEEDED, f"A name has more than {MAX_NAME_BYTES} bytes (name_bytes).", at)


def _operator(run: str, at: int) -> str:
    """The operator that begins a run of operator characters: a comment ends it, and `=-` is two operators."""
    if len(run) > 1:
        for mark in ("--", "/*"):
            if (cut := run.find(mark)) > 0:
                run = run[:cut]
        if len(run) > MAX_OPERATOR_CHARACTERS:
            message = f"An operator has more than {MAX_OPERATOR_CHARACTERS} characters (operator_characters)."
            raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message, at)
        # A sign may end an operator only beside a character that standard SQL has in none of its own.
        while len(run) > 1 and run[-1] in "+-" and not any(character in "~!@#%^&|`?" for character in run[:-1]):
            run = run[:-1]
    return run


def _parameter(written: str, at: int, max_parameters: int) -> str:
    digits = written[1:].lstrip("0")
    if not digits:
        raise SqlFault(ErrorCode.INVALID_SQL, "There is no parameter $0: they begin with $1.", at)
    if len(digits) > len(str(max_parameters)) or int(digits) > max_parameters:
        raise SqlFault(ErrorCode.LIMIT_EXCEEDED, f"A parameter has a number above {max_parameters} (params).", at)
    return digits


def _end_of_block(text: str, at: int) -> int:
    """Where the comment ends; comments nest."""
    depth = 0
    for found in _BLOCK.finditer(text, at):
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return found.end()
    raise SqlFault(ErrorCode.INVALID_SQL, "This comment has no end.", at)


def _unescape(escaped: str, at: int) -> str:
    """The string that E'...' stands for.

    Escapes may spell the bytes of a character one by one; until all are there, they stand as lone surrogates.
    """
    try:
        return _ESCAPE.sub(_character, escaped).encode("utf-8", "surrogateescape").decode()
    except ValueError:
        message = (
            "An escape in this string spells no character (a NUL, \\v, half a character, bytes that are not UTF-8)."
        )
        raise SqlFault(ErrorCode.INVALID_SQL, message, at) from None


def _character(found: re.Match[str]) -> str:
    kind = found.lastgroup or ""
    written = found[kind]
    if kind == "other":
        return _CONTROLS.get(written, written)
    if kind == "low":
        return chr(0x10000 + ((int(found["high"][1:], 16) & 0x3FF) << 10) + (int(written[1:], 16) & 0x3FF))
    if kind == "unicode":
        code = int(written[1:], 16)
        if not 0 < code <= 0x10FFFF or 0xD800 <= code < 0xE000:
            raise ValueError("not a character")
        return chr(code)
    if kind == "cut":
        raise ValueError("digits are missing, or the one letter that PostgreSQL 15 and 16 read differently")
    byte = int(written, 8 if kind == "octal" else 16) & 0xFF
    if byte == 0:
        raise ValueError("NUL")
    return chr(byte) if byte < 0x80 else chr(0xDC00 + byte)


def _after_number(text: str, position: int, at: int) -> SqlFault:
    letter = text[position].lower()
    if letter in "xob_" and text[at:position].isdecimal():
        return SqlFault(ErrorCode.UNSUPPORTED_SQL, "A number that is not plain decimal digits is not supported.", at)
    return SqlFault(ErrorCode.INVALID_SQL, "There is no space between a number and what follows.", at)


def _stray(text: str, position: int) -> SqlFault:
    """Why no token begins here."""
    at = position
    while text[at] in " \t\r\n\f":
        at += 1
    stray = text[at]
    if stray in "'\"":
        return SqlFault(ErrorCode.INVALID_SQL, f"{_OPENED[stray]} has no end.", at)
    if stray == "$":
        return SqlFault(ErrorCode.INVALID_SQL, "A dollar sign begins no parameter ($1) and no string ($$...$$).", at)
    return SqlFault(ErrorCode.INVALID_SQL, f"The character {stray!r} has no meaning here.", at)
