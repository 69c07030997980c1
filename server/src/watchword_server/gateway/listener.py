"""uvicorn's server, which owns sockets, TLS and plain HTTP, as we need it."""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette

from watchword_server.gateway.edge import HttpServer
from watchword_server.gateway.gateway import Gateway
from watchword_server.gateway.service import Service

__all__ = ["Listener", "make_listener"]

_GRACE_S = 7
"""How long a stop waits for answers under way; farewells have their own, shorter deadline."""
_BACKLOG = 2048


class Listener(uvicorn.Server):
    """Serves until `stop`.

    uvicorn would take the signals for itself, exit with 143, and say only in its log when it is ready.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn."""
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Called by uvicorn; signals are the application's."""
        yield

    def stop(self, *, at_once: bool = False) -> None:
        """Accept nobody any more, tell everyone, finish what runs; `at_once` waits for nobody."""
        self.should_exit = True
        self.force_exit = self.force_exit or at_once


def make_listener(site: Starlette, service: Service, *, tls_certificate: str = "", tls_key: str = "") -> Listener:
    """A listener whose connections begin at a Gateway. The caller hands it bound sockets."""

    def accept(
        config: uvicorn.Config,
        server_state: uvicorn.server.ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> Gateway:
        return Gateway(service, HttpServer(config, server_state, app_state))

    config = uvicorn.Config(
        site,
        http=accept,  # type: ignore[arg-type]  # documented as a class; what is called is all the same
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # addresses are ours to judge
        server_header=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_GRACE_S,
        ssl_certfile=tls_certificate or None,
        ssl_keyfile=tls_key or None,
    )
    listener = Listener(config)
    # One set of everything that has a transport: uvicorn's for the stop, ours for the sweep.
    listener.server_state.connections = service.open
    return listener
