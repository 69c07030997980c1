"""The clock of the machine."""

import time

__all__ = ["SystemClock"]


class SystemClock:
    """`ports.Clock` by the operating system."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()
