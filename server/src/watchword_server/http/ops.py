"""What operators ask: is it alive, is it ready?"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watchword_server.http.answers import json_response

__all__ = ["Ops"]


class Ops:
    """Liveness and readiness, for whoever routes traffic here.

    Args:
        find_fault: What keeps the server from serving now, in a few words; None where nothing does.
    """

    def __init__(self, find_fault: Callable[[], Awaitable[str | None]]) -> None:
        self._find_fault = find_fault

    def routes(self) -> list[Route]:
        """Path, method and function of each endpoint."""
        return [Route("/healthz", self._healthz, methods=["GET"]), Route("/readyz", self._readyz, methods=["GET"])]

    async def _healthz(self, _request: Request) -> Response:
        return json_response({"status": "ok"})

    async def _readyz(self, _request: Request) -> Response:
        if (fault := await self._find_fault()) is None:
            return json_response({"status": "ready"})
        return json_response({"status": "not ready", "reason": fault}, 503)
