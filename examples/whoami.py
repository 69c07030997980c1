"""Who am I? The smallest client there is.

    python examples/whoami.py ws://127.0.0.1:8080/v1/ws TOKEN

or with WATCHWORD_URL and WATCHWORD_TOKEN in the environment.
"""

import asyncio
import os
import sys

import watchword


async def show(url: str, token: str) -> None:
    """Connect, and print the user context that the server made of the token."""
    async with watchword.connect(url, token=token) as db:
        print(f"user        {db.user.name} ({db.user.id})")
        print(f"role        {db.user.role}")
        print(f"connection  {db.user.connection_id}")
        print(f"expires at  {db.user.expires_at or 'never'}")


def main() -> None:
    """Read the arguments, or the environment; an error is one sentence."""
    arguments = dict(enumerate(sys.argv))
    url = arguments.get(1) or os.environ.get("WATCHWORD_URL", "ws://127.0.0.1:8080/v1/ws")
    token = arguments.get(2) or os.environ.get("WATCHWORD_TOKEN", "")
    try:
        asyncio.run(show(url, token))
    except (watchword.WatchwordError, ValueError) as error:
        sys.exit(f"whoami: {error}")


if __name__ == "__main__":
    main()
