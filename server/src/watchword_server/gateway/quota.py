"""How many there may be: in all, and from one address."""

from watchword_protocol.errors import ErrorCode

__all__ = ["Quota"]


class Quota:
    """A count of what is open; whoever was counted with `enter` is taken off with `leave`.

    Args:
        limit: In all.
        limit_per_address: From one address.
    """

    def __init__(self, limit: int, limit_per_address: int) -> None:
        self._limit = limit
        self._limit_per_address = limit_per_address
        self._by_address: dict[str, int] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def passed_by(self, address: str) -> ErrorCode | None:
        """The limit that one more would pass: OVERLOADED in all, TOO_MANY_CONNECTIONS from this address."""
        if self._count >= self._limit:
            return ErrorCode.OVERLOADED
        if self._by_address.get(address, 0) >= self._limit_per_address:
            return ErrorCode.TOO_MANY_CONNECTIONS
        return None

    def enter(self, address: str) -> None:
        """Count one more."""
        self._by_address[address] = self._by_address.get(address, 0) + 1
        self._count += 1

    def leave(self, address: str) -> None:
        """One that entered is gone."""
        self._count -= 1
        count = self._by_address[address] - 1
        if count:
            self._by_address[address] = count
        else:
            del self._by_address[address]
