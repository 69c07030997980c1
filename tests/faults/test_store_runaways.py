"""Two users whose statements never end, and a third who notices little."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from support.plans import (
    ADD,
    CREATE_APP,
    CREATE_NOTES,
    FIND,
    FUNCTIONS,
    ROOT,
    RUNAWAY_READ,
    RUNAWAY_WRITE,
    request,
)
from watchword_server.adapters.sqlite.database import open_database
from watchword_server.adapters.sqlite.store import SqliteStore, open_store
from watchword_server.refusal import Refused


async def again_and_again(call: Callable[[], Awaitable[object]]) -> None:
    while True:
        try:
            await call()
        except Refused as refusal:
            if refusal.code.name != "QUERY_TIMEOUT":
                raise


async def slowest(count: int, call: Callable[[int], Awaitable[object]]) -> float:
    """Seconds of the slowest of so many calls."""
    taken = []
    for number in range(count):
        start = time.perf_counter()
        await call(number)
        taken.append(time.perf_counter() - start)
    return max(taken)


async def measure(store: SqliteStore, *, runaways: int, reads: int, writes: int) -> tuple[float, float, float]:
    """The bystander's slowest read and write, and the loop's longest stall; all in seconds."""
    runaway_read = request((RUNAWAY_READ, ()), user="eve", time_ms=2_000)
    runaway_write = request((RUNAWAY_WRITE, ("mal",)), user="mal", time_ms=100)
    rude = [
        *(asyncio.create_task(again_and_again(lambda: store.read(runaway_read))) for _ in range(runaways)),
        *(asyncio.create_task(again_and_again(lambda: store.write(runaway_write))) for _ in range(runaways)),
    ]
    stall = 0.0

    async def watch() -> None:
        nonlocal stall
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            stall = max(stall, time.perf_counter() - before - 0.001)

    watching = asyncio.create_task(watch())
    try:
        await asyncio.sleep(0)
        read = await slowest(reads, lambda _: store.read(request((FIND, ("ada", 1)))))
        write = await slowest(writes, lambda number: store.write(request((ADD, ("ada", number + 10, "t")))))
        again = await slowest(reads, lambda _: store.read(request((FIND, ("ada", 1)))))
    finally:
        for task in (watching, *rude):
            task.cancel()
        await asyncio.wait([watching, *rude])
    return max(read, again), write, stall


async def with_store(path: Path, **amounts: int) -> tuple[float, float, float]:
    async with (
        await open_database(path / "watchword.db", synchronous="off") as database,
        await open_store(database, converters={}, value_bytes=10_000, functions=FUNCTIONS) as store,
    ):
        for definition in (CREATE_APP, CREATE_NOTES):
            await store.define(definition, ROOT)
        await store.write(request((ADD, ("ada", 1, "there"))))
        return await measure(store, **amounts)


async def test_a_bystander_reads_and_writes_while_others_run_away(tmp_path: Path) -> None:
    """Wide bounds: what is held here is that nobody waits for a runaway to end, or for one after another."""
    read, write, _ = await with_store(tmp_path, runaways=4, reads=5, writes=2)
    assert read < 0.5
    assert write < 1.0


@pytest.mark.long
@pytest.mark.parametrize("runaways", [1, 16])
async def test_a_bystander_reads_within_100_ms_and_writes_within_250(tmp_path: Path, runaways: int) -> None:
    read, write, stall = await with_store(tmp_path, runaways=runaways, reads=300, writes=40)
    print(f"{runaways} runaways each: read {read * 1e3:.1f} ms, write {write * 1e3:.1f} ms, stall {stall * 1e3:.1f} ms")
    assert read < 0.1
    assert write < 0.25
    assert stall < 0.1  # 50 ms on a machine of its own
