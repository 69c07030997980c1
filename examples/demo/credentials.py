"""Credentials that are refused, by every way that can carry them."""

import base64
import json
from collections.abc import Iterator
from functools import partial
from typing import Final

from examples.demo.case import Case
from examples.demo.tokens import bad_tokens, mint
from examples.demo.verdict import Expected
from examples.demo.wire import TEXT, Seen, dial, upgrade_request
from watchword_protocol.errors import ErrorCode
from watchword_protocol.limits import SUBPROTOCOL, TOKEN_SUBPROTOCOL_PREFIX

__all__ = [
    "PASSWORD",
    "by_header",
    "by_message",
    "by_subprotocol",
    "malformed_cases",
    "password_cases",
    "present",
    "token_cases",
]

PASSWORD: Final = "correct horse battery staple"

_FROM_A_PROXY: Final = "X-Forwarded-For: 203.0.113.7"
_MALFORMED: Final = ErrorCode.MALFORMED_AUTHORIZATION

Attempt = tuple[tuple[str, ...], dict[str, object] | None]
"""Header lines of the upgrade request, and the first message, if any."""


def by_header(credential: str | tuple[str, str]) -> Attempt:
    """A token, or user and password, in `Authorization`."""
    if isinstance(credential, str):
        return (f"Authorization: Bearer {credential}",), None
    return (f"Authorization: Basic {base64.b64encode(':'.join(credential).encode()).decode()}",), None


def by_subprotocol(token: str) -> Attempt:
    """A token among the offered subprotocols."""
    return (f"Sec-WebSocket-Protocol: {SUBPROTOCOL}, {TOKEN_SUBPROTOCOL_PREFIX}{token}",), None


def by_message(credential: str | tuple[str, str]) -> Attempt:
    """A token, or user and password, in the first message."""
    if isinstance(credential, str):
        return (), {"type": "authenticate", "method": "jwt", "token": credential}
    return (), {"type": "authenticate", "method": "basic", "user": credential[0], "password": credential[1]}


async def present(attempt: Attempt, port: int) -> Seen:
    """Present a credential, and see what comes of it."""
    headers, message = attempt
    async with await dial(port, upgrade_request(*headers)) as wire:
        if message is not None:
            wire.send(TEXT, json.dumps(message).encode())
        return await wire.see()


def token_cases(stale: str) -> list[Case]:
    """Every bad token by all three ways."""
    cases = [case for sent, code, token in bad_tokens(stale) for case in _by_all_ways(sent, code, token)]
    return [*cases, *_by_all_ways("role system, through a proxy", ErrorCode.ACCESS_DENIED, mint("root"), _FROM_A_PROXY)]


def _by_all_ways(sent: str, code: ErrorCode, token: str, *more: str) -> Iterator[Case]:
    ways = {"H": by_header(token), "S": by_subprotocol(token), "M": by_message(token)}
    for by, (headers, message) in ways.items():
        yield _case(sent, by, code, ((*headers, *more), message))


def _case(sent: str, by: str, code: ErrorCode, attempt: Attempt) -> Case:
    return Case(sent, by, Expected(code), partial(present, attempt), by_request=by != "M")


def password_cases(max_failures: int) -> list[Case]:
    """User and password, by header (Basic) and by message, which has no subprotocol."""
    wrong, right = "incorrect horse", PASSWORD
    table = [
        ("wrong password", ErrorCode.INVALID_CREDENTIALS, "grace", wrong),
        ("password of an unknown user", ErrorCode.INVALID_CREDENTIALS, "nobody", right),
        ("password of a deleted user", ErrorCode.INVALID_CREDENTIALS, "carol", right),
        ("password of a locked user", ErrorCode.ACCOUNT_LOCKED, "dan", right),
    ]
    cases = [
        _case(sent, by, code, present_by((user, password)))
        for sent, code, user, password in table
        for by, present_by in (("H", by_header), ("M", by_message))
    ]
    guess = _case("wrong password, again and again", "H", ErrorCode.INVALID_CREDENTIALS, by_header(("erin", wrong)))
    locked = [
        _case("then the right one", by, ErrorCode.ACCOUNT_LOCKED, present_by(("erin", right)))
        for by, present_by in (("H", by_header), ("M", by_message))
    ]
    return [*cases, *[guess] * max_failures, *locked]


def malformed_cases() -> list[Case]:
    """Credentials that cannot be read at all."""
    token = mint()
    header = "Authorization: "
    headers = {
        "header twice": (f"{header}Bearer {token}", f"{header}Bearer {token}"),
        "header of an unknown scheme": (f"{header}Digest {token}",),
        "header without a credential": (f"{header}Bearer",),
        "header with a space in the token": (f"{header}Bearer {token} {token}",),
        "Basic that is not base64": (f"{header}Basic YWRh!",),
        "Basic without a colon": (f"{header}Basic {base64.b64encode(b'ada').decode()}",),
        "bad header, good subprotocol": (f"{header}Bearer", *by_subprotocol(token)[0]),
    }
    prefix = f"Sec-WebSocket-Protocol: {SUBPROTOCOL}, {TOKEN_SUBPROTOCOL_PREFIX}"
    subprotocols = {
        "empty subprotocol token": prefix,
        "two subprotocol tokens": f"{prefix}{token}, {TOKEN_SUBPROTOCOL_PREFIX}{token}",
    }
    messages: dict[str, dict[str, object]] = {
        "unknown method": {"method": "magic", "token": token},
        "message without a token": {"method": "jwt"},
        "token that is not text": {"method": "jwt", "token": 7},
        "empty user": {"method": "basic", "user": "", "password": PASSWORD},
    }
    alone = (f"Sec-WebSocket-Protocol: {TOKEN_SUBPROTOCOL_PREFIX}{token}",)
    return [
        *[_case(sent, "H", _MALFORMED, (lines, None)) for sent, lines in headers.items()],
        *[_case(sent, "S", _MALFORMED, ((line,), None)) for sent, line in subprotocols.items()],
        # A browser would drop the answer, so that only HTTP can tell: in both modes.
        Case(f"token without {SUBPROTOCOL}", "S", Expected(_MALFORMED, 400), partial(present, (alone, None))),
        *[
            _case(sent, "M", _MALFORMED, ((), {"type": "authenticate", **members}))
            for sent, members in messages.items()
        ],
    ]
