"""What a synchronous client calls: a token function may do anything, and neither client nor script hangs."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

import watchword
from support.scripted_server import Peer, auth_success, welcome
from support.scripted_thread import play_in_thread, watchword_threads
from watchword import State, private_loop


class Closer:
    """A token function that closes the client on its second call, with the first one's token about to end."""

    def __init__(self) -> None:
        self.db: watchword.sync.SyncClient | None = None
        self.has_closed = threading.Event()

    def plain(self) -> str:
        if self.db is not None:
            self.db.close()
            self.has_closed.set()
            return "second.b.c"
        return "first.b.c"

    async def coroutine(self) -> str:
        return self.plain()


@pytest.mark.parametrize("form", ["plain", "coroutine"])
def test_the_token_function_may_close_the_client(form: str) -> None:
    closer = Closer()
    announced = threading.Event()

    async def live(peer: Peer) -> None:
        await peer.say(auth_success(lifetime_s=0.5))
        while not announced.is_set():  # noqa: ASYNC110  # set in another thread
            await asyncio.sleep(0.001)
        await peer.say({"type": "token_expiring", "expires_at": "?"})
        await peer.answer_pings()

    with play_in_thread(live) as server:
        db = watchword.sync.connect(server.url, token=getattr(closer, form), sleep=pass_quickly).open()
        closer.db = db
        announced.set()
        assert db.wait_for(State.CLOSED, timeout_s=5).reason is None
        assert closer.has_closed.wait(5)
        db.close()
        assert watchword_threads() == []


async def pass_quickly(_seconds: float) -> None:
    await asyncio.sleep(0.01)


def test_an_async_function_of_the_clients_cannot_wait_for_it() -> None:
    told: list[str] = []

    async def fetch() -> str:
        for ask in (db.ping, lambda: db.wait_for(State.OPEN), lambda: next(db.states())):
            with pytest.raises(RuntimeError, match="cannot wait for the client; use a plain one") as caught:
                ask()
            told.append(str(caught.value))
        return "a.b.c"

    with play_in_thread(welcome()) as server:
        db = watchword.sync.connect(server.url, token=fetch)
        with db:
            assert db.ping() > 0
    assert len(told) == 3


def test_a_plain_function_of_the_clients_may_ask_it() -> None:
    def fetch() -> str:
        if db.state is State.CONNECTING:
            return "first.b.c"
        pings.append(db.ping())
        asked.set()
        return "second.b.c"

    pings: list[float] = []
    asked = threading.Event()
    with play_in_thread(welcome(lifetime_s=0.1)) as server:
        db = watchword.sync.connect(server.url, token=fetch, sleep=pass_quickly)
        with db:
            assert asked.wait(5)
    assert pings[0] > 0


def test_a_token_function_that_never_returns_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for itself nor for the time that what runs in the client's loop may take to end."""
    monkeypatch.setattr(private_loop, "_END_TIMEOUT_S", 20.0)

    def hang() -> str:
        called.set()
        release.wait()
        return "a.b.c"

    called, release = threading.Event(), threading.Event()
    with play_in_thread(welcome()) as server:
        db = watchword.sync.connect(server.url, token=hang)
        with ThreadPoolExecutor() as pool:
            opening = pool.submit(db.open)
            try:
                assert called.wait(5)
                pool.submit(db.close).result(5)
                with pytest.raises(watchword.Closed):
                    opening.result(5)
                assert watchword_threads() == []
            finally:
                release.set()


def raise_in_plain(error: BaseException) -> Callable[[], str]:
    def fetch() -> str:
        raise error

    return fetch


def raise_in_coroutine(error: BaseException) -> watchword.TokenFunction:
    async def fetch() -> str:
        raise error

    return fetch


@pytest.mark.parametrize("form", [raise_in_plain, raise_in_coroutine])
@pytest.mark.parametrize(
    "error",
    [OSError("no route"), StopIteration(), SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()],
    ids=repr,
)
def test_whatever_a_token_function_raises_is_the_cause_of_one_exception(
    form: Callable[[BaseException], watchword.TokenFunction], error: BaseException
) -> None:
    with play_in_thread(welcome()) as server:
        with pytest.raises(watchword.TokenUnavailable):
            watchword.sync.connect(server.url, token=form(error), token_timeout_s=1).open()
        assert server.requests == []
    assert watchword_threads() == []


SCRIPT = """
import threading, watchword
def hang():
    db.close()
    threading.Event().wait()
db = watchword.sync.connect({url!r}, token=hang)
try:
    db.open()
except watchword.Closed as error:
    print(error)
"""


def test_a_script_ends_whatever_its_token_function_does() -> None:
    with play_in_thread(welcome()) as server:
        command = [sys.executable, "-W", "error", "-c", SCRIPT.format(url=server.url)]
        script = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (script.returncode, script.stdout, script.stderr) == (0, "The client is closed.\n", "")
