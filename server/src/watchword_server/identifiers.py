"""Names for connections and for what went wrong, so that a log line can be found."""

from itertools import count

__all__ = ["Identifiers"]


class Identifiers:
    """Unique within a run of the server; `prefix` (random, handed in) tells the runs apart."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._connections = count(1)
        self._requests = count(1)

    def next_connection(self) -> str:
        """An id for a connection."""
        return f"c{self._prefix}{next(self._connections):x}"

    def next_request(self) -> str:
        """An id for one request or refusal, told to the client and written to the log."""
        return f"r{self._prefix}{next(self._requests):x}"
