"""The codec is total, and what it writes it reads."""

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Raw

from watchword_protocol.codec import CLIENT_TYPES, SERVER_TYPES, Fault, decode_client, decode_server, encode
from watchword_protocol.limits import MAX_INTEGER
from watchword_protocol.messages import (
    Authenticate,
    ClientMessage,
    NextBatch,
    Ping,
    Query,
    Statement,
    Subscribe,
    Subscription,
    SubscriptionOptions,
    Unsubscribe,
    Window,
)

TEXT = st.text(max_size=20)
FILLED = st.text(min_size=1, max_size=20)
INTEGERS = st.integers(-MAX_INTEGER, MAX_INTEGER)
POSITIONS = st.integers(0, MAX_INTEGER)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
IDS = st.none() | FILLED | INTEGERS
PARAMS = st.lists(JSON.map(lambda value: Raw(encode(value))), max_size=4)

OPTIONS = st.builds(
    SubscriptionOptions,
    batch_size=st.none() | st.integers(1, MAX_INTEGER),
    last_rows=st.none() | POSITIONS,
    from_=st.none() | POSITIONS | POSITIONS.map(str),
    epoch=st.none() | TEXT,
    deliver=st.none() | st.sampled_from(["all", "latest"]) | st.builds(Window, window_ms=st.integers(1, 10_000)),
)
MESSAGES: st.SearchStrategy[ClientMessage] = st.one_of(
    st.builds(Authenticate, method=st.just("jwt"), token=FILLED),
    st.builds(Authenticate, method=st.just("basic"), user=FILLED, password=FILLED),
    st.builds(Query, id=IDS, sql=TEXT, params=st.none() | PARAMS, as_user=st.none() | TEXT),
    st.builds(
        Query, id=IDS, statements=st.lists(st.builds(Statement, sql=TEXT, params=PARAMS), min_size=1, max_size=3)
    ),
    st.builds(
        Subscribe,
        id=IDS,
        subscription=st.builds(
            Subscription, id=FILLED, sql=TEXT, params=st.none() | PARAMS, options=st.none() | OPTIONS
        ),
    ),
    st.builds(Unsubscribe, id=IDS, subscription_id=FILLED),
    st.just(NextBatch()),
    st.builds(Ping, id=IDS),
)
# Objects that look like messages: known types and member names, with anything in them.
NEARLY = st.dictionaries(
    st.sampled_from(["id", "sql", "params", "statements", "subscription", "options", "method", "token", "as_user"]),
    JSON,
    max_size=6,
).flatmap(
    lambda members: st.sampled_from(sorted(CLIENT_TYPES | SERVER_TYPES)).map(lambda kind: {"type": kind, **members})
)


@given(st.binary(max_size=200) | TEXT.map(str.encode) | JSON.map(lambda value: json.dumps(value).encode()))
@example(b"")
@example(b"{")
def test_any_bytes_are_a_message_or_a_fault(data: bytes) -> None:
    assert decode_client(data) is not None
    assert decode_server(data) is not None


@given(NEARLY)
def test_anything_like_a_message_is_a_message_or_a_fault_that_keeps_its_type(members: dict[str, Any]) -> None:
    found = decode_client(json.dumps(members).encode())
    if isinstance(found, Fault):
        assert found.type == members["type"]
        assert found.message.isprintable()


@given(MESSAGES)
def test_what_is_written_is_read_back(message: ClientMessage) -> None:
    assert decode_client(encode(message)) == message


@given(MESSAGES, st.dictionaries(TEXT.map("x-".__add__), JSON, max_size=3))
def test_unknown_members_change_nothing(message: ClientMessage, later: dict[str, Any]) -> None:
    members = json.loads(encode(message)) | later
    assert decode_client(encode(members)) == message


@given(MESSAGES, JSON)
def test_of_duplicate_members_the_last_counts(message: ClientMessage, first: Any) -> None:
    """Whatever stood there before, the type included."""
    members = json.loads(encode(message))
    doubled = "".join(f"{json.dumps(name)}:{json.dumps(first)}," for name in members)
    assert decode_client(b"{" + doubled.encode() + encode(message)[1:]) == message
