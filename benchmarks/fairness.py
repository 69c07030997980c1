"""What a bystander waits for an answer while others are rude. The server keeps its default limit of messages.

The bystander and the rude share a core, the server has its own: what the bystander waits is the server's doing, except
for the rude ones' own time on their core, which the row "a busy neighbour" shows.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import load
from benchmarks.client import PING_MESSAGE, come_in, read_until, upgrade_request
from benchmarks.population import write_headers
from benchmarks.servers import Running, Watchword

import watchword_server

_PINGS: Final = 300
_PAUSE_S: Final = 0.003
_FLOOD: Final = b"\x89\x80\0\0\0\0" * 10_000  # empty pings


def measure() -> dict[str, float]:
    """Values by name and unit."""
    os.sched_setaffinity(0, {int(load.LOAD_CORE)})
    load.build()
    found: dict[str, float] = {}
    with TemporaryDirectory(prefix="watchword-benchmark-") as name:
        data, headers = Path(name) / "data", Path(name) / "headers"
        server = Watchword(Path(watchword_server.__file__).parents[3], "watchword")
        server.prepare(data, 1_000)
        write_headers(headers, tokens=30_000, users=1_000)
        storm = load.command(Running(0, 0, "/v1/ws"), headers, ("--mode", "churn", "--conns", "50", "--time", "30"))
        with server.run(data, 1_000, limits_messages=True) as running:
            storm[storm.index("--port") + 1] = str(running.port)
            flood = [sys.executable, "-m", "benchmarks.fairness", str(running.port), str(headers)]
            rude = {
                "nobody": [],
                "a busy neighbour": [sys.executable, "-c", "while True: pass"],
                "a storm of handshakes": storm,
                "one connection that floods": flood,
            }
            request = _request(headers)
            for what, command in rude.items():
                with _beside(command):
                    p50_ms, p99_ms, longest_ms = _ask(running.port, request)
                found[f"{what}: p50 (ms)"] = p50_ms
                found[f"{what}: p99 (ms)"] = p99_ms
                found[f"{what}: longest (ms)"] = longest_ms
    return found


def _request(headers: Path) -> bytes:
    with headers.open("rb") as lines:
        return upgrade_request(lines.readline().rstrip())


def _ask(port: int, request: bytes) -> tuple[float, float, float]:
    """Milliseconds: p50, p99, the longest."""
    waits_ms = []
    with come_in(port, request) as client:
        for _ in range(_PINGS):
            time.sleep(_PAUSE_S)
            begin = time.perf_counter()
            client.sendall(PING_MESSAGE)
            read_until(client, b"pong")
            waits_ms.append((time.perf_counter() - begin) * 1e3)
    cuts = quantiles(waits_ms, n=100)
    return cuts[49], cuts[98], max(waits_ms)


@contextmanager
def _beside(command: list[str]) -> Iterator[None]:
    """Something that runs at the same time."""
    if not command:
        yield
        return
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        time.sleep(0.5)
        try:
            yield
        finally:
            process.kill()


def _flood(port: int, request: bytes) -> None:
    """Empty pings as fast as they are taken, answers unread; once ended it comes again."""
    while True:
        with come_in(port, request) as client:
            try:
                while True:
                    client.sendall(_FLOOD)
            except OSError:
                continue


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _flood(int(sys.argv[1]), _request(Path(sys.argv[2])))
    else:
        print(json.dumps(measure()))
