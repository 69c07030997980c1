"""Tokens for tests, made without a JWT library, so that what no library would write can be written too."""

import base64
import hashlib
import hmac
import json
from enum import Enum
from typing import Any, Final

from watchword_server.auth.revocations import Revocations
from watchword_server.auth.tokens import TokenRules, Verifier, shared_secret_issuers

__all__ = [
    "ABSENT",
    "NOW",
    "OWN",
    "SECRET",
    "TRUSTED",
    "encode_segment",
    "make_claims",
    "make_rules",
    "make_token",
    "make_verifier",
    "sign",
]

SECRET: Final = "a secret of the tests, longer than thirty-two bytes"
OWN: Final = "watchword"
TRUSTED: Final = "https://id.example"
NOW: Final = 1_800_000_000.0
"""Seconds since 1970: where `FakeClock` stands still."""


class _Absent(Enum):
    ABSENT = "not there"

    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = _Absent.ABSENT
"""As a claim or header member: leave it out."""

_DIGESTS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}


def encode_segment(data: bytes) -> bytes:
    """base64url without padding (RFC 7515 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def sign(header: bytes, payload: bytes, secret: str | bytes = SECRET, *, by: str = "HS256") -> bytes:
    """A token of any two segments, with a signature that is right for `by`, whatever the header says of it."""
    key = secret.encode() if isinstance(secret, str) else secret
    signed = encode_segment(header) + b"." + encode_segment(payload)
    return signed + b"." + encode_segment(hmac.digest(key, signed, getattr(hashlib, _DIGESTS[by])))


def make_claims(now: float = NOW, /, **members: Any) -> dict[str, Any]:
    """Claims that pass every check; `members` replaces, adds, or leaves out (ABSENT)."""
    claims = {"iss": OWN, "sub": "u_ada", "iat": now - 10, "exp": now + 600, "jti": "t-17"} | members
    return {name: value for name, value in claims.items() if value is not ABSENT}


def make_token(
    now: float = NOW,
    *,
    secret: str | bytes = SECRET,
    header: dict[str, Any] | None = None,
    by: str = "HS256",
    **members: Any,
) -> bytes:
    """A good token, or one that differs by `header`, `secret` or the claims in `members`."""
    head = {"alg": "HS256", "typ": "JWT"} | (header or {})
    head = {name: value for name, value in head.items() if value is not ABSENT}
    return sign(json.dumps(head).encode(), json.dumps(make_claims(now, **members)).encode(), secret, by=by)


def make_rules(
    *, trusted: tuple[str, ...] = (TRUSTED,), revocations: Revocations | None = None, **members: Any
) -> TokenRules:
    """Rules of a server that trusts itself and `trusted`, by `SECRET`."""
    revocations = Revocations() if revocations is None else revocations
    return TokenRules(shared_secret_issuers(SECRET, OWN, trusted), revocations, **members)


def make_verifier(**members: Any) -> Verifier:
    """A verifier by `make_rules`."""
    return Verifier(make_rules(**members))
