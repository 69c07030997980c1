"""SELECT, INSERT, UPDATE and DELETE to nodes, and what they may not hold."""

import pytest

from support.parsing import refusal_of, statement_of
from watchword_protocol.errors import ErrorCode
from watchword_server.sql.definition_nodes import Statement
from watchword_server.sql.nodes import (
    Call,
    Default,
    Delete,
    Infix,
    Insert,
    Literal,
    LiteralKind,
    Name,
    Order,
    Parameter,
    Select,
    Star,
    TableName,
    Target,
    Update,
)

A, B, C = (Name(None, name) for name in "abc")
ONE, TWO = (Literal(LiteralKind.INTEGER, digit) for digit in "12")
T = TableName(None, "t")
FROM_T = (T,)
ALL = Target(Star(None))


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("SELECT 1", Select((Target(ONE),))),
        ("SELECT ALL a", Select((Target(A),))),
        ("SELECT DISTINCT a, b AS x, c y", Select((Target(A), Target(B, "x"), Target(C, "y")), distinct=True)),
        ("SELECT *, t.*, a FROM t", Select((ALL, Target(Star("t")), Target(A)), FROM_T)),
        ("SELECT * FROM App.Notes", Select((ALL,), (TableName("app", "notes"),))),
        ('SELECT * FROM app."Select" AS n', Select((ALL,), (TableName("app", "Select", "n"),))),
        ("SELECT * FROM app.select n", Select((ALL,), (TableName("app", "select", "n"),))),
        ("SELECT a FROM t WHERE a = $1", Select((Target(A),), FROM_T, Infix("=", A, Parameter(1)))),
        (
            "SELECT a, count(*) FROM t GROUP BY a, 1 HAVING b",
            Select((Target(A), Target(Call("count", star=True))), FROM_T, group=(A, ONE), having=B),
        ),
        (
            "SELECT a FROM t ORDER BY a, b DESC NULLS LAST, c ASC NULLS FIRST",
            Select(
                (Target(A),),
                FROM_T,
                order=(
                    Order(A),
                    Order(B, descending=True, nulls_first=False),
                    Order(C, nulls_first=True),
                ),
            ),
        ),
        ("SELECT a LIMIT 1 OFFSET $2", Select((Target(A),), limit=ONE, offset=Parameter(2))),
        ("SELECT a OFFSET 1 LIMIT 2", Select((Target(A),), limit=TWO, offset=ONE)),
        ("SELECT a OFFSET 1 LIMIT ALL", Select((Target(A),), limit=Literal(LiteralKind.NULL, ""), offset=ONE)),
        ("INSERT INTO app.t VALUES (1, DEFAULT)", Insert(TableName("app", "t"), (), ((ONE, Default()),))),
        (
            "INSERT INTO t AS x (a, B) VALUES (1, 2), (2, 1) RETURNING *, a AS y",
            Insert(TableName(None, "t", "x"), (A, B), ((ONE, TWO), (TWO, ONE)), returning=(ALL, Target(A, "y"))),
        ),
        ("INSERT INTO t DEFAULT VALUES RETURNING a", Insert(T, (), returning=(Target(A),))),
        ("INSERT INTO t (values) VALUES (1)", Insert(T, (Name(None, "values"),), ((ONE,),))),
        (
            "UPDATE app.t x SET a = 1, b = DEFAULT WHERE a RETURNING *",
            Update(TableName("app", "t", "x"), ((A, ONE), (B, Default())), where=A, returning=(ALL,)),
        ),
        ("UPDATE t AS set SET a = a", Update(TableName(None, "t", "set"), ((A, A),))),
        ("DELETE FROM t", Delete(T)),
        ("DELETE FROM t AS x WHERE a RETURNING a", Delete(TableName(None, "t", "x"), where=A, returning=(Target(A),))),
    ],
)
def test_statements(text: str, node: Statement) -> None:
    assert statement_of(text) == node


@pytest.mark.parametrize(
    ("text", "column", "construct"),
    [
        ("WITH x AS (DELETE FROM t) SELECT 1", 11, "DELETE inside WITH"),
        ("WITH x AS (SELECT 1) CYCLE a SET b USING c SELECT 1", 22, "CYCLE"),
        ("TABLE t", 1, "TABLE"), ("SELECT FROM t", 8, "SELECT without columns"),
        ("SELECT", 7, "SELECT without columns"), ("SELECT 1 UNION TABLE t", 16, "TABLE"),
        ("SELECT a INTO x FROM t", 10, "SELECT INTO"),
        ("SELECT a FROM t NATURAL JOIN u", 17, "NATURAL JOIN"),
        ("SELECT a FROM (t JOIN u ON true) x", 34, "An alias of a join"),
        ("SELECT a FROM t JOIN u USING (a) AS x", 34, "An alias of USING"),
        ("SELECT a FROM LATERAL f(x)", 15, "LATERAL"),
        ("SELECT a FROM generate_series(1, 2)", 15, "A function in FROM"),
        ("SELECT a FROM ONLY t", 15, "ONLY"), ("SELECT a FROM t *", 17, "A star behind a table"),
        ("SELECT a FROM x.y.z", 15, "three parts"),
        ("SELECT a FROM t TABLESAMPLE system (1)", 17, "TABLESAMPLE"), ("SELECT a FROM t FOR UPDATE", 17, "FOR"),
        ("SELECT a FROM t FETCH FIRST 1 ROW ONLY", 17, "FETCH"), ("SELECT a OFFSET 1 ROWS", 19, "OFFSET ... ROWS"),
        ("SELECT a FROM t GROUP BY ROLLUP (a)", 26, "ROLLUP"),
        ("SELECT a FROM t GROUP BY CUBE (a)", 26, "CUBE"),
        ("SELECT a FROM t GROUP BY ()", 26, "An empty grouping set"),
        ("SELECT a FROM t GROUP BY GROUPING SETS (a)", 26, "GROUPING SETS"),
        ("SELECT a FROM t GROUP BY DISTINCT a", 26, "GROUP BY DISTINCT"),
        ("SELECT a FROM t ORDER BY a USING <", 28, "USING"), ("INSERT OR ROLLBACK INTO t VALUES (1)", 8, "INSERT OR"),
        ("INSERT INTO t VALUES (1) ON CONFLICT (lower(a)) DO NOTHING", 39, "An expression in the target"),
        ("INSERT INTO t VALUES (1) ON CONFLICT (a) WHERE b DO NOTHING", 42, "A condition in the target"),
        ("INSERT INTO t (a) OVERRIDING USER VALUE VALUES (1)", 19, "OVERRIDING"),
        ("INSERT INTO t (a.b) VALUES (1)", 17, "A part of a column"),
        ("REPLACE INTO t VALUES (1)", 1, "REPLACE"), ("UPDATE OR IGNORE t SET a = 1", 8, "UPDATE OR"),
        ("UPDATE t SET (a, b) = (1, 2)", 14, "several columns"),
        ("UPDATE t SET a == 1", 16, "The operator == (equality is written =)"),
        ("UPDATE t SET a[1] = 1", 15, "A part of a column"),
        ("UPDATE t SET a = 1 WHERE CURRENT OF c", 26, "WHERE CURRENT OF"),
        ("SELECT a FROM ROWS FROM (f())", 15, "ROWS FROM"),
    ],
)  # fmt: skip
def test_what_has_no_rule_is_unsupported_by_name_and_place(text: str, column: int, construct: str) -> None:
    refusal = refusal_of(text)
    assert (refusal.code, refusal.line, refusal.column) == (ErrorCode.UNSUPPORTED_SQL, 1, column), refusal
    assert construct in refusal.message


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("SELEC 1", 1), ("1", 1), ("'a'", 1), ("SELECT a,", 10), ("SELECT , a", 8), ("SELECT * x", 10),
        ("SELECT a FROM", 14),
        ("SELECT a FROM WHERE b", 15), ("SELECT a FROM 't'", 15), ("SELECT a FROM t WHERE", 22),
        ("SELECT a WHERE a WHERE b", 18),
        ("SELECT a FROM t GROUP a", 23), ("SELECT a ORDER a", 16), ("SELECT a ORDER BY a NULLS", 26),
        ("SELECT a LIMIT", 15),
        ("SELECT a LIMIT 1, 2", 17), ("SELECT a LIMIT 1 LIMIT 2", 18), ("SELECT a FROM t HAVING b WHERE c", 26),
        ("SELECT a AS", 12), ("SELECT a AS 1", 13), ("SELECT DISTINCT", 16), ("SELECT DISTINCT FROM t", 17),
        ("INSERT t VALUES (1)", 8),
        ("INSERT INTO t", 14), ("INSERT INTO t x VALUES (1)", 15), ("INSERT INTO t () VALUES (1)", 16),
        ("INSERT INTO t VALUES ()", 23), ("INSERT INTO t VALUES 1", 22), ("INSERT INTO t VALUES (1),", 26),
        ("INSERT INTO t VALUES (DEFAULT + 1)", 31), ("INSERT INTO t (a) DEFAULT VALUES", 19), ("UPDATE t", 9),
        ("UPDATE t set", 13), ("UPDATE t SET a", 15), ("UPDATE t SET a = 1,", 20),
        ("DELETE t", 8),
        ("DELETE FROM t WHERE", 20), ("DELETE FROM t LIMIT 1", 15), ("SELECT 1 RETURNING a", 10),
        ("SELECT a FROM t x y", 19),
        ("", 1), (";; --x\n;", 1),
    ],
)  # fmt: skip
def test_mistakes_are_invalid_in_their_place(text: str, column: int) -> None:
    refusal = refusal_of(text)
    assert (refusal.code, refusal.line, refusal.column) == (ErrorCode.INVALID_SQL, 1, column), refusal


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT a FROM t WHERE", "Expected an expression, found the end of the text."),
        ("SELECT a FROM order", 'Expected a table, found the key word ORDER (as a name it is written "order").'),
        ("UPDATE t SET a 1", 'Expected "=", found "1".'),
        ("DELETE t", 'Expected "FROM", found "t".'),
        ("SELECT a, 'x' 'y'", "A string in several parts is not supported."),
        ("SELECT :a", 'Expected an expression, found ":": parameters are written $1, $2.'),
    ],
)
def test_messages_say_what_was_expected_and_what_was_found(text: str, message: str) -> None:
    assert refusal_of(text).message == message
