"""Several statements in a text, the limits, and texts made to break parsers."""

import sys
from collections.abc import Callable
from threading import Thread, stack_size
from types import FrameType
from typing import Any, Final

import pytest

from support.parsing import Refusal, refusal_of, statement_of, statements_of
from watchword_protocol.errors import ErrorCode
from watchword_server.sql.cursor import MAX_DEPTH, MAX_LINKS
from watchword_server.sql.definition_nodes import DropTable
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.nodes import And, Select, TableName, walk
from watchword_server.sql.parser import MAX_HEIGHT, parse_request

INVALID, UNSUPPORTED, LIMIT = ErrorCode.INVALID_SQL, ErrorCode.UNSUPPORTED_SQL, ErrorCode.LIMIT_EXCEEDED


def test_semicolons_split_statements_but_not_inside_strings() -> None:
    statements = statements_of(";SELECT ';', $$;$$ /* ; */ ;; --;\nDROP TABLE \";\" ;")
    assert [type(each) for each in statements] == [Select, DropTable]
    assert [each.at for each in statements] == [1, 34]
    assert statements[1] == DropTable(TableName(None, ";"))


def test_places_count_from_the_start_of_the_whole_text() -> None:
    assert refusal_of("SELECT 1;\n\nSELECT 2;\n  SELECT a FROM t NATURAL JOIN u")[:3] == (UNSUPPORTED, 4, 19)


def test_a_fault_knows_which_statement_it_is_in() -> None:
    with pytest.raises(SqlFault) as raised:
        statements_of(";SELECT 1;; DROP TABLE t; SELECT (; SELECT 1")
    assert raised.value.statement == 2


@pytest.mark.parametrize(
    ("text", "column"), [("SELECT 1 SELECT 2 FROM t", 17), ("SELECT 1) ; SELECT 1", 9), ("DROP TABLE t x", 14)]
)
def test_nothing_stands_between_a_statement_and_its_end(text: str, column: int) -> None:
    assert refusal_of(text)[:3] == (INVALID, 1, column)


@pytest.mark.parametrize(
    "word",
    [
        *("ATTACH", "BEGIN", "COMMIT", "COPY", "DETACH", "DO", "EXPLAIN", "GRANT", "PRAGMA", "ROLLBACK"),
        *("SAVEPOINT", "SET", "SHOW", "VACUUM"),
    ],
)
def test_other_statements_are_unsupported_by_their_first_word(word: str) -> None:
    assert refusal_of(f"SELECT 1; {word} x") == (UNSUPPORTED, 1, 11, f"{word} is not supported.")


def test_statements_are_counted() -> None:
    assert len(statements_of("SELECT 1;" * 3, max_statements=3)) == 3
    refusal = refusal_of("SELECT 1;" * 4, max_statements=3)
    assert refusal == (LIMIT, 1, 28, "The request has more than 3 statements (statements).")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("(", ")"),
        ("f(", ")"),
        ("NOT ", ""),
        ("- ", ""),
        ("CASE WHEN ", " THEN 1 END"),
        ("CAST(", " AS int)"),
        ("a IN (", ")"),
    ],
)
def test_nesting_has_a_limit(before: str, after: str) -> None:
    inside = MAX_DEPTH - 1  # the whole expression is a level too
    statement_of(f"SELECT {before * inside}a{after * inside}")
    refusal = refusal_of(f"SELECT {before * (inside + 1)}a{after * (inside + 1)}")
    assert (refusal.code, refusal.message) == (LIMIT, "The statement is nested more than 60 levels deep (nesting).")


@pytest.mark.parametrize("link", [" + 1", " || a", "::int", " IS NULL", " IN (1)"])
def test_a_chain_has_a_limit(link: str) -> None:
    statement_of("SELECT a" + link * MAX_LINKS)
    refusal = refusal_of("SELECT a" + link * (MAX_LINKS + 1))
    assert (refusal.code, refusal.message) == (LIMIT, "A chain of operators has more than 200 links (nesting).")


def test_and_and_or_are_no_chains() -> None:
    statement = statement_of("SELECT a WHERE a" + " AND a" * 2_000)
    assert isinstance(statement, Select)
    assert isinstance(statement.where, And)
    assert len(statement.where.items) == 2_001


def test_chains_in_brackets_in_chains_add_up() -> None:
    def chain(rounds: int, links: int) -> str:
        text = "a"
        for _ in range(rounds):
            text = f"({text}{' + a' * links})"
        return "SELECT " + text

    statement_of(chain(2, 125))
    refusal = refusal_of(chain(2, 135))
    assert (refusal.code, refusal.message) == (
        LIMIT,
        f"The statement's tree has more than {MAX_HEIGHT} levels (nesting).",
    )


def test_a_tree_of_the_greatest_height_can_be_walked_recursively() -> None:
    def height(node: object) -> int:
        children: list[object] = [getattr(node, name) for name in getattr(node, "__dataclass_fields__", ())]
        children = [each for child in children for each in (child if isinstance(child, tuple) else (child,))]
        return 1 + max((height(child) for child in children if hasattr(child, "__dataclass_fields__")), default=0)

    assert height(statement_of("SELECT " + "f(" * 59 + "a" + " + a" * 200 + ")" * 59)) <= MAX_HEIGHT


def test_brackets_with_every_operator_in_each_end_in_a_named_limit() -> None:
    text = "SELECT " + "a OR b AND NOT c IS DISTINCT FROM d < e LIKE f || g + h * - (" * 60 + "a" + ")" * 60
    assert refusal_of(text).code is LIMIT


# Each shape, grown to 16 KiB, and the answer to it; None: it is taken.
_SHAPES: Final[dict[str, tuple[Callable[[int], str], ErrorCode | None]]] = {
    "brackets": (lambda n: "SELECT " + "(" * n + "1" + ")" * n, LIMIT),
    "open brackets": (lambda n: "SELECT " + "(" * n, LIMIT),
    "closed brackets": (lambda n: "SELECT 1" + ")" * n, INVALID),
    "NOT": (lambda n: "SELECT " + "NOT " * n + "true", LIMIT),
    "minus": (lambda n: "SELECT " + "- " * n + "1", LIMIT),
    "sums": (lambda n: "SELECT 1" + "+1" * n, LIMIT),
    "sums in brackets": (lambda n: "SELECT " + "(1+" * n + "1" + ")" * n, LIMIT),
    "bracketed sums": (
        lambda n: "SELECT " + "(" * 50 + ("1" + "+1" * 80 + ")") + ("+1" * 80 + ")") * 49 + " " * n,
        LIMIT,
    ),
    "concatenation": (lambda n: "SELECT 'a'" + "||'a'" * n, LIMIT),
    "AND": (lambda n: "SELECT 1 WHERE true" + " AND true" * n, None),
    "AND and OR": (lambda n: "SELECT 1 WHERE true" + " AND true OR true" * n, None),
    "CASE": (lambda n: "SELECT " + "CASE WHEN true THEN " * n + "1" + " END" * n, LIMIT),
    "WHEN": (lambda n: "SELECT CASE" + " WHEN a THEN b" * n + " END", None),
    "subqueries": (lambda n: "SELECT " + "(SELECT " * n + "1" + ")" * n, LIMIT),
    "FROM": (lambda n: "SELECT * FROM " + "(SELECT * FROM " * n + "t" + ") x" * n, LIMIT),
    "arrays": (lambda n: "SELECT " + "ARRAY[" * n + "1" + "]" * n, UNSUPPORTED),
    "UNION": (lambda n: "SELECT 1" + " UNION ALL SELECT 1" * n, LIMIT),
    "joins": (lambda n: "SELECT 1 FROM t" + " JOIN t ON true" * n, LIMIT),
    "tables": (lambda n: "SELECT 1 FROM t" + ", t" * n, None),
    "casts": (lambda n: "SELECT 1" + "::int" * n, LIMIT),
    "CAST": (lambda n: "SELECT " + "CAST(" * n + "1" + " AS int)" * n, LIMIT),
    "elements": (lambda n: "SELECT a" + "[1]" * n, UNSUPPORTED),
    "fields": (lambda n: "SELECT a" + ".b" * n, UNSUPPORTED),
    "calls": (lambda n: "SELECT " + "f(" * n + "1" + ")" * n, LIMIT),
    "IN": (lambda n: "SELECT " + "1 IN (" * n + "1" + ")" * n, LIMIT),
    "WITH": (lambda n: "WITH a AS (" * n + "SELECT 1" + ") SELECT 1" * n, LIMIT),
    "IS NULL": (lambda n: "SELECT 1" + " IS NULL" * n, LIMIT),
    "COLLATE": (lambda n: "SELECT a" + ' COLLATE "C"' * n, UNSUPPORTED),
    "arrows": (lambda n: "SELECT a" + "->'a'" * n, UNSUPPORTED),
    "AT TIME ZONE": (lambda n: "SELECT a" + " AT TIME ZONE 'a'" * n, UNSUPPORTED),
    "BETWEEN": (lambda n: "SELECT " + "1 BETWEEN 1 AND (" * n + "1" + ")" * n, LIMIT),
    "bare BETWEEN": (lambda n: "SELECT 1" + " BETWEEN 1 AND 1" * n, INVALID),
    "EXISTS": (lambda n: "SELECT " + "EXISTS (SELECT " * n + "1" + ")" * n, LIMIT),
    "semicolons": (lambda n: ";" * n, INVALID),
    "statements": (lambda n: "SELECT 1;" * n, LIMIT),
    "comments in comments": (lambda n: "/*" * n + "*/" * n, INVALID),
    "open comments": (lambda n: "/*" * n, INVALID),
    "comments between signs": (lambda n: "SELECT 1 " + "+/*+*/" * n + "1", LIMIT),
    "line comments": (lambda n: "SELECT 1" + "--\n" * n, None),
    "quotes": (lambda n: "SELECT " + "'" * (2 * n + 1), INVALID),
    "double quotes": (lambda n: "SELECT " + '"' * (2 * n + 1), INVALID),
    "dollar quotes": (lambda n: "SELECT " + "$a$" * (2 * n + 1), INVALID),
    "dollars": (lambda n: "SELECT " + "$a" * n, LIMIT),
    "a long string": (lambda n: "SELECT '" + "x" * n + "'", None),
    "a long open string": (lambda n: "SELECT '" + "x''" * n, INVALID),
    "a long open E string": (lambda n: "SELECT E'" + "\\'" * n, INVALID),
    "a long name": (lambda n: "SELECT " + "x" * n, LIMIT),
    "a long integer": (lambda n: "SELECT " + "9" * n, None),
    "a long exponent": (lambda n: "SELECT 1e" + "9" * n, None),
    "a long parameter": (lambda n: "SELECT $" + "9" * n, LIMIT),
    "a long zero parameter": (lambda n: "SELECT $" + "0" * n + "1", None),
    "hexadecimal": (lambda n: "SELECT 0x" + "f" * n, UNSUPPORTED),
    "escapes": (lambda n: "SELECT E'" + "\\x41" * n + "'", None),
    "bad escapes": (lambda n: "SELECT E'" + "\\xc3" * n + "'", INVALID),
    "Unicode escapes": (lambda n: "SELECT U&'" + "\\0041" * n + "'", UNSUPPORTED),
    "signs": (lambda n: "SELECT 1 " + "+" * n + " 1", LIMIT),
    "spaces": (lambda n: "SELECT" + " " * n + "1", None),
    "rows": (lambda n: "INSERT INTO t VALUES (1)" + ",(1)" * n, None),
    "a list": (lambda n: "SELECT 1 IN (1" + ",1" * n + ")", None),
    "columns": (lambda n: "SELECT a" + ", b" * n + " FROM t", None),
    "row values": (lambda n: "SELECT " + "(1," * n + "1" + ")" * n, UNSUPPORTED),
    "ROW": (lambda n: "SELECT " + "ROW(" * n + "1" + ")" * n, UNSUPPORTED),
    "LATERAL": (lambda n: "SELECT * FROM " + "LATERAL (SELECT * FROM " * n + "t" + ") x" * n, UNSUPPORTED),
    "LIKE": (lambda n: "SELECT 'a'" + " LIKE ('a'" * n + ")" * n, LIMIT),
    "ANY": (lambda n: "SELECT " + "1 = ANY (" * n + "a" + ")" * n, LIMIT),
    "types": (lambda n: "SELECT 1::int" + "[]" * n, UNSUPPORTED),
    "EXPLAIN": (lambda n: "EXPLAIN " * n + "SELECT 1", UNSUPPORTED),
    "comparisons": (lambda n: "SELECT " + "1<" * n + "1", INVALID),
    "IS DISTINCT FROM": (lambda n: "SELECT 1" + " IS DISTINCT FROM (1" * n + ")" * n, LIMIT),
    "column definitions": (lambda n: "CREATE TABLE t (a int" + ",a int" * n + ")", None),
    "options": (lambda n: "CREATE TABLE t (a int) WITH (a=''" + ",b=''" * n + ")", INVALID),
    "NUL": (lambda n: "SELECT 1" + "\0" * n, INVALID),
    "surrogates": (lambda n: "SELECT '" + "\ud800" * n + "'", INVALID),
    "stars": (lambda n: "SELECT *" + ", *" * n + " FROM t", None),
    "dots": (lambda n: "SELECT " + "." * n, INVALID),
    "colons": (lambda n: "SELECT a" + ":" * (2 * n + 1), INVALID),
}


def _grown(shape: Callable[[int], str], size: int = 16_384) -> str:
    """The shape with as many repetitions as the size allows."""
    per_round = (len(shape(200)) - len(shape(100))) / 100
    return shape(max(1, int((size - len(shape(0))) / per_round)))


def _answer(text: str) -> ErrorCode | None:
    try:
        parse_request(text, max_bytes=65_536, max_parameters=1_000, max_statements=100)
    except SqlFault as fault:
        return fault.code
    return None


@pytest.mark.parametrize("name", _SHAPES)
def test_hostile_texts_have_an_answer(name: str) -> None:
    shape, code = _SHAPES[name]
    assert _answer(_grown(shape)) is code


def test_hostile_texts_need_little_stack() -> None:
    """The interpreter's own: a thread with 256 KiB of it answers them all."""
    found: dict[str, ErrorCode | None] = {}

    def answer() -> None:
        found.update({name: _answer(_grown(shape, 4_096)) for name, (shape, _) in _SHAPES.items()})

    usual = stack_size(256 * 1024)
    try:
        thread = Thread(target=answer)
        thread.start()
    finally:
        stack_size(usual)
    thread.join()
    assert found == {name: code for name, (_, code) in _SHAPES.items()}


def _steps(text: str) -> int:
    """How many of the interpreter's instructions the answer takes, on any machine and under any load the same.

    What one instruction does at once, such as to search the text or to copy a list, counts as one.
    """
    steps = 0

    def count(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal steps
        frame.f_trace_opcodes = True
        steps += event == "opcode"
        return count

    before = sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # without it Python 3.12 traces no instructions the first time
    sys.settrace(count)
    try:
        _answer(text)
    finally:
        sys.settrace(before)
    return steps


@pytest.mark.parametrize("name", _SHAPES)
def test_work_is_linear_in_the_text(name: str) -> None:
    """Twice the text takes twice the steps; what grows with the square would take four times as many."""
    shape, _ = _SHAPES[name]
    assert _steps(_grown(shape, 8_000)) < 2.2 * _steps(_grown(shape, 4_000))


def test_fewer_frames_are_left_than_a_statement_needs() -> None:
    """The end of the interpreter's stack is a limit with a name, not an accident."""

    def deeper(frames: int) -> Refusal:
        return deeper(frames - 1) if frames else refusal_of("SELECT " + "(a + " * 50 + "a" + ")" * 50)

    used = 0
    frame = sys._getframe()
    while frame.f_back is not None:
        frame, used = frame.f_back, used + 1
    refusal = deeper(sys.getrecursionlimit() - used - 100)
    assert (refusal.code, refusal.message) == (LIMIT, "The statement is nested too deeply (nesting).")


def test_all_nodes_of_a_statement_lie_in_its_text() -> None:
    text = "SELECT a FROM t; UPDATE t SET a = $1 + b WHERE c IN (1, 2)"
    for statement in statements_of(text):
        assert all(statement.at <= getattr(node, "at", statement.at) < len(text) for node in walk(statement))
