"""The demo can fail: whatever differs from the error table is found and named."""

import json

import pytest

from examples.demo.case import Case, Outcome, missing_rows
from examples.demo.verdict import Expected, Told, find_differences, read_told
from examples.demo.wire import Seen
from watchword_protocol.errors import ErrorCode

CODE = ErrorCode.TOKEN_EXPIRED
BY_CLOSE = Expected(CODE)
OVER_HTTP = Expected(CODE, status=401)
CLOSED = Told("TOKEN_EXPIRED", "Token has expired", None, 4100, "TOKEN_EXPIRED", "new_token", "auth_error")
ANSWERED = Told("TOKEN_EXPIRED", "Token has expired", 401, 4100, is_challenged=True)


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        (BY_CLOSE, CLOSED),
        (OVER_HTTP, ANSWERED),
        (Expected(CODE, says=""), CLOSED._replace(says="", message="")),
        (Expected(CODE, says="error"), CLOSED._replace(says="error", message="another sentence")),
    ],
)
def test_what_the_table_says_differs_nowhere(expected: Expected, told: Told) -> None:
    assert find_differences(expected, told) == []


@pytest.mark.parametrize(
    ("expected", "told", "words"),
    [
        (
            BY_CLOSE,
            CLOSED._replace(code="INVALID_TOKEN"),
            "the error code is INVALID_TOKEN, and should be TOKEN_EXPIRED",
        ),
        (BY_CLOSE, CLOSED._replace(close=4101), "the close code is 4101, and should be 4100"),
        (BY_CLOSE, CLOSED._replace(close=None), "the close code is none, and should be 4100"),
        (BY_CLOSE, CLOSED._replace(reason="bye"), "the close reason is bye, and should be TOKEN_EXPIRED"),
        (BY_CLOSE, CLOSED._replace(advice="stop"), "the advice is stop, and should be new_token"),
        (BY_CLOSE, CLOSED._replace(message="No"), "the sentence is No, and should be Token has expired"),
        (
            BY_CLOSE,
            CLOSED._replace(says="error"),
            "the message before the close frame is error, and should be auth_error",
        ),
        (BY_CLOSE, CLOSED._replace(says=""), "the message before the close frame is none, and should be auth_error"),
        (BY_CLOSE, CLOSED._replace(status=401), "the HTTP status is 401, and should be none"),
        (OVER_HTTP, ANSWERED._replace(status=403), "the HTTP status is 403, and should be 401"),
        (OVER_HTTP, ANSWERED._replace(close=None), "the close code is none, and should be 4100"),
        (OVER_HTTP, ANSWERED._replace(is_challenged=False), "the WWW-Authenticate is missing, and should be present"),
    ],
)
def test_every_difference_is_named(expected: Expected, told: Told, words: str) -> None:
    assert find_differences(expected, told) == [words]


def test_a_changed_row_of_the_table_is_a_difference() -> None:
    assert find_differences(Expected(ErrorCode.TOKEN_REVOKED), CLOSED)


AUTH_ERROR = {"type": "auth_error", "code": "TOKEN_EXPIRED", "message": "Token has expired", "advice": "new_token"}
BODY = {"error": {"code": "TOKEN_EXPIRED", "message": "Token has expired", "close_code": 4100}}


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (Seen(101, messages=(AUTH_ERROR,), close=4100, reason="TOKEN_EXPIRED"), CLOSED),
        (Seen(401, challenges=("Bearer",), body=json.dumps(BODY).encode()), ANSWERED),
        (
            Seen(101, messages=({"type": "auth_success"},), close=4100, reason="TOKEN_EXPIRED"),
            CLOSED._replace(message="", says=""),
        ),
        (Seen(101, messages=({"type": "auth_success"},)), Told("came in")),
        (Seen(101), Told("no error")),
        (Seen(200, body=b"{}"), Told("no error", status=200)),
        (Seen(502, body=b"<html>"), Told("no error", status=502)),
        (Seen(400, body=b'{"error":[]}'), Told("no error", status=400)),
    ],
)
def test_a_refusal_is_read_from_whatever_came(seen: Seen, told: Told) -> None:
    assert read_told(seen) == told


async def never(_port: int) -> Seen:
    raise AssertionError


def test_a_row_that_nothing_provoked_is_missing() -> None:
    outcome = Outcome(Case("expired", "H", BY_CLOSE, never), CLOSED, None, [])
    ending = {code for code in ErrorCode if code.close is not None}
    unseen = ending - {CODE, ErrorCode.REPLACED}
    assert missing_rows([outcome], unseen) == ["REPLACED"]
    assert missing_rows([outcome], unseen | {ErrorCode.REPLACED}) == []
