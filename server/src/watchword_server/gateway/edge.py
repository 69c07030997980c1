"""Plain HTTP: uvicorn's protocol under limits and deadlines, before every request of a connection.

    between requests -> a header block is collected here -> an upgrade: back to a Gateway
                                                          -> anything else: to uvicorn's parser
    a request under way -> its body, and pipelined requests, go to the parser as they come, in small pieces

uvicorn's own protocol has neither a limit nor a deadline for a header block. Here every request, kept-alive and
pipelined ones too, has `header_timeout_s` for at most `max_header_bytes`, and a body 30 s. Of uvicorn this uses the
parser's callbacks, `parser`, `pipeline`, `cycle` and the keep-alive handler: public by import, not by promise, and a
test fails when an upgrade takes them away.
"""

import asyncio
from collections.abc import Callable
from math import inf
from typing import Any, Final, NamedTuple, Protocol

import httptools
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from watchword_protocol.errors import ErrorCode
from watchword_server.connection import Moment
from watchword_server.gateway.reader import end_sending
from watchword_server.gateway.response import refusal
from watchword_server.gateway.service import Service
from watchword_server.gateway.upgrade import HttpRefused, read_head

__all__ = ["Edge", "HttpServer", "TakesTransport"]

_END_OF_HEAD: Final = b"\r\n\r\n"
_PIECE_BYTES: Final = 2048  # how exactly the head of a pipelined request is measured
_MAX_PIPELINED: Final = 16
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


class _TooManyPipelinedError(Exception):
    """Raised through the parser, to stop it."""


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
        self._head_bytes: int | None = None  # of a pipelined request's head so far; None outside one
        self._is_between = True  # no request is under way
        self._is_body_complete = True
        self._is_over = False  # nothing more is read
        self._deadline = inf
        self._stalled_until = inf  # when a peer that does not read its answers is given up

    def __repr__(self) -> str:
        return f"<Edge from {self._address}: {'between requests' if self._is_between else 'a request is under way'}>"

    def take_over(self, transport: asyncio.Transport, address: str, data: bytes) -> None:
        """Begin, with the first request's header block and what lies behind it."""
        self._address = address
        self.connection_made(transport)
        transport.set_protocol(self)
        self.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._service.sockets.leave(self._address)
        self._deadline = self._stalled_until = inf

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled_until = self._service.clock.monotonic() + self._service.rules.stall_timeout_s

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stalled_until = inf

    def data_received(self, data: bytes) -> None:
        if self._is_over or self.transport.is_closing():
            return
        if self._is_between:
            self._collect(data)
        else:
            self._feed(data)

    # The sweep

    def is_due(self, now: Moment) -> bool:
        """Whether `tick` has something to do."""
        return min(self._deadline, self._stalled_until) <= now.monotonic

    def tick(self, now: Moment) -> None:
        """A header block or a body did not come in time, or the peer neither reads nor leaves."""
        is_stalled = self._stalled_until <= now.monotonic
        self._deadline = self._stalled_until = inf
        if is_stalled or self._is_over or not self._is_body_complete:
            self.transport.abort()
        else:
            self._cut(HttpRefused(ErrorCode.AUTH_TIMEOUT.http, ErrorCode.AUTH_TIMEOUT, "No request in time"))

    # Bytes

    def _collect(self, data: bytes) -> None:
        if not self._head:
            self._expect_within(self._service.rules.header_timeout_s)
        self._head += data
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
        else:
            self._give_away(block)

    def _give_away(self, data: bytes) -> None:
        self.connections.discard(self)
        self.parser = None  # type: ignore[assignment]  # it refers to us; uvicorn lets go of it in the same way
        self._is_over = True
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
            except httptools.HttpParserError:
                self._cut(HttpRefused(400, message="The request is not valid HTTP/1.1"))
            if self._head_bytes is not None:
                self._head_bytes += len(piece)
                if self._head_bytes > limit + _PIECE_BYTES:
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
            raise _TooManyPipelinedError
        super().on_message_begin()
        self._head_bytes = 0
        self._expect_within(self._service.rules.header_timeout_s)

    def on_headers_complete(self) -> None:
        self._head_bytes = None
        self._is_body_complete = False
        self._expect_within(_BODY_TIMEOUT_S)
        super().on_headers_complete()

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


def _too_large(limit: int) -> HttpRefused:
    return HttpRefused(431, ErrorCode.MESSAGE_TOO_LARGE, f"A header block has at most {limit} bytes")
