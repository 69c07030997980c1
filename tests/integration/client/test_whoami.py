"""The example runs as it stands."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from support.scripted_server import play, refuse, welcome

EXAMPLE = Path(__file__).parents[3] / "examples" / "whoami.py"


async def run(*arguments: str, **environment: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        EXAMPLE,
        *arguments,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    return process.returncode, out.decode(), error.decode()


@pytest.mark.parametrize("by", ["arguments", "environment"])
async def test_it_prints_the_context(by: str) -> None:
    async with play(welcome()) as server:
        if by == "arguments":
            status, out, error = await run(server.url, "a.b.c")
        else:
            status, out, error = await run(WATCHWORD_URL=server.url, WATCHWORD_TOKEN="a.b.c")
    assert (status, error) == (0, "")
    assert out.splitlines() == [
        "user        ada (u_ada)",
        "role        user",
        "connection  c_1",
        "expires at  2026-06-01 12:15:00+00:00",
    ]


@pytest.mark.parametrize(
    ("token", "words"),
    [("a.b.c", "whoami: TOKEN_EXPIRED: Token has expired. Get a new token"), ("", "whoami: a token is not empty")],
)
async def test_an_error_is_one_sentence(token: str, words: str) -> None:
    async with play(refuse("TOKEN_EXPIRED")) as server:
        status, out, error = await run(server.url, token, WATCHWORD_TOKEN="")
    assert (status, out) == (1, "")
    assert error.startswith(words)
    assert len(error.splitlines()) == 1
