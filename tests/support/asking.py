"""A client that asks SQL over a raw socket, or over plain HTTP."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest

from support.presenting import sign_in
from support.raw_socket import HttpAnswer, RawSocket, raw_socket, text
from support.server import token
from watchword_server.app import RunningServer

__all__ = ["Asking", "Held", "ask_over_http", "asking", "post", "sql_request", "store_of"]


class Asking:
    """One authenticated connection."""

    def __init__(self, socket: RawSocket) -> None:
        self.socket = socket
        self._ids = count(1)

    def send(self, sql: str | None = None, *params: Any, **members: Any) -> int:
        """Send a query, and wait for nothing; its id."""
        message_id = next(self._ids)
        self.socket.send(text(sql_request(sql, *params, type="query", id=message_id, **members)))
        return message_id

    async def ask(self, sql: str | None = None, *params: Any, **members: Any) -> dict[str, Any]:
        """The answer to a query."""
        message_id = self.send(sql, *params, **members)
        answer = await self.socket.read_message()
        assert answer["id"] == message_id, answer
        return answer

    async def rows(self, sql: str | None = None, *params: Any, **members: Any) -> list[list[Any]]:
        """The rows of a query that succeeds, of its last statement."""
        answer = await self.ask(sql, *params, **members)
        assert answer["type"] == "result", answer
        rows: list[list[Any]] = answer["results"][-1]["rows"]
        return rows

    async def refusal(self, sql: str | None = None, *params: Any, **members: Any) -> tuple[str, str]:
        """Code and sentence of the error."""
        answer = await self.ask(sql, *params, **members)
        assert answer["type"] == "error", answer
        return answer["code"], answer["message"]


def sql_request(sql: str | None = None, *params: Any, **members: Any) -> dict[str, Any]:
    """The members of a query."""
    given = {"sql": sql, "params": list(params) or None} | members
    return {name: value for name, value in given.items() if value is not None}


@asynccontextmanager
async def asking(server: RunningServer, name: str = "ada", *, v1: bool = False) -> AsyncGenerator[Asking]:
    """A connection of this user, past its handshake."""
    async with raw_socket(server.port, sign_in(token(server, name), v1=v1)) as socket:
        await socket.read_http()
        assert (await socket.read_message())["type"] == "auth_success"
        yield Asking(socket)


def post(body: bytes, *fields: str, path: str = "/v1/api/sql") -> bytes:
    """A POST of JSON; `fields`: further header lines, of which Content-Type takes the place of ours."""
    lines = [f"POST {path} HTTP/1.1", "Host: test.example", f"Content-Length: {len(body)}", *fields]
    if not any(field.lower().startswith("content-type") for field in fields):
        lines.append("Content-Type: application/json")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


async def ask_over_http(
    server: RunningServer, request: Mapping[str, Any], name: str = "ada"
) -> tuple[HttpAnswer, dict[str, Any]]:
    """The answer to one POST of this user, and its body."""
    sent = post(json.dumps(request).encode(), f"Authorization: Bearer {token(server, name)}")
    async with raw_socket(server.port, sent) as socket:
        answer = await socket.read_http()
    body: dict[str, Any] = json.loads(answer.body)
    return answer, body


def store_of(server: RunningServer) -> Any:
    """The server's store, for a test that holds it up."""
    return server.service.handlers._queries._store


class Held:
    """A method of the store that waits until it is let go.

    `entered`: the calls so far. `cancelled`: how many were given up while they waited.
    """

    def __init__(self, server: RunningServer, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
        store = store_of(server)
        self._call = getattr(store, method)
        self._let_go = asyncio.Event()
        self.entered: list[Any] = []
        self.cancelled = 0
        monkeypatch.setattr(store, method, self._wait)

    def let_go(self) -> None:
        """All that wait go on, and nobody waits any more."""
        self._let_go.set()

    async def _wait(self, *arguments: Any, **named: Any) -> Any:
        self.entered.append(arguments[0])
        try:
            await self._let_go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return await self._call(*arguments, **named)
