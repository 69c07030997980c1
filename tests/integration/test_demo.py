"""The demo, as `make demo` runs it."""

import asyncio
import io
import os
import re
import signal
import sys
from pathlib import Path

import pytest
from rich.console import Console

from examples.demo import __main__ as story
from examples.demo.case import Case, Outcome
from examples.demo.hostile import STATEMENTS, Statement, judge
from examples.demo.owners import compare
from examples.demo.page import COMMANDS, COMMANDS_BESIDE, Page
from examples.demo.servers import DemoFailed, run_command, start_server, write_settings
from examples.demo.verdict import Expected, Told
from examples.demo.wire import Seen
from support.pages import ROOT, blocks, read_page
from watchword_protocol.errors import ErrorCode

# Some of what has to be in it; the demo itself compares every line with the error table.
LINES = [
    r"expired +H S M +TOKEN_EXPIRED +401 +4100 new_token ok",
    r"forged and expired +H S M +INVALID_SIGNATURE +401 +4203 stop +ok",
    r"untrusted issuer +H S M +UNTRUSTED_ISSUER +401 +4204 stop +ok",
    r"without sub +H S M +MISSING_CLAIM +400 +4201 stop +ok",
    r"alg none, not signed +H S M +INVALID_TOKEN +401 +4202 stop +ok",
    r"of a deleted user +H S M +INVALID_CREDENTIALS +401 +4205 stop +ok",
    r"revoked +H S M +TOKEN_REVOKED +401 +4101 new_token ok",
    r"wrong password +H M +INVALID_CREDENTIALS +401 +4205 stop +ok",
    r"header twice +H +MALFORMED_AUTHORIZATION +400 +4200 stop +ok",
    r"a page of https://evil.example +request ORIGIN_NOT_ALLOWED +403 +4208 stop +ok",
    r"a binary frame +first +UNSUPPORTED_DATA +- +4211 stop +ok",
    r"another user's token +renewal USER_MISMATCH +- +4207 stop +ok",
    r"nothing after the upgrade +first +AUTH_TIMEOUT +- +4002 reconnect ok",
    r"SIGTERM, with a client connected +open +SERVER_SHUTDOWN +- +1012 reconnect ok",
    r"SELECT id, body FROM app\.notes ORDER BY id +1 ada's, 2 second 1 erin's, 2 second ok",
    r"DELETE FROM app\.notes WHERE body = 'erin''s!' +0 affected +1 affected +ok",
    r"PRAGMA writable_schema = ON +UNSUPPORTED_SQL +1:1 +PRAGMA is not supported\. +ok",
    r"SELECT \* FROM main\.\"app\.notes\" +NOT_FOUND +1:15 +There is no table .* +ok",
    r"SELECT 1; \(a new line\) PRAGMA \.\.\. +UNSUPPORTED_SQL +2:1 +PRAGMA is not supported\. +ok",
    r"a read that runs away +QUERY_TIMEOUT +- +The statement took .* +ok",
    r"a write that runs away +QUERY_TIMEOUT +- +The statement took .* +ok",
    r"None of that has changed anything\.  ok",
    r"5 \.\.\. 4 \.\.\. 3 \.\.\. 2 \.\.\. 1 \.\.\. ended",
    r"The other one was renewed in place, .*  ok",
    r"All of it happened as the error table says\.",
]


async def start_demo(folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "examples.demo"),
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder), "PYTHONIOENCODING": "utf-8", "COLUMNS": "100"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_the_demo_happens_as_the_error_table_says(tmp_path: Path) -> None:
    """The one test that takes seconds: a token of five of them ends before one's eyes."""
    demo = await start_demo(tmp_path)
    out, error = await demo.communicate()
    lines = [line.rstrip() for line in out.decode().splitlines()]
    assert (demo.returncode, error.decode()) == (0, ""), "\n".join(lines[-10:])
    assert not [line for line in lines if "WRONG" in line]
    assert [pattern for pattern in LINES if not any(re.fullmatch(pattern, line) for line in lines)] == []
    assert max(map(len, lines[: lines.index("Your own server")])) <= 100
    for command in (COMMANDS + COMMANDS_BESIDE).splitlines():
        assert f"    {command}" in lines
    shown = [line for block in blocks(read_page("README.md"), "text") for line in block.splitlines()]
    assert [line for line in shown if line not in lines] == [], "README shows what the demo does not say"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupted_demo_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    demo = await start_demo(tmp_path)
    assert demo.stdout is not None
    await demo.stdout.readline()
    demo.send_signal(number)
    _, error = await demo.communicate()
    assert demo.returncode == 130
    assert error.decode().strip() == "demo: interrupted; the servers are stopped and their data is removed"
    assert list(tmp_path.iterdir()) == []


async def test_a_server_that_does_not_start_is_told_in_its_own_words(tmp_path: Path) -> None:
    settings = write_settings(tmp_path / "bad.toml", {"auth": {"leeway_s": -1}})
    with pytest.raises(DemoFailed, match=r"the server did not start; it said: .*leeway_s"):
        async with start_server("bad", tmp_path, tmp_path / "data", settings, {}):
            pass


async def test_a_command_that_fails_is_told_in_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(DemoFailed, match=r"`watchword user delete nobody .*` failed: .*there is no database"):
        await run_command("user", "delete", "nobody", "--data", str(tmp_path), environment={})


@pytest.mark.parametrize("error", [DemoFailed("it broke"), ConnectionResetError("it broke"), EOFError("it broke")])
def test_what_goes_wrong_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    async def break_off(_page: Page, _folder: Path) -> None:
        raise error

    monkeypatch.setattr(story, "tell_story", break_off)
    assert story.main() == 1
    assert capsys.readouterr().err.strip() == "demo: it broke"


async def never(_port: int) -> Seen:
    raise AssertionError


def outcome(*differences: str) -> Outcome:
    told = Told("TOKEN_EXPIRED", "Token has expired", None, 4100, "TOKEN_EXPIRED", "new_token", "auth_error")
    return Outcome(Case("expired", "M", Expected(ErrorCode.TOKEN_EXPIRED), never), told, None, list(differences))


def test_one_difference_fails_the_demo_and_is_named_at_its_end() -> None:
    out = io.StringIO()
    page = Page(Console(file=out, highlight=False, markup=False, emoji=False))
    page.show_outcomes([outcome()])
    assert page.differences == []
    page.show_outcomes([outcome("the close code is 4100, and should be 4101")])
    assert page.finish() == 1
    shown = [line.rstrip() for line in out.getvalue().splitlines()]
    assert [line.split()[-1] for line in shown if line.startswith("expired")] == ["ok", "WRONG"]
    assert shown[-1] == "- expired: by M: the close code is 4100, and should be 4101"
    assert not any("watchword serve" in line for line in shown)


def test_rows_of_somebody_else_fail_the_demo() -> None:
    out = io.StringIO()
    page = Page(Console(file=out, highlight=False, markup=False, emoji=False))
    page.show_shared([compare("SELECT 1", ("1", "2"), ("1", "2")), compare("SELECT 2", ("1", "1"), ("1", "2"))])
    assert page.differences == ["SELECT 2: erin was given 1, and should have been given 2"]
    shown = [line.split()[-1] for line in out.getvalue().splitlines() if line.startswith("SELECT")]
    assert shown == ["ok", "WRONG"]
    assert page.finish() == 1


@pytest.mark.parametrize(
    ("code", "place", "differences"),
    [
        ("NOT_FOUND", "1:15", []),
        ("NOT_FOUND", "", ["the place is none, and should be 1:15"]),
        ("INVALID_SQL", "1:15", ["the error code is INVALID_SQL, and should be NOT_FOUND"]),
        (
            "answered",
            "",
            ["the error code is answered, and should be NOT_FOUND", "the place is none, and should be 1:15"],
        ),
    ],
)
def test_a_hostile_statement_is_held_against_its_row(code: str, place: str, differences: list[str]) -> None:
    page = Page(Console(file=io.StringIO(), highlight=False, markup=False, emoji=False))
    statement = Statement("SELECT * FROM sqlite_master", ErrorCode.NOT_FOUND, "1:15", "the schema")
    attempt = judge(statement, code, place, "a sentence")
    page.show_attempts([attempt])
    assert attempt.differences == differences
    assert page.differences == [f"the schema: {words}" for words in differences]


def test_hostile_statements_have_different_names() -> None:
    names = [statement.shown or statement.text for statement in STATEMENTS]
    assert len(names) == len(set(names))


def test_without_a_difference_it_ends_well() -> None:
    out = io.StringIO()
    page = Page(Console(file=out, highlight=False, markup=False, emoji=False))
    page.show_outcomes([outcome()])
    assert page.finish() == 0
    assert "All of it happened as the error table says." in out.getvalue()
