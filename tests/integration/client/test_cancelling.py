"""Cancelled at any step, a client leaves no task and no socket behind, and raises nothing but the cancellation."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import watchword
from support.cancelling import call_at_step
from support.scripted_server import Life, Peer, auth_success, play, refuse, welcome
from watchword import State


async def end_after_a_ping(peer: Peer) -> None:
    await peer.say(auth_success())
    await peer.hear()
    await peer.close(1012, "SERVER_SHUTDOWN")


async def fetch() -> str:
    await asyncio.sleep(0)
    return "a.b.c"


async def no_wait(_seconds: float) -> None:
    await asyncio.sleep(0)


async def come_and_go(url: str) -> None:
    async with watchword.connect(url, token=fetch, close_timeout_s=0.2) as db:
        await db.ping()


async def be_refused(url: str) -> None:
    with suppress(watchword.TokenExpired):
        await watchword.connect(url, token="a.b.c", present="first_message", close_timeout_s=0.2)


async def come_back(url: str) -> None:
    async with watchword.connect(url, token=fetch, sleep=no_wait, close_timeout_s=0.2) as db:
        with suppress(watchword.ConnectionLost):
            await db.ping()
        await db.wait_for(State.RECONNECTING)
        await db.wait_for(State.OPEN)
        await db.ping()


async def renew(url: str) -> None:
    async with watchword.connect(url, token=fetch, close_timeout_s=0.2) as db:
        await db._link.connection.authenticate(await db._link._credential.fetch(1), 1)


async def answer_everything(peer: Peer) -> None:
    await peer.say(auth_success())
    while True:
        message = await peer.hear()
        await peer.say(auth_success() if message["type"] == "authenticate" else {"type": "pong", "id": message["id"]})


LIVES: dict[str, tuple[Callable[[str], Coroutine[Any, Any, None]], list[Life]]] = {
    "come and go": (come_and_go, [welcome()]),
    "be refused": (be_refused, [refuse("TOKEN_EXPIRED", hear_first=True)]),
    "come back": (come_back, [end_after_a_ping, welcome()]),
    "renew": (renew, [answer_everything]),
}


@pytest.mark.parametrize("times", [1, 2, 5], ids=["once", "twice", "five times"])
@pytest.mark.parametrize(("life", "script"), LIVES.values(), ids=LIVES)
async def test_cancelling_at_any_step_leaves_nothing_behind(
    life: Callable[[str], Coroutine[Any, Any, None]], script: list[Life], times: int
) -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    async with play(*script) as server:
        before = count_files()
        step, was_cancelled = 0, True
        while was_cancelled:
            step += 1
            server.requests.clear()
            was_cancelled = await cancel_at(step, life(server.url), times)
            if times == 1:
                assert watchword_tasks() == set(), f"step {step}"
            async with asyncio.timeout(2):
                while watchword_tasks() or count_files() > before:  # noqa: ASYNC110  # a socket's end sets no event
                    await asyncio.sleep(0)
    gc.collect()
    assert faults == []
    assert step > 20


async def cancel_at(step: int, life: Coroutine[Any, Any, None], times: int) -> bool:
    """Whether it was there to be cancelled."""
    loop = asyncio.get_running_loop()
    call_at_step(step, lambda: task.cancel(), times=times)
    task = loop.create_task(life)
    try:
        await asyncio.wait({task}, timeout=3)
        assert task.done()
        task.cancelled() or task.result()
        return task.cancelled()
    finally:
        loop.set_task_factory(None)


def watchword_tasks() -> set[str]:
    return {name for task in asyncio.all_tasks() if (name := task.get_name()).startswith("watchword")}


def count_files() -> int:
    """Files and sockets that this process has open, the scripted server's end of each connection among them."""
    return len(list(Path("/dev/fd").iterdir()))
