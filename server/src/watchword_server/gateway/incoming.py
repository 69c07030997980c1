"""What the peer sends, frame by frame (RFC 6455 5): bytes in, one event at a time out. Pure.

Small frames are read by `frames`; from the first that is not small on, `fallback` reads all. Nobody above sees which.
An event is read only when it is asked for, so that nothing behind `authenticate` is looked at before its answer.
"""

from enum import Enum, unique
from typing import Final, NamedTuple

from websockets.frames import Opcode

from watchword_server.gateway.fallback import Fallback
from watchword_server.gateway.frames import CLOSE, PING, PONG, TEXT, Small, close_frame, pong_frame, read_small

__all__ = ["Event", "Incoming", "Kind"]


@unique
class Kind(Enum):
    """What a frame is."""

    TEXT = "a whole text message, in UTF-8"
    BINARY = "a whole binary message"
    FRAGMENT = "a part of a message that is not whole yet"
    PING = "a ping; the answer is its pong"
    PONG = "a pong"
    CLOSE = "the peer's close frame; the answer is its echo"
    TOO_LARGE = "a message over the limit: nothing more can be read"
    BROKEN = "framing or encoding is wrong; the answer is a close frame, and nothing more can be read"


class Event(NamedTuple):
    """One frame: the message it completes, and what the RFC wants to be answered."""

    kind: Kind
    payload: bytes = b""
    answer: bytes = b""


_SMALL_KINDS: Final = {TEXT: Kind.TEXT, PING: Kind.PING, PONG: Kind.PONG, CLOSE: Kind.CLOSE}
_KINDS: Final = {Opcode.PING: Kind.PING, Opcode.PONG: Kind.PONG, Opcode.CLOSE: Kind.CLOSE, Opcode.BINARY: Kind.BINARY}
_INVALID_DATA: Final = 1007


class Incoming:
    """One connection's side of the peer.

    Args:
        max_message_bytes: The longest message, all its fragments together.
    """

    __slots__ = ("_at", "_data", "_fallback", "_is_closed", "_max_message_bytes")

    def __init__(self, max_message_bytes: int) -> None:
        self._max_message_bytes = max_message_bytes
        self._data = b""
        self._at = 0
        self._fallback: Fallback | None = None
        self._is_closed = False  # by the peer, in a small frame

    def allow(self, max_message_bytes: int) -> None:
        """Set the limit for the messages to come."""
        self._max_message_bytes = max_message_bytes
        if self._fallback is not None:
            self._fallback.allow(max_message_bytes)

    def feed(self, data: bytes) -> None:
        """More bytes of the peer."""
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0

    @property
    def waiting_bytes(self) -> int:
        """What was fed and has not been looked at."""
        return len(self._data) - self._at

    def discard(self) -> None:
        """Nothing that the peer says matters any more."""
        self._data, self._at = b"", 0

    def next_event(self) -> Event | None:
        """The next whole frame, or None until more bytes come."""
        if self._fallback is None:
            if self._is_closed:
                self.discard()
            if self._at >= len(self._data):
                self.discard()  # an idle connection keeps no message
                return None
            found = read_small(self._data, self._at, self._max_message_bytes)
            if found is Small.INCOMPLETE:
                return None
            if found is not Small.OTHER:
                first, payload, self._at = found
                return self._small_event(first, payload)
            self._fallback = Fallback(self._max_message_bytes)
        while self._at < len(self._data) and not self._fallback.is_over:
            self._data, self._at = self._fallback.feed(self._data[self._at :]), 0
            if (event := self._library_event(self._fallback)) is not None:
                return event
        if self._fallback.is_over:
            self.discard()
        return None

    def close(self, code: int, reason: str) -> bytes:
        """Our close frame, to be sent; from now on only the peer's matters.

        Behind a message over the limit nothing of the peer can be read any more, not even that.
        """
        fallback = self._fallback = self._fallback or Fallback(self._max_message_bytes)
        fallback.close(code, reason)
        return fallback.to_send()

    def _small_event(self, first: int, payload: bytes) -> Event:
        kind = _SMALL_KINDS[first]
        match kind:
            case Kind.TEXT:
                return self._text_event(payload)
            case Kind.PING:
                return Event(kind, payload, pong_frame(payload))
            case Kind.CLOSE:
                self._is_closed = True  # what follows is discarded (RFC 6455 1.4)
                return Event(kind, payload, close_frame(payload))
        return Event(kind, payload)

    def _library_event(self, fallback: Fallback) -> Event | None:
        if fallback.is_too_large:
            return Event(Kind.TOO_LARGE)
        received = fallback.take()
        answer = fallback.to_send()
        if received is None:
            return Event(Kind.BROKEN, answer=answer) if fallback.is_over else None
        if received.payload is None:
            return Event(Kind.FRAGMENT)
        if received.opcode is Opcode.TEXT:
            return self._text_event(received.payload)
        return Event(_KINDS[received.opcode], received.payload, answer)

    def _text_event(self, payload: bytes) -> Event:
        if not payload.isascii():
            try:
                payload.decode()
            except UnicodeDecodeError as error:
                fallback = self._fallback = self._fallback or Fallback(self._max_message_bytes)
                fallback.fail(_INVALID_DATA, f"{error.reason} at position {error.start}")  # RFC 6455 8.1
                return Event(Kind.BROKEN, answer=fallback.to_send())
        return Event(Kind.TEXT, payload)
