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

__all__ = ["SECRET", "fill", "user_id", "write_headers"]

SECRET: Final = "benchmark-secret-of-more-than-32-bytes"
_LIFETIME_S: Final = 36_000


def user_id(number: int) -> str:
    """The id of one user, here and in the yardstick."""
    return f"u_{number:08d}"


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
            for number in range(users):
                account = Account(
                    id=user_id(number),
                    name=f"user{number}",
                    role=Role.USER,
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
    header = _segment({"alg": "HS256", "typ": "JWT"})
    with path.open("wb") as file:
        for number in range(tokens):
            claims = {
                "iss": "watchword",
                "sub": user_id(number % users),
                "iat": now,
                "exp": now + _LIFETIME_S,
                "jti": f"benchmark-{number:06d}",
                "token_use": "access",
                "role": "user",
            }
            signed = header + b"." + _segment(claims)
            signature = hmac.digest(SECRET.encode(), signed, hashlib.sha256)
            file.write(b"Authorization: Bearer %b.%b\n" % (signed, _base64url(signature)))


def _segment(value: dict[str, object]) -> bytes:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


if __name__ == "__main__":
    asyncio.run(fill(Path(sys.argv[1]), int(sys.argv[2])))
