"""A server inside the measuring process, for what cannot be seen from outside."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvloop
from benchmarks.client import upgrade_request
from benchmarks.population import SECRET, fill, user_id, write_headers

from watchword_server.app import RunningServer, serve
from watchword_server.config import load_config

__all__ = ["Wire", "run", "serve_users"]


def run(measure: Coroutine[Any, Any, dict[str, float]]) -> None:
    """Measure on the loop that the server runs on, and print the values as JSON.

    asyncio's own transports are reference cycles, uvloop's are not.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(measure)))


@asynccontextmanager
async def serve_users(*, users: int, tokens: int) -> AsyncIterator[tuple[RunningServer, list[bytes]]]:
    """A server on a free port, and upgrade requests, a token each, of users who have been here before."""
    environment = {
        "WATCHWORD_AUTH__JWT_SECRET": SECRET,
        "WATCHWORD_LIMITS__CONNECTIONS_PER_ADDRESS": "100000",
        "WATCHWORD_LIMITS__CONNECTIONS_PER_USER": "100000",
        "WATCHWORD_OPS__LOG_LEVEL": "warning",
    }
    with TemporaryDirectory(prefix="watchword-benchmark-") as name:
        data, headers = Path(name) / "data", Path(name) / "headers"
        await fill(data, users)
        write_headers(headers, tokens=tokens, users=users)
        requests = [upgrade_request(line) for line in headers.read_bytes().splitlines()]
        config = load_config(None, environ=environment, flags={"server.port": 0, "storage.path": str(data)})
        async with serve(config) as server:
            directory = server.service.authenticator._directory  # noqa: SLF001  # no other way to meet users in advance
            for number in range(users):
                await directory.find(user_id(number))
            yield server, requests


class Wire(asyncio.Transport):
    """A transport without a socket: what is written is kept."""

    def __init__(self, address: str) -> None:
        super().__init__({"peername": (address, 1)})
        self.protocol: Any = None
        self.written = b""
        self.arrived_at = 0.0  # seconds, on whose clock is the user's affair

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written = bytes(data)

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing to close."""
