"""Requests with keys, and a server that dies under them or a disk that fails: sent again, each has happened once."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from support.disk import files_at_most, log_size
from support.engine_room import found, make_engine, make_group, row_ids
from support.written_once import contents, numbered, opened
from watchword_server.adapters.sqlite.engine import Engine

USERS = 8

# Each client sends all of its requests again from the last on that it had no answer to; a line is printed after each.
WRITER = """
import asyncio, pathlib, sys
from support.written_once import numbered, opened

async def client(store, user, start):
    for number in range(start, start + 1_000_000):
        results = await store.write_once(numbered(user, number))
        print(user, number, results.decode(), flush=True)

async def main():
    async with opened(pathlib.Path(sys.argv[1])) as (_, store):
        await asyncio.gather(*(client(store, f"user{n}", int(sys.argv[2 + n])) for n in range(len(sys.argv) - 2)))

asyncio.run(main())
"""


async def rounds(tmp_path: Path, count: int) -> None:
    """Rows and keys are the same set after each death; an answered request keeps its answer; nothing is there twice."""
    path = tmp_path / "watchword.db"
    told: dict[tuple[str, str], str] = {}
    following = [0] * USERS
    for round_ in range(count):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, path, *map(str, following)],
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": ":".join([str(Path(__file__).parents[1]), *sys.path])},
        ) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline() for _ in range(100 + 37 * round_)]
            writer.kill()
            lines += list(writer.stdout)
        for line in lines:
            if line.endswith("\n"):
                user, number, results = line.split()
                assert (user, number) not in told
                told[user, number] = results
                following[int(user[4:])] = int(number) + 1
        async with opened(path) as (database, store):
            rows, kept = await database.read(contents)
            assert rows == kept
            assert told.items() <= {(user, number): results for user, number, results in rows}.items()
            assert len(rows) - len(told) <= USERS
            again = [store.write_once(numbered(user, int(number))) for user, number in told]
            assert [results.decode() for results in await asyncio.gather(*again)] == list(told.values())
            assert await database.read(contents) == (rows, kept)
    assert len(told) >= 100 * count


async def test_after_kill_9_each_request_that_is_sent_again_has_happened_once(tmp_path: Path) -> None:
    await rounds(tmp_path, 2)


@pytest.mark.long
async def test_after_kill_9_each_request_that_is_sent_again_has_happened_once_twenty_times(tmp_path: Path) -> None:
    await rounds(tmp_path, 20)


def test_a_commit_that_the_disk_refused_happens_when_it_is_sent_again(tmp_path: Path) -> None:
    with make_engine(tmp_path / "watchword.db") as (engine, catalog):
        requests = [numbered(user, 1) for user in ("ada", "bob")]
        with files_at_most(log_size(tmp_path)):
            answers = make_group(catalog).run(engine, requests)
        assert [found(answer) for answer in answers] == ["COMMIT_UNKNOWN"] * 2
        assert contents(engine) == ([], [])
        for _ in range(2):
            assert [found(answer) for answer in make_group(catalog).run(engine, requests)] == ["[[1]]", "[[2]]"]
        rows, kept = contents(engine)
        assert rows == kept == [("ada", "1", "[[1]]"), ("bob", "1", "[[2]]")]


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_commit_that_had_happened_all_the_same_is_told_when_it_is_sent_again(
    tmp_path: Path, restarts: bool
) -> None:
    """It was on the disk, and the disk's word for it was lost."""
    path = tmp_path / "watchword.db"

    def execute(text: str, *parameters: tuple[str | int, ...]) -> object:
        cursor = Engine.execute(engine, text, *parameters)
        if text == "COMMIT":
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        return cursor

    with make_engine(path) as (engine, catalog):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(engine, "execute", execute)
            assert found(make_group(catalog).run(engine, [numbered("ada", 1)])[0]) == "COMMIT_UNKNOWN"
        if not restarts:
            assert found(make_group(catalog).run(engine, [numbered("ada", 1)])[0]) == "[[1]]"
            assert row_ids(engine) == [1]
            return
    async with opened(path) as (database, store):
        assert await store.write_once(numbered("ada", 1)) == b"[[1]]"
        rows, kept = await database.read(contents)
        assert rows == kept == [("ada", "1", "[[1]]")]
