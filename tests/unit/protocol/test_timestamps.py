"""Instants on the wire."""

import pytest

from watchword_protocol.timestamps import format_time, parse_time


@pytest.mark.parametrize(
    ("time_s", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000000Z"),
        (0.000001, "1970-01-01T00:00:00.000001Z"),
        (86_399.999999, "1970-01-01T23:59:59.999999Z"),
        (86_399.9999996, "1970-01-02T00:00:00.000000Z"),
        (951_782_400.0, "2000-02-29T00:00:00.000000Z"),
        (1_780_300_800.5, "2026-06-01T08:00:00.500000Z"),
        (253_402_300_799.0, "9999-12-31T23:59:59.000000Z"),
    ],
)
def test_time_is_written_with_six_digits_and_read_back(time_s: float, text: str) -> None:
    assert format_time(time_s) == text
    assert parse_time(text) == pytest.approx(time_s, abs=1e-6)


@pytest.mark.parametrize("text", ["2026-06-01T08:00:00Z", "2026-06-01T10:00:00+02:00", "2026-06-01T08:00:00"])
def test_any_offset_is_understood_and_none_is_utc(text: str) -> None:
    assert parse_time(text) == 1_780_300_800.0


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01T00:00:00Z"])
def test_what_is_no_timestamp_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)
