"""A token governs its connection to the end: one token is left to expire, another is renewed in place."""

import asyncio
import time
from collections.abc import Callable
from typing import Final, NamedTuple

import watchword
from examples.demo.servers import Server
from examples.demo.tokens import mint

__all__ = ["LIFETIME_S", "Lives", "watch_lives"]

LIFETIME_S: Final = 5
_END_WITHIN_S: Final = 1.0  # what the protocol promises


class Lives(NamedTuple):
    """How the two connections went; `differences` is empty where as promised."""

    ended_after_s: float
    """From the token's `exp` to the end of its connection."""
    reason: str
    renewed_until_s: float
    """What the renewed connection has left."""
    differences: list[str]


async def watch_lives(server: Server, tick: Callable[[int], None]) -> Lives:
    """Open both, and tell the seconds that are left by `tick`, down to 0."""
    expires_at = time.time() + LIFETIME_S
    short = mint(exp=expires_at)
    fresh = iter([mint(exp=expires_at)])

    async def fetch_token() -> str:
        return next(fresh, None) or mint(lifetime_s=3600)

    async with (
        watchword.connect(server.url, token=short) as mortal,
        watchword.connect(server.url, token=fetch_token) as renewed,
    ):
        connection_id = renewed.user.connection_id
        for left_s in range(LIFETIME_S, 0, -1):
            await asyncio.sleep(max(0.0, expires_at - left_s - time.time()))
            tick(left_s)
        differences = [] if mortal.state is watchword.State.OPEN else [f"it ended before its time: {mortal.status}"]
        reason = await _wait_for_end(mortal)
        ended_after_s = time.time() - expires_at
        tick(0)
        differences += _judge_end(reason, ended_after_s)
        differences += await _judge_renewed(renewed)
        if renewed.user.connection_id != connection_id:
            differences.append("the renewed connection is another one, and should be the same")
        renewed_until = renewed.user.expires_at.timestamp() if renewed.user.expires_at else 0.0
        renewed_until_s = renewed_until - time.time()
        if renewed_until_s < 60:
            differences.append(f"the renewed connection has {renewed_until_s:.0f} s left, and should have an hour")
    return Lives(ended_after_s, type(reason).__name__, renewed_until_s, differences)


async def _wait_for_end(client: watchword.Client) -> watchword.WatchwordError | None:
    status = await client.wait_for(watchword.State.CLOSED, timeout_s=2 * LIFETIME_S)
    return status.reason


async def _judge_renewed(client: watchword.Client) -> list[str]:
    try:
        await client.ping()
    except watchword.WatchwordError as error:
        return [f"the renewed connection did not live on: {error}"]
    return []


def _judge_end(reason: watchword.WatchwordError | None, ended_after_s: float) -> list[str]:
    differences = []
    if not isinstance(reason, watchword.TokenExpired) or reason.close_code != 4100:
        differences.append(f"the connection ended with {reason!r}, and should end with TOKEN_EXPIRED (4100)")
    if not -0.01 <= ended_after_s <= _END_WITHIN_S:
        differences.append(f"it ended {ended_after_s:.2f} s after exp, and should within {_END_WITHIN_S:g} s")
    return differences
