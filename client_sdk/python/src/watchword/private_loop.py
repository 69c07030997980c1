"""The loop of a synchronous client, in a thread of its own, and functions that may block beside it.

Nothing here waits for a function of the user's: one that blocks, or that closes the client itself, must keep neither
`close()` nor the end of the process from coming. So its thread is a daemon, and not one of the loop's executor, which
both would wait for.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Final

__all__ = ["call_in_thread", "start_loop"]

_END_TIMEOUT_S: Final = 1.0


def start_loop() -> tuple[asyncio.AbstractEventLoop, threading.Thread]:
    """A loop that runs until it is stopped, then ends what still runs in it; and its thread."""
    started: Future[asyncio.AbstractEventLoop] = Future()
    # A daemon: a script that forgets to close must still be able to end.
    thread = threading.Thread(target=_run, args=(started,), name="watchword", daemon=True)
    thread.start()
    return started.result(), thread


def _run(started: "Future[asyncio.AbstractEventLoop]") -> None:
    # Not a Runner, which would wait for the executor, and so for a look-up of a name that hangs.
    loop = asyncio.new_event_loop()
    try:
        loop.call_soon(started.set_result, loop)
        loop.run_forever()
    finally:
        try:
            loop.run_until_complete(_end_tasks())
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()


async def _end_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_END_TIMEOUT_S)


async def call_in_thread(function: Callable[[], Any]) -> Any:
    """What a function returns that may block. Cancelled, it no longer waits; the function ends when it ends.

    Raises:
        Exception: What the function raised; a RuntimeError in place of what would end a thread or a task.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()

    def settle(outcome: tuple[Any, BaseException | None]) -> None:
        if not done.done():
            done.set_result(outcome)

    def run() -> None:
        outcome: tuple[Any, BaseException | None]
        try:
            outcome = context.run(function), None
        except BaseException as error:  # noqa: BLE001  # it is raised where the function's value is waited for
            outcome = None, error
        with suppress(RuntimeError):  # the loop was closed meanwhile, and nobody waits
            loop.call_soon_threadsafe(settle, outcome)

    context = contextvars.copy_context()
    threading.Thread(target=run, name="watchword token", daemon=True).start()
    value, error = await done
    if error is None:
        return value
    if isinstance(error, Exception):
        raise error
    raise RuntimeError(f"it raised {type(error).__name__}") from error
