"""A row of the error table over HTTP."""

import json
import re

import pytest

from watchword_protocol.errors import ErrorCode
from watchword_server.http_error import ERROR_HEADERS, challenges, error_body, reason_phrase

E = ErrorCode
ANY = ['Bearer realm="watchword"', 'Basic realm="watchword", charset="UTF-8"']


def bearer(error: str) -> str:
    return f'Bearer realm="watchword", error="{error}"'


CHALLENGES = {
    E.AUTH_REQUIRED: ANY,
    E.INVALID_CREDENTIALS: ANY,
    E.MALFORMED_AUTHORIZATION: [bearer("invalid_request"), ANY[1]],
    E.MISSING_CLAIM: [bearer("invalid_request")],
    E.TOKEN_EXPIRED: [bearer("invalid_token")],
    E.TOKEN_REVOKED: [bearer("invalid_token")],
    E.TOKEN_STALE: [bearer("invalid_token")],
    E.INVALID_TOKEN: [bearer("invalid_token")],
    E.INVALID_SIGNATURE: [bearer("invalid_token")],
    E.UNTRUSTED_ISSUER: [bearer("invalid_token")],
    E.TOKEN_NOT_YET_VALID: [bearer("invalid_token")],
    E.ACCESS_DENIED: [bearer("insufficient_scope")],
}


@pytest.mark.parametrize("code", ErrorCode, ids=lambda code: code.name)
def test_the_challenge_of_each_row(code: ErrorCode) -> None:
    told = challenges(code)
    assert [value.partition(", error_description")[0] for value in told] == CHALLENGES.get(code, [])
    for value in told:
        assert re.fullmatch(r'(Bearer|Basic) [a-z_A-Z]+="[^"\\]*"(, [a-z_]+="[^"\\]*")*', value)


def test_every_401_has_a_challenge() -> None:
    """RFC 9110 15.5.2 insists."""
    assert {code for code in ErrorCode if code.http == 401} <= set(CHALLENGES)


@pytest.mark.parametrize("code", ErrorCode, ids=lambda code: code.name)
def test_the_one_body_of_every_error(code: ErrorCode) -> None:
    assert json.loads(error_body(code, 'say "why"', "r-1")) == {
        "status": "error",
        "results": [],
        "error": {"code": code.name, "message": 'say "why"', "close_code": code.close, "request_id": "r-1"},
    }
    assert reason_phrase(code.http)


def test_no_error_is_kept_by_a_cache() -> None:
    assert ERROR_HEADERS == {"content-type": "application/json", "cache-control": "no-store"}
