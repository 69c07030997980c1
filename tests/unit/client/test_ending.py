"""What the server sent at the end, as one exception."""

import json

import pytest

import watchword
from watchword.ending import explain_close, explain_message, explain_status
from watchword_protocol.errors import ErrorCode
from watchword_protocol.messages import AuthError, ErrorMessage

LIMITED = ErrorMessage(code="RATE_LIMITED", message="Slow down", request_id="r_1", retry_after_ms=900)
SQL = ErrorMessage(code="INVALID_SQL", message="Near 'from'", request_id="r_2")
EXPIRED = AuthError("TOKEN_EXPIRED", "Too old", "new_token", "r_3", "2026-06-01T12:00:00Z")
FROZEN = AuthError("TOKEN_FROZEN", "Frozen", "new_token", "r_4", "2026-06-01T12:00:00Z", retry_after_ms=50)


@pytest.mark.parametrize(
    ("close_code", "reason", "last", "kind", "code", "request_id"),
    [
        (4100, "TOKEN_EXPIRED", None, watchword.TokenExpired, "TOKEN_EXPIRED", None),
        (4100, "", None, watchword.TokenExpired, "TOKEN_EXPIRED", None),
        (4100, "TOKEN_EXPIRED", EXPIRED, watchword.TokenExpired, "TOKEN_EXPIRED", "r_3"),
        (None, "", EXPIRED, watchword.TokenExpired, "TOKEN_EXPIRED", "r_3"),
        (1005, "", EXPIRED, watchword.TokenExpired, "TOKEN_EXPIRED", "r_3"),
        (4150, "TOKEN_FROZEN", FROZEN, watchword.ServerError, "TOKEN_FROZEN", "r_4"),
        (4150, "TOKEN_FROZEN", None, watchword.ServerError, "TOKEN_FROZEN", None),
        (4150, "some words", None, watchword.ServerError, "CLOSE_4150", None),
        (4003, "RATE_LIMITED", LIMITED, watchword.RateLimited, "RATE_LIMITED", "r_1"),
        (1009, "MESSAGE_TOO_LARGE", None, watchword.MessageTooLarge, "MESSAGE_TOO_LARGE", None),
        (1011, "INTERNAL_ERROR", None, watchword.InternalError, "INTERNAL_ERROR", None),
        (1012, "SERVER_SHUTDOWN", None, watchword.ServerShutdown, "SERVER_SHUTDOWN", None),
        (1013, "OVERLOADED", SQL, watchword.Overloaded, "OVERLOADED", None),
    ],
)
def test_a_close_of_the_table_is_the_error_of_its_row(
    close_code: int | None,
    reason: str,
    last: AuthError | ErrorMessage | None,
    kind: type[watchword.ServerError],
    code: str,
    request_id: str | None,
) -> None:
    error = explain_close(close_code, reason, last)
    assert isinstance(error, watchword.ServerError)
    assert (type(error), error.code, error.request_id) == (kind, code, request_id)
    if close_code is not None and close_code >= 4000:
        assert error.close_code == close_code


@pytest.mark.parametrize(
    ("close_code", "reason", "last", "words"),
    [
        (None, "", None, "broke without a word"),
        (None, "", SQL, "broke without a word"),
        (1000, "", None, "closed it"),
        (1001, "bye", None, "going away: 'bye'"),
        (1011, "nginx fell over", None, "failed: 'nginx fell over'"),
        (1012, "service restart", SQL, "restarting"),
        (3333, "", None, "code 3333"),
    ],
)
def test_any_other_close_is_a_lost_connection(
    close_code: int | None, reason: str, last: ErrorMessage | None, words: str
) -> None:
    error = explain_close(close_code, reason, last)
    assert type(error) is watchword.ConnectionLost
    assert error.close_code == close_code
    assert words in str(error)


def test_the_longer_of_two_hints_counts() -> None:
    assert explain_close(4003, "RATE_LIMITED", LIMITED, retry_after_ms=300).retry_after_ms == 900
    assert explain_close(1012, "SERVER_SHUTDOWN", None, retry_after_ms=300).retry_after_ms == 300


def test_without_a_close_code_the_servers_word_is_the_advice() -> None:
    error = explain_message(FROZEN)
    assert error.advice is watchword.Advice.NEW_TOKEN
    assert error.retry_after_ms == 50


@pytest.mark.parametrize("code", [code for code in ErrorCode if code.close], ids=lambda code: code.name)
def test_an_http_refusal_is_the_same_exception_as_the_close(code: ErrorCode) -> None:
    body = {"code": code.name, "message": "In words", "close_code": code.close, "request_id": "r_5"}
    error = explain_status(code.http, json.dumps({"status": "error", "results": [], "error": body}).encode(), None)
    closed = explain_close(code.close, code.name, None)
    assert isinstance(error, watchword.ServerError)
    assert type(error) is type(closed)
    assert (error.advice, error.close_code, error.request_id) == (closed.advice, closed.close_code, "r_5")
    assert error.http_status == code.http


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\xff", b"[]", b'{"error":null}', b'{"error":{"code":7}}', b"[" * 100_000]
)
def test_any_other_body_is_a_failed_connection(body: bytes) -> None:
    error = explain_status(502, body, None)
    assert type(error) is watchword.ConnectFailed
    assert "HTTP 502" in str(error)


@pytest.mark.parametrize(
    ("retry_after", "expected_ms"),
    [("7", 7000), (None, 0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0), ("-1", 0), ("\N{ARABIC-INDIC DIGIT SEVEN}", 0)],
)
def test_retry_after_is_a_hint_where_it_is_seconds(retry_after: str | None, expected_ms: int) -> None:
    assert explain_status(503, b"", retry_after).retry_after_ms == expected_ms


def test_a_redirect_says_why_it_is_not_followed() -> None:
    assert "credential would go along" in str(explain_status(307, b"", None))


@pytest.mark.parametrize("code", ["INVALID_SQL", "TYPE_MISMATCH", "NOT_FOUND", "SQL_FROM_THE_FUTURE"])
def test_the_place_of_an_error_in_sql_is_kept_whatever_its_code(code: str) -> None:
    error = explain_message(ErrorMessage(code, "Near 'form'", "r_5", line=2, column=8, statement=0))
    assert (error.line, error.column, error.statement) == (2, 8, 0)
    assert str(error).startswith(f"{code}: Near 'form' (statement 0, line 2, column 8). ")


def test_an_error_without_a_place_has_none() -> None:
    for error in (explain_message(SQL), explain_message(EXPIRED)):
        assert (error.line, error.column, error.statement) == (None, None, None)
        assert "(statement" not in str(error)
    partly = explain_message(ErrorMessage("QUERY_TIMEOUT", "2000 ms", "r_6", statement=3))
    assert str(partly).startswith("QUERY_TIMEOUT: 2000 ms (statement 3). ")
