"""A header block to a WebSocket upgrade, or the HTTP answer that refuses it. Pure.

The grammar is httptools', the parser that uvicorn uses for plain requests: one grammar on the port. What RFC 6455 4.2.1
asks beyond it is checked here, and a differential test holds the verdict equal to that of websockets' `ServerProtocol`.
"""

import binascii
import hashlib
import re
from functools import lru_cache
from typing import Final

import httptools

from watchword_protocol.errors import ErrorCode
from watchword_protocol.limits import PATH

__all__ = [
    "MAX_FIELDS",
    "MAX_LINE_BYTES",
    "HttpRefused",
    "RequestHead",
    "accept_key",
    "check_path",
    "read_head",
    "without_empty_lines",
]

MAX_LINE_BYTES: Final = 8192
MAX_FIELDS: Final = 128

_EMPTY_LINES: Final = re.compile(rb"(?:\r\n)+").match

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3
_TOKEN_CHARACTERS: Final = (
    b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"  # RFC 9110 5.6.2
)


class HttpRefused(Exception):  # noqa: N818  # a verdict, named as it reads
    """The request is answered over HTTP and the connection ends.

    `status` stands apart from the code's own, since 405 and 426 have no row of their own.
    """

    def __init__(self, status: int, code: ErrorCode = ErrorCode.MALFORMED_MESSAGE, message: str | None = None) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message or code.message


class RequestHead:
    """One request head. httptools calls the `on_` methods, checks the grammar (RFC 9112), knows what an upgrade is."""

    __slots__ = ("_fields", "method", "request_line", "target")

    def __init__(self) -> None:
        self.target = b""
        self.request_line = b""
        self.method = b""
        self._fields: dict[bytes, list[bytes]] = {}

    def on_url(self, part: bytes) -> None:
        """Called by the parser."""
        self.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        value = value.strip(b" \t")  # the parser leaves what follows the value
        self._fields.setdefault(name.lower(), []).append(value)

    def values(self, name: bytes) -> list[bytes]:
        """The values of a field, one per line; the name in small letters."""
        return self._fields.get(name, [])

    def once(self, name: bytes) -> bytes | None:
        """The value of a field that may stand once.

        Raises:
            HttpRefused: 400, it stands there twice.
        """
        values = self._fields.get(name)
        if values is None:
            return None
        if len(values) > 1:
            raise HttpRefused(400, message=f"Header {name.decode('latin-1')} is repeated")
        return values[0]


def without_empty_lines(data: bytes) -> bytes:
    """What a client sent, without the empty lines before its request, which mean nothing (RFC 9112 2.2)."""
    if not data.startswith(b"\r\n"):
        return data
    match = _EMPTY_LINES(data)
    return data[match.end() :] if match else data


def read_head(block: bytes) -> RequestHead | None:
    """The head of a WebSocket upgrade; None for every other request, which is the HTTP server's to answer.

    Args:
        block: A header block, which ends with its empty line, so that nothing behind it is read.

    Raises:
        HttpRefused: 400, the block is not a request; 431, a line or the number of fields passes its limit.
    """
    _check_size(block)
    head = RequestHead()
    parser = httptools.HttpRequestParser(head)
    try:
        parser.feed_data(block)
    except httptools.HttpParserUpgrade:
        if len(upgrade := head.values(b"upgrade")) > 1 or _members(tuple(upgrade)) != (b"websocket",):
            return None
        head.method = parser.get_method()
        head.request_line = block[: block.index(b"\r\n")]
        return head
    except httptools.HttpParserError:
        raise HttpRefused(400, message="The request is not valid HTTP/1.1") from None
    return None


def _check_size(block: bytes) -> None:
    if block.count(b"\r\n") > MAX_FIELDS + 2:
        raise HttpRefused(431, ErrorCode.MESSAGE_TOO_LARGE, f"A request has at most {MAX_FIELDS} header fields")
    if len(block) > MAX_LINE_BYTES and max(map(len, block.split(b"\r\n"))) > MAX_LINE_BYTES:
        raise HttpRefused(431, ErrorCode.MESSAGE_TOO_LARGE, f"A header line has at most {MAX_LINE_BYTES} bytes")


@lru_cache(256)
def _members(values: tuple[bytes, ...]) -> tuple[bytes, ...] | None:
    """The members of a list of tokens in small letters, over several lines (RFC 9110 5.6.1, 5.3); None: it is none."""
    members = tuple(part.strip(b" \t") for value in values for part in value.lower().split(b","))
    members = tuple(member for member in members if member)
    return None if any(member.translate(None, _TOKEN_CHARACTERS) for member in members) else members


def check_path(head: RequestHead) -> None:
    """The first checks of an upgrade: path, then method. The query part of the URL is ignored.

    Raises:
        HttpRefused: 404 or 405.
    """
    if _path(head.target) != PATH.encode():
        raise HttpRefused(404, ErrorCode.NOT_FOUND, f"There is no such path; WebSocket connections go to {PATH}")
    if head.method != b"GET":
        raise HttpRefused(405, message="A WebSocket connection begins with GET")


def _path(target: bytes) -> bytes | None:
    """The path of a request target, also of a whole URL (RFC 9112 3.2.2); None where there is none."""
    try:
        path: bytes | None = httptools.parse_url(target).path
    except httptools.HttpParserInvalidURLError:
        return None
    return path


def accept_key(head: RequestHead) -> bytes:
    """`Sec-WebSocket-Accept` (RFC 6455 4.2.2), after what RFC 6455 4.2.1 and RFC 9112 3.2 ask beyond the parser.

    Raises:
        HttpRefused: 400, or 426 for another version.
    """
    if head.request_line != b"GET %b HTTP/1.1" % head.target:  # also what the parser forgives: more spaces
        raise HttpRefused(400, message="The request line is not `GET target HTTP/1.1`")
    connection = _members(tuple(head.values(b"connection")))
    if connection is None or b"upgrade" not in connection:
        raise HttpRefused(400, message="Header Connection does not list upgrade")
    if not head.once(b"host"):
        raise HttpRefused(400, message="Header Host is missing or empty")
    if head.values(b"transfer-encoding") or head.once(b"content-length") not in (None, b"0"):
        raise HttpRefused(400, message="An upgrade request has no body")
    head.once(b"origin")
    key = head.once(b"sec-websocket-key") or b""
    try:
        is_key = len(binascii.a2b_base64(key, strict_mode=True)) == 16
    except binascii.Error:
        is_key = False
    if not is_key:
        raise HttpRefused(400, message="Header Sec-WebSocket-Key is not base64 of 16 bytes")
    if head.once(b"sec-websocket-version") != b"13":
        raise HttpRefused(426, message="Header Sec-WebSocket-Version is not 13")
    # RFC 6455 1.3 names SHA-1; nothing secret depends on it.
    return binascii.b2a_base64(hashlib.sha1(key + _GUID, usedforsecurity=False).digest(), newline=False)
