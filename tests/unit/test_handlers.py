"""What an authenticated client asks, and what it is answered."""

from typing import Any, get_args

import pytest

from support.accounts import MemoryAccounts, make_account
from support.audit import make_acts
from support.clock import FakeClock
from support.lives import make_user
from support.parameters import parameters
from support.scripted_store import ScriptedStore
from support.stepping import to_end
from watchword_protocol.codec import decode_server
from watchword_protocol.errors import ErrorCode
from watchword_protocol.messages import (
    Authenticate,
    ClientMessage,
    Column,
    ErrorMessage,
    NextBatch,
    Ping,
    Pong,
    Query,
    QueryResult,
    StatementResult,
    Subscribe,
    Subscription,
    Unsubscribe,
)
from watchword_server.auth.directory import Directory
from watchword_server.config import Limits
from watchword_server.handlers import HANDLERS, Handlers
from watchword_server.identifiers import Identifiers
from watchword_server.pace import Pace
from watchword_server.query.preparation import Prepared
from watchword_server.query.queries import Queries
from watchword_server.refusal import Refused
from watchword_server.user import Role

NO_SUBSCRIPTIONS = "Subscriptions are not supported yet: send a query"


def make_handlers(store: ScriptedStore | None = None) -> Handlers:
    clock, accounts = FakeClock(), MemoryAccounts(make_account("ada"))
    limits, pace = dict.fromkeys(Role, Limits()), Pace(clock.monotonic)
    queries = Queries(store or ScriptedStore(), Directory(accounts), limits, clock, pace, make_acts(accounts))
    return Handlers(Identifiers("x"), queries)


def test_every_message_has_a_handler_but_those_that_the_connection_and_the_store_keep() -> None:
    assert set(HANDLERS) == set(get_args(ClientMessage)) - {Authenticate, Query}


@pytest.mark.parametrize(
    ("message", "answers"),
    [
        (Ping(), [Pong()]),
        (Ping("p-1"), [Pong("p-1")]),
        (Ping(0), [Pong(0)]),
        (NextBatch(), []),
        (
            Subscribe(Subscription("s-1", "select 1"), "q"),
            [ErrorMessage("UNSUPPORTED_SQL", NO_SUBSCRIPTIONS, "rx1", id="q", subscription_id="s-1")],
        ),
        (
            Unsubscribe("s-1", 3),
            [ErrorMessage("SUBSCRIPTION_NOT_FOUND", "No such subscription", "rx1", id=3, subscription_id="s-1")],
        ),
    ],
)
def test_each_message_is_answered(message: ClientMessage, answers: list[Any]) -> None:
    assert make_handlers().handle(message, make_user()) == answers


@pytest.mark.parametrize(("hint", "told"), [(0, None), (70, 70)])
def test_a_refusal_says_when_to_try_again_where_that_is_known(
    monkeypatch: pytest.MonkeyPatch, hint: int, told: int | None
) -> None:
    def refuse(_message: Ping, _user: object) -> list[Any]:
        raise Refused(ErrorCode.RATE_LIMITED, retry_after_ms=hint)

    monkeypatch.setitem(HANDLERS, Ping, refuse)
    (answer,) = make_handlers().handle(Ping(), make_user())
    assert isinstance(answer, ErrorMessage)
    assert (answer.code, answer.retry_after_ms) == ("RATE_LIMITED", told)


def test_what_should_not_happen_is_the_callers_to_log(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_message: Ping, _user: object) -> list[Any]:
        raise ZeroDivisionError

    monkeypatch.setitem(HANDLERS, Ping, fail)
    with pytest.raises(ZeroDivisionError):
        make_handlers().handle(Ping(), make_user())


def test_a_query_that_cannot_be_planned_is_an_error_with_its_place() -> None:
    answer = to_end(make_handlers().prepare(Query("q-1", sql="select 1;\nselect * frm x"), make_user()))
    assert answer == ErrorMessage(
        "INVALID_SQL",
        'Expected the end of the statement, found "frm".',
        "rx1",
        id="q-1",
        line=2,
        column=10,
        statement=1,
    )


async def test_a_query_is_answered_by_its_results() -> None:
    handlers = make_handlers()
    prepared = to_end(handlers.prepare(Query("q-1", sql="select $1::int as n", params=parameters(7)), make_user()))
    assert isinstance(prepared, Prepared)
    answer = decode_server((await handlers.run(prepared)).message)
    assert answer == QueryResult([StatementResult([Column("n", "Int", 0)], [[1]], 1, "ada")], 0.0, "q-1")


def test_a_value_that_does_not_fit_is_an_error() -> None:
    answer = to_end(make_handlers().prepare(Query(sql="select $1::int", params=parameters("seven")), make_user()))
    assert isinstance(answer, ErrorMessage)
    assert (answer.code, answer.statement) == ("INVALID_PARAMS", 0)


async def test_a_query_that_fails_while_it_runs_is_an_error() -> None:
    handlers = make_handlers(ScriptedStore(Refused(ErrorCode.QUERY_TIMEOUT)))
    prepared = to_end(handlers.prepare(Query(sql="select 1"), make_user()))
    assert isinstance(prepared, Prepared)
    answer = decode_server((await handlers.run(prepared)).message)
    assert isinstance(answer, ErrorMessage)
    assert answer.code == "QUERY_TIMEOUT"
