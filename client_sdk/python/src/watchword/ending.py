"""Why a connection ended or never began, as one exception. Pure: what the server sent, in; the exception, out.

A refusal looks different by way and mode (an `auth_error` and a close frame, a close frame alone, an HTTP status),
and is the same exception in all of them.
"""

import re
from typing import Final

import msgspec

from watchword.exceptions import ConnectFailed, ConnectionLost, ServerError, WatchwordError
from watchword_protocol.errors import ErrorCode
from watchword_protocol.messages import AuthError, ErrorMessage

__all__ = ["explain_close", "explain_message", "explain_status"]

_APPLICATION_CLOSES: Final = range(4000, 5000)  # RFC 6455 7.4.2
_NAMES: Final = frozenset(ErrorCode.__members__)
_NAME: Final = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
_REASONS: Final = {
    1000: "closed it",
    1001: "is going away",
    1002: "says that this client broke the protocol",
    1003: "says that it cannot take such data",
    1005: "closed it without a reason",
    1007: "says that this client sent invalid data",
    1008: "or a proxy before it closed it for a policy of its own",
    1011: "failed",
    1012: "is restarting",
    1013: "is at its limit",
}


class _HttpError(msgspec.Struct):
    code: str
    message: str = ""
    close_code: int | None = None
    request_id: str | None = None


class _HttpBody(msgspec.Struct):
    """The one body of every HTTP error of the server (docs/reference/protocol.md, section 2)."""

    error: _HttpError


_body: Final = msgspec.json.Decoder(_HttpBody)


def explain_message(message: AuthError | ErrorMessage, *, close_code: int | None = None) -> ServerError:
    """The exception in an `auth_error` or `error`."""
    if isinstance(message, AuthError):
        return ServerError.from_wire(
            message.code,
            message.message,
            advice=message.advice,
            close_code=close_code,
            request_id=message.request_id,
            retry_after_ms=message.retry_after_ms,
        )
    return ServerError.from_wire(
        message.code,
        message.message,
        close_code=close_code,
        request_id=message.request_id,
        retry_after_ms=message.retry_after_ms,
        line=message.line,
        column=message.column,
        statement=message.statement,
    )


def explain_close(
    close_code: int | None, reason: str, last: AuthError | ErrorMessage | None, *, retry_after_ms: int = 0
) -> WatchwordError:
    """The end of an open connection.

    Args:
        close_code: Of the close frame; None where the link broke without one.
        last: The error message right before the end, if the last message was one.
        retry_after_ms: What is left of a hint given before the end (`draining`); 0 is none.
    """
    error = _explain_close(close_code, reason, last)
    error.retry_after_ms = max(error.retry_after_ms, retry_after_ms)
    return error


def _explain_close(close_code: int | None, reason: str, last: AuthError | ErrorMessage | None) -> WatchwordError:
    own_close = close_code if close_code in _APPLICATION_CLOSES or reason in _NAMES else None
    # An `error` explains the end only where the close frame repeats its code: most of them end nothing.
    if last is not None and (isinstance(last, AuthError) or last.code == reason):
        return explain_message(last, close_code=own_close)
    if own_close is not None:
        return ServerError.from_wire(reason if _NAME.fullmatch(reason) else None, close_code=own_close)
    if close_code is None:
        return ConnectionLost("The connection broke without a word from the server.")
    said = _REASONS.get(close_code, f"closed it with code {close_code}")
    return ConnectionLost(f"The server {said}{f': {reason!r}' if reason else ''}.", close_code=close_code)


def explain_status(status: int, body: bytes, retry_after: str | None) -> WatchwordError:
    """A refused upgrade: the server's own error where the body holds one, else what the status tells.

    Args:
        retry_after: The header of this name (RFC 9110 10.2.3); a date instead of seconds is no hint.
    """
    retry_after_ms = int(retry_after) * 1000 if retry_after and re.fullmatch(r"[0-9]{1,7}", retry_after) else 0
    error = _decode_body(body)
    if error is not None:
        return ServerError.from_wire(
            error.code,
            error.message,
            close_code=error.close_code,
            http_status=status,
            request_id=error.request_id,
            retry_after_ms=retry_after_ms,
        )
    is_redirect = 300 <= status < 400
    said = "It redirects, which is not followed: the credential would go along." if is_redirect else ""
    return ConnectFailed(
        f"The upgrade was refused with HTTP {status}, not by a Watchword server. {said}".rstrip(),
        http_status=status,
        retry_after_ms=retry_after_ms,
    )


def _decode_body(body: bytes) -> _HttpError | None:
    try:
        return _body.decode(body).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return None
