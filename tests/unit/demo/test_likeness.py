"""Answers are compared whole, but for the name of the request and the time."""

import json

import pytest

from examples.demo.likeness import blank
from examples.demo.wire import Seen


def answer(request_id: str, message: str = "No", length: int = 9, challenge: str = "Basic") -> Seen:
    body = {"status": "error", "error": {"code": "INVALID_CREDENTIALS", "message": message, "request_id": request_id}}
    head = f"HTTP/1.1 401 Unauthorized\r\ncontent-length: {length}\r\nwww-authenticate: {challenge}\r\n\r\n"
    return Seen(401, (challenge,), json.dumps(body).encode(), head=head)


def refusal(request_id: str, server_time: str, message: str = "No") -> Seen:
    text = {"type": "auth_error", "message": message, "request_id": request_id, "server_time": server_time}
    return Seen(101, messages=(text,), close=4205, reason="INVALID_CREDENTIALS", head="HTTP/1.1 101")


def test_the_name_of_the_request_and_the_time_are_no_difference() -> None:
    assert blank(answer("r1", length=9)) == blank(answer("r10", length=10))
    assert blank(refusal("r1", "2026-06-01")) == blank(refusal("r2", "2026-06-02"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (answer("r1"), answer("r1", message="Deleted")),
        (answer("r1"), answer("r1", challenge="Bearer")),
        (answer("r1"), answer("r1")._replace(head="HTTP/1.1 401 Unauthorized\r\nx-deleted: yes\r\n\r\n")),
        (refusal("r1", "t"), refusal("r1", "t", message="Deleted")),
        (refusal("r1", "t"), refusal("r1", "t")._replace(reason="DELETED")),
        (refusal("r1", "t"), refusal("r1", "t")._replace(close=4206)),
    ],
)
def test_anything_else_is_one(one: Seen, other: Seen) -> None:
    assert blank(one) != blank(other)
