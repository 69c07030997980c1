"""Strings, names, numbers, operators and comments, by PostgreSQL's rules."""

import pytest

from support.parsing import refusal_of
from watchword_protocol.errors import ErrorCode
from watchword_server.sql.lex import Token, TokenKind, lex

WORD, QUOTED, TEXT, NUMBER = TokenKind.WORD, TokenKind.QUOTED, TokenKind.TEXT, TokenKind.NUMBER
PARAMETER, MARK, OPERATOR = TokenKind.PARAMETER, TokenKind.MARK, TokenKind.OPERATOR


def tokens_of(text: str) -> list[Token]:
    *tokens, end = lex(text, max_bytes=1_000, max_parameters=1_000)
    assert end == (TokenKind.END, "", "", len(text))
    return tokens


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("SeLeCT", WORD, "select"),
        ("a$b_1", WORD, "a$b_1"),
        ("Ünï", WORD, "Ünï"),
        ("ÄB", WORD, "Äb"),
        ("a\u00a0b", WORD, "a\u00a0b"),
        ('"It""s A"', QUOTED, 'It"s A'),
        ("''", TEXT, ""),
        ("'it''s \\n'", TEXT, "it's \\n"),
        ("'a\n;--b/*'", TEXT, "a\n;--b/*"),
        ("E'\\b\\f\\n\\r\\t\\\\\\''''", TEXT, "\b\f\n\r\t\\''"),
        ("e'\\q\\x4z\\x41\\101\\7'", TEXT, "q\x04zAA\x07"),
        ("E'\\u00e9\\U0001F600'", TEXT, "é\U0001f600"),
        ("E'\\ud83d\\ude00\\uD83D\\U0000DE00'", TEXT, "\U0001f600\U0001f600"),
        ("E'\\xc3\\xa9\\303\\251'", TEXT, "éé"),
        ("$$it's$$", TEXT, "it's"),
        ("$a$ $$ $b$ $a $a$", TEXT, " $$ $b$ $a "),
        ("$é1$x$é1$", TEXT, "x"),
        ("12", NUMBER, "12"),
        ("1.", NUMBER, "1."),
        (".5", NUMBER, ".5"),
        ("1.5e-3", NUMBER, "1.5e-3"),
        ("1.e5", NUMBER, "1.e5"),
        ("$1", PARAMETER, "1"),
        ("$0010", PARAMETER, "10"),
        ("$1000", PARAMETER, "1000"),
        ("::", MARK, "::"),
        ("!=", OPERATOR, "<>"),
        ("->>", OPERATOR, "->>"),
        ("@-", OPERATOR, "@-"),
        (" \t\r\n\f--x\n/* /* y */ '*/7 --z", NUMBER, "7"),
    ],
)
def test_one_token_is_read(text: str, kind: TokenKind, value: str) -> None:
    (token,) = tokens_of(text)
    assert (token.kind, token.value) == (kind, value)
    assert token.key == (value if kind in (WORD, MARK, OPERATOR) else "")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a.b", ["a", ".", "b"]),
        ("a.1", ["a", ".1"]),
        ("1..2", ["1", ".", ".2"]),
        ("a::b:c", ["a", "::", "b", ":", "c"]),
        ("a=-1", ["a", "=", "-", "1"]),
        ("a<=-+1", ["a", "<=", "-", "+", "1"]),
        ("a--b\nc", ["a", "c"]),
        ("a+--b\n+c", ["a", "+", "+", "c"]),
        ("a</*b*/>c", ["a", "<", ">", "c"]),
        ("$1$2", ["1", "2"]),
        ("a$1", ["a$1"]),
        ('1"a"', ["1", "a"]),
        ("e 'x'", ["e", "x"]),
    ],
)
def test_tokens_end_where_postgresql_ends_them(text: str, values: list[str]) -> None:
    assert [token.value for token in tokens_of(text)] == values


def test_places_count_characters_from_the_start() -> None:
    assert [token.at for token in tokens_of("é 'ü'\n$$x$$ /* */ !=1")] == [0, 2, 6, 18, 20]


@pytest.mark.parametrize(
    ("text", "code", "column", "part"),
    [
        ("SELECT 'a", ErrorCode.INVALID_SQL, 8, "string has no end"),
        ("SELECT '''", ErrorCode.INVALID_SQL, 8, "string has no end"),
        ("SELECT E'a\\'", ErrorCode.INVALID_SQL, 8, "string has no end"),
        ('SELECT "a', ErrorCode.INVALID_SQL, 8, "quoted name has no end"),
        ('SELECT ""', ErrorCode.INVALID_SQL, 8, "empty"),
        ("SELECT $$a$", ErrorCode.INVALID_SQL, 8, "$$ begins has no end"),
        ("SELECT $ 1", ErrorCode.INVALID_SQL, 8, "dollar sign"),
        ("SELECT /* /* */", ErrorCode.INVALID_SQL, 8, "comment has no end"),
        ("SELECT 1a", ErrorCode.INVALID_SQL, 8, "no space"),
        ("SELECT 1e+", ErrorCode.INVALID_SQL, 8, "no space"),
        ("SELECT $1a", ErrorCode.INVALID_SQL, 8, "no space"),
        ("SELECT $0", ErrorCode.INVALID_SQL, 8, "$1"),
        ("SELECT 0x1F", ErrorCode.UNSUPPORTED_SQL, 8, "decimal"),
        ("SELECT 1_000", ErrorCode.UNSUPPORTED_SQL, 8, "decimal"),
        ("SELECT \\", ErrorCode.INVALID_SQL, 8, "no meaning"),
        ("SELECT {", ErrorCode.INVALID_SQL, 8, "no meaning"),
        ("SELECT E'\\u12'", ErrorCode.INVALID_SQL, 8, "no character"),
        ("SELECT E'\\ud83d'", ErrorCode.INVALID_SQL, 8, "no character"),
        ("SELECT E'\\udc80'", ErrorCode.INVALID_SQL, 8, "no character"),
        ("SELECT E'\\U00110000'", ErrorCode.INVALID_SQL, 8, "no character"),
        ("SELECT E'\\0'", ErrorCode.INVALID_SQL, 8, "NUL"),
        ("SELECT E'\\x00'", ErrorCode.INVALID_SQL, 8, "NUL"),
        ("SELECT E'\\u0000'", ErrorCode.INVALID_SQL, 8, "NUL"),
        ("SELECT E'\\xc3'", ErrorCode.INVALID_SQL, 8, "UTF-8"),
        ("SELECT E'\\xed\\xa0\\x80'", ErrorCode.INVALID_SQL, 8, "UTF-8"),
        ("SELECT U&'a'", ErrorCode.UNSUPPORTED_SQL, 8, "U&"),
        ('SELECT u&"a"', ErrorCode.UNSUPPORTED_SQL, 8, "U&"),
        ("SELECT b'1'", ErrorCode.UNSUPPORTED_SQL, 8, "B'"),
        ("SELECT X'1F'", ErrorCode.UNSUPPORTED_SQL, 8, "X'"),
        ("SELECT n'a'", ErrorCode.UNSUPPORTED_SQL, 8, "N'"),
        ("SELECT\x001", ErrorCode.INVALID_SQL, 7, "NUL"),
        ("SELECT '\ud800'", ErrorCode.INVALID_SQL, 9, "surrogate"),
        ("SELECT 1 + + +++++++++ 1", ErrorCode.LIMIT_EXCEEDED, 14, "8 characters"),
        ("SELECT " + "a" * 64, ErrorCode.LIMIT_EXCEEDED, 8, "63 bytes"),
        ('SELECT "' + "é" * 32 + '"', ErrorCode.LIMIT_EXCEEDED, 8, "63 bytes"),
        ("SELECT $1001", ErrorCode.LIMIT_EXCEEDED, 8, "1000 (params)"),
        ("SELECT $" + "9" * 5_000, ErrorCode.LIMIT_EXCEEDED, 8, "1000 (params)"),
    ],
)
def test_what_no_token_is_is_refused_in_its_place(text: str, code: ErrorCode, column: int, part: str) -> None:
    refusal = refusal_of(text)
    assert (refusal.code, refusal.line, refusal.column) == (code, 1, column)
    assert part in refusal.message


def test_names_of_63_bytes_are_names() -> None:
    assert [token.value for token in tokens_of("a" * 63)] == ["a" * 63]
    assert [token.value for token in tokens_of("é" * 31)] == ["é" * 31]


@pytest.mark.parametrize("text", ["SELECT 'aaaaaaaaaaa'", "SELECT 'ééééééé'  "])
def test_the_limit_of_the_text_is_in_bytes_of_utf8(text: str) -> None:
    size = len(text.encode())
    lex(text, max_bytes=size, max_parameters=1)
    refusal = refusal_of(text, max_bytes=size - 1)
    assert refusal.code is ErrorCode.LIMIT_EXCEEDED
    assert refusal.message == f"The text has more than {size - 1} bytes (sql_bytes)."
