"""The notes application runs as it stands, as two users."""

import asyncio
import os
import re
import sys
from pathlib import Path

from support.server import running_server, token
from watchword_server.app import RunningServer

EXAMPLE = Path(__file__).parents[3] / "examples" / "query.py"


async def run(server: RunningServer, name: str, *arguments: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        EXAMPLE,
        *arguments,
        env={**os.environ, "WATCHWORD_URL": server.url, "WATCHWORD_TOKEN": token(server, name)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    return process.returncode, re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "TIME", out.decode()), error.decode()


async def test_two_users_keep_their_own_notes(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        status, _, error = await run(server, "ada", "list")
        assert (status, error.split(":")[:2]) == (1, ["query", " NOT_FOUND"])
        for name, arguments, out in (
            ("cleo", ("init",), "ready\n"),
            ("cleo", ("init",), "ready\n"),
            ("ada", ("add", "Buy MILK"), "added 1\n"),
            ("ada", ("add", "Call bob"), "added 2\n"),
            ("bob", ("add", "No milk today"), "added 1\n"),
            ("ada", ("list",), "   1  TIME  Buy MILK\n   2  TIME  Call bob\n"),
            ("bob", ("search", "Milk"), "   1  TIME  No milk today\n"),
            ("ada", ("search", "milk"), "   1  TIME  Buy MILK\n"),
            ("bob", ("delete", "2"), "there is no note 2\n"),
            ("ada", ("delete", "1"), "deleted 1: Buy MILK\n"),
            ("ada", ("list",), "   2  TIME  Call bob\n"),
            ("bob", ("list",), "   1  TIME  No milk today\n"),
        ):
            assert await run(server, name, *arguments) == (0, out, "")


async def test_an_error_is_one_sentence_and_wrong_arguments_are_told_the_right_ones(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        status, _, error = await run(server, "ada", "init")
        assert (status, len(error.splitlines())) == (1, 1)
        assert error.startswith("query: PERMISSION_DENIED: The role user may not CREATE NAMESPACE")
        assert "python examples/query.py init" in (await run(server, "ada", "frobnicate"))[2]
