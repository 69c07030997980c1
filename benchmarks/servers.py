"""What is measured: servers that are started fresh for every run, each alone on one core."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from benchmarks.population import SECRET

__all__ = ["ROOT", "SERVER_CORE", "Running", "Server", "Watchword", "Yardstick", "python_path"]

ROOT: Final = Path(__file__).resolve().parent.parent
SERVER_CORE: Final = "0"
_STOP_S: Final = 10.0
_YARDSTICK: Final = Path(__file__).resolve().parent / "yardstick"

# What would be measured otherwise are the limits: all the load comes from a few addresses, for a few users.
_LIMITS: Final = {
    "WATCHWORD_LIMITS__CONNECTIONS_PER_ADDRESS": "100000",
    "WATCHWORD_LIMITS__CONNECTIONS_PER_USER": "100000",
    "WATCHWORD_LIMITS__MESSAGES_PER_S": "1000000",
}


class Running(NamedTuple):
    """A server that accepts connections."""

    pid: int
    port: int
    path: str


class Server(Protocol):
    """Something to measure."""

    name: str

    def prepare(self, directory: Path, users: int) -> None:
        """Make what it needs to know these users, in a directory of its own."""

    def run(self, directory: Path, users: int) -> AbstractContextManager[Running]:
        """A fresh process, which ends with the context."""


class Watchword:
    """The server of a source tree: this one, or a worktree of an older commit."""

    def __init__(self, tree: Path, name: str) -> None:
        self.name = name
        self.tree = tree

    def prepare(self, directory: Path, users: int) -> None:
        command = [sys.executable, "-m", "benchmarks.population", str(directory), str(users)]
        subprocess.run(command, env=python_path(self.tree), cwd=ROOT, check=True)

    @contextmanager
    def run(self, directory: Path, users: int, *, limits_messages: bool = False) -> Iterator[Running]:
        """`limits_messages`: leave the default limit of messages a second in force."""
        command = [sys.executable, "-m", "watchword_server", "serve", "--port", "0", "--data", str(directory)]
        environment = {**python_path(self.tree), **_LIMITS, "WATCHWORD_AUTH__JWT_SECRET": SECRET}
        if limits_messages:
            del environment["WATCHWORD_LIMITS__MESSAGES_PER_S"]
        with _process(command, environment, directory / "stderr") as (process, line):
            yield Running(process.pid, int(line.rpartition(":")[2].partition("/")[0]), "/v1/ws")


class Yardstick:
    """`ws` and `jsonwebtoken` on Node."""

    name = "ws"

    def __init__(self) -> None:
        if not (_YARDSTICK / "node_modules").exists():
            install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock"]
            subprocess.run(install, cwd=_YARDSTICK, check=True)

    @staticmethod
    def is_possible() -> bool:
        """Whether Node is on this machine."""
        return shutil.which("node") is not None and shutil.which("npm") is not None

    def prepare(self, directory: Path, users: int) -> None:
        directory.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def run(self, directory: Path, users: int) -> Iterator[Running]:
        command = ["node", str(_YARDSTICK / "server.mjs"), str(users)]
        environment = {**os.environ, "YARDSTICK_SECRET": SECRET}
        with _process(command, environment, directory / "stderr") as (process, line):
            yield Running(process.pid, int(line.rpartition(" ")[2]), "/")


def python_path(tree: Path) -> Mapping[str, str]:
    """The environment in which Python imports the packages of this tree, whatever is installed."""
    sources = (tree / "client_sdk/python/src", tree / "server/src", ROOT)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WATCHWORD_")}
    return {**clean, "PYTHONPATH": os.pathsep.join(map(str, sources))}


@contextmanager
def _process(
    command: list[str], environment: Mapping[str, str], stderr: Path
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process on the server's core, and its first line of output, which says that it listens."""
    pinned = ["taskset", "-c", SERVER_CORE, *command]
    with (
        stderr.open("w") as log,
        subprocess.Popen(pinned, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        assert process.stdout is not None  # noqa: S101  # asked for above
        try:
            if not (line := process.stdout.readline().strip()):
                raise SystemExit(f"{' '.join(command)} did not start: {stderr.read_text()[-500:]}")
            yield process, line
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
