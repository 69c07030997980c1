"""`watchword sql` against a real server."""

import asyncio
import io
import json
import os
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest
import pytest_asyncio

from support.asking import asking
from support.server import PASSWORD, token
from support.sql_server import sql_server
from watchword_server import cli
from watchword_server.app import RunningServer


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with sql_server(tmp_path) as server:
        yield server


class Run(Protocol):
    async def __call__(
        self, server: RunningServer, *arguments: str, stdin: bytes = b"", **environment: str
    ) -> Outcome: ...


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command, as ada unless the environment says otherwise; with no variable of ours from outside."""
    for variable in [name for name in os.environ if name.startswith("WATCHWORD_")]:
        monkeypatch.delenv(variable)

    async def run(server: RunningServer, *arguments: str, stdin: bytes = b"", **environment: str) -> Outcome:
        usual = {"WATCHWORD_URL": server.url, "WATCHWORD_TOKEN": token(server)}
        for name, value in (usual | environment).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["watchword", "sql", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))

        def main() -> int:
            try:
                cli.main()
            except SystemExit as end:
                return int(end.code or 0)
            return 0

        status = await asyncio.to_thread(main)  # the server's loop is this one
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return run


async def test_rows_are_a_table_and_numbers_stand_right(run: Run, server: RunningServer) -> None:
    async with asking(server) as ada:
        await ada.rows("INSERT INTO app.notes VALUES (1, 'hello', NULL), (22, $1, 3)", "\x1b[31mred [b]x[/b]\nline")
    outcome = await run(server, "-c", "SELECT id, body, stars, 1 = 1 AS yes FROM app.notes ORDER BY id")
    assert (outcome.status, outcome.err) == (0, "")
    assert [line.split() for line in outcome.out.splitlines()] == [
        ["id", "body", "stars", "yes"],
        ["1", "hello", "NULL", "true"],
        ["22", "\\x1b[31mred", "[b]x[/b]\\nline", "3", "true"],
        ["(2", "rows)"],
    ]
    assert outcome.out.splitlines()[1].startswith(" 1 ")


async def test_a_script_runs_one_statement_after_another_until_one_fails(
    run: Run, server: RunningServer, tmp_path: Path
) -> None:
    script = tmp_path / "script.sql"
    script.write_text(
        "CREATE NAMESPACE lab; -- alone, as it must be\n"
        "CREATE TABLE lab.t (id INT PRIMARY KEY) WITH (TYPE = 'USER');\n"
        "INSERT INTO lab.t VALUES (1), (2);\n\n  SELECT * FROM\n lab.s;\nDELETE FROM lab.t",
        encoding="utf-8",
    )
    outcome = await run(server, str(script), WATCHWORD_TOKEN=token(server, "cleo"))
    assert (outcome.status, outcome.out.splitlines()) == (
        1,
        ["(0 rows affected)", "(0 rows affected)", "(2 rows affected)"],
    )
    assert outcome.err.startswith('watchword: NOT_FOUND: There is no table "lab.s".')
    assert outcome.err.endswith("(line 6, column 2)\n")


async def test_json_is_an_array_of_objects_for_each_statement_with_rows(run: Run, server: RunningServer) -> None:
    sql = b"INSERT INTO app.notes VALUES (1, 'h\xc3\xa4', 2); SELECT * FROM app.notes; SELECT 1 AS one"
    for arguments in (["--json"], ["--json", "-"], [server.url, "-", "--json"]):
        outcome = await run(server, *arguments, stdin=sql + b"; DELETE FROM app.notes")
        assert (outcome.status, outcome.err) == (0, "")
        assert [json.loads(line) for line in outcome.out.splitlines()] == [
            [{"id": 1, "body": "h\u00e4", "stars": 2}],
            [{"one": 1}],
        ]


async def test_a_byte_order_mark_before_a_script_is_no_part_of_it(
    run: Run, server: RunningServer, tmp_path: Path
) -> None:
    script = tmp_path / "script.sql"
    script.write_bytes(b"\xef\xbb\xbfSELECT 1 AS a")
    for outcome in (await run(server, "--json", str(script)), await run(server, "--json", stdin=script.read_bytes())):
        assert (outcome.err, json.loads(outcome.out)) == ("", [{"a": 1}])


@pytest.mark.parametrize("arguments", [["--json"], []])
async def test_json_steers_no_terminal_and_stays_json(run: Run, server: RunningServer, arguments: list[str]) -> None:
    """Control characters of both sets, and what turns the direction of writing; letters of all scripts are kept."""
    sent = "\x1b[2J \x7f \x85 \x9b31m \u061c \u200f \u202e \u2028 \u2066 \U000e0001 é 東 😀"
    outcome = await run(server, *arguments, "-c", f"SELECT '{json.dumps([sent])}'::json AS j")
    shown = outcome.out.splitlines()[0 if arguments else 1].strip()
    assert shown.isprintable()
    assert "\\u009b31m" in shown
    assert "é 東 😀" in shown
    assert json.loads(shown) == ([{"j": [sent]}] if arguments else [sent])


async def test_a_closed_output_runs_nothing(run: Run, server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as closed:
        closed.setattr(sys, "stdout", None)
        outcome = await run(server, "-c", "INSERT INTO app.notes VALUES (1, 'x', 1)")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == "watchword: standard output is closed, so nothing can be shown\n"
    assert (await run(server, "--json", "-c", "SELECT count(*) FROM app.notes")).out == '[{"count": 0}]\n'


async def test_json_does_not_lose_a_column_that_has_the_name_of_another(run: Run, server: RunningServer) -> None:
    outcome = await run(server, "--json", "-c", "SELECT 1 AS a, 2 AS a")
    assert (outcome.status, outcome.out) == (1, "")
    assert "more than one column has the name a" in outcome.err


async def test_a_pipe_has_a_row_in_one_line(run: Run, server: RunningServer) -> None:
    outcome = await run(server, "-c", f"SELECT '{'w' * 300}' AS w, '{'v' * 300}' AS v")
    assert outcome.out.splitlines()[1].split() == ["w" * 300, "v" * 300]


async def test_a_single_transaction_is_all_or_nothing(run: Run, server: RunningServer) -> None:
    sql = "INSERT INTO app.notes VALUES (1, 'x', 1);\nINSERT INTO app.notes VALUES (1, 'x', 1)"
    outcome = await run(server, "-1", "-c", sql)
    assert (outcome.status, outcome.out) == (1, "")
    assert "CONSTRAINT_VIOLATION" in outcome.err
    assert (await run(server, "--json", "-c", "SELECT count(*) FROM app.notes")).out == '[{"count": 0}]\n'


async def test_password_and_as_user_say_who(run: Run, server: RunningServer) -> None:
    by_password = await run(server, "-c", "SELECT current_user", "--user", "ada", WATCHWORD_PASSWORD=PASSWORD)
    assert by_password.out.splitlines()[1] == "ada"
    serge = token(server, "serge")
    assert (await run(server, "-c", "SELECT current_user", "--as-user", "bob", "--token", serge)).out.splitlines()[
        1
    ] == "bob"


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["-c", "SELECT 'open"], {}, "(line 1, column 8)"),
        (["-c", " ; "], {}, "there is no statement to run"),
        ([], {}, "there is no statement to run"),
        (["-c", "SELECT 1", "file.sql"], {}, "give the statements once"),
        (["a.sql", "b.sql"], {}, "at most one URL and one file"),
        (["missing.sql"], {}, "missing.sql: No such file"),
        (["-c", "SELECT 1"], {"WATCHWORD_TOKEN": ""}, "there is no credential"),
        (["-c", "SELECT 1"], {"WATCHWORD_TOKEN": "a b"}, "the token holds characters"),
        (["-c", "SELECT 1"], {"WATCHWORD_TOKEN": "a.b.c"}, "INVALID_TOKEN"),
        (["-c", "SELECT 1", "ftp://x"], {}, "ftp://x is no address of a server"),
        (["-c", "SELECT 1", "ws://127.0.0.1:99999"], {}, "is no address of a server"),
        (["-c", "SELECT 1", "ws://127.0.0.1:1"], {}, "no answer from ws://127.0.0.1:1: Connection refused"),
    ],
)
async def test_what_cannot_be_done_is_one_sentence(
    run: Run, server: RunningServer, arguments: list[str], environment: dict[str, Any], words: str
) -> None:
    outcome = await run(server, *arguments, **environment)
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.startswith("watchword: ")
    assert words in outcome.err
    assert len(outcome.err.splitlines()) == 1
