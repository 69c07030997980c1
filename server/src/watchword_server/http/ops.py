"""What operators ask: is it alive, is it ready?"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watchword_server.http.answers import json_response

__all__ = ["Ops"]


class Ops:
    """Liveness and readiness, for whoever routes traffic here.

    Args:
        find_fault: What keeps the server from serving now, in a few words; None where nothing does. One call at a time,
            for all who ask meanwhile: anybody may ask, and whatever a storage that hangs is asked waits there.
    """

    def __init__(self, find_fault: Callable[[], Coroutine[Any, Any, str | None]]) -> None:
        self._find_fault = find_fault
        self._finding: asyncio.Task[str | None] | None = None

    def routes(self) -> list[Route]:
        """Path, method and function of each endpoint."""
        return [Route("/healthz", self._healthz, methods=["GET"]), Route("/readyz", self._readyz, methods=["GET"])]

    async def _healthz(self, _request: Request) -> Response:
        return json_response({"status": "ok"})

    async def _readyz(self, _request: Request) -> Response:
        if self._finding is None or self._finding.done():
            self._finding = asyncio.create_task(self._find_fault())
        if (fault := await asyncio.shield(self._finding)) is None:
            return json_response({"status": "ready"})
        return json_response({"status": "not ready", "reason": fault}, 503)
