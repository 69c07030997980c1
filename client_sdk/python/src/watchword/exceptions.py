"""What can go wrong, told apart by cause: the server refused it (`ServerError`), the world broke it, you closed it.

    WatchwordError
      ServerError           the server said so: one class for each row of its error table
        SqlError            about a statement of yours, or what it was to read or write
      ConnectFailed         no connection could be opened
      ConnectionLost        an open connection ended, and the server gave no reason of its own
      TokenUnavailable      your token function failed
      AuthenticationStopped your token function says that there will be no further token
      Closed                you closed it

Each has `advice`: what the client does next by itself, and what is left to you when it stops.
"""

# ruff: noqa: N818  # an exception is named as its row of the error table reads, which is what people search for

from typing import Any, ClassVar

from watchword_protocol.errors import Advice, ErrorCode, advice_for_close

__all__ = [
    "AccessDenied",
    "AccountLocked",
    "AlreadyExists",
    "AuthRequired",
    "AuthTimeout",
    "AuthenticationStopped",
    "Closed",
    "CommitUnknown",
    "ConnectFailed",
    "ConnectionLost",
    "ConstraintViolation",
    "HeartbeatTimeout",
    "InternalError",
    "InvalidCredentials",
    "InvalidParams",
    "InvalidSignature",
    "InvalidSql",
    "InvalidToken",
    "KeyUnavailable",
    "LimitExceeded",
    "MalformedAuthorization",
    "MalformedMessage",
    "MessageTooLarge",
    "MissingClaim",
    "NotFound",
    "OriginNotAllowed",
    "Overloaded",
    "PermissionDenied",
    "QueryTimeout",
    "RateLimited",
    "Replaced",
    "ResultTooLarge",
    "SchemaChanged",
    "ServerError",
    "ServerShutdown",
    "SlowConsumer",
    "SqlError",
    "StorageFull",
    "StorageUnavailable",
    "SubscriptionExists",
    "SubscriptionLimit",
    "SubscriptionNotFound",
    "TokenExpired",
    "TokenNotYetValid",
    "TokenRevoked",
    "TokenStale",
    "TokenUnavailable",
    "TooManyConnections",
    "TypeMismatch",
    "UnsupportedData",
    "UnsupportedSql",
    "UntrustedIssuer",
    "UserMismatch",
    "WatchwordError",
]

_BY_CLOSE = {code.close: code for code in ErrorCode if code.close is not None}

_SENTENCE_CHARACTERS = 1000

# For a code newer than this client, which knows its range only.
_REMEDIES = {
    Advice.RECONNECT: "Connect again later.",
    Advice.NEW_TOKEN: "Get a new token and connect again.",
    Advice.STOP: "Do not connect again before its cause is mended.",
    None: "Update this client to learn more.",
}


class WatchwordError(Exception):
    """Whatever this package raises on purpose, besides TimeoutError, and ValueError or TypeError for arguments."""

    advice: Advice | None = Advice.RECONNECT
    """What to do next; None where the connection goes on."""
    close_code: int | None = None
    """Code of the close frame (RFC 6455 7.4), None where there was none."""
    http_status: int | None = None
    """Status of a refused upgrade, None where there was none."""
    retry_after_ms: int = 0
    """The server's hint: not to come back sooner. 0 is none."""
    outcome: str = ""
    """Why the client does not try again, where it could have; a part of the sentence."""

    def _sentence(self) -> str:
        return str(self.args[0]) if self.args else type(self).__name__

    def __str__(self) -> str:
        return f"{self._sentence()} Not tried again: {self.outcome}." if self.outcome else self._sentence()


class ServerError(WatchwordError):
    """The server's own verdict. Its subclasses are the rows of the error table; a code unknown here is this class.

    Attributes:
        code: The code on the wire, such as "TOKEN_EXPIRED", also where it is not known here.
        message: The server's sentence.
        remedy: What a person does about it.
        request_id: Finds the event in the server's log.
        line, column: Where in the statement, from 1; None where the server names no place.
        statement: Which one of the request's statements, from 0; None where the server names none.

    Source: docs/reference/errors.md.
    """

    row: ClassVar[ErrorCode | None] = None
    """The row of the error table, None for a code that is not known here."""
    _classes: ClassVar[dict[str, type["ServerError"]]] = {}

    def __init_subclass__(cls, *, code: ErrorCode | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if code is None:  # somebody's refinement of a row that is bound already
            return
        if code.name in ServerError._classes:
            raise TypeError(f"{code.name} is bound to {ServerError._classes[code.name].__name__} already")
        cls.row = code
        ServerError._classes[code.name] = cls

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        advice: Advice | None = None,
        close_code: int | None = None,
        http_status: int | None = None,
        request_id: str | None = None,
        retry_after_ms: int = 0,
        line: int | None = None,
        column: int | None = None,
        statement: int | None = None,
    ) -> None:
        row = self.row
        self.code = code or (row.name if row else "UNKNOWN")
        self.message = message or (row.message if row else "The server gave a reason that this client does not know")
        super().__init__(self.message)
        self.close_code = close_code if close_code is not None else (row.close if row else None)
        self.advice = advice_for_close(self.close_code) if self.close_code is not None else advice
        self.http_status = http_status
        self.request_id = request_id
        self.retry_after_ms = retry_after_ms
        self.line = line
        self.column = column
        self.statement = statement

    @staticmethod
    def from_wire(
        code: str | None,
        message: str | None = None,
        *,
        advice: str | None = None,
        close_code: int | None = None,
        http_status: int | None = None,
        request_id: str | None = None,
        retry_after_ms: int | None = None,
        line: int | None = None,
        column: int | None = None,
        statement: int | None = None,
    ) -> "ServerError":
        """The exception for what the server sent. Total: an unknown code stays readable, its close range is its advice.

        Args:
            code: The code's name; None where there is only a close code.
            advice: The server's own word for what to do, which counts where there is no close code.
        """
        if not code and close_code in _BY_CLOSE:
            code = _BY_CLOSE[close_code].name
        known = ServerError._classes.get(code or "", ServerError)
        return known(
            message,
            code=code or (f"CLOSE_{close_code}" if close_code is not None else None),
            advice=_read_advice(advice),
            close_code=close_code,
            http_status=http_status,
            request_id=request_id,
            retry_after_ms=retry_after_ms or 0,
            line=line,
            column=column,
            statement=statement,
        )

    @property
    def remedy(self) -> str:
        """What a person does about it, in a sentence."""
        return self.row.remedy if self.row else _REMEDIES[self.advice]

    def _sentence(self) -> str:
        places = {"statement": self.statement, "line": self.line, "column": self.column}
        place = ", ".join(f"{name} {number}" for name, number in places.items() if number is not None)
        parts = [f"{self.code}: {self.message.rstrip('.')}{f' ({place})' if place else ''}.", self.remedy]
        if self.retry_after_ms:
            parts.append(f"Wait {self.retry_after_ms / 1000:g} s.")
        if self.request_id:
            parts.append(f"(request {self.request_id})")
        # What a server sends goes into logs and terminals: no line and no colour of its own there.
        sentence = "".join(character if character.isprintable() else "?" for character in " ".join(parts))
        return sentence if len(sentence) <= _SENTENCE_CHARACTERS else f"{sentence[:_SENTENCE_CHARACTERS]}..."


def _read_advice(word: str | None) -> Advice | None:
    return Advice(word) if word in {advice.value for advice in Advice} else None


class SqlError(ServerError):
    """About a statement of yours, or about what it was to read or write; the connection goes on.

    `line`, `column` and `statement` tell where, as far as the server says so.
    """


class ConnectFailed(WatchwordError):
    """No connection could be opened: nothing there, no answer in time, or not a Watchword server."""

    def __init__(
        self,
        message: str,
        *,
        close_code: int | None = None,
        http_status: int | None = None,
        retry_after_ms: int = 0,
    ) -> None:
        super().__init__(message)
        self.close_code = close_code
        self.advice = Advice.RECONNECT if close_code is None else advice_for_close(close_code)
        self.http_status = http_status
        self.retry_after_ms = retry_after_ms


class ConnectionLost(WatchwordError):
    """An open connection ended without a reason of the server's. What was asked on it may or may not have happened."""

    def __init__(self, message: str, *, close_code: int | None = None, retry_after_ms: int = 0) -> None:
        super().__init__(message)
        self.close_code = close_code
        self.advice = Advice.RECONNECT if close_code is None else advice_for_close(close_code)
        self.retry_after_ms = retry_after_ms


class TokenUnavailable(WatchwordError):
    """The token function raised, or took too long; its own exception is the cause. The client asks it again later."""


class AuthenticationStopped(WatchwordError):
    """There will be no further token. Raise it in a token function, say after signing out: the client stops."""

    advice = Advice.STOP


class Closed(WatchwordError):
    """You closed the client, or have not opened it yet."""

    advice = Advice.STOP


# One class for each row, in the order of the table.


class TokenExpired(ServerError, code=ErrorCode.TOKEN_EXPIRED):
    """The token's exp has passed."""


class TokenRevoked(ServerError, code=ErrorCode.TOKEN_REVOKED):
    """The token, its session or its user is gone."""


class TokenStale(ServerError, code=ErrorCode.TOKEN_STALE):
    """The account's role or password changed after the token was issued."""


class MalformedAuthorization(ServerError, code=ErrorCode.MALFORMED_AUTHORIZATION):
    """The credential was not presented as the protocol wants it."""


class MissingClaim(ServerError, code=ErrorCode.MISSING_CLAIM):
    """The token lacks a claim that the server requires."""


class InvalidToken(ServerError, code=ErrorCode.INVALID_TOKEN):
    """The token could not be read, or is meant for something else."""


class InvalidSignature(ServerError, code=ErrorCode.INVALID_SIGNATURE):
    """The token was not signed with a key that the server holds for its issuer."""


class UntrustedIssuer(ServerError, code=ErrorCode.UNTRUSTED_ISSUER):
    """The server does not trust who issued the token."""


class InvalidCredentials(ServerError, code=ErrorCode.INVALID_CREDENTIALS):
    """The user is unknown or deleted, or the password is wrong; the server does not say which."""


class AuthRequired(ServerError, code=ErrorCode.AUTH_REQUIRED):
    """A message came before any credential."""


class UserMismatch(ServerError, code=ErrorCode.USER_MISMATCH):
    """A renewal brought another user's token."""


class OriginNotAllowed(ServerError, code=ErrorCode.ORIGIN_NOT_ALLOWED):
    """The server does not list the request's origin."""


class AccessDenied(ServerError, code=ErrorCode.ACCESS_DENIED):
    """The role may not connect from here."""


class MalformedMessage(ServerError, code=ErrorCode.MALFORMED_MESSAGE):
    """The server could not read a message of ours."""


class UnsupportedData(ServerError, code=ErrorCode.UNSUPPORTED_DATA):
    """A binary message was sent."""


class Replaced(ServerError, code=ErrorCode.REPLACED):
    """A newer connection of the same user took over."""


class TokenNotYetValid(ServerError, code=ErrorCode.TOKEN_NOT_YET_VALID):
    """The token's nbf or iat lies ahead of the server's clock."""


class KeyUnavailable(ServerError, code=ErrorCode.KEY_UNAVAILABLE):
    """The server cannot fetch the issuer's keys now; a renewal that meets this leaves the connection open."""


class AccountLocked(ServerError, code=ErrorCode.ACCOUNT_LOCKED):
    """Too many failed passwords, or an administrator's lock."""


class AuthTimeout(ServerError, code=ErrorCode.AUTH_TIMEOUT):
    """The credential did not arrive in time."""


class RateLimited(ServerError, code=ErrorCode.RATE_LIMITED):
    """More messages than the server allows; see `retry_after_ms`."""


class TooManyConnections(ServerError, code=ErrorCode.TOO_MANY_CONNECTIONS):
    """The user, the address or the server is at its limit of connections."""


class HeartbeatTimeout(ServerError, code=ErrorCode.HEARTBEAT_TIMEOUT):
    """The server's ping was not answered in time."""


class SlowConsumer(ServerError, code=ErrorCode.SLOW_CONSUMER):
    """What the server sent was not read."""


class ServerShutdown(ServerError, code=ErrorCode.SERVER_SHUTDOWN):
    """The server is restarting."""


class Overloaded(ServerError, code=ErrorCode.OVERLOADED):
    """The server is at its limit."""


class MessageTooLarge(ServerError, code=ErrorCode.MESSAGE_TOO_LARGE):
    """A message of ours is over the server's limit; it is not sent again."""


class InvalidSql(SqlError, code=ErrorCode.INVALID_SQL):
    """The statement is not valid."""


class UnsupportedSql(SqlError, code=ErrorCode.UNSUPPORTED_SQL):
    """The statement uses a construct outside the supported subset."""


class InvalidParams(SqlError, code=ErrorCode.INVALID_PARAMS):
    """A parameter is missing, superfluous or not valid."""


class TypeMismatch(SqlError, code=ErrorCode.TYPE_MISMATCH):
    """A value does not fit its type."""


class LimitExceeded(SqlError, code=ErrorCode.LIMIT_EXCEEDED):
    """A limit of statements is exceeded."""


class ConstraintViolation(SqlError, code=ErrorCode.CONSTRAINT_VIOLATION):
    """A constraint refuses the write."""


class NotFound(SqlError, code=ErrorCode.NOT_FOUND):
    """It does not exist, or may not be seen; also a path that is none of the server's."""


class AlreadyExists(SqlError, code=ErrorCode.ALREADY_EXISTS):
    """The name is taken."""


class PermissionDenied(SqlError, code=ErrorCode.PERMISSION_DENIED):
    """The role or a policy does not allow it."""


class QueryTimeout(SqlError, code=ErrorCode.QUERY_TIMEOUT):
    """The statement took longer than allowed."""


class ResultTooLarge(SqlError, code=ErrorCode.RESULT_TOO_LARGE):
    """The result has more rows or bytes than allowed."""


class StorageFull(SqlError, code=ErrorCode.STORAGE_FULL):
    """The server has no space left for writes."""


class StorageUnavailable(SqlError, code=ErrorCode.STORAGE_UNAVAILABLE):
    """The server cannot use its storage now."""


class CommitUnknown(SqlError, code=ErrorCode.COMMIT_UNKNOWN):
    """The write may or may not have happened."""


class SchemaChanged(SqlError, code=ErrorCode.SCHEMA_CHANGED):
    """A table of the statement, or of the subscription, was altered meanwhile."""


class SubscriptionExists(ServerError, code=ErrorCode.SUBSCRIPTION_EXISTS):
    """The subscription's id is in use on this connection."""


class SubscriptionNotFound(ServerError, code=ErrorCode.SUBSCRIPTION_NOT_FOUND):
    """No subscription of this connection has that id."""


class SubscriptionLimit(ServerError, code=ErrorCode.SUBSCRIPTION_LIMIT):
    """The connection has as many subscriptions as it may."""


class InternalError(ServerError, code=ErrorCode.INTERNAL_ERROR):
    """The server failed; its log holds the request_id."""
