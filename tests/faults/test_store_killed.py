"""A server that dies in the middle of writing, over and over."""

import subprocess
import sys
from pathlib import Path

import pytest

from watchword_server.adapters.sqlite.database import open_database
from watchword_server.adapters.sqlite.store import open_store

# Eight clients write until they are killed; a line is printed after each answer.
WRITER = """
import asyncio, pathlib, sys
from support.plans import ADD, CREATE_APP, CREATE_NOTES, FUNCTIONS, request, ROOT
from watchword_server.adapters.sqlite.database import open_database
from watchword_server.adapters.sqlite.store import open_store

async def client(store, user, start):
    for number in range(start, start + 1_000_000, 2):
        await store.write(request((ADD, (user, number, "t")), (ADD, (user, number + 1, "t")), user=user))
        print(user, number, flush=True)

async def main():
    database = await open_database(pathlib.Path(sys.argv[1]))
    store = await open_store(database, converters={}, value_bytes=1_000, functions=FUNCTIONS)
    if not store.catalog.tables:
        await store.define(CREATE_APP, ROOT)
        await store.define(CREATE_NOTES, ROOT)
    start = int(sys.argv[2]) * 1_000_000
    await asyncio.gather(*(client(store, f"user{n}", start) for n in range(8)))

asyncio.run(main())
"""


async def rounds(tmp_path: Path, count: int) -> None:
    """Every acknowledged write is there; none is there by half; what was not acknowledged is at most one a client."""
    path = tmp_path / "watchword.db"
    tests = Path(__file__).parents[1]
    acknowledged: set[tuple[str, int]] = set()
    for round_ in range(count):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, path, str(round_)],
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": ":".join([str(tests), *sys.path])},
        ) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline() for _ in range(100 + 37 * round_)]
            writer.kill()
            lines += list(writer.stdout)
        for line in lines:
            if line.endswith("\n"):
                user, number = line.split()
                acknowledged |= {(user, int(number)), (user, int(number) + 1)}
        async with await open_database(path) as database:
            found = await database.read(
                lambda engine: set(engine.execute('SELECT "_owner", id FROM "app.notes"').fetchall())
            )
        assert len(acknowledged) >= 200 * (round_ + 1)
        assert acknowledged <= found
        assert all((user, number ^ 1) in found for user, number in found)
        assert len(found - acknowledged) <= 16 * (round_ + 1)
    async with (
        await open_database(path) as database,
        await open_store(database, converters={}, value_bytes=1_000) as store,
    ):
        assert store.catalog.find("app", "notes") is not None


async def test_every_acknowledged_write_is_there_after_kill_9(tmp_path: Path) -> None:
    await rounds(tmp_path, 2)


@pytest.mark.long
async def test_every_acknowledged_write_is_there_after_kill_9_twenty_times(tmp_path: Path) -> None:
    await rounds(tmp_path, 20)
