"""Both ways of reading frames are held equal to each other and to websockets' own protocol.

Streams of random frames, good and bad, are read three times: by `Incoming`, in random chunks; by the same class with
the library reading all of it; by the library alone, frame by frame.
"""

import logging
from collections.abc import Iterator, Sequence
from random import Random
from typing import Final, NamedTuple

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

from support.planting import planted
from support.raw_socket import frame
from watchword_server.gateway import fallback, frames, incoming
from watchword_server.gateway.incoming import Incoming, Kind

_SILENT: Final = logging.getLogger("tests.frames")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False

# Below 125 the library would refuse a control frame as too large a message; no setting allows that.
_LIMITS: Final = (125, 126, 127, 3_000, 65_535, 65_536, 100_000)
_LENGTHS: Final = (0, 1, 2, 3, 4, 5, 50, 99, 100, 101, 124, 125, 126, 127, 128, 200, 2_999, 3_001)
_LONG: Final = (65_534, 65_535, 65_536, 65_537, 100_001)
_CODES: Final = (
    0,
    999,
    1000,
    1001,
    1003,
    1004,
    1005,
    1006,
    1007,
    1010,
    1011,
    1014,
    1015,
    1016,
    2999,
    3000,
    4999,
    5000,
    65_535,
)
_REASONS: Final = (b"", b"bye", "größer".encode(), b"\xff", b"\xed\xa0\x80", b"r" * 123)
_TEXTS: Final = (
    b"{}",
    "naïve".encode(),
    b"\xc3",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    "\U0001f600".encode(),
    b"\xf4\x90\x80\x80",
    b"\0",
)
_CHUNKS: Final = (1, 1, 2, 3, 5, 7, 14, 20, 100, 1_000, 16_384, 16_384)


class Stream(NamedTuple):
    """What one peer sends: frames, the last of them perhaps cut short, and after which of them we close."""

    limit: int
    frames: list[bytes]
    closes_after: int | None


class Story(NamedTuple):
    """What was read, and what was answered."""

    events: list[tuple[str, bytes]]
    sent: bytes


def _seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311  # repeatable, and keeps no secret


def _length(random: Random) -> int:
    return random.choice(_LONG if random.random() < 0.03 else _LENGTHS)


def _stretched(good: bytes) -> bytes:
    """The same frame with a longer length than it needs, which RFC 6455 5.2 forbids and no implementation refuses."""
    length = good[1] & 0x7F
    if length > 125:
        return good
    return bytes((good[0], good[1] & 0x80 | 126)) + length.to_bytes(2) + good[2:]


def _random_frames(random: Random) -> list[bytes]:
    """One message, whole or in fragments with control frames between, or one frame of another kind."""
    mask = random.randbytes(4) if random.random() < 0.985 else None
    rsv = random.choice((1, 2, 4)) if random.random() < 0.01 else 0
    what = random.random()
    if what < 0.45:
        payload = random.choice(_TEXTS) if random.random() < 0.3 else b"a" * _length(random)
        whole = frame("text", payload, mask=mask, rsv=rsv)
        return [_stretched(whole) if random.random() < 0.1 else whole]
    if what < 0.62:
        kind = random.choice(("ping", "ping", "pong"))
        length = random.choice((0, 1, 4, 125)) if random.random() < 0.97 else 126
        control = frame(kind, random.randbytes(length), mask=mask, rsv=rsv, fin=random.random() < 0.985)
        return [_stretched(control) if random.random() < 0.02 else control]
    if what < 0.70:
        payload = random.choice(_CODES).to_bytes(2) + random.choice(_REASONS)
        return [frame("close", random.choice((b"", payload, payload, payload, payload[:1])), mask=mask)]
    if what < 0.74:
        return [frame("binary", random.randbytes(_length(random)), mask=mask)]
    if what < 0.77:
        return [frame(random.choice((0, 0, 3, 7, 11, 15)), random.randbytes(3), mask=mask)]
    kind, parts = random.choice(("text", "text", "binary")), random.randint(2, 4)
    whole = random.choice(_TEXTS) * random.choice((1, 2, 40)) + b"b" * _length(random)
    cuts = sorted(random.randrange(len(whole) + 1) for _ in range(parts - 1))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    out = []
    for number, piece in enumerate(pieces):
        is_last = number == parts - 1 and random.random() < 0.95
        out.append(frame("cont" if number else kind, piece, fin=is_last, mask=random.randbytes(4)))
        if random.random() < 0.2:
            out.append(frame(random.choice(("ping", "pong")), random.randbytes(2)))
    return out


def random_stream(random: Random) -> Stream:
    """Up to eight messages."""
    sent = [each for _ in range(random.randint(1, 8)) for each in _random_frames(random)]
    closes_after = random.randint(0, len(sent)) if random.random() < 0.1 else None
    if random.random() < 0.1:
        sent[-1] = sent[-1][: random.randrange(len(sent[-1]))]
    return Stream(random.choice(_LIMITS), sent, closes_after)


def _chunks(random: Random, data: bytes) -> Iterator[bytes]:
    while data:
        size = random.choice(_CHUNKS if len(data) < 2_000 else _CHUNKS[-3:])
        yield data[:size]
        data = data[size:]


def read_ours(stream: Stream, random: Random, reader: Incoming) -> Story:
    """The story as `Incoming` tells it; as the gateway does, it answers a message over the limit with 1009."""
    events: list[tuple[str, bytes]] = []
    sent = bytearray()

    def take(data: bytes) -> None:
        for chunk in _chunks(random, data):
            reader.feed(chunk)
            while (event := reader.next_event()) is not None:
                events.append((event.kind.name, event.payload))
                sent.extend(event.answer)
                if event.kind.name == Kind.TOO_LARGE.name:
                    sent.extend(reader.close(1009, "too large"))

    if stream.closes_after is None:
        take(b"".join(stream.frames))
    else:
        take(b"".join(stream.frames[: stream.closes_after]))
        if not events or events[-1][0] not in _LAST:
            sent.extend(reader.close(4100, "enough"))
        take(b"".join(stream.frames[stream.closes_after :]))
    return Story(events, bytes(sent))


_LAST: Final = ("CLOSE", "BROKEN", "TOO_LARGE")
_KINDS: Final = {Opcode.PING: "PING", Opcode.PONG: "PONG", Opcode.CLOSE: "CLOSE"}


class _Judge:
    """The library alone, which leaves UTF-8 and the joining of fragments to whoever uses it."""

    def __init__(self, limit: int) -> None:
        self.library = Protocol(Side.SERVER, state=State.OPEN, max_size=limit, logger=_SILENT)
        self.events: list[tuple[str, bytes]] = []
        self.sent = bytearray()
        self.message: list[Frame] = []
        self.is_over = False

    def read(self, data: bytes) -> None:
        if self.is_over:
            return
        self.library.receive_data(data)
        for event in self.library.events_received():
            assert isinstance(event, Frame)
            self._take(event)
        sent = b"".join(self.library.data_to_send())
        self.is_over = self.library.close_expected() and (self.library.eof_sent or self.is_over)
        if self.library.parser_exc is not None and self.events[-1:] != [("BROKEN", b"")]:
            if self.library.close_sent is not None and self.library.close_sent.code == 1009:
                self.events.append(("TOO_LARGE", b""))
                sent = frame("close", (1009).to_bytes(2) + b"too large", mask=None)
            else:
                self.events.append(("BROKEN", b""))
        self.sent.extend(sent)

    def close(self) -> None:
        if not self.is_over:
            self.library.send_close(4100, "enough")
            self.sent.extend(b"".join(self.library.data_to_send()))

    def _take(self, event: Frame) -> None:
        if event.opcode in _KINDS:
            self.events.append((_KINDS[event.opcode], bytes(event.data)))
            return
        self.message.append(event)
        if not event.fin:
            self.events.append(("FRAGMENT", b""))
            return
        opcode, whole = self.message[0].opcode, b"".join(bytes(each.data) for each in self.message)
        self.message = []
        if opcode is Opcode.BINARY:
            self.events.append(("BINARY", whole))
            return
        try:
            whole.decode()
        except UnicodeDecodeError as error:
            self.library.fail(1007, f"{error.reason} at position {error.start}")
            self.events.append(("BROKEN", b""))
            self.is_over = True
        else:
            self.events.append(("TEXT", whole))


def read_by_library(stream: Stream) -> Story:
    """The story as the library tells it, frame by frame."""
    judge = _Judge(stream.limit)
    for number, each in enumerate(stream.frames):
        if number == stream.closes_after:
            judge.close()
        judge.read(each)
    if stream.closes_after == len(stream.frames):
        judge.close()
    return Story(judge.events, bytes(judge.sent))


def find_difference(random: Random, streams: int) -> tuple[Stream, Sequence[Story]] | None:
    """The first stream of which two stories differ."""
    for _ in range(streams):
        stream = random_stream(random)
        seed = random.getrandbits(32)
        ours = incoming.Incoming(stream.limit)
        forced = incoming.Incoming(stream.limit)
        forced._fallback = fallback.Fallback(stream.limit)
        stories = (
            read_by_library(stream),
            read_ours(stream, _seeded(seed), ours),
            read_ours(stream, _seeded(seed), forced),
        )
        if not stories[0] == stories[1] == stories[2]:
            return stream, stories
    return None


@pytest.mark.parametrize("seed", range(10))
def test_random_streams_are_read_alike_in_all_three_ways(seed: int) -> None:
    assert find_difference(_seeded(seed), 1_000) is None


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1_000, 1_020))
def test_hundreds_of_thousands_of_streams_are_read_alike_in_all_three_ways(seed: int) -> None:
    assert find_difference(_seeded(seed), 15_000) is None


def test_the_streams_hold_every_kind_of_event() -> None:
    random = _seeded(5)
    kinds = {kind for _ in range(300) for kind, _ in read_by_library(random_stream(random)).events}
    assert kinds == {kind.name for kind in Kind}


_PLANTED_IN_FRAMES: Final = (
    ("if length < 0:", "if length < -128:"),
    ("length > _SHORT:\n        if first", "length > 126:\n        if first"),
    ("if first == TEXT and length > max_text_bytes:", "if False:"),
    ("if end > len(data):", "if end > len(data) + 1:"),
    ("if first == CLOSE and payload and", "if False and"),
    ("1007 <= code <= 1014", "1007 <= code <= 1015"),
    ("1000 <= code <= 1003", "1000 <= code <= 1004"),
    ("3000 <= code <= 4999", "3000 <= code <= 5000"),
    ("key = (mask * (length // 4 + 1))[:length]", "key = (mask[::-1] * (length // 4 + 1))[:length]"),
    ("        payload[2:].decode()", "        payload[2:].decode(errors='replace')"),
    ("first != TEXT or length != 126", "length != 126"),
)


@pytest.mark.parametrize(("original", "replacement"), _PLANTED_IN_FRAMES)
def test_an_error_planted_in_the_small_frames_is_found(
    original: str, replacement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = planted(frames, original, replacement)
    for name in ("Small", "read_small", "pong_frame", "close_frame"):
        monkeypatch.setattr(incoming, name, getattr(wrong, name))
    assert _fails(3_000)


_PLANTED_IN_INCOMING: Final = (
    ("if not payload.isascii():", "if False:"),
    ("self._is_closed = True", "pass"),
    ("self._data = self._data[self._at :] + data if self._at < len(self._data) else data", "self._data = data"),
    ("if fallback.is_too_large:", "if False:"),
    ("if received.payload is None:", "if False:"),
    ("if received.opcode is Opcode.TEXT:", "if False:"),
    ("fallback.close(code, reason)", "fallback.fail(code, reason)"),
)


@pytest.mark.parametrize(("original", "replacement"), _PLANTED_IN_INCOMING)
def test_an_error_planted_above_the_frames_is_found(
    original: str, replacement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "Incoming", planted(incoming, original, replacement).Incoming)
    assert _fails(3_000)


_PLANTED_IN_FALLBACK: Final = (
    ("self._left -= len(frame)", "pass"),
    ("{126: 2, 127: 8}", "{126: 2}"),
    ("if not event.fin:", "if False:"),
    ("if event.opcode is not Opcode.CONT:", "if True:"),
    ("self._message = bytes(self._message), bytearray()", "self._message = bytes(self._message), self._message"),
)


@pytest.mark.parametrize(("original", "replacement"), _PLANTED_IN_FALLBACK)
def test_an_error_planted_in_the_librarys_wrapping_is_found(
    original: str, replacement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = planted(fallback, original, replacement)
    for module in (incoming, fallback):
        monkeypatch.setattr(module, "Fallback", wrong.Fallback)
    assert _fails(3_000)


def _fails(streams: int) -> bool:
    """Whether it is found, as a difference or as an exception."""
    try:
        return find_difference(_seeded(3), streams) is not None
    except Exception:  # noqa: BLE001  # whichever the planted error raises
        return True
