"""Servers that are rude, or none of ours: whatever they say, the client lives on or ends with one clear reason."""

import asyncio
import json
import logging
from typing import Any

import pytest

import watchword
from support.scripted_server import Life, Message, Peer, auth_error, auth_success, play, welcome
from watchword import State
from watchword.connection import Connection

HUGE = 10**400  # as an integer; as a float it is none


@pytest.fixture(autouse=True)
async def _no_fault_goes_unseen() -> Any:
    """A task that nobody looked after would fail silently otherwise."""
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    yield
    assert faults == []


def say(*messages: Message | str | bytes) -> Life:
    """A life that says this, and waits for the client to leave."""

    async def live(peer: Peer) -> None:
        await peer.say(*messages)
        await peer.wait_gone()

    return live


UNUSABLE = {
    "a time before the year 1": auth_success(expires_at="0001-01-01T00:00:00+23:59"),
    "a time behind the year 9999": auth_success(server_time="9999-12-31T23:59:59-23:59"),
    "a time that is none": auth_success(server_time="25 o'clock"),
    "a time that is a number": auth_success(expires_at=1_800_000_000),
    "a user that is a number": auth_success(user_id=7),
    "a user that is missing": {key: value for key, value in auth_success().items() if key != "user_id"},
    "limits that are a list": auth_success(limits=[4096, 25]),
    "a limit of no bytes": auth_success(limits={"max_message_bytes": 0, "heartbeat_s": 25}),
    "a limit that is huge": auth_success(limits={"max_message_bytes": HUGE, "heartbeat_s": 25}),
    "a heartbeat in the past": auth_success(limits={"max_message_bytes": 9, "heartbeat_s": -1}),
    "a protocol that is a word": auth_success(protocol="json"),
    "a refusal with a huge hint": auth_error("ACCOUNT_LOCKED", retry_after_ms=HUGE),
    "a refusal with a hint before now": auth_error("ACCOUNT_LOCKED", retry_after_ms=-1),
    "a refusal without its members": {"type": "auth_error", "code": "TOKEN_EXPIRED"},
    "an empty message": "",
    "an array": "[]",
    "arrays within arrays": "[" * 100_000,
    "objects within objects": '{"type":' * 100_000,
    "a lone surrogate": '{"type":"auth_success","user":"\\ud800"}',
    "bytes that are no text": b"\xff\xfe\x00",
    "no type": "{}",
    "a type that is a number": '{"type":5}',
}


@pytest.mark.parametrize("message", UNUSABLE.values(), ids=UNUSABLE)
async def test_an_unusable_first_message_is_a_failed_connection(message: Message | str | bytes) -> None:
    async with play(say(message)) as server:
        with pytest.raises(watchword.ConnectFailed, match="not a message of Watchword") as caught:
            await watchword.connect(server.url, token="a.b.c")
    assert caught.value.advice is watchword.Advice.RECONNECT


UNUSABLE_LATER = {
    "a notice with a huge hint": {"type": "draining", "reconnect_after_ms": HUGE},
    "a notice with a hint before now": {"type": "draining", "reconnect_after_ms": -1},
    "a notice without a hint": {"type": "draining"},
    "an error with a huge hint": {
        "type": "error",
        "code": "RATE_LIMITED",
        "message": "",
        "request_id": "r",
        "retry_after_ms": HUGE,
    },
    "an error without a code": {"type": "error", "id": 1},
    "an answer to a list": {"type": "pong", "id": [1]},
    "another user": auth_success("eve"),
    "a renewal until the year 10000": auth_success(expires_at="9999-12-31T23:59:59-00:01"),
}


@pytest.mark.parametrize("message", UNUSABLE_LATER.values(), ids=UNUSABLE_LATER)
async def test_an_unusable_message_ends_the_connection_as_a_broken_link_does(message: Message) -> None:
    async with (
        play(say(auth_success(), message)) as server,
        watchword.connect(server.url, token="a.b.c", reconnect=False) as db,
    ):
        status = await db.wait_for(State.CLOSED, timeout_s=2)
        assert isinstance(status.reason, watchword.ConnectionLost)
        assert status.advice is watchword.Advice.RECONNECT
        assert "not a message of Watchword" in str(status.reason)
        await asyncio.wait_for(server.peers[0].wait_gone(), 2)
        assert server.peers[0].socket.close_code == 1002


async def test_the_longest_hint_there_is_can_be_waited_for() -> None:
    async def live(peer: Peer) -> None:
        await peer.say(auth_success(), {"type": "draining", "reconnect_after_ms": 2**53 - 1})
        await peer.close(1012, "SERVER_SHUTDOWN")

    async with play(live) as server, watchword.connect(server.url, token="a.b.c") as db:
        status = await db.wait_for(State.RECONNECTING, timeout_s=2)
        assert status.retry_after_s == pytest.approx(2**53 / 1000, rel=1e-3)


async def test_a_fault_of_our_own_ends_the_connection_and_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(_connection: Connection, _message: object) -> None:
        raise ZeroDivisionError("on purpose")

    async with (
        play(welcome({"type": "token_expiring", "expires_at": "?"})) as server,
        watchword.connect(server.url, token="a.b.c", reconnect=False) as db,
    ):
        monkeypatch.setattr(Connection, "_receive", break_down)
        with pytest.raises(watchword.ConnectionLost, match="fault of this client"):
            await db.ping(timeout_s=2)
        await asyncio.wait_for(server.peers[0].wait_gone(), 2)
    assert "ZeroDivisionError: on purpose" in caplog.text


@pytest.mark.parametrize("ids", [[4711], ["1"], [None], [-1, 0, 2, 3]])
async def test_answers_to_what_was_not_asked_answer_nothing(ids: list[object]) -> None:
    async def live(peer: Peer) -> None:
        await peer.say(auth_success())
        asked = await peer.hear()
        await peer.say(*({"type": "pong", "id": wrong} for wrong in ids))
        await peer.say({"type": "error", "code": "NOT_FOUND", "message": "?", "request_id": "r", "id": 4711})
        told.set()
        await answer.wait()
        await peer.say({"type": "pong", "id": asked["id"]})
        await peer.answer_pings()

    told, answer = asyncio.Event(), asyncio.Event()
    async with play(live) as server, watchword.connect(server.url, token="a.b.c") as db:
        asking = asyncio.create_task(db.ping())
        await told.wait()
        assert not asking.done()
        answer.set()
        assert await asking > 0
        assert await db.ping() > 0


async def test_an_answer_of_another_kind_is_a_broken_link() -> None:
    async def live(peer: Peer) -> None:
        await peer.say(auth_success())
        asked = await peer.hear()
        await peer.say({"type": "unsubscribed", "subscription_id": "s", "id": asked["id"]})
        await peer.wait_gone()

    async with play(live) as server, watchword.connect(server.url, token="a.b.c", reconnect=False) as db:
        with pytest.raises(watchword.ConnectionLost, match="Unsubscribed in answer to Ping"):
            await db.ping(timeout_s=2)


async def test_a_flood_of_what_nobody_asked_for_is_read_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    error = {"type": "error", "code": "RATE_LIMITED", "message": "Slow down", "request_id": "r"}
    noise: list[Message] = [{"type": "moon_phase"}, {"type": "pong"}, error]
    flood = [json.dumps({**noise[n % 3], "id": n}) for n in range(1000, 6000)]

    async def live(peer: Peer) -> None:
        await peer.say(auth_success(), *flood)
        await peer.answer_pings()

    async with play(live) as server, watchword.connect(server.url, token="a.b.c") as db:
        assert await db.ping(timeout_s=5) > 0
    assert [record.levelname for record in caplog.records if record.levelno > logging.INFO] == ["WARNING"]


async def test_what_a_server_calls_an_error_cannot_write_lines_of_its_own_into_a_log() -> None:
    refusal = auth_error("A\nB\x1b[31m", message="one\r\ntwo\x1b[2J" + "x" * 100_000)
    async with play(say(refusal)) as server:
        with pytest.raises(watchword.ServerError) as caught:
            await watchword.connect(server.url, token="a.b.c", close_timeout_s=0.05)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1100
    assert (caught.value.code, caught.value.message) == ("A\nB\x1b[31m", refusal["message"])
