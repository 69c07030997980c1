"""One authenticated socket, from its handshake to its end; replies matched to requests."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, Generic, TypeVar

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from watchword.credentials import Presented
from watchword.ending import explain_close, explain_message
from watchword.exceptions import Closed, ConnectFailed, ConnectionLost, MessageTooLarge, ServerError, WatchwordError
from watchword.upgrade import SocketOptions, upgrade
from watchword.user import User, read_user
from watchword_protocol.codec import SERVER_TYPES, Fault, decode_server, encode
from watchword_protocol.limits import CLOSE_REASON_BYTES
from watchword_protocol.messages import (
    Authenticate,
    AuthError,
    AuthSuccess,
    ClientMessage,
    Draining,
    ErrorMessage,
    Ping,
    Pong,
    QueryResult,
    ServerMessage,
    SubscriptionAck,
    TokenExpiring,
    Unsubscribed,
)

__all__ = ["Connection"]

_log = logging.getLogger("watchword")

_Answer = TypeVar("_Answer")
_Reply = Pong | QueryResult | SubscriptionAck | Unsubscribed
_R = TypeVar("_R", bound=_Reply)
# RFC 6455 7.4.1
_NORMAL: Final = 1000
_PROTOCOL_ERROR: Final = 1002
_INTERNAL_ERROR: Final = 1011


@dataclass(frozen=True, slots=True)
class _Question(Generic[_R]):
    message: ClientMessage
    kind: type[_R]
    answer: asyncio.Future[_R]

    def settle(self, reply: _Reply) -> None:
        if not isinstance(reply, self.kind):
            raise ValueError(f"{type(reply).__name__} in answer to {type(self.message).__name__}")
        _settle(self.answer, reply)


class Connection:
    """One socket. `open` makes one; `wait_ended` tells how it ended; `close` may be called at any time, and twice.

    What was asked and is not answered fails only with `let_go`, so that the owner can enter its new state before.
    """

    def __init__(self, socket: ClientConnection, options: SocketOptions, clock: Callable[[], float]) -> None:
        loop = asyncio.get_running_loop()
        self.expiring = asyncio.Event()
        """Set by the server's notice that the token ends soon, cleared by a renewal."""
        self._socket = socket
        self._options = options
        self._clock = clock
        self._user: User | None = None
        self._authenticated_at: float | None = None
        self._authentication: asyncio.Future[User] | None = loop.create_future()
        self._ended: asyncio.Future[WatchwordError] = loop.create_future()
        self._is_let_go: asyncio.Future[None] = loop.create_future()
        self._ids = count(1)
        self._pending: dict[object, _Question[Any]] = {}
        self._last_error: AuthError | ErrorMessage | None = None
        self._come_back_at: float | None = None
        self._is_closing = False
        self._has_warned = False
        self._reader = asyncio.create_task(self._read(), name="watchword reader")

    # Beginning

    @classmethod
    async def open(
        cls, url: str, presented: Presented, options: SocketOptions, clock: Callable[[], float]
    ) -> "Connection":
        """Connect and authenticate.

        Raises:
            ServerError: The server refused it, by a message, a close code or an HTTP status.
            ConnectFailed: Anything else; also no answer within `open_timeout_s`.
        """
        try:
            async with asyncio.timeout(options.open_timeout_s):
                connection = cls(await upgrade(url, presented, options), options, clock)
                try:
                    await connection._log_in(presented)
                except BaseException:
                    await connection._abort()
                    raise
                return connection
        except TimeoutError:
            raise ConnectFailed(f"No answer from {url} within {options.open_timeout_s:g} s.") from None

    async def _log_in(self, presented: Presented) -> None:
        answer = self._authentication
        assert answer is not None  # noqa: S101  # from the constructor; nothing was received yet
        if presented.message is not None:
            await self._send(presented.message)
        await _wait_for_either(answer, self._ended)
        refusal = answer.exception() if answer.done() else None
        if answer.done() and refusal is None:
            return
        # A refusal's close frame follows it, and its code is the advice where the error's name is not known here.
        await asyncio.wait({self._ended}, timeout=self._options.close_timeout_s)
        if self._ended.done():
            refusal = self._ended.result()
        if isinstance(refusal, ConnectionLost):  # it was never open, and no proxy's close code makes it so
            raise ConnectFailed(f"No answer to the credential. {refusal}", close_code=refusal.close_code) from refusal
        raise refusal or ConnectFailed("No answer to the credential.")

    # Life

    @property
    def user(self) -> User:
        """The context as of the last `auth_success`."""
        assert self._user is not None  # noqa: S101  # `open` returns only then
        return self._user

    @property
    def authenticated_s(self) -> float:
        """Seconds since the first `auth_success`, 0 before it."""
        return 0.0 if self._authenticated_at is None else self._clock() - self._authenticated_at

    @property
    def is_login_refused(self) -> bool:
        """The last word was an `auth_error`: it speaks of what was presented last, not of what was valid until then."""
        return isinstance(self._last_error, AuthError)

    async def ping(self, timeout_s: float) -> float:
        """Ask the server for a sign of life; the seconds it took."""
        asked_at = self._clock()
        await self.request(lambda message_id: Ping(id=message_id), Pong, timeout_s)
        return self._clock() - asked_at

    async def request(self, build: Callable[[int], ClientMessage], kind: type[_R], timeout_s: float) -> _R:
        """Send a message and wait for its answer; answers may overtake each other.

        Args:
            build: Makes the message, given the id under which the answer will come.
            kind: Of the answer; one of another kind is no message of Watchword.
        Raises:
            ServerError: The server answered with an error.
            MessageTooLarge: The message is over the server's limit. It was not sent, since it would end the connection.
            ConnectionLost: The connection ended before the answer came; Closed where it was you who ended it.
            TimeoutError: No answer within `timeout_s`; one that comes later is dropped.
        """
        message_id = next(self._ids)
        message = build(message_id)
        answer: asyncio.Future[_R] = asyncio.get_running_loop().create_future()
        self._pending[message_id] = _Question(message, kind, answer)
        try:
            return await self._ask(message, answer, timeout_s)
        finally:
            del self._pending[message_id]

    async def authenticate(self, credential: Authenticate, timeout_s: float) -> User:
        """Renew the connection in place. A ServerError means that it ends, unless it is KeyUnavailable."""
        self._authentication = answer = asyncio.get_running_loop().create_future()
        try:
            return await self._ask(credential, answer, timeout_s)
        finally:
            self._authentication = None

    async def _ask(self, message: ClientMessage, answer: asyncio.Future[_Answer], timeout_s: float) -> _Answer:
        try:
            async with asyncio.timeout(timeout_s):
                await self._send(message)
                await _wait_for_either(answer, self._is_let_go)
        except TimeoutError:
            raise TimeoutError(f"No answer to {type(message).__name__} within {timeout_s:g} s") from None
        if answer.done():
            return answer.result()
        ending = await self.wait_ended()
        if isinstance(ending, MessageTooLarge | Closed):  # it ended because of what was in flight, or of you
            raise ending.with_traceback(None)
        raise ConnectionLost(f"The connection ended before the answer. {ending}") from ending

    async def _send(self, message: ClientMessage) -> None:
        data = encode(message)
        limit = self._user.limits.max_message_bytes if self._user else None
        if limit is not None and len(data) > limit:
            raise MessageTooLarge(f"A message of {len(data):,} bytes is over the server's limit of {limit:,}")
        try:
            await self._socket.send(data, text=True)
        except ConnectionClosed:
            await asyncio.wait({self._ended})  # the reader sees the same end, and explains it

    # Receiving

    async def _read(self) -> None:
        ending: WatchwordError = ConnectionLost("The connection was given up.")
        try:
            while True:
                message = decode_server(await self._socket.recv(decode=False))
                self._receive(message)
        except ConnectionClosed as closed:
            ending = self._explain(closed)
        except ValueError as error:
            ending = ConnectionLost(f"The server sent something that is not a message of Watchword: {error}.")
            await self._close_socket(_PROTOCOL_ERROR, str(error))
        except Exception:  # noqa: BLE001  # it is logged; a reader that dies in silence would leave an open socket
            _log.exception("A message of the server's met a fault of this client; the connection is given up.")
            ending = ConnectionLost("The connection was given up: a fault of this client, which its log tells.")
            await self._close_socket(_INTERNAL_ERROR, "")
        finally:
            self._ended.set_result(ending)

    def _receive(self, message: ServerMessage | Fault) -> None:
        self._last_error = message if isinstance(message, AuthError | ErrorMessage) else None
        match message:
            case Fault(type=str(kind)) if kind not in SERVER_TYPES:
                _log.debug("< %s, unknown here and ignored", kind)  # a newer server's
            case Fault():
                raise ValueError(message.message)
            case AuthSuccess():
                user = read_user(message)
                if self._user is not None and self._user.id != user.id:
                    raise ValueError("an auth_success that makes the connection another user's")
                self._user = user
                self._authenticated_at = self._authenticated_at or self._clock()
                self.expiring.clear()
                _settle(self._authentication, user)
            case AuthError():
                _settle(self._authentication, explain_message(message))
            case ErrorMessage() if message.id in self._pending:
                _settle(self._pending[message.id].answer, explain_message(message))
            case ErrorMessage():
                # Once for each connection: a server may have very many of them to tell.
                _log.log(logging.DEBUG if self._has_warned else logging.WARNING, "< %s", explain_message(message))
                self._has_warned = True
            case Pong() | QueryResult() | SubscriptionAck() | Unsubscribed() if message.id in self._pending:
                self._pending[message.id].settle(message)
            case TokenExpiring():
                self.expiring.set()
            case Draining():
                self._come_back_at = self._clock() + message.reconnect_after_ms / 1000
            case _:
                _log.debug("< %s, which nobody waits for", type(message).__name__)

    def _explain(self, closed: ConnectionClosed) -> WatchwordError:
        if self._is_closing:
            return Closed("The client was closed before the answer.")
        if closed.sent is not None and not closed.rcvd_then_sent and self._last_error is None:
            # By the library: no answer to a ping, a message over our limit, a frame that is none.
            return ConnectionLost(f"The connection was given up: {closed.sent.reason or closed.sent.code}.")
        wait_s = 0.0 if self._come_back_at is None else max(0.0, self._come_back_at - self._clock())
        code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (None, "")
        return explain_close(code, reason, self._last_error, retry_after_ms=round(wait_s * 1000))

    # End

    async def wait_ended(self) -> WatchwordError:
        """Why the connection ended, once it did."""
        await asyncio.wait({self._ended})
        return self._ended.result()

    def let_go(self) -> None:
        """Tell everybody who waits for an answer that none will come; once, after the end."""
        self._is_let_go.set_result(None)

    async def close(self) -> None:
        """Close with a close frame, and without one where the server does not answer it within `close_timeout_s`."""
        self._is_closing = True
        try:
            await self._close_socket(_NORMAL, "")
        finally:
            await self._abort()

    async def _close_socket(self, code: int, reason: str) -> None:
        text = reason.encode()[:CLOSE_REASON_BYTES].decode(errors="ignore")
        try:
            # The library's own bound does not hold while it waits to write to a peer that never reads.
            async with asyncio.timeout(self._options.close_timeout_s):
                await self._socket.close(code, text)
        except TimeoutError:
            self._socket.transport.abort()

    async def _abort(self) -> None:
        """Drop the socket, which ends the reader; nothing of a closed one is left to drop."""
        self._socket.transport.abort()
        await asyncio.wait({self._reader})


async def _wait_for_either(one: asyncio.Future[Any], other: asyncio.Future[Any]) -> None:
    await asyncio.wait({one, other}, return_when=asyncio.FIRST_COMPLETED)


def _settle(answer: "asyncio.Future[_Answer] | None", outcome: "_Answer | ServerError") -> None:
    """Answer who waits; nobody does after a timeout."""
    if answer is None or answer.done():
        return
    if isinstance(outcome, ServerError):
        answer.set_exception(outcome)
        answer.exception()  # counts as looked at: who asked may have been cancelled meanwhile
    else:
        answer.set_result(outcome)
