"""The states of a client, and waiting for them.

CONNECTING --> OPEN <--> RECONNECTING
    |           |             |
    +-----------+-------------+----> CLOSED     (nothing leads out of it)
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from enum import Enum
from typing import Final

from watchword.exceptions import Closed, WatchwordError
from watchword_protocol.errors import Advice

__all__ = ["State", "StateLog", "Status"]

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

    async def follow(self) -> AsyncGenerator[Status]:
        """The present status, then each later one; ends after CLOSED. Who lags by more than 64 misses the oldest."""
        seen = self._count - 1
        while True:
            while seen < self._count:
                oldest = self._count - len(self._history)
                seen = max(seen, oldest)
                status = self._history[seen - oldest]
                seen += 1
                yield status
                if status.state is State.CLOSED:
                    return
            await self._changed.wait()

    async def wait_for(self, state: State) -> Status:
        """The first status with this state, the present one included.

        Raises:
            WatchwordError: The client closed, and so will never be in another state: its reason, or Closed.
        """
        async with aclosing(self.follow()) as statuses:
            async for status in statuses:
                if status.state is state:
                    return status
        raise why_closed(self.status)


def why_closed(status: Status) -> WatchwordError:
    """What to raise for anything asked of a closed client."""
    return status.reason.with_traceback(None) if status.reason else Closed("The client is closed.")
