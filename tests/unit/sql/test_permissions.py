"""A plan's permissions are what its text touches: the engine's authorizer is asked, statement by statement."""

import sqlite3
from collections.abc import Iterator

import pytest

from support.engine import Engine, catalog_of, table_of
from support.sql_cases import CASES, COLUMNS, engine_with_rows
from watchword_server.sql.catalog import AccessLevel, TableType
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.plan import Permissions, Plan
from watchword_server.user import Role


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = engine_with_rows()
    yield engine
    engine.close()


def touched(connection: sqlite3.Connection, plan: Plan) -> Permissions:
    """What the engine asks for while it prepares the text."""
    reads: set[tuple[str, str]] = set()
    updates: set[tuple[str, str]] = set()
    inserts: set[str] = set()
    deletes: set[str] = set()
    functions: set[str] = set()

    def judge(action: int, first: str | None, second: str | None, schema: str | None, inside: str | None) -> int:
        match action:
            case sqlite3.SQLITE_READ:
                reads.add((str(first), str(second)))
            case sqlite3.SQLITE_UPDATE:
                updates.add((str(first), str(second)))
            case sqlite3.SQLITE_INSERT:
                inserts.add(str(first))
            case sqlite3.SQLITE_DELETE:
                deletes.add(str(first))
            case sqlite3.SQLITE_FUNCTION:
                functions.add(str(second).lower())
            case sqlite3.SQLITE_SELECT:
                pass
            case _:
                pytest.fail(f"action {action} on {first} {second} in {plan.text}")
        return sqlite3.SQLITE_OK

    connection.set_authorizer(judge)
    connection.text_factory = bytes  # constants stand in the listing, as bytes
    try:
        connection.execute(f"EXPLAIN {plan.text}", [None] * len(plan.binds)).fetchall()
    finally:
        connection.text_factory = str
        connection.set_authorizer(None)
    return Permissions(
        frozenset(reads), frozenset(inserts), frozenset(updates), frozenset(deletes), frozenset(functions)
    )


def test_permissions_are_exactly_what_the_engine_asks_for(engine: Engine) -> None:
    compared = 0
    for case in CASES:
        try:
            [plan] = engine.plans(case.sql)
        except SqlFault:
            continue
        if "false" in case.sql.lower():
            continue  # SQLite leaves out what a constant decides
        assert touched(engine.connection, plan) == plan.permissions, plan.text
        compared += 1
    assert compared > 400


def test_a_constant_condition_asks_for_no_more(engine: Engine) -> None:
    [plan] = engine.plans("DELETE FROM v WHERE false RETURNING id")
    assert touched(engine.connection, plan).reads < plan.permissions.reads


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ("SELECT count(*) FROM pub", {("app.pub", "")}),
        ("SELECT 1 FROM pub", {("app.pub", "")}),
        ("SELECT id FROM pub WHERE t LIKE 'a%'", {("app.pub", "id"), ("app.pub", "t")}),
        ("DELETE FROM pub", set()),
        ("DELETE FROM pub WHERE 1 / id > 0", {("app.pub", "id")}),
        ("UPDATE pub SET i = 1", set()),
    ],
)
def test_shared_tables_have_no_owner_column(sql: str, reads: set[tuple[str, str]]) -> None:
    shared = table_of("app.pub", COLUMNS, ["id"], type_=TableType.SHARED, access_level=AccessLevel.PUBLIC)
    engine = Engine(catalog_of(shared))
    [plan] = engine.plans(sql, Role.SERVICE)
    assert plan.permissions.reads == reads
    assert touched(engine.connection, plan) == plan.permissions
    engine.close()
