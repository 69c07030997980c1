"""What only a server with narrow limits shows: few connections, quick heartbeats, one connection for each user."""

from contextlib import AsyncExitStack
from functools import partial
from typing import Final

from examples.demo.case import Case
from examples.demo.credentials import by_header
from examples.demo.tokens import mint
from examples.demo.verdict import Expected
from examples.demo.wire import Seen, Wire, dial, upgrade_request
from watchword_protocol.errors import ErrorCode

__all__ = ["NARROW", "narrow_cases", "silent_case"]

_CONNECTIONS: Final = 4
_PER_ADDRESS: Final = 2

NARROW: Final[dict[str, dict[str, object]]] = {
    # The demo plays the proxy too, so that one machine can come from several addresses.
    "server": {"trusted_proxies": ["127.0.0.1"]},
    "auth": {"replace_connections": True},
    "limits": {"connections": _CONNECTIONS, "connections_per_address": _PER_ADDRESS},
    "heartbeat": {"interval_s": 1, "timeout_s": 1},
}
"""Settings beyond those of the other servers."""


def silent_case() -> Case:
    """A client that does not answer pings; it takes two seconds, beside others."""
    return Case("pings are not answered", "open", Expected(ErrorCode.HEARTBEAT_TIMEOUT, says=""), _stay_silent)


def narrow_cases() -> list[Case]:
    """In this order, one after the other."""
    too_many = Expected(ErrorCode.TOO_MANY_CONNECTIONS, 429)
    overloaded = Expected(ErrorCode.OVERLOADED, 503)
    return [
        Case("a second connection takes over", "open", Expected(ErrorCode.REPLACED, says=""), _replace),
        Case("one from this address too many", "request", too_many, partial(_crowd, [1] * _PER_ADDRESS, 1)),
        Case("one in all too many", "request", overloaded, partial(_crowd, list(range(_CONNECTIONS)), 99)),
    ]


async def _open(port: int, subject: str) -> Wire:
    wire = await dial(port, upgrade_request(*by_header(mint(subject))[0]))
    await wire.hear()
    return wire


async def _replace(port: int) -> Seen:
    async with await _open(port, "ada") as first, await _open(port, "ada"):
        return await first.see()


async def _stay_silent(port: int) -> Seen:
    async with await _open(port, "grace") as wire:
        return await wire.see()


async def _crowd(addresses: list[int], last: int, port: int) -> Seen:
    async with AsyncExitStack() as stack:
        for address in [*addresses, last]:
            request = upgrade_request(f"X-Forwarded-For: 203.0.113.{address}")
            wire = await stack.enter_async_context(await dial(port, request))
        return await wire.see()
