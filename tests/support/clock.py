"""A clock that stands still until a test moves it."""

__all__ = ["FakeClock"]


class FakeClock:
    """Both times of `ports.Clock`, started apart so that a mix-up shows."""

    def __init__(self, *, monotonic: float = 1_000.0, wall: float = 1_800_000_000.0) -> None:
        self._monotonic = monotonic
        self._wall = wall

    def monotonic(self) -> float:
        return self._monotonic

    def wall(self) -> float:
        return self._wall

    def advance(self, seconds: float) -> None:
        """Let time pass: both times move."""
        self._monotonic += seconds
        self._wall += seconds
