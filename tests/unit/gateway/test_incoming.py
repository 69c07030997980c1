"""Events one at a time, whoever reads the frames. Random streams: tests/property/test_frames.py."""

import pytest

from support.raw_socket import frame
from watchword_server.gateway.incoming import Event, Incoming, Kind


def events(incoming: Incoming) -> list[Kind]:
    out = []
    while (event := incoming.next_event()) is not None:
        out.append(event.kind)
    return out


def test_nothing_is_read_before_it_is_asked_for() -> None:
    """So that what stands behind `authenticate` waits for its answer."""
    incoming = Incoming(1_000)
    incoming.feed(frame("text", b"first") + frame("text", b"\xff") + frame("ping"))
    assert incoming.next_event() == Event(Kind.TEXT, b"first")
    broken = incoming.next_event()
    assert broken is not None
    assert (broken.kind, broken.answer[2:4]) == (Kind.BROKEN, (1007).to_bytes(2))
    assert incoming.next_event() is None


def test_the_library_is_handed_one_frame_at_a_time_too() -> None:
    """The ping behind the last fragment is not answered before it is asked for."""
    incoming = Incoming(1_000)
    incoming.feed(frame("text", b"a", fin=False) + frame("cont", b"b") + frame("ping", b"later"))
    assert incoming.next_event() == Event(Kind.FRAGMENT)
    assert incoming.next_event() == Event(Kind.TEXT, b"ab")
    assert incoming.next_event() == Event(Kind.PING, b"later", frame("pong", b"later", mask=None))


def test_a_new_limit_counts_from_the_next_message_on() -> None:
    for opening in (b"", frame("binary", b"x")):  # small frames, and the library
        incoming = Incoming(100)
        incoming.feed(opening + frame("text", b"x" * 100))
        events(incoming)
        incoming.allow(200)
        incoming.feed(frame("text", b"x" * 200))
        assert events(incoming) == [Kind.TEXT]
        incoming.feed(frame("text", b"x" * 201))
        assert events(incoming) == [Kind.TOO_LARGE]


def test_after_our_close_only_the_peers_matters() -> None:
    incoming = Incoming(1_000)
    assert incoming.close(4100, "TOKEN_EXPIRED") == frame("close", (4100).to_bytes(2) + b"TOKEN_EXPIRED", mask=None)
    incoming.feed(frame("text", b"still here") + frame("close", (4100).to_bytes(2)) + frame("ping"))
    last = []
    while (event := incoming.next_event()) is not None:
        last.append(event)
    assert [event.kind for event in last] == [Kind.TEXT, Kind.CLOSE]
    assert last[-1].answer == b""


def test_behind_the_peers_close_nothing_is_read() -> None:
    incoming = Incoming(1_000)
    incoming.feed(frame("close") + frame("ping"))
    assert events(incoming) == [Kind.CLOSE]
    incoming.feed(frame("text", b"\xff"))
    assert events(incoming) == []


@pytest.mark.parametrize("sent", [b"\x82\x7e", b"\x81\x05", b"\x89\x00"])
def test_a_frame_without_a_mask_is_refused_from_its_first_two_bytes(sent: bytes) -> None:
    incoming = Incoming(1_000)
    incoming.feed(sent)
    event = incoming.next_event()
    assert event is not None
    assert (event.kind, event.answer[2:4]) == (Kind.BROKEN, (1002).to_bytes(2))
