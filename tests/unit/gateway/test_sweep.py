"""Everybody's deadline in one look."""

from watchword_server.connection import Moment
from watchword_server.gateway.sweep import sweep

NOW = Moment(100.0, 1_800_000_000.0)


class FakeTimed:
    """Due at a time; tells when it was ticked, or raises."""

    def __init__(self, due_at: float, error: Exception | None = None) -> None:
        self.due_at = due_at
        self.error = error
        self.ticked = 0

    def is_due(self, now: Moment) -> bool:
        return self.due_at <= now.monotonic

    def tick(self, now: Moment) -> None:
        self.ticked += 1
        if self.error is not None:
            raise self.error


def test_only_what_is_due_is_ticked() -> None:
    early, due, late = FakeTimed(50.0), FakeTimed(100.0), FakeTimed(100.1)
    sweep([early, due, late], NOW, lambda error: None)
    assert [each.ticked for each in (early, due, late)] == [1, 1, 0]


def test_what_one_raises_does_not_cost_the_others_their_deadlines() -> None:
    errors: list[Exception] = []
    wrong = ValueError("wrong")
    timed = [FakeTimed(0.0), FakeTimed(0.0, wrong), FakeTimed(0.0)]
    sweep(timed, NOW, errors.append)
    assert [each.ticked for each in timed] == [1, 1, 1]
    assert errors == [wrong]


def test_the_set_may_change_while_it_is_swept() -> None:
    timed: set[FakeTimed] = set()

    class Leaving(FakeTimed):
        def tick(self, now: Moment) -> None:
            super().tick(now)
            timed.discard(self)

    everyone = [Leaving(0.0) for _ in range(10)]
    timed.update(everyone)
    sweep(timed, NOW, lambda error: None)
    assert timed == set()
    assert all(each.ticked == 1 for each in everyone)
