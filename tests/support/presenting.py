"""A credential by every way that the protocol has, as the bytes of a client."""

import base64
from collections.abc import Callable, Mapping
from typing import Final

from support.raw_socket import text, upgrade

__all__ = ["WAYS", "basic", "by_message", "sign_in"]


def basic(user: str, password: str) -> str:
    """The header line of HTTP Basic (RFC 7617)."""
    return "Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def by_message(token: str) -> bytes:
    """The `authenticate` message."""
    return text({"type": "authenticate", "method": "jwt", "token": token})


WAYS: Final[Mapping[str, Callable[[str], bytes]]] = {
    "header": lambda token: upgrade(f"Authorization: Bearer {token}"),
    "subprotocol": lambda token: upgrade(f"Sec-WebSocket-Protocol: watchword.v1, watchword.jwt.{token}"),
    "first message": lambda token: upgrade() + by_message(token),
}
"""A token to all that a client sends, by each way."""


def sign_in(token: str, *, v1: bool = False) -> bytes:
    """An upgrade with the token in its header; `v1` offers the subprotocol."""
    return upgrade(f"Authorization: Bearer {token}", *(["Sec-WebSocket-Protocol: watchword.v1"] if v1 else []))
