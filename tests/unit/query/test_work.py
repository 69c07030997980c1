"""The order of work: what may start, beside what, and when nothing more is taken in."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword_server.query.work import Access, Work

R, W, A = Access.READ, Access.WRITE, Access.ALONE


def make_work(*running: Access, at_once: int = 4) -> Work[Access]:
    """Work in which these run, put there by force."""
    work: Work[Access] = Work(at_once=at_once, max_waiting_bytes=100)
    for access in running:
        work.add(access, 0)
        work.start(access)
    return work


@pytest.mark.parametrize(
    ("running", "access", "may_start"),
    [
        ((), R, True),
        ((), W, True),
        ((), A, True),
        ((R,), R, True),
        ((R,), W, True),
        ((R,), A, False),
        ((W,), R, False),
        ((W,), W, True),
        ((W,), A, False),
        ((R, W), R, False),
        ((R, W), W, True),
        ((A,), R, False),
        ((A,), W, False),
        ((A,), A, False),
    ],
)
def test_what_may_run_beside_what(running: tuple[Access, ...], access: Access, *, may_start: bool) -> None:
    assert make_work(*running).may_start(access) is may_start


def test_nobody_is_in_front_while_one_runs_alone_since_it_may_change_what_the_next_one_is() -> None:
    work = make_work(A)
    work.add(R, 0)
    assert work.front is None
    work.end(A)
    assert work.front is R


def test_no_more_run_at_once_than_may() -> None:
    work = make_work(R, R, at_once=2)
    work.add(R, 0)
    assert work.front is None
    work.end(R)
    assert work.front is R


def test_requests_stand_in_front_in_their_order_and_what_is_skipped_makes_room() -> None:
    work = make_work()
    for access in (R, W):
        work.add(access, 0)
    assert work.front is R
    work.skip()
    assert work.front is W
    work.start(W)
    assert work.front is None


@pytest.mark.parametrize(
    ("sizes", "is_full"), [((1, 1, 1), False), ((1, 1, 1, 1), True), ((99,), False), ((100,), True)]
)
def test_it_is_full_by_number_or_by_bytes(sizes: tuple[int, ...], *, is_full: bool) -> None:
    work = make_work()
    for size_bytes in sizes:
        work.add(R, size_bytes)
    assert work.is_full is is_full
    work.start(R)
    assert not work.is_full


def test_what_is_forgotten_is_not_started_and_takes_no_room() -> None:
    work = make_work(R, A)
    for _ in range(4):
        work.add(W, 50)
    work.forget()
    assert (work.front, work.is_full) == (None, False)


@pytest.mark.parametrize(
    ("running", "is_writing"), [((), False), ((R,), False), ((W,), True), ((A,), True), ((R, W), True)]
)
def test_writes_and_definitions_have_something_to_tell(running: tuple[Access, ...], *, is_writing: bool) -> None:
    work = make_work(*running)
    assert work.is_writing is is_writing
    for access in running:
        work.end(access)
    assert not work.is_writing


def test_its_state_is_in_its_repr() -> None:
    work = make_work(R, R, W)
    work.add(A, 5)
    assert repr(work) == "<Work: 2 reading, 1 writing, 1 waiting>"
    assert repr(make_work()) == "<Work: nothing runs, 0 waiting>"


@dataclass
class Played:
    """A play of requests and of the order in which they end: when each began and ended, counted in steps."""

    accesses: list[Access]
    began: dict[int, int] = field(default_factory=dict)
    ended: dict[int, int] = field(default_factory=dict)


@st.composite
def plays(draw: st.DrawFn) -> Played:
    """Random requests, arriving and ending at random, as far as the work allows."""
    accesses = draw(st.lists(st.sampled_from(Access), max_size=25))
    work: Work[int] = Work(at_once=draw(st.integers(1, 5)), max_waiting_bytes=10)
    played = Played(accesses)
    arrived, running = 0, list[int]()
    for step in range(10 * len(accesses) + 10):
        if arrived < len(accesses) and not work.is_full and (not running or draw(st.booleans())):
            work.add(arrived, 1)
            arrived += 1
        elif running:
            ended = running.pop(draw(st.integers(0, len(running) - 1)))
            work.end(accesses[ended])
            played.ended[ended] = step
        while (front := work.front) is not None and work.may_start(accesses[front]):
            work.start(accesses[front])
            running.append(front)
            played.began[front] = step
    return played


@given(plays())
def test_laws_of_the_order(played: Played) -> None:
    """All run to their end; they start in order; a read after earlier writes; what runs alone beside nothing."""
    count = len(played.accesses)
    assert sorted(played.began) == sorted(played.ended) == list(range(count))
    assert list(played.began) == sorted(played.began)
    for later in range(count):
        for earlier in range(later):
            pair = (played.accesses[earlier], played.accesses[later])
            if A in pair or pair == (W, R):
                assert played.ended[earlier] <= played.began[later]
