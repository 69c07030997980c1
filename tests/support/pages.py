"""The documents as their readers use them: code blocks to run, commands to paste, tables to hold against the code."""

import os
import re
import sys
from pathlib import Path

__all__ = ["ROOT", "Paste", "blocks", "read_page", "table_rows"]

ROOT = Path(__file__).resolve().parents[2]

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read_page(path: str) -> str:
    """A page, by its path from the root."""
    return (ROOT / path).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    """The fenced code blocks of one language, in order."""
    return [code for name, code in _BLOCK.findall(page) if name == language]


def table_rows(page: str, first_heading: str) -> list[list[str]]:
    """The rows of the table whose first heading this is, without the markup of code and emphasis."""
    lines = iter(page.splitlines())
    for line in lines:
        if line.startswith(f"| {first_heading} |"):
            break
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`*") for cell in line.strip("|").split("|")])
    return rows


class Paste:
    """What the documents tell to type, with the places of a test in place of the reader's.

    Args:
        folder: Holds the data directory and the files that the page tells to save.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("WATCHWORD_")}

    def adapt(self, command: str, *, port: int = 0) -> str:
        """The command for this folder, this interpreter, and a server on this port; 0 lets a server pick one."""
        command = command.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
        command = command.replace("--data data", f"--data {self._folder / 'data'}")
        command = command.replace("tokens.toml", str(self._folder / "tokens.toml"))
        command = command.replace("127.0.0.1:8080", f"127.0.0.1:{port}")
        return command.replace("watchword serve", "watchword serve --port 0")
