"""The error table, written once.

HTTP status, WebSocket close code, advice, client exceptions and `docs/reference/errors.md` are all derived from it.
Rows are appended, never renumbered: the close range alone tells an old client how to treat a code it does not know.
"""

from enum import Enum, unique
from typing import Final, NamedTuple

__all__ = ["GIVE_UP", "NEW_TOKEN", "RECONNECT", "Advice", "Ends", "ErrorCode", "Row", "advice_for_close"]

# RFC 6455 7.4.2 leaves 4000-4999 to applications.
RECONNECT: Final = range(4000, 4100)
NEW_TOKEN: Final = range(4100, 4200)
GIVE_UP: Final = range(4200, 4300)

# RFC 6455 7.4.1 and its registry: too big, internal error, service restart, try again later.
_TRANSIENT: Final = frozenset({1009, 1011, 1012, 1013})


@unique
class Advice(Enum):
    """What a client does after the connection ended; the value is the word on the wire."""

    RECONNECT = "reconnect"
    NEW_TOKEN = "new_token"
    STOP = "stop"


@unique
class Ends(Enum):
    """When an error ends the connection. Where it does not, an `error` message answers and the connection goes on."""

    ALWAYS = "always"
    BEFORE_AUTH = "before authentication"
    WHEN_IT_GOES_ON = "when it goes on"
    NEVER = "never"


class Row(NamedTuple):
    """One line of the table: HTTP status, close code (None: none), when it ends the connection, message, what to do."""

    http: int
    close: int | None
    ends: Ends
    message: str
    remedy: str


@unique
class ErrorCode(Enum):
    """Every error of the wire contract. A member's name is the code on the wire; messages are generic on purpose."""

    TOKEN_EXPIRED = Row(
        401, 4100, Ends.ALWAYS, "Token has expired", "Get a new token from the identity provider and connect again."
    )
    TOKEN_REVOKED = Row(
        401, 4101, Ends.ALWAYS, "Token is no longer valid", "The token or its session was revoked: sign in again."
    )
    TOKEN_STALE = Row(
        401,
        4102,
        Ends.ALWAYS,
        "Account changed since the token was issued",
        "Get a token issued after the change of role or password.",
    )
    MALFORMED_AUTHORIZATION = Row(
        400,
        4200,
        Ends.ALWAYS,
        "Invalid Authorization header format",
        "Send one `Authorization: Bearer <jwt>` or `Basic <base64 of user:password>`.",
    )
    MISSING_CLAIM = Row(
        400,
        4201,
        Ends.ALWAYS,
        "Required token claim is missing",
        "Issue the token with iss, sub, exp, and aud where an audience is configured.",
    )
    INVALID_TOKEN = Row(
        401,
        4202,
        Ends.ALWAYS,
        "Token could not be read",
        "Check that it is a JWT with an allowed algorithm, the right audience and use, and well-typed claims.",
    )
    INVALID_SIGNATURE = Row(
        401,
        4203,
        Ends.ALWAYS,
        "Token signature is not valid",
        "Sign with the secret or key that the server holds for this issuer.",
    )
    UNTRUSTED_ISSUER = Row(
        401,
        4204,
        Ends.ALWAYS,
        "Token issuer is not trusted",
        "Add the token's exact iss to auth.jwt_trusted_issuers, or correct it where the token is issued.",
    )
    INVALID_CREDENTIALS = Row(
        401,
        4205,
        Ends.ALWAYS,
        "Invalid username or password",
        "Check the user's name and password; the user must exist and not be deleted.",
    )
    AUTH_REQUIRED = Row(
        401, 4206, Ends.BEFORE_AUTH, "Authentication required", "Send `authenticate` before any other message."
    )
    USER_MISMATCH = Row(
        403,
        4207,
        Ends.ALWAYS,
        "Token belongs to another user",
        "Renew a connection with a token of the same user; open a new one for another user.",
    )
    ORIGIN_NOT_ALLOWED = Row(403, 4208, Ends.ALWAYS, "Origin not allowed", "Add the page's origin to server.origins.")
    ACCESS_DENIED = Row(
        403,
        4209,
        Ends.ALWAYS,
        "Access denied",
        "The role may not connect from here: `system` connects from the server's own machine.",
    )
    MALFORMED_MESSAGE = Row(
        400, 4210, Ends.BEFORE_AUTH, "Message is not valid", "Send one JSON object of a known type; the text names it."
    )
    UNSUPPORTED_DATA = Row(
        415, 4211, Ends.BEFORE_AUTH, "Binary messages are not supported", "Send JSON in text frames."
    )
    REPLACED = Row(
        409, 4212, Ends.ALWAYS, "A newer connection took over", "Keep one connection, or switch replacement off."
    )
    TOKEN_NOT_YET_VALID = Row(
        401, 4007, Ends.ALWAYS, "Token is not valid yet", "Compare the clocks of issuer and server; then try again."
    )
    KEY_UNAVAILABLE = Row(
        503, 4008, Ends.BEFORE_AUTH, "Token could not be checked now", "The issuer's keys cannot be fetched: try later."
    )
    ACCOUNT_LOCKED = Row(
        429,
        4001,
        Ends.ALWAYS,
        "Too many failed attempts, or locked by an administrator",
        "Wait for retry_after_ms, or let an administrator unlock the account.",
    )
    AUTH_TIMEOUT = Row(
        408, 4002, Ends.ALWAYS, "No authentication in time", "Send the request or `authenticate` within the time limit."
    )
    RATE_LIMITED = Row(
        429, 4003, Ends.WHEN_IT_GOES_ON, "Too many requests", "Send fewer messages; wait for retry_after_ms."
    )
    TOO_MANY_CONNECTIONS = Row(
        429, 4004, Ends.ALWAYS, "Connection limit reached", "Close connections that are not needed; wait 30 s."
    )
    HEARTBEAT_TIMEOUT = Row(408, 4005, Ends.ALWAYS, "No answer to ping", "Answer pings; the link may be broken.")
    SLOW_CONSUMER = Row(408, 4006, Ends.ALWAYS, "Client reads too slowly", "Read faster or ask for less; then resume.")
    SERVER_SHUTDOWN = Row(503, 1012, Ends.ALWAYS, "Server is restarting", "Connect again after a short, random wait.")
    OVERLOADED = Row(503, 1013, Ends.ALWAYS, "Server is at its limit", "Connect again later.")
    MESSAGE_TOO_LARGE = Row(
        413, 1009, Ends.ALWAYS, "Message exceeds the size limit", "Send smaller messages; see limits in auth_success."
    )
    INVALID_SQL = Row(400, None, Ends.NEVER, "SQL statement is not valid", "Correct it at line and column.")
    UNSUPPORTED_SQL = Row(400, None, Ends.NEVER, "SQL is not supported here", "Write it without the named construct.")
    INVALID_PARAMS = Row(400, None, Ends.NEVER, "Parameters are not valid", "Correct the named parameter.")
    TYPE_MISMATCH = Row(400, None, Ends.NEVER, "Value does not fit its type", "Correct the named column's value.")
    LIMIT_EXCEEDED = Row(413, None, Ends.NEVER, "Limit exceeded", "Stay below the named limit.")
    CONSTRAINT_VIOLATION = Row(
        409, None, Ends.NEVER, "Constraint violated", "Correct the value that the named constraint refuses."
    )
    NOT_FOUND = Row(404, None, Ends.NEVER, "Not found", "Check the name; it may exist and not be visible to you.")
    ALREADY_EXISTS = Row(409, None, Ends.NEVER, "Already exists", "Choose another name.")
    PERMISSION_DENIED = Row(
        403, None, Ends.NEVER, "Permission denied", "Use an account whose role or policies allow it."
    )
    QUERY_TIMEOUT = Row(408, None, Ends.NEVER, "Statement took too long", "Make it cheaper, or add an index.")
    RESULT_TOO_LARGE = Row(413, None, Ends.NEVER, "Result is too large", "Ask for fewer rows or columns.")
    STORAGE_FULL = Row(507, None, Ends.NEVER, "No space left", "Free space; reads and subscriptions go on.")
    STORAGE_UNAVAILABLE = Row(503, None, Ends.NEVER, "Storage cannot be used now", "Try again later.")
    COMMIT_UNKNOWN = Row(
        503, None, Ends.NEVER, "The write may or may not have happened", "Retry with its idempotency key."
    )
    SCHEMA_CHANGED = Row(409, None, Ends.NEVER, "A table was altered meanwhile", "Send it again; or subscribe again.")
    SUBSCRIPTION_EXISTS = Row(
        409, None, Ends.NEVER, "Subscription id is in use", "Choose another id, or unsubscribe first."
    )
    SUBSCRIPTION_NOT_FOUND = Row(404, None, Ends.NEVER, "No such subscription", "Check the subscription's id.")
    SUBSCRIPTION_LIMIT = Row(429, None, Ends.NEVER, "Too many subscriptions", "Unsubscribe from some first.")
    # Closes only where the connection itself is broken.
    INTERNAL_ERROR = Row(500, 1011, Ends.NEVER, "Internal error", "Report the request_id; it is in the server's log.")

    @property
    def http(self) -> int:
        """HTTP status of the error (RFC 9110 15)."""
        return self.value.http

    @property
    def close(self) -> int | None:
        """WebSocket close code (RFC 6455 7.4), or None where the error never ends a connection."""
        return self.value.close

    @property
    def ends(self) -> Ends:
        """When the error ends the connection."""
        return self.value.ends

    @property
    def message(self) -> str:
        """The generic sentence; nothing in it depends on who asked."""
        return self.value.message

    @property
    def remedy(self) -> str:
        """What a person does about it, in a sentence."""
        return self.value.remedy

    @property
    def advice(self) -> Advice | None:
        """What a client does after the close; None where the error never ends a connection."""
        return None if self.close is None else advice_for_close(self.close)


def advice_for_close(close: int) -> Advice:
    """What a client does after this close code, known or not: by its range, and anything else as a broken link.

    1002 and 1007 (we broke the protocol) are final; 1000 unasked, 1001, 1005, 1006 and unknown ranges: reconnect.
    Giving up after three 1008, which only a proxy sends, is the caller's count to keep.
    """
    if close in NEW_TOKEN:
        return Advice.NEW_TOKEN
    if close in GIVE_UP or close in (1002, 1007):
        return Advice.STOP
    return Advice.RECONNECT
