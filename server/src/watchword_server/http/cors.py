"""Which pages of other origins may read our answers (Fetch standard, 3.2)."""

import re
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from watchword_server.handshake import OriginRules

__all__ = ["Cors"]


class Cors(CORSMiddleware):
    """The framework's, by the same origins as upgrades, and with our body where it refuses.

    Args:
        app: What stands behind it.
        origins: Whose pages. The server's own origin needs no permission to read.
        refuse: Makes the answer to a preflight that asks for too much, from a sentence that says for what.
    """

    def __init__(self, app: ASGIApp, *, origins: OriginRules, refuse: Callable[[str], Response]) -> None:
        any_port = "|".join(re.escape(origin) + "(:[0-9]+)?" for origin in sorted(origins.any_port))
        super().__init__(
            app,
            allow_origins=sorted(origins.exact),
            allow_origin_regex=any_port or None,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
        )
        self._refuse = refuse

    def preflight_response(self, request_headers: Headers) -> Response:
        """Called by the framework."""
        response = super().preflight_response(request_headers)
        return response if response.status_code == 200 else self._refuse(bytes(response.body).decode())
