"""Real server processes, and the commands that prepare their data."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

__all__ = ["DemoFailed", "Server", "run_command", "start_server", "write_settings"]

_START_TIMEOUT_S: Final = 20.0
_STOP_TIMEOUT_S: Final = 10.0
_LOG_LINES: Final = 5


class DemoFailed(Exception):  # noqa: N818  # what happened, in the sentence that it carries
    """The demo cannot go on; the sentence says why."""


class Server:
    """One `watchword serve` that listens."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.url = url
        self.port = int(url.rpartition(":")[2].partition("/")[0])
        self._process = process

    async def stop(self) -> int:
        """SIGTERM; the exit status. Stopping twice is harmless."""
        if self._process.returncode is None:
            self._process.terminate()
        try:
            return await asyncio.wait_for(self._process.wait(), _STOP_TIMEOUT_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            raise DemoFailed(f"the server did not stop within {_STOP_TIMEOUT_S:g} s of SIGTERM") from None


@asynccontextmanager
async def start_server(
    name: str, folder: Path, data: Path, settings: Path, environment: Mapping[str, str]
) -> AsyncIterator[Server]:
    """`watchword serve` on a free port, from its first line to its exit. Its log goes to a file in `folder`.

    Raises:
        DemoFailed: It does not start, or does not stop.
    """
    log = folder / f"{name}.log"
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            _program(),
            *("serve", "--port", "0", "--data", str(data), "--config", str(settings)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=file,
            env=_clean(environment),
        )
    assert process.stdout is not None  # noqa: S101  # it is a pipe
    server: Server | None = None
    try:
        async with asyncio.timeout(_START_TIMEOUT_S):
            line = (await process.stdout.readline()).decode().strip()
        if not line.startswith("listening on "):
            last = log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
            raise DemoFailed("the server did not start; it said: " + (" / ".join(last) or "nothing"))
        server = Server(process, line.removeprefix("listening on "))
        yield server
    except TimeoutError:
        if server is not None:
            raise
        raise DemoFailed(f"the server did not start within {_START_TIMEOUT_S:g} s") from None
    finally:
        if server is not None:
            await server.stop()
        else:
            await _kill(process)


async def run_command(*arguments: str, environment: Mapping[str, str], password: str | None = None) -> str:
    """`watchword ARGUMENTS`; what it printed.

    Raises:
        DemoFailed: Its exit status is not 0.
    """
    process = await asyncio.create_subprocess_exec(
        _program(),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_clean(environment),
    )
    try:
        out, error = await process.communicate((password or "").encode())
    except asyncio.CancelledError:
        await _kill(process)
        raise
    if process.returncode:
        raise DemoFailed(f"`watchword {' '.join(arguments)}` failed: {error.decode().strip()}")
    return out.decode().strip()


async def _kill(process: asyncio.subprocess.Process) -> None:
    """End it and read its pipes to their end: one that is left open complains after the loop."""
    if process.returncode is None:
        process.kill()
    await process.communicate()


def write_settings(path: Path, settings: Mapping[str, Mapping[str, object]]) -> Path:
    """A settings file; JSON's scalars and lists are TOML's too."""
    lines: list[str] = []
    for section, members in settings.items():
        lines += [f"[{section}]", *(f"{name} = {json.dumps(value)}" for name, value in members.items()), ""]
    path.write_text("\n".join(lines))
    return path


def _program() -> str:
    program = Path(sys.executable).with_name("watchword")
    if not program.exists():
        raise DemoFailed(f"there is no {program}: run this with `make demo`, which installs it")
    return str(program)


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Settings of whoever runs the demo must not reach its servers."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WATCHWORD_")}
    return {**inherited, **environment}
