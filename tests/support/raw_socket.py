"""A client that sends exactly the bytes it is told to: header blocks, frames, halves of either."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["KEY", "HttpAnswer", "RawSocket", "frame", "get", "raw_socket", "text", "upgrade"]

KEY: Final = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 1.3

PATIENCE_S: Final = 10.0
"""A test that waits longer waits for ever."""

FIN: Final = 0x80
OPCODES: Final[Mapping[str, int]] = {"cont": 0, "text": 1, "binary": 2, "close": 8, "ping": 9, "pong": 10}


def frame(
    kind: str | int, payload: bytes = b"", *, fin: bool = True, mask: bytes | None = b"\x01\x02\x03\x04", rsv: int = 0
) -> bytes:
    """One frame of a client (RFC 6455 5.2).

    Args:
        kind: The opcode, by name or number.
        payload: Before masking.
        fin: Whether it ends its message.
        mask: None: not masked, which the server must refuse.
        rsv: The three reserved bits, 0 to 7.
    """
    opcode = OPCODES[kind] if isinstance(kind, str) else kind
    first = (FIN if fin else 0) | rsv << 4 | opcode
    length = len(payload)
    masked = 0x80 if mask is not None else 0
    if length <= 125:
        head = bytes((first, masked | length))
    elif length < 65_536:
        head = bytes((first, masked | 126)) + length.to_bytes(2)
    else:
        head = bytes((first, masked | 127)) + length.to_bytes(8)
    if mask is None:
        return head + payload
    key = (mask * (length // 4 + 1))[:length]
    return head + mask + (int.from_bytes(payload) ^ int.from_bytes(key)).to_bytes(length)


def text(message: Mapping[str, Any] | str) -> bytes:
    """One whole masked text frame, of JSON where it is not text already."""
    return frame("text", (message if isinstance(message, str) else json.dumps(message)).encode())


def get(path: str = "/healthz", *fields: str, method: str = "GET") -> bytes:
    """A header block of plain HTTP, `fields` as `Name: value`."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: test.example", *fields, "", ""]).encode("latin-1")


def upgrade(
    *fields: str, host: str = "test.example", target: str = "/v1/ws", method: str = "GET", drop: str = ""
) -> bytes:
    """A header block that asks for a WebSocket.

    Args:
        fields: Further lines, `Name: value`.
        host: Of the Host line.
        target: Path and query.
        method: Of the request.
        drop: Name of a line to leave out.
    """
    lines = [
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {KEY}",
        "Sec-WebSocket-Version: 13",
    ]
    kept = [line for line in lines if line.partition(":")[0].lower() != drop.lower()]
    return "\r\n".join([f"{method} {target} HTTP/1.1", *kept, *fields, "", ""]).encode("latin-1")


@dataclass(frozen=True)
class HttpAnswer:
    """One answer: status, headers (names in small letters, all values), body."""

    status: int
    headers: Mapping[str, list[str]]
    body: bytes = field(repr=False)

    @property
    def error(self) -> Mapping[str, Any]:
        """The `error` object of the one body that every error has."""
        content = json.loads(self.body)
        assert set(content) == {"status", "results", "error"}
        assert (content["status"], content["results"]) == ("error", [])
        error: Mapping[str, Any] = content["error"]
        assert set(error) == {"code", "message", "close_code", "request_id"}
        return error


class RawSocket:
    """One TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, *chunks: bytes) -> None:
        """Send at once, in one piece."""
        self.writer.write(b"".join(chunks))

    def abort(self) -> None:
        """Leave without a word."""
        self.writer.transport.abort()

    async def read_http(self, *, has_body: bool = True) -> HttpAnswer:
        """The next HTTP answer; a 101 has no body, nor has the answer to HEAD."""
        async with asyncio.timeout(PATIENCE_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            status_line, *lines = head.decode("latin-1").split("\r\n")
            headers: dict[str, list[str]] = {}
            for line in lines[:-2]:
                name, _, value = line.partition(":")
                headers.setdefault(name.lower(), []).append(value.strip())
            length = int(headers.get("content-length", ["0"])[0]) if has_body else 0
            return HttpAnswer(int(status_line.split(" ")[1]), headers, await self.reader.readexactly(length))

    async def read_frame(self) -> tuple[int, bytes]:
        """The first byte and the payload of the next frame, which the server does not mask."""
        async with asyncio.timeout(PATIENCE_S):
            first, length = await self.reader.readexactly(2)
            if length > 125:
                length = int.from_bytes(await self.reader.readexactly({126: 2, 127: 8}[length]))
            return first, await self.reader.readexactly(length)

    async def read_message(self) -> dict[str, Any]:
        """The next frame, which is a whole text frame with a JSON object in it."""
        first, payload = await self.read_frame()
        assert first == 0x81, f"frame {first:#x} {payload!r}"
        message: dict[str, Any] = json.loads(payload)
        return message

    async def read_close(self) -> tuple[int, str]:
        """The next frame, which is a close frame: code and reason."""
        first, payload = await self.read_frame()
        assert first == 0x88, f"frame {first:#x} {payload!r}"
        return int.from_bytes(payload[:2]), payload[2:].decode()

    async def read_refusal(self) -> tuple[dict[str, Any], int]:
        """`auth_error` and the close frame that follows it: the message, the close code."""
        message = await self.read_message()
        assert message["type"] == "auth_error", message
        code, reason = await self.read_close()
        assert reason == message["code"]
        return message, code

    @property
    def unread(self) -> bytes:
        """What has come and has not been read."""
        buffer: bytearray = self.reader._buffer  # type: ignore[attr-defined]  # there is no public way to look
        return bytes(buffer)

    async def read_end(self) -> bytes:
        """What is left until the server ends its side; a reset counts as an end."""
        async with asyncio.timeout(PATIENCE_S):
            with suppress(ConnectionError):
                return await self.reader.read()
        return b""


@asynccontextmanager
async def raw_socket(
    port: int, *sent: bytes, host: str = "127.0.0.1", limit: int = 2**20, local: str | None = None
) -> AsyncGenerator[RawSocket]:
    """A connection to a port, on which `sent` has been sent.

    Args:
        port: Of the server.
        sent: At once, in one piece.
        host: Of the server.
        limit: What is buffered unread, bytes; twice as much stops the reading.
        local: The address to connect from, one of 127.0.0.0/8.
    """
    reader, writer = await asyncio.open_connection(host, port, limit=limit, local_addr=(local, 0) if local else None)
    socket = RawSocket(reader, writer)
    try:
        socket.send(*sent)
        yield socket
    finally:
        socket.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()
