"""The order of work on one connection: what may start now? No I/O, no clock, no loop.

Requests start in the order in which they came, at most `at_once` of them run together, and what a request meets decides
with whom:

    a read    after the writes before it have ended
    a write   beside everything: the store keeps the order of writes among themselves
    alone     after everything before it, and nothing starts beside it: a definition, since what follows is planned
              against the tables that it leaves behind

The one in front that may not start holds up all behind it. What a request meets can depend on a definition
before it, so that nobody is asked before it stands in front.
"""

from collections import deque
from enum import Enum, unique
from typing import Final, Generic, TypeVar

__all__ = ["Access", "Work"]

_Request = TypeVar("_Request")


@unique
class Access(Enum):
    """How a request goes together with others."""

    READ = "reading"
    WRITE = "writing"
    ALONE = "alone"

    __hash__ = object.__hash__  # there is one of each; Enum's own is a function of Python's


# What must have ended before a request of this access starts.
_AFTER: Final = {
    Access.READ: (Access.WRITE, Access.ALONE),
    Access.WRITE: (Access.ALONE,),
    Access.ALONE: tuple(Access),
}


class Work(Generic[_Request]):
    """What runs for one connection, and what waits.

    Args:
        at_once: Requests that run together.
        max_waiting_bytes: Of the messages that wait; with as many as may run, or so many bytes, it is full.
    """

    __slots__ = ("_at_once", "_count", "_max_waiting_bytes", "_running", "_waiting", "_waiting_bytes")

    def __init__(self, *, at_once: int, max_waiting_bytes: int) -> None:
        self._at_once = at_once
        self._max_waiting_bytes = max_waiting_bytes
        self._running = dict.fromkeys(Access, 0)
        self._count = 0  # of those that run
        self._waiting: deque[tuple[_Request, int]] = deque()
        self._waiting_bytes = 0

    def __repr__(self) -> str:
        running = ", ".join(f"{self._running[access]} {access.value}" for access in Access if self._running[access])
        return f"<Work: {running or 'nothing runs'}, {len(self._waiting)} waiting>"

    @property
    def is_full(self) -> bool:
        """Whether nothing more may be read from the peer."""
        return len(self._waiting) >= self._at_once or self._waiting_bytes >= self._max_waiting_bytes

    @property
    def is_writing(self) -> bool:
        """Whether anything runs whose answer says what has become of it."""
        return bool(self._running[Access.WRITE] or self._running[Access.ALONE])

    @property
    def front(self) -> _Request | None:
        """The request whose turn it is, if its access allows it; None while there is none, or no place for another.

        While one runs alone it is nobody's turn.
        """
        if not self._waiting or self._count >= self._at_once or self._running[Access.ALONE]:
            return None
        return self._waiting[0][0]

    def add(self, request: _Request, size_bytes: int) -> None:
        """A request came, in a message of this size. It waits; whether it may start is asked next."""
        self._waiting.append((request, size_bytes))
        self._waiting_bytes += size_bytes

    def may_start(self, access: Access) -> bool:
        """Whether the request in front may start, given its access."""
        return not any(self._running[other] for other in _AFTER[access])

    def start(self, access: Access) -> None:
        """The request in front runs from now on."""
        self.skip()
        self._running[access] += 1
        self._count += 1

    def skip(self) -> None:
        """The request in front was answered without running."""
        _, size_bytes = self._waiting.popleft()
        self._waiting_bytes -= size_bytes

    def end(self, access: Access) -> None:
        """A request of this access has been answered."""
        self._running[access] -= 1
        self._count -= 1

    def forget(self) -> None:
        """Nothing that waits will start."""
        self._waiting.clear()
        self._waiting_bytes = 0
