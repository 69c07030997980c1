"""The synchronous form: the same nouns, from a thread without a loop."""

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager

import pytest

import watchword
from support.scripted_server import Life, Peer, ScriptedServer, auth_success, play, refuse, welcome
from watchword import State


@contextmanager
def play_in_thread(*lives: Life) -> Generator[ScriptedServer]:
    """The scripted server, with a loop and a thread of its own."""
    ready = threading.Event()
    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    servers: list[ScriptedServer] = []

    async def run() -> None:
        async with play(*lives) as server:
            servers.append(server)
            stop.append((asyncio.get_running_loop(), asyncio.Event()))
            ready.set()
            await stop[0][1].wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert ready.wait(5)
    try:
        yield servers[0]
    finally:
        loop, event = stop[0]
        loop.call_soon_threadsafe(event.set)
        thread.join()


def watchword_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "watchword"]


def test_a_script_comes_in_asks_and_leaves() -> None:
    with play_in_thread(welcome()) as server:
        with watchword.sync.connect(server.url, token="a.b.c") as db:
            assert (db.user.name, db.user.role) == ("ada", "user")
            assert db.ping() > 0
            assert repr(db) == f"<watchword.sync.SyncClient open {server.url} as ada>"
            assert db.wait_for(State.OPEN, timeout_s=2).reason is None
            assert watchword_threads() == ["watchword"]
        assert db.state is State.CLOSED
        assert watchword_threads() == []
        with pytest.raises(watchword.Closed):
            db.ping()
        db.close()


def test_a_refusal_is_raised_and_leaves_no_thread() -> None:
    with play_in_thread(refuse("UNTRUSTED_ISSUER")) as server:
        with pytest.raises(watchword.UntrustedIssuer), watchword.sync.connect(server.url, token="a.b.c"):
            pass
        assert watchword_threads() == []


def test_user_and_password_and_the_other_options_are_the_same() -> None:
    life = refuse("INVALID_CREDENTIALS", hear_first=True)
    with play_in_thread(life) as server, pytest.raises(watchword.InvalidCredentials):
        watchword.sync.connect(server.url, user="ada", password="pw", present="first_message").open()
    with pytest.raises(ValueError, match="give either token="):
        watchword.sync.connect("ws://h")


def plain() -> str:
    time.sleep(0.001)  # may block
    return "plain.b.c"


async def coroutine() -> str:
    return "async.b.c"


@pytest.mark.parametrize("function", [plain, coroutine])
def test_a_token_function_may_be_async_or_not(function: watchword.TokenFunction) -> None:
    with play_in_thread(welcome()) as server, watchword.sync.connect(server.url, token=function):
        assert server.authorizations == [f"Bearer {function.__name__.replace('coroutine', 'async')}.b.c"]


def test_states_are_iterated_until_closed() -> None:
    async def live(peer: Peer) -> None:
        await peer.say(auth_success())
        await peer.close(4212, "REPLACED")

    with play_in_thread(live) as server, watchword.sync.connect(server.url, token="a.b.c") as db:
        states = [status.state for status in db.states()]
        assert states[-1] is State.CLOSED
        assert isinstance(db.status.reason, watchword.Replaced)


def test_closing_in_one_thread_ends_the_wait_of_another() -> None:
    with play_in_thread(welcome()) as server:
        db = watchword.sync.connect(server.url, token="a.b.c").open()
        raised: list[BaseException] = []

        def wait() -> None:
            waiting.set()
            try:
                db.wait_for(State.RECONNECTING)
            except watchword.WatchwordError as error:
                raised.append(error)

        waiting = threading.Event()
        thread = threading.Thread(target=wait)
        thread.start()
        waiting.wait()
        db.close()
        thread.join(5)
        assert [type(error) for error in raised] == [watchword.Closed]


def is_in(thread: int, function: Callable[..., object]) -> bool:
    """Whether a thread is inside a function, or in what it calls."""
    frame = sys._current_frames().get(thread)
    while frame is not None and frame.f_code is not function.__code__:
        frame = frame.f_back
    return frame is not None


def test_ctrl_c_ends_the_wait_and_what_was_asked() -> None:
    main = threading.main_thread().ident
    assert main is not None

    async def live(peer: Peer) -> None:
        await peer.say(auth_success())
        await peer.hear()
        while not is_in(main, Future.result):  # noqa: ASYNC110  # a thread that waits sets no event
            await asyncio.sleep(0)
        signal.pthread_kill(main, signal.SIGINT)
        await peer.answer_pings()

    with play_in_thread(live) as server, watchword.sync.connect(server.url, token="a.b.c") as db:
        with pytest.raises(KeyboardInterrupt):
            db.ping()
        assert db.ping() > 0
        assert db._client._link.connection._pending == {}


def test_a_client_is_opened_once() -> None:
    with play_in_thread(welcome()) as server, watchword.sync.connect(server.url, token="a.b.c") as db:
        with pytest.raises(RuntimeError, match="make another"):
            db.open()
        assert db.ping() > 0


def test_forgetting_to_close_warns_and_ends_the_thread() -> None:
    with play_in_thread(welcome()) as server:
        db = watchword.sync.connect(server.url, token="a.b.c").open()
        thread = next(thread for thread in threading.enumerate() if thread.name == "watchword")
        with pytest.warns(ResourceWarning, match="was not closed; use `with`"):
            del db
        thread.join(5)
        assert not thread.is_alive()
