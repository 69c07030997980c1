"""Queries with the client against a real server: rows in Python's types, transactions, errors with their place."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

import watchword
from support.asking import Held
from support.server import token, until
from support.sql_server import sql_server
from watchword_server.app import RunningServer

EVERYTHING = """
    CREATE TABLE app.everything (
        id BIGINT PRIMARY KEY, flag BOOLEAN, small SMALLINT, number INT, half DOUBLE, body TEXT, extra JSON,
        at TIMESTAMP, day DATE, key UUID, data BYTES
    ) WITH (TYPE = 'USER')
"""


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with sql_server(tmp_path) as server, connect(server, "cleo") as cleo:
        await cleo.query(EVERYTHING)
        yield server


def connect(server: RunningServer, name: str = "ada") -> watchword.Client:
    return watchword.connect(server.url, token=token(server, name))


class TestRows:
    """What comes back."""

    async def test_rows_are_mappings_and_by_attribute(self, server: RunningServer) -> None:
        async with connect(server) as db:
            rows = await db.query("INSERT INTO app.notes VALUES ($1, $2, NULL) RETURNING *, 1 AS keys", 7, "hello")
            (row,) = rows
            assert (row["id"], row.body, row[2], row["keys"]) == (7, "hello", None, 1)
            assert dict(row) == {"id": 7, "body": "hello", "stars": None, "keys": 1}
            assert repr(row) == "Row(id=7, body='hello', stars=None, keys=1)"
            assert (rows.columns, rows.row_count, rows.as_user) == (("id", "body", "stars", "keys"), 1, "ada")
            assert repr(rows) == "<Rows 1 of (id, body, stars, keys), row_count 1>"
            with pytest.raises(AttributeError, match="no column 'title'; it has id, body"):
                _ = row.title
            with pytest.raises(KeyError):
                _ = row["title"]

    async def test_of_columns_of_one_name_the_name_means_the_first(self, server: RunningServer) -> None:
        async with connect(server) as db:
            row = await db.query_one("SELECT 1 AS a, 2 AS a, 3 AS b")
            assert row is not None
            assert (row["a"], row[1], row["b"], len(row)) == (1, 2, 3, 2)

    async def test_one_row_and_one_value(self, server: RunningServer) -> None:
        async with connect(server) as db:
            assert await db.query_one("SELECT body FROM app.notes") is None
            assert await db.query_value("SELECT body FROM app.notes") is None
            assert await db.query_value("SELECT count(*) FROM app.notes") == 0
            assert await db.query_value("SELECT $1::text", "x") == "x"

    @pytest.mark.parametrize(
        "values",
        [
            (2**63 - 1, True, -(2**15), 2**31 - 1, 0.1, "h\u00e4\U0001f642'\n", {"a": [1, None, 1.5]},
             datetime(2026, 11, 24, 8, 0, 0, 123456, UTC), date(2026, 11, 24), UUID(int=7), b"\x00\xff"),
            (-(2**63), False, 2**15 - 1, -(2**31), -1.7976931348623157e308, "", "text",
             datetime(1, 1, 1, tzinfo=UTC), date(1, 1, 1), UUID(int=2**128 - 1), b""),
            (2**53, None, None, None, 5e-324, None, None,
             datetime(9999, 12, 31, 23, 59, 59, 999999, UTC), date(9999, 12, 31), None, None),
        ],
    )  # fmt: skip
    async def test_values_come_back_as_they_went(self, server: RunningServer, values: tuple[object, ...]) -> None:
        async with connect(server) as db:
            places = ", ".join(f"${number}" for number in range(1, 12))
            await db.query(f"INSERT INTO app.everything VALUES ({places})", *values)
            row = await db.query_one("SELECT * FROM app.everything")
            assert row is not None
            assert tuple(row.values()) == values
            assert [type(value) for value in row.values()] == [type(value) for value in values]

    async def test_a_time_of_another_zone_is_the_same_instant(self, server: RunningServer) -> None:
        moment = datetime(2026, 6, 1, 10, 0, tzinfo=timezone(timedelta(hours=2)))
        async with connect(server) as db:
            assert await db.query_value("SELECT $1::timestamp", moment) == moment


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (float("nan"), ValueError, r"\$2 is nan: a number must be finite"),
        (datetime(2026, 1, 1), ValueError, r"\$2 is a datetime without a time zone"),  # noqa: DTZ001  # that is the point
        (object(), TypeError, r"\$2 is of type object"),
        ({"a": [float("inf")]}, ValueError, r"\$2 is inf"),
        ([b"x"], TypeError, r"\$2 holds a bytes, which is not JSON"),
    ],
)
async def test_a_parameter_that_cannot_be_sent_is_named(
    server: RunningServer, value: object, error: type[Exception], words: str
) -> None:
    async with connect(server) as db:
        with pytest.raises(error, match=words):
            await db.query("SELECT $1, $2", "x", value)


class TestTransactions:
    """Several statements."""

    async def test_the_rows_of_each_come_back(self, server: RunningServer) -> None:
        async with connect(server) as db:
            first, second, third = await db.transaction(
                ("INSERT INTO app.notes VALUES ($1, $2, 1)", 1, "x"),
                "UPDATE app.notes SET stars = 2 RETURNING stars",
                ("SELECT body FROM app.notes WHERE id = $1", 1),
            )
            assert (len(first), first.row_count, second[0].stars, third[0].body) == (0, 1, 2, "x")
            assert await db.transaction() == []

    async def test_one_that_fails_is_named_and_nothing_happened(self, server: RunningServer) -> None:
        async with connect(server) as db:
            with pytest.raises(watchword.ConstraintViolation) as caught:
                await db.transaction(*[("INSERT INTO app.notes VALUES ($1, 'x', 1)", number) for number in (1, 2, 1)])
            assert (caught.value.statement, caught.value.line) == (2, None)
            assert "(statement 2)" in str(caught.value)
            assert not await db.query("SELECT * FROM app.notes")

    @pytest.mark.parametrize("statement", [5, (), (5, "SELECT 1"), None])
    async def test_what_is_no_statement_is_told(self, server: RunningServer, statement: Any) -> None:
        async with connect(server) as db:
            with pytest.raises(TypeError, match="is no statement: give a text, or a tuple"):
                await db.transaction("SELECT 1", statement)

    async def test_many_rows_are_one_transaction(self, server: RunningServer) -> None:
        async with connect(server) as db:
            insert = "INSERT INTO app.notes VALUES ($1, $2, NULL)"
            assert await db.execute_many(insert, [(number, "x") for number in range(50)]) == 50
            assert await db.execute_many(insert, []) == 0
            with pytest.raises(watchword.ConstraintViolation):
                await db.execute_many(insert, iter([(100, "x"), (7, "x")]))
            with pytest.raises(watchword.LimitExceeded, match="statements"):
                await db.execute_many(insert, [(number, "x") for number in range(1_000, 1_101)])
            assert await db.query_value("SELECT count(*) FROM app.notes") == 50

    async def test_of_several_statements_in_a_text_the_last_ones_rows_come_back(self, server: RunningServer) -> None:
        async with connect(server) as db:
            assert await db.query_value("INSERT INTO app.notes VALUES (1, 'x', 1); SELECT body FROM app.notes") == "x"


async def test_an_error_has_its_place(server: RunningServer) -> None:
    async with connect(server) as db:
        with pytest.raises(watchword.InvalidSql) as caught:
            await db.query("SELECT 1;\n SELECT * frm x")
        error = caught.value
        assert (error.line, error.column, error.statement) == (2, 11, 1)
        assert str(error).startswith('INVALID_SQL: Expected the end of the statement, found "frm"')
        assert "(statement 1, line 2, column 11)" in str(error)
        assert error.request_id
        with pytest.raises(watchword.SqlError) as missing:
            await db.query("SELECT * FROM app.note")
        assert 'Did you mean "app.notes"? (statement 0, line 1, column 15).' in str(missing.value)


async def test_options_go_along(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async with connect(server, "serge") as db:
        assert await db.query_value("SELECT current_user", as_user="ada") == "ada"
        with pytest.raises(watchword.PermissionDenied):
            await db.query("SELECT 1", as_user="cleo")
        reads = Held(server, "read", monkeypatch)
        with pytest.raises(TimeoutError, match=r"No answer to Query within 0\.01 s"):
            await db.query("SELECT 1", timeout_s=0.01, timeout_ms=77)
        assert reads.entered[0].time_ms == 77
        reads.let_go()
        assert await db.query_value("SELECT 2") == 2


async def test_answers_of_many_tasks_find_their_way(server: RunningServer) -> None:
    async with connect(server) as db:
        answers = await asyncio.gather(*[db.query_value("SELECT $1::int", number) for number in range(60)])
        assert answers == list(range(60))


async def test_a_connection_that_ends_meanwhile_is_an_exception(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Held(server, "read", monkeypatch)
    async with connect(server) as db:
        asking = asyncio.create_task(db.query("SELECT 1"))
        await until(lambda: reads.entered)
        for websocket in list(server.service.registry):
            websocket._transport.abort()  # type: ignore[attr-defined]  # it is a WebSocket
        with pytest.raises(watchword.ConnectionLost):
            await asking


async def test_the_synchronous_form_has_the_same(server: RunningServer) -> None:
    given = token(server)

    def script() -> list[object]:
        with watchword.sync.connect(server.url, token=given) as db:
            (first,) = db.query("INSERT INTO app.notes VALUES ($1, 'x', 1) RETURNING id", 1)
            one = db.query_one("SELECT body FROM app.notes")
            assert one is not None
            many = db.execute_many("INSERT INTO app.notes VALUES ($1, 'y', 1)", [(2,), (3,)])
            rows = db.transaction("SELECT count(*) FROM app.notes", ("SELECT $1::int AS n", 5))
            return [first.id, one.body, many, rows[0][0][0], rows[1][0].n, db.query_value("SELECT 7")]

    assert await asyncio.to_thread(script) == [1, "x", 2, 3, 5, 7]
