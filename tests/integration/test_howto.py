"""What README and the how-to tell to type does what they say."""

import base64
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import jwt
import pytest

import watchword
from examples.demo.credentials import malformed_cases, password_cases, token_cases
from examples.demo.page import COMMANDS, COMMANDS_BESIDE
from support.pages import ROOT, Paste, blocks, read_page, table_rows
from watchword_protocol.errors import ErrorCode

README = read_page("README.md")
HOWTO = read_page("docs/howto/bring-your-own-tokens.md")
COMMAND = "watchword token"

# The snippet that mints, and what has to be there to run it.
MINTS = {
    language: code
    for language, program in (("python", sys.executable), ("javascript", "node"), ("sh", "openssl"))
    for code in blocks(HOWTO, language)
    if shutil.which(program) and ('"HS256"' in code)
}


class Running(NamedTuple):
    """A server started as a page tells."""

    port: int
    paste: Paste
    folder: Path

    def run(self, command: str, *, interpreter: tuple[str, ...] = ("/bin/sh", "-ec"), **environment: str) -> str:
        """Type it; what it printed."""
        done = subprocess.run(
            [*interpreter, self.paste.adapt(command, port=self.port)],
            cwd=ROOT,
            env={**self.paste.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.strip()


@contextmanager
def follow(lines: list[str], folder: Path, **environment: str) -> Iterator[Running]:
    """Type lines of which the last one starts a server."""
    paste = Paste(folder)
    paste.environment |= environment
    *before, serve = lines
    running = Running(0, paste, folder)
    for line in before:
        running.run(line)
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            ["/bin/sh", "-c", f"exec {paste.adapt(serve)}"],
            cwd=ROOT,
            env=paste.environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as server,
    ):
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            assert line.startswith("listening on "), (folder / "log").read_text()
            yield running._replace(port=int(re.findall(r":(\d+)/", line)[0]))
        finally:
            server.terminate()
            assert server.wait(timeout=15) == 0


@pytest.fixture(scope="module")
def by_howto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The how-to followed up to a server that runs."""
    folder = tmp_path_factory.mktemp("howto")
    (settings,) = blocks(HOWTO, "toml")
    (folder / "tokens.toml").write_text(settings)
    make_secret, check, start, *_ = blocks(HOWTO, "sh")
    secret = Running(0, Paste(folder), folder).run(f"{make_secret}\nprintf %s $WATCHWORD_AUTH__JWT_SECRET")
    lines = [check.strip(), *start.strip().splitlines()]
    with follow(lines, folder, WATCHWORD_AUTH__JWT_SECRET=secret) as running:
        yield running


@pytest.fixture(scope="module")
def by_readme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """README followed up to a server that runs."""
    start, _ = blocks(README, "sh")
    with follow(start.strip().splitlines(), tmp_path_factory.mktemp("readme")) as running:
        yield running


def token_of(running: Running) -> str:
    """A token, as README gets one."""
    return running.run(f"{COMMANDS_BESIDE.splitlines()[0]}\nprintf %s $TOKEN")


# The how-to


def mint_as_shown(running: Running, language: str) -> str:
    if language == COMMAND:
        command = next(code for code in blocks(HOWTO, "sh") if COMMAND in code)
        return running.run(command)
    code = MINTS[language]
    if language == "sh":
        return running.run(code)
    path = running.folder / {"python": "mint.py", "javascript": "mint.mjs"}[language]
    path.write_text(code)
    return running.run(str(path), interpreter=(sys.executable if language == "python" else "node",))


def test_python_at_least_can_mint_here() -> None:
    assert "python" in MINTS


@pytest.mark.parametrize("language", [*MINTS, COMMAND])
async def test_a_token_minted_as_shown_is_accepted_by_every_way(by_howto: Running, language: str) -> None:
    token = mint_as_shown(by_howto, language)
    ways: tuple[watchword.Present, ...] = ("header", "subprotocol", "first_message")
    for way in ways:
        async with watchword.connect(f"ws://127.0.0.1:{by_howto.port}", token=token, present=way) as db:
            assert (db.user.name, db.user.role) == ("ada", "user")
            assert db.user.lifetime_s is not None
            assert 800 < db.user.lifetime_s <= 900


async def test_a_secret_decoded_from_base64_is_another_secret(by_howto: Running) -> None:
    secret = by_howto.paste.environment["WATCHWORD_AUTH__JWT_SECRET"]
    key = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
    claims = {"iss": "https://login.example", "sub": "ada", "aud": "watchword", "exp": int(time.time()) + 900}
    async with watchword.connect(f"ws://127.0.0.1:{by_howto.port}", token=jwt.encode(claims, secret)):
        pass
    with pytest.raises(watchword.InvalidSignature):
        await watchword.connect(f"ws://127.0.0.1:{by_howto.port}", token=jwt.encode(claims, key))


def test_the_last_command_of_the_howto_says_who_one_is(by_howto: Running) -> None:
    (whoami,) = [code for code in blocks(HOWTO, "sh") if "whoami" in code]
    out = by_howto.run(whoami, TOKEN=mint_as_shown(by_howto, "python"))
    assert out.startswith("user        ada (u_")


def test_the_howto_has_every_refusal_of_a_credential_as_the_error_table_has_it() -> None:
    rows = {cells[0]: cells[1:3] for cells in table_rows(HOWTO, "code")}
    assert rows == {name: [str(ErrorCode[name].http), str(ErrorCode[name].close)] for name in rows}
    provoked = {case.expected.code.name for case in [*token_cases(""), *password_cases(1), *malformed_cases()]}
    assert provoked <= rows.keys()


# README


def test_the_demo_ends_with_the_commands_of_readme() -> None:
    assert blocks(README, "sh") == [COMMANDS, COMMANDS_BESIDE]


def test_the_commands_of_readme_lead_to_a_user_context_and_to_rows(by_readme: Running) -> None:
    out = by_readme.run(COMMANDS_BESIDE)
    assert out.startswith("user        ada (u_")
    assert re.search(r"^current_user +now\nada +20", out, re.MULTILINE)


def test_the_python_client_of_readme_runs(by_readme: Running) -> None:
    (code,) = blocks(README, "python")
    code = code.replace("eyJ...", token_of(by_readme))
    first, second = by_readme.run(code, interpreter=(sys.executable, "-c")).splitlines()
    assert first.startswith("ada user 20")
    assert second == "I am ada"


def has_websocket() -> bool:
    """Whether there is a Node with the browser's WebSocket."""
    probe = ["node", "--experimental-websocket", "-e", "WebSocket"]
    return bool(shutil.which("node")) and subprocess.run(probe, capture_output=True, check=False).returncode == 0


# With a good token it says who one is; with a bad one why not, and the close code. Without such a Node there is nothing
# to run it with, and only its text is looked at.
BROWSERS = [("good", r"I am ada until \S+"), ("bad", r"INVALID_TOKEN stop\nclosed 4202 INVALID_TOKEN")]


@pytest.mark.parametrize(("kind", "said"), BROWSERS if has_websocket() else [])
def test_the_browser_client_of_readme_runs(by_readme: Running, kind: str, said: str) -> None:
    (code,) = blocks(README, "javascript")
    token = token_of(by_readme) if kind == "good" else "a.b.c"
    leave = 'socket.addEventListener("message", ({ data }) => data.includes("auth_success") && process.exit());'
    interpreter = ("node", "--no-warnings", "--experimental-websocket", "-e")
    out = by_readme.run(f'const token = "{token}";\n{code}\n{leave}', interpreter=interpreter)
    assert re.fullmatch(said, out)


def test_the_browser_client_of_readme_offers_our_subprotocols() -> None:
    (code,) = blocks(README, "javascript")
    assert '["watchword.v1", `watchword.jwt.${token}`]' in code


def test_the_two_commands_are_targets_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target, command in (("demo", "-m examples.demo"), ("test", "-m pytest")):
        assert f"make {target}  " in README
        assert re.search(rf"^{target}: setup\n\t.*{re.escape(command)}$", makefile, re.MULTILINE)
