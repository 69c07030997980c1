"""Rows of others change nothing: neither what random queries answer, nor whether they fail."""

from collections import Counter
from random import Random

import pytest

from support.engine import Engine, catalog_of, table_of
from support.random_queries import TABLES, RandomQueries
from watchword_server.sql.catalog import AccessLevel, TableType
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.types import SqlType
from watchword_server.user import Role

_KINDS = {"i": SqlType.INT, "t": SqlType.TEXT, "l": SqlType.BIGINT, "b": SqlType.BOOLEAN}
_OWN = (
    "INSERT INTO a VALUES (1, 1, 'x', 10), (2, 1, 'y', 20), (3, 2, NULL, NULL), (4, NULL, 'x', 5)",
    "INSERT INTO b VALUES (1, 2, 'x'), (2, NULL, 'z'), (9, 1, 'y')",
)
_SHARED = "INSERT INTO c VALUES (1, 1, true), (2, 3, false), (3, 1, NULL)"


def tables() -> Engine:
    """Of three: two USER tables and a SHARED one, with rows of ada's."""
    found = []
    for number, (name, columns) in enumerate(TABLES.items(), 1):
        is_shared = name == "c"
        found.append(
            table_of(
                f"app.{name}",
                [(column, _KINDS[kind]) for column, kind in columns],
                (columns[0][0],),
                id_=number,
                type_=TableType.SHARED if is_shared else TableType.USER,
                access_level=AccessLevel.PUBLIC if is_shared else AccessLevel.PRIVATE,
            )
        )
    engine = Engine(catalog_of(*found))
    for sql in _OWN:
        engine.run(sql)
    engine.run(_SHARED, role=Role.SERVICE)
    return engine


def crowded() -> Engine:
    """The same, with rows of others before and behind ada's, on which a division fails."""
    engine = tables()
    for user in ("aaa", "bob", "zed"):
        for number in range(-3, 10):
            engine.run(f"INSERT INTO a VALUES ({number}, 0, 'x', {number})", user=user)
            engine.run(f"INSERT INTO b VALUES ({number}, 0, 'z')", user=user)
    return engine


def outcome(engine: Engine, sql: str) -> tuple[object, ...]:
    """The rows, in any order, or the refusal. The tables are as before afterwards."""
    engine.connection.execute("BEGIN")
    try:
        return ("rows", sorted(map(repr, engine.run(sql)[1])))
    except SqlFault as fault:
        return (fault.code.name, fault.message)
    finally:
        engine.connection.execute("ROLLBACK")


def _compare(count: int, seed: int) -> Counter[object]:
    alone, among_others = tables(), crowded()
    queries = RandomQueries(Random(seed))  # noqa: S311  # repeatable, and keeps no secret
    seen: Counter[object] = Counter()
    for _ in range(count):
        sql = queries.statement()
        expected = outcome(alone, sql)
        assert outcome(among_others, sql) == expected, sql
        seen[expected[0]] += 1
    alone.close()
    among_others.close()
    return seen


def test_rows_of_others_change_no_answer_and_no_error() -> None:
    seen = _compare(1_500, 1)
    assert seen["rows"] > 800, seen
    assert seen["TYPE_MISMATCH"] > 30, seen


@pytest.mark.long
def test_rows_of_others_change_nothing_of_a_great_many_queries() -> None:
    _compare(30_000, 2)
