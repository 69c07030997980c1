"""What one connection is to be sent: the frames of one burst leave in one write, and what lies unsent is bounded."""

import asyncio

__all__ = ["Outbox"]

_PROGRESS_BYTES = 65_536


class Outbox:
    """Frames on their way to one transport.

    While the transport is full nothing is written. A peer that takes less than 64 KiB in `stall_timeout_s` is stuck, so
    is one for whom more than `max_unsent_bytes` wait.

    Args:
        transport: Where to.
        max_unsent_bytes: What may wait here while the transport is full.
    """

    __slots__ = ("_chunks", "_max_unsent_bytes", "_transport", "_unsent", "is_overfull", "stalled_at")

    def __init__(self, transport: asyncio.Transport, max_unsent_bytes: int) -> None:
        self._transport = transport
        self._max_unsent_bytes = max_unsent_bytes
        self._chunks: list[bytes] = []
        self._unsent = 0  # in the transport, when the stall was last measured
        self.stalled_at: float | None = None
        """Since when the peer has taken next to nothing, monotonic seconds; None while it reads."""
        self.is_overfull = False
        """More waits than may."""

    def __repr__(self) -> str:
        state = "flowing" if self.stalled_at is None else f"stalled at {self.stalled_at:.3f}"
        return f"<Outbox {state}, {self.unsent_bytes} bytes unsent>"

    @property
    def unsent_bytes(self) -> int:
        """What waits, here and in the transport."""
        return sum(map(len, self._chunks)) + self._transport.get_write_buffer_size()

    def push(self, chunk: bytes) -> None:
        """Add a frame; `flush` at the end of the burst sends it. Never blocks."""
        self._chunks.append(chunk)
        if self.stalled_at is not None and self.unsent_bytes > self._max_unsent_bytes:
            self.is_overfull = True

    def flush(self) -> None:
        """Hand what waits to the transport, in one write, unless it is full."""
        if self._chunks and self.stalled_at is None:
            chunks, self._chunks = self._chunks, []
            self._transport.write(chunks[0] if len(chunks) == 1 else b"".join(chunks))

    def pause(self, now: float) -> None:
        """The transport is full."""
        self.stalled_at = now
        self._unsent = self._transport.get_write_buffer_size()

    def resume(self) -> None:
        """The transport has drained."""
        self.stalled_at = None
        self.flush()

    def is_stuck(self, now: float, timeout_s: float) -> bool:
        """Whether the peer must be given up; `now` is monotonic."""
        if self.stalled_at is None:
            return False
        if self.is_overfull:
            return True
        if now - self.stalled_at < timeout_s:
            return False
        taken = self._unsent - self._transport.get_write_buffer_size()
        self.pause(now)
        return taken < _PROGRESS_BYTES
