"""The library's connection with two guards that it lacks: it ends, whatever the peer does with its end of TCP."""

from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol

if TYPE_CHECKING:
    import asyncio

__all__ = ["GuardedSocket"]


class GuardedSocket(ClientConnection):
    """A connection that is dropped when its peer keeps an ended one open, or takes nothing of what is sent."""

    def __init__(self, protocol: ClientProtocol, **options: Any) -> None:
        super().__init__(protocol, **options)
        self._end: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """After a close frame or a frame that is none, TCP's end is due; the library waits for it without a limit."""
        super().data_received(data)
        if self._end is None and self.protocol.close_expected():
            self._end = self.loop.call_later(self.close_timeout or 0, self.transport.abort)

    def pause_writing(self) -> None:
        """The library's own heartbeat waits behind what is unsent, and so never misses an answer then."""
        super().pause_writing()
        self._watch_stall(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """The peer reads again."""
        super().resume_writing()
        if self._stall is not None:
            self._stall.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is left to guard."""
        for timer in (self._end, self._stall):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def _watch_stall(self, unsent_bytes: int) -> None:
        if self.ping_timeout is not None:
            self._stall = self.loop.call_later(self.ping_timeout, self._judge_stall, unsent_bytes)

    def _judge_stall(self, unsent_bytes: int) -> None:
        """A slow peer takes a part of it, however small; one that is gone takes nothing."""
        now_unsent_bytes = self.transport.get_write_buffer_size()
        if now_unsent_bytes >= unsent_bytes:
            self.transport.abort()
        else:
            self._watch_stall(now_unsent_bytes)
