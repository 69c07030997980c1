"""What keeps a client connected: dials, renews, and dials again as `reconnect` decides.

One task owns everything here, so that ending it ends everything. The client is only a handle on it.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchword.argument import check_flag, check_seconds
from watchword.connection import Connection
from watchword.credentials import Credential, Present, present_credential
from watchword.exceptions import Closed, ConnectFailed, ConnectionLost, ServerError, TokenUnavailable, WatchwordError
from watchword.reconnect import Attempts, Ending, Retry, Stop, decide
from watchword.renewal import renew_until_ended
from watchword.state import State, StateLog, Status, why_closed
from watchword.timing import Timing
from watchword.upgrade import SocketOptions
from watchword_protocol.errors import Advice

if TYPE_CHECKING:
    from watchword.user import User

__all__ = ["Link", "LinkOptions"]

_log = logging.getLogger("watchword")


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """How a link behaves; `connect` says what each means."""

    present: Present
    reconnect: bool
    retry_first: bool
    token_timeout_s: float
    socket: SocketOptions

    def __post_init__(self) -> None:
        check_flag("reconnect", self.reconnect)
        check_flag("retry_first", self.retry_first)
        check_seconds("token_timeout_s", self.token_timeout_s)


class Link:
    """From the first attempt to the end: at most one connection at a time, and the states in between."""

    def __init__(self, url: str, credential: Credential, options: LinkOptions, timing: Timing) -> None:
        self.url = url
        self.states = StateLog()
        self._credential = credential
        self._options = options
        self._timing = timing
        self._attempts = Attempts()
        self._connection: Connection | None = None
        self._last_user: User | None = None
        self._task: asyncio.Task[None] | None = None
        self._was_open = False
        self._is_ending = False
        self._refusal: ServerError | None = None

    # What the client asks

    async def open(self) -> None:
        """Start, and wait for the first connection. Raises what stopped it; cancelled, it leaves nothing behind."""
        if self._task is not None:
            raise RuntimeError("A client connects once; make another with watchword.connect(...)")
        self._task = asyncio.create_task(self._run(), name="watchword link")
        try:
            await self.states.wait_for(State.OPEN)
        except BaseException:
            await self.close()
            raise

    @property
    def user(self) -> "User | None":
        """The context of the present connection, or of the last one while there is none."""
        return self._connection.user if self._connection else self._last_user

    @property
    def connection(self) -> Connection:
        """The connection that is open now.

        Raises:
            ConnectionLost: There is none at this moment.
            WatchwordError: There will be none: what closed the client, or Closed.
        """
        status = self.states.status
        if status.state is State.OPEN and self._connection is not None:
            return self._connection
        if status.state is State.CLOSED:
            raise why_closed(status)
        if self._task is None:
            raise Closed("The client is not open yet; use `async with`.")
        raise ConnectionLost(f"Not connected now: {status}")

    async def close(self) -> None:
        """End it, with a close handshake where there is a connection; bounded by `close_timeout_s`.

        Cancelled, it ends without the handshake, and leaves nothing behind either.
        """
        task = self._task
        if task is None:
            self.states.publish(Status(State.CLOSED))
            return
        if not self._is_ending:  # a second cancel would cut the handshake of the first short
            self._is_ending = True
            task.cancel()
        if task is asyncio.current_task():
            return  # asked by the token function, which this very task runs
        try:
            if not task.done():  # it is, where the loop that it ran in is closed
                await asyncio.wait({task})
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait({task})  # at once: nothing in it waits for the peer any more
            raise
        if not task.cancelled():
            task.result()  # a fault of ours does not end in silence

    def abandon(self) -> None:
        """End it from anywhere, without waiting; for a client that was forgotten."""
        if self._task is not None and not self._task.done() and not (loop := self._task.get_loop()).is_closed():
            loop.call_soon_threadsafe(self._task.cancel)

    # What the task does

    async def _run(self) -> None:
        reason: WatchwordError | None = None
        try:
            error: WatchwordError | None = None
            while True:
                self._connection = connection = await self._connect(error)
                self._was_open = True
                self.states.publish(Status(State.OPEN))
                error = await self._keep(connection)
                _log.info("Connection %s ended. %s", connection.user.connection_id, error)
        except WatchwordError as error:
            reason = error
        finally:
            try:
                if self._connection is not None:
                    await self._connection.close()
            finally:
                self._publish_end(Status(State.CLOSED, reason))

    async def _connect(self, error: WatchwordError | None) -> Connection:
        """Attempts until one succeeds. Raises the error after which there is none."""
        while True:
            if error is not None:
                await self._wait_for_next(error)
            try:
                return await self._attempt()
            except (ServerError, ConnectFailed, TokenUnavailable) as failure:
                if failure.outcome:
                    raise
                error = failure

    async def _attempt(self) -> Connection:
        """Raises what prevented it; with an `outcome` where there must be no other attempt."""
        credential = await self._credential.fetch(self._options.token_timeout_s)
        if self._credential.is_refused(credential):
            assert self._refusal is not None  # noqa: S101  # it is what refused it
            self._refusal.outcome = "the token function returned a token that was refused before"
            raise self._refusal
        self._credential.offer(credential)
        presented = present_credential(credential, self._options.present)
        try:
            connection = await Connection.open(self.url, presented, self._options.socket, self._timing.clock)
        except ServerError as error:
            self._note_refusal(error, is_offered=True)
            raise
        self._credential.accept()
        return connection

    async def _keep(self, connection: Connection) -> WatchwordError:
        """Stay until the connection ends, its token renewed; why it ended."""
        renewal = asyncio.create_task(self._renew(connection), name="watchword renewal")
        try:
            error = await connection.wait_ended()
        finally:
            renewal.cancel()
            (fault,) = await asyncio.gather(renewal, return_exceptions=True)
            if isinstance(fault, Exception):
                _log.error(
                    "The token was not renewed: a fault, perhaps of a function given to connect.", exc_info=fault
                )
        self._note_refusal(error, is_offered=connection.is_login_refused)
        return error

    async def _renew(self, connection: Connection) -> None:
        if self._credential.can_renew:
            await renew_until_ended(
                connection,
                self._credential,
                self._timing,
                token_timeout_s=self._options.token_timeout_s,
                reply_timeout_s=self._options.socket.open_timeout_s,
            )

    def _note_refusal(self, error: WatchwordError, *, is_offered: bool) -> None:
        if isinstance(error, ServerError) and error.advice in (Advice.NEW_TOKEN, Advice.STOP):
            self._credential.refuse(is_offered=is_offered)
            self._refusal = error

    async def _wait_for_next(self, error: WatchwordError) -> None:
        """Wait as decided, or raise the error where the decision is to stop."""
        authenticated_s = 0.0
        if self._connection is not None:
            authenticated_s = self._connection.authenticated_s
            await self._connection.close()
        decision, self._attempts = decide(
            _describe(error, authenticated_s), self._attempts, self._credential.kind, self._timing.random()
        )
        if isinstance(decision, Stop):
            error.outcome = decision.why
            raise error
        if not self._may_retry(decision):
            raise error
        state = State.RECONNECTING if self._was_open else State.CONNECTING
        self._publish_end(Status(state, error, decision.after_s))
        _log.info("Next attempt in %.1f s.", decision.after_s)
        await self._timing.sleep(decision.after_s)
        self.states.publish(Status(state, error))

    def _publish_end(self, status: Status) -> None:
        """Enter the state without a connection, then fail what was asked: whoever hears of the end finds that state."""
        self.states.publish(status)
        connection, self._connection = self._connection, None
        if connection is not None:
            self._last_user = connection.user
            connection.let_go()

    def _may_retry(self, retry: Retry) -> bool:
        """Who waits for the first connection hears of a failure at once, but a refused token is replaced once."""
        if self._was_open:
            return self._options.reconnect
        return self._options.retry_first or (retry.is_anew and self._attempts.failures == 1)


def _describe(error: WatchwordError, authenticated_s: float) -> Ending:
    return Ending(
        close_code=1006 if error.close_code is None else error.close_code,
        code=error.code if isinstance(error, ServerError) else None,
        advice=error.advice if isinstance(error, ServerError) else None,
        http_status=error.http_status,
        retry_after_ms=error.retry_after_ms,
        authenticated_s=authenticated_s,
    )
