"""`/v1/api`: what an authenticated client asks over plain HTTP."""

import asyncio
import re
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watchword_protocol.codec import Fault, decode_query
from watchword_protocol.errors import ErrorCode
from watchword_protocol.timestamps import format_time
from watchword_server.auth.authenticator import Authenticator
from watchword_server.auth.logins import Logins
from watchword_server.auth.proxies import TrustedProxies
from watchword_server.handshake import credential_of_header
from watchword_server.http.answers import TakenResponse, json_response
from watchword_server.identifiers import Identifiers
from watchword_server.pace import Pace
from watchword_server.query.preparation import Prepared
from watchword_server.query.queries import Queries
from watchword_server.query.results import encode_body
from watchword_server.query.work import Access
from watchword_server.refusal import Refused, let_go
from watchword_server.steps import Steps
from watchword_server.user import AuthenticatedUser

__all__ = ["Api"]

_PREFIX: Final = "/v1/api"
_JSON: Final = "application/json"
_PARAMETERS: Final = re.compile(r';[ \t]*([^\s;="]+)=("(?:[^"\\]|\\.)*"|[^\s;"]*)').findall  # RFC 9110 5.6.6


class Api:
    """The endpoints, and the authentication that stands before each of them.

    Args:
        authenticator: Credentials to users.
        proxies: Whose word about the client's address counts.
        queries: Runs them.
        pace: What holds the loop rests with it.
        logins: Told who came in, and who did not.
        identifiers: Names for what is refused.
        max_body_bytes: Of one request.
        running: Where tasks are kept that must come to their end, whoever leaves.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        proxies: TrustedProxies,
        queries: Queries,
        pace: Pace,
        logins: Logins,
        identifiers: Identifiers,
        *,
        max_body_bytes: int,
        running: set[asyncio.Task[Any]],
    ) -> None:
        self._authenticator = authenticator
        self._proxies = proxies
        self._queries = queries
        self._pace = pace
        self._logins = logins
        self._identifiers = identifiers
        self._max_body_bytes = max_body_bytes
        self._running = running

    def routes(self) -> list[Route]:
        """Path, method and function of each endpoint."""
        return [
            Route(f"{_PREFIX}/auth/me", self._me, methods=["GET"]),
            Route(f"{_PREFIX}/sql", self._sql, methods=["POST"]),
        ]

    async def _me(self, request: Request) -> Response:
        return json_response(_context(await self._authenticate(request)))

    async def _sql(self, request: Request) -> Response:
        user = await self._authenticate(request)
        body = await self._read_json(request)
        try:
            prepared = await self._pace.through(user.id, self._prepare(body, user))
            return await self._run(request, prepared)
        except Refused as refused:
            let_go(refused)
            raise

    def _prepare(self, body: bytes, user: AuthenticatedUser) -> Steps[Prepared]:
        """Raises: Refused: MALFORMED_MESSAGE; as `Queries.prepare`."""
        query = decode_query(body)
        if isinstance(query, Fault):
            raise Refused(query.code, query.message)
        yield
        return (yield from self._queries.prepare(query, user))

    async def _run(self, request: Request, prepared: Prepared) -> Response:
        """The answer; a client that leaves stops what only reads."""
        running = asyncio.create_task(self._queries.run(prepared))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        leaving = asyncio.ensure_future(request.receive())  # the body is read: nothing but its end can come
        try:
            await asyncio.wait({running, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
        if not running.done() and prepared.access is Access.READ:
            running.cancel()
        await asyncio.wait({running})
        if running.cancelled():
            return Response()
        results = running.result()
        return TakenResponse(encode_body(results), results.place.leave)

    async def _read_json(self, request: Request) -> bytes:
        """Raises: Refused: UNSUPPORTED_DATA, MESSAGE_TOO_LARGE."""
        if not _is_json(request.headers.get("content-type", _JSON)):
            raise Refused(ErrorCode.UNSUPPORTED_DATA, f"The body is JSON in UTF-8: send it with Content-Type: {_JSON}")
        return await self._read_body(request)

    async def _read_body(self, request: Request) -> bytes:
        chunks, limit = list[bytes](), self._max_body_bytes
        left = limit
        async for chunk in request.stream():
            left -= len(chunk)
            if left < 0:
                raise Refused(ErrorCode.MESSAGE_TOO_LARGE, f"A body has at most {limit} bytes (max_message_bytes)")
            chunks.append(chunk)
        return b"".join(chunks)

    async def _authenticate(self, request: Request) -> AuthenticatedUser:
        """Raises: Refused: as for an upgrade; AUTH_REQUIRED where there is no Authorization header."""
        forwarded_for = _values(request, "x-forwarded-for")
        is_forwarded = bool(forwarded_for) or "forwarded" in request.headers
        address = request.client.host if request.client else ""
        peer = self._proxies.peer(address, forwarded_for, is_forwarded=is_forwarded)
        credential = None
        try:
            credential = credential_of_header(_values(request, "authorization"))
            if credential is None:
                raise Refused(ErrorCode.AUTH_REQUIRED)
            user = self._authenticator.try_now(credential, peer)
            if user is None:
                user = await self._authenticator.authenticate(credential, peer)
        except Refused as refused:
            refused.request_id = refused.request_id or self._identifiers.next_request()
            self._logins.failed(refused.code, credential, peer.address, refused.request_id, "HTTP")
            raise
        self._logins.succeeded(user, None, "HTTP")
        return user


def _is_json(content_type: str) -> bool:
    """In UTF-8, as all JSON between systems is (RFC 8259 8.1); parameters that do not deny it mean nothing here."""
    media_type, _, _ = content_type.partition(";")
    charsets = {value.strip('"').lower() for name, value in _PARAMETERS(content_type) if name.lower() == "charset"}
    return media_type.strip().lower() == _JSON and charsets <= {"utf-8"}


def _values(request: Request, name: str) -> list[bytes]:
    return [value.encode("latin-1") for value in request.headers.getlist(name)]


def _context(user: AuthenticatedUser) -> dict[str, object]:
    return {
        "user": {"id": user.id, "name": user.name, "role": user.role, "email": user.email},
        "auth_method": user.auth_method,
        "issuer": user.issuer,
        "token_id": user.token_id,
        "claims": user.claims,
        "expires_at": None if user.expires_at is None else format_time(user.expires_at),
    }
