"""What a client does after each ending: the vectors that bind every client to the same decisions."""

import json
from pathlib import Path
from typing import Any

import pytest

from watchword.reconnect import Attempts, CredentialKind, Ending, Retry, Stop, decide
from watchword_protocol.errors import Advice, ErrorCode

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("backoff.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_each_ending_is_followed_by_the_decision_of_the_vectors(case: dict[str, Any]) -> None:
    word = case["ending"]["advice"]
    ending = Ending(**{**case["ending"], "advice": Advice(word) if word else None})
    decision, remembered = decide(
        ending, Attempts(**case["attempts"]), CredentialKind(case["credential"]), case["jitter"]
    )
    match case["decision"]:
        case {"action": "retry", "after_s": after_s, "is_anew": is_anew}:
            assert isinstance(decision, Retry)
            assert decision.after_s == pytest.approx(after_s)
            assert decision.is_anew is is_anew
        case {"action": "stop"}:
            assert isinstance(decision, Stop)
    assert remembered == Attempts(**case["next"])


def test_the_vectors_hold_every_error_that_ends_a_connection() -> None:
    closes = {case["ending"]["close_code"] for case in CASES}
    assert closes >= {code.close for code in ErrorCode if code.close is not None}


def test_the_names_of_the_vectors_differ() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)
