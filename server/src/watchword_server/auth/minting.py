"""Tokens of our own making, for logins, scripts and trying things out."""

from typing import Any

import jwt

from watchword_server.auth.account import Account

__all__ = ["mint_token"]


def mint_token(
    account: Account,
    *,
    secret: str,
    issuer: str,
    audience: str,
    lifetime_s: float,
    now: float,
    token_id: str,
    with_role: bool = True,
) -> str:
    """An access token for the account, HS256 (RFC 7519, RFC 7518 3.2).

    Args:
        secret: The server's `auth.jwt_secret`, at least 32 bytes.
        issuer: Its `iss`: `auth.issuer`, or one of `auth.jwt_trusted_issuers`.
        audience: Its `aud`; empty leaves it out.
        now: Seconds since 1970. `iat` keeps the fraction, since it is compared with the account's `valid_after`.
        token_id: Its `jti`, by which it can be revoked.
        with_role: Whether it names the role, so that it becomes stale with it; for tokens of `auth.issuer` only, since
            in another issuer's the claim means nothing.
    """
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": account.id,
        "iat": now,
        "exp": now + lifetime_s,
        "jti": token_id,
        "token_use": "access",
    }
    if with_role:
        claims["role"] = account.role.value
    if audience:
        claims["aud"] = audience
    return jwt.encode(claims, secret, algorithm="HS256")
