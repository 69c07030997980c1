"""Connections by user: the only way by which anything ends a connection from outside."""

from collections.abc import Callable, Iterator
from typing import Protocol

from watchword_protocol.errors import ErrorCode
from watchword_server.user import AuthenticatedUser

__all__ = ["Endable", "Registry"]


class Endable(Protocol):
    """What the registry holds: one authenticated connection."""

    @property
    def user(self) -> AuthenticatedUser | None:
        """The user context as it is now, after every renewal."""

    def end(self, code: ErrorCode) -> None:
        """Close with this error. Ending twice is harmless."""


class Registry:
    """The authenticated connections of one server."""

    def __init__(self) -> None:
        self._by_user: dict[str, set[Endable]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_user.values()))

    def __iter__(self) -> Iterator[Endable]:
        return (connection for connections in self._by_user.values() for connection in connections)

    def count(self, user_id: str) -> int:
        """The connections of one user."""
        return len(self._by_user.get(user_id, ()))

    def add(self, user_id: str, connection: Endable) -> None:
        """The connection was authenticated as this user; renewals do not change whose it is."""
        self._by_user.setdefault(user_id, set()).add(connection)

    def remove(self, user_id: str, connection: Endable) -> None:
        """The connection is gone."""
        connections = self._by_user.get(user_id, set())
        connections.discard(connection)
        if not connections:
            self._by_user.pop(user_id, None)

    def end_user(self, user_id: str, code: ErrorCode) -> int:
        """End every connection of a user; how many there were."""
        return _end(list(self._by_user.get(user_id, ())), code)

    def end_token(self, issuer: str, token_id: str, code: ErrorCode) -> int:
        """End the connections that live by this token now; how many there were."""
        return self._end_where(lambda user: user.token_id == token_id and user.issuer == issuer, code)

    def end_session(self, issuer: str, session_id: str, code: ErrorCode) -> int:
        """End the connections that live by a token of this session now; how many there were."""
        return self._end_where(lambda user: user.session_id == session_id and user.issuer == issuer, code)

    def _end_where(self, is_meant: Callable[[AuthenticatedUser], bool], code: ErrorCode) -> int:
        return _end([connection for connection in self if connection.user and is_meant(connection.user)], code)


def _end(connections: list[Endable], code: ErrorCode) -> int:
    for connection in connections:
        connection.end(code)
    return len(connections)
