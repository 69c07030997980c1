"""The machine's clock."""

import time

__all__ = ["SystemClock"]


class SystemClock:
    """Fulfils `Clock`."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()
