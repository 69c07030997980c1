"""How long the statements of a request may run: what SQLite's progress handler asks."""

import threading
from collections.abc import Callable
from enum import Enum, unique
from typing import Final

__all__ = ["STEPS", "Deadline", "Progress", "Stop"]

STEPS: Final = 1_000
"""Instructions of SQLite's machine between two questions: about 20 us, of which the question takes one or two."""


@unique
class Stop(Enum):
    """Why a statement was interrupted."""

    TIME = "its time is over"
    CANCELLED = "nobody waits for it any more"
    DISPLACED = "it is slow, and there was no place for a slow one"


class Deadline:
    """The time of one request, from `start` on. `stop` says why it was interrupted, if it was; `has_place` that it has
    turned slow and may go on.

    Args:
        time_s: For all its statements together.
        now: A monotonic clock, seconds.
        slow_s: Age at which it is slow.
        take_place: Asked once, when it turns slow: whether it may go on.
    """

    __slots__ = ("_ends", "_is_cancelled", "_now", "_slow_at", "_slow_s", "_take_place", "has_place", "stop", "time_s")

    def __init__(
        self,
        time_s: float,
        now: Callable[[], float],
        *,
        slow_s: float = float("inf"),
        take_place: Callable[[], bool] = lambda: True,
    ) -> None:
        self.time_s = time_s
        self.stop: Stop | None = None
        self.has_place = False
        self._now = now
        self._slow_s = slow_s
        self._take_place = take_place
        self._is_cancelled = False
        self._ends = self._slow_at = float("inf")

    def start(self) -> None:
        """The first statement is about to run."""
        now = self._now()
        self._ends = now + self.time_s
        self._slow_at = now + self._slow_s

    def cancel(self) -> None:
        """Interrupt it as soon as it asks; from any thread, before or after `start`."""
        self._is_cancelled = True

    def is_over(self) -> bool:
        """Whether the statement that runs has to end now; once it has to, it stays so."""
        if self.stop is not None:
            return True
        now = self._now()
        if self._is_cancelled:
            self.stop = Stop.CANCELLED
        elif now >= self._ends:
            self.stop = Stop.TIME
        elif now >= self._slow_at:
            self.has_place = self._take_place()
            if self.has_place:
                self._slow_at = float("inf")
            else:
                self.stop = Stop.DISPLACED
        return self.stop is not None


class Progress:
    """What runs on a connection: its progress handler, and what the watchdog looks at.

    `awake`: set while something runs.
    """

    __slots__ = ("_deadline", "_lock", "awake")

    def __init__(self) -> None:
        self.awake = threading.Event()
        self._deadline: Deadline | None = None
        self._lock = threading.Lock()

    def begin(self, deadline: Deadline) -> None:
        """From here on the connection runs what the deadline is for."""
        self._deadline = deadline
        if not self.awake.is_set():
            self.awake.set()

    def end(self) -> None:
        """It runs nothing that has a deadline; no interrupt comes after this."""
        with self._lock:
            self._deadline = None

    def __call__(self) -> bool:
        """Whether what runs has to end now."""
        with self._lock:
            return self._deadline is not None and self._deadline.is_over()

    def interrupt_if_over(self, interrupt: Callable[[], None]) -> bool:
        """Call `interrupt` if what runs has to end now; whether anything runs. For other threads."""
        with self._lock:
            if self._deadline is None:
                return False
            if self._deadline.is_over():
                interrupt()
            return True
