"""uvicorn's server, which owns sockets, TLS and plain HTTP, as we need it."""

import asyncio
import socket
import ssl
from collections.abc import Generator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.applications import Starlette

from watchword_server.config import ConfigError, Problem
from watchword_server.gateway.edge import HttpServer
from watchword_server.gateway.gateway import Gateway
from watchword_server.gateway.service import Service

__all__ = ["Listener", "check_tls", "make_listener"]

_GRACE_S = 7
"""How long a stop waits for answers under way; farewells have their own, shorter deadline."""
_BACKLOG = 2048


class Listener(uvicorn.Server):
    """Serves until `stop`.

    uvicorn would take the signals for itself, exit with 143, say only in its log when it is ready, and give a TLS
    handshake a minute.

    Args:
        config: uvicorn's.
        service: What all connections share.
    """

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        # One set of everything that has a transport: uvicorn's for the stop, ours for the sweep.
        self.server_state.connections = service.open
        self.ready = asyncio.Event()
        self._stopping = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn."""
        loop = asyncio.get_running_loop()
        http = HttpServer(self.config, self.server_state, {})
        timeout_s = self._service.rules.header_timeout_s if self.config.ssl else None
        self.servers = [
            await loop.create_server(
                lambda: Gateway(self._service, http),
                sock=bound,
                backlog=self.config.backlog,
                ssl=self.config.ssl,
                ssl_handshake_timeout=timeout_s,
            )
            for bound in sockets or ()
        ]
        self.started = True
        self.ready.set()

    async def main_loop(self) -> None:
        """Called by uvicorn, whose own looks ten times a second whether to stop; the Date header changes once."""
        seconds = 0
        while not await self.on_tick(10 * seconds):
            seconds += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._stopping.wait()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Called by uvicorn; signals are the application's."""
        yield

    def stop(self, *, at_once: bool = False) -> None:
        """Accept nobody any more, tell everyone, finish what runs; `at_once` waits for nobody."""
        self.should_exit = True
        self._stopping.set()
        self.force_exit = self.force_exit or at_once


def make_listener(site: Starlette, service: Service, *, tls_certificate: str = "", tls_key: str = "") -> Listener:
    """A listener whose connections begin at a Gateway. The caller hands it bound sockets.

    Raises:
        ConfigError: Certificate and key cannot be used.
    """
    if tls_certificate:
        check_tls(tls_certificate, tls_key)
    config = uvicorn.Config(
        site,
        http="httptools",
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
    config.load()
    return Listener(config, service)


def check_tls(certificate: str, key: str) -> None:
    """Try the files.

    Raises:
        ConfigError: They are no PEM, do not belong together, or the key wants a passphrase, for which nobody is asked.
    """

    def refuse_to_ask() -> str:
        raise ValueError("the key wants a passphrase: give one without")

    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key, refuse_to_ask)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = getattr(error, "reason", None) or error
        sentence = f"cannot be used ({reason}): a PEM certificate chain and its PEM key are needed"
        raise ConfigError((Problem("server.tls_certificate and server.tls_key", sentence),)) from error
