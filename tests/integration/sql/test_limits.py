"""Every limit of the page about SQL, for every kind of statement: held, and named with its value by its error."""

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support.asking import Asking, Held, asking
from support.server import until
from support.sql_server import sql_server
from watchword_server.app import RunningServer
from watchword_server.config import StatementLimits

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "sql.md"

# Where an expression stands; ten notes are there.
PLACES = [
    "SELECT {}",
    "SELECT 1 FROM app.notes WHERE ({}) IS NOT NULL",
    "SELECT count(*) FROM app.notes GROUP BY ({})::text",
    "SELECT id FROM app.notes ORDER BY ({})::text",
    "INSERT INTO app.notes (id, body) VALUES (11, ({})::text)",
    "UPDATE app.notes SET body = ({})::text",
    "UPDATE app.notes SET stars = 1 WHERE ({}) IS NOT NULL",
    "DELETE FROM app.notes WHERE ({}) IS NOT NULL",
    "DELETE FROM app.notes RETURNING {}",
]


async def fill(each: Asking) -> None:
    """Ten notes with the body 'a', within the limits of any case."""
    statements = [
        {"sql": "INSERT INTO app.notes (id, body) VALUES ($1, 'a')", "params": [number]} for number in range(1, 11)
    ]
    for first in range(0, 10, 5):
        answer = await each.ask(statements=statements[first : first + 5])
        assert answer["type"] == "result", answer


@asynccontextmanager
async def filled(server: RunningServer, name: str = "ada") -> AsyncGenerator[Asking]:
    async with asking(server, name) as each:
        await fill(each)
        yield each


# --- those that are settings ------------------------------------------------------------------------------

TEN = ", ".join(f"({number}, $1)" for number in range(11, 21))
READS = ["SELECT body || $1 FROM app.notes"]
WRITES = [
    f"INSERT INTO app.notes (id, body) VALUES {TEN} RETURNING body",
    "UPDATE app.notes SET body = $1 RETURNING body",
    "DELETE FROM app.notes RETURNING body || $1",
]
DEFINITIONS = ["CREATE NAMESPACE more", "CREATE TABLE app.more (id INT PRIMARY KEY)", "DROP TABLE app.news"]
STEPS = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 50000)"
SLOW = "length(replace(replace(replace($1 || body, 'x', 'xyxyxyxyxy'), 'y', 'xyxyxyxyxy'), 'x', 'xy')) = 0"
LONG = "x" * 10_000


class Case(NamedTuple):
    """What passes the user's limit, and not the service's, by a request; `code` of its error."""

    limit: str
    users: int
    services: int
    requests: Sequence[dict[str, Any]]
    code: str = "LIMIT_EXCEEDED"


def ask_with(sql: str, *params: Any, **members: Any) -> dict[str, Any]:
    return {"sql": sql, "params": list(params), **members}


SIX = "$1 || $2 || $3 || $4 || $5 || $6"
CASES = [
    Case("sql_bytes", 400, 16_384, [ask_with(sql.ljust(401), "x") for sql in READS + WRITES]),
    Case("params", 5, 6, [ask_with(sql.replace("$1", SIX), *"abcdef") for sql in READS + WRITES]),
    Case(
        "statements",
        5,
        6,
        [
            *(ask_with(f"{sql}; {'SELECT $1::text; ' * 5}", "x") for sql in READS + WRITES),
            {"statements": [{"sql": READS[0], "params": ["x"]}] * 6},
            {"statements": [{"sql": WRITES[1], "params": ["x"]}] * 6},
        ],
    ),
    Case("value_bytes", 1_024, 2_000, [ask_with(sql, "x" * 1_500) for sql in READS + WRITES]),
    Case("rows", 7, 10, [ask_with(sql, "x") for sql in READS + WRITES], "RESULT_TOO_LARGE"),
    Case(
        "result_bytes",
        1_500,
        100_000,
        [
            *(ask_with(sql, "x" * 900) for sql in READS + WRITES),
            ask_with("SELECT $1::text, $1::text", "x" * 900),
            ask_with("SELECT $1::text; SELECT $1::text", "x" * 900),
        ],
        "RESULT_TOO_LARGE",
    ),
    Case("read_time_ms", 1, 5_000, [ask_with(f"SELECT count(*) FROM app.notes WHERE {SLOW}", LONG)], "QUERY_TIMEOUT"),
    Case(
        "write_time_ms",
        1,
        5_000,
        [
            ask_with(f"UPDATE app.notes SET stars = 1 WHERE {SLOW}", LONG),
            ask_with(f"DELETE FROM app.notes WHERE {SLOW}", LONG),
            ask_with(f"INSERT INTO app.notes (id, body) {STEPS} SELECT max(x), $1 FROM n", LONG),
            ask_with(f"SELECT count(*) FROM app.notes WHERE {SLOW}", LONG, idempotency_key="k"),
            ask_with(f"UPDATE app.notes SET stars = 1; SELECT count(*) FROM app.notes WHERE {SLOW}", LONG),
        ],
        "QUERY_TIMEOUT",
    ),
    Case(
        "kept_bytes",
        1_024,
        100_000,
        [ask_with(sql, "x" * 900, idempotency_key=sql[:9]) for sql in READS + WRITES],
    ),
]


def test_every_limit_that_is_a_setting_has_a_case() -> None:
    assert {case.limit for case in CASES} | {"statements_per_user"} == {each.name for each in fields(StatementLimits)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.limit)
async def test_a_limit_holds_for_each_kind_of_statement_and_may_differ_by_role(tmp_path: Path, case: Case) -> None:
    limits = {case.limit: case.users, "role": {"service": StatementLimits(**{case.limit: case.services})}}
    async with sql_server(tmp_path, limits=limits) as server:
        for request in case.requests:
            for name in ("ada", "serge"):
                async with asking(server, name) as each:
                    await each.ask("DELETE FROM app.notes")
                    await fill(each)
                    answer = await each.ask(**request)
                    if name == "serge":
                        assert answer["type"] == "result", (request, answer)
                        continue
                    assert answer.get("code") == case.code, (request, answer)
                    assert f"({case.limit})" in answer["message"], (request, answer)
                    assert str(case.users) in answer["message"]
                    assert await each.rows("SELECT count(*) FROM app.notes WHERE body = 'a'") == [[10]]


@pytest.mark.parametrize(
    ("limit", "users", "text"),
    [("sql_bytes", 400, " " * 400), ("params", 5, "")],
)
async def test_definitions_have_limits_too(tmp_path: Path, limit: str, users: int, text: str) -> None:
    limits = {"role": {"dba": StatementLimits(**{limit: users})}}
    async with sql_server(tmp_path, limits=limits) as server, asking(server, "cleo") as cleo:
        for sql in DEFINITIONS:
            code, message = await cleo.refusal(f"{sql}{text}", *([] if text else range(6)))
            assert (code, f"({limit})" in message, str(users) in message) == ("LIMIT_EXCEEDED", True, True)


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("read", {"sql": "SELECT 1"}),
        ("write", {"sql": "DELETE FROM app.notes"}),
        ("write_once", {"sql": "SELECT 1", "idempotency_key": "k"}),
        ("define", {"sql": "CREATE NAMESPACE IF NOT EXISTS app"}),
    ],
)
async def test_whatever_a_user_asks_counts_among_what_the_user_has_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, request_: dict[str, Any]
) -> None:
    limits = {"statements_per_user": 1, "role": {"dba": StatementLimits(statements_per_user=2)}}
    async with sql_server(tmp_path, limits=limits) as server:
        name, at_once = ("cleo", 2) if method == "define" else ("ada", 1)
        held = Held(server, method, monkeypatch)
        async with asking(server, name) as first, asking(server, name) as second, asking(server, name) as third:
            for each in (first, second)[:at_once]:
                each.send(**request_)
            await until(lambda: len(held.entered) == at_once)
            for members in (request_, {"sql": "SELECT 1"}, {"sql": "DELETE FROM app.notes"}):
                code, message = await third.refusal(**members)
                assert code == "LIMIT_EXCEEDED"
                assert f"More than {at_once} queries" in message
                assert "(statements_per_user)" in message
            held.let_go()
            for each in (first, second)[:at_once]:
                assert (await each.socket.read_message())["type"] == "result"
            assert (await third.ask(**request_))["type"] == "result"


async def test_what_a_user_may_have_is_counted_by_user_and_not_by_as_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sql_server(tmp_path, limits={"statements_per_user": 1}) as server:
        held = Held(server, "read", monkeypatch)
        async with asking(server, "serge") as serge, asking(server) as ada, asking(server, "serge") as again:
            serge.send("SELECT 1", as_user="ada")
            await until(lambda: len(held.entered) == 1)
            ada.send("SELECT 1")
            await until(lambda: len(held.entered) == 2)
            assert (await again.refusal("SELECT 1"))[0] == "LIMIT_EXCEEDED"
            held.let_go()
            for each in (serge, ada):
                assert (await each.socket.read_message())["type"] == "result"


# --- those that are the same for everybody ----------------------------------------------------------------

# By name and value: an expression that passes the limit, and its parameters.
EXPRESSIONS: dict[tuple[str, int], tuple[str, list[Any]]] = {
    ("parts", 12_288): (f"1 IN ({','.join('1' * 6_300)})", []),
    ("nesting", 60): (f"{'(' * 61}1{')' * 61}", []),
    ("nesting", 200): ("'a'" + " || 'a'" * 201, []),
    ("name_bytes", 63): ("x" * 64, []),
    ("operator_characters", 8): ("1 <<<<<<<<< 1", []),
    ("arguments", 100): (f"concat({', '.join(['1'] * 101)})", []),
    ("pattern_bytes", 256): (f"'a' LIKE '{'x' * 257}'", []),
    ("json_containers", 65_536): ("$1::json", [[[]] * 65_536]),
    ("json_levels", 500): ("$1::text::json", ["[" * 501 + "]" * 501]),
    ("value_bytes", 4_194_304): ("length(replace($1, 'a', $2))", ["a" * 20_000, "b" * 256]),
}


@pytest.mark.parametrize("limit", EXPRESSIONS, ids=lambda limit: f"{limit[0]}-{limit[1]}")
async def test_a_fixed_limit_holds_wherever_an_expression_stands(server: RunningServer, limit: tuple[str, int]) -> None:
    expression, params = EXPRESSIONS[limit]
    async with filled(server) as ada:
        for sql in PLACES:
            code, message = await ada.refusal(sql.replace("{}", expression), *params)
            assert (code, named(message)) == ("LIMIT_EXCEEDED", limit), sql
        assert await ada.rows("SELECT count(*) FROM app.notes WHERE body = 'a'") == [[10]]


COLUMNS = ", ".join(f"c{number} INT" for number in range(501))
OUTPUTS = ", ".join(["id"] * 501)
KEYS = ", ".join(["id"] * 101)
MANY = ", ".join(["body || $1"] * 9)
STATEMENTS: list[tuple[str, int, str, str, list[Any]]] = [
    ("columns", 500, "LIMIT_EXCEEDED", f"CREATE TABLE app.wide ({COLUMNS}, PRIMARY KEY (c0))", []),
    ("columns", 500, "LIMIT_EXCEEDED", f"SELECT {OUTPUTS} FROM app.notes", []),
    ("columns", 500, "LIMIT_EXCEEDED", f"INSERT INTO app.notes (id, body) VALUES (11, 'x') RETURNING {OUTPUTS}", []),
    ("columns", 500, "LIMIT_EXCEEDED", f"UPDATE app.notes SET body = 'x' RETURNING {OUTPUTS}", []),
    ("columns", 500, "LIMIT_EXCEEDED", f"DELETE FROM app.notes RETURNING {OUTPUTS}", []),
    (
        *("key_columns", 16, "LIMIT_EXCEEDED"),
        f"CREATE TABLE app.wide ({COLUMNS[:400].rpartition(',')[0]}, "
        f"PRIMARY KEY ({', '.join(f'c{number}' for number in range(17))}))",
        [],
    ),
    (
        *("constraints", 64, "LIMIT_EXCEEDED"),
        f"CREATE USER TABLE app.t (id INT PRIMARY KEY{', CHECK (id > 0)' * 65})",
        [],
    ),
    ("tables", 50, "LIMIT_EXCEEDED", f"SELECT 1 FROM {', '.join(f'app.notes n{place}' for place in range(51))}", []),
    ("operands", 20, "LIMIT_EXCEEDED", " UNION ".join(["SELECT 1"] * 21), []),
    ("keys", 100, "LIMIT_EXCEEDED", f"SELECT id FROM app.notes ORDER BY {KEYS}", []),
    ("keys", 100, "LIMIT_EXCEEDED", f"SELECT count(*) FROM app.notes GROUP BY {KEYS}", []),
    (
        "nesting",
        60,
        "LIMIT_EXCEEDED",
        f"CREATE TABLE app.t (id INT PRIMARY KEY, n INT DEFAULT {'(' * 61}1{')' * 61})",
        [],
    ),
    ("name_bytes", 63, "LIMIT_EXCEEDED", f"CREATE TABLE app.{'x' * 64} (id INT PRIMARY KEY)", []),
    ("name_bytes", 63, "LIMIT_EXCEEDED", f"CREATE NAMESPACE {'x' * 64}", []),
    ("name_bytes", 63, "LIMIT_EXCEEDED", f"DROP TABLE app.{'x' * 64}", []),
    ("pattern_bytes", 65_536, "LIMIT_EXCEEDED", "SELECT strpos($1, $2)", ["x" * 65_537, "y" * 17]),
    ("pattern_bytes", 65_536, "LIMIT_EXCEEDED", "DELETE FROM app.notes WHERE $1 LIKE body", ["x" * 65_537]),
    ("result_bytes", 8_388_608 // 9, "RESULT_TOO_LARGE", f"SELECT {MANY} FROM app.notes", ["x" * 950_000]),
    ("result_bytes", 8_388_608 // 9, "RESULT_TOO_LARGE", f"DELETE FROM app.notes RETURNING {MANY}", ["x" * 950_000]),
]


@pytest.mark.parametrize(
    ("name", "value", "code", "sql", "params"), STATEMENTS, ids=[f"{each[0]}-{each[3][:30]}" for each in STATEMENTS]
)
async def test_a_fixed_limit_of_a_kind_of_statement(
    server: RunningServer, name: str, value: int, code: str, sql: str, params: list[Any]
) -> None:
    async with filled(server, "cleo") as cleo:
        found, message = await cleo.refusal(sql, *params)
        assert (found, named(message)) == (code, (name, value))
        assert await cleo.rows("SELECT count(*) FROM app.notes WHERE body = 'a'") == [[10]]


@pytest.mark.parametrize("sql", ["SELECT 1 WHERE 100 IN ({})", "DELETE FROM app.notes WHERE id IN ({})"])
async def test_a_statement_that_grows_too_large_for_the_engine(tmp_path: Path, sql: str) -> None:
    limits = {"sql_bytes": 1_048_576, "max_message_bytes": 2_097_152}
    async with sql_server(tmp_path, limits=limits) as server, filled(server) as ada:
        code, message = await ada.refusal(sql.format(",".join(["1001"] * 200_000)))
        assert (code, named(message)) == ("LIMIT_EXCEEDED", ("engine_bytes", 1_000_000))
        assert await ada.rows("SELECT count(*) FROM app.notes") == [[10]]


def test_every_fixed_limit_has_a_case() -> None:
    here = {*EXPRESSIONS, *((name, value) for name, value, *_ in STATEMENTS)}
    page = PAGE.read_text(encoding="utf-8").partition("### Fixed limits")[2]
    rows = re.findall(r"^\| `(\w+)` \|.* ([\d,]+)(?: if that is more)? \|$", page, re.MULTILINE)
    elsewhere = {("kept_result_bytes", 65_536), ("engine_bytes", 1_000_000), ("cascade_levels", 500)}
    apart = {("parts", 1_000): ("parts", 12_288), ("result_bytes", 8_388_608): ("result_bytes", 8_388_608 // 9)}
    listed = {(name, int(number.replace(",", ""))) for name, number in rows} - elsewhere
    assert {apart.get(each, each) for each in listed} == here


def named(message: str) -> tuple[str, int]:
    """The limit that a message names, and its value."""
    [name] = re.findall(r"\(([a-z_]+)\)", message)
    numbers = [int(each.replace(",", "")) for each in re.findall(r"\d[\d,]*", message)]
    return name, max(numbers, default=0)
