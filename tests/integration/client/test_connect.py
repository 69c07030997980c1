"""Coming in: every way to present a credential, and what the server's answer becomes."""

import pytest

import watchword
from support.scripted_server import play, welcome
from watchword import State


async def test_a_token_goes_into_the_header_and_the_context_comes_back() -> None:
    async with play(welcome()) as server, watchword.connect(server.url, token="a.b.c") as db:
        assert server.authorizations == ["Bearer a.b.c"]
        assert (db.user.name, db.user.id, db.user.role, db.user.connection_id) == ("ada", "u_ada", "user", "c_1")
        assert db.user.expires_at is not None
        assert (db.user.expires_at - db.user.server_time).total_seconds() == 900
        assert db.user.limits == watchword.Limits(max_message_bytes=4096, heartbeat_s=25)
        assert repr(db) == f"<watchword.Client open {server.url} as ada>"
        assert await db.ping() > 0
    assert db.state is State.CLOSED
    assert db.status.reason is None


async def test_a_ping_after_closing_says_closed() -> None:
    async with play(welcome()) as server:
        async with watchword.connect(server.url, token="a.b.c") as db:
            pass
        with pytest.raises(watchword.Closed, match="closed"):
            await db.ping()
