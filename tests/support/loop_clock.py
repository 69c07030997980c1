"""The running loop's own clock, moved by hand: what would take hours is due at once, and nothing before."""

import asyncio
import math

import pytest

__all__ = ["LoopClock"]


class LoopClock:
    """Stops the clock of the running loop until the test ends; what waits for time waits for `advance`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        self._now: float = math.ceil(loop.time())  # so that halves of a second are exact
        monkeypatch.setattr(loop, "time", self.time)

    def time(self) -> float:
        """Its time."""
        return self._now

    async def advance(self, seconds: float) -> None:
        """Let everything happen that is due; then let time pass, and everything that is due after it."""
        for wait_s in (0, seconds):
            self._now += wait_s
            for _ in range(100):
                await asyncio.sleep(0)
