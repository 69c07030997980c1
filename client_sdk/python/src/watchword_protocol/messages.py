"""Every message of the wire contract as a frozen struct that cannot be decoded into a wrong one.

The `type` member is the struct's tag. Unknown members are ignored, so that either side may be the newer one.
"""

from typing import Annotated, Any, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from watchword_protocol.limits import ID_CHARACTERS, KEY_CHARACTERS, MAX_INTEGER, SUBSCRIPTION_ID_CHARACTERS

__all__ = [
    "AuthError",
    "AuthSuccess",
    "Authenticate",
    "BatchControl",
    "Change",
    "ClientMessage",
    "Column",
    "Draining",
    "ErrorMessage",
    "InitialDataBatch",
    "LimitsInfo",
    "MessageId",
    "NextBatch",
    "Parameter",
    "Ping",
    "Pong",
    "ProtocolInfo",
    "Query",
    "QueryResult",
    "ServerMessage",
    "Statement",
    "StatementResult",
    "Subscribe",
    "Subscription",
    "SubscriptionAck",
    "SubscriptionOptions",
    "TokenExpiring",
    "Unsubscribe",
    "Unsubscribed",
    "Value",
    "Window",
]

_TYPE: Final = "type"

Value = Any
"""A JSON value: a column's, on its way back."""

Parameter: TypeAlias = Raw
"""The value of a `$n` as JSON text. Where the `$n` stands says what it is read as; a JSON column keeps the text."""

MessageId = (
    Annotated[str, Meta(min_length=1, max_length=ID_CHARACTERS)]
    | Annotated[int, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
    | None
)
"""What matches a reply to its request; None is none."""

SubscriptionId = Annotated[str, Meta(min_length=1, max_length=SUBSCRIPTION_ID_CHARACTERS)]
Sequence = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
SequenceText = Annotated[str, Meta(pattern=r"^[0-9]{1,16}\Z")]
Count = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]


# Client to server


class Authenticate(Struct, frozen=True, tag="authenticate", tag_field=_TYPE, omit_defaults=True):
    """A credential: the first message of a connection that brought none, or the renewal of an open one."""

    method: Literal["jwt", "basic"]
    token: str | None = None
    user: str | None = None
    password: str | None = None

    def __post_init__(self) -> None:
        needed = ("token",) if self.method == "jwt" else ("user", "password")
        for name in needed:
            if not getattr(self, name):
                raise ValueError(f"Object missing required field `{name}` of method `{self.method}`")

    def __repr__(self) -> str:
        return f"Authenticate(method={self.method!r}, user={self.user!r})"  # never a token, never a password


class Statement(Struct, frozen=True, omit_defaults=True):
    """One statement of a request; `params` are for its `$1..$n`."""

    sql: str
    params: list[Parameter] | None = None


class Query(Struct, frozen=True, tag="query", tag_field=_TYPE, omit_defaults=True):
    """Run SQL: either `sql` with `params`, or `statements`. Several statements are one transaction."""

    id: MessageId = None
    sql: str | None = None
    params: list[Parameter] | None = None
    statements: Annotated[list[Statement], Meta(min_length=1)] | None = None
    as_user: str | None = None
    timeout_ms: Annotated[int, Meta(ge=1, le=MAX_INTEGER)] | None = None
    idempotency_key: Annotated[str, Meta(min_length=1, max_length=KEY_CHARACTERS)] | None = None

    def __post_init__(self) -> None:
        if (self.sql is None) == (self.statements is None):
            raise ValueError("Expected exactly one of `sql` and `statements`")
        if self.statements is not None and self.params is not None:
            raise ValueError("Expected `params` inside each of `statements` - at `$.params`")


class Window(Struct, frozen=True, forbid_unknown_fields=True):
    """Delivery in bursts: at most one in `window_ms` milliseconds, merged by key."""

    window_ms: Annotated[int, Meta(ge=1, le=MAX_INTEGER)]


class SubscriptionOptions(Struct, frozen=True, omit_defaults=True):
    """How a subscription starts and is delivered. `from_` resumes after a position, together with its `epoch`."""

    batch_size: Annotated[int, Meta(ge=1, le=MAX_INTEGER)] | None = None
    last_rows: Count | None = None
    from_: Sequence | SequenceText | None = field(default=None, name="from")
    from_seq_id: Sequence | SequenceText | None = None
    epoch: str | None = None
    deliver: Literal["all", "latest"] | Window | None = None
    as_user: None = None

    def __post_init__(self) -> None:
        for name, value in (("from", self.from_), ("from_seq_id", self.from_seq_id)):
            if isinstance(value, str) and int(value) > MAX_INTEGER:
                raise ValueError(f"Expected `int` <= {MAX_INTEGER} - at `$.subscription.options.{name}`")


class Subscription(Struct, frozen=True, omit_defaults=True):
    """One live query of one connection, under an id of the client's choice."""

    id: SubscriptionId
    sql: str
    params: list[Parameter] | None = None
    options: SubscriptionOptions | None = None
    as_user: None = None


class Subscribe(Struct, frozen=True, tag="subscribe", tag_field=_TYPE, omit_defaults=True):
    """Watch a query: its rows first, then every change of them."""

    subscription: Subscription
    id: MessageId = None
    as_user: None = None


class Unsubscribe(Struct, frozen=True, tag="unsubscribe", tag_field=_TYPE, omit_defaults=True):
    """End a subscription; nothing of it follows the answer."""

    subscription_id: SubscriptionId
    id: MessageId = None


class NextBatch(Struct, frozen=True, tag="next_batch", tag_field=_TYPE, omit_defaults=True):
    """Understood and ignored: the server pushes batches as the socket drains."""


class Ping(Struct, frozen=True, tag="ping", tag_field=_TYPE, omit_defaults=True):
    """For browsers, which cannot send the ping of RFC 6455 5.5.2."""

    id: MessageId = None


ClientMessage = Authenticate | Query | Subscribe | Unsubscribe | NextBatch | Ping


# Server to client


class ProtocolInfo(Struct, frozen=True):
    """What was negotiated."""

    version: int = 1
    serialization: str = "json"
    compression: str = "none"


class LimitsInfo(Struct, frozen=True):
    """What a client has to keep to: bytes of one message, seconds between the server's pings."""

    max_message_bytes: Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
    heartbeat_s: Annotated[float, Meta(ge=0)]


class AuthSuccess(Struct, frozen=True, tag="auth_success", tag_field=_TYPE):
    """The server's first message: who the connection is, and until when (`expires_at`: the exp; None for Basic)."""

    user: str
    user_id: str
    role: str
    connection_id: str
    expires_at: str | None
    server_time: str
    limits: LimitsInfo
    protocol: ProtocolInfo = ProtocolInfo()


class AuthError(Struct, frozen=True, tag="auth_error", tag_field=_TYPE):
    """A refusal of the handshake or of a renewal; the close frame of the same error follows it."""

    code: str
    message: str
    advice: str
    request_id: str
    server_time: str
    retry_after_ms: Count = 0


class Column(Struct, frozen=True, omit_defaults=True):
    """One column of a result. `flags`: pk (primary key), nn (not null), uq (unique)."""

    name: str
    data_type: str
    index: int
    flags: list[str] = field(default_factory=list)


class StatementResult(Struct, frozen=True):
    """Rows in the order of `schema`; `row_count` is rows returned, else rows affected."""

    schema: list[Column]
    rows: list[list[Value]]
    row_count: int
    as_user: str


class QueryResult(Struct, frozen=True, tag="result", tag_field=_TYPE):
    """One result for each statement of a query; `took` in milliseconds."""

    results: list[StatementResult]
    took: float
    id: MessageId = None


class BatchControl(Struct, frozen=True):
    """Where a snapshot stands. `status`: loading, loading_batch, ready."""

    batch_num: int
    has_more: bool
    status: Literal["loading", "loading_batch", "ready"]
    last_seq_id: int | None = None


class SubscriptionAck(Struct, frozen=True, tag="subscription_ack", tag_field=_TYPE):
    """A subscription began: its columns, its key, the position of its snapshot."""

    subscription_id: str
    schema: list[Column]
    key: list[str]
    mode: Literal["filter", "query"]
    epoch: str
    seq: int
    resync: bool
    batch_control: BatchControl
    total_rows: int = 0
    id: MessageId = None


class InitialDataBatch(Struct, frozen=True, tag="initial_data_batch", tag_field=_TYPE):
    """Rows of the snapshot."""

    subscription_id: str
    rows: list[dict[str, Value]]
    batch_control: BatchControl


class Change(Struct, frozen=True, tag="change", tag_field=_TYPE, omit_defaults=True):
    """Consecutive changes of one type and commit; `more`: the same commit continues; `merged`: what it stands for."""

    subscription_id: str
    change_type: Literal["insert", "update", "delete"]
    seq: int
    rows: list[dict[str, Value]] | UnsetType = UNSET
    old_values: list[dict[str, Value]] | UnsetType = UNSET
    more: bool = False
    merged: int | UnsetType = UNSET


class ErrorMessage(Struct, frozen=True, tag="error", tag_field=_TYPE, omit_defaults=True):
    """A request failed and the connection goes on. `line`, `column` from 1, `statement` from 0."""

    code: str
    message: str
    request_id: str
    id: MessageId = None
    subscription_id: str | None = None
    line: Count | None = None
    column: Count | None = None
    statement: Count | None = None
    retry_after_ms: Count | None = None


class Pong(Struct, frozen=True, tag="pong", tag_field=_TYPE, omit_defaults=True):
    """The answer to `ping`."""

    id: MessageId = None


class Unsubscribed(Struct, frozen=True, tag="unsubscribed", tag_field=_TYPE, omit_defaults=True):
    """The answer to an `unsubscribe` with an id."""

    subscription_id: str
    id: MessageId = None


class TokenExpiring(Struct, frozen=True, tag="token_expiring", tag_field=_TYPE):
    """Unsolicited, for `watchword.v1` only: the connection ends soon unless it is renewed."""

    expires_at: str


class Draining(Struct, frozen=True, tag="draining", tag_field=_TYPE):
    """Unsolicited, for `watchword.v1` only: the server is about to stop; come back after this many milliseconds."""

    reconnect_after_ms: Count


ServerMessage = (
    AuthSuccess
    | AuthError
    | QueryResult
    | SubscriptionAck
    | InitialDataBatch
    | Change
    | ErrorMessage
    | Pong
    | Unsubscribed
    | TokenExpiring
    | Draining
)
