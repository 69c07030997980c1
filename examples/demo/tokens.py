"""Tokens, good ones and bad ones, as an identity provider or an attacker makes them."""

import base64
import json
import time
from typing import Any, Final

import jwt

from watchword_protocol.errors import ErrorCode

__all__ = ["AUDIENCE", "ISSUER", "REVOKED_ID", "SECRET", "bad_tokens", "mint"]

SECRET: Final = "a secret of the demo alone, 32 bytes or more"
ISSUER: Final = "https://login.example"
AUDIENCE: Final = "demo"
REVOKED_ID: Final = "token-1"

_OTHER_SECRET: Final = "what an attacker has in place of the secret"
_HOUR_S: Final = 3600


def mint(
    subject: str = "ada", *, lifetime_s: float = _HOUR_S, secret: str = SECRET, algorithm: str = "HS256", **claims: Any
) -> str:
    """A token; `claims` replaces or adds, None leaves out."""
    now = time.time()
    members = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + lifetime_s, **claims}
    payload = {name: value for name, value in members.items() if value is not None}
    return _sign(json.dumps(payload), secret, algorithm)


def bad_tokens(stale: str) -> list[tuple[str, ErrorCode, str]]:
    """What is wrong, the row of the table that answers, the token. `stale`: issued before its user's password changed.

    A token that is wrong in two ways shows the order of the checks.
    """
    later = time.time() + _HOUR_S
    good = mint()
    return [
        ("expired", ErrorCode.TOKEN_EXPIRED, mint(lifetime_s=-1)),
        ("forged (another secret)", ErrorCode.INVALID_SIGNATURE, mint(secret=_OTHER_SECRET)),
        ("forged and expired", ErrorCode.INVALID_SIGNATURE, mint(secret=_OTHER_SECRET, lifetime_s=-1)),
        ("altered after it was signed", ErrorCode.INVALID_SIGNATURE, _alter(good)),
        ("untrusted issuer", ErrorCode.UNTRUSTED_ISSUER, mint(iss="https://elsewhere.example")),
        ("issuer with one slash too many", ErrorCode.UNTRUSTED_ISSUER, mint(iss=ISSUER + "/")),
        ("without iss", ErrorCode.MISSING_CLAIM, mint(iss=None)),
        ("without sub", ErrorCode.MISSING_CLAIM, mint(sub=None)),
        ("without exp", ErrorCode.MISSING_CLAIM, mint(exp=None)),
        ("without aud", ErrorCode.MISSING_CLAIM, mint(aud=None)),
        ("alg none, not signed", ErrorCode.INVALID_TOKEN, _unsigned(good)),
        ("alg HS512, rightly signed", ErrorCode.INVALID_TOKEN, mint(secret=SECRET * 2, algorithm="HS512")),
        ("for another audience", ErrorCode.INVALID_TOKEN, mint(aud="another")),
        ("a refresh token", ErrorCode.INVALID_TOKEN, mint(token_use="refresh")),
        ("exp as text", ErrorCode.INVALID_TOKEN, mint(exp=str(int(later)))),
        ("sub twice", ErrorCode.INVALID_TOKEN, _sign(f'{{"iss":"{ISSUER}","sub":"ada","sub":"grace"}}')),
        ("not a JWT", ErrorCode.INVALID_TOKEN, "open-sesame"),
        ("more than 8,000 bytes", ErrorCode.INVALID_TOKEN, mint(padding="x" * 5_900)),
        ("nbf in an hour", ErrorCode.TOKEN_NOT_YET_VALID, mint(nbf=later)),
        ("iat in an hour", ErrorCode.TOKEN_NOT_YET_VALID, mint(iat=later)),
        ("revoked", ErrorCode.TOKEN_REVOKED, mint(jti=REVOKED_ID)),
        ("older than its user's password", ErrorCode.TOKEN_STALE, stale),
        ("ours, with a role not stored", ErrorCode.TOKEN_STALE, mint(iss="watchword", role="dba")),
        ("of an unknown user", ErrorCode.INVALID_CREDENTIALS, mint("nobody")),
        ("of a deleted user", ErrorCode.INVALID_CREDENTIALS, mint("carol")),
        ("of a locked user", ErrorCode.ACCOUNT_LOCKED, mint("dan")),
    ]


def _sign(payload: str, secret: str = SECRET, algorithm: str = "HS256") -> str:
    """By PyJWT's signature alone: its `encode` would refuse some of these claims."""
    signer = jwt.get_algorithm_by_name(algorithm)
    signed = f"{_encode(json.dumps({'alg': algorithm, 'typ': 'JWT'}).encode())}.{_encode(payload.encode())}"
    return f"{signed}.{_encode(signer.sign(signed.encode(), signer.prepare_key(secret.encode())))}"


def _alter(token: str) -> str:
    """Another user's name under the same signature."""
    header, payload, signature = token.split(".")
    claims = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    return f"{header}.{_encode(claims.replace(b'ada', b'eve'))}.{signature}"


def _unsigned(token: str) -> str:
    header = _encode(b'{"alg":"none","typ":"JWT"}')
    return f"{header}.{token.split('.')[1]}."


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
