"""Who connects: users in a data directory, and tokens for them, one header line each.

`python -m benchmarks.population DIR USERS` fills a data directory with the release that Python finds, so that an older
one gets a database of its own layout.
"""

import asyncio
import hashlib
import hmac
import json
import sys
import time
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Final

__all__ = ["OPERATOR_ID", "SECRET", "fill", "token", "user_id", "user_name", "write_headers"]

SECRET: Final = "benchmark-secret-of-more-than-32-bytes"
OPERATOR_ID: Final = "u_operator"
"""Somebody of the role dba, who makes tables."""

_LIFETIME_S: Final = 36_000


def user_id(number: int) -> str:
    """The id of one user, here and in the yardstick."""
    return f"u_{number:08d}"


def user_name(number: int) -> str:
    """The name of the same one."""
    return f"user{number}"


async def fill(directory: Path, users: int) -> None:
    """Put users into a new data directory."""
    from watchword_server.adapters.sqlite.accounts import SqliteAccounts
    from watchword_server.adapters.sqlite.data_directory import DataDirectory
    from watchword_server.adapters.sqlite.database import open_database
    from watchword_server.auth.account import Account
    from watchword_server.user import Role

    with DataDirectory(directory) as held:
        async with await open_database(held.database, synchronous="off") as database:
            accounts = SqliteAccounts(database)
            everybody = [(user_id(number), user_name(number), Role.USER) for number in range(users)]
            for id_, name, role in [*everybody, (OPERATOR_ID, "operator", Role.DBA)]:
                account = Account(  # every member: in an older release they have no defaults
                    id=id_,
                    name=name,
                    role=role,
                    email=None,
                    password_hash=None,
                    auth_type="password",
                    issuer=None,
                    subject=None,
                    valid_after=None,
                    locked=False,
                    created_at=1_700_000_000.0,
                    updated_at=1_700_000_000.0,
                    last_seen_at=None,
                    deleted_at=None,
                )
                await accounts.add(account)


def write_headers(path: Path, *, tokens: int, users: int) -> None:
    """Write `tokens` distinct access tokens as `Authorization` lines, for the users in turn.

    They are what `watchword token` makes, byte for byte in form; made here because a hundred thousand are needed.
    """
    now = round(time.time(), 3)
    with path.open("wb") as file:
        for number in range(tokens):
            signed = token(user_id(number % users), role="user", name=f"benchmark-{number:06d}", now=now)
            file.write(b"Authorization: Bearer %b\n" % signed)


def token(subject: str, *, role: str, name: str, now: float | None = None) -> bytes:
    """An access token, whose id is `name`; issued `now`, seconds since 1970."""
    issued_at = round(time.time(), 3) if now is None else now
    claims = {
        "iss": "watchword",
        "sub": subject,
        "iat": issued_at,
        "exp": issued_at + _LIFETIME_S,
        "jti": name,
        "token_use": "access",
        "role": role,
    }
    signed = _HEADER + b"." + _segment(claims)
    return signed + b"." + _base64url(hmac.digest(SECRET.encode(), signed, hashlib.sha256))


def _segment(value: dict[str, object]) -> bytes:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


_HEADER: Final = _segment({"alg": "HS256", "typ": "JWT"})


if __name__ == "__main__":
    asyncio.run(fill(Path(sys.argv[1]), int(sys.argv[2])))
