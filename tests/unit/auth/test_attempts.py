"""How many passwords may be wrong."""

import pytest

from watchword_server.auth.attempts import Attempts

HERE, THERE = "192.0.2.7", "2001:db8::7"


@pytest.fixture
def attempts() -> Attempts:
    return Attempts(max_failures=3, lock_s=900.0, max_entries=4)


def fail(attempts: Attempts, times: int, *, name: str = "ada", address: str = HERE, now: float = 100.0) -> None:
    for _ in range(times):
        attempts.failed(name, address, now)


@pytest.mark.parametrize(("failures", "retry_after_ms"), [(0, 0), (2, 0), (3, 900_000), (4, 900_000)])
def test_the_last_failure_allowed_locks(attempts: Attempts, failures: int, retry_after_ms: int) -> None:
    fail(attempts, failures)
    assert attempts.check("ada", HERE, 100.0) == retry_after_ms


@pytest.mark.parametrize(
    ("now", "retry_after_ms"), [(100.0, 900_000), (100.0004, 900_000), (999.5, 500), (999.9999, 1), (1_000.0, 0)]
)
def test_the_lock_ends_by_itself_and_says_when(attempts: Attempts, now: float, retry_after_ms: int) -> None:
    fail(attempts, 3)
    assert attempts.check("ada", HERE, now) == retry_after_ms


def test_after_the_lock_the_count_begins_anew(attempts: Attempts) -> None:
    fail(attempts, 3)
    fail(attempts, 2, now=1_000.0)
    assert attempts.check("ada", HERE, 1_000.0) == 0
    fail(attempts, 1, now=1_000.0)
    assert attempts.check("ada", HERE, 1_000.0) == 900_000


def test_a_failure_during_the_lock_does_not_lengthen_it(attempts: Attempts) -> None:
    fail(attempts, 3)
    fail(attempts, 5, now=500.0)
    assert attempts.check("ada", HERE, 1_000.0) == 0


def test_failures_far_apart_are_not_added_up(attempts: Attempts) -> None:
    fail(attempts, 2, now=100.0)
    fail(attempts, 2, now=1_000.0)
    assert attempts.check("ada", HERE, 1_000.0) == 0


def test_a_success_clears_the_count(attempts: Attempts) -> None:
    fail(attempts, 2)
    attempts.succeeded("ada", HERE)
    fail(attempts, 2)
    assert attempts.check("ada", HERE, 100.0) == 0


def test_each_name_and_each_address_has_its_own_count(attempts: Attempts) -> None:
    fail(attempts, 3)
    fail(attempts, 2, name="bo")
    fail(attempts, 2, address=THERE)
    checks = [attempts.check(name, address, 100.0) for name in ("ada", "bo") for address in (HERE, THERE)]
    assert checks == [900_000, 0, 0, 0]


def test_spellings_of_one_name_share_a_count(attempts: Attempts) -> None:
    for name in ("zo\u00eb", "zoe\u0308", "zo\u00eb"):
        fail(attempts, 1, name=name)
    assert attempts.check("zoe\u0308", HERE, 100.0) == 900_000


@pytest.mark.parametrize("name", ["", "\0", "\ud800", "x" * 100_000])
def test_any_text_is_a_name(attempts: Attempts, name: str) -> None:
    fail(attempts, 3, name=name)
    assert attempts.check(name, HERE, 100.0) == 900_000


def test_memory_is_bounded_and_failures_for_others_wash_no_lock_out(attempts: Attempts) -> None:
    fail(attempts, 3)
    for number in range(100):
        fail(attempts, 2, name=f"name {number}")
    assert len(attempts) <= 2 * 4
    assert attempts.check("ada", HERE, 100.0) == 900_000


def test_the_oldest_lock_goes_first(attempts: Attempts) -> None:
    names = ["ada", "bo", "cy", "di", "ed"]
    for name in names:
        fail(attempts, 3, name=name)
    assert [attempts.check(name, HERE, 100.0) > 0 for name in names] == [False, True, True, True, True]
    assert len(attempts) == 4


def test_of_the_counts_the_one_least_recently_raised_goes_first(attempts: Attempts) -> None:
    for name in ("ada", "bo", "cy", "di"):
        fail(attempts, 1, name=name)
    fail(attempts, 1, name="ada")
    fail(attempts, 1, name="ed")
    fail(attempts, 1, name="ada")
    fail(attempts, 2, name="bo")
    assert [attempts.check(name, HERE, 100.0) > 0 for name in ("ada", "bo")] == [True, False]


@pytest.mark.parametrize(
    ("first", "second", "is_one_party"),
    [
        ("2001:db8:1:2::3", "2001:db8:1:2:ffff::4", True),
        ("2001:db8:1:2::3", "2001:db8:1:3::3", False),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_addresses_of_one_party_are_counted_together(first: str, second: str, is_one_party: bool) -> None:
    attempts = Attempts(max_failures=1, lock_s=900.0)
    attempts.failed("ada", first, now=0.0)
    assert (attempts.check("ada", second, now=1.0) > 0) is is_one_party
