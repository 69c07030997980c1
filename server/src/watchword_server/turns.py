"""Whose turn it is: users one after another, each with one of theirs, however many they have waiting."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

__all__ = ["Turns"]

T = TypeVar("T")


class Turns(Generic[T]):
    """What waits, by user; a user's own in the order they came."""

    __slots__ = ("_queues",)

    def __init__(self) -> None:
        self._queues: dict[str, deque[T]] = {}  # in the order of the users' turns; none is empty

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def __bool__(self) -> bool:
        return bool(self._queues)

    def __iter__(self) -> Iterator[tuple[str, T]]:
        """Each user's next, in the order of turns."""
        return iter([(user, queue[0]) for user, queue in self._queues.items()])

    def add(self, user: str, item: T) -> None:
        """The user's last."""
        self._queues.setdefault(user, deque()).append(item)

    def add_first(self, user: str, item: T) -> None:
        """Before the user's others."""
        self._queues.setdefault(user, deque()).appendleft(item)

    def remove(self, user: str, item: T) -> bool:
        """It waits no longer; False when it did not wait."""
        queue = self._queues.get(user)
        if queue is None or item not in queue:
            return False
        queue.remove(item)
        if not queue:
            del self._queues[user]
        return True

    def take(self, user: str) -> T:
        """This user's next; the user's next turn comes after everybody else's."""
        queue = self._queues.pop(user)
        item = queue.popleft()
        if queue:
            self._queues[user] = queue
        return item

    def take_next(self, served: str | None = None) -> tuple[str, T]:
        """Whose turn it is, and their next; of two users not the one who was `served` last."""
        users = iter(self._queues)
        user = next(users)
        if user == served:
            user = next(users, user)
        return user, self.take(user)

    def take_all(self) -> list[tuple[str, T]]:
        """All of them, in rounds: each user's first, then each user's second, ..."""
        taken: list[tuple[str, T]] = []
        while self._queues:
            taken += [(user, self.take(user)) for user in list(self._queues)]
        return taken

    def give_back(self, items: Sequence[tuple[str, T]], served: frozenset[str]) -> None:
        """Put back what `take_all` gave and was not served, in its order.

        Users who were not served stand before all others; who was `served` stands behind who came meanwhile.
        """
        first: dict[str, deque[T]] = {}
        last: dict[str, deque[T]] = {}
        for user, item in items:
            (last if user in served else first).setdefault(user, deque()).append(item)
        for user, queue in self._queues.items():
            (last if user in last else first).setdefault(user, deque()).extend(queue)
        self._queues = first | last
