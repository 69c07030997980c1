"""The scripted server for tests without a loop of their own."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager

from support.scripted_server import Life, ScriptedServer, play

__all__ = ["play_in_thread", "watchword_threads"]


@contextmanager
def play_in_thread(*lives: Life) -> Generator[ScriptedServer]:
    """The scripted server, with a loop and a thread of its own."""
    ready = threading.Event()
    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    servers: list[ScriptedServer] = []

    async def run() -> None:
        async with play(*lives) as server:
            servers.append(server)
            stop.append((asyncio.get_running_loop(), asyncio.Event()))
            ready.set()
            await stop[0][1].wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert ready.wait(5)
    try:
        yield servers[0]
    finally:
        loop, event = stop[0]
        loop.call_soon_threadsafe(event.set)
        thread.join()


def watchword_threads() -> list[str]:
    """Threads of synchronous clients that run now."""
    return [thread.name for thread in threading.enumerate() if thread.name == "watchword"]
