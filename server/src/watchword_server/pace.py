"""How long clients hold the loop: users take turns at what is done on it for them.

What a client asks is decoded, planned and bound on the loop, and as long as that lasts everybody waits. So all
connections together have a slice of each of the loop's turns for it. Work comes in steps, each short by the limits of
messages and texts; who has another one when the slice is used up goes on in a later turn, users one after another,
however many connections one of them has.
"""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from watchword_server.steps import Steps
from watchword_server.turns import Turns

__all__ = ["Pace"]

T = TypeVar("T")

SLICE_S: Final = 0.005


class Pace:
    """Lives in one loop.

    Args:
        now: A monotonic clock, seconds.
        slice_s: Of one turn of the loop; the step that exceeds it is the last.
    """

    def __init__(self, now: Callable[[], float], slice_s: float = SLICE_S) -> None:
        self._now = now
        self._slice_s = slice_s
        self._ends_at: float | None = None  # None until the first step of the loop's turn
        self._waiting: Turns[Callable[[], None]] = Turns()

    def __repr__(self) -> str:
        return f"<Pace: {len(self._waiting)} wait for a turn>"

    @property
    def is_over(self) -> bool:
        """Whether the slice is used up, so that whoever has another step must `wait`. Asked before each."""
        if self._ends_at is None:
            self._ends_at = self._now() + self._slice_s
            asyncio.get_running_loop().call_soon(self._begin)
            return False
        return self._is_used_up

    @property
    def _is_used_up(self) -> bool:
        return self._ends_at is not None and self._now() >= self._ends_at

    def wait(self, user: str, go_on: Callable[[], None]) -> None:
        """Call this in a later turn, when it is this user's. It asks `is_over` before each step as ever."""
        self._waiting.add(user, go_on)

    async def through(self, user: str, steps: Steps[T]) -> T:
        """Do all of the steps for this user, in as many turns as they take."""
        result: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def go_on() -> None:
            while not result.done():  # nobody waits for it any more when it is cancelled
                if self.is_over:
                    self.wait(user, go_on)
                    return
                try:
                    next(steps)
                except StopIteration as end:
                    result.set_result(end.value)
                except Exception as error:  # noqa: BLE001  # raised where it is waited for
                    result.set_exception(error)

        go_on()
        return await result

    def _begin(self) -> None:
        """The loop has been around."""
        self._ends_at = None
        try:
            while self._waiting and not self._is_used_up:
                self._waiting.take_next()()
        finally:
            if self._waiting and self._ends_at is None:  # nobody has taken a step
                asyncio.get_running_loop().call_soon(self._begin)
