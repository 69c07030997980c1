"""The clock of the machine."""

import time

__all__ = ["SystemClock"]


class SystemClock:
    """`ports.Clock` by the operating system."""

    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)
