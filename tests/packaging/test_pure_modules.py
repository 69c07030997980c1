"""Pure modules load no loop, whatever they load in turn: seen in a fresh interpreter, not in their text."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PYPROJECT = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
[PURE] = [each["source_modules"] for each in PYPROJECT["tool"]["importlinter"]["contracts"] if each["id"] == "pure"]


def loaded(statement: str) -> set[str]:
    """The modules that are loaded after the statement."""
    script = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


# A submodule of the client runs the client's __init__, which is not pure, and PyJWT brings a fetcher of keys along.
IMPURE_COMPANY = {"watchword.reconnect", "watchword_server.auth.tokens"}


@pytest.mark.parametrize("module", [name for name in PURE if name not in IMPURE_COMPANY])
def test_pure_module_loads_no_loop_and_no_socket(module: str) -> None:
    assert not loaded(f"import {module}") & {"asyncio", "socket", "ssl", "selectors"}


def test_whole_protocol_loads_no_loop() -> None:
    script = (
        "import importlib, pkgutil, watchword_protocol as p\n"
        "for m in pkgutil.iter_modules(p.__path__, 'watchword_protocol.'): importlib.import_module(m.name)"
    )
    modules = loaded(script)
    assert "watchword_protocol.codec" in modules
    assert not modules & {"asyncio", "socket", "watchword", "watchword_server"}


def test_client_does_not_load_the_server() -> None:
    assert "watchword_server" not in loaded("import watchword")


def test_server_does_not_load_the_client() -> None:
    assert "watchword" not in loaded("import watchword_server.app")
