"""Reads of bounded size, on every loop."""

import asyncio
from typing import Final

__all__ = ["READ_BYTES", "BoundedReader", "end_sending"]

READ_BYTES: Final = 16_384
"""What one callback works on at most: uvloop hands a plain Protocol 256 KB at a time, which is 43,690 empty pings."""

# One for all transports of the process: nobody keeps it beyond the callback.
_buffer: Final = bytearray(READ_BYTES)
_view: Final = memoryview(_buffer)


class BoundedReader(asyncio.BufferedProtocol):
    """A protocol that is handed at most READ_BYTES at once, as bytes, by `receive`."""

    __slots__ = ()

    def get_buffer(self, sizehint: int) -> memoryview:
        # Not the bytearray: asyncio's TLS fills slices of what it is given, and a slice of a bytearray is a copy.
        return _view

    def buffer_updated(self, nbytes: int) -> None:
        self.receive(bytes(_view[:nbytes]))

    def receive(self, data: bytes) -> None:
        """Some bytes came."""
        raise NotImplementedError


def end_sending(transport: asyncio.Transport) -> None:
    """Say that nothing more follows, and go on reading.

    Closing at once, with something unread, would make the kernel reset the connection and could cost the peer our last
    words. Over TLS there is no half-close: then the transport closes.
    """
    if not transport.can_write_eof():
        transport.close()
        return
    try:
        transport.write_eof()
    except OSError:  # the peer was gone before our last words, and asyncio does not say so itself
        transport.abort()
