"""From what an upgrade request or a first message carries to a credential, or a row of the error table. Pure."""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from watchword_protocol.errors import ErrorCode
from watchword_protocol.limits import SUBPROTOCOL, TOKEN_SUBPROTOCOL_PREFIX
from watchword_protocol.messages import Authenticate
from watchword_server.auth.credentials import Bearer, Credential, Password
from watchword_server.refusal import Refused

__all__ = [
    "OriginRules",
    "Subprotocols",
    "check_origin",
    "credential_of_header",
    "credential_of_message",
    "credential_of_subprotocols",
    "read_subprotocols",
]

_TOKEN68: Final = re.compile(rb"[A-Za-z0-9\-._~+/]+=*").fullmatch  # RFC 9110 11.2
_TOKEN: Final = re.compile(r"[-!#$%&'*+.^_`|~0-9a-zA-Z]+").fullmatch  # RFC 9110 5.6.2
_MALFORMED: Final = ErrorCode.MALFORMED_AUTHORIZATION


def credential_of_header(values: Sequence[bytes]) -> Credential | None:
    """The credential of the `Authorization` header: its values, one per header line; None where there is no header.

    Raises:
        Refused: MALFORMED_AUTHORIZATION: twice, an unknown scheme, no credential, text outside token68,
            or Basic that is not base64 of UTF-8 `user:password` (RFC 7617 2).
    """
    if not values:
        return None
    if len(values) > 1:
        raise Refused(_MALFORMED)
    scheme, _, text = values[0].partition(b" ")
    text = text.strip(b" ")
    if not _TOKEN68(text):
        raise Refused(_MALFORMED)
    match scheme.lower():  # RFC 9110 11.1: case-insensitive
        case b"bearer":
            return Bearer(text)
        case b"basic":
            return _read_basic(text)
    raise Refused(_MALFORMED)


def _read_basic(text: bytes) -> Password:
    try:
        decoded = b64decode(text, validate=True)
        user, colon, password = decoded.decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Refused(_MALFORMED) from None
    if not colon or b64encode(decoded) != text:  # loose bits at the end: a second spelling
        raise Refused(_MALFORMED)
    return Password(user, password)


class Subprotocols(Struct, frozen=True):
    """What was offered in `Sec-WebSocket-Protocol`: our version or not, and the tokens among the names."""

    is_ours: bool = False
    tokens: tuple[str, ...] = ()


def read_subprotocols(values: Sequence[bytes]) -> Subprotocols:
    """The offered subprotocols (RFC 6455 4.1, 11.3.4), one value per header line.

    Raises:
        Refused: MALFORMED_AUTHORIZATION, a fault of the WebSocket headers: not a list of tokens, or a token without
            `watchword.v1` beside it. A browser would drop the answer, which could not select anything.
    """
    if not values:
        return Subprotocols()
    names = [part.strip(" \t") for value in values for part in value.decode("latin-1").split(",")]
    names = [name for name in names if name]  # RFC 9110 5.6.1: empty members are ignored
    if not names or not all(map(_TOKEN, names)):
        raise Refused(_MALFORMED, "Sec-WebSocket-Protocol is not a list of tokens")
    prefix = TOKEN_SUBPROTOCOL_PREFIX
    tokens = tuple(name[len(prefix) :] for name in names if name.startswith(prefix))
    if tokens and SUBPROTOCOL not in names:
        raise Refused(_MALFORMED, f"offer {SUBPROTOCOL} beside the token")
    return Subprotocols(SUBPROTOCOL in names, tokens)


def credential_of_subprotocols(offered: Subprotocols) -> Credential | None:
    """The token among the subprotocols; None where there is none.

    Raises:
        Refused: MALFORMED_AUTHORIZATION: an empty token, or more than one.
    """
    if not offered.tokens:
        return None
    if len(offered.tokens) > 1 or not offered.tokens[0]:
        raise Refused(_MALFORMED)
    return Bearer(offered.tokens[0].encode())


def credential_of_message(message: Authenticate) -> Credential:
    """The credential of an `authenticate` message, whose decoding has checked that it is there."""
    if message.method == "jwt":
        # What cannot be encoded (a lone surrogate) is in no token: the first check refuses what stands in its place.
        return Bearer((message.token or "").encode(errors="replace"))
    return Password(message.user or "", message.password or "")


class OriginRules(Struct, frozen=True):
    """Which pages may connect. `exact`: whole origins; `any_port`: `scheme://host` of the patterns that end in `:*`.

    `is_own_allowed`: the server's own origin, where nothing was configured.
    """

    exact: frozenset[str]
    any_port: frozenset[str]
    is_own_allowed: bool

    @classmethod
    def from_patterns(cls, patterns: Sequence[str], *, is_own_allowed: bool) -> "OriginRules":
        """From `scheme://host[:port]` and `scheme://host:*`."""
        any_port = frozenset(pattern.removesuffix(":*") for pattern in patterns if pattern.endswith(":*"))
        exact = frozenset(pattern for pattern in patterns if not pattern.endswith(":*"))
        return cls(exact, any_port, is_own_allowed)

    def allow(self, origin: str, host: str) -> bool:
        """Whether a page of this origin (RFC 6454 7) may talk to the server that it called `host`."""
        if origin in self.exact:
            return True
        if self.is_own_allowed and origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}"):
            return True
        return bool(self.any_port) and _without_port(origin) in self.any_port


def _without_port(origin: str) -> str | None:
    try:
        parts = urlsplit(origin)
        port = parts.port  # raises for what is not a port
    except ValueError:
        return None
    base = (
        f"{parts.scheme}://{parts.hostname}"
        if ":" not in (parts.hostname or "")
        else f"{parts.scheme}://[{parts.hostname}]"
    )
    return base if origin == (base if port is None else f"{base}:{port}") else None


def check_origin(rules: OriginRules, origin: bytes | None, host: bytes) -> None:
    """RFC 6455 10.2. No Origin: not a browser, welcome.

    Raises:
        Refused: ORIGIN_NOT_ALLOWED; `null` always.
    """
    if origin is not None and not rules.allow(origin.decode("latin-1"), host.decode("latin-1")):
        raise Refused(ErrorCode.ORIGIN_NOT_ALLOWED)
