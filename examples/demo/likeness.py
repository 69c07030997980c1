"""Whether a refusal tells an unknown user from a deleted one: it must not, by a single byte."""

import json
import re
from typing import Any, Final

from examples.demo.credentials import PASSWORD, Attempt, by_header, by_message, by_subprotocol, present
from examples.demo.servers import Server
from examples.demo.tokens import mint
from examples.demo.wire import Seen

__all__ = ["blank", "find_unlike"]

# What differs between any two answers: the name of the request, the time, and with them the length.
_OWN: Final = ("request_id", "server_time")
_LENGTH: Final = re.compile(r"content-length: \d+", re.IGNORECASE)


async def find_unlike(*servers: Server) -> list[str]:
    """Ask for both by every way; the ways whose answers differ."""
    return [
        f"by {way} an unknown and a deleted user are told apart"
        for server in servers
        for way, unknown, deleted in zip(_WAYS, _attempts("nobody"), _attempts("carol"), strict=True)
        if blank(await present(unknown, server.port)) != blank(await present(deleted, server.port))
    ]


_WAYS: Final = ("header", "subprotocol", "message", "Basic", "Basic in a message")


def _attempts(user: str) -> list[Attempt]:
    token, password = mint(user), (user, PASSWORD)
    return [by_header(token), by_subprotocol(token), by_message(token), by_header(password), by_message(password)]


def blank(seen: Seen) -> Seen:
    """An answer without what is its own."""
    body = seen.body
    if body:
        members = json.loads(body)
        body = json.dumps({**members, "error": _blank(members["error"])}).encode()
    messages = tuple(_blank(message) for message in seen.messages)
    return seen._replace(body=body, messages=messages, head=_LENGTH.sub("", seen.head))


def _blank(members: dict[str, Any]) -> dict[str, Any]:
    return {name: "" if name in _OWN else value for name, value in members.items()}
