"""Interrupts what is over its time while SQLite's machine is too busy to ask.

The progress handler is asked after so many instructions, and one of them may be a LIKE on a megabyte: a hundred rows of
these are a minute. `sqlite3_interrupt` is looked for at each row, and may be called from another thread.
"""

import threading
from collections.abc import Iterable
from typing import Final

from watchword_server.adapters.sqlite.engine import Engine

__all__ = ["Watchdog"]

_INTERVAL_S: Final = 0.01


class Watchdog:
    """A thread that looks at each connection a hundred times a second, while any of them runs a request."""

    def __init__(self, engines: Iterable[Engine]) -> None:
        """Start it; `close` it before its connections."""
        self._engines = tuple(engines)
        self._awake = threading.Event()
        self._closing = threading.Event()
        for engine in self._engines:
            engine.progress.awake = self._awake
        self._thread = threading.Thread(target=self._watch, name="watchword-watchdog", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread, within its interval; a second time is harmless."""
        self._closing.set()
        self._awake.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._closing.is_set():
            self._awake.wait()
            self._closing.wait(_INTERVAL_S)
            # Cleared before it looks: a request that begins behind its back sets it again.
            self._awake.clear()
            runs = [engine.progress.interrupt_if_over(engine.interrupt) for engine in self._engines]
            if any(runs):
                self._awake.set()
