"""A server whose storage is out of order is alive, is not ready, and says so in time."""

import asyncio
import json
from pathlib import Path

import pytest

from support.raw_socket import get, raw_socket
from support.server import running_server
from watchword_protocol.errors import ErrorCode
from watchword_server import app
from watchword_server.adapters.sqlite.accounts import SqliteAccounts
from watchword_server.refusal import Refused

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("error", [None, Refused(ErrorCode.STORAGE_UNAVAILABLE), ZeroDivisionError("planted")])
async def test_a_store_that_fails_or_hangs_makes_the_server_not_ready(
    tmp_path: Path, error: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_accounts: SqliteAccounts, _user_id: str) -> None:
        if error is not None:
            raise error
        await asyncio.Event().wait()

    monkeypatch.setattr(app, "_STORAGE_PATIENCE_S", 0.01)
    async with running_server(tmp_path) as server:
        monkeypatch.setattr(SqliteAccounts, "by_id", fail)
        async with raw_socket(server.port, get("/readyz"), get("/healthz")) as socket:
            ready, alive = await socket.read_http(), await socket.read_http()
        assert (ready.status, alive.status) == (503, 200)
        assert json.loads(ready.body) == {"status": "not ready", "reason": "storage cannot be used"}
