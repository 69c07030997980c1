"""What the client does for a query whose answer was lost: with a key it asks again, without one never."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import watchword
from support.asking import Held
from support.scripted_server import Life, Peer, auth_success, play
from support.server import token, until
from support.sql_server import sql_server
from support.stepped_time import SteppedTime
from watchword import State

INSERT = "INSERT INTO app.notes (id, body) VALUES ($1, $2) RETURNING id"
RESULT = {"schema": [{"name": "id", "data_type": "Int", "index": 0}], "rows": [[7]], "row_count": 1, "as_user": "ada"}


def hear_and(act: Callable[[Peer, dict[str, Any]], Any], user: str = "ada") -> Life:
    """A life that lets the client in, hears one message, and does something about it."""

    async def live(peer: Peer) -> None:
        await peer.say(auth_success(user, lifetime_s=None))
        await act(peer, await peer.hear())
        await peer.wait_gone()

    return live


async def cut(peer: Peer, _message: dict[str, Any]) -> None:
    peer.cut()


async def answer(peer: Peer, message: dict[str, Any]) -> None:
    await peer.say({"type": "result", "id": message["id"], "results": [RESULT], "took": 0.1})


async def do_not_know(peer: Peer, message: dict[str, Any]) -> None:
    error = {"code": "COMMIT_UNKNOWN", "message": "The write may or may not have happened", "request_id": "r_7"}
    await peer.say({"type": "error", "id": message["id"], **error})


def connect(url: str, time: SteppedTime, **arguments: Any) -> watchword.Client:
    return watchword.connect(
        url, user="ada", password="x", clock=time.clock, sleep=time.sleep, random=time.random, **arguments
    )


async def test_a_write_whose_answer_was_lost_happens_once_and_its_result_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = SteppedTime()
    async with sql_server(tmp_path) as server:
        held = Held(server, "write_once", monkeypatch)
        async with watchword.connect(server.url, token=fetch(token(server)), sleep=time.sleep) as db:
            asking = asyncio.create_task(db.query_value(INSERT, 7, "hi", idempotency_key="k"))
            await until(lambda: held.entered)
            for websocket in list(server.service.registry):
                websocket._transport.abort()  # type: ignore[attr-defined]  # it is a WebSocket
            await db.wait_for(State.RECONNECTING, timeout_s=2)
            await time.pass_wait()
            await until(lambda: len(held.entered) == 2)
            held.let_go()
            assert await asking == 7
            assert await db.query_value("SELECT count(*) FROM app.notes") == 1


def fetch(token: str) -> Callable[[], Any]:
    async def give() -> str:
        return token

    return give


async def test_with_a_key_it_is_sent_again_until_it_is_answered() -> None:
    time = SteppedTime()
    lives = [hear_and(cut), hear_and(cut), hear_and(cut), hear_and(answer)]
    async with play(*lives) as server, connect(server.url, time) as db:
        asking = asyncio.create_task(db.query_value(INSERT, 7, "hi", idempotency_key="k"))
        for _ in range(3):
            await time.pass_wait()
        assert await asking == 7
        heard = [{**message, "id": 0} for peer in server.peers for message in peer.heard]
        assert heard == [{**heard[0], "idempotency_key": "k", "sql": INSERT, "params": [7, "hi"]}] * 4


async def test_without_a_key_it_is_never_sent_again() -> None:
    time = SteppedTime()
    async with play(hear_and(cut), hear_and(answer)) as server, connect(server.url, time) as db:
        with pytest.raises(watchword.ConnectionLost, match="ended before the answer"):
            await db.query(INSERT, 7, "hi")
        with pytest.raises(watchword.ConnectionLost, match="Not connected now"):
            await db.query(INSERT, 8, "hi")
        await time.pass_wait()
        await db.wait_for(State.OPEN, timeout_s=2)
        assert await db.query_value(INSERT, 9, "hi") == 7
        assert [message["params"][0] for peer in server.peers for message in peer.heard] == [7, 9]


async def test_with_a_key_it_waits_for_a_connection_where_there_is_none() -> None:
    time = SteppedTime()
    async with play(hear_and(cut), hear_and(answer)) as server, connect(server.url, time) as db:
        with pytest.raises(watchword.ConnectionLost):
            await db.query(INSERT, 7, "hi")
        asking = asyncio.create_task(db.query_value(INSERT, 8, "hi", idempotency_key="k"))
        await time.pass_wait()
        assert await asking == 7


async def test_it_is_not_sent_again_as_another_user() -> None:
    """Whose key would be another one."""
    time = SteppedTime()
    async with play(hear_and(cut), hear_and(answer, user="bob")) as server, connect(server.url, time) as db:
        asking = asyncio.create_task(db.query(INSERT, 7, "hi", idempotency_key="k"))
        await time.pass_wait()
        with pytest.raises(watchword.ConnectionLost, match="ended before the answer"):
            await asking
        assert (db.user.name, server.peers[1].heard) == ("bob", [])


@pytest.mark.parametrize("reconnect", [False, True])
async def test_a_client_that_closes_says_that_the_answer_is_lost(reconnect: bool) -> None:
    time = SteppedTime()
    async with play(hear_and(cut)) as server, connect(server.url, time, reconnect=reconnect) as db:
        asking = asyncio.create_task(db.query(INSERT, 7, "hi", idempotency_key="k"))
        if reconnect:
            await db.wait_for(State.RECONNECTING, timeout_s=2)
            await db.close()
        with pytest.raises(watchword.ConnectionLost, match="ended before the answer"):
            await asking


async def test_the_time_for_the_answer_is_that_of_all_attempts() -> None:
    time = SteppedTime()
    async with play(hear_and(cut)) as server, connect(server.url, time) as db:
        with pytest.raises(TimeoutError, match=r"No answer to Query within 0\.05 s"):
            await db.query(INSERT, 7, "hi", idempotency_key="k", timeout_s=0.05)
        assert len(server.peers) == 1


async def test_an_error_is_an_answer_also_one_that_does_not_know() -> None:
    """Whose disk fails will not be well a moment later: when to ask again is the caller's to say."""
    time = SteppedTime()
    async with play(hear_and(do_not_know)) as server, connect(server.url, time) as db:
        with pytest.raises(watchword.CommitUnknown):
            await db.query(INSERT, 7, "hi", idempotency_key="k")
        assert len(server.peers[0].heard) == 1


async def test_the_other_questions_and_the_client_for_threads_take_a_key_too(tmp_path: Path) -> None:
    async with sql_server(tmp_path) as server:
        async with watchword.connect(server.url, token=token(server)) as db:
            for _ in range(2):
                rows = [(1, "a"), (2, "b")]
                assert await db.execute_many(INSERT, rows, idempotency_key="many") == 2
                assert len(await db.transaction((INSERT, 3, "c"), "SELECT 1", idempotency_key="all")) == 2
            with pytest.raises(watchword.InvalidParams, match="a new request takes a new key"):
                await db.query("SELECT 1", idempotency_key="all")

        def ask() -> object:
            with watchword.sync.connect(server.url, token=token(server)) as db:
                return [db.query_value("SELECT count(*) FROM app.notes", idempotency_key="n") for _ in range(2)]

        assert await asyncio.to_thread(ask) == [3, 3]
