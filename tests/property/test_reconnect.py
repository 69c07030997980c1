"""Laws of reconnecting, for any ending and any history."""

from hypothesis import given
from hypothesis import strategies as st

from watchword.reconnect import Attempts, CredentialKind, Ending, Retry, Stop, decide
from watchword_protocol.errors import Advice, ErrorCode

counts = st.integers(0, 10_000)
endings = st.builds(
    Ending,
    close_code=st.one_of(st.integers(0, 70_000), st.sampled_from([1000, 1005, 1006, 1008, 1009, 4004, 4100, 4200])),
    code=st.one_of(st.none(), st.sampled_from(list(ErrorCode.__members__)), st.text(max_size=10)),
    advice=st.one_of(st.none(), st.sampled_from(Advice)),
    http_status=st.one_of(st.none(), st.integers(100, 599)),
    retry_after_ms=st.integers(0, 2**53 - 1),
    authenticated_s=st.floats(0, 1e9),
)
histories = st.builds(Attempts, counts, st.integers(0, 3), counts)  # after a fourth policy refusal there is no further
kinds = st.sampled_from(CredentialKind)
jitters = st.floats(0, 1, exclude_max=True)


@given(endings, histories, kinds, jitters)
def test_a_wait_lies_between_its_floor_and_its_ceiling(
    ending: Ending, history: Attempts, kind: CredentialKind, jitter: float
) -> None:
    decision, _ = decide(ending, history, kind, jitter)
    if isinstance(decision, Retry):
        least_s = 30 if ending.code == "TOO_MANY_CONNECTIONS" else 0.5
        floor_s = max(least_s, ending.retry_after_ms / 1000)
        assert floor_s <= decision.after_s <= max(20, floor_s)


@given(endings, histories, kinds, jitters)
def test_the_range_of_the_close_code_is_obeyed_whatever_the_code_is_called(
    ending: Ending, history: Attempts, kind: CredentialKind, jitter: float
) -> None:
    decision, _ = decide(ending, history, kind, jitter)
    if ending.close_code in range(4200, 4300):
        assert isinstance(decision, Stop)
    if ending.close_code in range(4000, 4100):
        assert isinstance(decision, Retry)
        assert not decision.is_anew
    if ending.close_code in range(4100, 4200):
        assert isinstance(decision, Stop) or decision.is_anew
        assert kind is not CredentialKind.TOKEN or isinstance(decision, Stop)


@given(endings, histories, kinds, jitters)
def test_failures_are_counted_since_the_last_success(
    ending: Ending, history: Attempts, kind: CredentialKind, jitter: float
) -> None:
    _, remembered = decide(ending, history, kind, jitter)
    assert remembered.failures == (1 if ending.authenticated_s >= 10 else history.failures + 1)


@given(st.lists(st.integers(1000, 4400), min_size=1, max_size=40), kinds, jitters)
def test_no_server_is_asked_more_than_three_times_again_after_1008(
    closes: list[int], kind: CredentialKind, jitter: float
) -> None:
    history, asked = Attempts(), 0
    for close in [1008, *closes, 1008, 1008, 1008]:
        decision, history = decide(Ending(close), history, kind, jitter)
        if isinstance(decision, Stop):
            break
        asked += close == 1008
    assert isinstance(decision, Stop)
    assert asked <= 3


@given(endings, histories, kinds, jitters, jitters)
def test_chance_moves_the_wait_and_nothing_else(
    ending: Ending, history: Attempts, kind: CredentialKind, one: float, other: float
) -> None:
    (decision, remembered), (twin, also) = (decide(ending, history, kind, jitter) for jitter in sorted((one, other)))
    assert remembered == also
    assert type(decision) is type(twin)
    if isinstance(decision, Retry) and isinstance(twin, Retry):
        assert decision.after_s <= twin.after_s
