"""The exceptions: one for each row, readable also where the code is not known."""

import copy
import pickle

import pytest

import watchword
from watchword import Advice, ErrorCode, ServerError, exceptions


def name_class(code: ErrorCode) -> str:
    return "".join(word.title() for word in code.name.split("_"))


@pytest.mark.parametrize("code", ErrorCode, ids=lambda code: code.name)
def test_each_row_has_one_class_that_is_named_like_it(code: ErrorCode) -> None:
    bound = [
        kind
        for kind in vars(exceptions).values()
        if isinstance(kind, type) and issubclass(kind, ServerError) and kind.row is code
    ]
    assert [kind.__name__ for kind in bound] == [name_class(code)]
    assert name_class(code) in watchword.__all__
    error = ServerError.from_wire(code.name)
    assert type(error) is bound[0]
    assert (error.code, error.message, error.close_code) == (code.name, code.message, code.close)
    assert error.advice is code.advice
    assert code.remedy in str(error)


def test_every_error_about_sql_is_caught_by_one_class() -> None:
    """Those of the table that end no connection; those about subscriptions, and INTERNAL_ERROR, are none."""
    sql = {code for code in ErrorCode if issubclass(type(ServerError.from_wire(code.name)), watchword.SqlError)}
    others = {code for code in ErrorCode if code.name.startswith("SUBSCRIPTION_")}
    assert sql == {code for code in ErrorCode if code.close is None} - others


def test_a_row_cannot_be_bound_twice() -> None:
    with pytest.raises(TypeError, match="TOKEN_EXPIRED is bound to TokenExpired already"):
        type("Another", (ServerError,), {}, code=ErrorCode.TOKEN_EXPIRED)


def test_a_refinement_of_a_row_leaves_the_row_bound_as_it_was() -> None:
    class Mine(watchword.TokenExpired):
        pass

    assert Mine().code == "TOKEN_EXPIRED"
    assert type(ServerError.from_wire("TOKEN_EXPIRED")) is watchword.TokenExpired


@pytest.mark.parametrize(
    ("close_code", "word", "advice"),
    [
        (4055, "stop", Advice.RECONNECT),
        (4155, None, Advice.NEW_TOKEN),
        (4255, None, Advice.STOP),
        (None, "new_token", Advice.NEW_TOKEN),
        (None, "fly to the moon", None),
        (None, None, None),
    ],
)
def test_an_unknown_code_stays_readable_and_is_judged_by_its_range(
    close_code: int | None, word: str | None, advice: Advice | None
) -> None:
    error = ServerError.from_wire("MOON_PHASE", "The moon is full", advice=word, close_code=close_code)
    assert type(error) is ServerError
    assert error.code == "MOON_PHASE"
    assert error.advice is advice
    assert str(error).startswith("MOON_PHASE: The moon is full. ")


def test_a_close_code_alone_finds_its_row() -> None:
    assert type(ServerError.from_wire(None, close_code=4101)) is watchword.TokenRevoked
    assert ServerError.from_wire(None, close_code=4199).code == "CLOSE_4199"


def test_the_sentence_holds_the_remedy_the_wait_and_the_request() -> None:
    error = ServerError.from_wire("RATE_LIMITED", "Slow down", request_id="r_9", retry_after_ms=2500)
    assert str(error) == (
        "RATE_LIMITED: Slow down. Send fewer messages; wait for retry_after_ms. Wait 2.5 s. (request r_9)"
    )
    error.outcome = "the cat is on the keyboard"
    assert str(error).endswith(" Not tried again: the cat is on the keyboard.")


@pytest.mark.parametrize("copied", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])  # noqa: S301  # our own
def test_an_exception_survives_copying(copied: "object") -> None:
    error = ServerError.from_wire("MOON_PHASE", "Full", close_code=4155, request_id="r_3", retry_after_ms=7, line=4)
    assert callable(copied)
    twin = copied(error)
    assert (type(twin), str(twin), vars(twin)) == (ServerError, str(error), vars(error))


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (watchword.ConnectFailed("x"), Advice.RECONNECT),
        (watchword.ConnectionLost("x"), Advice.RECONNECT),
        (watchword.ConnectionLost("x", close_code=1002), Advice.STOP),
        (watchword.TokenUnavailable("x"), Advice.RECONNECT),
        (watchword.AuthenticationStopped("x"), Advice.STOP),
        (watchword.Closed("x"), Advice.STOP),
    ],
)
def test_causes_that_are_not_the_servers_have_advice_too(error: watchword.WatchwordError, advice: Advice) -> None:
    assert error.advice is advice
    assert not isinstance(error, ServerError)


def test_an_exception_without_words_says_its_name() -> None:
    assert str(watchword.AuthenticationStopped()) == "AuthenticationStopped"
