"""What foreign keys add to a plan is what the engine asks for, and no more."""

import sqlite3
from collections.abc import Iterator

import pytest

from support.plans import ROOT, definition_of
from support.stepping import to_end
from watchword_server.adapters.sqlite.engine import Engine
from watchword_server.adapters.sqlite.migrations import migrate
from watchword_server.adapters.sqlite.stored_catalog import StoredCatalog
from watchword_server.sql.engine_functions import ENGINE_FUNCTIONS
from watchword_server.sql.plan import Plan
from watchword_server.sql.planner import Planner
from watchword_server.user import Role

SCHEMA = (
    "CREATE NAMESPACE app",
    "CREATE USER TABLE app.p (id INT PRIMARY KEY, k INT UNIQUE, n INT)",
    "CREATE USER TABLE app.c (id INT PRIMARY KEY, p INT REFERENCES app.p ON DELETE CASCADE, n INT)",
    "CREATE USER TABLE app.g (id INT PRIMARY KEY REFERENCES app.c ON DELETE CASCADE ON UPDATE CASCADE)",
    "CREATE USER TABLE app.h (id INT PRIMARY KEY REFERENCES app.g)",
    "CREATE USER TABLE app.k (id INT PRIMARY KEY, k INT REFERENCES app.p (k) ON UPDATE CASCADE)",
    "CREATE USER TABLE app.own (id INT PRIMARY KEY, up INT REFERENCES app.own ON DELETE CASCADE)",
    "CREATE USER TABLE app.w (id INT PRIMARY KEY, n INT, c INT REFERENCES app.c ON UPDATE CASCADE, "
    "up INT REFERENCES app.w ON DELETE CASCADE)",
    "CREATE SHARED TABLE app.q (id INT PRIMARY KEY, n INT) WITH (ACCESS_LEVEL = 'public')",
    "CREATE SHARED TABLE app.s (id INT PRIMARY KEY, n INT, q INT UNIQUE REFERENCES app.q ON UPDATE CASCADE, "
    "up INT REFERENCES app.s (q) ON UPDATE CASCADE)",
    "CREATE SHARED TABLE app.q1 (id INT PRIMARY KEY, q INT REFERENCES app.q ON DELETE SET NULL) "
    "WITH (ACCESS_LEVEL = 'public')",
    "CREATE SHARED TABLE app.q2 (id INT PRIMARY KEY, q INT DEFAULT 3 REFERENCES app.q ON DELETE SET DEFAULT)",
    "CREATE SHARED TABLE app.q3 (id INT PRIMARY KEY, q INT UNIQUE REFERENCES app.q ON DELETE RESTRICT)",
    "CREATE SHARED TABLE app.q4 (id INT PRIMARY KEY, q INT REFERENCES app.q3 (q) ON UPDATE CASCADE)",
    "CREATE SHARED TABLE app.two (a INT, b INT, PRIMARY KEY (a, b))",
    "CREATE SHARED TABLE app.of2 (id INT PRIMARY KEY, a INT, b INT, FOREIGN KEY (b, a) REFERENCES app.two (b, a) "
    "ON UPDATE CASCADE)",
)


@pytest.fixture(scope="module")
def room() -> Iterator[tuple[Engine, StoredCatalog]]:
    engine = sqlite3.connect(":memory:", isolation_level=None, factory=Engine)
    migrate(engine)
    engine.prepare(value_bytes=100_000, functions=ENGINE_FUNCTIONS, converters={})
    catalog = StoredCatalog(engine)
    for sql in SCHEMA:
        catalog.define(engine, definition_of(sql), ROOT)
    yield engine, catalog
    engine.close()


def plan_of(catalog: StoredCatalog, sql: str, role: Role = Role.SERVICE) -> Plan:
    planner = Planner(max_bytes=1_000, max_parameters=1, max_statements=1)
    plans = to_end(planner.plan(sql, catalog=catalog.catalog, namespace="app", role=role))
    assert isinstance(plans, tuple)
    return plans[0]


STATEMENTS = [
    "INSERT INTO app.{} (id) VALUES (1)",
    "INSERT INTO app.{} (id) VALUES (1), (2)",
    "INSERT INTO app.{} (id) VALUES (1) RETURNING id",
    "UPDATE app.{} SET id = 7",
    "UPDATE app.{} SET id = 7 WHERE id = 1 RETURNING id",
    "DELETE FROM app.{}",
    "DELETE FROM app.{} WHERE id = 1",
]


@pytest.mark.parametrize(
    "sql",
    [
        *(
            sql.format(table)
            for table in ["p", "c", "g", "h", "k", "own", "q", "q1", "q2", "q3", "q4", "of2", "w", "s"]
            for sql in STATEMENTS
        ),
        *("UPDATE app.p SET k = 1", "UPDATE app.p SET n = 1", "UPDATE app.c SET p = 2", "UPDATE app.own SET up = 1"),
        *("UPDATE app.q SET n = 1", "UPDATE app.q3 SET q = 1", "UPDATE app.q1 SET q = 1", "UPDATE app.two SET a = 1"),
        *(
            "UPDATE app.two SET a = 1, b = 2",
            "DELETE FROM app.two",
            "UPDATE app.of2 SET a = 1",
            "UPDATE app.s SET q = 1",
        ),
        *("UPDATE app.w SET n = 1", "UPDATE app.w SET c = 1", "UPDATE app.w SET up = 1", "UPDATE app.s SET up = 1"),
    ],
)
def test_the_engine_asks_for_what_the_plan_allows_and_for_nothing_else(
    room: tuple[Engine, StoredCatalog], sql: str
) -> None:
    engine, catalog = room
    plan = plan_of(catalog, sql)
    asked: dict[int, set[tuple[str, str]]] = {}

    def note(action: int, table: str | None, column: str | None, _schema: str | None, _inside: str | None) -> int:
        asked.setdefault(action, set()).add((table or "", column or ""))
        return sqlite3.SQLITE_OK

    values = [1 if bind.kind.name == "CONSTANT" else "ada" for bind in plan.binds]
    engine.set_authorizer(note)
    try:
        engine.execute(f"EXPLAIN /* {sql} */ {plan.text}", values).fetchall()
    finally:
        engine.set_authorizer(engine._wall.judge)
    allowed = plan.permissions
    reads = asked.get(sqlite3.SQLITE_READ, set())
    assert reads <= allowed.reads
    assert asked.get(sqlite3.SQLITE_UPDATE, set()) == allowed.updates
    assert {table for table, _ in asked.get(sqlite3.SQLITE_DELETE, set())} == allowed.deletes
    # An INSERT of one row that returns nothing asks for less; so does what SQLite sees to come to nothing.
    if not sql.startswith("INSERT"):
        assert allowed.reads <= reads | {(table, "ROWID") for table, _ in allowed.reads}
        engine.execute("BEGIN")
        engine.run(plan, values, max_rows=10, max_bytes=1_000)
        engine.execute("ROLLBACK")


def test_who_may_not_see_a_table_is_not_told_of_its_keys(room: tuple[Engine, StoredCatalog]) -> None:
    _, catalog = room
    assert plan_of(catalog, "DELETE FROM app.h").reference == "A row that others refer to must stay as it is."
    assert '"h_id_fkey" of app.h' in plan_of(catalog, "DELETE FROM app.g", Role.USER).reference
    assert plan_of(catalog, "DELETE FROM app.q3").reference == ('The foreign key "q4_q_fkey" of app.q4 does not hold.')
    assert plan_of(catalog, "UPDATE app.s SET q = 1").reference == (
        'A foreign key does not hold: "s_q_fkey" of app.s, "s_up_fkey" of app.s.'
    )
    assert plan_of(catalog, "SELECT id FROM app.q").reference == ""
