"""How long a request may run."""

from support.clock import FakeClock
from watchword_server.adapters.sqlite.deadline import Deadline, Progress, Stop


def test_time_counts_from_the_start_not_from_when_it_was_made() -> None:
    clock = FakeClock()
    deadline = Deadline(2.0, clock.monotonic)
    clock.advance(10)
    assert not deadline.is_over()
    deadline.start()
    clock.advance(1.5)
    assert not deadline.is_over()
    clock.advance(0.5)
    assert deadline.is_over()
    assert deadline.stop is Stop.TIME


def test_what_is_cancelled_is_over_at_once_also_before_it_began() -> None:
    deadline = Deadline(2.0, FakeClock().monotonic)
    deadline.cancel()
    deadline.start()
    assert deadline.is_over()
    assert deadline.stop is Stop.CANCELLED


def test_a_slow_one_goes_on_where_there_is_a_place_and_asks_once() -> None:
    clock, asked = FakeClock(), []

    def take_place() -> bool:
        asked.append(clock.monotonic())
        return True

    deadline = Deadline(2.0, clock.monotonic, slow_s=0.5, take_place=take_place)
    deadline.start()
    for _ in range(3):
        clock.advance(0.5)
        assert not deadline.is_over()
    assert len(asked) == 1
    clock.advance(0.5)
    assert deadline.is_over()
    assert deadline.stop is Stop.TIME


def test_a_slow_one_without_a_place_is_displaced() -> None:
    clock = FakeClock()
    deadline = Deadline(2.0, clock.monotonic, slow_s=0.5, take_place=lambda: False)
    deadline.start()
    clock.advance(0.5)
    assert deadline.is_over()
    assert deadline.stop is Stop.DISPLACED


def test_what_has_no_deadline_goes_on() -> None:
    assert not Progress()()
