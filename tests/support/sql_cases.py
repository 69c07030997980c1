"""Statements with PostgreSQL's answer, or a refusal: what `scripts/record_sql_answers.py` asks and a test replays.

`app.v` has a column of each type; Ada owns the rows here, and Bob's are others.
"""

from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any, Final, NamedTuple

from support.engine import Engine, catalog_of, table_of
from watchword_server.sql.types import SqlType

__all__ = ["CASES", "COLUMNS", "POSTGRES_TYPES", "ROWS", "STATE", "SqlCase", "engine_with_rows"]

_T = SqlType

COLUMNS: Final = (
    ("id", _T.INT),
    ("b", _T.BOOLEAN),
    ("s", _T.SMALLINT),
    ("i", _T.INT),
    ("l", _T.BIGINT),
    ("d", _T.DOUBLE),
    ("t", _T.TEXT),
    ("u", _T.TEXT),
    ("j", _T.JSON),
    ("ts", _T.TIMESTAMP),
    ("da", _T.DATE),
    ("uu", _T.UUID),
    ("by", _T.BYTES),
)
POSTGRES_TYPES: Final[dict[SqlType, str]] = {type_: type_.title for type_ in _T if type_ is not _T.UNKNOWN}
ROWS: Final = (
    "(1, true, 5, 10, 100, 1.5, 'abc', 'a', '{\"a\":1}', '2020-02-03 04:05:06.7+00', '2020-02-29',"
    " '00000000-0000-0000-0000-000000000001', '\\x00ff')",
    "(2, false, -5, -10, -100, -2.5, 'Äbc_%', 'b', '[1]', '1999-12-31 23:59:59.999999+00', '0001-01-01',"
    " 'ffffffff-0000-0000-0000-000000000001', '\\x')",
    "(3, null, null, null, null, null, null, null, null, null, null, null, null)",
    "(4, true, 32767, 2147483647, 9223372036854775807, '1e308', '', 'A\\b', ' null ',"
    " '9999-12-31 23:59:59.999999+00', '9999-12-31', '00000000-0000-0000-0000-00000000000a', '\\x61')",
    "(5, false, -32768, -2147483648, -9223372036854775808, 5e-324, ' x ', '10', '\"x\"', '0001-01-01 00:00:00+00',"
    " '1970-01-01', '00000000-0000-0000-0000-000000000001', '\\x6162')",
    "(6, true, 7, 3, 2, 0.5, 'aß%c', '7', '{}', '1970-01-01 00:00:00+00', '1969-12-31',"
    " 'aaaaaaaa-0000-0000-0000-000000000001', '\\x00ff')",
    "(7, null, 7, 3, 3, 2.5, 'abc', 'true', '{}', '1969-12-31 23:59:59.5+00', '2020-02-29',"
    " 'aaaaaaaa-0000-0000-0000-000000000002', '\\x00ff')",
)
STATE: Final = "SELECT * FROM v ORDER BY id"


class SqlCase(NamedTuple):
    """One statement. `refused`: the code with which it is refused here, though PostgreSQL may answer."""

    sql: str
    parameters: Sequence[Any] = ()
    refused: str | None = None


def engine_with_rows() -> Engine:
    """Ada's rows, and others of Bob's, which would make most expressions fail."""
    engine = Engine(catalog_of(table_of("app.v", COLUMNS, ["id"])))
    for row in ROWS:
        engine.run(f"INSERT INTO v VALUES {row}")
    for number in range(1, 9):
        engine.run(
            f"INSERT INTO v VALUES ({number}, false, -32768, 0, -9223372036854775808, 1e308, 'secret\\', 'no number',"
            " null, '9999-12-31', '9999-12-31', null, null)",
            user="bob",
        )
    return engine


# Small enough that nothing overflows unless it is meant to.
_WITH_PARAMETERS: Final = (
    SqlCase("SELECT id FROM v WHERE id = $1", [4]),
    SqlCase("SELECT id FROM v WHERE id = $1 OR id = $2 ORDER BY id", [4, 1]),
    SqlCase("SELECT $1 AS x", ["a"]),
    SqlCase("SELECT $1::int + 1", [41]),
    SqlCase("SELECT $1 + 1", [41]),
    SqlCase("SELECT $1 + $2", [1, 2]),
    SqlCase("SELECT id + $1 FROM v WHERE l = $2", [1, 100]),
    SqlCase("SELECT id FROM v WHERE t LIKE $1 ORDER BY id", ["a%"]),
    SqlCase("SELECT id FROM v WHERE t ILIKE $1 ORDER BY id", ["A%"]),
    SqlCase("SELECT id FROM v WHERE i IN ($1, $2) ORDER BY id", [3, None]),
    SqlCase("SELECT id FROM v WHERE i BETWEEN $1 AND $2 ORDER BY id", [1, 10]),
    SqlCase("SELECT id FROM v WHERE d > $1 ORDER BY id", [1.5]),
    SqlCase("SELECT id FROM v WHERE b = $1 ORDER BY id", [True]),
    SqlCase("SELECT id FROM v WHERE $1 ORDER BY id", [True]),
    SqlCase("SELECT id FROM v WHERE ts < $1 ORDER BY id", ["1970-01-01T00:00:00.000000Z"]),
    SqlCase("SELECT id FROM v WHERE da = $1 ORDER BY id", ["2020-02-29"]),
    SqlCase("SELECT id FROM v WHERE uu = $1 ORDER BY id", ["00000000-0000-0000-0000-000000000001"]),
    SqlCase("SELECT id FROM v ORDER BY id LIMIT $1 OFFSET $2", [2, 1]),
    SqlCase("SELECT id FROM v ORDER BY id LIMIT $1", [None]),
    SqlCase("SELECT id FROM v ORDER BY id LIMIT $1", [-1]),
    SqlCase("SELECT coalesce($1, t) FROM v ORDER BY id", ["z"]),
    SqlCase("SELECT coalesce($1, i) FROM v ORDER BY id", [None]),
    SqlCase("SELECT CASE WHEN b THEN $1 ELSE i END FROM v ORDER BY id", [7]),
    SqlCase("SELECT lower($1), length($1), $1 || 'x'", ["Ab"]),
    SqlCase("SELECT abs($1), round($2)", [-1.5, 2.5]),
    SqlCase("SELECT substr(t, $1, $2) FROM v ORDER BY id", [2, 1]),
    SqlCase("SELECT left(t, $1) FROM v ORDER BY id", [1]),
    SqlCase("SELECT id FROM v WHERE i = $1 AND l = $1", [3]),
    SqlCase("SELECT id FROM v WHERE i = $1 AND t = $1", [3], "INVALID_PARAMS"),
    SqlCase("SELECT id FROM v WHERE s = $1", [70000]),
    SqlCase("SELECT id FROM v WHERE i = $1", ["x"]),
    SqlCase("SELECT $1 = $2", ["a", "a"]),
    SqlCase("SELECT $1::text::int", ["12"]),
    SqlCase("SELECT $1::boolean, $2::double precision, $3::bigint", [False, 0.1, 9007199254740993]),
    SqlCase("SELECT count(*) FROM v WHERE id > $1 HAVING count(*) > $2", [1, 2]),
    SqlCase(
        "INSERT INTO v (id, b, s, l, d, t, ts, da, uu) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *",
        [
            30,
            True,
            1,
            9223372036854775807,
            0.1,
            "ä",
            "2020-01-02T03:04:05.000006Z",
            "2020-01-02",
            "aaaaaaaa-0000-0000-0000-000000000009",
        ],
    ),
    SqlCase("INSERT INTO v (id, i) VALUES ($1, $1 + 1) RETURNING i", [31]),
    SqlCase("UPDATE v SET t = $2 WHERE id = $1 RETURNING t", [1, "new"]),
    SqlCase("UPDATE v SET t = $1", [None]),
    SqlCase("UPDATE v SET i = i + $1 WHERE s = $2 RETURNING i", [1, 7]),
    SqlCase("DELETE FROM v WHERE id IN ($1, $2, $3) RETURNING id", [1, 2, 99]),
)

# One parameter in several places: the first that has a type for it decides. Two columns of one row must agree.
_VALUES: Final = {"s": 5, "i": 10, "l": 100, "d": 2.5, "t": "abc", "da": "2020-02-29", "ts": "1970-01-01 00:00:00Z"}
_PAIRS: Final = tuple(permutations(_VALUES, 2))
_IN_SEVERAL_PLACES: Final = (
    *(SqlCase(f"UPDATE v SET {a} = $1, {b} = $1", [_VALUES[a]], "INVALID_PARAMS") for a, b in _PAIRS),
    *(SqlCase(f"UPDATE v SET {a} = $1 WHERE {b} = $1 RETURNING $1", [_VALUES[b]]) for a, b in _PAIRS),
    *(SqlCase(f"SELECT id FROM v WHERE {a} = $1 AND {b} = $1 ORDER BY id", [_VALUES[a]]) for a, b in _PAIRS),
    *(
        SqlCase(f"INSERT INTO v (id, {a}, {b}) VALUES (30, $1, $1)", [value], "INVALID_PARAMS")
        for a, b, value in (("d", "i", 1.5), ("i", "d", 1.5), ("i", "l", 1), ("l", "i", 1), ("ts", "da", "2020-01-01"))
    ),
    SqlCase("INSERT INTO v (id, j, t) VALUES (30, $1, $1)", [None], "INVALID_PARAMS"),
    SqlCase("INSERT INTO v (id, t, u) VALUES (30, $1, $1)", ["x"]),
    SqlCase("INSERT INTO v (id, i, l) VALUES (30, $1, 1), (31, 1, $1)", [7]),
    SqlCase("INSERT INTO v (id, l, i) VALUES (30, $1, 1), (31, 1, $1)", [7]),
    SqlCase("INSERT INTO v (id, i, d) VALUES (30, $1, $1::float8)", [7], "INVALID_PARAMS"),
    SqlCase("INSERT INTO v (id, i) VALUES (30, $1) RETURNING $1, d = $1", [7]),
    SqlCase("UPDATE v SET l = $1 WHERE i = $1", [2147483648], "INVALID_PARAMS"),
    SqlCase("UPDATE v SET l = $1 RETURNING i / $1", [2]),
    SqlCase("UPDATE v SET d = $1::int RETURNING $1", ["2"]),
    SqlCase("UPDATE v SET l = $1, i = $1 + 1", [2], "INVALID_PARAMS"),
    SqlCase("UPDATE v SET da = ($1)::text", ["2020-01-01"], "TYPE_MISMATCH"),
    SqlCase("UPDATE v SET t = ($1)::int", [7]),
    SqlCase("DELETE FROM v WHERE i = $1 RETURNING $1, d = $1", [3]),
    SqlCase("SELECT id, $1 = d FROM v WHERE s = $1 ORDER BY id", [7.0]),
    SqlCase("SELECT id FROM v GROUP BY id, i / $1 ORDER BY l / $1, id", [2]),
    SqlCase("SELECT id FROM v ORDER BY id LIMIT $1::int OFFSET $1", [2]),
    SqlCase("SELECT id FROM v ORDER BY id LIMIT $1 OFFSET $1::int", [3000000000], "INVALID_PARAMS"),
    SqlCase("SELECT DISTINCT $1, b FROM v ORDER BY 1, 2", ["x"]),
    SqlCase("SELECT DISTINCT $1 FROM v WHERE i = $1", [3], "INVALID_PARAMS"),
    SqlCase("SELECT DISTINCT i FROM v ORDER BY $1", ["x"], "INVALID_SQL"),
    SqlCase("SELECT DISTINCT $1::int FROM v ORDER BY $1", [3]),
    SqlCase("SELECT id FROM v WHERE $1 BETWEEN da AND '2021-01-01' ORDER BY id", ["2020-02-29"]),
    SqlCase("SELECT $1 BETWEEN '2021-01-01' AND da FROM v", ["2020-02-29"], "INVALID_PARAMS"),
    SqlCase("SELECT id FROM v WHERE i = $1 OR $1 IS NULL ORDER BY id", [None]),
    SqlCase("SELECT id FROM v WHERE i = $1 OR $1 IS NOT DISTINCT FROM NULL ORDER BY id", [3]),
    SqlCase("SELECT $1 IN (i, l) FROM v", [3], "INVALID_PARAMS"),
    SqlCase("SELECT $1 IN (i, 1, 2) FROM v ORDER BY id", [3]),
    SqlCase("SELECT CASE WHEN b THEN $1 WHEN d = $1 THEN 2 END FROM v", [3], "INVALID_PARAMS"),
    SqlCase("SELECT CASE WHEN d = $1 THEN 2 WHEN b THEN $1 END FROM v ORDER BY id", [0.5]),
    SqlCase("SELECT CASE i WHEN $1 THEN $1 END FROM v ORDER BY id", [3]),
    SqlCase("SELECT $1 LIKE concat($1::int)", [1], "INVALID_PARAMS"),
    SqlCase("SELECT concat($1::int, $1)", [1]),
    SqlCase("SELECT $1::int, $1::text, $1 + 1", [1]),
    SqlCase("SELECT nullif($1, $1::int), coalesce($1::int, $1)", [1]),
)

# Differences on purpose (`planner.DIFFERENCES`), and what is refused though PostgreSQL answers.
_REFUSED: Final = (
    SqlCase("SELECT 99999999999999999999", refused="TYPE_MISMATCH"),
    SqlCase("SELECT 'infinity'::float8", refused="TYPE_MISMATCH"),
    SqlCase("SELECT 'NaN'::float8", refused="TYPE_MISMATCH"),
    SqlCase("SELECT '10000-01-01'::date", refused="TYPE_MISMATCH"),
    SqlCase("SELECT da + 1 FROM v", refused="TYPE_MISMATCH"),
    SqlCase("SELECT '20200101'::date", refused="TYPE_MISMATCH"),
    SqlCase("SELECT '2020-001'::date", refused="TYPE_MISMATCH"),
    SqlCase("SELECT '20200101T1234'::timestamptz", refused="TYPE_MISMATCH"),
    SqlCase("SELECT '2020-01-01 24:00:00'::timestamptz", refused="TYPE_MISMATCH"),
    SqlCase("SELECT '2020-01-01 00:00:00.1234567'::timestamptz", refused="TYPE_MISMATCH"),
    SqlCase("SELECT '0x1p3'::float8", refused="TYPE_MISMATCH"),
    SqlCase("SELECT 'infinity'::timestamptz", refused="TYPE_MISMATCH"),
    SqlCase("SELECT 1::numeric", refused="UNSUPPORTED_SQL"),
    SqlCase("SELECT ts - ts FROM v", refused="UNSUPPORTED_SQL"),
    SqlCase("SELECT substring(t, 'b') FROM v", refused="UNSUPPORTED_SQL"),
    SqlCase("SELECT md5(t) FROM v", refused="UNSUPPORTED_SQL"),
    SqlCase("SELECT round(d, 2) FROM v", refused="TYPE_MISMATCH"),
    SqlCase("SELECT 'a' LIKE 'b\\'", refused="TYPE_MISMATCH"),
    SqlCase("SELECT i BETWEEN 1 AND 2.5::float8 FROM v", refused="UNSUPPORTED_SQL"),
    SqlCase("SELECT 1 FROM v HAVING count(*) > 1", refused="UNSUPPORTED_SQL"),
    SqlCase("SELECT id FROM v ORDER BY id LIMIT (SELECT 1)"),
    SqlCase("SELECT sum(l) FROM v WHERE id IN (4, 6)", refused="TYPE_MISMATCH"),
    SqlCase("SELECT '\"\\ud800\"'::json", refused="TYPE_MISMATCH"),
)


def _lines(file: str) -> list[str]:
    """The lines of a file beside the answers; those with # are comments."""
    text = (Path(__file__).resolve().parents[1] / "conformance" / file).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


# Refused though PostgreSQL answers, among the expressions: its result is numeric, an interval, or out of our years.
_ALSO_REFUSED: Final = {
    "SELECT ts - ts FROM v ORDER BY id": "UNSUPPORTED_SQL",
    "SELECT ts - da FROM v ORDER BY id": "UNSUPPORTED_SQL",
    "SELECT da + 1 FROM v ORDER BY id": "TYPE_MISMATCH",
    "SELECT 1 + da FROM v ORDER BY id": "TYPE_MISMATCH",
    "SELECT da - 1 FROM v ORDER BY id": "TYPE_MISMATCH",
    "SELECT da + s FROM v ORDER BY id": "TYPE_MISMATCH",
}


def _cases() -> tuple[SqlCase, ...]:
    expressions = [SqlCase(f"SELECT {each} FROM v ORDER BY id") for each in _lines("sql_expressions.txt")]
    statements = [SqlCase(each) for each in _lines("sql_statements.txt")]
    cases = [*expressions, *statements, *_WITH_PARAMETERS, *_IN_SEVERAL_PLACES, *_REFUSED]
    return tuple(case._replace(refused=_ALSO_REFUSED.get(case.sql, case.refused)) for case in cases)


CASES: Final = _cases()
