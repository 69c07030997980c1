"""The synchronous form: the same nouns, from a thread without a loop."""

import asyncio
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

import watchword
from support.scripted_server import Peer, auth_success, refuse, welcome
from support.scripted_thread import play_in_thread, watchword_threads
from watchword import State


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


# After the end


def test_a_closed_client_still_tells_its_state() -> None:
    with play_in_thread(welcome()) as server:
        with watchword.sync.connect(server.url, token="a.b.c") as db:
            early = db.states()
            assert next(early).state is State.OPEN
        assert db.wait_for(State.CLOSED).state is State.CLOSED
        assert db.wait_for(State.CLOSED, timeout_s=1) is db.status
        assert [status.state for status in db.states()] == [State.CLOSED]
        assert [status.state for status in early] == [State.CLOSED]
        for ask in (db.ping, lambda: db.wait_for(State.OPEN)):
            with pytest.raises(watchword.Closed, match="is closed"):
                ask()


def test_a_closed_client_says_what_closed_it_as_the_other_form_does() -> None:
    async def live(peer: Peer) -> None:
        await peer.say(auth_success())
        await peer.close(4212, "REPLACED")

    with play_in_thread(live) as server:
        with watchword.sync.connect(server.url, token="a.b.c") as db:
            db.wait_for(State.CLOSED, timeout_s=2)
        for ask in (db.ping, lambda: db.wait_for(State.OPEN)):
            with pytest.raises(watchword.Replaced):
                ask()


def test_a_client_that_was_never_open_says_so() -> None:
    db = watchword.sync.connect("ws://h", token="a.b.c")
    for ask in (db.ping, lambda: db.wait_for(State.CLOSED), lambda: next(db.states())):
        with pytest.raises(watchword.Closed, match="not open; use `with`"):
            ask()
    db.close()


def test_who_waits_for_the_end_in_another_thread_sees_it() -> None:
    with play_in_thread(welcome()) as server:
        db = watchword.sync.connect(server.url, token="a.b.c").open()
        first = threading.Event()

        def follow() -> list[State]:
            seen = []
            for status in db.states():
                seen.append(status.state)
                first.set()
            return seen

        with ThreadPoolExecutor() as pool:
            ended = [pool.submit(db.wait_for, State.CLOSED) for _ in range(3)]
            followed = pool.submit(follow)
            assert first.wait(5)
            closers = [pool.submit(db.close) for _ in range(2)]
            assert [closer.result(5) for closer in closers] == [None, None]
            assert watchword_threads() == []
            assert {future.result(5).state for future in ended} == {State.CLOSED}
            assert followed.result(5) == [State.OPEN, State.CLOSED]


def test_a_forked_process_is_told_that_the_client_is_its_parents() -> None:
    with play_in_thread(welcome()) as server, watchword.sync.connect(server.url, token="a.b.c") as db:
        reader, writer = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # newer versions of Python warn of what is tested here
            child = os.fork()
        if child == 0:
            try:
                db.ping()
            except RuntimeError as error:
                os.write(writer, str(error).encode())
            db.close()
            os._exit(0)
        os.close(writer)
        said = os.read(reader, 1000).decode()
        os.close(reader)
        assert os.waitpid(child, 0)[1] == 0
        assert said == "The client belongs to the process that opened it; open another after a fork"
        assert db.ping() > 0


def test_forgetting_to_close_warns_and_ends_the_thread() -> None:
    with play_in_thread(welcome()) as server:
        db = watchword.sync.connect(server.url, token="a.b.c").open()
        thread = next(thread for thread in threading.enumerate() if thread.name == "watchword")
        with pytest.warns(ResourceWarning, match="was not closed; use `with`"):
            del db
        thread.join(5)
        assert not thread.is_alive()
