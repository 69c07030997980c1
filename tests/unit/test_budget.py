"""How many frames one connection may send."""

from collections import Counter

import pytest

from watchword_server.budget import FrameBudget, Verdict

RUN, DROP, END = Verdict


def charge(budget: FrameBudget, times: int, now: float) -> Counter[Verdict]:
    return Counter(budget.charge(now) for _ in range(times))


@pytest.mark.parametrize("rate", [1, 3, 200])
def test_at_once_twice_the_rate_may_come(rate: int) -> None:
    budget = FrameBudget(rate, 100.0)
    assert charge(budget, 2 * rate, 100.0) == {RUN: 2 * rate}
    assert budget.charge(100.0) is DROP


def test_it_refills_at_the_rate_and_never_above_twice_of_it() -> None:
    budget = FrameBudget(10, 100.0)
    charge(budget, 20, 100.0)
    assert charge(budget, 6, 100.5) == {RUN: 5, DROP: 1}
    assert charge(budget, 25, 9_999.0) == {RUN: 20, DROP: 5}


def test_a_steady_rate_is_never_refused() -> None:
    budget = FrameBudget(8, 100.0)
    assert {budget.charge(100.0 + frame / 8) for frame in range(1_000)} == {RUN}


def test_ten_seconds_worth_of_refusals_end_it() -> None:
    budget = FrameBudget(10, 100.0)
    assert charge(budget, 20 + 99, 100.0) == {RUN: 20, DROP: 99}
    assert budget.charge(100.0) is END
    assert budget.charge(100.9) is RUN, "even then the bucket fills"
    assert charge(budget, 20, 100.9)[END] >= 1


def test_a_second_without_a_refusal_forgives() -> None:
    budget = FrameBudget(10, 100.0)
    charge(budget, 20 + 99, 100.0)
    assert charge(budget, 10 + 99, 101.0) == {RUN: 10, DROP: 99}
    assert charge(budget, 100, 101.5) == {RUN: 5, END: 95}


def test_a_pause_of_less_than_a_second_does_not() -> None:
    budget = FrameBudget(10, 100.0)
    verdicts: Counter[Verdict] = Counter()
    for tenth in range(40):
        verdicts += charge(budget, 11, 100.0 + tenth * 0.5)
    assert verdicts[END] > 0


@pytest.mark.parametrize(
    ("rate", "later_s", "retry_after_ms"),
    [(1, 0.0, 1_000), (4, 0.0, 250), (4, 0.125, 125), (200, 0.0, 5), (200, 0.002_55, 3), (5_000, 0.0, 1)],
)
def test_it_says_when_one_frame_more_may_come(rate: int, later_s: float, retry_after_ms: int) -> None:
    budget = FrameBudget(rate, 100.0)
    charge(budget, 2 * rate, 100.0)
    assert budget.charge(100.0 + later_s) is DROP
    assert budget.retry_after_ms == retry_after_ms
    assert budget.charge(100.0 + later_s + retry_after_ms / 1_000 + 1e-6) is RUN, "and means it"
