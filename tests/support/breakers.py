"""How to break each row of the table of checks: an attempt to come in that is right but for one thing.

Applied from the last row to the first, any number of them break one attempt at once.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from support.accounts import make_account
from support.tokens import NOW, OWN, SECRET, make_claims, sign
from watchword_protocol.errors import ErrorCode
from watchword_server.auth.account import Account, RevokedToken
from watchword_server.auth.credentials import Peer
from watchword_server.user import Role

__all__ = ["BREAKERS", "Attempt", "Breaker", "make_attempt"]


@dataclass
class Attempt:
    """A token with its secret, the account as stored, where it comes from, what has been revoked."""

    claims: dict[str, Any]
    account: Account | None
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "HS256", "typ": "JWT"})
    secret: str = SECRET
    peer: Peer = field(default_factory=lambda: Peer("127.0.0.1", is_local=True))
    revoked: list[RevokedToken] = field(default_factory=list)

    @property
    def token(self) -> bytes:
        """What is presented."""
        return sign(json.dumps(self.header).encode(), json.dumps(self.claims).encode(), self.secret)

    def change_account(self, **members: Any) -> None:
        """The stored account is otherwise."""
        if self.account is not None:
            self.account = replace(self.account, **members)


def make_attempt(name: str = "ada") -> Attempt:
    """An attempt of this user that succeeds."""
    account = make_account(name, email=f"{name}@example.org")
    claims = make_claims(sub=account.id, jti=f"t-{name}", sid=f"s-{name}", role=account.role.value)
    return Attempt(claims, account)


def _revoke(attempt: Attempt, kind: Any, claim: str) -> None:
    attempt.revoked.append(RevokedToken(kind, OWN, attempt.claims[claim], NOW + 600))


def _come_as_system_from_elsewhere(attempt: Attempt) -> None:
    attempt.peer = Peer("192.0.2.7", is_local=False)
    if attempt.claims["role"] == "user":  # else row 11 is broken too, and stays so
        attempt.claims["role"] = "system"
    attempt.change_account(role=Role.SYSTEM)


class Breaker(NamedTuple):
    """Breaks one check of a row. `is_forgivable`: without the check, the attempt would succeed."""

    row: int
    name: str
    code: ErrorCode
    apply: Callable[[Attempt], object]
    is_forgivable: bool = True

    def __repr__(self) -> str:
        return f"{self.row} {self.name}"


_E: Final = ErrorCode

BREAKERS: Final = (
    Breaker(1, "jti with a newline", _E.INVALID_TOKEN, lambda it: it.claims.update(jti=f"{it.claims['jti']}\n")),
    Breaker(2, "no iss", _E.MISSING_CLAIM, lambda it: it.claims.pop("iss")),
    Breaker(3, "foreign iss", _E.UNTRUSTED_ISSUER, lambda it: it.claims.update(iss="https://evil.example")),
    Breaker(4, "other alg", _E.INVALID_TOKEN, lambda it: it.header.update(alg="HS512")),
    Breaker(5, "other secret", _E.INVALID_SIGNATURE, lambda it: setattr(it, "secret", SECRET + "!")),
    Breaker(6, "no exp", _E.MISSING_CLAIM, lambda it: it.claims.pop("exp"), is_forgivable=False),
    Breaker(6, "exp past", _E.TOKEN_EXPIRED, lambda it: it.claims.update(exp=NOW - 31)),
    Breaker(7, "nbf ahead", _E.TOKEN_NOT_YET_VALID, lambda it: it.claims.update(nbf=NOW + 31)),
    Breaker(7, "iat ahead", _E.TOKEN_NOT_YET_VALID, lambda it: it.claims.update(iat=NOW + 31)),
    Breaker(8, "no sub", _E.MISSING_CLAIM, lambda it: it.claims.pop("sub"), is_forgivable=False),
    Breaker(8, "aud of somebody else", _E.INVALID_TOKEN, lambda it: it.claims.update(aud="https://other.example")),
    Breaker(8, "a refresh token", _E.INVALID_TOKEN, lambda it: it.claims.update(token_use="refresh")),
    Breaker(8, "an identity token", _E.INVALID_TOKEN, lambda it: it.claims.update(token_type="id")),
    Breaker(9, "token revoked", _E.TOKEN_REVOKED, lambda it: _revoke(it, "token", "jti")),
    Breaker(9, "session revoked", _E.TOKEN_REVOKED, lambda it: _revoke(it, "session", "sid")),
    Breaker(10, "user unknown", _E.INVALID_CREDENTIALS, lambda it: setattr(it, "account", None), is_forgivable=False),
    Breaker(10, "user deleted", _E.INVALID_CREDENTIALS, lambda it: it.change_account(deleted_at=NOW - 5)),
    Breaker(10, "user locked", _E.ACCOUNT_LOCKED, lambda it: it.change_account(locked=True)),
    Breaker(10, "system from elsewhere", _E.ACCESS_DENIED, _come_as_system_from_elsewhere),
    Breaker(11, "issued before the change", _E.TOKEN_STALE, lambda it: it.change_account(valid_after=NOW - 9)),
    Breaker(11, "another role", _E.TOKEN_STALE, lambda it: it.claims.update(role="service")),
)
"""In the order of the checks."""
