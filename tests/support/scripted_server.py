"""A small server that plays lives: what each connection gets to see, one after the other. It checks no credential.

A life is an async function of one connection, or an `HttpRefusal` in place of the upgrade.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from watchword_protocol.errors import Advice, ErrorCode

__all__ = [
    "HttpRefusal",
    "Life",
    "Peer",
    "ScriptedServer",
    "auth_error",
    "auth_success",
    "play",
    "refuse",
    "refuse_by_http",
    "welcome",
]

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
Message = dict[str, Any]


class Peer:
    """The server's end of one connection, and what the client sent to it."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.heard: list[Message] = []

    async def say(self, *messages: Message | str | bytes) -> None:
        for message in messages:
            await self.socket.send(json.dumps(message) if isinstance(message, dict) else message)

    async def hear(self) -> Message:
        message: Message = json.loads(await self.socket.recv())
        self.heard.append(message)
        return message

    async def close(self, code: int, reason: str = "") -> None:
        await self.socket.close(code, reason)

    def cut(self) -> None:
        """End the link without a close frame."""
        self.socket.transport.abort()

    async def answer_pings(self) -> None:
        """Live on, answering `ping`, until the client leaves."""
        while True:
            message = await self.hear()
            if message["type"] == "ping":
                await self.say({"type": "pong", "id": message["id"]})

    async def wait_gone(self) -> None:
        await self.socket.wait_closed()


@dataclass(frozen=True)
class HttpRefusal:
    """An upgrade that is refused."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


Life = Callable[[Peer], Awaitable[None]] | HttpRefusal


class ScriptedServer:
    """Plays its lives in turn; the last one is played again for whoever comes later."""

    def __init__(self, *lives: Life) -> None:
        self.lives = list(lives)
        self.requests: list[Request] = []
        self.peers: list[Peer] = []
        self.port = 0
        self._life_of: dict[ServerConnection, Life] = {}

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/ws"

    @property
    def authorizations(self) -> list[str | None]:
        """The header of each request so far."""
        return [request.headers.get("Authorization") for request in self.requests]

    def process_request(self, socket: ServerConnection, request: Request) -> Response | None:
        life = self.lives[min(len(self.requests), len(self.lives) - 1)]
        self.requests.append(request)
        self._life_of[socket] = life
        if not isinstance(life, HttpRefusal):
            return None
        headers = Headers({"Content-Length": str(len(life.body)), "Content-Type": "application/json", **life.headers})
        return Response(life.status, HTTPStatus(life.status).phrase, headers, life.body)

    async def handle(self, socket: ServerConnection) -> None:
        life = self._life_of[socket]
        peer = Peer(socket)
        self.peers.append(peer)
        assert not isinstance(life, HttpRefusal)
        with suppress(ConnectionClosed):
            await life(peer)


@asynccontextmanager
async def play(*lives: Life) -> AsyncGenerator[ScriptedServer]:
    """A server on a port of the system's choice that plays these lives."""
    script = ScriptedServer(*lives)
    server: Server
    async with serve(
        script.handle,
        "127.0.0.1",
        0,
        process_request=script.process_request,
        select_subprotocol=lambda _, offered: Subprotocol("watchword.v1") if "watchword.v1" in offered else None,
        compression=None,
        close_timeout=0.2,
    ) as server:
        script.port = next(iter(server.sockets)).getsockname()[1]
        try:
            yield script
        finally:
            for peer in script.peers:
                peer.cut()
            await asyncio.sleep(0)


def auth_success(user: str = "ada", *, lifetime_s: float | None = 900.0, **changes: Any) -> Message:
    """The first message; the token has `lifetime_s` left, None is a token-less login."""
    return {
        "type": "auth_success",
        "user": user,
        "user_id": f"u_{user}",
        "role": "user",
        "connection_id": "c_1",
        "expires_at": None if lifetime_s is None else (NOON + timedelta(seconds=lifetime_s)).isoformat(),
        "server_time": NOON.isoformat(),
        "protocol": {"version": 1, "serialization": "json", "compression": "none"},
        "limits": {"max_message_bytes": 4096, "heartbeat_s": 25},
        **changes,
    }


def auth_error(code: str, *, retry_after_ms: int = 0, **changes: Any) -> Message:
    """A refusal by this code, known or not."""
    row = ErrorCode.__members__.get(code)
    advice = row.advice if row else None
    return {
        "type": "auth_error",
        "code": code,
        "message": row.message if row else "A reason from the future",
        "advice": (advice or Advice.RECONNECT).value,
        "request_id": "r_7",
        "server_time": NOON.isoformat(),
        "retry_after_ms": retry_after_ms,
        **changes,
    }


def welcome(*messages: Message | str | bytes, lifetime_s: float | None = 900.0, user: str = "ada") -> Life:
    """A life that lets the client in, says these messages and answers pings from then on."""

    async def live(peer: Peer) -> None:
        await peer.say(auth_success(user, lifetime_s=lifetime_s), *messages)
        await peer.answer_pings()

    return live


def refuse(code: str, close_code: int | None = None, *, retry_after_ms: int = 0, hear_first: bool = False) -> Life:
    """A life that ends at the door: `auth_error`, then the close frame."""

    async def live(peer: Peer) -> None:
        if hear_first:
            await peer.hear()
        await peer.say(auth_error(code, retry_after_ms=retry_after_ms))
        close = close_code or ErrorCode[code].close
        assert close is not None
        await peer.close(close, code)

    return live


def refuse_by_http(code: ErrorCode, **headers: str) -> HttpRefusal:
    """The same refusal, by the status of the row."""
    error = {"code": code.name, "message": code.message, "close_code": code.close, "request_id": "r_7"}
    body = json.dumps({"status": "error", "results": [], "error": error}).encode()
    return HttpRefusal(code.http, body, {name.replace("_", "-"): value for name, value in headers.items()})
