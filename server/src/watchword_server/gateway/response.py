"""The HTTP answers that the gateway gives itself, before any HTTP server is involved. Pure."""

from watchword_protocol.limits import SUBPROTOCOL
from watchword_server.gateway.upgrade import HttpRefused
from watchword_server.http_error import ERROR_HEADERS, challenges, error_body, reason_phrase

__all__ = ["refusal", "switching_protocols"]

_SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
_SELECTED = b"\r\nSec-WebSocket-Protocol: " + SUBPROTOCOL.encode()

# RFC 9110 15.5.22, RFC 6455 4.4; RFC 9110 15.5.6.
_HEADERS_BY_STATUS = {
    405: "allow: GET\r\n",
    426: "upgrade: websocket\r\nsec-websocket-version: 13\r\n",
    429: "retry-after: 30\r\n",
    503: "retry-after: 5\r\n",
}


def switching_protocols(accept: bytes, *, selects_v1: bool) -> bytes:
    """The answer to a good upgrade (RFC 6455 4.2.2)."""
    return b"%b%b%b\r\n\r\n" % (_SWITCHING, accept, _SELECTED if selects_v1 else b"")


def refusal(refused: HttpRefused, request_id: str, *, has_credential: bool = False, retry_after_ms: int = 0) -> bytes:
    """The whole answer to a request that is refused; the connection ends behind it.

    Args:
        refused: Status, row and sentence.
        request_id: Finds it in the log.
        has_credential: It is the credential that was refused: `WWW-Authenticate` says what is wanted.
        retry_after_ms: When it makes sense to try again, where that is known better than by the status.
    """
    body = error_body(refused.code, refused.message, request_id)
    lines = [f"HTTP/1.1 {refused.status} {reason_phrase(refused.status)}\r\n", "connection: close\r\n"]
    lines += [f"{name}: {value}\r\n" for name, value in ERROR_HEADERS.items()]
    lines += [f"www-authenticate: {value}\r\n" for value in (challenges(refused.code) if has_credential else ())]
    known = f"retry-after: {-(-retry_after_ms // 1000)}\r\n"  # RFC 9110 10.2.3: whole seconds
    lines += [
        known if retry_after_ms else _HEADERS_BY_STATUS.get(refused.status, ""),
        f"content-length: {len(body)}\r\n\r\n",
    ]
    return "".join(lines).encode() + body
