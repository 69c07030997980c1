"""The frames that are read and written without the library. Random ones: tests/property/test_frames.py."""

import pytest

from support.raw_socket import frame
from watchword_server.gateway.frames import CLOSE, PING, PONG, TEXT, Small, read_small, text_frame

LIMIT = 70_000


@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 125, 126, 127, 65_535])
def test_a_text_frame_of_every_form_of_length_is_read(length: int) -> None:
    payload = bytes(number % 251 for number in range(length))
    data = b"before" + frame("text", payload) + b"behind"
    assert read_small(data, 6, LIMIT) == (TEXT, payload, len(data) - 6)


@pytest.mark.parametrize(("kind", "first"), [("ping", PING), ("pong", PONG)])
def test_control_frames_are_read(kind: str, first: int) -> None:
    assert read_small(frame(kind, b"x" * 125), 0, LIMIT) == (first, b"x" * 125, 131)


@pytest.mark.parametrize("payload", [b"", b"\x03\xe8", b"\x03\xeagr\xc3\xbc\xc3\x9fe", b"\x13\x87" + b"r" * 123])
def test_a_good_close_is_read(payload: bytes) -> None:
    assert read_small(frame("close", payload), 0, LIMIT) == (CLOSE, payload, 6 + len(payload))


@pytest.mark.parametrize("sent", [frame("text", b"x" * 200), frame("ping", b"abc"), frame("close", b"\x03\xe8")])
def test_a_frame_is_awaited_to_its_last_byte(sent: bytes) -> None:
    for end in range(1, len(sent)):
        assert read_small(sent[:end], 0, LIMIT) is Small.INCOMPLETE


@pytest.mark.parametrize(
    "sent",
    [
        frame("text", b"x" * 65_536),
        frame("text", b"x", fin=False),
        frame("cont", b"x"),
        frame("binary", b"x"),
        frame("text", b"x", rsv=4),
        frame("text", b"x", mask=None),
        frame("ping", b"x" * 126),
        frame("close", b"x"),
        frame("close", (1005).to_bytes(2)),
        frame("close", (1000).to_bytes(2) + b"\xff"),
        frame(3),
    ],
)
def test_everything_else_is_the_librarys(sent: bytes) -> None:
    assert read_small(sent, 0, LIMIT) is Small.OTHER


def test_a_longer_text_than_allowed_is_the_librarys_to_refuse() -> None:
    assert read_small(frame("text", b"x" * 101), 0, 100) is Small.OTHER
    assert read_small(frame("text", b"x" * 100), 0, 100) == (TEXT, b"x" * 100, 106)


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_a_text_frame_of_ours_is_what_a_client_reads(length: int) -> None:
    assert text_frame(b"x" * length) == frame("text", b"x" * length, mask=None)
