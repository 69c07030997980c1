"""The command line, from arguments to output and exit status."""

import asyncio
import io
import json
import os
import pty
import re
import select
import socket
import sqlite3
import subprocess
import sys
import types
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, Protocol

import argon2
import jwt
import pytest
import typer

from watchword_protocol import __version__
from watchword_protocol.timestamps import parse_time
from watchword_server.adapters.sqlite.accounts import SqliteAccounts
from watchword_server.adapters.sqlite.data_directory import DataDirectory
from watchword_server.adapters.sqlite.database import open_for_reading
from watchword_server.auth.account import Account
from watchword_server.cli import main
from watchword_server.config import Config

SECRET = "Zm9yIHRoZSB0ZXN0cyBvZiB0aGUgY29tbWFuZA"
PASSWORD = b"correct horse"


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


class Cli(Protocol):
    def __call__(self, *arguments: str | Path, stdin: bytes | None = b"") -> Outcome: ...


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run the command in this process, with the real parts."""
    for variable in [name for name in os.environ if name.startswith("WATCHWORD_")]:
        monkeypatch.delenv(variable)

    def run(*arguments: str | Path, stdin: bytes | None = b"") -> Outcome:
        monkeypatch.setattr(sys, "argv", ["watchword", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", None if stdin is None else io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as end:
            main()
        code = end.value.code
        captured = capsys.readouterr()
        if isinstance(code, str):  # what Python itself does with it at the end of a process
            return Outcome(1, captured.out, f"{captured.err}{code}\n")
        return Outcome(code or 0, captured.out, captured.err)

    return run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def ada(cli: Cli, data: Path) -> str:
    """A user; its id."""
    outcome = cli("user", "add", "ada", "--role", "dba", "--password-stdin", "--data", data, stdin=PASSWORD)
    assert outcome == (0, outcome.out, "")
    return outcome.out.split("(")[1].split(")")[0]


def stored(data: Path, name: str) -> Account:
    async def find() -> Account | None:
        async with await open_for_reading(data / "watchword.db") as database:
            return await SqliteAccounts(database).by_name(name)

    account = asyncio.run(find())
    assert account is not None
    return account


def test_a_user_that_was_added_is_listed(cli: Cli, data: Path, ada: str) -> None:
    added = cli(
        "user",
        "add",
        "zoë",
        "--role",
        "user",
        "--email",
        "z@x.example",
        "--password-stdin",
        "--data",
        data,
        stdin=PASSWORD,
    )
    assert added.status == 0
    outcome = cli("user", "list", "--json", "--data", data)
    assert outcome.status == 0
    first, second = json.loads(outcome.out)
    assert (first["name"], first["id"], first["role"], first["email"]) == ("ada", ada, "dba", None)
    assert (second["name"], second["role"], second["email"]) == ("zoë", "user", "z@x.example")
    assert first["created_at"] == first["updated_at"]
    assert parse_time(first["created_at"]) > 1_700_000_000
    assert (first["valid_after"], first["last_seen_at"], first["deleted_at"], first["locked"]) == (
        None,
        None,
        None,
        False,
    )
    assert "argon2" not in outcome.out
    table = cli("user", "list", "--data", data).out.splitlines()
    assert [line.split()[0] for line in table] == ["name", "ada", "zoë"]
    assert "active" in table[1]


def test_a_user_id_begins_as_no_name_may(ada: str) -> None:
    assert ada.startswith("u_")
    assert len(ada) == 22


@pytest.mark.parametrize(
    ("typed", "password"),
    [
        (b"correct horse\n", "correct horse"),
        (b"correct horse", "correct horse"),
        (b"correct horse\n\n", "correct horse\n"),
        (b" correct horse ", " correct horse "),
        ("ünïcödé pw\n".encode(), "ünïcödé pw"),
        (b"x" * 1024 + b"\n", "x" * 1024),
    ],
)
def test_a_password_loses_exactly_one_newline_at_its_end(cli: Cli, data: Path, typed: bytes, password: str) -> None:
    assert cli("user", "add", "ada", "--role", "user", "--password-stdin", "--data", data, stdin=typed).status == 0
    account = stored(data, "ada")
    assert account.password_hash is not None
    assert argon2.PasswordHasher().verify(account.password_hash, password)


def test_passwd_changes_the_hash_and_makes_older_tokens_stale(cli: Cli, data: Path, ada: str) -> None:
    before = stored(data, "ada")
    outcome = cli("user", "passwd", "ada", "--password-stdin", "--data", data, stdin=b"battery staple\n")
    assert outcome == (0, "changed the password of ada\n", "")
    after = stored(data, "ada")
    assert after.id == ada
    assert after.password_hash is not None
    assert argon2.PasswordHasher().verify(after.password_hash, "battery staple")
    assert before.valid_after is None
    assert after.valid_after == after.updated_at > before.updated_at == after.created_at


def test_a_deleted_user_keeps_its_name(cli: Cli, data: Path, ada: str) -> None:
    assert cli("user", "delete", "ada", "--data", data) == (0, "deleted ada\n", "")
    (account,) = json.loads(cli("user", "list", "--json", "--data", data).out)
    assert account["id"] == ada
    assert account["deleted_at"] == account["updated_at"] is not None
    again = cli("user", "add", "ada", "--role", "user", "--password-stdin", "--data", data, stdin=PASSWORD)
    assert again == (1, "", "watchword: the name ada belongs to a deleted user and stays taken; choose another name\n")
    for command in (["user", "delete", "ada"], ["user", "passwd", "ada", "--password-stdin"], ["token", "ada"]):
        outcome = cli(*command, "--data", data, stdin=PASSWORD)
        assert outcome == (1, "", "watchword: the user ada is deleted\n")


@pytest.mark.parametrize(
    ("arguments", "stdin", "sentence"),
    [
        (["user", "add", "ada", "--role", "user", "--password-stdin"], PASSWORD, "there is a user ada already; choose"),
        (["user", "add", "a b", "--role", "user", "--password-stdin"], PASSWORD, "a user name is 1 to 64 letters"),
        (["user", "add", "u_x", "--role", "user", "--password-stdin"], PASSWORD, "may not begin with u_"),
        (
            ["user", "add", "bo", "--role", "user", "--password-stdin", "--email", "bo"],
            PASSWORD,
            "an email address looks",
        ),
        (["user", "add", "bo", "--role", "user", "--password-stdin"], b"short\n", "at least 8 characters"),
        (["user", "add", "bo", "--role", "user", "--password-stdin"], b"x" * 1025, "at most 1024 bytes"),
        (["user", "add", "bo", "--role", "user", "--password-stdin"], b"\xff" * 8, "is not UTF-8 text"),
        (["user", "add", "bo", "--role", "user"], PASSWORD, "standard input is not a terminal: give --password-stdin"),
        (["user", "passwd", "bo", "--password-stdin"], PASSWORD, "there is no user bo"),
        (["user", "passwd", "ada", "--password-stdin"], b"short", "at least 8 characters"),
        (["user", "delete", "bo"], b"", "there is no user bo"),
        (["token", "bo"], b"", "there is no user bo; add it with: watchword user add bo"),
        (["token", "ada"], b"", "there is no secret to sign with: set WATCHWORD_AUTH__JWT_SECRET"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    cli: Cli, data: Path, ada: str, arguments: list[str], stdin: bytes, sentence: str
) -> None:
    outcome = cli(*arguments, "--data", data, stdin=stdin)
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.startswith("watchword: ")
    assert outcome.err.count("\n") == 1
    assert sentence in outcome.err


@pytest.mark.parametrize(
    ("arguments", "words", "command"),
    [
        (["bogus"], "no such command 'bogus'", ""),
        (["user", "add", "ada"], "--role is missing: give user, service, dba or system", " user add"),
        (
            ["user", "add", "ada", "--role", "king"],
            "--role: expected user, service, dba or system, got 'king'",
            " user add",
        ),
        (["token"], "NAME is missing", " token"),
        (["token", "ada", "--expires", "0"], "--expires: expected an integer from 1 to 315360000, got '0'", " token"),
        (
            ["token", "ada", "--expires", "soon"],
            "--expires: expected an integer from 1 to 315360000, got 'soon'",
            " token",
        ),
        (["serve", "--port", "http"], "--port: expected an integer from 0 to 65535, got 'http'", " serve"),
        (["serve", "--port", "9" * 5000], "--port: expected an integer from 0 to 65535, got '999", " serve"),
        (["serve", "--port", "٣"], "--port: expected an integer from 0 to 65535, got '٣'", " serve"),
        (["serve", "--port", "1_0"], "--port: expected an integer from 0 to 65535, got '1_0'", " serve"),
        (["user", "list", "extra"], "got unexpected extra argument", " user list"),
    ],
)
def test_a_wrong_call_is_one_sentence_a_hint_and_status_2(
    cli: Cli, arguments: list[str], words: str, command: str
) -> None:
    outcome = cli(*arguments)
    assert (outcome.status, outcome.out) == (2, "")
    sentence, hint = outcome.err.splitlines()
    assert sentence.startswith(f"watchword: {words}")
    assert hint == f"Help: watchword{command} --help"
    assert cli(*command.split(), "--help").status == 0


def test_a_command_that_names_nothing_shows_its_help(cli: Cli) -> None:
    for command in ([], ["user"]):
        outcome = cli(*command)
        assert (outcome.status, outcome.out) == (2, "")
        assert outcome.err.startswith("Usage: ")


def test_a_password_that_is_not_typed_changes_nothing(
    cli: Cli, data: Path, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchword_server.cli.user.read_password", lambda **_: typer.prompt("Password", err=True))
    outcome = cli("user", "passwd", "ada", "--data", data)
    assert outcome.status == 1
    assert outcome.err.endswith("watchword: no password was given, so nothing was changed\n")


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["user", "add", "ada", "--role", "user", "--password-stdin"], "watchword user passwd ada"),
        (["user", "delete", "bo"], "watchword user list"),
        (["user", "passwd", "bo", "--password-stdin"], "watchword user list"),
        (["token", "bo"], "watchword user add bo --role user"),
        (["token", "ada"], "watchword serve --dev"),
    ],
)
def test_a_command_to_type_has_the_options_that_led_to_the_data(
    cli: Cli, tmp_path: Path, arguments: list[str], command: str
) -> None:
    data, file = tmp_path / "my data", tmp_path / "c.toml"
    file.write_text("")
    place = ["--data", str(data), "--config", str(file)]
    added = cli("user", "add", "ada", "--role", "dba", "--password-stdin", *place, stdin=PASSWORD)
    assert added.status == 0
    outcome = cli(*arguments, *place, stdin=PASSWORD)
    assert outcome.status == 1
    assert outcome.err.endswith(f": {command} --data '{data}' --config {file}\n")


@pytest.mark.parametrize("name", ["watchword.db", "lock"])
def test_odd_bytes_of_a_path_are_told_as_what_they_are(cli: Cli, tmp_path: Path, name: str) -> None:
    outcome = cli("user", "list", "--data", tmp_path / "a\udcffb")
    assert outcome == (1, "", "watchword: --data: storage.path: is not UTF-8 text\n")
    outcome = cli("check-config", "--config", tmp_path / f"a\n{name}\x1b[2J")
    assert outcome.status == 1
    assert outcome.err.startswith(f"watchword: {tmp_path}/a\\n{name}\\x1b[2J: cannot be read: No such file")
    assert outcome.err.count("\n") == 1


def test_a_token_from_a_damaged_database_names_the_file_and_the_remedy(cli: Cli, data: Path, ada: str) -> None:
    file = data / "watchword.db"
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)
    outcome = cli("token", "ada", "--data", data)
    assert outcome == (1, "", f"watchword: {file}: it is damaged; restore it from a backup\n")


def test_a_server_does_not_start_with_a_damaged_definition_and_says_so(cli: Cli, data: Path, ada: str) -> None:
    file = data / "watchword.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("INSERT INTO _namespaces VALUES ('app')")
        connection.execute("INSERT INTO _tables VALUES (1, 'app', 'notes', '{')")
    outcome = cli("serve", "--dev", "--data", data, "--port", "0")
    sentence = "the definition of its table app.notes is damaged; restore it from a backup"
    assert outcome == (1, "", f"watchword: {file}: {sentence}\n")


def test_a_port_in_use_is_told_with_the_way_out(cli: Cli, data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = cli("serve", "--dev", "--data", data, "--port", str(port))
    sentence = "another program listens there; stop it, or choose another port with --port"
    assert outcome == (1, "", f"watchword: 127.0.0.1:{port}: {sentence}\n")


@pytest.mark.parametrize(
    "arguments",
    [["user", "list"], ["user", "delete", "ada"], ["user", "passwd", "ada", "--password-stdin"], ["token", "ada"]],
)
def test_a_mistyped_directory_is_told_and_not_made(cli: Cli, data: Path, arguments: list[str]) -> None:
    outcome = cli(*arguments, "--data", data, stdin=PASSWORD)
    assert outcome.status == 1
    assert f"there is no database in {data}" in outcome.err
    assert not data.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["user", "list"],
        ["user", "delete", "ada"],
        ["user", "passwd", "ada", "--password-stdin"],
        ["user", "add", "bo", "--role", "user", "--password-stdin"],
    ],
)
def test_while_a_server_holds_the_data_a_command_says_who(cli: Cli, data: Path, ada: str, arguments: list[str]) -> None:
    address = "ws://127.0.0.1:8080/v1/ws"
    with DataDirectory(data) as directory:
        directory.announce(address)
        outcome = cli(*arguments, "--data", data, stdin=PASSWORD)
    sentence = f"watchword: {data} is in use by the server at {address} (pid {os.getpid()}); stop it first\n"
    assert outcome == (1, "", sentence)


def claims(token: str, secret: str = SECRET, audience: str | None = None) -> dict[str, object]:
    return dict(jwt.decode(token.removesuffix("\n"), secret, algorithms=["HS256"], audience=audience))


def test_a_token_is_minted_while_a_server_runs(cli: Cli, data: Path, ada: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_AUTH__JWT_SECRET", SECRET)
    with DataDirectory(data):
        outcome = cli("token", "ada", "--data", data)
    assert (outcome.status, outcome.err, outcome.out.count("\n")) == (0, "", 1)
    found = claims(outcome.out)
    assert (found["sub"], found["iss"], found["role"]) == (ada, "watchword", "dba")
    assert isinstance(found["exp"], float)
    assert isinstance(found["iat"], float)
    assert found["exp"] - found["iat"] == pytest.approx(900)
    assert claims(cli("token", "ada", "--data", data).out)["jti"] != found["jti"]


def test_a_token_follows_the_configuration(cli: Cli, data: Path, ada: str, tmp_path: Path) -> None:
    """The first trusted issuer signs, and the role is left out: in another issuer's token it means nothing."""
    file = tmp_path / "config.toml"
    file.write_text(
        f'[auth]\njwt_secret = "{SECRET}"\njwt_trusted_issuers = ["https://one.example", "https://two.example"]\n'
        f'audience = "db"\ntoken_s = 77\n[storage]\npath = "{data}"\n'
    )
    found = claims(cli("token", "ada", "--config", file).out, audience="db")
    assert (found["sub"], found["iss"], found["aud"], "role" in found) == (ada, "https://one.example", "db", False)
    short = claims(cli("token", "ada", "--config", file, "--expires", "5").out, audience="db")
    for each, lifetime_s in ((found, 77), (short, 5)):
        assert isinstance(each["exp"], float)
        assert isinstance(each["iat"], float)
        assert each["exp"] - each["iat"] == pytest.approx(lifetime_s)


def test_without_a_configured_secret_the_one_of_development_signs(
    cli: Cli, data: Path, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DataDirectory(data) as directory:
        secret = directory.dev_secret()
    assert claims(cli("token", "ada", "--data", data).out, secret)["sub"] == ada
    monkeypatch.setenv("WATCHWORD_AUTH__JWT_SECRET", SECRET)
    assert claims(cli("token", "ada", "--data", data).out, SECRET)["sub"] == ada


@pytest.mark.parametrize(
    ("host", "flags", "line"),
    [
        ("127.0.0.1", [], "listening on ws://127.0.0.1:4711/v1/ws\n"),
        ("::1", ["--host", "::1", "--port", "0"], "listening on ws://[::1]:4711/v1/ws\n"),
    ],
)
def test_serve_hands_its_flags_on_and_prints_one_line(
    cli: Cli, data: Path, monkeypatch: pytest.MonkeyPatch, host: str, flags: list[str], line: str
) -> None:
    """What the server itself does is tested with the server; here an announcement stands in for it."""
    seen: list[tuple[Config, bool]] = []

    def run(config: Config, *, dev: bool, announce: Callable[[str, int], None]) -> None:
        seen.append((config, dev))
        announce(host, 4711)

    app = types.ModuleType("watchword_server.app")
    monkeypatch.setattr(app, "run", run, raising=False)
    monkeypatch.setitem(sys.modules, "watchword_server.app", app)
    assert cli("serve", "--dev", "--data", data, *flags) == (0, line, "")
    ((config, dev),) = seen
    assert dev
    assert config.storage.path == str(data)
    assert config.server.host == host
    assert config.server.port == (0 if flags else 8080)


def test_a_server_holds_its_data_mints_beside_itself_and_stops_on_sigterm(cli: Cli, data: Path, ada: str) -> None:
    command = [sys.executable, "-m", "watchword_server", "serve", "--dev", "--port", "0", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            match = re.fullmatch(r"listening on (ws://127\.0\.0\.1:(\d+)/v1/ws)\n", line)
            assert match, line
            assert int(match[2]) > 0
            refused = cli("user", "list", "--data", data)
            who = f"{data} is in use by the server at {match[1]} (pid {server.pid}); stop it first"
            assert refused == (1, "", f"watchword: {who}\n")
            second = cli("serve", "--dev", "--port", "0", "--data", data)
            assert second == (1, "", f"watchword: {who}\n")
            assert (
                claims(cli("token", "ada", "--data", data).out, (data / "dev-secret").read_text().strip())["sub"] == ada
            )
        finally:
            server.terminate()
        assert server.wait(10) == 0
        assert server.stdout.read() == "", "one line and no more"
    assert cli("user", "list", "--data", data).status == 0


@pytest.mark.parametrize("arguments", [["serve"], ["user", "list"], ["token", "ada"], ["check-config"]])
def test_every_wrong_setting_is_named_in_a_line_of_its_own(cli: Cli, tmp_path: Path, arguments: list[str]) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[server]\nport = 99999\n\n[auth]\nleeway_s = 30\nleway_s = 3\n")
    outcome = cli(*arguments, "--config", file)
    assert (outcome.status, outcome.out) == (1, "")
    first, second = outcome.err.splitlines()
    assert first.startswith(f"watchword: {file} line 2: server.port: expected an integer from 0 to 65535")
    assert second.startswith(f"watchword: {file} line 6: auth.leway_s: unknown setting")


def test_check_config_says_ok_or_that_the_secret_is_missing(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = cli("check-config")
    assert (outcome.status, outcome.out) == (1, "")
    assert "auth.jwt_secret: is required" in outcome.err
    assert cli("check-config", "--dev") == (0, "ok\n", "")
    monkeypatch.setenv("WATCHWORD_SERVER__HOST", "0.0.0.0")  # noqa: S104  # to be refused, nobody listens
    outcome = cli("check-config", "--dev")
    assert outcome.status == 1
    assert outcome.err.startswith("watchword: server.host: is 0.0.0.0, but --dev listens on loopback only: ")
    assert cli("serve", "--dev") == outcome, "the server says the same"
    monkeypatch.delenv("WATCHWORD_SERVER__HOST")
    monkeypatch.setenv("WATCHWORD_AUTH__JWT_SECRET", SECRET)
    assert cli("check-config") == (0, "ok\n", "")


def test_the_version_is_the_protocol_packages(cli: Cli) -> None:
    assert cli("--version") == (0, f"watchword {__version__}\n", "")


def test_it_runs_as_a_module_too() -> None:
    command = [sys.executable, "-m", "watchword_server", "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"watchword {__version__}\n"


@pytest.mark.parametrize(
    "command",
    [[], ["serve"], ["user"], ["user", "add"], ["user", "list"], ["user", "passwd"], ["user", "delete"], ["token"]],
)
def test_help_teaches_by_examples(cli: Cli, command: list[str]) -> None:
    outcome = cli(*command, "--help")
    assert outcome.status == 0
    assert (
        f"\n    watchword {' '.join(command)}".rstrip() in outcome.out
        or f"| watchword {' '.join(command)}" in outcome.out
    )


@pytest.mark.parametrize("package", ["typer", "aiosqlite"])
def test_without_the_servers_packages_one_sentence_names_the_extra(package: str) -> None:
    source = f"import sys; sys.modules['{package}'] = None; from watchword_server.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    expected = f'the package {package} is missing; install the server with: pip install "watchword[server]"'
    assert done.stderr == f"watchword: {expected}\n"


def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(data: Path) -> None:
    # A new session whose first terminal is ours: that is where the password is asked for.
    source = "import os; os.open(os.ttyname(0), os.O_RDWR); from watchword_server.cli import main; main()"
    arguments = ["user", "add", "ada", "--role", "user", "--data", str(data)]
    person, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", source, *arguments],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        start_new_session=True,
        env={},
    ) as process:
        os.close(terminal)
        shown = b""
        for prompt in (b"Password: ", b"confirmation: "):
            while not shown.endswith(prompt):
                assert select.select([person], [], [], 10)[0], shown
                shown += os.read(person, 1024)
            os.write(person, PASSWORD + b"\n")
        assert process.wait(10) == 0
    os.close(person)
    assert PASSWORD not in shown
    account = stored(data, "ada")
    assert account.password_hash is not None
    assert argon2.PasswordHasher().verify(account.password_hash, PASSWORD.decode())


def test_a_closed_standard_input_is_told(cli: Cli, data: Path) -> None:
    outcome = cli("user", "add", "ada", "--role", "user", "--password-stdin", "--data", data, stdin=None)
    assert outcome == (1, "", "watchword: standard input is closed: write the password to it, with --password-stdin\n")


def test_an_empty_directory_name_is_not_the_current_one(cli: Cli) -> None:
    outcome = cli("user", "list", "--data", "")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.startswith("watchword: --data: storage.path: ")
    assert cli("check-config", "--config", "") == (
        1,
        "",
        'watchword: --config: expected the name of a file, got ""\n',
    )


def test_a_host_that_is_no_name_is_told(cli: Cli, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_AUTH__JWT_SECRET", SECRET)
    outcome = cli("serve", "--host", "a..b", "--data", data)
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.startswith('watchword: --host: server.host: "a..b" is no host: write an address')


def test_an_address_of_another_machine_is_told_with_the_way_out(
    cli: Cli, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHWORD_AUTH__JWT_SECRET", SECRET)
    outcome = cli("serve", "--host", "192.0.2.1", "--port", "0", "--data", data)  # RFC 5737: nobody's
    sentence = "this machine has no such address; choose another with --host"
    assert outcome == (1, "", f"watchword: 192.0.2.1:0: {sentence}\n")
