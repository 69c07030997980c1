"""Plain HTTP: uvicorn's protocol under limits and deadlines, before every request of a connection.

    between requests -> a header block is collected here -> an upgrade: back to a Gateway
                                                          -> anything else: to uvicorn's parser
    a request under way -> its body, and pipelined requests, go to the parser as they come, in small pieces

uvicorn's own protocol has neither a limit nor a deadline for a header block, keeps whatever trailers come, and works on
all that one read gives. Here every request, kept-alive and pipelined ones too, has `header_timeout_s` for at most
`max_header_bytes`, and a body 30 s; trailers are dropped (RFC 9110 6.5.1); after 16 KiB it is the others' turn.

Of uvicorn this uses the parser's callbacks, `parser`, `pipeline`, `cycle`, `flow` and the keep-alive handler: public by
import, not by promise, and a test fails when an upgrade takes them away.
"""

import asyncio
from collections.abc import Callable
from math import inf
from typing import Any, Final, NamedTuple, Protocol

import httptools
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from watchword_protocol.errors import ErrorCode
from watchword_server.connection import Moment
from watchword_server.gateway.reader import READ_BYTES, end_sending
from watchword_server.gateway.response import refusal
from watchword_server.gateway.service import Service
from watchword_server.gateway.upgrade import HttpRefused, read_head, without_empty_lines

__all__ = ["Edge", "HttpServer", "TakesTransport"]

_END_OF_HEAD: Final = b"\r\n\r\n"
_PIECE_BYTES: Final = 2048  # how exactly the head of a pipelined request is measured
_MAX_PIPELINED: Final = 16
_WRAPPING_PER_BYTE: Final = 8  # a chunk of one byte has six around it (RFC 9112 7.1)
_BODY_TIMEOUT_S: Final = 30.0
_FAREWELL_S: Final = 5.0


class HttpServer(NamedTuple):
    """uvicorn's part: what its protocols are made with."""

    config: Config
    state: ServerState
    app_state: dict[str, Any]


class TakesTransport(Protocol):
    """What takes a transport over from the Edge."""

    def take_over(self, transport: asyncio.Transport, address: str, data: bytes) -> None:
        """`address`: of the socket's other end. `data`: read from it, not understood."""


class Edge(HttpToolsProtocol):
    """One plain HTTP connection, from its first request to its last.

    Args:
        service: What all connections share.
        http: uvicorn's part.
        make_gateway: Makes what takes the transport when a later request is an upgrade.
    """

    def __init__(self, service: Service, http: HttpServer, make_gateway: Callable[[], TakesTransport]) -> None:
        super().__init__(http.config, http.state, http.app_state)
        self._service = service
        self._make_gateway = make_gateway
        self._address = ""
        self._head = b""  # of the next request, while none is under way
        self._unread = b""  # received, and waiting for its turn
        self._head_bytes: int | None = None  # of a pipelined request's head so far; None outside one
        self._body_bytes = 0  # of the request under way
        self._wrapping_bytes = 0  # of its chunk sizes, chunk extensions and trailers
        self._is_between = True  # no request is under way
        self._under_way: list[RequestResponseCycle] = []  # more than one where a client pipelines
        self._is_body_complete = True
        self._is_over = False  # nothing more is read
        self._is_given_away = False  # the transport is somebody else's
        self._deadline = inf
        self._stalled_until = inf  # when a peer that does not read its answers is given up

    def __repr__(self) -> str:
        return f"<Edge from {self._address}: {'between requests' if self._is_between else 'a request is under way'}>"

    def take_over(self, transport: asyncio.Transport, address: str, data: bytes) -> None:
        """Begin, with the first request's header block and what lies behind it."""
        self._address = address
        self.connection_made(transport)
        self.client = (address, self.client[1] if self.client else 0)  # a socket that was reset tells none any more
        transport.set_protocol(self)
        self.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for cycle in self._under_way:  # uvicorn tells the newest only, and the others would answer into nothing
            cycle.disconnected = True
            cycle.message_event.set()
        self._service.sockets.leave(self._address)
        self._deadline = self._stalled_until = inf

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled_until = self._service.clock.monotonic() + self._service.rules.stall_timeout_s

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stalled_until = inf

    def data_received(self, data: bytes) -> None:
        is_waiting = bool(self._unread)
        self._unread += data
        if not is_waiting:
            self._take_turn()

    def _take_turn(self) -> None:
        turn, self._unread = self._unread[:READ_BYTES], self._unread[READ_BYTES:]
        if self._is_over or self.transport.is_closing():
            self._unread = b""
        elif self._is_between:
            self._collect(turn)
        else:
            self._feed(turn)
        if self._is_given_away:
            return
        if self._unread:
            self.transport.pause_reading()
            self.loop.call_soon(self._take_turn)
        elif not self.flow.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    # The server and the sweep

    def shutdown(self) -> None:
        """The server stops: what is under way is still answered, to a peer that reads."""
        super().shutdown()
        self._stalled_until = self._service.clock.monotonic() + _FAREWELL_S

    def is_due(self, now: Moment) -> bool:
        """Whether `tick` has something to do."""
        return min(self._deadline, self._stalled_until) <= now.monotonic

    def tick(self, now: Moment) -> None:
        """A header block or a body did not come in time, or the peer neither reads nor leaves."""
        is_stalled = self._stalled_until <= now.monotonic
        self._deadline = self._stalled_until = inf
        if is_stalled or self._is_over:
            self.transport.abort()
        elif self._is_body_complete:
            self._cut(_too_late("No request in time"))
        elif self._take_answer_back():
            self._cut(_too_late(f"The body did not come within {_BODY_TIMEOUT_S:.0f} s"))
        else:
            self.transport.abort()

    def _take_answer_back(self) -> bool:
        """Whether the next answer is ours to give: the one request under way loses its client, unless it has begun."""
        others = [each for each in self._under_way if each is not self.cycle and not each.response_complete]
        if others or self.cycle.response_started:
            return False
        self.cycle.disconnected = self.cycle.response_complete = True
        self.cycle.waiting_for_100_continue = False  # else it would still be written, behind our answer
        self.cycle.message_event.set()
        return True

    # Bytes

    def _collect(self, data: bytes) -> None:
        if self._deadline == inf:
            self._expect_within(self._service.rules.header_timeout_s)
        self._head = without_empty_lines(self._head + data)
        limit = self._service.rules.max_header_bytes
        end = self._head.find(_END_OF_HEAD, 0, limit)
        if end < 0:
            if len(self._head) >= limit:
                self._cut(_too_large(limit))
            return
        block, self._head = self._head, b""
        try:
            head = read_head(block[: end + len(_END_OF_HEAD)])
        except HttpRefused as refused:
            self._cut(refused)
            return
        self._deadline = inf
        self._is_between = False
        if head is None:
            self._feed(block)
        elif self.flow.write_paused:
            self.transport.abort()  # who has not read the answers so far is not given a connection to read from
        else:
            self._give_away(block + self._unread)

    def _give_away(self, data: bytes) -> None:
        self.connections.discard(self)
        self.parser = None  # type: ignore[assignment]  # it refers to us; uvicorn lets go of it in the same way
        self._is_over = self._is_given_away = True
        self._unread = b""
        self._make_gateway().take_over(self.transport, self._address, data)

    def _feed(self, data: bytes) -> None:
        limit = self._service.rules.max_header_bytes
        for at in range(0, len(data), _PIECE_BYTES):
            piece = data[at : at + _PIECE_BYTES]
            try:
                self.parser.feed_data(piece)
            except httptools.HttpParserUpgrade:
                # Answered as if it had not asked (RFC 9110 7.8); the parser takes nothing more after it.
                self._cut(None)
            except httptools.HttpParserCallbackError as error:
                self._cut(error.__context__ if isinstance(error.__context__, HttpRefused) else None)
            except httptools.HttpParserError:
                self._cut(HttpRefused(400, message="The request is not valid HTTP/1.1"))
            if self._head_bytes is not None:
                self._head_bytes += len(piece)
                if self._head_bytes > limit + _PIECE_BYTES:
                    self._cut(_too_large(limit))
            elif not self._is_body_complete:
                self._wrapping_bytes += len(piece)
                if self._wrapping_bytes > limit + _WRAPPING_PER_BYTE * self._body_bytes:
                    self._cut(_too_large(limit))
            if self._is_over or self.transport.is_closing():
                return

    def _cut(self, refused: HttpRefused | None) -> None:
        """Read nothing more. What is under way is still answered, and then the connection ends."""
        self._is_over = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
            self._deadline = inf
        elif refused is not None:
            request_id = self._service.identifiers.next_request()
            self._service.journal.refused(refused.code, request_id, self._address)
            self.transport.write(refusal(refused, request_id))
            self._expect_within(_FAREWELL_S)
            end_sending(self.transport)

    def _say_farewell(self) -> None:
        """The transport closes once the peer has taken what is unsent, for which it does not get for ever."""
        self._is_over = True
        self._expect_within(_FAREWELL_S)

    def _expect_within(self, timeout_s: float) -> None:
        self._deadline = self._service.clock.monotonic() + timeout_s

    # The parser's callbacks

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= _MAX_PIPELINED:
            raise HttpRefused(429, ErrorCode.RATE_LIMITED)
        super().on_message_begin()
        self._head_bytes = 0
        self._expect_within(self._service.rules.header_timeout_s)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_body_complete:  # else a trailer, which must not pass for a header
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        names = [name for name, _ in self.headers]
        if self.parser.get_http_version() != "1.0" and names.count(b"host") != 1:
            raise HttpRefused(400, message="Header Host is missing or repeated")  # RFC 9112 3.2
        self._head_bytes = None
        self._is_body_complete = False
        self._body_bytes = self._wrapping_bytes = 0
        self._expect_within(_BODY_TIMEOUT_S)
        super().on_headers_complete()
        self._under_way = [*(each for each in self._under_way if not each.response_complete), self.cycle]

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_body_complete = True
        self._deadline = inf
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._say_farewell()
            return
        if not self.cycle.response_complete or self._head_bytes is not None:
            return  # another request is under way, or has been taken from the pipeline just now
        if self._is_body_complete:
            self._is_between = True
        else:
            self.transport.close()  # answered before its body came, which is not worth waiting for
            self._say_farewell()

    def timeout_keep_alive_handler(self) -> None:
        """uvicorn's timer: idle for too long, unless a request has begun meanwhile."""
        if self._is_between and not self._head:
            super().timeout_keep_alive_handler()
            self._say_farewell()


def _too_late(sentence: str) -> HttpRefused:
    return HttpRefused(ErrorCode.AUTH_TIMEOUT.http, ErrorCode.AUTH_TIMEOUT, sentence)


def _too_large(limit: int) -> HttpRefused:
    return HttpRefused(431, ErrorCode.MESSAGE_TOO_LARGE, f"A header block has at most {limit} bytes")
