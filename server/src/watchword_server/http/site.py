"""The HTTP application: routes, CORS, and one body for every error."""

from collections.abc import Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from watchword_protocol.errors import ErrorCode
from watchword_protocol.limits import PATH
from watchword_server.handshake import OriginRules
from watchword_server.http.answers import error_response
from watchword_server.http.cors import Cors
from watchword_server.http_error import Place
from watchword_server.identifiers import Identifiers
from watchword_server.journal import Journal
from watchword_server.refusal import Refused

__all__ = ["make_site"]

# Statuses that the framework gives by itself, and their rows.
_CODES: Final = {404: ErrorCode.NOT_FOUND, 413: ErrorCode.MESSAGE_TOO_LARGE, 503: ErrorCode.OVERLOADED}


def make_site(
    routes: Sequence[Route], *, origins: OriginRules, identifiers: Identifiers, journal: Journal
) -> Starlette:
    """The ASGI application.

    Args:
        routes: The endpoints.
        origins: Whose pages may read the answers of `/v1/api` (Fetch standard, CORS); the same list as for upgrades.
        identifiers: Names for what is refused.
        journal: Told of each refusal.
    """

    def address(request: Request) -> str:
        return request.client.host if request.client else ""

    # Coroutines, though they wait for nothing: a function would be run in a thread.
    async def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)  # noqa: S101  # registered for it
        request_id = error.request_id or identifiers.next_request()
        journal.refused(error.code, request_id, address(request))
        place = Place(error.line, error.column, error.statement)
        return error_response(
            error.code.http, error.code, error.message, request_id, retry_after_ms=error.retry_after_ms, place=place
        )

    async def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  # registered for it
        code, request_id = _CODES.get(error.status_code, ErrorCode.MALFORMED_MESSAGE), identifiers.next_request()
        journal.refused(code, request_id, address(request))
        response = error_response(error.status_code, code, error.detail, request_id)
        response.headers.update(error.headers or {})
        return response

    async def leave(_request: Request, _error: Exception) -> Response:
        return Response()  # to nobody: the client left inside its body

    async def fail(_request: Request, error: Exception) -> Response:
        code, request_id = ErrorCode.INTERNAL_ERROR, identifiers.next_request()
        journal.failed(request_id, error)
        return error_response(code.http, code, code.message, request_id)

    def refuse_page(sentence: str) -> Response:
        code = ErrorCode.ORIGIN_NOT_ALLOWED
        return error_response(code.http, code, sentence, identifiers.next_request())

    site = Starlette(
        routes=[Route(PATH, _upgrade_required, methods=["GET"]), *routes],
        middleware=[
            Middleware(Cors, origins=origins, refuse=refuse_page),
        ],
        exception_handlers={Refused: refuse, HTTPException: answer, ClientDisconnect: leave, Exception: fail},
    )
    site.router.redirect_slashes = False  # to an address made of the client's own Host header
    return site


async def _upgrade_required(_request: Request) -> Response:
    raise HTTPException(426, "This path is for WebSocket connections")
