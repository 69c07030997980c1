"""Names and types: what is bound, what is refused, and in which words."""

import dataclasses
from collections.abc import Callable, Iterator
from itertools import permutations

import pytest

from support.engine import Engine, catalog_of, table_of
from support.sql_cases import COLUMNS
from support.stepping import to_end
from watchword_protocol.errors import ErrorCode
from watchword_server.sql.catalog import AccessLevel, Column, TableType
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.plan import BindKind, OutputColumn
from watchword_server.sql.types import SqlType
from watchword_server.user import Role


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Engine(
        catalog_of(
            table_of("app.v", COLUMNS, ["id"]),
            table_of("app.secrets", COLUMNS, ["id"], type_=TableType.SHARED, id_=2),
            table_of("app.pub", COLUMNS, ["id"], type_=TableType.SHARED, access_level=AccessLevel.PUBLIC, id_=3),
            table_of("app.pair", [("a", SqlType.INT), ("b", SqlType.TEXT)], ["b", "a"], id_=4),
        )
    )
    yield engine
    engine.close()


def fault_of(engine: Engine, sql: str, role: Role = Role.USER) -> SqlFault:
    with pytest.raises(SqlFault) as caught:
        engine.plans(sql, role)
    return caught.value


@pytest.mark.parametrize(
    ("sql", "code", "message", "at"),
    [
        ("SELECT bod FROM v", "NOT_FOUND", 'There is no column "bod" in app.v.', 7),
        ("SELECT idd FROM v", "NOT_FOUND", 'There is no column "idd" in app.v. Did you mean "id"?', 7),
        ("SELECT v.idd FROM v", "NOT_FOUND", 'There is no column "idd" in app.v. Did you mean "id"?', 7),
        ("SELECT w.id FROM v", "NOT_FOUND", 'There is no table "w" in this statement.', 7),
        ("SELECT id FROM pubb", "NOT_FOUND", 'There is no table "app.pubb". Did you mean "app.pub"?', 15),
        ("SELECT id FROM nope.v", "NOT_FOUND", 'There is no table "nope.v".', 15),
        ("UPDATE v SET i = 1, _owner = 'x'", "NOT_FOUND", 'There is no column "_owner" in app.v.', 20),
        ("INSERT INTO v (id, _owner) VALUES (1, 'x')", "NOT_FOUND", 'There is no column "_owner" in app.v.', 19),
        ("UPDATE v SET i = 1, t = 'x', i = 2", "INVALID_SQL", 'The column "i" is given twice.', 29),
        ("INSERT INTO v (id, id) VALUES (1, 2)", "INVALID_SQL", 'The column "id" is given twice.', 19),
        ("SELECT x", "NOT_FOUND", 'There is no column "x".', 7),
        ("SELECT t + 1 FROM v", "TYPE_MISMATCH", "There is no operator text + integer: write a cast.", 9),
        ("SELECT id FROM v WHERE t", "TYPE_MISMATCH", "WHERE is text, not boolean.", 23),
        ("SELECT nope(t) FROM v", "UNSUPPORTED_SQL", "The function nope is not supported.", 7),
        ("SELECT i::money FROM v", "UNSUPPORTED_SQL", "The type money is not supported.", 8),
        ("SELECT 'x'::int", "TYPE_MISMATCH", "'x' is no valid input for integer.", 10),
        ("SELECT - ((-9223372036854775808))", "TYPE_MISMATCH", "9223372036854775808 is out of range for bigint.", 7),
        ("SELECT 1,\n 9223372036854775808", "TYPE_MISMATCH", "9223372036854775808 is out of range for bigint.", 11),
        ("SELECT da::int FROM v", "TYPE_MISMATCH", "There is no cast from date to integer.", 9),
        ("SELECT lower(i) FROM v", "TYPE_MISMATCH", "There is no function lower(integer): write a cast.", 7),
        ("SELECT lower(*) FROM v", "INVALID_SQL", "lower is no aggregate: it takes no *.", 7),
        ("SELECT id FROM v LIMIT -1", "TYPE_MISMATCH", "LIMIT and OFFSET must not be negative.", 23),
        (
            "SELECT id FROM v WHERE sum(i) > 1",
            "INVALID_SQL",
            "The aggregate sum may not stand in WHERE.",
            23,
        ),
        (
            "SELECT b, t FROM v GROUP BY b",
            "INVALID_SQL",
            'The column "t" must stand in GROUP BY or in an aggregate: a group has many of its values.',
            10,
        ),
        (
            "INSERT INTO v (id, i) VALUES (1, 'x')",
            "TYPE_MISMATCH",
            "Column \"i\": 'x' is no valid input for integer.",
            33,
        ),
        (
            "INSERT INTO v (id, i) VALUES (1, true)",
            "TYPE_MISMATCH",
            'Column "i" is integer, and the expression is boolean: write a cast.',
            33,
        ),
        (
            "SELECT id FROM v WHERE i = $1 AND t = $1",
            "INVALID_PARAMS",
            "$1 is integer in one place and text in another: write a cast wherever it stands, as in $1::integer.",
            36,
        ),
        (
            "INSERT INTO v (id, d, i) VALUES (1, $1, $1)",
            "INVALID_PARAMS",
            "$1 is double precision in one place and integer in another: "
            "write a cast wherever it stands, as in $1::integer.",
            40,
        ),
        (
            "UPDATE v SET t = $2, j = $2",
            "INVALID_PARAMS",
            "$2 is text in one place and json in another: write a cast wherever it stands, as in $2::json.",
            25,
        ),
        (
            "UPDATE v SET da = ($1)::text",
            "TYPE_MISMATCH",
            'Column "da" is date, and the expression is text: write a cast.',
            22,
        ),
        ("SELECT i = $1::text FROM v", "TYPE_MISMATCH", "There is no operator integer = text: write a cast.", 9),
        (
            "SELECT ts = $1, $1 - da FROM v",
            "UNSUPPORTED_SQL",
            "timestamp with time zone - date is not supported: its result is an interval.",
            19,
        ),
        ("SELECT j IS DISTINCT FROM j FROM v", "TYPE_MISMATCH", "There is no operator json = json: write a cast.", 9),
        ("SELECT greatest(j) FROM v", "TYPE_MISMATCH", "greatest needs values that compare, and json does not.", 7),
        (
            "SELECT t LIKE '" + "a" * 257 + "' FROM v",
            "LIMIT_EXCEEDED",
            "What is searched for has more than 256 bytes (pattern_bytes).",
            9,
        ),
        (
            "UPDATE pub SET i = 1",
            "PERMISSION_DENIED",
            "The role user may read app.pub but not write it: that takes the role service.",
            7,
        ),
    ],
)
def test_refusals_say_what_is_wrong_and_where(engine: Engine, sql: str, code: str, message: str, at: int) -> None:
    fault = fault_of(engine, sql)
    assert (fault.code.name, fault.message, fault.at) == (code, message, at)


def test_a_table_that_the_role_may_not_see_is_as_one_that_is_not_there(engine: Engine) -> None:
    for statement in ("SELECT id FROM {}", "INSERT INTO {} (id) VALUES (1)", "UPDATE {} SET i = 1", "DELETE FROM {}"):
        hidden = fault_of(engine, statement.format("secrets"))
        absent = fault_of(engine, statement.format("sekrets"))
        assert hidden.code is absent.code is ErrorCode.NOT_FOUND
        assert hidden.message.replace("secrets", "sekrets") == absent.message
        assert engine.plans(statement.format("secrets"), Role.SERVICE)


def test_nearest_name_is_a_visible_one(engine: Engine) -> None:
    assert "secrets" not in fault_of(engine, "SELECT 1 FROM secret").message
    assert '"app.secrets"' in fault_of(engine, "SELECT 1 FROM secret", Role.SERVICE).message


def types_of(engine: Engine, sql: str) -> list[str]:
    """Of the parameters, by number."""
    [plan] = engine.plans(sql)
    found = {bind.number: bind.type.name for bind in plan.binds if bind.kind is BindKind.PARAMETER}
    assert plan.parameters == max(found)
    return [found[number] for number in sorted(found)]


@pytest.mark.parametrize(
    ("sql", "types"),
    [
        ("SELECT id FROM v WHERE s = $1 AND l = $2", ["SMALLINT", "BIGINT"]),
        ("SELECT $1", ["TEXT"]),
        ("SELECT $1, id FROM v WHERE i = $1", ["INT"]),
        ("SELECT $1 || 'x'", ["TEXT"]),
        ("SELECT $1 IS NULL", ["TEXT"]),
        ("SELECT i + $1 FROM v", ["INT"]),
        ("SELECT $1::bytea", ["BYTES"]),
        ("SELECT $1::text::json", ["TEXT"]),
        ("SELECT coalesce($1, da) FROM v", ["DATE"]),
        ("SELECT id FROM v LIMIT $1 OFFSET $1", ["BIGINT"]),
        ("SELECT round($1), abs($2)", ["DOUBLE", "DOUBLE"]),
        ("SELECT substr($1, $2)", ["TEXT", "INT"]),
        ("INSERT INTO v (id, j, uu) VALUES ($1, $2, $3)", ["INT", "JSON", "UUID"]),
        ("UPDATE v SET ts = $1 WHERE b = $2", ["TIMESTAMP", "BOOLEAN"]),
    ],
)
def test_a_parameter_has_the_type_of_its_place(engine: Engine, sql: str, types: list[str]) -> None:
    assert types_of(engine, sql) == types


@pytest.mark.parametrize(
    ("sql", "types"),
    [
        # UPDATE: WHERE, RETURNING, SET
        ("UPDATE v SET l = $1 WHERE i = $1", ["INT"]),
        ("UPDATE v SET i = $1 WHERE d = $1", ["DOUBLE"]),
        ("UPDATE v SET t = $1 WHERE id = $1", ["INT"]),
        ("UPDATE v SET ts = $1 WHERE da = $1 RETURNING $1", ["DATE"]),
        ("UPDATE v SET l = $1 RETURNING i + $1", ["INT"]),
        ("UPDATE v SET t = $1 RETURNING $1", ["TEXT"]),
        ("UPDATE v SET d = $1::int RETURNING $1", ["TEXT"]),
        ("UPDATE v SET l = $1, i = i + $2 WHERE $1 IS NULL", ["BIGINT", "INT"]),
        # INSERT: row by row, RETURNING
        ("INSERT INTO v (id, i, l) VALUES (1, $1, 1), (2, 1, $1)", ["INT"]),
        ("INSERT INTO v (id, l, i) VALUES (1, $1, 1), (2, 1, $1)", ["BIGINT"]),
        ("INSERT INTO v (id, i) VALUES (1, $1) RETURNING d = $1, $1", ["INT"]),
        ("DELETE FROM v WHERE i = $1 RETURNING d = $1, $1", ["INT"]),
        # SELECT: outputs, WHERE, HAVING, ORDER BY, GROUP BY, DISTINCT, OFFSET, LIMIT
        ("SELECT $1 = d FROM v WHERE i = $1", ["DOUBLE"]),
        ("SELECT count(*) FROM v WHERE d = $1 HAVING count(*) > $1::bigint", ["DOUBLE"]),
        ("SELECT 1 FROM v GROUP BY id, i + $1 HAVING $1::bigint > 1", ["BIGINT"]),
        ("SELECT 1 FROM v GROUP BY id, i + $1 ORDER BY l + $1", ["BIGINT"]),
        ("SELECT $1 FROM v ORDER BY 1", ["TEXT"]),
        ("SELECT DISTINCT $1 FROM v", ["TEXT"]),
        ("SELECT id FROM v LIMIT $1::int OFFSET $1", ["BIGINT"]),
        ("SELECT id FROM v LIMIT $1 OFFSET $1::int", ["INT"]),
        ("SELECT $1 FROM v LIMIT $1", ["BIGINT"]),
        # within an expression
        ("SELECT $1 IS NULL OR i = $1 FROM v", ["INT"]),
        ("SELECT $1 IS NOT DISTINCT FROM NULL AND da < $1 FROM v", ["DATE"]),
        ("SELECT $1 BETWEEN da AND '2021-01-01' FROM v", ["DATE"]),
        ("SELECT CASE WHEN b THEN $1 ELSE $1::float8 END FROM v", ["DOUBLE"]),
        ("SELECT CASE WHEN d = $1 THEN 2 WHEN b THEN $1 END FROM v", ["DOUBLE"]),
        ("SELECT concat($1::int, $1)", ["INT"]),
        ("SELECT i FROM v WHERE $1 IN (i, 1, 2)", ["INT"]),
    ],
)
def test_places_are_asked_in_the_order_of_postgresql(engine: Engine, sql: str, types: list[str]) -> None:
    assert types_of(engine, sql) == types


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO v (id, i, d) VALUES (1, $1, $1::float8)",
        "UPDATE v SET l = $1, i = $1 + 1",
        "UPDATE v SET i = $1 RETURNING $1",
        "SELECT $1 FROM v WHERE i = $1 ORDER BY 1",
        "SELECT DISTINCT $1 FROM v WHERE i = $1",
        "SELECT CASE WHEN b THEN $1 WHEN d = $1 THEN 2 END FROM v",
        "SELECT $1 BETWEEN '2021-01-01' AND da FROM v",
        "SELECT $1 IN (i, l) FROM v",
        "SELECT $1 IN ($2, i) FROM v",
        "SELECT $1 LIKE concat($1::int)",
        "SELECT $1 || $1::int",
        "SELECT substr($1, $1)",
    ],
)
def test_two_places_that_give_two_types_are_refused(engine: Engine, sql: str) -> None:
    assert fault_of(engine, sql).code is ErrorCode.INVALID_PARAMS


@pytest.mark.parametrize(
    "statement", ["INSERT INTO v (id, {}, {}) VALUES (1, $1, $1)", "UPDATE v SET {} = $1, {} = $1"]
)
def test_two_columns_give_a_parameter_one_type_or_none(engine: Engine, statement: str) -> None:
    """Whatever becomes what unasked, and in whatever order they stand."""
    for (one, type_), (other, other_type) in permutations(COLUMNS[1:], 2):
        sql = statement.format(one, other)
        if type_ is other_type:
            engine.plans(sql)
        else:
            fault = fault_of(engine, sql)
            assert fault.code is ErrorCode.INVALID_PARAMS, sql
            assert f"$1 is {type_.title} in one place and {other_type.title} in another" in fault.message


def test_a_cast_in_one_place_is_seen_by_those_after_it(engine: Engine) -> None:
    assert types_of(engine, "UPDATE v SET i = $1::int, d = $1::int") == ["INT"]
    assert types_of(engine, "SELECT $1::int, $1::text, $1 + 1") == ["INT"]


def test_a_parameter_used_twice_is_bound_once(engine: Engine) -> None:
    [plan] = engine.plans("SELECT id FROM v WHERE i = $1 OR i = $1 + 1")
    assert [bind.kind for bind in plan.binds].count(BindKind.PARAMETER) == 1


def test_columns_carry_their_flags(engine: Engine) -> None:
    [plan] = engine.plans("SELECT id, t, id + 1 AS n FROM v")
    assert plan.columns == (
        OutputColumn("id", SqlType.INT, ("pk", "nn")),
        OutputColumn("t", SqlType.TEXT),
        OutputColumn("n", SqlType.INT),
    )
    [plan] = engine.plans("SELECT * FROM pair")
    assert [column.flags for column in plan.columns] == [("pk", "nn"), ("pk", "nn")]


def test_a_group_of_a_whole_key_is_one_row(engine: Engine) -> None:
    engine.plans("SELECT a, b, count(*) FROM pair GROUP BY a, b")
    assert fault_of(engine, "SELECT a, b FROM pair GROUP BY a").code is ErrorCode.INVALID_SQL


def test_who_and_when_are_bound(engine: Engine) -> None:
    [row] = engine.ask("SELECT current_user, current_user_id(), current_role, now(), current_timestamp, current_date")
    when = "2026-11-18T11:06:40.123456Z"
    assert row == ("Ada", "ada", "user", when, when, "2026-11-18")
    [plan] = engine.plans("SELECT current_user, now()")
    assert [column.name for column in plan.columns] == ["current_user", "now"]


def test_quoted_names_stay_names(engine: Engine) -> None:
    names = ['we"ird', "a b", "select", "x'y", "t"]
    odd = table_of("app.o\"d'd", [("id", SqlType.INT), *((name, SqlType.TEXT) for name in names)], ["id"])
    engine = Engine(catalog_of(odd))
    table = '"o""d\'d"'
    engine.run(f"INSERT INTO {table} VALUES (1, 'p', 'q', 'r', 's', 't')")
    columns = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
    assert engine.ask(f"SELECT {columns} FROM {table} WHERE lower(\"a b\") = 'q'") == [("p", "q", "r", "s", "t")]
    assert engine.ask(f'UPDATE {table} SET "x\'y" = "select" || \'!\' RETURNING "x\'y"') == [("r!",)]
    engine.close()


def test_long_chains_and_deep_brackets_run(engine: Engine) -> None:
    assert engine.ask("SELECT " + " AND ".join(["true"] * 1700)) == [(True,)]
    assert engine.ask("SELECT " + " OR ".join(["false"] * 1700)) == [(False,)]
    assert engine.ask("SELECT 1 IN (" + ", ".join(map(str, range(2500))) + ")") == [(True,)]
    assert engine.ask("SELECT " + " || ".join(["'a'"] * 201)) == [("a" * 201,)]
    fault = fault_of(engine, "SELECT " + " || ".join(["'a'"] * 202))
    assert (fault.code, fault.at) == (ErrorCode.LIMIT_EXCEEDED, len("SELECT ") + 200 * len("'a' || ") + len("'a' "))
    assert engine.ask("SELECT " + " + ".join(["1"] * 20)) == [(20,)]
    assert engine.ask("SELECT " + "(" * 55 + "1" + ")" * 55) == [(1,)]
    assert engine.ask("SELECT " + "abs(" * 10 + "-1" + ")" * 10) == [(1,)]
    fault = fault_of(engine, "SELECT concat(" + ", ".join(["1"] * 101) + ")")
    assert fault.code is ErrorCode.LIMIT_EXCEEDED


DEEP: dict[str, Callable[[int], str]] = {
    "sums": lambda n: " + ".join(["1"] * (n + 1)),
    "sums to the right": lambda n: "1 + (" * n + "1" + ")" * n,
    "calls": lambda n: "abs(" * n + "-1" + ")" * n,
    "arguments": lambda n: "substr('a', 1, length(" * n + "'a'" + "))" * n,
    "any number of arguments": lambda n: "coalesce(1, " * n + "1" + ")" * n,
    "cases": lambda n: "CASE WHEN true THEN 1 WHEN false THEN " * n + "1" + " END" * n,
    "casts": lambda n: "1" + "::text::int" * n,
    "comparisons": lambda n: "true = (" * n + "true" + ")" * n,
    "lists": lambda n: "true IN (false, " * n + "true" + ")" * n,
    "ranges": lambda n: "true BETWEEN false AND (" * n + "true" + ")" * n,
    "patterns": lambda n: "('a' ILIKE (" * n + "'a'" + "))::text" * n,
    "conditions": lambda n: "(true AND (false OR " * n + "true" + "))" * n,
    "concatenations": lambda n: "'a' || (" * n + "'a'" + ")" * n,
}


@pytest.mark.parametrize("shape", DEEP)
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT {}",
        "SELECT id FROM v WHERE ({})::text = '' AND t LIKE 'a'",
        "SELECT count(*) FROM v GROUP BY id, ({})::text HAVING ({})::text = '' ORDER BY ({})::text",
        "UPDATE v SET t = ({})::text WHERE ({})::text = 'a' RETURNING ({})::text",
        "DELETE FROM v WHERE ({})::text = 'a' AND t LIKE 'b' RETURNING ({})::text",
        "INSERT INTO v (id, t) VALUES (900, ({})::text), (901, ({})::text) RETURNING ({})::text",
        "SELECT id FROM v LIMIT length(({})::text)",
    ],
)
def test_what_the_engine_cannot_hold_is_refused_before_it_is_asked(engine: Engine, sql: str, shape: str) -> None:
    fault: SqlFault | None = None
    for depth in range(1, 56):
        try:
            [plan] = engine.plans(sql.replace("{}", DEEP[shape](depth)))
        except SqlFault as refusal:
            fault = refusal
            break
        engine.connection.execute(f"EXPLAIN {plan.text}", [None] * len(plan.binds))
    assert fault is not None
    assert fault.code is ErrorCode.LIMIT_EXCEEDED
    assert depth > 4


@pytest.mark.parametrize(
    ("sql", "words", "at"),
    [
        ("SELECT i, t FROM v GROUP BY i", '"t" must stand in GROUP BY', 10),
        ("SELECT i FROM v GROUP BY i ORDER BY i, t", '"t" must stand in GROUP BY', 39),
        ("SELECT i FROM v GROUP BY i HAVING i + s > 1", '"s" must stand in GROUP BY', 38),
        ("SELECT count(*), * FROM v", '"id" must stand in GROUP BY', 17),
        ("SELECT DISTINCT i FROM v ORDER BY i, t", "must be an output column", 37),
        ("SELECT DISTINCT i, j FROM v", "and json does not", 19),
        ("SELECT 7, " + DEEP["sums"](40), "too deeply for the engine", None),
        ("SELECT 7 FROM v WHERE i = 1 AND " + DEEP["calls"](20) + " = 1", "too deeply for the engine", None),
    ],
)
def test_what_is_wrong_between_clauses_has_the_place_of_one(
    engine: Engine, sql: str, words: str, at: int | None
) -> None:
    fault = fault_of(engine, sql)
    assert words in fault.message
    assert fault.at is not None
    assert fault.at == at if at is not None else fault.at > 9


@pytest.mark.parametrize("search", ["$1 LIKE $2", "$1 ILIKE $2", "strpos($1, $2) = 0", "btrim($1, $2) = ''"])
def test_a_long_text_is_not_searched_for_anything(engine: Engine, search: str) -> None:
    """One call of the engine cannot be interrupted, and over a megabyte of text it takes most of a second."""
    with pytest.raises(SqlFault) as caught:
        engine.run(f"SELECT {search}", ["a" * 100_000, "%" + "a" * 200])
    assert caught.value.code is ErrorCode.LIMIT_EXCEEDED
    assert engine.ask("SELECT $1 LIKE '%b'", ["a" * 100_000]) == [(False,)]


def test_text_does_not_grow_by_nesting(engine: Engine) -> None:
    [plan] = engine.plans("SELECT " + "coalesce(nullif(" * 8 + "1" + ", 2), 3)" * 8)
    assert len(plan.text) < 300


def test_a_long_constant_is_bound_once_however_often_it_stands_there() -> None:
    long = "x" * 10_000
    columns = (Column("id", SqlType.INT, not_null=True), Column("t", SqlType.TEXT, has_default=True, default=long))
    table = dataclasses.replace(table_of("app.long", [], ["id"]), columns=columns)
    engine = Engine(catalog_of(table))
    rows = ", ".join(f"({number}, DEFAULT)" for number in range(1000))
    [plan] = engine.plans(f"INSERT INTO long VALUES {rows}")
    assert len(plan.text) < 20_000
    assert [bind.value for bind in plan.binds if bind.kind is BindKind.CONSTANT] == [long]
    engine.run(f"INSERT INTO long VALUES {rows}")
    assert engine.ask("SELECT count(*) FROM long WHERE length(t) = 10000") == [(1000,)]
    engine.close()


def test_default_values_of_a_shared_table(engine: Engine) -> None:
    [plan] = engine.plans("INSERT INTO pub DEFAULT VALUES RETURNING id", Role.SERVICE)
    assert plan.text == 'INSERT INTO main."app.pub" AS "t1" DEFAULT VALUES RETURNING CAST("id" AS INTEGER)'
    [plan] = engine.plans("INSERT INTO v DEFAULT VALUES")
    assert plan.text == 'INSERT INTO main."app.v" AS "t1" ("_owner") VALUES (?1)'


@pytest.mark.parametrize(
    ("sql", "limit"),
    [
        ("SELECT " + ", ".join(["id"] * 501) + " FROM v", "columns"),
        ("SELECT " + ", ".join(["*"] * 100) + " FROM v", "columns"),
        ("DELETE FROM v RETURNING " + ", ".join(["id"] * 501), "columns"),
        ("SELECT id FROM v ORDER BY " + ", ".join(["id"] * 101), "keys"),
        ("SELECT id FROM v GROUP BY " + ", ".join(["id"] * 101), "keys"),
        ("SELECT 1 + " + " + ".join(["1"] * 100), "nesting"),
    ],
)
def test_a_limit_is_named(engine: Engine, sql: str, limit: str) -> None:
    fault = fault_of(engine, sql)
    assert fault.code is ErrorCode.LIMIT_EXCEEDED
    assert fault.message.endswith(f"({limit}).")


def test_catalog_is_a_snapshot(engine: Engine) -> None:
    """The same text on another catalog is another plan."""
    [old] = engine.plans("SELECT * FROM pair")
    changed = table_of("app.pair", [("a", SqlType.INT), ("c", SqlType.TEXT)], ["a"], id_=4)
    catalog = dataclasses.replace(engine.catalog, version=2, tables={("app", "pair"): changed})
    new = to_end(engine.planner.plan("SELECT * FROM pair", catalog=catalog, namespace="app", role=Role.USER))
    assert isinstance(new, tuple)
    assert [column.name for column in new[0].columns] == ["a", "c"]
    assert engine.plans("SELECT * FROM pair") == (old,)
