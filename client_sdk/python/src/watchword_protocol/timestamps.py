"""Instants on the wire: RFC 3339, UTC, six digits of microseconds."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

__all__ = ["format_time", "parse_time"]

_EPOCH = date(1970, 1, 1)


@lru_cache(64)
def _format_second(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    return f"{_EPOCH + timedelta(days)}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"


def format_time(time_s: float) -> str:
    """Seconds since 1970 (0 to the year 9999) as `2026-06-01T08:00:00.000000Z`.

    Many times as fast as `datetime.isoformat`, and every handshake needs it twice: whole seconds are remembered.
    """
    seconds, microseconds = divmod(round(time_s * 1_000_000), 1_000_000)
    return f"{_format_second(seconds)}.{microseconds:06}Z"


def parse_time(text: str) -> float:
    """The inverse of `format_time`; any RFC 3339 offset is understood, none is UTC.

    Raises:
        ValueError: The text is not a timestamp.
    """
    time = datetime.fromisoformat(text)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
