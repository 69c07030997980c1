"""Expressions to nodes: precedence, what does not associate, and what has no rule."""

import pytest

from support.parsing import expression_of, refusal_of, statement_of
from watchword_protocol.errors import ErrorCode
from watchword_server.sql.nodes import (
    And,
    Between,
    Call,
    Case,
    Cast,
    Expression,
    Infix,
    InList,
    IsDistinct,
    IsTest,
    Like,
    Literal,
    LiteralKind,
    Name,
    Not,
    Or,
    Parameter,
    Prefix,
    Select,
    walk,
)

A, B, C, D = (Name(None, name) for name in "abcd")
NULL = Literal(LiteralKind.NULL, "")
TRUE = Literal(LiteralKind.BOOLEAN, "true")


def integer(text: str) -> Literal:
    return Literal(LiteralKind.INTEGER, text)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("1", integer("1")),
        ("007", integer("007")),
        ("-9223372036854775808", integer("-9223372036854775808")),
        ("- -1", integer("1")),
        ("-(-(1))", integer("1")),
        ("-+1", integer("-1")),
        ("+.5", Literal(LiteralKind.DECIMAL, ".5")),
        ("-1e3", Literal(LiteralKind.DECIMAL, "-1e3")),
        ("'-1'", Literal(LiteralKind.TEXT, "-1")),
        ("TRUE", TRUE),
        ("false", Literal(LiteralKind.BOOLEAN, "false")),
        ("Null", NULL),
        ("$12", Parameter(12)),
        ("A", A),
        ('"A"', Name(None, "A")),
        ("t.Select", Name("t", "select")),
        ("int", Name(None, "int")),
        ("coalesce", Name(None, "coalesce")),
        ("-a", Prefix("-", A)),
        ("-1::int", Prefix("-", Cast(integer("1"), "int"))),
        ("(-1)::int", Cast(integer("-1"), "int")),
        ("a::double precision::TEXT", Cast(Cast(A, "double precision"), "text")),
        ("CAST(a AS timestamp with time zone)", Cast(A, "timestamp with time zone")),
        ("a::timestamp without time zone", Cast(A, "timestamp without time zone")),
        ("a::character varying", Cast(A, "character varying")),
        ("f()", Call("f")),
        ("count(*)", Call("count", star=True)),
        ("count(DISTINCT a, b)", Call("count", (A, B), distinct=True)),
        ("count(ALL a)", Call("count", (A,))),
        ('"lower"(a)', Call("lower", (A,))),
        ("left(a, b)", Call("left", (A, B))),
        ("coalesce(a, b)", Call("coalesce", (A, B))),
        ("NULLIF(a, b)", Call("nullif", (A, B))),
        ("greatest(a)", Call("greatest", (A,))),
        ("substring(a, b)", Call("substring", (A, B))),
        ("trim(a)", Call("btrim", (A,))),
        ("trim(a, b)", Call("btrim", (A, B))),
        ("trim(LEADING a FROM b)", Call("ltrim", (B, A))),
        ("trim(trailing from b)", Call("rtrim", (B,))),
        ("trim(both from b, a)", Call("btrim", (B, A))),
        ("CURRENT_USER", Call("current_user")),
        ("current_timestamp", Call("current_timestamp")),
        ("case when a then b end", Case(None, ((A, B),), None)),
        ("case a when b then c when d then a else b end", Case(A, ((B, C), (D, A)), B)),
    ],
)
def test_operands(text: str, node: Expression) -> None:
    assert expression_of(text) == node


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("a + b * c", Infix("+", A, Infix("*", B, C))),
        ("a - b - c", Infix("-", Infix("-", A, B), C)),
        ("a || b + c", Infix("||", A, Infix("+", B, C))),
        ("a % b / c", Infix("/", Infix("%", A, B), C)),
        ("-a * b", Infix("*", Prefix("-", A), B)),
        ("a < b + c", Infix("<", A, Infix("+", B, C))),
        ("a != b", Infix("<>", A, B)),
        ("a = b AND c", And((Infix("=", A, B), C))),
        ("a AND b AND c", And((A, B, C))),
        ("(a AND b) AND c", And((A, B, C))),
        ("a AND (b AND c)", And((A, And((B, C))))),
        ("a OR b AND c OR d", Or((A, And((B, C)), D))),
        ("NOT a = b AND c", And((Not(Infix("=", A, B)), C))),
        ("NOT NOT a", Not(Not(A))),
        ("a = NOT b = c", Infix("=", A, Not(Infix("=", B, C)))),
        ("a < b IS NULL", IsTest(Infix("<", A, B), "null")),
        ("a IS NULL = b", Infix("=", IsTest(A, "null"), B)),
        ("a IS NOT NULL IS TRUE", IsTest(IsTest(A, "null", negated=True), "true")),
        ("a ISNULL", IsTest(A, "null")),
        ("a NOTNULL", IsTest(A, "null", negated=True)),
        ("a IS NOT UNKNOWN", IsTest(A, "unknown", negated=True)),
        ("a IS DISTINCT FROM b = c", IsDistinct(A, Infix("=", B, C))),
        ("a = b IS NOT DISTINCT FROM c", IsDistinct(Infix("=", A, B), C, negated=True)),
        ("a LIKE b || c", Like(A, Infix("||", B, C))),
        ("a NOT ILIKE b = c", Infix("=", Like(A, B, ignores_case=True, negated=True), C)),
        ("a = b LIKE c", Infix("=", A, Like(B, C))),
        ("a IN (b, c) IN (d)", InList(InList(A, (B, C)), (D,))),
        ("a NOT IN (b)", InList(A, (B,), negated=True)),
        ("NOT a IN (b)", Not(InList(A, (B,)))),
        ("a BETWEEN b AND c AND d", And((Between(A, B, C), D))),
        ("a NOT BETWEEN b AND c OR d", Or((Between(A, B, C, negated=True), D))),
        ("a BETWEEN b < c AND d", Between(A, Infix("<", B, C), D)),
        ("a BETWEEN ASYMMETRIC b AND c = d", Infix("=", Between(A, B, C), D)),
        ("a BETWEEN b AND c + d", Between(A, B, Infix("+", C, D))),
    ],
)
def test_operators_bind_as_in_postgresql(text: str, node: Expression) -> None:
    assert expression_of(text) == node


def test_nodes_know_where_they_were_written() -> None:
    places = {type(node).__name__: getattr(node, "at", None) for node in walk(expression_of("a + -b"))}
    assert places == {"Infix": 9, "Prefix": 11, "Name": 7}


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("a < b < c", 7), ("a = b = c", 7), ("a LIKE b LIKE c", 10), ("a LIKE b NOT IN (c)", 10),
        ("a BETWEEN b AND c BETWEEN c AND d", 19), ("a IS DISTINCT FROM b IS NULL", 22), ("a +", 4), ("* a", 3),
        ("a b c", 5), ("(a", 3), ("a)", 2), ("()", 2), ("f(a,)", 5), ("f(,a)", 3), ("f(DISTINCT)", 11),
        ("a IN ()", 7),
        ("a IN b", 6), ("a BETWEEN b OR c AND d", 13), ("a BETWEEN NOT b AND c", 11), ("CASE END", 6),
        ("CASE a ELSE b END", 8),
        ("CASE WHEN a THEN b", 19), ("CAST(a)", 7), ("CAST(a AS)", 10), ("a::", 4), ("a::select", 4), ("a::5", 4),
        ("a.", 3), ("a.1", 2), (".b", 1), ("select", 1), ("nullif(a)", 1), ("nullif(a, b, c)", 1), ("coalesce()", 10),
        ("greatest(*)", 10), ("DEFAULT", 1), ("a IS 1", 6), ("a IS b", 6), ("'a' 1", 5), ("$1 $2", 4),
        ("f(a) b c", 8),
        ("a:1", 2), (":a", 1), ("t.not IN (a)", 3), ("nulls first", 1), ("a AS not LIKE", 6), ("a::nulls last", 4),
    ],
)  # fmt: skip
def test_mistakes_are_invalid_in_their_place(text: str, column: int) -> None:
    refusal = refusal_of(f"SELECT {text}")
    assert (refusal.code, refusal.column - len("SELECT ")) == (ErrorCode.INVALID_SQL, column), refusal


@pytest.mark.parametrize(
    ("text", "column", "construct"),
    [
        ("a + ANY (SELECT 1)", 3, "+ ANY"), ("a LIKE ANY (SELECT 1)", 8, "ANY"),
        ("a = ANY ($1)", 5, "ANY"), ("a < ALL (b)", 5, "ALL"),
        ("a LIKE SOME (b)", 8, "SOME"), ("ARRAY[1]", 1, "An array"), ("a[1]", 2, "An array"),
        ("a::int[]", 7, "An array"),
        ("(a, b)", 3, "A row value"), ("ROW(1)", 1, "A row value"), ("(a).b", 4, "A field"),
        ("a.b.c", 1, "three parts"),
        ("count(t.*)", 7, "A star"), ("pg_catalog.lower(a)", 1, "a function's name with a namespace"),
        ("a ~ b", 3, "The operator ~"),
        ("a !~* b", 3, "The operator !~*"), ("a ->> 'b'", 3, "The operator ->>"), ("a ^ 2", 3, "The operator ^"),
        ("@ a", 1, "$1"), ("a = ?", 5, "$1"), ("f(a => 1)", 5, "by name"), ("f(a := 1)", 5, "by name"),
        ("a OPERATOR(pg_catalog.+) b", 3, "OPERATOR()"), ("a SIMILAR TO b", 3, "SIMILAR TO"),
        ("a NOT SIMILAR TO b", 3, "SIMILAR TO"), ('a COLLATE "C"', 3, "COLLATE"),
        ("a AT TIME ZONE 'utc'", 3, "AT TIME ZONE"),
        ("a LIKE b ESCAPE 'x'", 10, "ESCAPE"), ("a BETWEEN SYMMETRIC b AND c", 11, "BETWEEN SYMMETRIC"),
        ("a IS JSON", 6, "IS JSON"), ("a IS NOT DOCUMENT", 10, "IS DOCUMENT"),
        ("date '2026-01-01'", 1, "A typed literal (date"),
        ("interval '1 day'", 1, "A typed literal (interval"),
        ("double precision '1'", 1, "A typed literal (double precision"),
        ("timestamp with time zone 'x'", 1, "A typed literal (timestamp with"),
        ("a::interval", 4, "The type interval"),
        ("a::varchar(3)", 11, "length"), ('a::"text"', 4, "double quotes"), ("a::pg_catalog.int4", 14, "namespace"),
        ("lag(a) IGNORE NULLS OVER ()", 8, "IGNORE NULLS"),
        ("f(a ORDER BY b)", 5, "ORDER BY"),
        ("f(a) WITHIN GROUP (ORDER BY b)", 6, "WITHIN GROUP"), ("f(VARIADIC a)", 3, "VARIADIC"),
        ("extract(year FROM a)", 1, "EXTRACT"), ("position('a' IN b)", 1, "POSITION"),
        ("substring(a FROM 1)", 13, "SUBSTRING"),
        ('"coalesce"(a)', 1, "COALESCE"), ("int(a)", 1, "INT"),
        ("current_timestamp(3)", 18, "CURRENT_TIMESTAMP with brackets"),
        ("+ a", 1, "A plus sign"), ("+ 'a'", 1, "A plus sign"), ("'a'\n'b'", 1, "several parts"),
        ("(a, b) OVERLAPS (c, d)", 3, "A row value"), ("a OVERLAPS b", 3, "OVERLAPS"),
    ],
)  # fmt: skip
def test_what_has_no_rule_is_unsupported_by_name_and_place(text: str, column: int, construct: str) -> None:
    refusal = refusal_of(f"SELECT {text}")
    place = refusal.column if refusal.line > 1 else refusal.column - len("SELECT ")
    assert (refusal.code, place) == (ErrorCode.UNSUPPORTED_SQL, column), refusal
    assert construct.lower() in refusal.message.lower()


@pytest.mark.parametrize(
    ("text", "alias"),
    [
        ("a AS select", "select"),
        ("a desc", "desc"),
        ("a at", "at"),
        ("a not", "not"),
        ('a "B c"', "B c"),
        ("a VALUE", "value"),
    ],
)
def test_key_words_are_aliases_where_postgresql_takes_them(text: str, alias: str) -> None:
    statement = statement_of(f"SELECT {text}")
    assert isinstance(statement, Select)
    assert [target.alias for target in statement.targets] == [alias]


@pytest.mark.parametrize("alias", ["filter", "over", "year", "from", "isnull"])
def test_some_words_are_aliases_only_after_as(alias: str) -> None:
    statement_of(f"SELECT a AS {alias}")
    if alias != "isnull":
        refusal_of(f"SELECT a {alias}")
