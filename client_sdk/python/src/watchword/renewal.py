"""Renewal in place: a fresh token before the old one ends, on the same connection."""

import asyncio
import logging
from typing import Final

from watchword.connection import Connection
from watchword.credentials import Credential
from watchword.exceptions import AuthenticationStopped, ConnectionLost, KeyUnavailable, ServerError, TokenUnavailable
from watchword.timing import Timing

__all__ = ["delay_renewal", "renew_until_ended"]

_log = logging.getLogger("watchword")

MARGIN_S: Final = 30.0
SHORTEST_S: Final = 1.0


def delay_renewal(lifetime_s: float, *, is_announced: bool = False) -> float:
    """Seconds after an answer to renew a token that had `lifetime_s` left in it.

    Half a minute before its end, or now that the server announces the end; never before half its life, since the
    announcement follows at once where little is left, and short tokens would be fetched in a circle. Never at once.
    """
    early_s = lifetime_s / 2
    return max(SHORTEST_S, early_s if is_announced else max(early_s, lifetime_s - MARGIN_S))


async def renew_until_ended(
    connection: Connection, credential: Credential, timing: Timing, *, token_timeout_s: float, reply_timeout_s: float
) -> None:
    """Keep a connection's token fresh. Returns when nothing expires, or a renewal ended the connection.

    A token function that fails, or has nothing new yet, is asked again after half of what is left.
    """
    answered_at, left_s = timing.clock(), connection.user.lifetime_s
    while left_s is not None:
        await _wait_until_due(connection, timing, answered_at, left_s)
        try:
            is_renewed = await _renew(connection, credential, token_timeout_s, reply_timeout_s)
        except (TokenUnavailable, KeyUnavailable, TimeoutError) as error:
            is_renewed = False
            _log.warning("The token was not renewed yet. %s", error)
        except (AuthenticationStopped, ServerError, ConnectionLost) as error:
            _log.info("The token is not renewed. %s", error)  # the connection's own end will say more
            return
        now = timing.clock()
        left_s = connection.user.lifetime_s if is_renewed else left_s - (now - answered_at)
        answered_at = now


async def _renew(
    connection: Connection, credential: Credential, token_timeout_s: float, reply_timeout_s: float
) -> bool:
    fresh = await credential.fetch(token_timeout_s)
    if not credential.is_new(fresh):
        return False
    credential.offer(fresh)
    await connection.authenticate(fresh, reply_timeout_s)
    credential.accept()
    return True


async def _wait_until_due(connection: Connection, timing: Timing, answered_at: float, lifetime_s: float) -> None:
    """Until our own time has come, or the server's announcement has and half of the life is over."""
    pause = asyncio.ensure_future(timing.sleep(delay_renewal(lifetime_s)))
    waits = {pause, asyncio.ensure_future(connection.expiring.wait())}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if pause.done():
            pause.result()  # a function of the user's may raise, and no pause would make a circle of this
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
    if connection.expiring.is_set():
        wait_s = answered_at + delay_renewal(lifetime_s, is_announced=True) - timing.clock()
        if wait_s > 0:
            await timing.sleep(wait_s)
