"""JSON that means one thing: no duplicate members, no constants, no depth, UTF-8, base64url with one spelling.

What two parsers read differently is how a token says one thing to the issuer and another to us.
"""

import binascii
import json
from typing import Any

import msgspec

__all__ = ["decode_base64url", "decode_object"]

MAX_DEPTH = 32

_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_TO_URL = bytes.maketrans(b"+/", b"-_")
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def decode_base64url(segment: bytes) -> bytes:
    """The bytes of an unpadded base64url segment (RFC 7515 2).

    Raises:
        ValueError: Padding, other characters, or loose bits at the end, which would give one token several spellings.
    """
    data = binascii.a2b_base64(segment.translate(_TO_STANDARD) + b"=" * (-len(segment) % 4), strict_mode=True)
    if binascii.b2a_base64(data, newline=False).rstrip(b"=").translate(_TO_URL) != segment:
        raise ValueError("not canonical base64url")
    return data


def decode_object(data: bytes) -> dict[str, Any]:
    """One JSON object.

    Raises:
        ValueError: Not an object, or one that parsers may read differently.
        RecursionError, UnicodeDecodeError: Too deep for the interpreter; not UTF-8.
    """
    value = _decode(data)
    # What encodes to the same bytes has no duplicate members, since the encoder writes none; else read with care.
    if _encode(value) != data:
        value = _decode_carefully(data.decode())
    if type(value) is not dict:
        raise ValueError("not a JSON object")
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise ValueError("nested too deeply")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(members := dict(pairs)) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_decode_carefully = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant).decode


def _depth(value: Any) -> int:
    """How many objects and lists stand in each other, counted layer by layer."""
    depth, layer = 0, [value]
    while layer := [item for item in layer if isinstance(item, dict | list)]:
        layer = [child for item in layer for child in (item.values() if isinstance(item, dict) else item)]
        depth += 1
    return depth
