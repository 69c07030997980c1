"""The first wall: whose rows a statement looks at, and what is judged before that is decided."""

from collections.abc import Iterator

import pytest

from support.engine import Engine, catalog_of, table_of
from support.sql_cases import COLUMNS, ROWS
from watchword_server.sql.catalog import AccessLevel, TableType
from watchword_server.sql.fault import SqlFault
from watchword_server.user import Role


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Ada has the rows; Eve has one that no expression fails on."""
    shared = table_of("app.pub", COLUMNS, ["id"], type_=TableType.SHARED, access_level=AccessLevel.PUBLIC, id_=2)
    engine = Engine(catalog_of(table_of("app.v", COLUMNS, ["id"]), shared))
    for row in ROWS:
        engine.run(f"INSERT INTO v VALUES {row}")
    engine.run("INSERT INTO v (id, i, d, s, l) VALUES (1000, 2, 1, 1, 1)", user="eve")
    yield engine
    engine.close()


# Each fails on one of Ada's rows.
FAILING = (
    "1 / (id - 3) = 0",
    "i % (id - 1) = 0",
    "d / (id - 1) = 0",
    "i + 1 > 0",
    "i * i > 0",
    "l - 1 > 0",
    "- l > 0",
    "abs(l) > 0",
    "d * 10 > 0",
    "u::int > 0",
    "t::boolean",
    "i::smallint > 0",
    "d::int > 0",
    "t LIKE u",
    "substr(t, 1, i) = ''",
    "da + 1 > da",
    "CASE WHEN t LIKE 'a%' THEN 1 / (id - 1) ELSE 1 END = 1",
    "(t || t)::int > 0",
    "u::json::text = ''",
    "t::uuid IS NULL",
    "u::bytea = ''",
    "u::timestamptz IS NULL",
)


@pytest.mark.parametrize("condition", FAILING)
def test_each_of_them_fails_on_rows_of_ones_own(engine: Engine, condition: str) -> None:
    engine.run("UPDATE v SET u = 'x\\', i = -1 WHERE id = 7")
    with pytest.raises(SqlFault):
        engine.run(f"SELECT {condition} FROM v")


@pytest.mark.parametrize("condition", FAILING)
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM v WHERE {}",
        "SELECT id FROM v WHERE i > -100 AND {} AND t IS NOT NULL",
        "SELECT id FROM v WHERE {} OR id > 0",
        "SELECT {} FROM v",
        "SELECT {} FROM v WHERE id > 0 LIMIT 5",
        "SELECT DISTINCT {} FROM v ORDER BY 1",
        "SELECT count(*) FROM v GROUP BY {}",
        "SELECT id FROM v ORDER BY {}",
        "SELECT count({}) FROM v",
        "SELECT bool_or({}) FROM v HAVING bool_and({}) IS NOT NULL",
        "SELECT CASE WHEN {} THEN 1 END FROM v",
        "UPDATE v SET t = '7' WHERE {}",
        "UPDATE v SET b = {} WHERE i = 2",
        "UPDATE v SET b = {}",
        "UPDATE v SET t = t RETURNING {}",
        "DELETE FROM v WHERE {}",
        "DELETE FROM v WHERE i < 100 AND {} RETURNING id",
    ],
)
def test_hidden_rows_never_raise(engine: Engine, statement: str, condition: str) -> None:
    """The error oracle: Ada's rows would make it fail, and Eve, who does not see them, never hears of it."""
    engine.run(statement.replace("{}", f"({condition})"), user="eve")


def test_two_users_see_disjoint_rows(engine: Engine) -> None:
    engine.run("INSERT INTO v (id, t) VALUES (1, 'of eve')", user="eve")
    assert engine.ask("SELECT t FROM v WHERE id = 1", user="eve") == [("of eve",)]
    assert engine.ask("SELECT t FROM v WHERE id = 1", user="ada") == [("abc",)]
    assert engine.ask("SELECT count(*) FROM v", user="nobody") == [(0,)]
    engine.run("DELETE FROM v", user="eve")
    assert engine.ask("SELECT count(*) FROM v", user="ada") == [(7,)]


@pytest.mark.parametrize("role", list(Role))
def test_every_role_sees_its_own_rows_only(engine: Engine, role: Role) -> None:
    assert engine.ask("SELECT count(*) FROM v", user="root", role=role) == [(0,)]


@pytest.mark.parametrize(
    ("sql", "is_fenced"),
    [
        ("SELECT id, t FROM v WHERE id = $1", False),
        ("SELECT * FROM v WHERE i > 1 AND t IN ('a', $1) AND d BETWEEN 1 AND 2 AND b IS NULL", False),
        ("SELECT id FROM v WHERE NOT (i = 1 OR t = u)", False),
        ("SELECT lower(t) FROM v", True),  # a letter can take more bytes in small
        ("SELECT trim(t), length(t) FROM v WHERE id = 1", False),
        ("SELECT count(*) FROM v", False),
        ("SELECT sum(i) FROM v", True),
        ("SELECT id FROM v WHERE t LIKE 'a%'", True),
        ("SELECT id FROM v WHERE trim(t) = 'a'", True),
        ("SELECT i + 1 FROM v WHERE id = 1", True),
        ("SELECT id FROM v ORDER BY i / 2", True),
        ("UPDATE v SET i = i + 1 WHERE id = 1", False),
        ("UPDATE v SET i = 1 WHERE i / 2 = 1", True),
        ("DELETE FROM v WHERE id = 1 AND t LIKE $1", True),
    ],
)
def test_fence_stands_where_something_could_tell(engine: Engine, sql: str, is_fenced: bool) -> None:
    [plan] = engine.plans(sql)
    assert ("LIMIT -1" in plan.text) is is_fenced


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT t FROM v WHERE id = $1",
        "SELECT i + 1, lower(t) FROM v WHERE id = $1",
        "SELECT t FROM v WHERE id = 5 AND t LIKE 'a%'",
        "SELECT t FROM v WHERE id IN ($1, 2)",
        "SELECT t FROM v WHERE id = 3::smallint",
        "UPDATE v SET t = 'x' WHERE id = $1",
        "UPDATE v SET t = 'x' WHERE id = $1 AND t LIKE 'a%'",
        "DELETE FROM v WHERE id = $1 AND 1 / i = 1",
    ],
)
def test_reading_by_key_uses_the_index(engine: Engine, sql: str) -> None:
    [plan] = engine.plans(sql)
    steps = engine.connection.execute(f"EXPLAIN QUERY PLAN {plan.text}", [None] * len(plan.binds)).fetchall()
    assert any("(_owner=? AND id=?)" in step[3] for step in steps), steps
    assert not any(step[3].startswith("SCAN app.v") for step in steps), steps


@pytest.mark.parametrize(
    "sql", ["SELECT t FROM v", "UPDATE v SET t = 'x' WHERE t LIKE 'a'", "DELETE FROM v", "SELECT count(*) FROM v"]
)
def test_owner_is_bound_and_never_part_of_the_text(engine: Engine, sql: str) -> None:
    [plan] = engine.plans(sql)
    assert '("t1"."_owner" = ?' in plan.text
    assert "ada" not in plan.text


@pytest.mark.parametrize("name", ["_owner", "_rowid_", "rowid", "oid"])
def test_hidden_columns_do_not_exist_for_users(engine: Engine, name: str) -> None:
    for sql in (
        f'SELECT "{name}" FROM v',
        f'SELECT id FROM v WHERE "{name}" IS NULL',
        f"UPDATE v SET \"{name}\" = 'bob'",
        f"INSERT INTO v (id, \"{name}\") VALUES (50, 'bob')",
        f'DELETE FROM v RETURNING "{name}"',
    ):
        with pytest.raises(SqlFault, match="NOT_FOUND"):
            engine.plans(sql)


def test_shared_tables_are_read_by_all_and_written_from_service_up(engine: Engine) -> None:
    engine.run("INSERT INTO pub (id, t) VALUES (1, 'x')", user="worker", role=Role.SERVICE)
    assert engine.ask("SELECT id, t FROM pub", user="eve") == [(1, "x")]
    for sql in ("INSERT INTO pub (id) VALUES (2)", "UPDATE pub SET t = 'y'", "DELETE FROM pub"):
        with pytest.raises(SqlFault, match=r"PERMISSION_DENIED: The role user .* takes the role service"):
            engine.plans(sql, Role.USER)
