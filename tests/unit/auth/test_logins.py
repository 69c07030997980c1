"""Who came in and who did not, as rows."""

import base64

import pytest

from support.clock import FakeClock
from support.lives import make_user
from support.tokens import make_token
from watchword_protocol.errors import ErrorCode
from watchword_server.auth.audit import AuditRow
from watchword_server.auth.audit_trail import AuditTrail
from watchword_server.auth.credentials import Bearer, Credential, Password
from watchword_server.auth.logins import Logins, named_in

CLOCK = FakeClock()


def test_a_login_that_succeeded() -> None:
    trail = AuditTrail()
    user = make_user("ada", address="192.0.2.1")
    Logins(trail, CLOCK).succeeded(user, "c1", "WebSocket")
    assert trail.take(CLOCK.wall()) == [
        AuditRow(
            at=CLOCK.wall(), actor="ada", actor_id="u_ada", role=user.role, action="login",
            source="192.0.2.1", request_id="c1", detail="jwt, WebSocket",
        )
    ]  # fmt: skip


def test_a_login_that_failed_and_a_header_that_was_none() -> None:
    trail = AuditTrail()
    logins = Logins(trail, CLOCK)
    logins.failed(ErrorCode.INVALID_CREDENTIALS, Password("bob", "sEcReT"), "192.0.2.1", "r1", "HTTP")
    logins.failed(ErrorCode.MALFORMED_AUTHORIZATION, None, "192.0.2.1", "r2", "HTTP")
    bob, nobody = trail.take(CLOCK.wall())
    assert bob == AuditRow(
        at=CLOCK.wall(), actor="bob", action="login", source="192.0.2.1", result="INVALID_CREDENTIALS",
        request_id="r1", detail="basic, HTTP",
    )  # fmt: skip
    assert (nobody.actor, nobody.detail) == ("", "no credential, HTTP")


def test_addresses_of_one_party_are_counted_together() -> None:
    trail = AuditTrail()
    logins = Logins(trail, CLOCK)
    for number in range(100):
        logins.failed(ErrorCode.INVALID_TOKEN, None, f"2001:db8::{number:x}", "r", "HTTP")
    assert len(trail) == 60


@pytest.mark.parametrize(
    ("credential", "name"),
    [
        (Password("ada\n", "p"), r"ada\n"),
        (Password("x" * 1_000, "p"), "x" * 128),
        (Bearer(make_token(sub="u_ada")), "u_ada"),
        (Bearer(b"a." + base64.urlsafe_b64encode(b'{"sub":7}').rstrip(b"=") + b".c"), ""),
        (Bearer(b"a." + base64.urlsafe_b64encode(b"[[]]").rstrip(b"=") + b".c"), ""),
        (Bearer(b"a." + b"W" * 8_000), ""),
        (Bearer(b"nonsense"), ""),
        (Bearer(b".."), ""),
        (Bearer(b"\xff.\xff.\xff"), ""),
    ],
)  # fmt: skip
def test_what_a_credential_says_of_who_comes(credential: Credential, name: str) -> None:
    assert named_in(credential) == name
