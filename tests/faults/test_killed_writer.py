"""A process that dies in the middle of writing."""

import subprocess
import sys
from pathlib import Path

from watchword_server.adapters.sqlite.accounts import SqliteAccounts
from watchword_server.adapters.sqlite.database import open_database

WRITER = """
import asyncio, itertools, pathlib, sys
from support.accounts import make_account
from watchword_server.adapters.sqlite.accounts import SqliteAccounts
from watchword_server.adapters.sqlite.database import open_database

async def write_for_ever():
    accounts = SqliteAccounts(await open_database(pathlib.Path(sys.argv[1])))
    for number in itertools.count():
        await accounts.add(make_account(f"user-{number:05}"))
        print(f"user-{number:05}", flush=True)

asyncio.run(write_for_ever())
"""


async def test_every_acknowledged_user_is_there_after_kill_9(tmp_path: Path) -> None:
    """And at most one more, the one that was not acknowledged."""
    path = tmp_path / "watchword.db"
    tests = Path(__file__).parents[1]
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(tests)}
    ) as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline().strip() for _ in range(20)]
        writer.kill()
        acknowledged += [line.strip() for line in writer.stdout if line.endswith("\n")]
    async with await open_database(path) as database:
        found = [account.name for account in await SqliteAccounts(database).all()]
    assert found[: len(acknowledged)] == acknowledged
    assert len(found) <= len(acknowledged) + 1
