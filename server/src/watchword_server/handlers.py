"""One function per message of an authenticated client: who asks and what, to the answers."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from watchword_protocol.codec import encode
from watchword_protocol.errors import ErrorCode
from watchword_protocol.messages import (
    ClientMessage,
    ErrorMessage,
    NextBatch,
    Ping,
    Pong,
    Query,
    ServerMessage,
    Subscribe,
    Unsubscribe,
)
from watchword_server.identifiers import Identifiers
from watchword_server.query.places import Place
from watchword_server.query.preparation import Prepared
from watchword_server.query.queries import Queries
from watchword_server.query.results import encode_message
from watchword_server.refusal import Refused, let_go
from watchword_server.steps import Steps
from watchword_server.user import AuthenticatedUser

__all__ = ["HANDLERS", "Answer", "Handlers"]

Handler = Callable[[Any, AuthenticatedUser], list[ServerMessage]]


def _ping(message: Ping, _user: AuthenticatedUser) -> list[ServerMessage]:
    return [Pong(message.id)]


def _next_batch(_message: NextBatch, _user: AuthenticatedUser) -> list[ServerMessage]:
    return []  # snapshots are pushed; KalamDB's clients ask for each batch


def _subscribe(_message: Subscribe, _user: AuthenticatedUser) -> list[ServerMessage]:
    raise Refused(ErrorCode.UNSUPPORTED_SQL, "Subscriptions are not supported yet: send a query")


def _unsubscribe(_message: Unsubscribe, _user: AuthenticatedUser) -> list[ServerMessage]:
    raise Refused(ErrorCode.SUBSCRIPTION_NOT_FOUND)


HANDLERS: Final[Mapping[type[ClientMessage], Handler]] = {
    Ping: _ping,
    NextBatch: _next_batch,
    Subscribe: _subscribe,
    Unsubscribe: _unsubscribe,
}
"""What is answered at once. A query waits for the store: `prepare` and `run`."""


class Answer(NamedTuple):
    """An encoded message. `place`: of the query that it answers, to be left when the client has taken it."""

    message: bytes
    place: Place | None = None


class Handlers:
    """The ladder from a handler's answer, or its exception, to messages.

    A refusal becomes an `error` with the message's id; anything else that is raised is the caller's to log.
    """

    def __init__(self, identifiers: Identifiers, queries: Queries) -> None:
        self._identifiers = identifiers
        self._queries = queries

    def handle(self, message: ClientMessage, user: AuthenticatedUser) -> list[ServerMessage]:
        """The answers to one message that need not wait."""
        try:
            return HANDLERS[type(message)](message, user)
        except Refused as refused:
            return [self._error(message, refused)]

    def prepare(self, query: Query, user: AuthenticatedUser) -> Steps[Prepared | ErrorMessage]:
        """What may run, or why not."""
        try:
            return (yield from self._queries.prepare(query, user))
        except Refused as refused:
            return self._error(query, refused)

    async def run(self, prepared: Prepared) -> Answer:
        """Run it."""
        try:
            results = await self._queries.run(prepared)
        except Refused as refused:
            return Answer(encode(self._error(prepared.query, refused)))
        return Answer(encode_message(results, prepared.query.id), results.place)

    def _error(self, message: ClientMessage, refused: Refused) -> ErrorMessage:
        let_go(refused)
        return ErrorMessage(
            code=refused.code.name,
            message=refused.message,
            request_id=refused.request_id or self._identifiers.next_request(),
            id=getattr(message, "id", None),
            subscription_id=_subscription_id(message),
            line=refused.line,
            column=refused.column,
            statement=refused.statement,
            retry_after_ms=refused.retry_after_ms or None,
        )


def _subscription_id(message: ClientMessage) -> str | None:
    match message:
        case Subscribe():
            return message.subscription.id
        case Unsubscribe():
            return message.subscription_id
    return None
