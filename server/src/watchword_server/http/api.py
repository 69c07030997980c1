"""`/v1/api`: what an authenticated client asks over plain HTTP."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watchword_protocol.errors import ErrorCode
from watchword_protocol.timestamps import format_time
from watchword_server.auth.authenticator import Authenticator
from watchword_server.auth.proxies import TrustedProxies
from watchword_server.handshake import credential_of_header
from watchword_server.http.answers import json_response
from watchword_server.refusal import Refused
from watchword_server.user import AuthenticatedUser

__all__ = ["Api"]

_PREFIX: Final = "/v1/api"


class Api:
    """The endpoints, and the authentication that stands before each of them.

    Args:
        authenticator: Credentials to users.
        proxies: Whose word about the client's address counts.
    """

    def __init__(self, authenticator: Authenticator, proxies: TrustedProxies) -> None:
        self._authenticator = authenticator
        self._proxies = proxies

    def routes(self) -> list[Route]:
        """Path, method and function of each endpoint."""
        return [Route(f"{_PREFIX}/auth/me", self._me, methods=["GET"])]

    async def _me(self, request: Request) -> Response:
        return json_response(_context(await self._authenticate(request)))

    async def _authenticate(self, request: Request) -> AuthenticatedUser:
        """Raises: Refused: as for an upgrade; AUTH_REQUIRED where there is no Authorization header."""
        credential = credential_of_header(
            [value.encode("latin-1") for value in request.headers.getlist("authorization")]
        )
        if credential is None:
            raise Refused(ErrorCode.AUTH_REQUIRED)
        forwarded_for = _values(request, "x-forwarded-for")
        is_forwarded = bool(forwarded_for) or "forwarded" in request.headers
        address = request.client.host if request.client else ""
        peer = self._proxies.peer(address, forwarded_for, is_forwarded=is_forwarded)
        user = self._authenticator.try_now(credential, peer)
        return user if user is not None else await self._authenticator.authenticate(credential, peer)


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
