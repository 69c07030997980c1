"""Time and randomness, handed in: a test with its own plays a back-off of minutes in milliseconds."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from watchword.argument import check_callable

__all__ = ["Timing"]


@dataclass(frozen=True, slots=True)
class Timing:
    """Where a client takes time and chance from. It needs no wall clock: a token's lifetime is told by the server."""

    clock: Callable[[], float] = time.monotonic
    """Seconds from any origin, never going back."""
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    """Waits that many seconds; can be cancelled."""
    random: Callable[[], float] = random.random
    """A number from 0 to 1 (1 excluded), for the jitter of the back-off."""

    def __post_init__(self) -> None:
        check_callable("clock", self.clock)
        check_callable("sleep", self.sleep)
        check_callable("random", self.random)
