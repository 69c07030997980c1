"""One look at everybody's deadline, twice a second: no connection has a timer of its own."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from watchword_server.connection import Moment

__all__ = ["SWEEP_INTERVAL_S", "Timed", "sweep", "sweep_forever"]

SWEEP_INTERVAL_S = 0.5
"""Twice within the second in which an expired token must have ended its connection."""


class Timed(Protocol):
    """Something with a deadline."""

    def is_due(self, now: Moment) -> bool:
        """Whether `tick` has something to do."""

    def tick(self, now: Moment) -> None:
        """Do what is due."""


def sweep(timed: Iterable[Timed], now: Moment, on_error: Callable[[Exception], None]) -> None:
    """Tick whatever is due; what one raises must not cost the others their deadlines."""
    for one in [one for one in timed if one.is_due(now)]:
        try:
            one.tick(now)
        except Exception as error:  # noqa: BLE001  # told, and the sweep goes on
            on_error(error)


async def sweep_forever(
    timed: Iterable[Timed], now: Callable[[], Moment], on_error: Callable[[Exception], None]
) -> None:
    """Sweep until cancelled."""
    while True:
        await asyncio.sleep(SWEEP_INTERVAL_S)
        sweep(timed, now(), on_error)
