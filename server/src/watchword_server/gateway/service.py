"""What every connection of one server shares."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from watchword_protocol.errors import ErrorCode
from watchword_protocol.messages import ClientMessage, ErrorMessage
from watchword_server.auth.authenticator import Authenticator
from watchword_server.auth.logins import Logins
from watchword_server.auth.proxies import TrustedProxies
from watchword_server.connection import Connection, ConnectionRules, Moment
from watchword_server.gateway.quota import Quota
from watchword_server.gateway.registry import Registry
from watchword_server.handlers import Handlers
from watchword_server.handshake import OriginRules
from watchword_server.identifiers import Identifiers
from watchword_server.journal import Journal
from watchword_server.pace import Pace
from watchword_server.ports import Clock
from watchword_server.refusal import let_go

__all__ = ["GatewayRules", "Service"]


@dataclass(frozen=True, slots=True)
class GatewayRules:
    """The settings of the door: bytes, seconds, counts.

    `refuses_over_http`: what is wrong with a credential of the upgrade request is an HTTP status, not a close code.
    `replaces_connections`: a user's new connection ends the older ones. `requests_at_once`: of one connection.
    """

    origins: OriginRules
    proxies: TrustedProxies
    refuses_over_http: bool = False
    header_timeout_s: float = 5.0
    max_header_bytes: int = 32_768
    connections_per_user: int = 100
    replaces_connections: bool = False
    max_unsent_bytes: int = 1_048_576
    stall_timeout_s: float = 60.0
    requests_at_once: int = 16


@dataclass(frozen=True, slots=True)
class Service:
    """The parts that a connection works with.

    `sockets` counts every TCP connection by the address of its peer, `connections` the WebSockets by the address of the
    client. `reconnect_delays_ms`: the next one for each client of a stopping server, so that not all come back at once.
    `open`: every protocol that has a transport, of whichever kind. `running`: the tasks of queries, which may outlive
    their connections.
    """

    clock: Clock
    pace: Pace
    identifiers: Identifiers
    authenticator: Authenticator
    logins: Logins
    handlers: Handlers
    registry: Registry
    journal: Journal
    sockets: Quota
    connections: Quota
    rules: GatewayRules
    connection_rules: ConnectionRules
    reconnect_delays_ms: Iterator[int]
    open: set[Any] = field(default_factory=set)
    running: set[asyncio.Task[Any]] = field(default_factory=set)

    def now(self) -> Moment:
        """This moment, on both clocks."""
        return Moment(self.clock.monotonic(), self.clock.wall())

    def report(self, error: Exception, connection: Connection) -> str:
        """Tell the log of something that should not happen; the id under which it is found."""
        request_id = self.identifiers.next_request()
        self.journal.failed(request_id, error, connection=connection)
        let_go(error)
        return request_id

    def internal_error(self, error: Exception, message: ClientMessage, connection: Connection) -> ErrorMessage:
        """What a client is told of it."""
        code = ErrorCode.INTERNAL_ERROR
        message_id = getattr(message, "id", None)
        return ErrorMessage(code.name, code.message, self.report(error, connection), id=message_id)

    def is_crowded(self, address: str) -> bool:
        """Whether so many sockets are open from here that one more is not even answered; a proxy's are everybody's."""
        return not self.rules.proxies.include(address) and self.sockets.passed_by(address) is not None
