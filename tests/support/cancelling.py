"""Cancelling at every step: a loop whose tasks' steps are counted, so that one of them can be the moment."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any

__all__ = ["call_at_step"]


class _Counted(Coroutine[Any, Any, Any]):
    """A coroutine that tells of each of its steps, right after it."""

    def __init__(self, inner: Coroutine[Any, Any, Any], count: Callable[[], None]) -> None:
        self._inner = inner
        self._count = count

    def send(self, value: Any) -> Any:
        try:
            return self._inner.send(value)
        finally:
            self._count()

    def throw(self, *error: Any) -> Any:
        try:
            return self._inner.throw(*error)
        finally:
            self._count()

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._inner.__await__()


def call_at_step(step: int, act: Callable[[], object], *, times: int = 1) -> None:
    """Act right after so many steps of the tasks that begin from now on, and after the next ones, so many times."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1
        if step <= steps < step + times:
            act()

    def make(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> "asyncio.Task[Any]":
        return asyncio.Task(_Counted(work, count), loop=loop, **options)

    asyncio.get_running_loop().set_task_factory(make)
