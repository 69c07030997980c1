"""The contracts of pyproject.toml hold, and each of them notices when it is broken."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("client_sdk/python/src", "server/src")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the sources and of the contracts."""
    for source in SOURCES:
        shutil.copytree(ROOT / source, tmp_path / source, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(tree: Path) -> tuple[int, str]:
    """Exit status and output, with the copy in place of what is installed."""
    script = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", script, "--no-cache"],
        cwd=tree,
        env={"PYTHONPATH": ":".join(str(tree / source) for source in SOURCES)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_sources_keep_every_contract(tree: Path) -> None:
    status, output = lint(tree)
    assert status == 0, output
    assert "KEPT" in output


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("server/src/watchword_server/user.py", "import watchword_server.auth.tokens", "The server's layers"),
        ("server/src/watchword_server/connection.py", "import watchword_server.gateway.gateway", "The server's layers"),
        ("server/src/watchword_server/gateway/quota.py", "import watchword_server.adapters", "The server's layers"),
        ("server/src/watchword_server/config/lines.py", "import watchword_server.user", "The server's layers"),
        ("server/src/watchword_server/user.py", "import watchword.client", "Client and server never know each other"),
        ("client_sdk/python/src/watchword/client.py", "import watchword_server.user", "Client and server never know"),
        ("client_sdk/python/src/watchword_protocol/codec.py", "import watchword", "The protocol knows neither side"),
        ("client_sdk/python/src/watchword_protocol/codec.py", "import asyncio", "Pure modules have no I/O"),
        ("client_sdk/python/src/watchword/reconnect.py", "from random import random", "Pure modules have no I/O"),
        ("server/src/watchword_server/connection.py", "import time", "Pure modules have no I/O"),
        ("server/src/watchword_server/gateway/frames.py", "import socket", "Pure modules have no I/O"),
    ],
)
def test_forbidden_import_breaks_its_contract(tree: Path, module: str, line: str, contract: str) -> None:
    with (tree / module).open("a") as file:
        file.write(f"\n{line}\n")
    status, output = lint(tree)
    assert status == 1
    broken = [each for each in output.splitlines() if each.endswith("BROKEN")]
    assert any(each.startswith(contract) for each in broken), output


def test_module_without_a_layer_breaks_the_layers(tree: Path) -> None:
    """Exhaustive: a new module has to be given its place."""
    (tree / "server/src/watchword_server/utils.py").write_text("")
    status, output = lint(tree)
    assert status == 1
    assert "utils" in output
