"""A query and its answer, over as many connections as that takes.

Without a key it is sent once. With one it happens once however often it is sent: after a connection that was lost it is
sent again on the next, since only the server knows what became of it.
"""

import asyncio

from msgspec.structs import replace

from watchword.exceptions import ConnectionLost, WatchwordError
from watchword.link import Link
from watchword.state import State
from watchword_protocol.messages import Query, QueryResult

__all__ = ["ask"]


async def ask(link: Link, query: Query, timeout_s: float) -> QueryResult:
    """Send a query and wait for its answer.

    Raises:
        As `Connection.request`, within `timeout_s` for all attempts together. ConnectionLost with a key: the client
        closed, or came back as another user, who has keys of their own.
    """
    if query.idempotency_key is None:
        return await _ask_once(link, query, timeout_s)
    try:
        async with asyncio.timeout(timeout_s):
            return await _ask_until_answered(link, query, timeout_s)
    except TimeoutError:
        raise TimeoutError(f"No answer to Query within {timeout_s:g} s") from None


async def _ask_until_answered(link: Link, query: Query, timeout_s: float) -> QueryResult:
    user = link.user
    while True:
        try:
            return await _ask_once(link, query, timeout_s)
        except ConnectionLost as error:
            lost = error
        try:
            await link.states.wait_for(State.OPEN)
        except WatchwordError:
            raise lost from lost.__cause__
        if user is None or link.user is None or link.user.id != user.id:
            raise lost


async def _ask_once(link: Link, query: Query, timeout_s: float) -> QueryResult:
    return await link.connection.request(lambda number: replace(query, id=number), QueryResult, timeout_s)
