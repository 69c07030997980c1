"""A request that is sent again with its key, over sockets and HTTP."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from support.asking import Asking, Held, ask_over_http, asking, sql_request
from support.clock import FakeClock
from support.server import until
from support.sql_server import sql_server
from watchword_server import housekeeping
from watchword_server.app import RunningServer
from watchword_server.config import StatementLimits

ADD = "INSERT INTO app.notes (id, body) VALUES ($1, $2) RETURNING id"


@asynccontextmanager
async def all_asking(server: RunningServer, *names: str) -> AsyncGenerator[list[Asking]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(asking(server, name)) for name in names]


async def test_sent_again_it_returns_the_first_result_and_happens_once(server: RunningServer) -> None:
    async with all_asking(server, "ada", "ada") as (ada, again):
        first = await ada.ask(ADD, 1, "hi", idempotency_key="k")
        assert await ada.rows("UPDATE app.notes SET body = 'changed' RETURNING id") == [[1]]
        second = await again.ask(ADD, 1, "hi", idempotency_key="k", timeout_ms=90)
        _, over_http = await ask_over_http(server, sql_request(ADD, 1, "hi", idempotency_key="k"))
        assert first["results"] == second["results"] == over_http["results"]
        assert first["results"][0]["rows"] == [[1]]
        assert second["took"] > 0
        assert await ada.rows("SELECT id, body FROM app.notes") == [[1, "changed"]]


@pytest.mark.parametrize(
    "members",
    [
        {"sql": ADD, "params": [2, "hi"]},
        {"sql": ADD, "params": ["1", "hi"]},
        {"sql": ADD.replace("RETURNING id", ""), "params": [1, "hi"]},
        {"statements": [{"sql": ADD, "params": [1, "hi"]}, {"sql": "SELECT 1"}]},
    ],
)
async def test_another_request_with_its_key_is_refused_and_does_nothing(
    server: RunningServer, members: dict[str, Any]
) -> None:
    async with asking(server) as ada:
        await ada.rows(ADD, 1, "hi", idempotency_key="k")
        code, message = await ada.refusal(**members, idempotency_key="k")
        assert (code, "a new request takes a new key" in message) == ("INVALID_PARAMS", True)
        answer, body = await ask_over_http(server, {**members, "idempotency_key": "k"})
        assert (answer.status, body["error"]["code"]) == (400, "INVALID_PARAMS")
        assert await ada.rows("SELECT id FROM app.notes") == [[1]]
        assert await ada.rows(statements=[{"sql": ADD, "params": [1, "hi"]}], idempotency_key="k") == [[1]]


async def test_a_key_is_the_asking_users_own(server: RunningServer) -> None:
    async with all_asking(server, "ada", "bob", "serge") as (ada, bob, serge):
        for each, number in ((ada, 1), (bob, 2)):
            assert await each.rows(ADD, number, "hi", idempotency_key="k") == [[number]]
        assert await serge.rows(ADD, 3, "hi", idempotency_key="k", as_user="ada") == [[3]]
        assert await serge.rows(ADD, 3, "hi", idempotency_key="k", as_user="ada") == [[3]]
        for as_user in ("bob", None):
            code, _ = await serge.refusal(ADD, 3, "hi", idempotency_key="k", as_user=as_user)
            assert code == "INVALID_PARAMS"
        assert await ada.rows("SELECT id FROM app.notes ORDER BY id") == [[1], [3]]
        assert await bob.rows("SELECT id FROM app.notes") == [[2]]


async def test_a_refused_request_does_not_use_its_key_up(server: RunningServer) -> None:
    async with asking(server) as ada:
        await ada.rows(ADD, 1, "there")
        statements = [{"sql": ADD, "params": [number, "new"]} for number in (2, 1)]
        for _ in range(2):
            answer = await ada.ask(statements=statements, idempotency_key="k")
            assert (answer["code"], answer["statement"]) == ("CONSTRAINT_VIOLATION", 1)
        assert (await ada.refusal("SELECT * FROM app.nowhere", idempotency_key="k"))[0] == "NOT_FOUND"
        assert await ada.rows(ADD, 2, "corrected", idempotency_key="k") == [[2]]
        assert await ada.rows("SELECT count(*) FROM app.notes") == [[2]]


async def test_a_read_with_a_key_is_told_again_what_it_read(server: RunningServer) -> None:
    async with asking(server) as ada:
        for _ in range(2):
            assert await ada.rows("SELECT count(*) FROM app.notes", idempotency_key="k") == [[0]]
            await ada.ask(ADD, 1, "hi")
        assert await ada.rows("SELECT count(*) FROM app.notes") == [[1]]


async def test_permission_is_checked_before_the_first_result_is_told(server: RunningServer) -> None:
    insert = "INSERT INTO app.news VALUES (1, 'a') RETURNING id"
    async with all_asking(server, "serge", "cleo") as (serge, cleo):
        assert await serge.rows(insert, idempotency_key="k") == [[1]]
        await cleo.rows("DROP TABLE app.news")
        assert (await serge.refusal(insert, idempotency_key="k"))[0] == "NOT_FOUND"


async def test_definitions_take_no_key(server: RunningServer) -> None:
    async with asking(server, "cleo") as cleo:
        for members in ({"sql": "CREATE NAMESPACE more"}, {"statements": [{"sql": "DROP TABLE app.news"}]}):
            code, message = await cleo.refusal(**members, idempotency_key="k")
            assert (code, "$.idempotency_key" in message) == ("MALFORMED_MESSAGE", True)
        assert await cleo.rows("SELECT count(*) FROM app.news") == [[0]]


async def test_of_two_at_once_the_second_gets_the_firsts_result(server: RunningServer) -> None:
    async with all_asking(server, *["ada"] * 5) as connections:
        answers = await asyncio.gather(*(each.ask(ADD, 1, "hi", idempotency_key="k") for each in connections))
        assert [answer["results"][0]["rows"] for answer in answers] == [[[1]]] * 5
        assert await connections[0].rows("SELECT count(*) FROM app.notes") == [[1]]


@pytest.mark.parametrize("over", ["socket", "http"])
async def test_the_answer_that_a_lost_connection_took_with_it_is_told_again(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, over: str
) -> None:
    held, others = Held(server, "write_once", monkeypatch), len(server.service.open)
    if over == "socket":
        async with asking(server) as ada:
            ada.send(ADD, 1, "hi", idempotency_key="k")
            await until(lambda: held.entered)
    else:
        asked = asyncio.create_task(ask_over_http(server, sql_request(ADD, 1, "hi", idempotency_key="k")))
        await until(lambda: held.entered)
        asked.cancel()
    await until(lambda: len(server.service.open) == others)
    held.let_go()
    async with asking(server) as ada:
        assert await ada.rows(ADD, 1, "hi", idempotency_key="k") == [[1]]
        assert await ada.rows("SELECT count(*) FROM app.notes") == [[1]]
    assert len(held.entered) == 2
    assert not held.cancelled


async def test_what_is_kept_is_limited_and_the_limit_may_differ_by_role(tmp_path: Path) -> None:
    limits = {"kept_bytes": 1_300, "role": {"service": StatementLimits(kept_bytes=1_100)}}
    async with sql_server(tmp_path, limits=limits) as server, all_asking(server, "ada", "serge") as (ada, serge):
        for each, count in ((ada, 2), (serge, 1)):
            for number in range(count):
                await each.rows("SELECT 1", idempotency_key=f"k-{number}")
            code, message = await each.refusal(ADD, 1, "hi", idempotency_key="more")
            assert (code, "(kept_bytes)" in message) == ("LIMIT_EXCEEDED", True)
            assert await each.rows("SELECT 1", idempotency_key="k-0") == [[1]]
            assert await each.rows("SELECT count(*) FROM app.notes") == [[0]]


async def test_a_result_that_is_too_large_to_keep_is_refused_and_nothing_is_written(server: RunningServer) -> None:
    async with asking(server) as ada:
        code, message = await ada.refusal(f"{ADD}, body", 1, "x" * 70_000, idempotency_key="k")
        assert (code, "(kept_result_bytes)" in message) == ("RESULT_TOO_LARGE", True)
        assert await ada.rows("SELECT count(*) FROM app.notes") == [[0]]
        assert await ada.rows(f"{ADD}, body", 1, "x" * 60_000, idempotency_key="k") == [[1, "x" * 60_000]]


async def test_a_key_ends_after_a_day_and_what_was_kept_is_forgotten_in_the_background(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_INTERVAL_S", 0.001)
    clock = FakeClock()
    async with sql_server(tmp_path, clock=clock, limits={"kept_bytes": 1_100}) as server:
        async with asking(server) as ada:
            assert await ada.rows(ADD, 1, "hi", idempotency_key="k-1") == [[1]]
        clock.advance(86_399)
        async with asking(server) as ada:
            assert await ada.rows(ADD, 1, "hi", idempotency_key="k-1") == [[1]]
            assert (await ada.refusal(ADD, 2, "hi", idempotency_key="k-2"))[0] == "LIMIT_EXCEEDED"
            clock.advance(1)
            async with asyncio.timeout(10):
                while (await ada.ask(ADD, 2, "hi", idempotency_key="k-2"))["type"] == "error":
                    pass
            assert await ada.rows("SELECT id FROM app.notes ORDER BY id") == [[1], [2]]
