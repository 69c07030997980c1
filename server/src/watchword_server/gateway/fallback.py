"""The frames that `frames` leaves: fragments, large ones, wrong ones, by websockets' Protocol.

The library is handed one frame at a time, so that nothing behind `authenticate` is parsed before its answer.
"""

import logging
from typing import Final, NamedTuple

from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

__all__ = ["Fallback", "Received"]

_TOO_LARGE: Final = 1009
_DATA: Final = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})

# What a stranger's frames provoke is told once, by the gateway: the library's own logger stays silent.
_silent: Final = logging.getLogger("watchword.frames")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False


class _Frames(Protocol):
    """The library, but a message over the limit is reported instead of answered: the answer is ours."""

    is_too_large = False

    def fail(self, code: int, reason: str = "") -> None:
        if code == _TOO_LARGE and self.state is State.OPEN and not self.is_too_large:
            self.is_too_large = True
        else:
            super().fail(code, reason)


class Received(NamedTuple):
    """One frame: its opcode, or that of its message; `payload` is None for a fragment that completes no message."""

    opcode: Opcode
    payload: bytes | None


class Fallback:
    """One connection's frames, from the first that was not small.

    Args:
        max_message_bytes: The longest message, all its fragments together.
    """

    __slots__ = ("_frames", "_head", "_left", "_message", "_opcode")

    def __init__(self, max_message_bytes: int) -> None:
        self._frames = _Frames(Side.SERVER, state=State.OPEN, max_size=max_message_bytes, logger=_silent)
        self._head = b""  # of a frame whose length is not known yet
        self._left = 0  # bytes of the current frame that have not come yet
        self._opcode = Opcode.TEXT
        self._message = bytearray()  # the fragments so far

    def allow(self, max_message_bytes: int) -> None:
        """Set the limit for the messages to come."""
        self._frames.max_message_size = max_message_bytes

    @property
    def is_too_large(self) -> bool:
        """A message passed its limit."""
        return self._frames.is_too_large

    @property
    def is_over(self) -> bool:
        """Nothing more can be read: after the peer's close frame, and after anything wrong."""
        return self._frames.eof_sent or self._frames.parser_exc is not None

    def feed(self, data: bytes) -> bytes:
        """Read at most one frame, unless it `is_over`; what lies behind it. Then ask `take` and `to_send`."""
        if not self._left:
            data = self._head + data
            size = _frame_size(data)
            if size is None:
                self._head = data
                return b""
            self._head, self._left = b"", size
        frame, rest = data[: self._left], data[self._left :]
        self._left -= len(frame)
        self._frames.receive_data(frame)
        return rest

    def take(self) -> Received | None:
        """The frame just read, once it is whole."""
        for event in self._frames.events_received():
            assert isinstance(event, Frame)  # noqa: S101  # the protocol began after the upgrade
            if event.opcode not in _DATA:
                return Received(event.opcode, bytes(event.data))
            if event.opcode is not Opcode.CONT:
                self._opcode = event.opcode
            self._message += event.data
            if not event.fin:
                return Received(self._opcode, None)
            payload, self._message = bytes(self._message), bytearray()
            return Received(self._opcode, payload)
        return None

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake; behind a message over the limit, where nothing can be read, fail at once."""
        if self._frames.is_too_large:
            self._frames.fail(code, reason)
        else:
            self._frames.send_close(code, reason)

    def fail(self, code: int, reason: str) -> None:
        """Fail the connection (RFC 6455 7.1.7)."""
        self._frames.fail(code, reason)

    def to_send(self) -> bytes:
        """What the library answers, without the mark for the end of our side, which `is_over` tells."""
        return b"".join(self._frames.data_to_send())


def _frame_size(head: bytes) -> int | None:
    """The bytes of the whole frame that begins here (RFC 6455 5.2); None until its length can be read."""
    if len(head) < 2:
        return None
    if not head[1] & 0x80:
        return 2  # not masked: refused for that alone
    length = head[1] & 0x7F
    extended = {126: 2, 127: 8}.get(length, 0)
    if len(head) < 2 + extended:
        return None
    if extended:
        length = int.from_bytes(head[2 : 2 + extended])
    return 6 + extended + length
