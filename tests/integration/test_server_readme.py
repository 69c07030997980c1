"""What server/README.md tells to type does what it says."""

import re
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from support.pages import ROOT, Paste, blocks, read_page
from watchword_server.config import load_config

PAGE = read_page("server/README.md")
START, CHECK, ASK, BACKUP = blocks(PAGE, "sh")


class Running(NamedTuple):
    """The server as the page starts it."""

    line: str
    folder: Path

    @property
    def port(self) -> int:
        return int(re.findall(r":(\d+)/", self.line)[0])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("server")
    paste = Paste(folder)
    *before, serve = START.strip().splitlines()
    script = "\n".join(["set -e", *map(paste.adapt, before), f"exec {paste.adapt(serve)}"])
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            ["/bin/sh", "-c", script], cwd=ROOT, env=paste.environment, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("added ada ")
            yield Running(process.stdout.readline(), folder)
        finally:
            process.terminate()
            assert process.wait(timeout=10) == 0, "as the page says"


def type_in(folder: Path, command: str, **environment: str) -> str:
    paste = Paste(folder)
    done = subprocess.run(
        ["/bin/sh", "-ec", paste.adapt(command)],
        cwd=ROOT,
        env=paste.environment | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_it_starts_and_says_the_line_of_the_page(server: Running) -> None:
    (line,) = [text for text in blocks(PAGE, "text") if "listening" in text]
    assert server.line == line.replace(":8080", f":{server.port}")


def test_health_is_asked_without_a_token(server: Running) -> None:
    answers = []
    for url in re.findall(r"curl -sS (\S+)", ASK):
        answer = httpx.get(url.replace(":8080", f":{server.port}"))
        answers.append((answer.status_code, answer.json()["status"]))
    assert answers == [(200, "ok"), (200, "ready")]


def test_a_backup_is_made_while_it_runs(server: Running) -> None:
    assert 'connect("data/watchword.db")' in BACKUP
    assert '"backup.db"' in BACKUP
    copy = server.folder / "backup.db"
    command = BACKUP.replace("data/watchword.db", str(server.folder / "data/watchword.db"))
    assert type_in(server.folder, command.replace("backup.db", str(copy))) == ""
    assert copy.stat().st_mode & 0o777 == 0o600
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT name FROM users").fetchall() == [("ada",)]
    connection.close()


def test_the_data_directory_holds_what_the_page_lists(server: Running) -> None:
    found = {file.name for file in (server.folder / "data").iterdir()}
    assert found == {"watchword.db", "watchword.db-wal", "watchword.db-shm", "lock"}
    assert all(f"`{name.removeprefix('watchword.db') or name}`" in PAGE for name in found)


def test_the_file_of_defaults_is_checked_as_the_page_says(tmp_path: Path) -> None:
    assert type_in(tmp_path, CHECK, WATCHWORD_AUTH__JWT_SECRET="Zm9yIHRoZSBwYWdlIG9mIHRoZSBzZXJ2ZXI") == "ok\n"


def test_the_settings_of_the_page_are_right(tmp_path: Path) -> None:
    (text,) = blocks(PAGE, "toml")
    (tmp_path / "watchword.toml").write_text(text)
    config = load_config(tmp_path / "watchword.toml", environ={}, flags={})
    assert (config.server.origins, config.ops.log) == (("https://app.example",), "json")
