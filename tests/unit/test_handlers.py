"""What an authenticated client asks, and what it is answered."""

from typing import Any, get_args

import pytest

from support.lives import make_user
from watchword_protocol.messages import (
    Authenticate,
    ClientMessage,
    ErrorMessage,
    NextBatch,
    Ping,
    Pong,
    Query,
    Subscribe,
    Subscription,
    Unsubscribe,
)
from watchword_server.handlers import HANDLERS, Handlers
from watchword_server.identifiers import Identifiers

NO_SQL = "This version serves the handshake only: no SQL is supported yet"


def test_every_message_has_a_handler_but_the_one_that_the_connection_keeps() -> None:
    assert set(HANDLERS) == set(get_args(ClientMessage)) - {Authenticate}


@pytest.mark.parametrize(
    ("message", "answers"),
    [
        (Ping(), [Pong()]),
        (Ping("p-1"), [Pong("p-1")]),
        (Ping(0), [Pong(0)]),
        (NextBatch(), []),
        (Query(7, sql="select 1"), [ErrorMessage("UNSUPPORTED_SQL", NO_SQL, "rx1", id=7)]),
        (
            Subscribe(Subscription("s-1", "select 1"), "q"),
            [ErrorMessage("UNSUPPORTED_SQL", NO_SQL, "rx1", id="q", subscription_id="s-1")],
        ),
        (
            Unsubscribe("s-1", 3),
            [ErrorMessage("SUBSCRIPTION_NOT_FOUND", "No such subscription", "rx1", id=3, subscription_id="s-1")],
        ),
    ],
)
def test_each_message_is_answered(message: ClientMessage, answers: list[Any]) -> None:
    assert Handlers(Identifiers("x")).handle(message, make_user()) == answers


def test_what_should_not_happen_is_the_callers_to_log(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_message: Ping, _user: object) -> list[Any]:
        raise ZeroDivisionError

    monkeypatch.setitem(HANDLERS, Ping, fail)
    with pytest.raises(ZeroDivisionError):
        Handlers(Identifiers("x")).handle(Ping(), make_user())
