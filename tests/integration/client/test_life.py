"""An open connection: requests and replies, the end, closing, and nothing left behind."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.protocol import State as WebSocketState
from websockets.utils import accept_key

import watchword
from support.loop_clock import LoopClock
from support.scripted_server import Peer, auth_success, play, welcome
from support.stepped_time import SteppedTime
from watchword import State
from watchword_protocol.messages import Authenticate


async def test_answers_that_overtake_each_other_find_their_questions() -> None:
    async def live(peer: Peer) -> None:
        await peer.say(auth_success())
        pings = [await peer.hear() for _ in range(3)]
        for ping in reversed(pings):
            await peer.say({"type": "pong", "id": ping["id"]})
        await peer.wait_gone()

    async with play(live) as server, watchword.connect(server.url, token="a.b.c") as db:
        assert len(await asyncio.gather(*(db.ping() for _ in range(3)))) == 3
        assert len({message["id"] for message in server.peers[0].heard}) == 3


async def test_an_answer_by_error_is_raised_where_it_was_asked() -> None:
    async def live(peer: Peer) -> None:
        await peer.say(auth_success())
        ping = await peer.hear()
        error = {"type": "error", "code": "RATE_LIMITED", "message": "Slow down", "request_id": "r_2"}
        await peer.say({**error, "id": ping["id"], "retry_after_ms": 250})
        await peer.answer_pings()

    async with play(live) as server, watchword.connect(server.url, token="a.b.c") as db:
        with pytest.raises(watchword.RateLimited) as caught:
            await db.ping()
        assert caught.value.retry_after_ms == 250
        assert await db.ping() > 0


async def test_no_answer_is_a_timeout_and_a_late_one_is_dropped() -> None:
    late = asyncio.Event()

    async def live(peer: Peer) -> None:
        await peer.say(auth_success())
        first = await peer.hear()
        await late.wait()
        await peer.say({"type": "pong", "id": first["id"]})
        await peer.answer_pings()

    async with play(live) as server, watchword.connect(server.url, token="a.b.c") as db:
        with pytest.raises(TimeoutError, match=r"No answer to Ping within 0\.02 s"):
            await db.ping(timeout_s=0.02)
        late.set()
        assert await db.ping() > 0
        assert db._link.connection._pending == {}


async def hear_and_cut(peer: Peer) -> None:
    await peer.say(auth_success())
    await peer.hear()
    await peer.hear()
    peer.cut()


async def test_whoever_is_told_of_the_end_can_wait_for_the_next_connection() -> None:
    time = SteppedTime()
    async with (
        play(hear_and_cut, welcome()) as server,
        watchword.connect(server.url, token="a.b.c", clock=time.clock, sleep=time.sleep, random=time.random) as db,
    ):

        async def ask_twice() -> float:
            with pytest.raises(watchword.ConnectionLost, match="broke without a word"):
                await db.ping()
            assert db.state is State.RECONNECTING
            with pytest.raises(watchword.ConnectionLost, match="Not connected now: reconnecting"):
                await db.ping()
            await db.wait_for(State.OPEN, timeout_s=2)
            return await db.ping()

        asking = [asyncio.create_task(ask_twice()) for _ in range(2)]
        await time.pass_wait()
        assert min(await asyncio.gather(*asking)) >= 0


async def test_whoever_is_told_of_the_last_end_finds_the_client_closed() -> None:
    async with play(hear_and_cut) as server, watchword.connect(server.url, token="a.b.c", reconnect=False) as db:

        async def ask() -> State:
            with pytest.raises(watchword.ConnectionLost):
                await db.ping()
            return db.state

        assert set(await asyncio.gather(ask(), ask())) == {State.CLOSED}


async def test_a_message_that_is_unknown_or_speaks_of_nobody_is_ignored() -> None:
    noise = (
        {"type": "moon_phase", "phase": "full"},
        {"type": "pong"},
        {"type": "pong", "id": 4711},
        {"type": "unsubscribed", "subscription_id": "s"},
        {"type": "change", "subscription_id": "s", "change_type": "insert", "rows": [{}], "seq": 1},
        {"type": "error", "code": "INVALID_SQL", "message": "?", "request_id": "r"},
    )
    async with play(welcome(*noise)) as server, watchword.connect(server.url, token="a.b.c") as db:
        assert await db.ping() > 0


async def test_a_message_over_the_servers_limit_is_not_sent() -> None:
    small = {"limits": {"max_message_bytes": 20, "heartbeat_s": 25}}

    async def live(peer: Peer) -> None:
        await peer.say({**auth_success(), **small})
        await peer.answer_pings()

    async with play(live) as server, watchword.connect(server.url, token="a.b.c") as db:
        with pytest.raises(watchword.MessageTooLarge, match="over the server's limit of 20"):
            await db.ping()
        assert server.peers[0].heard == []
        assert db.state is State.OPEN


@pytest.mark.parametrize(
    ("close_code", "reason", "kind"),
    [
        (1009, "MESSAGE_TOO_LARGE", watchword.MessageTooLarge),
        (4006, "SLOW_CONSUMER", watchword.ConnectionLost),
        (1001, "", watchword.ConnectionLost),
    ],
)
async def test_what_was_in_flight_fails_with_the_connection(
    close_code: int, reason: str, kind: type[Exception]
) -> None:
    async def live(peer: Peer) -> None:
        await peer.say(auth_success())
        await peer.hear()
        await peer.close(close_code, reason)

    async with play(live) as server, watchword.connect(server.url, token="a.b.c", reconnect=False) as db:
        with pytest.raises(kind):
            await db.ping()


async def test_without_reconnect_the_end_closes_the_client_and_says_why() -> None:
    async def live(peer: Peer) -> None:
        await peer.say(auth_success())
        await peer.close(4006, "SLOW_CONSUMER")

    async with play(live) as server, watchword.connect(server.url, token="a.b.c", reconnect=False) as db:
        status = await db.wait_for(State.CLOSED, timeout_s=2)
        assert isinstance(status.reason, watchword.SlowConsumer)
        assert status.advice is watchword.Advice.RECONNECT
        with pytest.raises(watchword.SlowConsumer):
            await db.ping()
        with pytest.raises(watchword.SlowConsumer):
            await db.wait_for(State.OPEN, timeout_s=2)
    assert isinstance(db.status.reason, watchword.SlowConsumer)


async def test_waiting_for_a_state_that_does_not_come_times_out() -> None:
    async with play(welcome()) as server, watchword.connect(server.url, token="a.b.c") as db:
        with pytest.raises(TimeoutError, match=r"Not reconnecting within 0\.01 s; now open"):
            await db.wait_for(State.RECONNECTING, timeout_s=0.01)


async def test_garbage_on_an_open_connection_ends_it_with_1002() -> None:
    closed_with: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

    async def live(peer: Peer) -> None:
        await peer.say(auth_success(), '{"type":"pong","id":[]}')
        await peer.wait_gone()
        closed_with.set_result(peer.socket.close_code)

    async with play(live) as server, watchword.connect(server.url, token="a.b.c", reconnect=False) as db:
        status = await db.wait_for(State.CLOSED, timeout_s=2)
        assert isinstance(status.reason, watchword.ConnectionLost)
        assert "not a message of Watchword" in str(status.reason)
        assert await closed_with == 1002


async def test_a_message_over_our_own_limit_ends_the_connection_and_says_so() -> None:
    async with (
        play(welcome({"type": "moon_phase", "phase": "x" * 2000})) as server,
        watchword.connect(server.url, token="a.b.c", reconnect=False, max_message_bytes=1000) as db,
    ):
        status = await db.wait_for(State.CLOSED, timeout_s=2)
        assert isinstance(status.reason, watchword.ConnectionLost)
        assert "given up: frame with 2" in str(status.reason)


async def test_a_link_that_is_silent_is_given_up() -> None:
    async with (
        silent_server() as url,
        watchword.connect(url, token="a.b.c", reconnect=False, heartbeat_s=0.02, close_timeout_s=0.02) as db,
    ):
        status = await db.wait_for(State.CLOSED, timeout_s=2)
        assert isinstance(status.reason, watchword.ConnectionLost)
        assert "given up: keepalive ping timeout" in str(status.reason)


async def test_closing_while_something_is_asked_says_that_it_was_you() -> None:
    async def live(peer: Peer) -> None:
        await peer.say(auth_success())
        await peer.hear()
        heard.set()
        await peer.wait_gone()

    heard = asyncio.Event()
    async with play(live) as server:
        async with watchword.connect(server.url, token="a.b.c") as db:
            asking = asyncio.create_task(db.ping())
            await heard.wait()
        with pytest.raises(watchword.Closed, match="closed before the answer"):
            await asking


@pytest.mark.parametrize("times", [1, 3])
async def test_leaving_is_a_close_handshake_however_often_it_is_asked_for(times: int) -> None:
    closed_with: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

    async def live(peer: Peer) -> None:
        await peer.say(auth_success())
        await peer.wait_gone()
        closed_with.set_result(peer.socket.close_code)

    async with play(live) as server:
        async with watchword.connect(server.url, token="a.b.c") as db:
            socket = db._link.connection._socket
            closing = []
            for _ in range(times):
                closing.append(asyncio.create_task(db.close()))
                while socket.state is WebSocketState.OPEN:  # noqa: ASYNC110  # the close frame sets no event
                    await asyncio.sleep(0)
            await asyncio.gather(*closing)
        assert (await closed_with, socket.close_code) == (1000, 1000)


async def test_a_server_that_does_not_answer_the_close_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = LoopClock(monkeypatch)
    async with silent_server() as url:
        db = await watchword.connect(url, token="a.b.c", close_timeout_s=5)
        await expect_closing_to_take(5, db, clock)


async def test_closing_can_be_cancelled_and_ends_at_once_then() -> None:
    async with silent_server() as url:
        db = await watchword.connect(url, token="a.b.c", close_timeout_s=3600)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(db.close(), 0.02)
        assert watchword_tasks() == set()
        assert db.state is State.CLOSED


async def test_a_token_function_that_refuses_to_be_cancelled_cannot_keep_the_client_open() -> None:
    async def fetch() -> str:
        asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "a.b.c"
        return "never"

    asked = asyncio.Event()
    async with play(welcome()) as server:
        db = watchword.connect(server.url, token=fetch)
        opening = asyncio.create_task(db.__aenter__())
        await asked.wait()
        await asyncio.wait_for(db.close(), 2)
        with pytest.raises(watchword.Closed):
            await opening
        assert server.requests == []
        assert watchword_tasks() == set()


async def test_a_server_that_never_reads_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A close frame waits behind what is unsent, beyond the library's own time limit."""

    clock = LoopClock(monkeypatch)
    async with silent_server(limits={"max_message_bytes": 10**9, "heartbeat_s": 25}) as url:
        db = await watchword.connect(url, token="a.b.c", close_timeout_s=5)
        flood = Authenticate("jwt", token="x" * 20_000_000)
        sending = asyncio.create_task(db._link.connection.authenticate(flood, 1))
        await clock.advance(1)
        assert sending.done()
        with pytest.raises(TimeoutError, match="No answer to Authenticate"):
            await sending
        await expect_closing_to_take(5, db, clock)


async def expect_closing_to_take(seconds: float, db: watchword.Client, clock: LoopClock) -> None:
    closing = asyncio.create_task(db.close())
    await clock.advance(seconds - 0.5)
    assert not closing.done()
    await clock.advance(0.5)
    assert closing.done()
    assert watchword_tasks() == set()


@asynccontextmanager
async def silent_server(**changes: Any) -> AsyncIterator[str]:
    """The URL of one that lets everybody in, and then neither reads nor says anything. `changes`: of `auth_success`."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer_upgrade(reader, writer, **changes)
        await gone.wait()
        writer.close()

    gone = asyncio.Event()
    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        try:
            yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            gone.set()


async def answer_upgrade(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, **changes: Any) -> None:
    """The 101 and `auth_success`, by hand."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    key = next(line[19:] for line in head.split("\r\n") if line.startswith("Sec-WebSocket-Key: "))
    message = json.dumps(auth_success(**changes)).encode()
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n"
        b"\x81\x7e" + len(message).to_bytes(2, "big") + message
    )
    await writer.drain()


# Nothing left behind


def watchword_tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("watchword")}


async def test_no_task_outlives_the_client() -> None:
    async with play(welcome()) as server:
        async with watchword.connect(server.url, token="a.b.c"):
            assert watchword_tasks() == {"watchword link", "watchword reader", "watchword renewal"}
        assert watchword_tasks() == set()


async def test_cancelling_the_opening_leaves_nothing_behind() -> None:
    arrived = asyncio.Event()

    async def live(peer: Peer) -> None:
        arrived.set()
        await peer.wait_gone()
        left.set()

    left = asyncio.Event()
    async with play(live) as server:
        opening = asyncio.create_task(watchword.connect(server.url, token="a.b.c").__aenter__())
        await arrived.wait()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert watchword_tasks() == set()
        await asyncio.wait_for(left.wait(), 2)


async def test_cancelling_a_ping_leaves_the_connection_usable() -> None:
    heard = asyncio.Event()

    async def live(peer: Peer) -> None:
        await peer.say(auth_success())
        await peer.hear()
        heard.set()
        await peer.answer_pings()

    async with play(live) as server, watchword.connect(server.url, token="a.b.c") as db:
        asking = asyncio.create_task(db.ping())
        await heard.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await db.ping() > 0


async def test_closing_while_it_waits_to_reconnect_ends_the_wait() -> None:
    async def live(peer: Peer) -> None:
        await peer.say(auth_success())
        peer.cut()

    time_ = SteppedTime()
    async with play(live) as server:
        async with watchword.connect(server.url, token="a.b.c", sleep=time_.sleep, clock=time_.clock) as db:
            await db.wait_for(State.RECONNECTING, timeout_s=2)
        assert db.state is State.CLOSED
        assert db.status.reason is None
        assert watchword_tasks() == set()


async def test_closing_while_it_opens_ends_the_opening() -> None:
    arrived = asyncio.Event()

    async def live(peer: Peer) -> None:
        arrived.set()
        await peer.wait_gone()

    async with play(live) as server:
        db = watchword.connect(server.url, token="a.b.c")
        opening = asyncio.create_task(db.__aenter__())
        await arrived.wait()
        await db.close()
        with pytest.raises(watchword.Closed):
            await opening


async def test_the_token_function_may_close_the_client() -> None:
    async def fetch() -> str:
        await db.close()
        return "a.b.c"

    async with play(welcome()) as server:
        db = watchword.connect(server.url, token=fetch)
        with pytest.raises(watchword.Closed):
            await db
        assert watchword_tasks() == set()


def test_a_client_whose_loop_has_ended_is_closed_and_can_be_closed() -> None:
    async def open_and_leave() -> watchword.Client:
        async with play(welcome()) as server:
            return await watchword.connect(server.url, token="a.b.c")

    db = asyncio.run(open_and_leave())
    asyncio.run(db.close())
    assert db.state is State.CLOSED


async def test_a_fault_of_a_function_given_to_connect_is_raised_by_closing() -> None:
    async def sleep(_seconds: float) -> None:
        raise ZeroDivisionError("on purpose")

    async def live(peer: Peer) -> None:
        await peer.say(auth_success(lifetime_s=None))
        peer.cut()

    async with play(live) as server:
        db = await watchword.connect(server.url, token="a.b.c", sleep=sleep)
        await db.wait_for(State.CLOSED, timeout_s=2)
        with pytest.raises(ZeroDivisionError, match="on purpose"):
            await db.close()


async def test_forgetting_to_close_warns_and_ends_the_connection() -> None:
    left = asyncio.Event()

    async def live(peer: Peer) -> None:
        await peer.say(auth_success())
        await peer.wait_gone()
        left.set()

    async with play(live) as server:
        db = await watchword.connect(server.url, token="a.b.c")
        with pytest.warns(ResourceWarning, match=r"<watchword\.Client open .* was not closed"):
            del db
        await asyncio.wait_for(left.wait(), 2)
