"""What a row of the error table looks like over HTTP: headers, challenge, body; for upgrade and API alike."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, NamedTuple

import msgspec

from watchword_protocol.errors import ErrorCode

__all__ = ["ERROR_HEADERS", "Place", "challenges", "error_body", "error_headers", "reason_phrase"]

REALM: Final = "watchword"

ERROR_HEADERS: Final[Mapping[str, str]] = {"content-type": "application/json", "cache-control": "no-store"}
"""On every answer of ours that speaks of a credential or an error (RFC 9111 5.2.2.5)."""

_BASIC: Final = f'Basic realm="{REALM}", charset="UTF-8"'  # RFC 7617 2.1
_ANY: Final = (f'Bearer realm="{REALM}"', _BASIC)

# RFC 6750 3.1: which error a refused Bearer token gets. What is not here gets no challenge.
_BEARER_ERRORS: Final = {
    ErrorCode.MALFORMED_AUTHORIZATION: "invalid_request",
    ErrorCode.MISSING_CLAIM: "invalid_request",
    ErrorCode.TOKEN_EXPIRED: "invalid_token",
    ErrorCode.TOKEN_REVOKED: "invalid_token",
    ErrorCode.TOKEN_STALE: "invalid_token",
    ErrorCode.INVALID_TOKEN: "invalid_token",
    ErrorCode.INVALID_SIGNATURE: "invalid_token",
    ErrorCode.UNTRUSTED_ISSUER: "invalid_token",
    ErrorCode.TOKEN_NOT_YET_VALID: "invalid_token",
    ErrorCode.ACCESS_DENIED: "insufficient_scope",
}
_ANY_CHALLENGE: Final = frozenset({ErrorCode.AUTH_REQUIRED, ErrorCode.INVALID_CREDENTIALS})


def challenges(code: ErrorCode) -> tuple[str, ...]:
    """The values of `WWW-Authenticate`, one header each (RFC 9110 11.6.1, RFC 6750 3, RFC 7617 2)."""
    if code in _ANY_CHALLENGE:
        # Without a credential, and for an unknown user by either way: no error attribute, nothing to tell apart.
        return _ANY
    if (error := _BEARER_ERRORS.get(code)) is None:
        return ()
    bearer = f'Bearer realm="{REALM}", error="{error}", error_description="{code.message}"'
    return (bearer, _BASIC) if code is ErrorCode.MALFORMED_AUTHORIZATION else (bearer,)


# RFC 9110 15.5.6, 15.5.22 with RFC 6455 4.4.
_HEADERS_BY_STATUS: Final[Mapping[int, Mapping[str, str]]] = {
    405: {"allow": "GET"},
    426: {"upgrade": "websocket", "sec-websocket-version": "13"},
}
_RETRY_AFTER_S: Final = {429: 30, 503: 5}


def error_headers(status: int, code: ErrorCode, *, retry_after_ms: int = 0) -> list[tuple[str, str]]:
    """Every header that the error's body does not decide.

    Args:
        status: The row's own, or one that has no row (405, 426).
        code: The row.
        retry_after_ms: When it makes sense to try again, where that is known better than by the status.
    """
    headers = [*ERROR_HEADERS.items(), *_HEADERS_BY_STATUS.get(status, {}).items()]
    headers += [("www-authenticate", challenge) for challenge in challenges(code)]
    # RFC 9110 10.2.3: whole seconds.
    if retry_after_s := -(-retry_after_ms // 1000) or _RETRY_AFTER_S.get(status, 0):
        headers.append(("retry-after", str(retry_after_s)))
    return headers


class Place(NamedTuple):
    """Where in a request an error is: line and column from 1 in the text of a statement, the statement from 0."""

    line: int | None
    column: int | None
    statement: int | None


class _Error(msgspec.Struct, omit_defaults=True):
    code: str
    message: str
    close_code: int | None
    request_id: str
    line: int | None = None
    column: int | None = None
    statement: int | None = None


class _Body(msgspec.Struct):
    error: _Error
    status: str = "error"
    results: tuple[()] = ()


def error_body(code: ErrorCode, message: str, request_id: str, place: Place | None = None) -> bytes:
    """The one body of every HTTP error, JSON."""
    error = _Error(code.name, message, code.close, request_id, *(place or ()))
    return msgspec.json.encode(_Body(error))


def reason_phrase(status: int) -> str:
    """The words of the status line (RFC 9112 4)."""
    return HTTPStatus(status).phrase
