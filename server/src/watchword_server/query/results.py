"""Results on their way out: one serializer for WebSocket and HTTP. Rows come encoded and are embedded as they are."""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct

from watchword_protocol.messages import Column, MessageId, QueryResult
from watchword_server.query.places import Place
from watchword_server.sql.plan import OutputColumn

__all__ = ["Result", "Results", "encode_body", "encode_message", "encode_results"]


class Result(Struct, frozen=True):
    """What one statement gave. `rows`: a JSON array of arrays, in wire form. `row_count`: returned, else affected."""

    columns: tuple[OutputColumn, ...] = ()
    rows: bytes = b"[]"
    row_count: int = 0


class Results(Struct, frozen=True):
    """What a query gave: one result for each statement, whose rows they are (a name), how long it took.

    `results`: or as `encode_results` has them, of a query with an idempotency key. `place`: to be left when the client
    has taken them.
    """

    results: Sequence[Result] | Raw
    as_user: str
    took_ms: float
    place: Place


# The shapes of watchword_protocol.messages, with rows that are encoded already.


class _StatementResult(Struct):
    schema: list[Column]
    rows: Raw
    row_count: int
    as_user: str


class _Message(Struct, tag=QueryResult.__struct_config__.tag, tag_field="type", omit_defaults=True):
    results: list[_StatementResult] | Raw
    took: float
    id: MessageId = None


class _Body(Struct):
    results: list[_StatementResult] | Raw
    took: float
    status: Literal["success"] = "success"


_encode: Final = msgspec.json.Encoder().encode


def encode_message(results: Results, message_id: MessageId) -> bytes:
    """The `result` message that answers the request of this id."""
    return _encode(_Message(_member(results), round(results.took_ms, 3), message_id))


def encode_body(results: Results) -> bytes:
    """The same as the body of an HTTP answer."""
    return _encode(_Body(_member(results), round(results.took_ms, 3)))


def encode_results(results: Sequence[Result], as_user: str) -> bytes:
    """The member `results` of both."""
    return _encode(_structs(results, as_user))


def _member(results: Results) -> list[_StatementResult] | Raw:
    return results.results if isinstance(results.results, Raw) else _structs(results.results, results.as_user)


def _structs(results: Sequence[Result], as_user: str) -> list[_StatementResult]:
    return [_StatementResult(_schema(each.columns), Raw(each.rows), each.row_count, as_user) for each in results]


def _schema(columns: tuple[OutputColumn, ...]) -> list[Column]:
    """Made anew for every answer: to find an encoded one by its columns takes half as long, and memory."""
    return [Column(each.name, each.type.wire, index, list(each.flags)) for index, each in enumerate(columns)]
