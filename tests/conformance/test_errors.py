"""The error table against errors.json: the numbers of the wire contract, which never change once they are out."""

import json
from pathlib import Path
from typing import Any

import pytest

from watchword_protocol.errors import ErrorCode

ROWS = json.loads(Path(__file__).with_name("errors.json").read_text(encoding="utf-8"))


def test_table_and_contract_name_the_same_codes_in_the_same_order() -> None:
    """Rows are appended; what differs only in order is hard to compare by eye."""
    assert [code.name for code in ErrorCode] == [row["code"] for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["code"]))
def test_row_is_as_the_contract_says(row: dict[str, Any]) -> None:
    code = ErrorCode[row["code"]]
    advice = code.advice and code.advice.value
    assert (code.http, code.close, code.ends.value, advice) == (row["http"], row["close"], row["ends"], row["advice"])
    if "message" in row:
        assert code.message == row["message"]
