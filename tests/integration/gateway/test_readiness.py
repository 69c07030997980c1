"""A server whose storage is out of order is alive, is not ready, and says so in time."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from support.raw_socket import get, raw_socket
from support.server import running_server, until
from watchword_protocol.errors import ErrorCode
from watchword_server import app
from watchword_server.adapters.sqlite.accounts import SqliteAccounts
from watchword_server.adapters.sqlite.store import SqliteStore
from watchword_server.refusal import Refused

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(("part", "call"), [(SqliteAccounts, "by_id"), (SqliteStore, "check")])
@pytest.mark.parametrize("error", [None, Refused(ErrorCode.STORAGE_UNAVAILABLE), ZeroDivisionError("planted")])
async def test_a_store_that_fails_or_hangs_makes_the_server_not_ready(
    tmp_path: Path, error: Exception | None, part: type, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_asked: object) -> None:
        if error is not None:
            raise error
        await asyncio.Event().wait()

    monkeypatch.setattr(app, "_STORAGE_PATIENCE_S", 0.01)
    async with running_server(tmp_path) as server:
        monkeypatch.setattr(part, call, fail)
        async with raw_socket(server.port, get("/readyz"), get("/healthz")) as socket:
            ready, alive = await socket.read_http(), await socket.read_http()
        assert (ready.status, alive.status) == (503, 200)
        assert json.loads(ready.body) == {"status": "not ready", "reason": "storage cannot be used"}


async def test_however_many_ask_the_store_is_asked_once_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answered = 0, asyncio.Event()

    async def check(_store: SqliteStore) -> None:
        nonlocal asked
        asked += 1
        await answered.wait()

    monkeypatch.setattr(SqliteStore, "check", check)
    async with running_server(tmp_path) as server, AsyncExitStack() as opened:
        sockets = [await opened.enter_async_context(raw_socket(server.port, get("/readyz"))) for _ in range(5)]
        await until(lambda: len(server.listener.server_state.tasks) == 5 and asked)
        answered.set()
        assert {(await socket.read_http()).status for socket in sockets} == {200}
        assert asked == 1
        sockets[0].send(get("/readyz"))
        assert (await sockets[0].read_http()).status == 200
        assert asked == 2
