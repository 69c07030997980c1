"""A WebSocket client that does as it is told, right or wrong: bytes over a socket, frame by frame (RFC 6455 5.2).

The Python client would refuse to send most of what the demo has to send.
"""

import asyncio
import json
import os
from contextlib import suppress
from typing import Any, Final, NamedTuple, Self

from watchword_protocol.limits import PATH

__all__ = ["BINARY", "PING", "TEXT", "Seen", "Wire", "dial", "upgrade_request"]

TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9

_TIMEOUT_S: Final = 10.0
_FAREWELL_S: Final = 2.0
_UPGRADE: Final = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",  # the sample nonce of RFC 6455 1.3
    "Sec-WebSocket-Version: 13",
)


class Seen(NamedTuple):
    """What came back: the HTTP answer, then the messages, then the close frame (None: there was none)."""

    status: int
    challenges: tuple[str, ...] = ()
    body: bytes = b""
    messages: tuple[dict[str, Any], ...] = ()
    close: int | None = None
    reason: str = ""
    head: str = ""


def upgrade_request(*headers: str, method: str = "GET", path: str = PATH, upgrade: tuple[str, ...] = _UPGRADE) -> bytes:
    """A request head that asks for an upgrade; `headers` are whole lines."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: demo.example", *upgrade, *headers, "", ""]).encode()


async def dial(port: int, request: bytes) -> "Wire":
    """Connect, send the request, read the head of the answer.

    Raises:
        OSError: Nobody is there. asyncio.IncompleteReadError: The connection ended before the answer.
        TimeoutError: No answer in time.
    """
    async with asyncio.timeout(_TIMEOUT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
        except BaseException:
            writer.close()
            raise
    return Wire(reader, writer, head)


class Wire:
    """One TCP connection behind its first answer. `async with` ends it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        self._reader = reader
        self._writer = writer
        self._head = head.decode("latin-1")
        status_line, *lines = self._head.split("\r\n")
        fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        self._status = int(status_line.split()[1])
        self._challenges = tuple(value for name, value in fields if name == "www-authenticate")
        self._body_bytes = int(dict(fields).get("content-length", "0"))
        self._messages: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave, and wait until the server has let go: what is done next must not meet this connection."""
        with suppress(OSError, TimeoutError):
            self._writer.write_eof()
            async with asyncio.timeout(_FAREWELL_S):
                while await self._reader.read(65_536):
                    pass
        self._writer.close()

    def send(self, opcode: int, payload: bytes) -> None:
        """One whole masked frame."""
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2) if size < 65_536 else None
        length = length or b"\xff" + size.to_bytes(8)
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[at & 3] for at, byte in enumerate(payload))
        self._writer.write(bytes([0x80 | opcode]) + length + mask + masked)

    def say(self, **members: object) -> None:
        """One JSON message."""
        self.send(TEXT, json.dumps(members).encode())

    async def hear(self) -> dict[str, Any]:
        """The next message.

        Raises:
            EOFError: There is none: the connection ends.
        """
        async with asyncio.timeout(_TIMEOUT_S):
            while True:
                opcode, payload = await self._read_frame()
                if opcode == CLOSE:
                    raise EOFError(f"closed with {int.from_bytes(payload[:2])} {payload[2:].decode()}")
                if opcode == TEXT:
                    self._messages.append(json.loads(payload))
                    return self._messages[-1]

    async def see(self) -> Seen:
        """Everything up to the end; or up to a welcome, or for as long as one may wait, where nothing ends."""
        if self._status != 101:
            async with asyncio.timeout(_TIMEOUT_S):
                body = await self._reader.readexactly(self._body_bytes)
            return Seen(self._status, self._challenges, body, head=self._head)
        close, reason = None, ""
        with suppress(EOFError, OSError, TimeoutError):  # an incomplete read is an EOFError, a reset an OSError
            async with asyncio.timeout(_TIMEOUT_S):
                while close is None:
                    opcode, payload = await self._read_frame()
                    if opcode == CLOSE:
                        self.send(CLOSE, payload)  # RFC 6455 5.5.1
                        close, reason = int.from_bytes(payload[:2]), payload[2:].decode()
                    elif opcode == TEXT:
                        self._messages.append(json.loads(payload))
                        if self._messages[-1].get("type") == "auth_success":
                            break
        return Seen(101, (), b"", tuple(self._messages), close, reason, self._head)

    async def _read_frame(self) -> tuple[int, bytes]:
        first, size = await self._reader.readexactly(2)
        if size == 126:
            size = int.from_bytes(await self._reader.readexactly(2))
        elif size == 127:
            size = int.from_bytes(await self._reader.readexactly(8))
        return first & 0x0F, await self._reader.readexactly(size)
