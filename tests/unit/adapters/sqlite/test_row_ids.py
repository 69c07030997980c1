"""SNOWFLAKE_ID() and UUID_V7(), with a clock and randomness of the test's own."""

import uuid

import pytest

from watchword_server.adapters.sqlite.row_ids import RowIds

EPOCH_MS = 1_704_067_200_000
DAY_MS = 86_400_000


class Times:
    """Milliseconds that a test hands out."""

    def __init__(self, *times: int) -> None:
        self.times = list(times)

    def __call__(self) -> int:
        return self.times.pop(0) if len(self.times) > 1 else self.times[0]


def test_a_snowflake_is_its_millisecond_and_a_count() -> None:
    ids = RowIds(Times(EPOCH_MS + 5, EPOCH_MS + 5, EPOCH_MS + 6), lambda bits: 0)
    assert [ids.snowflake() for _ in range(3)] == [5 << 12, (5 << 12) + 1, 6 << 12]


def test_snowflakes_grow_whatever_the_clock_does() -> None:
    ids = RowIds(Times(*(EPOCH_MS + each for each in (9, 9, 3, -7, 9, 10))), lambda bits: 0)
    found = [ids.snowflake() for _ in range(6)]
    assert found == sorted(set(found))
    ids = RowIds(lambda: EPOCH_MS + 1, lambda bits: 0)
    found = [ids.snowflake() for _ in range(5_000)]
    assert found == list(range(1 << 12, (1 << 12) + 5_000))  # on into the next millisecond


def test_they_grow_across_a_restart_where_the_clock_goes_on() -> None:
    before = RowIds(lambda: EPOCH_MS + DAY_MS, lambda bits: 0)
    last = [before.snowflake() for _ in range(100)][-1]
    assert RowIds(lambda: EPOCH_MS + DAY_MS + 1, lambda bits: 0).snowflake() > last


@pytest.mark.parametrize("year_ms", [EPOCH_MS + 1, EPOCH_MS + 69 * 365 * DAY_MS])
def test_a_snowflake_fits_in_53_bits_until_2093(year_ms: int) -> None:
    assert 0 < RowIds(lambda: year_ms, lambda bits: 0).snowflake() < 2**53


def test_a_uuid_is_of_version_7_with_its_millisecond_and_all_its_randomness() -> None:
    found = uuid.UUID(RowIds(lambda: 1_645_557_742_000, lambda bits: (1 << bits) - 1).uuid())
    assert str(found) == "017f22e2-79b0-77ff-bfff-ffffffffffff"
    assert (found.version, found.variant) == (7, uuid.RFC_4122)
    assert str(uuid.UUID(RowIds(lambda: 1_645_557_742_000, lambda bits: 0).uuid())) == str(
        uuid.UUID("017f22e2-79b0-7000-8000-000000000000")
    )


def test_uuids_grow_whatever_the_clock_and_the_randomness_do() -> None:
    random = iter([9, 1, 7, 2, 5, 3, 0, 4] * 2_000)
    ids = RowIds(Times(9, 9, 3, 9, 10, 10), lambda bits: next(random))
    found = [ids.uuid() for _ in range(5_000)]
    assert found == sorted(set(found))
    assert {uuid.UUID(each).version for each in found} == {7}
