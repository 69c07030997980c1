"""Python values that become parameters, and those that cannot."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec.json import decode

from watchword.values import to_parameters


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


WEST, EAST = timezone(timedelta(hours=-5)), timezone(timedelta(hours=5))


def test_a_datetime_is_sent_in_utc() -> None:
    values = [
        datetime(9999, 12, 31, 18, tzinfo=WEST),
        datetime(1, 1, 1, 5, tzinfo=EAST),
        datetime(2026, 11, 24, tzinfo=UTC),
    ]
    assert [decode(parameter) for parameter in to_parameters(values)] == [
        "9999-12-31T23:00:00+00:00",
        "0001-01-01T00:00:00+00:00",
        "2026-11-24T00:00:00+00:00",
    ]


@pytest.mark.parametrize(
    ("value", "error", "sentence"),
    [
        (datetime(9999, 12, 31, 23, tzinfo=WEST), ValueError, "in UTC is outside the years 1 to 9999"),
        (datetime(1, 1, 1, 4, tzinfo=EAST), ValueError, "in UTC is outside the years 1 to 9999"),
        (datetime(2026, 11, 24), ValueError, "without a time zone"),  # noqa: DTZ001  # that is the point
        (float("nan"), ValueError, "must be finite"),
        ([b"x"], TypeError, "which is not JSON"),
        ({1}, TypeError, "cannot be a parameter"),
        ("\ud800", ValueError, "half a character"),
        (nested(2_000), ValueError, "nested too deeply"),
    ],
)
def test_what_cannot_be_sent_is_told_by_its_number(value: Any, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence) as caught:
        to_parameters([1, value])
    assert str(caught.value).startswith("$2 ")
