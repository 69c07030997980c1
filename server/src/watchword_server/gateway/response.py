"""The HTTP answers that the gateway gives itself, before any HTTP server is involved. Pure."""

from watchword_protocol.limits import SUBPROTOCOL
from watchword_server.gateway.upgrade import HttpRefused
from watchword_server.http_error import error_body, error_headers, reason_phrase

__all__ = ["refusal", "switching_protocols"]

_SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
_SELECTED = b"\r\nSec-WebSocket-Protocol: " + SUBPROTOCOL.encode()


def switching_protocols(accept: bytes, *, selects_v1: bool) -> bytes:
    """The answer to a good upgrade (RFC 6455 4.2.2)."""
    return b"%b%b%b\r\n\r\n" % (_SWITCHING, accept, _SELECTED if selects_v1 else b"")


def refusal(refused: HttpRefused, request_id: str, *, retry_after_ms: int = 0) -> bytes:
    """The whole answer to a request that is refused; the connection ends behind it.

    Args:
        refused: Status, row and sentence.
        request_id: Finds it in the log.
        retry_after_ms: When it makes sense to try again; 0 if nothing is known.
    """
    body = error_body(refused.code, refused.message, request_id)
    headers = [
        *error_headers(refused.status, refused.code, retry_after_ms=retry_after_ms),
        ("connection", "close"),
        ("content-length", str(len(body))),
    ]
    lines = [f"HTTP/1.1 {refused.status} {reason_phrase(refused.status)}", *map(": ".join, headers), "", ""]
    return "\r\n".join(lines).encode() + body
