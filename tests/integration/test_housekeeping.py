"""What a server does in the background; that it is done once more at the end: integration/auth/test_user_context.py."""

import asyncio
from pathlib import Path

import pytest

from support.clock import FakeClock
from support.presenting import sign_in
from support.raw_socket import raw_socket
from support.server import USERS, running_server, token
from watchword_server import housekeeping
from watchword_server.auth.account import Accounts


async def test_who_was_seen_is_written_down_while_the_server_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_INTERVAL_S", 0.001)
    clock = FakeClock()
    async with (
        running_server(tmp_path, clock=clock) as server,
        raw_socket(server.port, sign_in(token(server))) as socket,
    ):
        await socket.read_http()
        assert (await socket.read_message())["type"] == "auth_success"
        async with asyncio.timeout(10):
            while (seen := await seen_at(server.accounts)) is None:
                pass
        assert seen == clock.wall()


async def seen_at(accounts: Accounts) -> float | None:
    account = await accounts.by_id(USERS["ada"].id)
    assert account is not None
    return account.last_seen_at
