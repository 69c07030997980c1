"""How the HTTP API answers: JSON, never cached, every error in the one body of ours."""

from typing import Any

import msgspec
from starlette.responses import Response

from watchword_protocol.errors import ErrorCode
from watchword_server.http_error import ERROR_HEADERS, Place, error_body, error_headers

__all__ = ["encoded_response", "error_response", "json_response"]


def json_response(content: Any, status: int = 200) -> Response:
    """JSON that no cache keeps (RFC 9111 5.2.2.5)."""
    return encoded_response(msgspec.json.encode(content), status)


def encoded_response(body: bytes, status: int = 200) -> Response:
    """The same, of JSON that is encoded already."""
    return Response(body, status, dict(ERROR_HEADERS))


def error_response(
    status: int,
    code: ErrorCode,
    message: str,
    request_id: str,
    *,
    retry_after_ms: int = 0,
    place: Place | None = None,
) -> Response:
    """A row of the error table, with all that its status wants."""
    response = Response(error_body(code, message, request_id, place), status)
    for name, value in error_headers(status, code, retry_after_ms=retry_after_ms):
        response.headers.append(name, value)
    return response
