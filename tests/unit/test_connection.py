"""A connection's life, by plain lists and numbers."""

from math import inf
from typing import Any

import pytest

from support.lives import CREDENTIAL, START, after, make_connection, make_user, words
from watchword_protocol.codec import Fault
from watchword_protocol.errors import Ends, ErrorCode
from watchword_protocol.messages import (
    Authenticate,
    AuthError,
    AuthSuccess,
    ErrorMessage,
    LimitsInfo,
    NextBatch,
    Ping,
    Query,
    Subscribe,
    Subscription,
    TokenExpiring,
    Unsubscribe,
)
from watchword_server.auth.credentials import Bearer, Password
from watchword_server.budget import Verdict
from watchword_server.connection import CheckCredential, Close, Connection, Handle, Moment, Send, State
from watchword_server.refusal import Refused

E = ErrorCode
FRESH, CHECKING, OPEN, RENEWING, CLOSING, CLOSED = State

PING = Ping(3)
QUERY = Query(4, sql="select 1")
SUBSCRIBE = Subscribe(Subscription("s", "select 1"))
UNSUBSCRIBE = Unsubscribe("s")
NEXT_BATCH = NextBatch()
NONSENSE = Fault(E.MALFORMED_MESSAGE, "what is wrong", id=9)
BAD_PING = Fault(E.MALFORMED_MESSAGE, "what is wrong", type="ping")
BAD_QUERY = Fault(E.MALFORMED_MESSAGE, "what is wrong", type="query", id=9)
BAD_CREDENTIAL = Fault(E.MALFORMED_AUTHORIZATION, "what is wrong", type="authenticate")
BINARY = Fault(E.UNSUPPORTED_DATA, E.UNSUPPORTED_DATA.message)
TOO_LARGE = Fault(E.MESSAGE_TOO_LARGE, E.MESSAGE_TOO_LARGE.message)


def refusal(code: ErrorCode) -> list[str]:
    return [f"auth_error {code.name}", f"close {code.name}"]


# (state, what the peer sends) -> next state, effects
RECEIVES: list[tuple[State, Any, State, list[str]]] = [
    (FRESH, CREDENTIAL, CHECKING, ["check"]),
    (FRESH, PING, FRESH, ["pong"]),
    (FRESH, QUERY, CLOSING, refusal(E.AUTH_REQUIRED)),
    (FRESH, SUBSCRIBE, CLOSING, refusal(E.AUTH_REQUIRED)),
    (FRESH, UNSUBSCRIBE, CLOSING, refusal(E.AUTH_REQUIRED)),
    (FRESH, NEXT_BATCH, CLOSING, refusal(E.AUTH_REQUIRED)),
    (FRESH, BAD_QUERY, CLOSING, refusal(E.AUTH_REQUIRED)),
    (FRESH, BAD_PING, CLOSING, refusal(E.MALFORMED_MESSAGE)),
    (FRESH, BAD_CREDENTIAL, CLOSING, refusal(E.MALFORMED_AUTHORIZATION)),
    (FRESH, NONSENSE, CLOSING, refusal(E.MALFORMED_MESSAGE)),
    (FRESH, BINARY, CLOSING, refusal(E.UNSUPPORTED_DATA)),
    (FRESH, TOO_LARGE, CLOSING, refusal(E.MESSAGE_TOO_LARGE)),
    (OPEN, CREDENTIAL, RENEWING, ["check"]),
    (OPEN, PING, OPEN, ["handle ping"]),
    (OPEN, QUERY, OPEN, ["handle query"]),
    (OPEN, SUBSCRIBE, OPEN, ["handle subscribe"]),
    (OPEN, UNSUBSCRIBE, OPEN, ["handle unsubscribe"]),
    (OPEN, NEXT_BATCH, OPEN, ["handle next_batch"]),
    (OPEN, BAD_QUERY, OPEN, ["error MALFORMED_MESSAGE"]),
    (OPEN, BAD_PING, OPEN, ["error MALFORMED_MESSAGE"]),
    (OPEN, NONSENSE, OPEN, ["error MALFORMED_MESSAGE"]),
    (OPEN, BINARY, OPEN, ["error UNSUPPORTED_DATA"]),
    (OPEN, TOO_LARGE, CLOSING, ["error MESSAGE_TOO_LARGE", "close MESSAGE_TOO_LARGE"]),
    (OPEN, BAD_CREDENTIAL, CLOSING, refusal(E.MALFORMED_AUTHORIZATION)),
]
RECEIVES += [
    (state, message, state, [])
    for state in (CLOSING, CLOSED)
    for message in (CREDENTIAL, PING, QUERY, NONSENSE, BAD_CREDENTIAL, BINARY, TOO_LARGE)
]


@pytest.mark.parametrize(("state", "message", "following", "expected"), RECEIVES)
def test_what_the_peer_sends(state: State, message: Any, following: State, expected: list[str]) -> None:
    connection = make_connection(state)
    assert words(connection.receive(message, Verdict.RUN, START)) == expected
    assert connection.state is following
    assert connection.is_ended == (following in (CLOSING, CLOSED))
    assert connection.is_checking == (following in (CHECKING, RENEWING))


def test_the_table_covers_every_state_that_reads() -> None:
    """While a credential is checked nothing is handed in."""
    assert {row[0] for row in RECEIVES} == set(State) - {CHECKING, RENEWING}


# (state, verdict of the budget, message) -> next state, effects
BEYOND: list[tuple[State, Verdict, Any, State, list[str]]] = [
    (FRESH, Verdict.DROP, PING, FRESH, ["error RATE_LIMITED"]),
    (FRESH, Verdict.DROP, CREDENTIAL, FRESH, ["error RATE_LIMITED"]),
    (FRESH, Verdict.END, PING, CLOSING, refusal(E.RATE_LIMITED)),
    (OPEN, Verdict.DROP, QUERY, OPEN, ["error RATE_LIMITED"]),
    (OPEN, Verdict.DROP, NEXT_BATCH, OPEN, ["error RATE_LIMITED"]),
    (OPEN, Verdict.DROP, NONSENSE, OPEN, ["error RATE_LIMITED"]),
    (OPEN, Verdict.DROP, CREDENTIAL, OPEN, ["error RATE_LIMITED"]),
    (OPEN, Verdict.END, QUERY, CLOSING, ["error RATE_LIMITED", "close RATE_LIMITED"]),
    (OPEN, Verdict.END, NONSENSE, CLOSING, ["error RATE_LIMITED", "close RATE_LIMITED"]),
    (CLOSING, Verdict.END, QUERY, CLOSING, []),
    (CLOSED, Verdict.DROP, QUERY, CLOSED, []),
]


@pytest.mark.parametrize(("state", "verdict", "message", "following", "expected"), BEYOND)
def test_what_the_peer_sends_beyond_its_budget(
    state: State, verdict: Verdict, message: Any, following: State, expected: list[str]
) -> None:
    connection = make_connection(state, messages_per_s=2)
    while connection.charge(START.monotonic) is Verdict.RUN:
        pass
    effects = connection.receive(message, verdict, START)
    assert words(effects) == expected
    assert connection.state is following
    if effects:
        assert isinstance(effects[0], Send)
        assert isinstance(effects[0].message, ErrorMessage | AuthError)
        assert effects[0].message.retry_after_ms == 500


# (state, verdict on a credential) -> next state, effects
SETTLES: list[tuple[State, ErrorCode | None, State, list[str]]] = [
    (CHECKING, None, OPEN, ["auth_success"]),
    (RENEWING, None, OPEN, ["auth_success"]),
    (FRESH, None, FRESH, []),
    (OPEN, None, OPEN, []),
    (CLOSING, None, CLOSING, []),
    (CLOSED, None, CLOSED, []),
    (CLOSING, E.INVALID_TOKEN, CLOSING, []),
    (CLOSED, E.INVALID_TOKEN, CLOSED, []),
    (CHECKING, E.STORAGE_UNAVAILABLE, CLOSING, refusal(E.OVERLOADED)),
    (RENEWING, E.STORAGE_UNAVAILABLE, CLOSING, refusal(E.OVERLOADED)),
    (CHECKING, E.INTERNAL_ERROR, CLOSING, refusal(E.INTERNAL_ERROR)),
    (RENEWING, E.INTERNAL_ERROR, CLOSING, refusal(E.INTERNAL_ERROR)),
    (CHECKING, E.KEY_UNAVAILABLE, CLOSING, refusal(E.KEY_UNAVAILABLE)),
    (RENEWING, E.KEY_UNAVAILABLE, OPEN, ["auth_error KEY_UNAVAILABLE"]),
]
SETTLES += [
    (state, code, CLOSING, refusal(code))
    for state in (CHECKING, RENEWING)
    for code in ErrorCode
    if code.ends is Ends.ALWAYS
]


@pytest.mark.parametrize(("state", "code", "following", "expected"), SETTLES)
def test_the_verdict_on_a_credential(
    state: State, code: ErrorCode | None, following: State, expected: list[str]
) -> None:
    connection = make_connection(state)
    effects = connection.admitted(make_user(), START) if code is None else connection.refused(Refused(code), START)
    assert words(effects) == expected
    assert connection.state is following


# (state, why it is ended from outside) -> effects; after authentication the close frame alone
@pytest.mark.parametrize("code", [E.TOKEN_REVOKED, E.TOKEN_STALE, E.ACCOUNT_LOCKED, E.SERVER_SHUTDOWN, E.REPLACED])
@pytest.mark.parametrize(
    ("state", "is_told"), [(FRESH, True), (CHECKING, True), (OPEN, False), (RENEWING, False), (CLOSING, None)]
)
def test_an_end_from_outside(state: State, is_told: bool | None, code: ErrorCode) -> None:
    connection = make_connection(state)
    expected = {True: refusal(code), False: [f"close {code.name}"], None: []}[is_told]
    assert words(connection.end(code, START)) == expected
    assert connection.state is CLOSING
    assert connection.ends_with is (None if is_told is None else code)
    assert connection.end(E.SERVER_SHUTDOWN, START) == [], "ending twice is harmless"


@pytest.mark.parametrize("state", State)
def test_the_peer_may_leave_at_any_time(state: State) -> None:
    connection = make_connection(state)
    connection.peer_closed(START)
    assert connection.state is CLOSED
    assert connection.wall_deadline == inf
    connection.failed(START)
    assert connection.state is CLOSED, "what is closed does not open by a broken frame"


@pytest.mark.parametrize("state", State)
def test_broken_framing_waits_for_the_peers_farewell_and_not_for_ever(state: State) -> None:
    connection = make_connection(state)
    connection.failed(after(1.0))
    assert connection.state is (CLOSED if state is CLOSED else CLOSING)
    assert connection.deadline <= after(6.0).monotonic
    assert words(connection.tick(after(6.0))) == ["abort"]
    assert connection.tick(after(60.0)) == [], "once"


def test_what_is_closed_is_dropped_in_time_however_often_it_closes() -> None:
    connection = make_connection(CLOSED)
    for second in range(5):
        connection.peer_closed(after(second))
    assert words(connection.tick(after(5.0))) == ["abort"]


def test_faults_after_the_close_do_not_put_the_abort_off() -> None:
    connection = make_connection(OPEN)
    connection.end(E.TOKEN_STALE, START)
    for second in range(1, 5):
        connection.failed(after(second))
        connection.receive(PING, Verdict.RUN, after(second))
    assert words(connection.tick(after(5.0))) == ["abort"]


# Credentials and answers


@pytest.mark.parametrize(
    ("message", "credential"),
    [
        (CREDENTIAL, Bearer(b"a.b.c")),
        (Authenticate("basic", user="zo\u00eb", password="a:b"), Password("zo\u00eb", "a:b")),
    ],
)
def test_a_first_message_is_checked(message: Authenticate, credential: Bearer | Password) -> None:
    assert make_connection().receive(message, Verdict.RUN, START) == [CheckCredential(credential)]


def test_success_says_who_and_until_when() -> None:
    connection = make_connection(CHECKING, max_message_bytes=2_000, heartbeat_interval_s=7.0)
    user = make_user(lifetime_s=600.25)
    success = AuthSuccess(
        user="ada",
        user_id="u_ada",
        role="user",
        connection_id="cx1",
        expires_at="2027-01-15T08:10:00.250000Z",
        server_time="2027-01-15T08:00:02.000000Z",
        limits=LimitsInfo(2_000, 7.0),
    )
    assert connection.admitted(user, after(2.0)) == [Send(success)]
    assert connection.user is user


def test_a_basic_connection_has_no_end() -> None:
    connection = make_connection(CHECKING, is_v1=True)
    [effect] = connection.admitted(make_user(lifetime_s=None), START)
    assert isinstance(effect, Send)
    assert isinstance(effect.message, AuthSuccess)
    assert effect.message.expires_at is None
    assert connection.wall_deadline == inf


def test_a_refusal_says_what_to_do_and_where_to_look() -> None:
    effects = make_connection(CHECKING).refused(Refused(E.ACCOUNT_LOCKED, retry_after_ms=700), after(2.0))
    error = AuthError(
        code="ACCOUNT_LOCKED",
        message=E.ACCOUNT_LOCKED.message,
        advice="reconnect",
        request_id="rx1",
        server_time="2027-01-15T08:00:02.000000Z",
        retry_after_ms=700,
    )
    assert effects == [Send(error), Close(E.ACCOUNT_LOCKED)]


def test_the_refusal_of_a_malformed_credential_repeats_nothing_of_it() -> None:
    effects = make_connection().receive(BAD_CREDENTIAL, Verdict.RUN, START)
    assert isinstance(effects[0], Send)
    assert isinstance(effects[0].message, AuthError)
    assert effects[0].message.message == E.MALFORMED_AUTHORIZATION.message


def test_an_answer_carries_the_id_of_what_it_answers() -> None:
    effects = make_connection(OPEN).receive(BAD_QUERY, Verdict.RUN, START)
    assert effects == [Send(ErrorMessage("MALFORMED_MESSAGE", "what is wrong", "rx1", id=9))]


@pytest.mark.parametrize(
    ("message", "message_id"), [(QUERY, 4), (PING, 3), (BAD_QUERY, 9), (CREDENTIAL, None), (NEXT_BATCH, None)]
)
def test_an_answer_beyond_the_budget_carries_it_too(message: Any, message_id: int | None) -> None:
    connection = make_connection(OPEN, messages_per_s=2)
    for _ in range(5):
        verdict = connection.charge(START.monotonic)
    error = ErrorMessage("RATE_LIMITED", E.RATE_LIMITED.message, "rx1", id=message_id, retry_after_ms=500)
    assert connection.receive(message, verdict, START) == [Send(error)]


def test_handlers_get_the_user_of_the_moment() -> None:
    connection = make_connection(OPEN)
    connection.receive(CREDENTIAL, Verdict.RUN, START)
    renewed = make_user(email="new@example.org")
    connection.admitted(renewed, START)
    assert connection.receive(QUERY, Verdict.RUN, START) == [Handle(QUERY, renewed)]


# Renewal


def test_another_user_cannot_take_a_connection_over() -> None:
    connection = make_connection(RENEWING)
    assert words(connection.admitted(make_user("bob"), START)) == refusal(E.USER_MISMATCH)
    assert connection.user == make_user(), "nothing of bob came in"


@pytest.mark.parametrize("lifetime_s", [30.0, 6_000.0, None])
def test_a_renewal_replaces_the_end_even_by_an_earlier_one(lifetime_s: float | None) -> None:
    connection = make_connection(RENEWING, heartbeat_interval_s=99_999.0)
    connection.admitted(make_user(lifetime_s=lifetime_s), START)
    end = inf if lifetime_s is None else START.wall + lifetime_s + 30.0
    assert connection.wall_deadline == end
    assert connection.tick(Moment(START.monotonic, min(end, START.wall + 90_000) - 0.001)) == []


def test_the_old_end_is_not_waived_while_the_new_token_is_checked() -> None:
    connection = make_connection(RENEWING, check_timeout_s=9_999.0)
    assert connection.tick(after(629.999)) == []
    assert words(connection.tick(after(630.0))) == ["close TOKEN_EXPIRED"]


def test_a_renewal_that_cannot_be_checked_now_leaves_the_old_end() -> None:
    connection = make_connection(RENEWING)
    connection.refused(Refused(E.KEY_UNAVAILABLE), after(1.0))
    assert connection.user == make_user()
    assert connection.wall_deadline == START.wall + 630.0
    assert connection.deadline == START.monotonic + 26.0


# Deadlines


def test_pings_do_not_put_the_auth_deadline_off() -> None:
    connection = make_connection(auth_timeout_s=5.0)
    for second in range(5):
        connection.heard_at = after(second).monotonic
        connection.receive(PING, Verdict.RUN, after(second))
        assert connection.tick(after(second)) == []
    assert connection.deadline == after(5.0).monotonic
    assert words(connection.tick(after(5.0))) == refusal(E.AUTH_TIMEOUT)


@pytest.mark.parametrize("state", [CHECKING, RENEWING])
def test_a_check_has_a_time_of_its_own(state: State) -> None:
    connection = make_connection(state, check_timeout_s=10.0)
    assert connection.tick(after(9.999)) == []
    assert words(connection.tick(after(10.0))) == refusal(E.OVERLOADED)
    assert connection.admitted(make_user(), after(11.0)) == [], "too late"


@pytest.mark.parametrize("is_v1", [False, True])
def test_a_token_ends_its_connection_after_the_leeway(is_v1: bool) -> None:
    connection = make_connection(OPEN, is_v1=is_v1, heartbeat_interval_s=9_999.0)
    ends = [words(connection.tick(after(second))) for second in (569.999, 570.0, 570.5, 629.999, 630.0)]
    notice = ["token_expiring"] if is_v1 else []
    assert ends == [[], notice, [], [], ["close TOKEN_EXPIRED"]]
    assert connection.ends_with is E.TOKEN_EXPIRED


def test_the_notice_comes_at_once_where_less_is_left() -> None:
    connection = make_connection(CHECKING, is_v1=True)
    effects = connection.admitted(make_user(lifetime_s=20.0), START)
    assert words(effects) == ["auth_success", "token_expiring"]
    assert effects[1] == Send(TokenExpiring("2027-01-15T08:00:20.000000Z"))
    assert connection.wall_deadline == START.wall + 50.0


@pytest.mark.parametrize("is_v1", [False, True])
def test_who_comes_in_at_the_very_end_is_told_so_where_it_can_be(is_v1: bool) -> None:
    connection = make_connection(CHECKING, is_v1=is_v1, leeway_s=30.0)
    effects = connection.admitted(make_user(lifetime_s=20.0), after(50.0))
    assert words(effects) == ["auth_success", *(["token_expiring"] if is_v1 else [])]
    assert words(connection.tick(after(50.0))) == ["close TOKEN_EXPIRED"]


def test_a_clock_that_jumps_ahead_ends_tokens_and_not_waits() -> None:
    waiting, opened = make_connection(FRESH), make_connection(OPEN)
    later = Moment(START.monotonic, START.wall + 9_999)
    assert waiting.tick(later) == []
    assert words(opened.tick(later)) == ["close TOKEN_EXPIRED"]


def silent(connection: Connection, until_s: int) -> list[tuple[int, str]]:
    """What the sweep does in so many seconds of silence: when, and what."""
    seen = []
    for second in range(until_s + 1):
        seen += [(second, word) for word in words(connection.tick(after(second)))]
    return seen


def test_a_silent_peer_is_asked_for_a_sign_of_life_then_ended_then_dropped() -> None:
    connection = make_connection(OPEN, heartbeat_interval_s=25.0, heartbeat_timeout_s=10.0)
    assert silent(connection, 60) == [(25, "ping frame"), (35, "close HEARTBEAT_TIMEOUT"), (40, "abort")]


def test_a_peer_that_answers_lives() -> None:
    connection = make_connection(OPEN, user=make_user(lifetime_s=None))
    pings = 0
    for second in range(1_000):
        effects = words(connection.tick(after(second)))
        assert effects in ([], ["ping frame"])
        if effects:
            pings += 1
            connection.heard_at = after(second + 1).monotonic
    assert pings == 1_000 // 26


def test_a_renewal_is_a_sign_of_life_even_in_the_instant_of_the_ping() -> None:
    user = make_user(lifetime_s=None)
    connection = make_connection(OPEN, user=user, heartbeat_interval_s=25.0)
    assert words(connection.tick(after(25.0))) == ["ping frame"]
    connection.heard_at = after(25.0).monotonic
    connection.receive(CREDENTIAL, Verdict.RUN, after(25.0))
    connection.admitted(user, after(26.0))
    assert words(connection.tick(after(51.0))) == ["ping frame"]


def test_a_peer_that_talks_is_not_asked() -> None:
    connection = make_connection(OPEN, user=make_user(lifetime_s=None))
    for second in range(1_000):
        connection.heard_at = after(second).monotonic
        assert connection.tick(after(second)) == []


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (FRESH, "<Connection cx1: waiting for authenticate>"),
        (OPEN, "<Connection cx1 of ada: authenticated>"),
        (CLOSED, "<Connection cx1: gone>"),
    ],
)
def test_a_connection_says_where_it_stands(state: State, expected: str) -> None:
    assert repr(make_connection(state)) == expected


def test_a_connection_says_why_it_ended() -> None:
    connection = make_connection(OPEN)
    connection.end(E.TOKEN_STALE, START)
    assert repr(connection) == "<Connection cx1 of ada: our close frame is out, ended with TOKEN_STALE>"
