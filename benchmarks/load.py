"""The load: `wsload`, compiled when it is missing or old, on a core of its own."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

from benchmarks.servers import Running

__all__ = ["LOAD_CORE", "build", "command", "measure"]

LOAD_CORE: Final = "1"
_SOURCE: Final = Path(__file__).resolve().parent / "wsload.c"
_PROGRAM: Final = _SOURCE.with_suffix("")
_LONGEST_S: Final = 120.0


def build() -> None:
    """Compile the load generator.

    Raises:
        SystemExit: There is no gcc.
    """
    if _PROGRAM.exists() and _PROGRAM.stat().st_mtime >= _SOURCE.stat().st_mtime:
        return
    try:
        subprocess.run(["gcc", "-O2", "-march=native", "-o", str(_PROGRAM), str(_SOURCE)], check=True)
    except FileNotFoundError:
        raise SystemExit("the load generator is C: install gcc") from None


def command(server: Running, headers: Path, arguments: tuple[str, ...]) -> list[str]:
    """The command line of a load on a server."""
    return [
        str(_PROGRAM),
        *("--cpu", LOAD_CORE),
        *("--port", str(server.port)),
        *("--path", server.path),
        *("--headers-file", str(headers)),
        *("--expect", "auth_success"),
        *("--connect-timeout", "20"),
        *arguments,
    ]


def measure(server: Running, headers: Path, arguments: tuple[str, ...]) -> dict[str, Any]:
    """One run against a server: wsload's JSON object.

    Raises:
        SystemExit: A connection failed, so that the figure would mean something else.
    """
    words = command(server, headers, ("--server-pid", str(server.pid), *arguments))
    finished = subprocess.run(words, stdout=subprocess.PIPE, timeout=_LONGEST_S, check=True)
    result: dict[str, Any] = json.loads(finished.stdout)
    if any(result["errors"].values()) or result["lost"]:
        raise SystemExit(f"connections failed: {result['errors']}, {result['lost']} lost, HTTP {result['http_status']}")
    return result
