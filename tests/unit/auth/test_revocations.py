"""The deny-list."""

import pytest

from watchword_server.auth.account import RevokedToken
from watchword_server.auth.revocations import Revocations

TOKEN = RevokedToken("token", "watchword", "t-1", 100.0)
SESSION = RevokedToken("session", "watchword", "s-1", 200.0)


@pytest.mark.parametrize(
    ("issuer", "token_id", "session_id", "is_held"),
    [
        ("watchword", "t-1", None, True),
        ("watchword", "t-1", "s-2", True),
        ("watchword", "t-2", "s-1", True),
        ("watchword", "t-2", None, False),
        ("watchword", "t-2", "s-2", False),
        ("watchword", "s-1", "t-1", False),
        ("other", "t-1", "s-1", False),
        ("watchword", "T-1", "S-1", False),
    ],
)
def test_a_token_is_held_by_itself_or_by_its_session(
    issuer: str, token_id: str, session_id: str | None, is_held: bool
) -> None:
    assert Revocations([TOKEN, SESSION]).holds(issuer, token_id, session_id) is is_held
    assert not Revocations().holds(issuer, token_id, session_id)


def test_a_second_time_is_harmless() -> None:
    revocations = Revocations([TOKEN, TOKEN])
    assert len(revocations) == 1


def test_what_has_expired_is_forgotten() -> None:
    revocations = Revocations([TOKEN, SESSION])
    revocations.forget_expired(99.9)
    assert len(revocations) == 2
    revocations.forget_expired(100.0)
    assert not revocations.holds("watchword", "t-1", None)
    assert revocations.holds("watchword", "t-2", "s-1")


def test_an_earlier_end_does_not_shorten_a_revocation() -> None:
    revocations = Revocations([SESSION])
    revocations.add(RevokedToken("session", "watchword", "s-1", 150.0))
    revocations.forget_expired(199.0)
    assert revocations.holds("watchword", "t-2", "s-1")
