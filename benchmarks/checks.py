"""What must stay small: the garbage of handshakes, and how long it takes to end many connections. Over real sockets."""

import asyncio
import gc
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

from benchmarks.client import CLOSE_FRAME, come_in, read_until
from benchmarks.inside import run, serve_users

from watchword_protocol.errors import ErrorCode
from watchword_server.app import RunningServer

_MANY: Final = 1_000


def _come_and_go(port: int, requests: Sequence[bytes]) -> None:
    for request in requests:
        with come_in(port, request) as client:
            client.sendall(CLOSE_FRAME)
            while client.recv(65_536):
                pass


async def _count_garbage(server: RunningServer, requests: Sequence[bytes]) -> float:
    """Objects that only the collector can free, after so many handshakes."""
    await asyncio.to_thread(_come_and_go, server.port, requests[:50])
    gc.collect()
    gc.disable()
    try:
        await asyncio.to_thread(_come_and_go, server.port, requests)
        return float(gc.collect())
    finally:
        gc.enable()


async def _end_all(server: RunningServer, request: bytes) -> tuple[float, float]:
    """End the connections of one user: milliseconds of the call, and until the last client has its close frame."""
    frame = ErrorCode.TOKEN_REVOKED.name.encode()
    with ExitStack() as stack:
        clients = [stack.enter_context(await asyncio.to_thread(come_in, server.port, request)) for _ in range(_MANY)]
        (user_id,) = {connection.user.id for connection in server.service.registry if connection.user}
        begin = time.perf_counter()
        ended = server.service.registry.end_user(user_id, ErrorCode.TOKEN_REVOKED)
        called_s = time.perf_counter() - begin
        assert ended == _MANY, ended  # noqa: S101  # else something else is measured

        def read_all() -> None:
            for client in clients:
                read_until(client, frame)

        await asyncio.to_thread(read_all)
        return called_s * 1e3, (time.perf_counter() - begin) * 1e3


async def measure() -> dict[str, float]:
    """Values by name and unit."""
    async with serve_users(users=1, tokens=_MANY + 50) as (server, requests):
        garbage = await _count_garbage(server, requests[:_MANY])
        called_ms, heard_ms = await _end_all(server, requests[-1])
    return {
        f"unreachable after {_MANY:,} handshakes (objects)": garbage,
        f"end {_MANY:,} connections, the call (ms)": called_ms,
        f"end {_MANY:,} connections, until the last client knows (ms)": heard_ms,
    }


if __name__ == "__main__":
    run(measure())
