"""The error table: laws that hold over all rows."""

import pytest

from watchword_protocol.errors import GIVE_UP, NEW_TOKEN, RECONNECT, Advice, Ends, ErrorCode, advice_for_close
from watchword_protocol.limits import CLOSE_REASON_BYTES

EVERY = pytest.mark.parametrize("code", ErrorCode, ids=lambda code: code.name)
REGISTERED = {1009, 1011, 1012, 1013}


def test_close_codes_are_unique() -> None:
    closes = [code.close for code in ErrorCode if code.close is not None]
    assert len(set(closes)) == len(closes)


@EVERY
def test_close_code_lies_in_one_of_the_ranges_or_is_registered(code: ErrorCode) -> None:
    assert (
        code.close is None or code.close in REGISTERED or any(code.close in r for r in (RECONNECT, NEW_TOKEN, GIVE_UP))
    )


@EVERY
def test_close_reason_fits_into_a_close_frame(code: ErrorCode) -> None:
    assert len(code.name.encode()) <= CLOSE_REASON_BYTES


@EVERY
def test_status_is_an_error_of_http(code: ErrorCode) -> None:
    assert 400 <= code.http <= 599


@EVERY
def test_row_has_a_message_and_a_remedy_in_whole_sentences(code: ErrorCode) -> None:
    assert code.message[0].isupper()
    assert not code.message.endswith(".")
    assert code.remedy[0].isupper()
    assert code.remedy.endswith(".")


@EVERY
def test_what_can_end_a_connection_has_a_close_code(code: ErrorCode) -> None:
    """INTERNAL_ERROR alone has one and does not end by itself: it closes where the connection is what is broken."""
    if code is not ErrorCode.INTERNAL_ERROR:
        assert (code.close is None) == (code.ends is Ends.NEVER)


@pytest.mark.parametrize(
    ("closes", "advice"),
    [
        ((4000, 4001, 4099), Advice.RECONNECT),
        ((4100, 4102, 4199), Advice.NEW_TOKEN),
        ((4200, 4212, 4299), Advice.STOP),
        ((1009, 1011, 1012, 1013), Advice.RECONNECT),
        ((1000, 1001, 1003, 1005, 1006, 1008, 1014), Advice.RECONNECT),
        ((1002, 1007), Advice.STOP),
        ((3000, 3999, 4300, 4999), Advice.RECONNECT),
    ],
    ids=str,
)
def test_a_close_code_is_judged_by_its_range(closes: tuple[int, ...], advice: Advice) -> None:
    assert {advice_for_close(close) for close in closes} == {advice}


def test_an_error_without_a_close_code_has_no_advice() -> None:
    assert ErrorCode.INVALID_SQL.advice is None
