"""How long clients hold the loop: users take turns at what is done on it for them.

What a client asks is decoded, planned and bound on the loop, and as long as that lasts everybody waits. So it is done
in steps, each short by the limits of messages and texts, and after so much time of steps, of whomever, the loop goes
around first. Who has another step then goes on in a later turn of the loop, users one after another, however many
connections one of them has.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from watchword_server.steps import Steps
from watchword_server.turns import Turns

__all__ = ["Pace"]

T = TypeVar("T")

SLICE_S: Final = 0.005


class Pace:
    """Lives in one loop.

    Args:
        now: A monotonic clock, seconds.
        slice_s: Of steps; the one that exceeds it is the last before the loop goes around.
    """

    def __init__(self, now: Callable[[], float], slice_s: float = SLICE_S) -> None:
        self._now = now
        self._slice_s = slice_s
        self._used_s = 0.0
        self._began_at: float | None = None  # the step under way
        self._is_scheduled = False
        self._served: str | None = None  # who had the last turn; who came meanwhile has the next
        self._waiting: Turns[Callable[[], None]] = Turns()

    def __repr__(self) -> str:
        return f"<Pace: {len(self._waiting)} wait for a turn>"

    def begin(self) -> bool:
        """The step before has ended; whether another may begin now. Else `wait`."""
        self.end()
        if self._used_s >= self._slice_s:
            self._schedule()
            return False
        self._began_at = self._now()
        return True

    def end(self) -> None:
        """The step before has ended, and no other begins now; without one it is harmless."""
        if self._began_at is not None:
            self._used_s += self._now() - self._began_at
            self._began_at = None

    def wait(self, user: str, go_on: Callable[[], None], *, has_begun: bool = False) -> None:
        """Call this in a later turn of the loop, when it is this user's. It asks `begin` before each step, as ever.

        `has_begun`: it goes on with what it has, which takes memory, and comes before what the user has not begun.
        """
        if has_begun:
            self._waiting.add_first(user, go_on)
        else:
            self._waiting.add(user, go_on)

    async def through(self, user: str, steps: Steps[T]) -> T:
        """Do all of the steps for this user, in as many turns as they take."""
        walk = _Walk(self, user, steps)
        walk.go_on()
        return await walk.result

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._go_around)

    def _go_around(self) -> None:
        """The loop has been around."""
        self._is_scheduled = False
        self._used_s = 0.0
        try:
            while self._waiting and self._used_s < self._slice_s:
                self._served, go_on = self._waiting.take_next(self._served)
                go_on()
        finally:
            if self._waiting:
                self._schedule()


class _Walk(Generic[T]):
    """Somebody's way through their steps. `result`: what they were for, or what was raised."""

    def __init__(self, pace: Pace, user: str, steps: Steps[T]) -> None:
        self._pace = pace
        self._user = user
        self._steps = steps
        self._has_begun = False
        self.result: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def go_on(self) -> None:
        """While it is their turn, and somebody waits for the result."""
        while not self.result.done():
            if not self._pace.begin():
                self._pace.wait(self._user, self.go_on, has_begun=self._has_begun)
                return
            self._has_begun = True
            try:
                next(self._steps)
            except StopIteration as end:
                self.result.set_result(end.value)
            except Exception as error:  # noqa: BLE001  # raised where it is waited for
                self.result.set_exception(error)
        self._pace.end()
