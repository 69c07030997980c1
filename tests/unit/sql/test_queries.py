"""Queries within queries, on tables of two users with the same keys: answers, whose rows they are made of, refusals."""

from collections.abc import Iterator

import pytest

from support.engine import Engine, catalog_of, table_of
from watchword_protocol.errors import ErrorCode
from watchword_server.sql.catalog import AccessLevel, TableType
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.types import SqlType
from watchword_server.user import Role

_T = SqlType
NOTES = table_of("app.notes", [("id", _T.INT), ("tag", _T.INT), ("body", _T.TEXT)], ("id",))
TAGS = table_of("app.tags", [("id", _T.INT), ("name", _T.TEXT)], ("id",), id_=2)
PRICES = table_of(
    "app.prices",
    [("tag", _T.BIGINT), ("price", _T.DOUBLE)],
    ("tag",),
    id_=3,
    type_=TableType.SHARED,
    access_level=AccessLevel.PUBLIC,
)


@pytest.fixture(scope="module")
def filled() -> Iterator[Engine]:
    engine = Engine(catalog_of(NOTES, TAGS, PRICES))
    engine.run("INSERT INTO notes VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 2, NULL), (4, NULL, 'd')")
    engine.run("INSERT INTO tags VALUES (1, 'one'), (9, 'nine')")
    engine.run("INSERT INTO prices VALUES (1, 1.5), (2, 2.5)", role=Role.SERVICE)
    for sql in (
        "INSERT INTO notes VALUES (1, 9, 'bob'), (7, 1, 'bob')",
        "INSERT INTO tags VALUES (1, 'bob'), (2, 'bob')",
    ):
        engine.run(sql, user="bob")
    yield engine
    engine.close()


@pytest.fixture
def engine(filled: Engine) -> Iterator[Engine]:
    filled.connection.execute("BEGIN")
    yield filled
    filled.connection.execute("ROLLBACK")


def everything_of_bob(engine: Engine) -> list[object]:
    tables = ('"app.notes"', '"app.tags"')
    return [engine.connection.execute(f"SELECT * FROM {table} WHERE _owner = 'bob'").fetchall() for table in tables]


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT n.id, t.name FROM notes n JOIN tags t ON n.tag = t.id ORDER BY 1", [(1, "one"), (2, "one")]),
        ("SELECT n.id, name FROM notes n LEFT JOIN tags t ON n.tag = t.id AND n.id > 1 ORDER BY 1",
         [(1, None), (2, "one"), (3, None), (4, None)]),
        ("SELECT count(*), count(n.id) FROM notes n RIGHT JOIN tags t ON n.tag = t.id", [(3, 2)]),
        ("SELECT id, body, name FROM notes FULL JOIN tags USING (id) ORDER BY 1",
         [(1, "a", "one"), (2, "b", None), (3, None, None), (4, "d", None), (9, None, "nine")]),
        ("SELECT count(*) FROM notes, tags", [(8,)]),
        ("SELECT count(*) FROM notes CROSS JOIN (tags t JOIN prices p ON t.id = p.tag)", [(4,)]),
        ("SELECT tag, price FROM notes JOIN prices USING (tag) ORDER BY notes.id", [(1, 1.5), (1, 1.5), (2, 2.5)]),
        ("SELECT id, (SELECT name FROM tags t WHERE t.id = n.tag) FROM notes n ORDER BY id",
         [(1, "one"), (2, "one"), (3, None), (4, None)]),
        ("SELECT id FROM notes WHERE tag IN (SELECT id FROM tags) ORDER BY id", [(1,), (2,)]),
        ("SELECT id FROM notes WHERE tag NOT IN (SELECT id FROM tags) ORDER BY id", [(3,)]),
        ("SELECT id FROM notes WHERE tag NOT IN (SELECT tag FROM notes)", []),
        ("SELECT id FROM notes n WHERE EXISTS (SELECT 1 FROM tags t WHERE t.id = n.tag) ORDER BY 1",
         [(1,), (2,)]),
        ("SELECT id FROM notes WHERE id >= ALL (SELECT id FROM notes)", [(4,)]),
        ("SELECT id FROM notes WHERE id < ANY (VALUES (2), (NULL::int))", [(1,)]),
        ("SELECT id FROM notes WHERE tag <> ALL (SELECT id FROM tags) ORDER BY id", [(3,)]),
        ("SELECT 1 UNION SELECT 2 INTERSECT SELECT 2 ORDER BY 1 DESC", [(2,), (1,)]),
        ("SELECT tag FROM notes EXCEPT SELECT id FROM tags ORDER BY 1", [(2,), (None,)]),
        ("SELECT id FROM tags UNION ALL SELECT tag FROM prices ORDER BY id LIMIT 2", [(1,), (1,)]),
        ("VALUES (1, 'a'), (2, NULL) ORDER BY 1 DESC", [(2, None), (1, "a")]),
        ("SELECT sum(x) FROM (VALUES (1), (2)) AS v (x)", [(3,)]),
        ("WITH w AS (SELECT tag, count(*) AS n FROM notes GROUP BY tag) SELECT max(n) FROM w", [(2,)]),
        ("WITH RECURSIVE r (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r WHERE x < 5) SELECT sum(x) FROM r", [(15,)]),
        ("WITH RECURSIVE r AS (SELECT 1 AS x UNION SELECT x % 3 + 1 FROM r) SELECT count(*) FROM r", [(3,)]),
        ("SELECT DISTINCT ON (tag) tag, id FROM notes ORDER BY tag, id DESC", [(1, 2), (2, 3), (None, 4)]),
        ("SELECT count(*) FILTER (WHERE body IS NULL), count(*) FROM notes", [(1, 4)]),
        ("SELECT id, sum(id) OVER (ORDER BY id), rank() OVER w FROM notes WINDOW w AS (ORDER BY tag) ORDER BY id",
         [(1, 1, 1), (2, 3, 1), (3, 6, 3), (4, 10, 4)]),
        ("SELECT id, lag(id) OVER (PARTITION BY tag ORDER BY id) FROM notes ORDER BY id",
         [(1, None), (2, 1), (3, None), (4, None)]),
        ("SELECT price, sum(price) OVER (ORDER BY tag ROWS 1 PRECEDING) FROM prices ORDER BY tag",
         [(1.5, 1.5), (2.5, 4.0)]),
        ("SELECT n.id, count(*) FROM notes n JOIN notes m ON n.tag = m.tag GROUP BY n.id, n.tag ORDER BY 1",
         [(1, 2), (2, 2), (3, 1)]),
        ("SELECT n.id, n.body, count(m.id) FROM notes n LEFT JOIN notes m ON n.tag = m.tag GROUP BY n.id ORDER BY 1",
         [(1, "a", 2), (2, "b", 2), (3, None, 1), (4, "d", 0)]),
        ("SELECT (SELECT max(id) FROM notes WHERE tag = p.tag) FROM prices p ORDER BY tag", [(2,), (3,)]),
        ("((SELECT 1)) UNION (SELECT 2)", [(1,), (2,)]),
        ("SELECT ((SELECT 1) + 1), 1 IN ((SELECT 1)), 1 IN ((SELECT 1), 2)", [(2, 1, 1)]),
    ],
)  # fmt: skip
def test_answers(engine: Engine, sql: str, rows: list[tuple[object, ...]]) -> None:
    assert engine.run(sql)[1] == rows


@pytest.mark.parametrize(
    ("sql", "rows", "after"),
    [
        ("INSERT INTO notes (id, tag) SELECT id + 10, tag FROM notes WHERE tag = 1 RETURNING id", [(11,), (12,)], 6),
        ("INSERT INTO notes (id) WITH w AS (SELECT 50) SELECT * FROM w RETURNING id", [(50,)], 5),
        ("INSERT INTO notes VALUES (1, 5, 'z') ON CONFLICT (id) DO UPDATE SET tag = excluded.tag RETURNING tag, body",
         [(5, "a")], 4),
        ("INSERT INTO notes VALUES (1, 5, 'z'), (8, 5, 'y') ON CONFLICT (id) DO UPDATE SET body = notes.body || '!' "
         "RETURNING id, body", [(1, "a!"), (8, "y")], 5),
        ("INSERT INTO notes VALUES (1, 5, 'z'), (8, 5, 'y') ON CONFLICT DO NOTHING RETURNING id", [(8,)], 5),
        ("INSERT INTO notes VALUES (1, 5, 'z') ON CONFLICT (id) DO UPDATE SET tag = 0 WHERE notes.tag = 77", [], 4),
        ("UPDATE notes SET body = t.name FROM tags t WHERE notes.tag = t.id RETURNING notes.id, notes.body",
         [(1, "one"), (2, "one")], 4),
        ("UPDATE notes n SET tag = (SELECT max(m.tag) FROM notes m WHERE m.id <> n.id) RETURNING id, tag",
         [(1, 2), (2, 2), (3, 1), (4, 2)], 4),
        ("DELETE FROM notes n USING tags t WHERE n.tag = t.id RETURNING n.id", [(1,), (2,)], 2),
        ("DELETE FROM notes n WHERE EXISTS (SELECT 1 FROM notes m WHERE m.tag = n.tag AND m.id < n.id) RETURNING id",
         [(2,)], 3),
        ("WITH w AS (SELECT 1 AS id) DELETE FROM notes WHERE id IN (SELECT id FROM w) RETURNING id", [(1,)], 3),
    ],
)  # fmt: skip
def test_writes(engine: Engine, sql: str, rows: list[tuple[object, ...]], after: int) -> None:
    before = everything_of_bob(engine)
    assert sorted(engine.run(sql)[1]) == rows
    assert engine.run("SELECT count(*) FROM notes")[1] == [(after,)]
    assert everything_of_bob(engine) == before


@pytest.mark.parametrize(
    ("sql", "code", "message"),
    [
        ("SELECT (SELECT id FROM notes)", ErrorCode.TYPE_MISMATCH, "more than one row"),
        ("INSERT INTO notes VALUES (8, 1, 'x'), (8, 2, 'y') ON CONFLICT (id) DO UPDATE SET tag = 0",
         ErrorCode.TYPE_MISMATCH, "same key"),
        ("SELECT id FROM notes, tags", ErrorCode.INVALID_SQL, 'more than one column "id"'),
        ("SELECT * FROM notes, notes", ErrorCode.INVALID_SQL, "twice in FROM"),
        ("SELECT * FROM notes n, (SELECT n.id) x", ErrorCode.NOT_FOUND, '"n"'),
        ("SELECT * FROM notes JOIN tags USING (body)", ErrorCode.NOT_FOUND, "right side"),
        ("SELECT (SELECT id, tag FROM notes)", ErrorCode.INVALID_SQL, "has 2"),
        ("SELECT 1 UNION SELECT 'a'::text", ErrorCode.TYPE_MISMATCH, "UNION"),
        ("SELECT 1 UNION SELECT 1, 2", ErrorCode.INVALID_SQL, "1 columns on its left"),
        ("SELECT 1 EXCEPT ALL SELECT 2", ErrorCode.UNSUPPORTED_SQL, "EXCEPT ALL"),
        ("SELECT 1 AS a UNION SELECT 2 ORDER BY a + 1", ErrorCode.INVALID_SQL, "ORDER BY"),
        ("SELECT id FROM notes WHERE rank() OVER () = 1", ErrorCode.INVALID_SQL, "WHERE"),
        ("SELECT rank() FROM notes", ErrorCode.INVALID_SQL, "OVER"),
        ("SELECT lower(body) OVER () FROM notes", ErrorCode.INVALID_SQL, "no window function"),
        ("SELECT sum(sum(id)) FROM notes", ErrorCode.INVALID_SQL, "inside another"),
        ("SELECT (SELECT sum(n.id)) FROM notes n", ErrorCode.UNSUPPORTED_SQL, "query around"),
        ("SELECT tag, (SELECT max(t.id) FROM tags t WHERE t.id = n.id) FROM notes n GROUP BY tag",
         ErrorCode.INVALID_SQL, '"id" must stand in GROUP BY'),
        ("WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT count(*) FROM r) SELECT * FROM r",
         ErrorCode.TYPE_MISMATCH, "bigint"),
        ("WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT a.x FROM r a, r b) SELECT * FROM r",
         ErrorCode.UNSUPPORTED_SQL, "once"),
        ("SELECT DISTINCT ON (tag) id FROM notes ORDER BY id", ErrorCode.INVALID_SQL, "DISTINCT ON"),
        ("INSERT INTO notes VALUES (1) ON CONFLICT (tag) DO NOTHING", ErrorCode.INVALID_SQL, "no unique key"),
        ("INSERT INTO notes VALUES (1) ON CONFLICT DO UPDATE SET tag = 1", ErrorCode.INVALID_SQL, "columns of a key"),
        ("DELETE FROM notes RETURNING (SELECT 1)", ErrorCode.UNSUPPORTED_SQL, "subquery in RETURNING"),
        ("UPDATE notes SET tag = 1 FROM tags t RETURNING t.id", ErrorCode.UNSUPPORTED_SQL, "another table"),
        ("SELECT 1 FROM notes JOIN tags ON false RIGHT JOIN prices p ON p.tag = tags.id",
         ErrorCode.UNSUPPORTED_SQL, "RIGHT or FULL"),
        ("SELECT * FROM " + ", ".join(f"notes n{number}" for number in range(51)), ErrorCode.LIMIT_EXCEEDED, "tables"),
        (" UNION ".join(["SELECT 1"] * 21), ErrorCode.LIMIT_EXCEEDED, "operands"),
    ],
)  # fmt: skip
def test_refusals(engine: Engine, sql: str, code: ErrorCode, message: str) -> None:
    with pytest.raises(SqlFault) as caught:
        engine.run(sql)
    assert caught.value.code is code, caught.value
    assert message in caught.value.message, caught.value


@pytest.mark.parametrize(
    ("sql", "is_fenced"),
    [
        ("SELECT n.id FROM notes n JOIN tags t ON n.tag = t.id WHERE t.name = 'one'", False),
        ("SELECT n.id FROM notes n JOIN tags t ON n.tag = t.id WHERE 1 / n.id = 1", True),
        ("SELECT 1 / x FROM (SELECT id AS x FROM notes) s", True),
        ("SELECT id FROM notes WHERE EXISTS (SELECT 1 FROM tags)", True),
        ("WITH w AS (SELECT id FROM notes) SELECT id FROM w WHERE id / 2 = 1", True),
        ("SELECT id, rank() OVER (ORDER BY id) FROM notes", False),
    ],
)
def test_every_table_has_a_fence_where_anything_in_the_statement_may_fail(
    engine: Engine, sql: str, is_fenced: bool
) -> None:
    [plan] = engine.plans(sql)
    assert plan.text.count("LIMIT -1") == (plan.text.count('"_owner" =') if is_fenced else 0), plan.text


def test_conditions_of_one_table_stand_beside_its_owner_where_no_outer_join_is_between(engine: Engine) -> None:
    inside = '"_owner" = ?1) AND ("t2"."name" = \'one\')'
    for kind, is_inside in (("JOIN", True), ("LEFT JOIN", False), ("RIGHT JOIN", True), ("FULL JOIN", False)):
        [plan] = engine.plans(f"SELECT 1 FROM notes n {kind} tags t ON n.tag = t.id WHERE t.name = 'one'")
        assert (inside in plan.text) is is_inside, plan.text
    for kind, is_inside in (("JOIN", True), ("LEFT JOIN", True), ("RIGHT JOIN", False), ("FULL JOIN", False)):
        [plan] = engine.plans(f"SELECT 1 FROM notes n {kind} tags t ON n.tag = t.id AND t.name = 'one'")
        assert (inside in plan.text) is is_inside, plan.text
