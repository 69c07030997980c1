"""A WebSocket connection: bytes to messages, effects to bytes.

    bytes -> Incoming: one event at a time -> message -> Connection: what now? -> effects, done here -> Outbox -> bytes

One object a connection, without a task, queue or timer: one sweep looks at everybody's deadline. Only a credential that
must wait for the store or for a hash pauses reading and goes on in a task; queries are the `QueryQueue`'s to run.
"""

import asyncio
from collections.abc import Callable
from math import inf
from typing import Any, ClassVar, Final

from watchword_protocol.codec import Fault, decode_client, encode
from watchword_protocol.errors import ErrorCode
from watchword_protocol.limits import EARLY_MESSAGE_BYTES
from watchword_protocol.messages import AuthError, Draining, Query, ServerMessage
from watchword_server.auth.credentials import Credential, Peer
from watchword_server.budget import Verdict
from watchword_server.connection import (
    Abort,
    CheckCredential,
    Close,
    Connection,
    Effect,
    Handle,
    Moment,
    Send,
    SendPing,
    State,
)
from watchword_server.gateway.frames import PING_FRAME, text_frame
from watchword_server.gateway.incoming import Event, Incoming, Kind
from watchword_server.gateway.outbox import Outbox
from watchword_server.gateway.query_queue import QueryQueue
from watchword_server.gateway.reader import READ_BYTES, BoundedReader, end_sending
from watchword_server.gateway.response import refusal
from watchword_server.gateway.service import Service
from watchword_server.gateway.upgrade import HttpRefused
from watchword_server.refusal import Refused
from watchword_server.user import AuthenticatedUser

__all__ = ["WebSocket"]

# Answered over HTTP in both modes: no fault of the client's, and not worth an upgrade.
_ALWAYS_OVER_HTTP: Final = frozenset({ErrorCode.OVERLOADED})

# The peer's close frame stands behind what is not worth reading, or cannot be read: it is not waited for.
_DEAFENING: Final = frozenset({ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.RATE_LIMITED})

# How long an end that is not urgent waits for the answers to writes that run. A stopping server has longer; where the
# account ends it, within a second, the statement that did so may be this connection's own.
_PATIENCE_S: Final = {ErrorCode.SERVER_SHUTDOWN: 5.0}
_SHORT_PATIENCE_S: Final = 0.25
# What a peer may have under way when it is told to stop.
_MAX_OVERHEARD_BYTES: Final = 16_777_216

_BINARY, _TOO_LARGE, _FLOOD = (
    Fault(code, code.message)
    for code in (ErrorCode.UNSUPPORTED_DATA, ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.RATE_LIMITED)
)


class WebSocket(BoundedReader):
    """One connection from its upgrade to its end.

    Args:
        service: What all connections share.
        peer: Who connects.
        socket_address: The other end of the socket, a proxy's perhaps.
        opening: The 101, which leaves together with the first message once the credential has been judged.
        has_credential: The upgrade request brought one, or what should have been one.
        is_v1: `watchword.v1` was negotiated.
        now: The moment of the upgrade.
    """

    __slots__ = (
        "_connection",
        "_incoming",
        "_is_deaf",
        "_is_reading",
        "_is_resting",
        "_is_waiting",
        "_leaves_at",
        "_leaves_with",
        "_message_bytes",
        "_opening",
        "_outbox",
        "_overheard_bytes",
        "_peer",
        "_presented",
        "_queries",
        "_service",
        "_socket_address",
        "_task",
        "_transport",
    )

    def __init__(
        self,
        service: Service,
        peer: Peer,
        *,
        socket_address: str,
        opening: bytes,
        has_credential: bool,
        is_v1: bool,
        now: Moment,
    ) -> None:
        self._service = service
        self._peer = peer
        self._socket_address = socket_address
        self._opening: bytes | None = opening
        self._connection = Connection(service.connection_rules, has_credential=has_credential, is_v1=is_v1, now=now)
        self._incoming = Incoming(EARLY_MESSAGE_BYTES)
        self._is_reading = True
        self._is_resting = False  # a whole buffer was read: it is the others' turn
        self._is_waiting = False  # for a turn of the loop: others have used this one up
        self._is_deaf = False  # nothing that the peer still says is looked at
        self._overheard_bytes = 0
        self._task: asyncio.Task[None] | None = None  # while a credential is being checked
        self._presented: Credential | None = None  # the same
        self._queries: QueryQueue | None = None  # from the first query on
        self._message_bytes = 0  # of the message that is being looked at
        self._leaves_with: ErrorCode | None = None  # once its writes are answered
        self._leaves_at = inf

    def __repr__(self) -> str:
        return f"<WebSocket from {self._peer.address}: {self._connection!r}>"

    @property
    def user(self) -> AuthenticatedUser | None:
        """The user context; None until it is authenticated."""
        return self._connection.user

    def start(
        self, transport: asyncio.Transport, credential: Credential | Refused | None, rest: bytes, now: Moment
    ) -> None:
        """Take the transport and judge what the request brought; `rest` is what was sent behind it."""
        self._transport = transport
        self._outbox = Outbox(transport, self._service.rules.max_unsent_bytes)
        self._service.open.add(self)
        transport.set_protocol(self)
        if credential is None:
            self._outbox.push(self._opening or b"")
            self._opening = None
        elif isinstance(credential, Refused):
            self._perform(self._connection.refused(credential, now), now)
        else:
            self._check(credential, now)
        self.receive(rest)

    # The transport

    def connection_lost(self, exc: Exception | None) -> None:
        service, connection = self._service, self._connection
        if self._task is not None:
            self._task.cancel()
        self._abandon_queries()
        self._queries = None  # which refers to us
        if connection.user is not None:
            service.registry.remove(connection.user.id, self)
        service.open.discard(self)
        service.connections.leave(self._peer.address)
        service.sockets.leave(self._socket_address)
        service.journal.ended(connection, self._peer.address)
        connection.peer_closed(service.now())

    def pause_writing(self) -> None:
        self._outbox.pause(self._service.clock.monotonic())
        self._read_or_pause()

    def resume_writing(self) -> None:
        self._outbox.resume()
        if self._queries is not None:
            self._queries.deliver()
        self._go_on_with_queries()

    def buffer_updated(self, nbytes: int) -> None:
        if nbytes == READ_BYTES:
            # libuv reads up to 32 times before it looks at anybody else, unless reading is paused.
            self._is_resting = True
            asyncio.get_running_loop().call_soon(self._go_on)
        super().buffer_updated(nbytes)

    def receive(self, data: bytes) -> None:
        if self._is_deaf or self._connection.state is State.CLOSED:
            self._overhear(data)
            return
        now = self._service.now()
        if data:
            self._connection.heard_at = now.monotonic
            self._incoming.feed(data)
        pace = self._service.pace
        while not self._is_held:
            if self._incoming.waiting_bytes and not pace.begin():
                self._is_waiting = True
                pace.wait(self.user.id if self.user else self._peer.address, self._go_on_receiving)
                break
            event = self._incoming.next_event()
            if event is None:
                break
            self._take(event, now)
        pace.end()
        self._outbox.flush()
        self._read_or_pause()

    def _overhear(self, data: bytes) -> None:
        """Read on only so that our last words are not lost behind a reset, and the peer's end is seen; not for ever."""
        self._overheard_bytes += len(data)
        if self._overheard_bytes > _MAX_OVERHEARD_BYTES:
            self._transport.abort()
        self._read_or_pause()

    # The sweep, the registry, the server

    def is_due(self, now: Moment) -> bool:
        """Whether `tick` has something to do."""
        connection = self._connection
        return (
            connection.deadline <= now.monotonic
            or self._leaves_at <= now.monotonic
            or connection.wall_deadline <= now.wall
            or self._outbox.stalled_at is not None
        )

    def tick(self, now: Moment) -> None:
        """A deadline has passed, or the peer may be stuck."""
        if self._leaves_with is not None and self._leaves_at <= now.monotonic:
            self._leave(self._leaves_with)
        if self._queries is not None and self._queries.is_full:
            self._connection.heard_at = now.monotonic  # as below: we do not listen
        if self._outbox.stalled_at is not None:
            # We do not listen while the peer does not read, so that its silence says nothing.
            self._connection.heard_at = now.monotonic
            if self._outbox.is_stuck(now.monotonic, self._service.rules.stall_timeout_s):
                self._perform(self._connection.end(ErrorCode.SLOW_CONSUMER, now), now)
        self._perform(self._connection.tick(now), now)
        self.receive(b"")  # a check may have been given up, so that reading goes on

    def end(self, code: ErrorCode) -> None:
        """Close with this error, behind the answers to writes that run. Ending twice is harmless."""
        if self._leaves_with is not None:
            return
        if self._queries is None or not self._queries.is_writing:
            self._leave(code)
            return
        self._queries.stop()
        self._leaves_with = code
        self._leaves_at = self._service.clock.monotonic() + _PATIENCE_S.get(code, _SHORT_PATIENCE_S)
        self._outbox.flush()  # what was said before
        self._read_or_pause()

    def _leave(self, code: ErrorCode) -> None:
        now = self._service.now()
        self._leaves_with, self._leaves_at = None, inf
        self._perform(self._connection.end(code, now), now)
        self.receive(b"")  # as in tick

    def shutdown(self) -> None:
        """The server stops."""
        if self._connection.is_v1 and self._connection.state is State.OPEN:
            self._send(Draining(next(self._service.reconnect_delays_ms)))
        self.end(ErrorCode.SERVER_SHUTDOWN)

    # What came

    @property
    def _is_held(self) -> bool:
        """Nothing more is read while a credential is being checked, nor while the peer waits for its turn, does not
        read our answers, has asked more than may wait, or is about to be told to go.
        """
        return (
            self._connection.is_checking
            or self._is_waiting
            or self._outbox.stalled_at is not None
            or (self._queries is not None and (self._queries.is_full or self._leaves_with is not None))
        )

    def _go_on(self) -> None:
        self._is_resting = False
        self._read_or_pause()

    def _go_on_receiving(self) -> None:
        """It is our turn."""
        self._is_waiting = False
        try:
            self.receive(b"")
        except Exception as error:  # noqa: BLE001  # see `_break`
            self._break(error)

    @property
    def _is_full(self) -> bool:
        """While it is held a little is taken in, unread, so that a peer that leaves is noticed."""
        return self._is_held and (self._outbox.stalled_at is not None or self._incoming.waiting_bytes >= READ_BYTES)

    def _read_or_pause(self) -> None:
        if (self._is_full or self._is_resting) == self._is_reading and not self._transport.is_closing():
            self._is_reading = not self._is_reading
            if self._is_reading:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def _take(self, event: Event, now: Moment) -> None:
        connection = self._connection
        match event.kind:
            case Kind.TEXT:
                verdict = connection.charge(now.monotonic)
                self._message_bytes = len(event.payload)
                self._perform(connection.receive(decode_client(event.payload), verdict, now), now)
            case Kind.BINARY:
                verdict = connection.charge(now.monotonic)
                self._perform(connection.receive(_BINARY, verdict, now), now)
            case Kind.PING | Kind.PONG | Kind.FRAGMENT:
                verdict = connection.charge(now.monotonic)
                if verdict is Verdict.END:
                    self._perform(connection.receive(_FLOOD, verdict, now), now)
                elif verdict is Verdict.RUN and not connection.is_ended:
                    self._outbox.push(event.answer)
            case Kind.TOO_LARGE:
                self._perform(connection.receive(_TOO_LARGE, Verdict.RUN, now), now)
            case Kind.CLOSE:
                if not connection.is_ended:
                    self._outbox.push(event.answer)
                self._outbox.flush()
                connection.peer_closed(now)
                self._abandon_queries()
                self._transport.close()  # as a server does first (RFC 6455 7.1.1)
            case Kind.BROKEN:
                connection.failed(now)
                self._abandon_queries()
                self._outbox.push(event.answer)
                self._end_sending()

    # What goes out

    def _send(self, message: ServerMessage) -> None:
        self._outbox.push(text_frame(encode(message)))

    def _perform(self, effects: list[Effect], now: Moment) -> None:
        if self._opening is not None and effects:
            opening, self._opening = self._opening, None
            if (refused := self._refused_over_http(effects)) is not None:
                self._answer_over_http(*refused, now)
                return
            self._outbox.push(opening)
        for effect in effects:
            self._PERFORMERS[type(effect)](self, effect, now)

    def _perform_send(self, effect: Send, _now: Moment) -> None:
        message = effect.message
        if isinstance(message, AuthError):
            who = self.user.name if self.user else None
            self._service.journal.refused(ErrorCode[message.code], message.request_id, self._peer.address, user=who)
            self._note_failure(ErrorCode[message.code], message.request_id)
        self._send(message)

    def _perform_handle(self, effect: Handle, _now: Moment) -> None:
        if isinstance(effect.message, Query):
            self._ask(effect.message)
            return
        try:
            answers = self._service.handlers.handle(effect.message, effect.user)
        except Exception as error:  # noqa: BLE001  # the end of the ladder: the unexpected is logged, the client gets its id
            answers = [self._service.internal_error(error, effect.message, self._connection)]
        for answer in answers:
            self._send(answer)

    def _perform_close(self, effect: Close, _now: Moment) -> None:
        """Our side of the closing handshake (RFC 6455 7.1.2), behind all that was said before."""
        code = effect.code
        assert code.close is not None  # noqa: S101  # connections end by rows that have one
        if self._task is not None:
            self._task.cancel()
        self._abandon_queries()
        if self._outbox.stalled_at is not None:
            self._transport.abort()  # the close frame could not be delivered
            return
        self._outbox.push(self._incoming.close(code.close, code.name))
        if code in _DEAFENING:
            self._is_deaf = True
            self._incoming.discard()
            self._end_sending()

    def _perform_ping(self, _effect: SendPing, _now: Moment) -> None:
        self._outbox.push(PING_FRAME)

    def _perform_abort(self, _effect: Abort, _now: Moment) -> None:
        self._transport.abort()

    def _end_sending(self) -> None:
        self._outbox.flush()
        end_sending(self._transport)

    def _refused_over_http(self, effects: list[Effect]) -> tuple[ErrorCode, AuthError] | None:
        """The refusal among the effects, where it is told by HTTP status and not by close code."""
        match effects:
            case [Send(AuthError() as error), Close(code)]:
                over_http = self._service.rules.refuses_over_http or code in _ALWAYS_OVER_HTTP
                return (code, error) if over_http else None
        return None

    def _answer_over_http(self, code: ErrorCode, error: AuthError, now: Moment) -> None:
        if self._task is not None:
            self._task.cancel()
        refused = HttpRefused(code.http, code, error.message)
        self._service.journal.refused(code, error.request_id, self._peer.address)
        self._note_failure(code, error.request_id)
        self._connection.peer_closed(now)
        retry_after_ms = error.retry_after_ms
        self._transport.write(refusal(refused, error.request_id, retry_after_ms=retry_after_ms))
        end_sending(self._transport)

    # Queries

    def _ask(self, query: Query) -> None:
        if self._queries is None:
            self._queries = QueryQueue(
                self._service,
                self._connection,
                self._outbox,
                on_answer=self._go_on_with_queries,
                on_failure=self._break,
            )
        self._queries.add(query, self._message_bytes)

    def _go_on_with_queries(self) -> None:
        """Queries were answered, and what waited for that may go on: the end of the connection, further reading."""
        if self._leaves_with is not None and self._queries is not None and not self._queries.is_writing:
            self._leave(self._leaves_with)
        if self._incoming.waiting_bytes or not self._is_reading:
            self.receive(b"")
        else:
            self._outbox.flush()

    def _abandon_queries(self) -> None:
        if self._queries is not None:
            self._queries.abandon()

    def _break(self, error: Exception) -> None:
        """What a callback raises ends its connection: so must what a task does."""
        self._service.report(error, self._connection)
        self._transport.abort()

    # The credential

    def _perform_check(self, effect: CheckCredential, now: Moment) -> None:
        self._check(effect.credential, now)

    def _note_failure(self, code: ErrorCode, request_id: str) -> None:
        credential, self._presented = self._presented, None
        self._service.logins.failed(code, credential, self._peer.address, request_id, "WebSocket")

    def _check(self, credential: Credential, now: Moment) -> None:
        self._presented = credential
        try:
            user = self._service.authenticator.try_now(credential, self._peer)
        except Refused as refused:
            self._perform(self._connection.refused(refused, now), now)
            return
        if user is None:
            self._task = asyncio.get_running_loop().create_task(self._check_later(credential))
        else:
            self._admit(user, now)

    async def _check_later(self, credential: Credential) -> None:
        verdict: AuthenticatedUser | Refused
        try:
            verdict = await self._service.authenticator.authenticate(credential, self._peer)
        except Refused as refused:
            verdict = refused
        except Exception as error:  # noqa: BLE001  # the end of the ladder, as for a handler
            verdict = Refused(ErrorCode.INTERNAL_ERROR, request_id=self._service.report(error, self._connection))
        try:
            self._settle(verdict)
        except Exception as error:  # noqa: BLE001  # see `_break`
            self._break(error)

    def _settle(self, verdict: AuthenticatedUser | Refused) -> None:
        self._task = None
        now = self._service.now()
        if isinstance(verdict, Refused):
            self._perform(self._connection.refused(verdict, now), now)
        else:
            self._admit(verdict, now)
        self.receive(b"")  # what was sent behind the credential

    def _admit(self, user: AuthenticatedUser, now: Moment) -> None:
        service, connection = self._service, self._connection
        is_first = connection.user is None
        if is_first and service.rules.replaces_connections:
            service.registry.end_user(user.id, ErrorCode.REPLACED)
        elif is_first and service.registry.count(user.id) >= service.rules.connections_per_user:
            self._perform(connection.refused(Refused(ErrorCode.TOO_MANY_CONNECTIONS), now), now)
            return
        effects = connection.admitted(user, now)
        if is_first and connection.user is not None:
            service.registry.add(user.id, self)
            self._incoming.allow(service.connection_rules.max_message_bytes)
        service.journal.opened(connection, self._peer.address)
        if connection.user is user:
            self._presented = None
            service.logins.succeeded(user, connection.id, "WebSocket")
        self._perform(effects, now)

    _PERFORMERS: ClassVar[dict[type[Effect], Callable[["WebSocket", Any, Moment], None]]] = {
        Send: _perform_send,
        Handle: _perform_handle,
        CheckCredential: _perform_check,
        SendPing: _perform_ping,
        Close: _perform_close,
        Abort: _perform_abort,
    }
