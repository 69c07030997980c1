"""The smallest client there is: a socket and the bytes that go over it."""

import socket
from typing import Final

__all__ = ["CLOSE_FRAME", "PING_MESSAGE", "come_in", "read_until", "upgrade_request"]

# Masked with zeros, which leave the payload as it is (RFC 6455 5.3).
CLOSE_FRAME: Final = b"\x88\x82\0\0\0\0\x03\xe8"
"""Code 1000."""
PING_MESSAGE: Final = b"\x81\x8f\0\0\0\0" + b'{"type":"ping"}'

_TIMEOUT_S: Final = 10.0


def upgrade_request(authorization: bytes) -> bytes:
    """An upgrade request with this header line."""
    return (
        b"GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" + authorization + b"\r\n\r\n"
    )


def come_in(port: int, request: bytes) -> socket.socket:
    """An authenticated connection; the caller closes it."""
    client = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.sendall(request)
    read_until(client, b"auth_success")
    return client


def read_until(client: socket.socket, mark: bytes) -> bytes:
    """Read until the server has said this; all that was read."""
    data = b""
    while mark not in data:
        if not (part := client.recv(65_536)):
            raise SystemExit(f"the server closed before it said {mark!r}")
        data += part
    return data
