"""Interrupts from outside, where SQLite's machine is busy with few and large instructions."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from support.plans import (
    ADD,
    CREATE_APP,
    CREATE_NOTES,
    LIST,
    ROOT,
    RUNAWAY_READ,
    RUNAWAY_WRITE,
    make_plan,
    request,
)
from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.database import Database
from watchword_server.adapters.sqlite.store import SqliteStore, open_store
from watchword_server.refusal import Refused
from watchword_server.sql.types import SqlType

ROWS = 40
# Each row takes some ten milliseconds in one instruction, and all rows fewer than stand between two questions.
HEAVY = "%" + "a" * 254 + "b"
READ = make_plan(
    'SELECT count(*) FROM main."app.notes" WHERE "title" LIKE ?1',
    columns=[("n", SqlType.BIGINT)],
    reads=["title"],
    functions=["count", "like"],
)
DELETE = make_plan(
    'DELETE FROM main."app.notes" WHERE "title" LIKE ?1', reads=["title"], deletes=True, functions=["like"]
)


@pytest.fixture
async def store(database: Database) -> AsyncIterator[SqliteStore]:
    async with await open_store(database, converters={}, value_bytes=1_000_000) as store:
        for definition in (CREATE_APP, CREATE_NOTES):
            await store.define(definition, ROOT)
        yield store


async def test_a_statement_of_few_and_heavy_rows_ends_in_time(store: SqliteStore) -> None:
    for number in range(ROWS):
        await store.write(request((ADD, ("ada", number, "a" * 40_000))))
    start = time.perf_counter()
    assert (await store.read(request((READ, (HEAVY,)))))[0].rows == b"[[0]]"
    whole_s = time.perf_counter() - start
    for call, plan in ((store.read, READ), (store.write, DELETE)):
        start = time.perf_counter()
        with pytest.raises(Refused) as refusal:
            await call(request((plan, (HEAVY,)), time_ms=20))
        assert refusal.value.code is ErrorCode.QUERY_TIMEOUT
        assert time.perf_counter() - start < whole_s / 2
    assert len((await store.read(request((LIST, ("ada",)), result_bytes=10_000_000)))[0].rows) > ROWS


async def test_an_interrupt_meets_nobody_else_on_the_connection(store: SqliteStore) -> None:
    """Runaways end just when others begin, over and over, in groups and on readers."""
    await store.write(request((ADD, ("ada", 0, "t"))))

    async def is_stopped(time_ms: int) -> bool:
        runs = (
            store.write(request((RUNAWAY_WRITE, ("eve",)), user="eve", time_ms=time_ms)),
            store.read(request((RUNAWAY_READ, ()), user="eve", time_ms=time_ms)),
        )
        results = await asyncio.gather(*runs, return_exceptions=True)
        return all(isinstance(each, Refused) and each.code is ErrorCode.QUERY_TIMEOUT for each in results)

    async def go_on(user: str, start: int) -> int:
        for number in range(start, start + 60):
            await store.write(request((ADD, (user, number, "t")), (LIST, (user,)), user=user))
            await store.read(request((LIST, (user,)), (LIST, (user,)), user=user))
        return 60

    async def run_away() -> list[bool]:
        return [await is_stopped(time_ms) for time_ms in (8, 9, 10, 11, 12, 13, 14)]

    stopped, *written = await asyncio.gather(run_away(), go_on("ada", 1), go_on("bob", 1))
    assert stopped == [True] * 7
    assert written == [60, 60]


async def test_it_sleeps_while_nothing_runs(store: SqliteStore) -> None:
    await store.write(request((ADD, ("ada", 1, "t"))))
    awake = store._watchdog._awake
    async with asyncio.timeout(10):
        while awake.is_set():  # noqa: ASYNC110  # its thread sets no event of the loop's
            await asyncio.sleep(0.001)
    assert store._watchdog._thread.is_alive()
    await store.close()
    await store.close()
    assert not store._watchdog._thread.is_alive()
