"""Numbers and names on which both sides of the wire must agree."""

from typing import Final

__all__ = [
    "CLOSE_REASON_BYTES",
    "DEFAULT_MESSAGE_BYTES",
    "EARLY_MESSAGE_BYTES",
    "ID_CHARACTERS",
    "KEY_CHARACTERS",
    "LATEST_TIME_S",
    "MAX_INTEGER",
    "PATH",
    "SUBPROTOCOL",
    "SUBSCRIPTION_ID_CHARACTERS",
    "TOKEN_SUBPROTOCOL_PREFIX",
    "VERSION",
]

VERSION: Final = 1
PATH: Final = "/v1/ws"

SUBPROTOCOL: Final = "watchword.v1"
"""The subprotocol of this version (RFC 6455 1.9). Who negotiates it also receives the unsolicited messages."""

TOKEN_SUBPROTOCOL_PREFIX: Final = "watchword.jwt."
"""A token among the offered subprotocols, for browsers, which cannot set a header. The server never selects it."""

MAX_INTEGER: Final = 2**53 - 1
"""The largest integer that travels as a JSON number (RFC 7493 2.2); larger ones travel as decimal strings."""

ID_CHARACTERS: Final = 64
SUBSCRIPTION_ID_CHARACTERS: Final = 128
KEY_CHARACTERS: Final = 128
"""Of an idempotency key."""

EARLY_MESSAGE_BYTES: Final = 16_384
"""The largest message before authentication."""

DEFAULT_MESSAGE_BYTES: Final = 1_048_576
"""The largest message after authentication, unless the server says otherwise in `auth_success`."""

CLOSE_REASON_BYTES: Final = 123
"""What a close frame has left for its reason (RFC 6455 5.5)."""

LATEST_TIME_S: Final = 253_402_300_800
"""The year 10000 in seconds since 1970: no time on the wire reaches it."""
