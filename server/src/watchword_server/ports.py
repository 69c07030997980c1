"""What the domain asks of the world outside, as small protocols; the adapters and the tests' fakes fulfil them."""

from typing import Protocol

__all__ = ["Clock"]


class Clock(Protocol):
    """Time, handed in so that tests can move it."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never backwards: for deadlines."""

    def wall(self) -> float:
        """Seconds since 1970, may jump: for the validity of tokens and for timestamps."""
