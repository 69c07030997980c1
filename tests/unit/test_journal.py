"""What is told of connections: whole stories, never a flood, never a secret."""

import logging
from collections.abc import Mapping
from typing import Any, Final

import pytest

from support.clock import FakeClock
from support.lives import START, after, make_connection, make_user
from support.server import log_lines
from watchword_protocol.errors import ErrorCode
from watchword_server.connection import Connection, State
from watchword_server.journal import Journal

ADDRESS: Final = "192.0.2.7"


class Told:
    """A journal, its clock, and the lines that it has told."""

    def __init__(self, *, level: int = logging.INFO, lines_per_s: int = 50) -> None:
        self.clock = FakeClock(monotonic=START.monotonic, wall=START.wall)
        self.lines: list[Mapping[str, Any]] = []
        self.journal = Journal(log_lines(self.lines, level=level), self.clock, lines_per_s)

    def refuse(self, times: int = 1) -> None:
        for number in range(times):
            self.journal.refused(ErrorCode.INVALID_TOKEN, f"r{number}", ADDRESS)

    @property
    def left_out(self) -> list[int | None]:
        """Of each line, how many it says were left out before it."""
        return [line.get("lines_left_out") for line in self.lines]


def open_connection() -> Connection:
    return make_connection(State.OPEN, user=make_user("ada", email="ada@example.org", claims={"note": "private"}))


def test_a_refusal_says_what_to_whom_and_how_it_is_found() -> None:
    told = Told()
    told.journal.refused(ErrorCode.USER_MISMATCH, "r-1", ADDRESS, user="ada")
    assert told.lines == [
        {"event": "refused", "code": "USER_MISMATCH", "request_id": "r-1", "address": ADDRESS, "user": "ada"}
    ]


@pytest.mark.parametrize(("code", "said"), [(None, "by the client"), (ErrorCode.TOKEN_REVOKED, "TOKEN_REVOKED")])
def test_an_end_tells_the_story_of_the_connection(code: ErrorCode | None, said: str) -> None:
    told, connection = Told(), open_connection()
    if code is not None:
        connection.end(code, after(12.0))
    told.clock.advance(12.345_6)
    told.journal.ended(connection, ADDRESS)
    assert told.lines == [
        {
            "event": "ended",
            "connection": connection.id,
            "user": "ada",
            "user_id": "u_ada",
            "role": "user",
            "method": "jwt",
            "address": ADDRESS,
            "code": said,
            "duration_s": 12.346,
        }
    ]


@pytest.mark.parametrize("state", [State.FRESH, State.CHECKING])
def test_who_never_came_in_has_no_story(state: State) -> None:
    told = Told()
    told.journal.ended(make_connection(state), ADDRESS)
    assert told.lines == []


def test_who_comes_in_is_told_only_to_those_who_look_closely() -> None:
    connection = open_connection()
    usual, close = Told(), Told(level=logging.DEBUG)
    for told in (usual, close):
        told.journal.opened(connection, ADDRESS)
        told.journal.opened(make_connection(State.CHECKING), ADDRESS)
    assert usual.lines == []
    assert close.lines == [
        {
            "event": "opened",
            "connection": connection.id,
            "user": "ada",
            "user_id": "u_ada",
            "role": "user",
            "method": "jwt",
            "token": "t-17",
            "address": ADDRESS,
        }
    ]


@pytest.mark.parametrize("is_open", [True, False])
def test_what_should_not_happen_is_told_in_full(*, is_open: bool) -> None:
    told, error = Told(), ZeroDivisionError("planted")
    connection = open_connection() if is_open else None
    told.journal.failed("r-1", error, connection=connection)
    (line,) = told.lines
    assert line["exc_info"] is error
    assert (line["event"], line["request_id"]) == ("internal error", "r-1")
    assert (line["connection"], line["user"]) == ((connection.id, "ada") if connection else (None, None))


def test_nothing_told_holds_claims_or_an_email_address() -> None:
    told, connection = Told(level=logging.DEBUG), open_connection()
    told.journal.opened(connection, ADDRESS)
    told.journal.failed("r-1", ZeroDivisionError(), connection=connection)
    told.journal.ended(connection, ADDRESS)
    assert len(told.lines) == 3
    assert "private" not in str(told.lines)
    assert "example.org" not in str(told.lines)


def test_a_flood_is_a_few_lines_a_second() -> None:
    """Of whatever kind they are."""
    told, connection = Told(lines_per_s=6), open_connection()
    for _ in range(1_000):
        told.refuse()
        told.journal.ended(connection, ADDRESS)
        told.journal.failed("r", ZeroDivisionError())
    assert [line["event"] for line in told.lines] == ["refused", "ended", "internal error"] * 2


def test_fifty_lines_a_second_are_told_unless_said_otherwise() -> None:
    clock, lines = FakeClock(), list[Mapping[str, Any]]()
    journal = Journal(log_lines(lines), clock)
    for _ in range(3):
        for _ in range(60):
            journal.refused(ErrorCode.INVALID_TOKEN, "r", ADDRESS)
        clock.advance(1.0)
    assert len(lines) == 150


def test_what_was_left_out_is_counted_in_the_next_line_and_only_there() -> None:
    told = Told(lines_per_s=2)
    told.refuse(7)
    assert told.left_out == [None, None]
    told.clock.advance(1.0)
    told.refuse(3)
    assert told.left_out == [None, None, 5, None]
    told.clock.advance(10.0)
    told.journal.ended(open_connection(), ADDRESS)
    told.refuse()
    assert told.left_out == [None, None, 5, None, 1, None]


def test_within_the_second_nothing_more_is_told() -> None:
    told = Told(lines_per_s=2)
    told.refuse(3)
    told.clock.advance(0.999)
    told.refuse(3)
    assert len(told.lines) == 2
