"""How many frames one connection may send: a token bucket, and an end to patience."""

import math
from enum import Enum, unique

__all__ = ["FrameBudget", "Verdict"]


@unique
class Verdict(Enum):
    """What to do with a frame."""

    RUN = "within the budget"
    DROP = "beyond it: a message is answered RATE_LIMITED, a control frame is dropped"
    END = "beyond it for too long: the connection ends"


class FrameBudget:
    """A bucket of twice the rate, refilled at the rate; ten seconds' worth of refusals without a second's pause end it.

    Args:
        rate: Frames a second.
        now: Monotonic seconds.
    """

    __slots__ = ("_at", "_rate", "_refusals", "_refused_at", "_tokens")

    def __init__(self, rate: int, now: float) -> None:
        self._rate = rate
        self._tokens = 2.0 * rate
        self._at = self._refused_at = now
        self._refusals = 0

    def charge(self, now: float) -> Verdict:
        """Account for one frame. `now`: monotonic seconds."""
        tokens = min(2.0 * self._rate, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if tokens >= 1.0:
            self._tokens = tokens - 1.0
            return Verdict.RUN
        self._tokens = tokens
        if now - self._refused_at >= 1.0:
            self._refusals = 0
        self._refused_at = now
        self._refusals += 1
        return Verdict.DROP if self._refusals < 10 * self._rate else Verdict.END

    @property
    def retry_after_ms(self) -> int:
        """When one frame will be within the budget again."""
        return max(1, math.ceil((1.0 - self._tokens) / self._rate * 1000))
