"""What a connection may do next: messages and times in, effects out. No I/O, no clock, no randomness.

                         authenticate                    good
    upgrade ---> FRESH ----------------> CHECKING --------------------> OPEN <---------------.
       |           |                      |    ^                         |  authenticate     | good, same user
       `-----------|----------------------|----'                         `---> RENEWING -----'
    with credential| deadline, fault      | bad, deadline                 |      | bad
                   `----------------------+-----------> CLOSING <---------+------'
                                                           |  peer's close
                                                           `-----------> CLOSED

The gateway owns the socket and the clock, asks the connection, performs the effects, and calls `tick` when a deadline
has passed. While a credential is being checked it hands in nothing that the client sent behind it.
"""

from enum import Enum, unique
from math import inf
from typing import Final, NamedTuple

from msgspec import Struct

from watchword_protocol.codec import CLIENT_TYPES, Fault
from watchword_protocol.errors import Advice, Ends, ErrorCode
from watchword_protocol.messages import (
    Authenticate,
    AuthError,
    AuthSuccess,
    ClientMessage,
    ErrorMessage,
    LimitsInfo,
    MessageId,
    NextBatch,
    Ping,
    Pong,
    ServerMessage,
    TokenExpiring,
)
from watchword_protocol.timestamps import format_time
from watchword_server.auth.credentials import Credential
from watchword_server.budget import FrameBudget, Verdict
from watchword_server.handshake import credential_of_message
from watchword_server.identifiers import Identifiers
from watchword_server.refusal import Refused
from watchword_server.user import AuthenticatedUser

__all__ = [
    "Abort",
    "CheckCredential",
    "Close",
    "Connection",
    "ConnectionRules",
    "Effect",
    "Handle",
    "Moment",
    "Send",
    "SendPing",
    "State",
]


class Moment(NamedTuple):
    """One instant on both clocks: `monotonic` seconds for deadlines, `wall` seconds since 1970 for validity."""

    monotonic: float
    wall: float


@unique
class State(Enum):
    """Where a connection stands."""

    FRESH = "waiting for authenticate"
    CHECKING = "its first credential is being checked"
    OPEN = "authenticated"
    RENEWING = "authenticated, and a new credential is being checked"
    CLOSING = "our close frame is out"
    CLOSED = "gone"


class Send(Struct, frozen=True):
    """Tell the client."""

    message: ServerMessage


class CheckCredential(Struct, frozen=True):
    """Check a credential, then call `admitted` or `refused`; until then read nothing more."""

    credential: Credential


class Handle(Struct, frozen=True):
    """A message of an authenticated client for the handlers."""

    message: ClientMessage
    user: AuthenticatedUser


class SendPing(Struct, frozen=True):
    """Ask the peer for a sign of life (RFC 6455 5.5.2)."""


class Close(Struct, frozen=True):
    """Send the close frame of this error, behind what was sent before, and wait for the peer's."""

    code: ErrorCode


class Abort(Struct, frozen=True):
    """Give up the transport without a word."""


Effect = Send | CheckCredential | Handle | SendPing | Close | Abort


class ConnectionRules(Struct, frozen=True):
    """The settings that a connection lives by; seconds, frames a second, bytes. One for all connections."""

    identifiers: Identifiers
    auth_timeout_s: float = 5.0
    check_timeout_s: float = 10.0
    close_timeout_s: float = 5.0
    leeway_s: float = 30.0
    expiry_notice_s: float = 60.0
    heartbeat_interval_s: float = 25.0
    heartbeat_timeout_s: float = 10.0
    messages_per_s: int = 200
    max_message_bytes: int = 1_048_576


# Before authentication, another known type is too early whatever its members; these two are understood.
_EARLY_TYPES: Final = frozenset({"authenticate", "ping"})


class Connection:
    """One WebSocket connection after its upgrade.

    Args:
        rules: The settings.
        has_credential: The upgrade request brought one, which is being checked; else the first message must.
        is_v1: `watchword.v1` was negotiated, so that unsolicited messages may be sent.
        now: The moment of the upgrade.
    """

    __slots__ = (
        "_budget",
        "_ends_at",
        "_pinged_at",
        "deadline",
        "ends_with",
        "heard_at",
        "id",
        "is_v1",
        "opened_at",
        "rules",
        "state",
        "user",
        "wall_deadline",
    )

    def __init__(self, rules: ConnectionRules, *, has_credential: bool, is_v1: bool, now: Moment) -> None:
        self.rules = rules
        self.id = rules.identifiers.next_connection()
        self.state = State.CHECKING if has_credential else State.FRESH
        self.is_v1 = is_v1
        self.user: AuthenticatedUser | None = None
        self.opened_at = now.monotonic
        self.heard_at = now.monotonic
        """When the peer last sent anything, monotonic seconds; the gateway notes it."""
        self.deadline = now.monotonic + (rules.check_timeout_s if has_credential else rules.auth_timeout_s)
        """When `tick` wants to be called next, monotonic seconds."""
        self.wall_deadline = inf
        """When `tick` wants to be called next, seconds since 1970: the token's end, or its announcement."""
        self.ends_with: ErrorCode | None = None
        """Why we ended it; None while it lives, and where the peer did."""
        self._ends_at = inf
        self._pinged_at = inf
        self._budget: FrameBudget | None = None

    def __repr__(self) -> str:
        who = f" of {self.user.name}" if self.user else ""
        why = f", ended with {self.ends_with.name}" if self.ends_with else ""
        return f"<Connection {self.id}{who}: {self.state.value}{why}>"

    @property
    def is_authenticated(self) -> bool:
        """Whether a user context governs it now."""
        return self.state is State.OPEN or self.state is State.RENEWING

    @property
    def is_checking(self) -> bool:
        """Whether a credential is being checked, so that nothing more may be read."""
        return self.state is State.CHECKING or self.state is State.RENEWING

    @property
    def is_ended(self) -> bool:
        """Whether nothing that the peer says matters any more."""
        return self.state is State.CLOSING or self.state is State.CLOSED

    # What the peer sends

    def charge(self, now: float) -> Verdict:
        """Account for one frame of the peer; `now` is monotonic."""
        if self._budget is None:
            self._budget = FrameBudget(self.rules.messages_per_s, now)
        return self._budget.charge(now)

    def receive(self, message: ClientMessage | Fault, verdict: Verdict, now: Moment) -> list[Effect]:
        """One message, or why it is none; `verdict` is what `charge` said of its last frame."""
        if self.is_ended:
            return []
        if verdict is not Verdict.RUN:
            return self._beyond_budget(message, verdict, now)
        if isinstance(message, Fault):
            return self._fault(message, now)
        if isinstance(message, Authenticate):
            return self._authenticate(message, now)
        if self.state is State.OPEN:
            assert self.user is not None  # noqa: S101  # by the state
            return [Handle(message, self.user)]
        if isinstance(message, Ping):
            return [Send(Pong(message.id))]
        return self.refused(Refused(ErrorCode.AUTH_REQUIRED), now)

    def peer_closed(self, now: Moment) -> None:
        """The peer's close frame, or the end of its transport: nothing more goes out, and what is left is flushed."""
        if self.state is not State.CLOSED:
            self._leave(State.CLOSED, now)

    def failed(self, now: Moment) -> None:
        """The peer broke the framing and the library has said so (1002, 1007): wait for its farewell."""
        if not self.is_ended:
            self._leave(State.CLOSING, now)

    # The answer to a CheckCredential

    def admitted(self, user: AuthenticatedUser, now: Moment) -> list[Effect]:
        """The credential was good: the connection opens, or goes on with it."""
        if not self.is_checking:
            return []
        if self.user is not None and self.user.id != user.id:
            return self.refused(Refused(ErrorCode.USER_MISMATCH), now)
        self.user = user
        self.state = State.OPEN
        self._pinged_at = inf
        self.deadline = now.monotonic + self.rules.heartbeat_interval_s
        effects: list[Effect] = [Send(self._auth_success(user, now))]
        if user.expires_at is None:
            self.wall_deadline = self._ends_at = inf
            return effects
        self._ends_at = user.expires_at + self.rules.leeway_s
        self.wall_deadline = self._ends_at - self.rules.expiry_notice_s if self.is_v1 else self._ends_at
        return effects + self._announce_expiry(now)

    def refused(self, refused: Refused, now: Moment) -> list[Effect]:
        """The credential, or what stood in its place, was not good."""
        if self.is_ended:
            return []
        if refused.code.close is None:  # the store cannot be asked: nothing of the client's, and worth another try
            refused = Refused(ErrorCode.OVERLOADED, retry_after_ms=refused.retry_after_ms)
        is_open = self.is_authenticated
        goes_on = is_open and refused.code.ends is Ends.BEFORE_AUTH
        if goes_on:
            self.state = State.OPEN
            self.deadline = now.monotonic + self.rules.heartbeat_interval_s
        error = Send(self._auth_error(refused, now))
        return [error] if goes_on else [error, *self._close(refused.code, now)]

    # Time, and the world outside

    def tick(self, now: Moment) -> list[Effect]:
        """A deadline has passed, or not yet: what is due."""
        if self.wall_deadline <= now.wall and self.is_authenticated:
            if self._ends_at <= now.wall:
                return self._close(ErrorCode.TOKEN_EXPIRED, now)
            effects = self._announce_expiry(now)
        else:
            effects = []
        if self.deadline > now.monotonic:
            return effects
        match self.state:
            case State.FRESH:
                return self.refused(Refused(ErrorCode.AUTH_TIMEOUT), now)
            case State.CHECKING | State.RENEWING:
                return effects + self.refused(Refused(ErrorCode.OVERLOADED), now)
            case State.OPEN:
                return effects + self._heartbeat(now)
            case State.CLOSING | State.CLOSED:
                self.deadline = inf
                return [Abort()]

    def end(self, code: ErrorCode, now: Moment) -> list[Effect]:
        """End the connection from outside: the account changed, the server stops."""
        if self.is_ended:
            return []
        if self.is_authenticated:
            return self._close(code, now)
        return self.refused(Refused(code), now)

    # Pieces

    def _authenticate(self, message: Authenticate, now: Moment) -> list[Effect]:
        self.state = State.RENEWING if self.state is State.OPEN else State.CHECKING
        self.deadline = now.monotonic + self.rules.check_timeout_s
        return [CheckCredential(credential_of_message(message))]

    def _fault(self, fault: Fault, now: Moment) -> list[Effect]:
        is_credential = fault.code is ErrorCode.MALFORMED_AUTHORIZATION
        if self.state is State.OPEN and not is_credential:
            return self._answer(fault.code, fault.message, fault.id, now)
        if fault.type in CLIENT_TYPES and fault.type not in _EARLY_TYPES:
            return self.refused(Refused(ErrorCode.AUTH_REQUIRED), now)
        return self.refused(Refused(fault.code, None if is_credential else fault.message), now)

    def _beyond_budget(self, message: ClientMessage | Fault, verdict: Verdict, now: Moment) -> list[Effect]:
        assert self._budget is not None  # noqa: S101  # it gave the verdict
        retry_after_ms = self._budget.retry_after_ms
        if verdict is Verdict.END and self.state is not State.OPEN:
            return self.refused(Refused(ErrorCode.RATE_LIMITED, retry_after_ms=retry_after_ms), now)
        message_id = None if isinstance(message, Authenticate | NextBatch) else message.id
        answer = self._answer(ErrorCode.RATE_LIMITED, ErrorCode.RATE_LIMITED.message, message_id, now, retry_after_ms)
        return answer if verdict is Verdict.DROP else answer + self._close(ErrorCode.RATE_LIMITED, now)

    def _answer(
        self, code: ErrorCode, message: str, message_id: MessageId, now: Moment, retry_after_ms: int | None = None
    ) -> list[Effect]:
        """The `error` of an open connection, and its end where the row says so."""
        request_id = self.rules.identifiers.next_request()
        error = ErrorMessage(code.name, message, request_id, id=message_id, retry_after_ms=retry_after_ms)
        return [Send(error), *(self._close(code, now) if code.ends is Ends.ALWAYS else [])]

    def _close(self, code: ErrorCode, now: Moment) -> list[Effect]:
        self.ends_with = code
        self._leave(State.CLOSING, now)
        return [Close(code)]

    def _leave(self, state: State, now: Moment) -> None:
        self.state = state
        self.deadline = now.monotonic + self.rules.close_timeout_s
        self.wall_deadline = inf

    def _heartbeat(self, now: Moment) -> list[Effect]:
        rules = self.rules
        if self.heard_at > self._pinged_at:
            self._pinged_at = inf
        if self._pinged_at != inf:
            return self._close(ErrorCode.HEARTBEAT_TIMEOUT, now)
        if now.monotonic - self.heard_at < rules.heartbeat_interval_s:
            self.deadline = self.heard_at + rules.heartbeat_interval_s
            return []
        self._pinged_at = now.monotonic
        self.deadline = now.monotonic + rules.heartbeat_timeout_s
        return [SendPing()]

    def _announce_expiry(self, now: Moment) -> list[Effect]:
        if self.wall_deadline > now.wall or self.user is None or self.user.expires_at is None or not self.is_v1:
            return []
        self.wall_deadline = self._ends_at
        return [Send(TokenExpiring(format_time(self.user.expires_at)))]

    def _auth_success(self, user: AuthenticatedUser, now: Moment) -> AuthSuccess:
        return AuthSuccess(
            user=user.name,
            user_id=user.id,
            role=user.role,
            connection_id=self.id,
            expires_at=None if user.expires_at is None else format_time(user.expires_at),
            server_time=format_time(now.wall),
            limits=LimitsInfo(self.rules.max_message_bytes, self.rules.heartbeat_interval_s),
        )

    def _auth_error(self, refused: Refused, now: Moment) -> AuthError:
        advice = refused.code.advice or Advice.STOP
        return AuthError(
            code=refused.code.name,
            message=refused.message,
            advice=advice.value,
            request_id=refused.request_id or self.rules.identifiers.next_request(),
            server_time=format_time(now.wall),
            retry_after_ms=refused.retry_after_ms,
        )
