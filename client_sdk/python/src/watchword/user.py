"""The user context: who the server takes this connection for, and until when."""

from dataclasses import dataclass
from datetime import UTC, datetime

from watchword_protocol.messages import AuthSuccess

__all__ = ["Limits", "User", "read_user"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server asks a client to keep to."""

    max_message_bytes: int
    """The largest message the server reads."""
    heartbeat_s: float
    """Seconds between the server's pings."""


@dataclass(frozen=True, slots=True)
class User:
    """What the server made of the credential. A renewal or a reconnect brings a new one; this one never changes."""

    name: str
    id: str
    role: str
    """user, service, dba or system."""
    connection_id: str
    """Names this connection in the server's log."""
    expires_at: datetime | None
    """The token's exp, UTC; None where nothing expires (user and password)."""
    server_time: datetime
    """The server's clock when it answered, UTC."""
    limits: Limits
    protocol_version: int

    @property
    def lifetime_s(self) -> float | None:
        """Seconds from the server's answer to `expires_at`, by the server's own clock; None where nothing expires."""
        return None if self.expires_at is None else (self.expires_at - self.server_time).total_seconds()


def read_user(message: AuthSuccess) -> User:
    """The context in an `auth_success`.

    Raises:
        ValueError: A time in it is not RFC 3339, or is none in UTC.
    """
    return User(
        name=message.user,
        id=message.user_id,
        role=message.role,
        connection_id=message.connection_id,
        expires_at=None if message.expires_at is None else _read_time(message.expires_at),
        server_time=_read_time(message.server_time),
        limits=Limits(message.limits.max_message_bytes, message.limits.heartbeat_s),
        protocol_version=message.protocol.version,
    )


def _read_time(text: str) -> datetime:
    time = datetime.fromisoformat(text)  # not by a float of seconds, which would round the microseconds
    try:
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError:  # its offset moves it before the year 1 or behind the year 9999
        raise ValueError(f"{text!r} is outside the years 1 to 9999 in UTC") from None
