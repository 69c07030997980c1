"""The codec against decode.json: a frame in, a message or a fault out. A client in another language runs the same file.

A frame is text, `base64` of bytes, or `start`, `repeat` so many `times`, `end`. `names` must stand in a fault's text.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from watchword_protocol.codec import Fault, decode_client, decode_server, encode

CASES = json.loads(Path(__file__).with_name("decode.json").read_text(encoding="utf-8"))
DECODE = {"client": decode_client, "server": decode_server}
LONGEST_FAULT_CHARACTERS = 300


def frame_bytes(frame: Any) -> bytes:
    """The bytes that a vector describes."""
    match frame:
        case str():
            return frame.encode()
        case {"base64": text}:
            return base64.b64decode(text)
        case {"start": start, "repeat": repeat, "times": times, "end": end}:
            return f"{start}{repeat * times}{end}".encode()
        case _:
            raise AssertionError(f"a frame of no known form: {frame}")


def test_vectors_have_names_of_their_own() -> None:
    assert len({(case["side"], case["name"]) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['side']}: {case['name']}")
def test_frame_becomes_the_message_or_the_fault_of_its_vector(case: dict[str, Any]) -> None:
    found = DECODE[case["side"]](frame_bytes(case["frame"]))
    if "message" in case:
        assert not isinstance(found, Fault), found
        assert json.loads(encode(found)) == case["message"]
    else:
        assert isinstance(found, Fault)
        expected = case["fault"]
        assert (found.code.name, found.type, found.id) == (expected["code"], expected["type"], expected["id"])
        assert expected.get("names", "") in found.message
        assert len(found.message) <= LONGEST_FAULT_CHARACTERS
