"""The states of a client, and waiting for them.

CONNECTING --> OPEN <--> RECONNECTING
    |           |             |
    +-----------+-------------+----> CLOSED     (nothing leads out of it)
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Final

from watchword.exceptions import Closed, WatchwordError
from watchword_protocol.errors import Advice

__all__ = ["State", "StateLog", "Status", "Statuses", "why_closed"]

_HISTORY: Final = 64


class State(Enum):
    """What a client is doing."""

    CONNECTING = "connecting"
    OPEN = "open"
    RECONNECTING = "reconnecting"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Status:
    """A state, and why."""

    state: State
    reason: WatchwordError | None = None
    """What ended the last connection or attempt; None while all is well, and after you closed."""
    retry_after_s: float | None = None
    """Seconds from this status to the next attempt; None where none is waited for."""

    @property
    def advice(self) -> Advice | None:
        """What is to be done about `reason`; None without one."""
        return self.reason.advice if self.reason else None

    def __str__(self) -> str:
        wait = f", next attempt in {self.retry_after_s:.1f} s" if self.retry_after_s is not None else ""
        return f"{self.state.value}{wait}{f' ({self.reason})' if self.reason else ''}"


class StateLog:
    """The present status and the last few before it, so that nobody who waits for one can miss it."""

    def __init__(self) -> None:
        self._history: deque[Status] = deque([Status(State.CONNECTING)], maxlen=_HISTORY)
        self._count = 1
        self._changed = asyncio.Event()

    @property
    def status(self) -> Status:
        """What holds now."""
        return self._history[-1]

    def publish(self, status: Status) -> None:
        """Enter a state, unless the last one is final."""
        if self.status.state is State.CLOSED:
            return
        self._history.append(status)
        self._count += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def follow(self) -> "Statuses":
        """The present status, then each later one; ends after CLOSED. Who lags by more than 64 misses the oldest."""
        return Statuses(self, self._count - 1)

    async def next_after(self, seen: int) -> tuple[int, Status]:
        """The status that follows the first `seen`, or the oldest that is kept, and how many that makes.

        It waits for one where there is none yet; after CLOSED for ever.
        """
        while seen >= self._count:
            await self._changed.wait()
        oldest = self._count - len(self._history)
        seen = max(seen, oldest)
        return seen + 1, self._history[seen - oldest]

    async def wait_for(self, state: State) -> Status:
        """The first status with this state, the present one included.

        Raises:
            WatchwordError: The client closed, and so will never be in another state: its reason, or Closed.
        """
        async for status in self.follow():
            if status.state is state:
                return status
        raise why_closed(self.status)


class Statuses:
    """An iterator over a log's statuses. Not a generator: a wait for the next one can be cancelled and taken up again.

    What is there already is given without a wait, and so without a loop.
    """

    def __init__(self, log: StateLog, seen: int) -> None:
        self._log = log
        self._seen = seen
        self._is_over = False

    def __aiter__(self) -> "Statuses":
        return self

    async def __anext__(self) -> Status:
        if self._is_over:
            raise StopAsyncIteration
        self._seen, status = await self._log.next_after(self._seen)
        self._is_over = status.state is State.CLOSED
        return status


def why_closed(status: Status) -> WatchwordError:
    """What to raise for anything asked of a closed client."""
    return status.reason.with_traceback(None) if status.reason else Closed("The client is closed.")
