"""The frames that make up nearly all of the traffic, both ways (RFC 6455 5.2). Pure.

Whole masked text frames, pings, pongs and closes are read here; everything else, and everything wrong, is the library's
(`fallback`). A differential test holds both ways of reading equal.
"""

from enum import Enum, unique
from typing import Final

__all__ = [
    "CLOSE",
    "PING",
    "PING_FRAME",
    "PONG",
    "TEXT",
    "Small",
    "close_frame",
    "pong_frame",
    "read_small",
    "text_frame",
]

# First bytes: FIN, no extension bits, opcode.
TEXT: Final = 0x81
CLOSE: Final = 0x88
PING: Final = 0x89
PONG: Final = 0x8A

PING_FRAME: Final = b"\x89\x00"

_MASKED: Final = 0x80
_SHORT: Final = 125  # the longest payload of a control frame, and of a frame with one length byte
_KINDS: Final = frozenset({TEXT, CLOSE, PING, PONG})


@unique
class Small(Enum):
    """Why there is no small frame."""

    INCOMPLETE = "more bytes are needed"
    OTHER = "a frame for the library"


def read_small(data: bytes, at: int, max_text_bytes: int) -> tuple[int, bytes, int] | Small:
    """The frame that begins at `at`: its first byte, its payload unmasked, where the next one begins.

    Args:
        data: What was received.
        at: Below `len(data)`.
        max_text_bytes: A longer text frame is the library's to refuse.
    """
    size = len(data) - at
    first = data[at]
    if first not in _KINDS:
        return Small.OTHER
    if size < 2:
        return Small.INCOMPLETE
    length = data[at + 1] - _MASKED
    body = at + 6
    if length < 0:
        return Small.OTHER
    if length > _SHORT:
        if first != TEXT or length != 126:
            return Small.OTHER
        if size < 4:
            return Small.INCOMPLETE
        length = int.from_bytes(data[at + 2 : at + 4])
        body = at + 8
    if first == TEXT and length > max_text_bytes:
        return Small.OTHER
    end = body + length
    if end > len(data):
        return Small.INCOMPLETE
    payload = _unmask(data[body:end], data[body - 4 : body])
    if first == CLOSE and payload and not _is_close(payload):
        return Small.OTHER
    return first, payload, end


def _unmask(masked: bytes, mask: bytes) -> bytes:
    length = len(masked)
    key = (mask * (length // 4 + 1))[:length]
    return (int.from_bytes(masked) ^ int.from_bytes(key)).to_bytes(length)


def _is_close(payload: bytes) -> bool:
    """A code that may stand in a close frame (RFC 6455 7.4 and its registry), and a reason in UTF-8 (5.5.1)."""
    code = int.from_bytes(payload[:2])
    if len(payload) < 2 or not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
        return False
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        return False
    return True


def text_frame(payload: bytes) -> bytes:
    """One whole text frame of a server, unmasked; `payload` is UTF-8."""
    length = len(payload)
    if length <= _SHORT:
        return bytes((TEXT, length)) + payload
    if length < 65_536:
        return b"\x81\x7e" + length.to_bytes(2) + payload
    return b"\x81\x7f" + length.to_bytes(8) + payload


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping: the same payload (RFC 6455 5.5.3), at most 125 bytes."""
    return bytes((PONG, len(payload))) + payload


def close_frame(payload: bytes) -> bytes:
    """The echo of a close frame (RFC 6455 5.5.1): the same payload, at most 125 bytes."""
    return bytes((CLOSE, len(payload))) + payload
