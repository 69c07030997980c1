"""The `query` message over a socket: results, transactions, errors, limits."""

from pathlib import Path
from typing import Any

import pytest

from support.asking import asking
from support.raw_socket import text
from support.sql_server import sql_server
from watchword_server.app import RunningServer
from watchword_server.config import StatementLimits


async def test_a_result_has_the_shape_of_the_contract(server: RunningServer) -> None:
    async with asking(server) as ada:
        await ada.rows("INSERT INTO app.notes VALUES ($1, $2, $3)", 2**60, "hello", None)
        ada.socket.send(
            text({"type": "query", "id": "q-7", "sql": "SELECT id, body, stars, 1.5 AS half FROM app.notes"})
        )
        answer = await ada.socket.read_message()
        assert answer.pop("took") >= 0
        schema = answer["results"][0].pop("schema")
        assert answer == {
            "type": "result",
            "id": "q-7",
            "results": [{"rows": [[str(2**60), "hello", None, 1.5]], "row_count": 1, "as_user": "ada"}],
        }
        assert [(each["name"], each["data_type"], each["index"]) for each in schema] == [
            ("id", "BigInt", 0),
            ("body", "Text", 1),
            ("stars", "Int", 2),
            ("half", "Double", 3),
        ]
        assert [each.get("flags") for each in schema] == [["pk", "nn"], ["nn"], None, None]


@pytest.mark.parametrize("message_id", ["a", 0, -(2**53 - 1), None])
async def test_an_answer_echoes_the_id(server: RunningServer, message_id: Any) -> None:
    async with asking(server) as ada:
        for sql in ("SELECT 1", "SELEC 1"):
            ada.socket.send(text({"type": "query", "id": message_id, "sql": sql}))
            assert (await ada.socket.read_message()).get("id") == message_id


class TestTransactions:
    """Several statements happen together or not at all."""

    async def test_statements_of_one_text_share_their_parameters(self, server: RunningServer) -> None:
        async with asking(server) as ada:
            insert, select = "INSERT INTO app.notes VALUES ($1, $2, 1)", "SELECT body FROM app.notes WHERE id = $1"
            sql = f"{insert}; {select}; DELETE FROM app.notes;"
            answer = await ada.ask(sql, 4, "a;b")
            assert [(each["rows"], each["row_count"]) for each in answer["results"]] == [
                ([], 1),
                ([["a;b"]], 1),
                ([], 1),
            ]

    async def test_statements_of_a_list_have_their_own(self, server: RunningServer) -> None:
        async with asking(server) as ada:
            insert = "INSERT INTO app.notes VALUES ($1, $2, 1) RETURNING id"
            statements = [{"sql": insert, "params": [number, "x"]} for number in (1, 2)]
            answer = await ada.ask(statements=[*statements, {"sql": "SELECT count(*) FROM app.notes"}])
            assert [each["rows"] for each in answer["results"]] == [[[1]], [[2]], [[2]]]

    @pytest.mark.parametrize(
        ("third", "code"),
        [
            ({"sql": "INSERT INTO app.notes VALUES (1, 'again', 1)"}, "CONSTRAINT_VIOLATION"),
            ({"sql": "SELECT 1 / (id - 1) FROM app.notes"}, "TYPE_MISMATCH"),
            ({"sql": "SELECT * FROM app.nowhere"}, "NOT_FOUND"),
            ({"sql": "SELECT $1::int", "params": ["x"]}, "INVALID_PARAMS"),
            ({"sql": "SELECT $1::int", "params": []}, "INVALID_PARAMS"),
            ({"sql": "SELECT 1; SELECT 2"}, "INVALID_SQL"),
            ({"sql": "DROP TABLE app.notes"}, "UNSUPPORTED_SQL"),
        ],
    )
    async def test_one_that_fails_is_named_and_nothing_is_applied(
        self, server: RunningServer, third: dict[str, Any], code: str
    ) -> None:
        first = [{"sql": f"INSERT INTO app.notes VALUES ({number}, 'x', 1)"} for number in (1, 2)]
        async with asking(server, "cleo") as cleo:
            answer = await cleo.ask(statements=[*first, third])
            assert (answer["type"], answer["code"], answer["statement"]) == ("error", code, 2)
            assert await cleo.rows("SELECT * FROM app.notes") == []

    async def test_a_definition_stands_alone(self, server: RunningServer) -> None:
        async with asking(server, "cleo") as cleo:
            answer = await cleo.ask("SELECT 1; CREATE NAMESPACE other")
            assert (answer["code"], answer["statement"]) == ("UNSUPPORTED_SQL", 1)
            assert await cleo.rows(statements=[{"sql": "CREATE NAMESPACE other"}]) == []


@pytest.mark.parametrize(
    ("sql", "code", "line", "column"),
    [
        ("SELECT 1 +", "INVALID_SQL", 1, 11),
        ("SELECT *\nFROM app.notes\nWHERE bdy = 1", "NOT_FOUND", 3, 7),
        ("SELECT * FROM app.note", "NOT_FOUND", 1, 15),
        ("PRAGMA user_version", "UNSUPPORTED_SQL", 1, 1),
        ("SELECT id FROM\n app.notes WHERE stars = 'x'", "TYPE_MISMATCH", 2, 24),
    ],
)
async def test_an_error_says_where(server: RunningServer, sql: str, code: str, line: int, column: int) -> None:
    async with asking(server) as ada:
        answer = await ada.ask(sql)
        assert (answer["code"], answer.get("line"), answer.get("column")) == (code, line, column)
        assert answer["request_id"]


@pytest.mark.parametrize(
    ("sql", "message", "place"),
    [
        ("SELECT 1 +\n 2147483647", "A number is out of range for integer.", (0, 1, 10)),
        ("SELECT 1; SELECT 1/0", "Division by zero.", (1, 1, 19)),
        ("SELECT 7,\n body::int FROM app.notes", "A text is no valid input for integer.", (0, 2, 6)),
        ("SELECT body FROM app.notes\nWHERE 5 % (stars - 7) = 1", "Division by zero.", (0, 2, 9)),
        ("SELECT stars FROM app.notes GROUP BY\n stars HAVING sum(1/(stars-7)) > 1", "Division by zero.", (0, 2, 20)),
        ("SELECT stars FROM app.notes ORDER BY\n 1/(stars-7)", "Division by zero.", (0, 2, 3)),
        ("SELECT 1/(stars-7) FROM app.notes\nGROUP BY 1/(stars-7)", "Division by zero.", (0, 1, 9)),
        ("SELECT 2,\n sum(id) FROM app.notes", "A sum is out of range for bigint.", (0, 2, 2)),
        ("SELECT sum(id), sum(id) FROM app.notes", "A sum is out of range for bigint.", (0, 1, 8)),
        ("SELECT sum(id), sum(DISTINCT id - 3) FROM app.notes", "A sum is out of range for bigint.", (0, None, None)),
        ("SELECT 7 LIMIT 8\n OFFSET 3 - 4", "LIMIT and OFFSET must not be negative.", (0, 2, 11)),
        ("SELECT substr(body,\n 1, -stars) FROM app.notes", "A negative length of a substring.", (0, 1, 8)),
        (
            "INSERT INTO app.notes (id, body, stars)\nVALUES (1, 'x', 5 + 2147483648)",
            'Column "stars": A number is out of range for integer.',
            (0, 2, 19),
        ),
        (
            "UPDATE app.notes SET body = 'x',\n stars = id",
            'Column "stars": A number is out of range for integer.',
            (0, 2, 10),
        ),
        (
            "DELETE FROM app.notes WHERE id > 0 RETURNING\n id * 9",
            "A number is out of range for bigint.",
            (0, 2, 5),
        ),
    ],
)
async def test_a_value_that_fails_on_some_row_says_where_it_is_computed(
    server: RunningServer, sql: str, message: str, place: tuple[int, int | None, int | None]
) -> None:
    async with asking(server) as ada:
        await ada.rows("INSERT INTO app.notes VALUES ($1, 'x', 7), ($2, 'y', 8)", 2**63 - 1, 2**63 - 2)
        answer = await ada.ask(sql)
        assert answer["message"] == message
        assert (answer.get("statement"), answer.get("line"), answer.get("column")) == place
        listed = [{"sql": "SELECT 7"}, {"sql": "SELECT 8"}, {"sql": "\n" + sql}]
        if place[0] == 0:
            answer = await ada.ask(statements=listed)
            assert (answer["statement"], answer.get("line")) == (2, place[1] and place[1] + 1)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ([1], "takes 2 parameters, and 1 is given"),
        ([1, "x", 3], "takes 2 parameters, and 3 are given"),
        (["one", "x"], "$1 is bigint"),
        ([2**63, "x"], "$1 is bigint"),
        ([1, 7], "$2 is text"),
    ],
)
async def test_parameters_that_do_not_fit_are_named(server: RunningServer, parameters: list[Any], words: str) -> None:
    async with asking(server) as ada:
        code, message = await ada.refusal("INSERT INTO app.notes (id, body) VALUES ($1, $2)", *parameters)
        assert code == "INVALID_PARAMS"
        assert words in message


async def test_a_parameter_beyond_double_is_named(server: RunningServer) -> None:
    async with asking(server) as ada:
        ada.socket.send(text('{"type": "query", "id": 1, "sql": "SELECT $2::double", "params": [1, 1e999]}'))
        answer = await ada.socket.read_message()
        assert (answer["code"], answer["id"]) == ("INVALID_PARAMS", 1)
        assert answer["message"].startswith("$2 ")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"sql": "SELECT 1", "statements": [{"sql": "SELECT 1"}]}, "exactly one of"),
        ({}, "exactly one of"),
        ({"statements": []}, "$.statements"),
        ({"sql": "SELECT 1", "timeout_ms": 0}, "$.timeout_ms"),
        ({"sql": "SELECT 1", "params": {}}, "$.params"),
        ({"sql": "SELECT 1", "idempotency_key": "k" * 129}, "$.idempotency_key"),
        ({"sql": "SELECT 1", "idempotency_key": ""}, "$.idempotency_key"),
    ],
)
async def test_a_malformed_query_is_an_error_and_the_connection_goes_on(
    server: RunningServer, members: dict[str, Any], words: str
) -> None:
    async with asking(server) as ada:
        ada.socket.send(text({"type": "query", "id": "m", **members}))
        answer = await ada.socket.read_message()
        assert (answer["type"], answer["id"], answer["code"]) == ("error", "m", "MALFORMED_MESSAGE")
        assert words in answer["message"]
        assert await ada.rows("SELECT 1") == [[1]]


LIMITS: dict[str, Any] = {
    "sql_bytes": 100,
    "params": 3,
    "statements": 2,
    "value_bytes": 1_024,
    "rows": 4,
    "result_bytes": 2_048,
    "read_time_ms": 40,
    "role": {
        "service": StatementLimits(rows=5, params=4, value_bytes=1_030, statements=3, sql_bytes=110),
        "dba": StatementLimits(sql_bytes=500),
    },
}


@pytest.mark.parametrize(
    ("name", "members", "code", "words"),
    [
        ("ada", {"sql": f"SELECT '{'x' * 90}'"}, None, ""),
        ("ada", {"sql": f"SELECT '{'x' * 92}'"}, "LIMIT_EXCEEDED", "100 bytes (sql_bytes)"),
        ("serge", {"sql": f"SELECT '{'x' * 92}'"}, None, ""),
        ("ada", {"sql": "SELECT $1, $2, $3", "params": ["1", "2", "3"]}, None, ""),
        ("ada", {"sql": "SELECT $1, $2, $3, $4", "params": ["1", "2", "3", "4"]}, "LIMIT_EXCEEDED", "3 parameters"),
        ("serge", {"sql": "SELECT $1, $2, $3, $4", "params": ["1", "2", "3", "4"]}, None, ""),
        ("ada", {"sql": "SELECT $4"}, "LIMIT_EXCEEDED", "params"),
        ("ada", {"sql": "SELECT 1; SELECT 2; SELECT 3"}, "LIMIT_EXCEEDED", "statements"),
        ("ada", {"statements": [{"sql": "SELECT 1"}] * 3}, "LIMIT_EXCEEDED", "2 statements"),
        ("serge", {"statements": [{"sql": "SELECT 1"}] * 3}, None, ""),
        ("ada", {"sql": "SELECT $1::text", "params": ["x" * 1_024]}, None, ""),
        ("ada", {"sql": "SELECT $1::text", "params": ["x" * 1_025]}, "LIMIT_EXCEEDED", "$1 has more than 1024 bytes"),
        ("ada", {"sql": "SELECT $1::text", "params": ["\u00e4" * 513]}, "LIMIT_EXCEEDED", "value_bytes"),
        ("serge", {"sql": "SELECT $1::text", "params": ["x" * 1_025]}, None, ""),
        ("ada", {"sql": "SELECT id FROM app.news"}, "RESULT_TOO_LARGE", "4"),
        ("serge", {"sql": "SELECT id FROM app.news"}, None, ""),
        ("ada", {"sql": "SELECT $1::text, $1::text", "params": ["x" * 1_024]}, "RESULT_TOO_LARGE", "2048"),
    ],
)
async def test_limits_name_themselves_and_may_differ_by_role(
    tmp_path: Path, name: str, members: dict[str, Any], code: str | None, words: str
) -> None:
    async with sql_server(tmp_path, limits=LIMITS) as server:
        async with asking(server, "cleo") as cleo:
            await cleo.rows("INSERT INTO app.news VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, 'e')")
        async with asking(server, name) as each:
            answer = await each.ask(**members)
            assert answer.get("code") == code, answer
            assert words in answer.get("message", "")


async def test_small_values_do_not_forbid_tables_of_many_columns(tmp_path: Path) -> None:
    """And what is computed has the room that their definitions need."""
    limits = {"value_bytes": 1_024, "sql_bytes": 100_000}
    columns = ", ".join(f"{'c' * 40}{number} SMALLINT NOT NULL" for number in range(499))
    async with sql_server(tmp_path, limits=limits) as server, asking(server, "cleo") as cleo:
        await cleo.rows(f"CREATE TABLE app.wide (id INT PRIMARY KEY, {columns}) WITH (TYPE = 'SHARED')")
        assert await cleo.rows("SELECT count(*) FROM app.wide") == [[0]]
        longest = f"SELECT octet_length(replace('{'a' * 1_000}', 'a', '{'b' * 131}') || $1)"
        assert await cleo.rows(longest, "c" * 72) == [[131_072]]
        code, message = await cleo.refusal(longest, "c" * 73)
        assert (code, "value_bytes" in message) == ("LIMIT_EXCEEDED", True)


async def test_a_statement_that_takes_too_long_is_stopped(server: RunningServer) -> None:
    async with asking(server) as ada:
        statement = "INSERT INTO app.notes VALUES ($1, $2, 1)"
        await ada.ask(statements=[{"sql": statement, "params": [number, "a" * 9_000]} for number in range(100)])
        slow = "SELECT count(*) FROM app.notes WHERE replace(body, 'a', 'bb') = $1"
        code, message = await ada.refusal(slow, "x", timeout_ms=1)
        assert code == "QUERY_TIMEOUT"
        assert "1 ms" in message
        code, _ = await ada.refusal(slow.replace("SELECT count(*)", "DELETE"), "x", timeout_ms=1)
        assert code == "QUERY_TIMEOUT"
        assert await ada.rows("SELECT count(*) FROM app.notes", timeout_ms=2_000_000_000) == [[100]]
