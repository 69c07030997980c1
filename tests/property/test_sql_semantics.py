"""Laws of SQL here: everybody works as if alone, and every value comes back as it was given."""

import base64
import json
import math
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.engine import Engine, catalog_of, table_of
from support.random_sql import RandomSql
from support.sql_cases import COLUMNS, ROWS
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.types import SqlType

USERS = ("ada", "bob")
STEPS = 2000
STATE = "SELECT * FROM v ORDER BY id"
CATALOG = catalog_of(table_of("app.v", COLUMNS, ["id"]))


def outcome(engine: Engine, sql: str, user: str) -> str:
    """The rows, or the refusal; of a refused write nothing stays."""
    engine.connection.execute("SAVEPOINT one")
    try:
        _, rows = engine.run(sql, user=user)
    except SqlFault as fault:
        engine.connection.execute("ROLLBACK TO one")
        return fault.code.name
    finally:
        engine.connection.execute("RELEASE one")
    return repr(rows if "ORDER BY" in sql else sorted(rows, key=repr))


@pytest.mark.parametrize("seed", [1])
def test_two_users_of_one_table_work_as_if_alone(seed: int) -> None:
    """The model is a database for each user; the same statements give the same in the one they share."""
    shared = Engine(CATALOG)
    alone = {user: Engine(CATALOG) for user in USERS}
    statements = RandomSql(seed)
    for user, rows in (("ada", ROWS), ("bob", ROWS[2:])):
        for row in rows:
            shared.run(f"INSERT INTO v VALUES {row}", user=user)
            alone[user].run(f"INSERT INTO v VALUES {row}", user=user)
    seen: Counter[str] = Counter()
    for step in range(STEPS):
        user = USERS[step % 2]
        sql = statements.statement()
        expected = outcome(alone[user], sql, user)
        assert outcome(shared, sql, user) == expected, (user, sql)
        seen["rows" if expected.startswith("[") else expected] += 1
        if step % 50 == 0 or not sql.startswith("SELECT"):
            for each in USERS:
                assert outcome(shared, STATE, each) == outcome(alone[each], STATE, each), (user, sql)
    assert seen["rows"] > STEPS / 3, seen
    for engine in (shared, *alone.values()):
        engine.close()


# --- values -----------------------------------------------------------------------------------------------

EXTREMES: dict[str, tuple[Any, ...]] = {
    "b": (True, False),
    "s": (-(2**15), 2**15 - 1),
    "i": (-(2**31), 2**31 - 1),
    "l": (-(2**63), 2**63 - 1, 2**53, -(2**53), 2**53 - 1),
    "d": (5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 0.1, 1e23, 123456789.123456789, 2.0**53),
    "t": ("", "\x01", "ä\u0301", "😀", "'\"\\%_", "a" * 1000, "\uffff"),
    "j": (0, "x", [], {"a": {"b": [None, True, 1e308, 2**63]}}, "\u2028"),
    "ts": ("0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
    "da": ("0001-01-01", "9999-12-31", "1969-12-31"),
    "uu": ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    "by": ("", "AA==", base64.b64encode(bytes(range(256))).decode()),
}
_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=5,
)
ANY: dict[str, st.SearchStrategy[Any]] = {
    "b": st.booleans(),
    "s": st.integers(-(2**15), 2**15 - 1),
    "i": st.integers(-(2**31), 2**31 - 1),
    "l": st.integers(-(2**63), 2**63 - 1),
    "d": st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0),
    "t": _TEXT,
    "j": _JSON.filter(lambda value: value is not None),
    "ts": st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001  # the zone comes below
        lambda moment: moment.replace(tzinfo=UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    ),
    "da": st.dates(date(1, 1, 1), date(9999, 12, 31)).map(str),
    "uu": st.uuids().map(str),
    "by": st.binary(max_size=20).map(lambda value: base64.b64encode(value).decode()),
}


def on_the_wire(value: Any) -> Any:
    """The value as a client that decodes the answer has it."""
    return json.loads(orjson.dumps(value))


def travelled(value: Any, column: str) -> Any:
    """What is to come back: integers beyond 53 bits as text."""
    return str(value) if column == "l" and abs(value) >= 2**53 else value


def literal(value: Any, column: str) -> str:
    """The value as it is written in a statement."""
    if column == "j":
        value = json.dumps(value, ensure_ascii=False)
    if column == "by":
        value = "\\x" + base64.b64decode(value).hex()
    return "'" + str(value).replace("'", "''") + "'"


def same(first: Any, second: Any) -> bool:
    """Bit for bit, where 1, 1.0 and True differ."""
    if isinstance(first, float) and isinstance(second, float):
        return math.copysign(1, first) == math.copysign(1, second) and first == second
    return repr(first) == repr(second)


@pytest.fixture(scope="module")
def engine() -> Any:
    engine = Engine(CATALOG)
    yield engine
    engine.close()


def check_round_trip(engine: Engine, column: str, value: Any) -> None:
    expected = on_the_wire(travelled(value, column))
    engine.run("DELETE FROM v")
    returned = engine.ask(
        f"INSERT INTO v (id, {column}) VALUES (1, $1), (2, {literal(value, column)}) RETURNING {column}", [value]
    )
    read = engine.ask(f"SELECT {column} FROM v ORDER BY id")
    for [found] in (*returned, *read):
        assert same(on_the_wire(found), expected), (column, value, found)
    if column != "j":
        assert engine.ask(f"SELECT count(*) FROM v WHERE {column} = $1", [value]) == [(2,)], (column, value)


@pytest.mark.parametrize(
    ("column", "value"), [(column, value) for column, values in EXTREMES.items() for value in values]
)
def test_extreme_values_come_back_as_they_were_given(engine: Engine, column: str, value: Any) -> None:
    check_round_trip(engine, column, value)


@given(st.sampled_from(sorted(ANY)).flatmap(lambda column: st.tuples(st.just(column), ANY[column])))
def test_any_value_comes_back_as_it_was_given(engine: Engine, drawn: tuple[str, Any]) -> None:
    check_round_trip(engine, *drawn)


def test_every_type_is_among_them() -> None:
    types = dict(COLUMNS)
    assert {types[column] for column in ANY} == set(SqlType) - {SqlType.UNKNOWN}
    assert set(ANY) == set(EXTREMES)
