"""Queries within queries to nodes: where a bracket holds a query, what stands together, and what has no rule."""

import pytest

from support.parsing import refusal_of, statement_of
from watchword_protocol.errors import ErrorCode
from watchword_server.sql.definition_nodes import Statement
from watchword_server.sql.nodes import (
    CommonTable,
    Delete,
    Insert,
    Literal,
    LiteralKind,
    Name,
    Select,
    TableName,
    Target,
    Update,
    With,
)

ONE, TWO = (Literal(LiteralKind.INTEGER, digit) for digit in "12")
A = Name(None, "a")
T = TableName(None, "t")
SELECT_1, SELECT_2 = (Select((Target(each),)) for each in (ONE, TWO))


def named(name: str) -> With:
    return With((CommonTable(name, (), SELECT_1),))


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("WITH x AS (SELECT 1) SELECT 2", Select((Target(TWO),), common=named("x"))),
        ("WITH delete AS (SELECT 1) SELECT 2", Select((Target(TWO),), common=named("delete"))),
        ("WITH insert AS (SELECT 1) (SELECT 2)", Select((Target(TWO),), common=named("insert"))),
        ("WITH values AS (SELECT 1) DELETE FROM t", Delete(T, common=named("values"))),
        ("WITH update AS (SELECT 1) INSERT INTO t VALUES (1)", Insert(T, (), ((ONE,),), common=named("update"))),
        ("WITH delete AS (SELECT 1) UPDATE t SET a = 1", Update(T, ((A, ONE),), common=named("delete"))),
        ("WITH recursive AS (SELECT 1) DELETE FROM t", Delete(T, common=named("recursive"))),
        (
            "WITH RECURSIVE x AS MATERIALIZED (SELECT 1), y (b, c) AS NOT MATERIALIZED (SELECT 2) DELETE FROM t",
            Delete(T, common=With((CommonTable("x", (), SELECT_1), CommonTable("y", ("b", "c"), SELECT_2)), True)),
        ),
    ],
)
def test_a_statement_with_names_before_it_is_what_stands_behind_them(text: str, node: Statement) -> None:
    assert statement_of(text) == node


@pytest.mark.parametrize(
    ("text", "column", "construct"),
    [
        ("WITH delete AS (SELECT 1) SELECT FROM t WHERE true", 34, "SELECT without columns"),
        ("WITH insert AS (SELECT 1) SELECT INTO t VALUES (1)", 34, "SELECT INTO"),
        ("WITH x AS (SELECT 1) MERGE INTO t", 22, "MERGE"),
    ],
)
def test_what_has_no_rule_is_unsupported_by_name_and_place(text: str, column: int, construct: str) -> None:
    refusal = refusal_of(text)
    assert (refusal.code, refusal.column) == (ErrorCode.UNSUPPORTED_SQL, column), refusal
    assert construct in refusal.message


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("WITH x AS (SELECT 1) WITH y AS (SELECT 1) SELECT 2", 22),
        ("WITH x AS (SELECT 1) (WITH y AS (SELECT 1) SELECT 2)", 22),
        ("WITH update AS (SELECT 1) SELECT t SET a = 1", 40),
    ],
)
def test_mistakes_are_invalid_in_their_place(text: str, column: int) -> None:
    refusal = refusal_of(text)
    assert (refusal.code, refusal.column) == (ErrorCode.INVALID_SQL, column), refusal
