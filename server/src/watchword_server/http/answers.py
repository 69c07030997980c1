"""How the HTTP API answers: JSON, never cached, every error in the one body of ours."""

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from watchword_protocol.errors import ErrorCode
from watchword_server.http_error import ERROR_HEADERS, Place, error_body, error_headers

__all__ = ["TakenResponse", "error_response", "json_response"]


def json_response(content: Any, status: int = 200) -> Response:
    """JSON that no cache keeps (RFC 9111 5.2.2.5)."""
    return Response(msgspec.json.encode(content), status, dict(ERROR_HEADERS))


class TakenResponse(Response):
    """The same, of JSON that is encoded already, and word of it when the client has taken it, or will not any more."""

    def __init__(self, body: bytes, on_taken: Callable[[], None]) -> None:
        super().__init__(body, 200, dict(ERROR_HEADERS))
        self._on_taken = on_taken

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": self.body, "more_body": True})
            # The server takes no second piece before there is room for it.
            await send({"type": "http.response.body"})
        finally:
            self._on_taken()


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
