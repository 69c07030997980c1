"""What is refused for what a client does, whatever its credential."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

from examples.demo.case import Case
from examples.demo.credentials import by_header, by_message, by_subprotocol, present
from examples.demo.servers import Server
from examples.demo.tokens import mint
from examples.demo.verdict import Expected
from examples.demo.wire import BINARY, PING, TEXT, Seen, Wire, dial, upgrade_request
from watchword_protocol.errors import ErrorCode
from watchword_protocol.limits import EARLY_MESSAGE_BYTES

__all__ = ["UNSEEN", "early_cases", "find_early_ends", "limit_cases", "open_cases", "request_cases", "slow_cases"]

UNSEEN: Final = {
    ErrorCode.KEY_UNAVAILABLE: "needs an issuer with keys of its own, planned",
    ErrorCode.SLOW_CONSUMER: "who reads nothing does not read this either, and is cut off",
    ErrorCode.INTERNAL_ERROR: "a fault of the server; no way to provoke one is known",
}
"""Rows that the demo leaves out, and why."""


def request_cases() -> list[Case]:
    """Requests that are refused over HTTP in both modes, and pages that may not connect."""

    def request(sent: str, code: ErrorCode, status: int, data: bytes) -> Case:
        return Case(sent, "request", Expected(code, status), partial(_ask, data))

    def origin(value: str) -> Case:
        attempt = ((f"Origin: {value}", *by_header(mint())[0]), None)
        expected = Expected(ErrorCode.ORIGIN_NOT_ALLOWED)
        return Case(f"a page of {value}", "request", expected, partial(present, attempt), by_request=True)

    malformed, too_large = ErrorCode.MALFORMED_MESSAGE, ErrorCode.MESSAGE_TOO_LARGE
    no_key = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    version_8 = (*no_key[:2], "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 8")
    return [
        origin("https://evil.example"),
        origin("null"),
        request("another path", ErrorCode.NOT_FOUND, 404, upgrade_request(path="/v2/ws")),
        request("POST", malformed, 405, upgrade_request(method="POST")),
        request("no upgrade at all", malformed, 426, upgrade_request(upgrade=())),
        request("WebSocket version 8", malformed, 426, upgrade_request(upgrade=version_8)),
        request("no Sec-WebSocket-Key", malformed, 400, upgrade_request(upgrade=no_key)),
        request("a header line over 8 KiB", too_large, 431, upgrade_request(f"X: {'x' * 9_000}")),
        request("headers over 32 KiB", too_large, 431, upgrade_request(*[f"X-{n}: {'x' * 8_000}" for n in range(5)])),
        request(
            "/v1/api/auth/me, no credential",
            ErrorCode.AUTH_REQUIRED,
            401,
            upgrade_request(path="/v1/api/auth/me", upgrade=()),
        ),
    ]


async def _ask(data: bytes, port: int) -> Seen:
    async with await dial(port, data) as wire:
        return await wire.see()


def early_cases() -> list[Case]:
    """What may not come before authentication."""

    def frame(sent: str, code: ErrorCode, opcode: int, payload: bytes) -> Case:
        return Case(sent, "first", Expected(code), partial(_send_first, opcode, payload))

    malformed = ErrorCode.MALFORMED_MESSAGE
    too_long = b'{"type":"ping","x":"%b"}' % (b"x" * EARLY_MESSAGE_BYTES)
    return [
        frame("a query before authenticate", ErrorCode.AUTH_REQUIRED, TEXT, b'{"type":"query","sql":"SELECT 1"}'),
        frame("not JSON", malformed, TEXT, b"hello"),
        frame("an unknown type", malformed, TEXT, b'{"type":"hello"}'),
        frame("an array", malformed, TEXT, b"[]"),
        frame("a binary frame", ErrorCode.UNSUPPORTED_DATA, BINARY, b'{"type":"ping"}'),
        frame("more than 16 KiB", ErrorCode.MESSAGE_TOO_LARGE, TEXT, too_long),
    ]


async def _send_first(opcode: int, payload: bytes, port: int) -> Seen:
    async with await dial(port, upgrade_request()) as wire:
        wire.send(opcode, payload)
        return await wire.see()


def open_cases(max_message_bytes: int, flood_messages: int) -> list[Case]:
    """What ends a connection that was authenticated."""
    too_large = b'{"type":"ping","x":"%b"}' % (b"x" * max_message_bytes)

    def after(sent: str, by: str, expected: Expected, act: Callable[[Wire], None]) -> Case:
        return Case(sent, by, expected, partial(_do_when_open, act))

    def renew(sent: str, code: ErrorCode, token: str) -> Case:
        message = by_message(token)[1]
        return after(sent, "renewal", Expected(code), lambda wire: wire.say(**message or {}))

    def flood(wire: Wire) -> None:
        for number in range(flood_messages):
            wire.say(type="ping", id=number)

    return [
        renew("another user's token", ErrorCode.USER_MISMATCH, mint("grace")),
        renew("a forged token", ErrorCode.INVALID_SIGNATURE, mint(secret="another secret of at least 32 bytes")),
        renew("an expired token", ErrorCode.TOKEN_EXPIRED, mint(lifetime_s=-1)),
        after(
            f"more than {max_message_bytes:,} bytes",
            "open",
            Expected(ErrorCode.MESSAGE_TOO_LARGE, says="error"),
            lambda wire: wire.send(TEXT, too_large),
        ),
        after(f"{flood_messages} messages at once", "open", Expected(ErrorCode.RATE_LIMITED, says="error"), flood),
    ]


async def find_early_ends(server: Server) -> list[str]:
    """Whether what ends a connection before authentication is only answered after it (`ends` in the error table)."""
    differences = []
    async with await _open(server.port) as wire:
        for sent, opcode, payload, code in (
            ("not JSON", TEXT, b"hello", ErrorCode.MALFORMED_MESSAGE),
            ("a binary frame", BINARY, b"hello", ErrorCode.UNSUPPORTED_DATA),
        ):
            wire.send(opcode, payload)
            answer = await wire.hear()
            if (answer.get("type"), answer.get("code")) != ("error", code.name):
                differences.append(f"{sent} was answered {answer}, and should be by `error` with {code.name}")
        wire.say(type="ping", id=1)
        if (answer := await wire.hear()) != {"type": "pong", "id": 1}:
            differences.append(f"a ping after them was answered {answer}")
    return differences


async def _do_when_open(act: Callable[[Wire], None], port: int) -> Seen:
    async with await _open(port) as wire:
        act(wire)
        return await wire.see()


async def _open(port: int, *headers: str, subject: str = "ada") -> Wire:
    """An authenticated connection."""
    wire = await dial(port, upgrade_request(*by_subprotocol(mint(subject))[0], *headers))
    await wire.hear()
    return wire


def slow_cases() -> list[Case]:
    """What is refused because it does not come; they wait side by side."""
    silent = Case(
        "nothing after the upgrade", "first", Expected(ErrorCode.AUTH_TIMEOUT), partial(_ask, upgrade_request())
    )
    pings = Case("pings, but no authenticate", "first", Expected(ErrorCode.AUTH_TIMEOUT), _ping_only)
    half = Case(
        "half a request", "request", Expected(ErrorCode.AUTH_TIMEOUT, 408), partial(_ask, upgrade_request()[:40])
    )
    return [half, silent, pings]


async def _ping_only(port: int) -> Seen:
    async with await dial(port, upgrade_request()) as wire:
        seeing = asyncio.ensure_future(wire.see())
        while not seeing.done():
            wire.send(PING, b"")
            await asyncio.wait([seeing], timeout=0.2)
        return await seeing


def limit_cases(connections_per_user: int) -> list[Case]:
    """One connection of a user too many."""
    ways = {"H": by_header(mint("frank")), "S": by_subprotocol(mint("frank")), "M": by_message(mint("frank"))}
    expected = Expected(ErrorCode.TOO_MANY_CONNECTIONS)
    return [
        Case(
            f"connection {connections_per_user + 1} of one user",
            by,
            expected,
            partial(_crowd, connections_per_user, partial(present, attempt)),
            by_request=by != "M",
        )
        for by, attempt in ways.items()
    ]


async def _crowd(connections: int, then: Callable[[int], Awaitable[Seen]], port: int) -> Seen:
    async with AsyncExitStack() as stack:
        for _ in range(connections):
            await stack.enter_async_context(await _open(port, subject="frank"))
        return await then(port)
