"""The door: one header block of each TCP connection, and who gets the transport after it.

    accept -> header block -> not an upgrade: the Edge, for plain HTTP, bytes and all
                           -> a good upgrade: a WebSocket, with the credential of the request
                           -> anything wrong, too large or too late: an HTTP answer, and the end

A valid upgrade is checked in this order: path and method, WebSocket headers, limits, Origin, credential.
"""

import asyncio
from functools import partial
from math import inf
from typing import Final, cast

from watchword_protocol.errors import ErrorCode
from watchword_server.auth.credentials import Credential
from watchword_server.connection import Moment
from watchword_server.gateway.edge import Edge, HttpServer
from watchword_server.gateway.reader import BoundedReader, end_sending
from watchword_server.gateway.response import refusal, switching_protocols
from watchword_server.gateway.service import Service
from watchword_server.gateway.upgrade import (
    HttpRefused,
    RequestHead,
    accept_key,
    check_path,
    read_head,
    without_empty_lines,
)
from watchword_server.gateway.websocket import WebSocket
from watchword_server.handshake import (
    Subprotocols,
    check_origin,
    credential_of_header,
    credential_of_subprotocols,
    read_subprotocols,
)
from watchword_server.refusal import Refused

__all__ = ["Gateway"]

_END_OF_HEAD: Final = b"\r\n\r\n"
_FAREWELL_S: Final = 5.0


class Gateway(BoundedReader):
    """One TCP connection until its header block has been read.

    Args:
        service: What all connections share.
        http: uvicorn's part, for the Edge.
    """

    __slots__ = ("_address", "_deadline", "_http", "_is_answered", "_rest", "_service", "_transport")

    def __init__(self, service: Service, http: HttpServer) -> None:
        self._service = service
        self._http = http
        self._transport: asyncio.Transport | None = None
        self._address = ""  # of the socket's other end
        self._rest = b""
        self._deadline = inf
        self._is_answered = False

    def __repr__(self) -> str:
        return f"<Gateway {'answered' if self._is_answered else 'reading a header block'}>"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)  # uvloop's are, but by no common class
        # A client that is gone already has no address any more.
        self._address = (transport.get_extra_info("peername") or ("",))[0]
        if self._service.is_crowded(self._address):
            transport.abort()  # far beyond what the limits answer politely
        self._service.sockets.enter(self._address)
        self._greet(transport)

    def take_over(self, transport: asyncio.Transport, address: str, data: bytes) -> None:
        """A later request of a plain HTTP connection is an upgrade: the transport comes back, with what was read."""
        self._address = address
        self._greet(transport)
        transport.set_protocol(self)
        self.receive(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()
        self._service.sockets.leave(self._address)

    def receive(self, data: bytes) -> None:
        if self._is_answered:
            return  # read only so that the answer is not lost behind a reset
        data = without_empty_lines(self._rest + data if self._rest else data)
        limit = self._service.rules.max_header_bytes
        end = data.find(_END_OF_HEAD, 0, limit)
        if end >= 0:
            self._rest = b""
            self._open(data, end + len(_END_OF_HEAD))
        elif len(data) >= limit:
            self._refuse(HttpRefused(431, ErrorCode.MESSAGE_TOO_LARGE, f"A header block has at most {limit} bytes"))
        else:
            self._rest = data

    # The sweep and the server

    def is_due(self, now: Moment) -> bool:
        """Whether `tick` has something to do."""
        return self._deadline <= now.monotonic

    def tick(self, now: Moment) -> None:
        """The header block did not come in time, or the peer did not leave."""
        if self._is_answered and self._transport is not None:
            self._deadline = inf
            self._transport.abort()
        else:
            self._refuse(HttpRefused(ErrorCode.AUTH_TIMEOUT.http, ErrorCode.AUTH_TIMEOUT, "No request in time"))

    def shutdown(self) -> None:
        """The server stops: nobody has been greeted yet."""
        if self._transport is not None:
            self._transport.close()

    # Decisions

    def _open(self, data: bytes, end: int) -> None:
        try:
            if (head := read_head(data[:end])) is None:
                self._hand_over(data)
            else:
                self._upgrade(head, data[end:])
        except HttpRefused as refused:
            self._refuse(refused)

    def _greet(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._deadline = self._service.clock.monotonic() + self._service.rules.header_timeout_s
        self._service.open.add(self)

    def _let_go(self) -> asyncio.Transport | None:
        transport, self._transport = self._transport, None
        self._deadline = inf
        self._service.open.discard(self)
        return transport

    def _hand_over(self, data: bytes) -> None:
        if (transport := self._let_go()) is not None:
            make_gateway = partial(Gateway, self._service, self._http)
            Edge(self._service, self._http, make_gateway).take_over(transport, self._address, data)

    def _upgrade(self, head: RequestHead, rest: bytes) -> None:
        service = self._service
        check_path(head)
        accept = accept_key(head)
        try:
            offered = read_subprotocols(head.values(b"sec-websocket-protocol"))
        except Refused as refused:  # a fault of the WebSocket headers, whatever else is there
            raise HttpRefused(refused.code.http, refused.code, refused.message) from None
        forwarded_for = head.values(b"x-forwarded-for")
        is_forwarded = bool(forwarded_for or head.values(b"forwarded"))
        peer = service.rules.proxies.peer(self._address, forwarded_for, is_forwarded=is_forwarded)
        if (code := service.connections.passed_by(peer.address)) is not None:
            raise HttpRefused(code.http, code)
        service.connections.enter(peer.address)
        try:
            check_origin(service.rules.origins, head.once(b"origin"), head.once(b"host") or b"")
            credential: Credential | Refused | None = _credential(head, offered)
        except Refused as refused:
            credential = refused
        now = service.now()
        websocket = WebSocket(
            service,
            peer,
            socket_address=self._address,
            opening=switching_protocols(accept, selects_v1=offered.is_ours),
            has_credential=credential is not None,
            is_v1=offered.is_ours,
            now=now,
        )
        if (transport := self._let_go()) is not None:
            websocket.start(transport, credential, rest, now)

    def _refuse(self, refused: HttpRefused) -> None:
        if self._transport is None:
            return
        request_id = self._service.identifiers.next_request()
        self._service.journal.refused(refused.code, request_id, self._address)
        self._transport.write(refusal(refused, request_id))
        self._is_answered, self._rest = True, b""
        self._deadline = self._service.clock.monotonic() + _FAREWELL_S
        end_sending(self._transport)


def _credential(head: RequestHead, offered: Subprotocols) -> Credential | None:
    """The first way present decides: a header that fails never falls through to the subprotocol."""
    credential = credential_of_header(head.values(b"authorization"))
    return credential if credential is not None else credential_of_subprotocols(offered)
