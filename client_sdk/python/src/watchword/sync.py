"""The client for scripts without an event loop: the same nouns, and every call waits.

    with watchword.sync.connect("ws://127.0.0.1:8080", token=token) as db:
        print(db.user.name)

Each client runs a loop of its own in a thread of its own, so that it keeps its connection while the script does other
things. Its calls may come from any thread.
"""

import asyncio
import inspect
import threading
import warnings
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from types import TracebackType
from typing import Any, TypeVar, Unpack

from watchword import client
from watchword.credentials import Token
from watchword.exceptions import Closed, WatchwordError
from watchword.private_loop import call_in_thread, start_loop
from watchword.rows import Row, Rows
from watchword.state import State, Status, Statuses, why_closed
from watchword.user import User
from watchword.values import Value

__all__ = ["SyncClient", "connect"]

_Result = TypeVar("_Result")


def connect(
    url: str, *, token: Token | Callable[[], str] | None = None, **options: Unpack[client.ConnectOptions]
) -> "SyncClient":
    """A client of a Watchword server: `with watchword.sync.connect(url, token=...) as db`.

    Args:
        token: A JWT, or a function that returns one. A plain function runs in a thread of its own: it may block, ask
            the client, and close it. An async one runs in the client's thread: it must not block, nor wait for the
            client; what it closes is closed once it returns.
        options: As for `watchword.connect`, with the same errors.
    """
    if callable(token):
        token = _make_async(token)
    return SyncClient(client.connect(url, token=token, **options))


def _make_async(function: Callable[[], Any]) -> Callable[[], Awaitable[str]]:
    async def fetch() -> str:
        # In a thread: a plain function may block, and the loop must go on answering the server's pings.
        token = await call_in_thread(function)
        try:
            return await token if inspect.isawaitable(token) else token  # type: ignore[no-any-return]  # checked where it is sent
        except (SystemExit, KeyboardInterrupt) as error:  # they would end the client's loop, and so hang who waits
            raise RuntimeError(f"it raised {type(error).__name__}") from error

    return fetch


class SyncClient:
    """`watchword.Client` for threads. Made by `connect`; opened and closed by `with`, or by `open()` and `close()`."""

    def __init__(self, inner: client.Client) -> None:
        self._client = inner
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closing: Future[None] | None = None
        self._submitting = threading.Lock()  # a call is either before a close or refused, never forgotten by the loop

    # Opening and closing

    def open(self) -> "SyncClient":
        """Start the thread and wait for the first connection; raises as `watchword.connect` does on opening."""
        with self._submitting:
            if self._thread is not None:
                raise RuntimeError("A client connects once; make another with watchword.sync.connect(...)")
            self._loop, self._thread = start_loop()
        try:
            self._call(self._client.__aenter__())
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Close, with a close handshake, within `close_timeout_s`. Closing twice is harmless.

        In an async function of yours that the client calls (token=, sleep=), it closes once that function returns:
        its thread is the client's own, and cannot wait for itself.
        """
        with self._submitting:
            if self._loop is not None and not self._is_forked:
                loop, self._loop = self._loop, None
                self._closing = asyncio.run_coroutine_threadsafe(_close_and_stop(self._client), loop)
            thread, closing = self._thread, self._closing
        if thread is None or closing is None or not thread.is_alive() or thread is threading.current_thread():
            return
        try:
            closing.result()
        except BaseException:
            closing.cancel()  # on Ctrl-C, it ends without the handshake
            raise
        finally:
            thread.join()

    def __enter__(self) -> "SyncClient":
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if self._loop is not None and not self._is_forked:
            warnings.warn(f"{self!r} was not closed; use `with`", ResourceWarning, source=self, stacklevel=2)
            asyncio.run_coroutine_threadsafe(_close_and_stop(self._client), self._loop)

    # Looking

    @property
    def user(self) -> User:
        """Who the server takes this client for; see `watchword.Client.user`."""
        return self._client.user

    @property
    def url(self) -> str:
        """Where the server is."""
        return self._client.url

    @property
    def state(self) -> State:
        """What the client is doing."""
        return self._client.state

    @property
    def status(self) -> Status:
        """What the client is doing, and why."""
        return self._client.status

    def states(self) -> Iterator[Status]:
        """The present status, then every later one, waiting for each; ends after CLOSED."""
        statuses = self._client.states()
        while (status := self._next(statuses)) is not None:
            yield status

    def _next(self, statuses: Statuses) -> Status | None:
        try:
            return self._call(_next(statuses))
        except WatchwordError:
            if self.state is not State.CLOSED:
                raise
            return _finish(_next(statuses))

    def wait_for(self, state: State, *, timeout_s: float | None = None) -> Status:
        """Wait for a state; see `watchword.Client.wait_for`."""
        try:
            return self._call(self._client.wait_for(state, timeout_s=timeout_s))
        except WatchwordError:
            if state is State.CLOSED and self.state is state:
                return self.status
            raise

    def __repr__(self) -> str:
        return repr(self._client).replace("watchword.Client", "watchword.sync.SyncClient", 1)

    # Asking

    def ping(self, *, timeout_s: float = 10.0) -> float:
        """Ask the server for a sign of life; the seconds it took. Raises as `watchword.Client.ping` does."""
        return self._call(self._client.ping(timeout_s=timeout_s))

    def query(self, sql: str, *params: Value, **options: Unpack[client.QueryOptions]) -> Rows:
        """Run SQL; its rows. Arguments and errors are those of `watchword.Client.query`."""
        return self._call(self._client.query(sql, *params, **options))

    def query_one(self, sql: str, *params: Value, **options: Unpack[client.QueryOptions]) -> Row | None:
        """The first row of `query`, or None where there is none."""
        return self._call(self._client.query_one(sql, *params, **options))

    def query_value(self, sql: str, *params: Value, **options: Unpack[client.QueryOptions]) -> Value:
        """The first value of the first row of `query`, or None where there is none."""
        return self._call(self._client.query_value(sql, *params, **options))

    def execute_many(self, sql: str, rows: Iterable[Iterable[Value]], **options: Unpack[client.QueryOptions]) -> int:
        """One statement for each row of parameters, in one transaction; see `watchword.Client.execute_many`."""
        return self._call(self._client.execute_many(sql, rows, **options))

    def transaction(
        self, *statements: str | tuple[str, *tuple[Value, ...]], **options: Unpack[client.QueryOptions]
    ) -> list[Rows]:
        """Statements that happen together or not at all; see `watchword.Client.transaction`."""
        return self._call(self._client.transaction(*statements, **options))

    def _call(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        if self._thread is threading.current_thread():
            work.close()
            raise RuntimeError("An async function that the client calls cannot wait for the client; use a plain one")
        if self._is_forked:
            work.close()
            raise RuntimeError("The client belongs to the process that opened it; open another after a fork")
        with self._submitting:
            future = asyncio.run_coroutine_threadsafe(work, self._loop) if self._loop is not None else None
        if future is None:
            work.close()
            raise self._explain_end()
        try:
            return future.result()
        except CancelledError:
            raise self._explain_end() from None
        except BaseException:
            future.cancel()  # on Ctrl-C, what was asked must not go on in the thread
            raise

    @property
    def _is_forked(self) -> bool:
        """The client's thread stayed in the parent process, and only the parent may speak on its socket."""
        return self._loop is not None and self._thread is not None and not self._thread.is_alive()

    def _explain_end(self) -> WatchwordError:
        if self._thread is None:
            return Closed("The client is not open; use `with`.")
        self._thread.join()  # it is on its way; the last status is then final
        return why_closed(self.status)


async def _close_and_stop(inner: client.Client) -> None:
    try:
        await inner.close()
    finally:
        asyncio.get_running_loop().stop()


async def _next(statuses: Statuses) -> Status | None:
    return await anext(statuses, None)


def _finish(work: Coroutine[Any, Any, _Result]) -> _Result:
    """The result of what needs not wait, and so no loop."""
    try:
        work.send(None)
    except StopIteration as done:
        result: _Result = done.value
        return result
    work.close()
    raise RuntimeError("Something waits that must not")
