"""The user context, as the server sent it."""

from datetime import UTC, datetime

import pytest

from watchword.user import read_user
from watchword_protocol.messages import AuthSuccess, LimitsInfo


def answer(expires_at: str | None, server_time: str = "2026-06-01T12:00:00.000001Z") -> AuthSuccess:
    return AuthSuccess("ada", "u_1", "dba", "c_9", expires_at, server_time, LimitsInfo(512, 25))


def test_times_are_utc_and_exact_to_the_microsecond() -> None:
    user = read_user(answer("2026-06-01T14:15:16.123457+02:00"))
    assert user.expires_at == datetime(2026, 6, 1, 12, 15, 16, 123457, tzinfo=UTC)
    assert user.server_time == datetime(2026, 6, 1, 12, 0, 0, 1, tzinfo=UTC)
    assert user.lifetime_s == pytest.approx(916.123456)


def test_without_an_expiry_there_is_no_lifetime() -> None:
    user = read_user(answer(None))
    assert (user.expires_at, user.lifetime_s) == (None, None)


@pytest.mark.parametrize(
    ("time", "words"),
    [
        ("soon", "isoformat"),
        ("0001-01-01T00:00:00+23:59", "outside the years 1 to 9999"),
        ("9999-12-31T23:59:59-23:59", "outside the years 1 to 9999"),
    ],
)
def test_a_time_that_is_none_is_a_value_error(time: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_user(answer(time))
    with pytest.raises(ValueError, match=words):
        read_user(answer(None, server_time=time))
