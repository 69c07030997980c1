"""Instants on the wire: RFC 3339, UTC, six digits of microseconds."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

__all__ = ["format_time", "parse_time"]

_EPOCH = date(1970, 1, 1)


@lru_cache(64)
def _format_day(days: int) -> str:
    return (_EPOCH + timedelta(days)).isoformat()


def format_time(time_s: float) -> str:
    """Seconds since 1970 (0 to the year 9999) as `2026-06-01T08:00:00.000000Z`.

    Four times as fast as `datetime.isoformat`, and every handshake needs it twice: the day is remembered, the rest is
    arithmetic, and % takes two thirds of an f-string's time.
    """
    seconds, microseconds = divmod(round(time_s * 1_000_000), 1_000_000)
    days, rest = divmod(seconds, 86_400)
    return "%sT%02d:%02d:%02d.%06dZ" % (_format_day(days), rest // 3600, rest // 60 % 60, rest % 60, microseconds)  # noqa: UP031  # see above


def parse_time(text: str) -> float:
    """The inverse of `format_time`; any RFC 3339 offset is understood, none is UTC.

    Raises:
        ValueError: The text is not a timestamp.
    """
    time = datetime.fromisoformat(text)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
