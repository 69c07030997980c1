"""`watchword user ... --url` against a real server."""

import asyncio
import io
import os
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest
import pytest_asyncio

from support.asking import asking
from support.presenting import basic
from support.raw_socket import raw_socket, upgrade
from support.server import PASSWORD, running_server, token
from watchword_server import cli
from watchword_server.app import RunningServer

NEW = b"it's a new\\one \xe2\x98\x83"


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


class Run(Protocol):
    async def __call__(self, *arguments: str, by: str | None = "cleo", stdin: bytes = NEW) -> Outcome: ...


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path) as server:
        yield server


@pytest.fixture
def run(server: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command, with the token of this user in the environment."""
    for variable in [name for name in os.environ if name.startswith("WATCHWORD_")]:
        monkeypatch.delenv(variable)

    async def run(*arguments: str, by: str | None = "cleo", stdin: bytes = NEW) -> Outcome:
        if by is not None:
            monkeypatch.setenv("WATCHWORD_TOKEN", token(server, by))
        monkeypatch.setattr(sys, "argv", ["watchword", "user", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))

        def main() -> int:
            try:
                cli.main()
            except SystemExit as end:
                if isinstance(end.code, str):
                    print(end.code, file=sys.stderr)
                    return 1
                return int(end.code or 0)
            return 0

        status = await asyncio.to_thread(main)  # the server's loop is this one
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return run


async def comes_in(server: RunningServer, name: str, password: str) -> bool:
    async with raw_socket(server.port, upgrade(basic(name, password))) as socket:
        await socket.read_http()
        return bool((await socket.read_message())["type"] == "auth_success")


async def test_a_user_is_added_changed_and_deleted_on_a_running_server(run: Run, server: RunningServer) -> None:
    there = ("--url", server.url)
    added = await run("add", "zoë", "--role", "service", "--email", "z@example.org", "--password-stdin", *there)
    assert added == (0, "added zoë with role service\n", "")
    account = await server.accounts.by_name("zoë")
    assert account is not None
    assert (account.role, account.email) == ("service", "z@example.org")
    assert await comes_in(server, "zoë", NEW.decode())
    assert await run("passwd", "zoë", "--password-stdin", *there, stdin=PASSWORD.encode()) == (
        0, "changed the password of zoë\n", "",
    )  # fmt: skip
    assert await comes_in(server, "zoë", PASSWORD)
    async with asking(server, "ada") as ada:
        assert await run("delete", "ada", *there) == (0, "deleted ada\n", "")
        assert await ada.socket.read_close() == (4101, "TOKEN_REVOKED")


async def test_with_a_password_in_the_environment(
    run: Run, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHWORD_PASSWORD", PASSWORD)
    outcome = await run("passwd", "ada", "--password-stdin", "--url", server.url, "--user", "ada", by=None)
    assert outcome == (0, "changed the password of ada\n", "")
    assert await comes_in(server, "ada", NEW.decode())


@pytest.mark.parametrize(
    ("arguments", "by", "sentence"),
    [
        (["delete", "bob"], "ada", "PERMISSION_DENIED: The role user may not DROP USER"),
        (["delete", "nobody"], "cleo", 'NOT_FOUND: There is no user "nobody".'),
        (["delete", "it's"], "cleo", 'NOT_FOUND: There is no user "it\'s".'),
        (["add", "ada", "--role", "user", "--password-stdin"], "cleo", 'ALREADY_EXISTS: The user "ada" exists.'),
        (["delete", "bob", "--data", "x"], "cleo", "give --url for a running server, or --data and --config"),
        (["delete", "bob"], None, "there is no credential: set WATCHWORD_TOKEN"),
        (["list"], "cleo", "list reads a data directory, and not a running server"),
    ],
)  # fmt: skip
async def test_what_cannot_be_done_is_told_in_a_sentence(
    run: Run, server: RunningServer, arguments: list[str], by: str | None, sentence: str
) -> None:
    outcome = await run(*arguments, "--url", server.url, by=by)
    assert (outcome.status, outcome.out) == (1, "")
    assert sentence in outcome.err
