"""Passwords: what matches, what it tells, and how many at once."""

import asyncio
import statistics
import threading
import time
from collections.abc import Iterator
from typing import Literal

import argon2
import pytest

from support.accounts import make_account
from support.clock import FakeClock
from watchword_protocol.errors import ErrorCode
from watchword_server.auth.account import Account
from watchword_server.auth.passwords import Passwords, check_password
from watchword_server.refusal import Refused

RIGHT = "correct horse ÿ"


class Hasher(argon2.PasswordHasher):
    """A real hasher with cheap parameters that says what it verified, and can be held up."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified: list[tuple[argon2.Parameters, bytes | str]] = []
        self.running = threading.Semaphore(0)
        self.gate = threading.Event()
        self.gate.set()

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002  # the library's name
        self.verified.append((argon2.extract_parameters(str(hash)), password))
        self.running.release()
        self.gate.wait(10)
        return super().verify(hash, password)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def hasher() -> Hasher:
    return Hasher()


@pytest.fixture
def passwords(clock: FakeClock, hasher: Hasher) -> Iterator[Passwords]:
    passwords = Passwords(clock, hasher=hasher, waiting=3)
    yield passwords
    hasher.gate.set()
    passwords.close()


@pytest.fixture
def ada(hasher: Hasher) -> Account:
    return make_account("ada", password_hash=hasher.hash(RIGHT))


async def test_hashes_are_argon2id_with_the_documented_parameters(clock: FakeClock) -> None:
    passwords = Passwords(clock)
    hashes = [await passwords.hash(RIGHT) for _ in range(2)]
    assert hashes[0] != hashes[1], "salted"
    assert all(text.startswith("$argon2id$v=19$m=19456,t=2,p=1$") for text in hashes)
    assert await passwords.verify(make_account("ada", password_hash=hashes[0]), RIGHT)
    assert not await passwords.verify(make_account("bo", password_hash=hashes[1]), RIGHT + "!")
    assert not await passwords.verify(None, RIGHT)
    passwords.close()


@pytest.mark.parametrize(
    ("account", "password"),
    [
        ("ada", "wrong"),
        ("ada", RIGHT.upper()),
        ("ada", ""),
        ("ada", "x" * 1_025),
        ("ada", "é" * 513),
        ("ada", "\ud800" * 8),
        ("ada", RIGHT + "\0"),
        ("unknown", RIGHT),
        ("unknown", ""),
        ("deleted", RIGHT),
        ("without a password", RIGHT),
        ("spoiled", RIGHT),
    ],
)
async def test_every_failure_costs_one_verification_of_the_same_parameters(
    passwords: Passwords, hasher: Hasher, ada: Account, account: str, password: str
) -> None:
    accounts = {
        "ada": ada,
        "unknown": None,
        "deleted": make_account("ada", password_hash=ada.password_hash, deleted_at=1.0),
        "without a password": make_account("ada"),
        "spoiled": make_account("ada", password_hash="$argon2id$v=19$m=8,t=1,p=1$"),
    }
    assert not await passwords.verify(accounts[account], password)
    assert ada.password_hash is not None
    same = argon2.extract_parameters(ada.password_hash)
    if account != "spoiled":
        assert [parameters for parameters, _ in hasher.verified] == [same]


@pytest.mark.parametrize("password", [RIGHT, "correct horse y\u0308"], ids=["composed", "decomposed"])
async def test_the_right_password_in_either_normal_form_matches(
    passwords: Passwords, ada: Account, password: str
) -> None:
    assert await passwords.verify(ada, password)


@pytest.mark.parametrize("password", ["x", "x" * 1_024, "é" * 512])
async def test_passwords_of_any_length_up_to_the_limit_are_verified(
    passwords: Passwords, hasher: Hasher, password: str
) -> None:
    assert await passwords.verify(make_account("ada", password_hash=hasher.hash(password)), password)


async def test_a_success_spares_the_next_verification_for_a_minute(
    passwords: Passwords, hasher: Hasher, ada: Account, clock: FakeClock
) -> None:
    assert not passwords.remembered(ada, RIGHT)
    assert await passwords.verify(ada, RIGHT)
    clock.advance(59.9)
    assert passwords.remembered(ada, RIGHT)
    assert await passwords.verify(ada, RIGHT)
    assert len(hasher.verified) == 1
    clock.advance(0.1)
    assert not passwords.remembered(ada, RIGHT)
    assert await passwords.verify(ada, RIGHT)
    assert len(hasher.verified) == 2


async def test_a_failure_is_never_remembered_and_does_not_shake_a_success(passwords: Passwords, ada: Account) -> None:
    assert await passwords.verify(ada, RIGHT)
    assert not await passwords.verify(ada, "wrong")
    assert not passwords.remembered(ada, "wrong")
    assert passwords.remembered(ada, RIGHT)


async def test_what_is_remembered_counts_for_that_account_as_it_was(
    passwords: Passwords, hasher: Hasher, ada: Account
) -> None:
    assert await passwords.verify(ada, RIGHT)
    others = [
        make_account("bo", password_hash=ada.password_hash),
        make_account("ada", password_hash=hasher.hash(RIGHT)),
        make_account("ada", password_hash=None),
        make_account("ada", password_hash=ada.password_hash, deleted_at=1.0),
    ]
    assert [passwords.remembered(other, RIGHT) for other in others] == [False] * 4
    assert passwords.remembered(ada, RIGHT)


async def test_forgetting_a_user_forgets_that_user_only(passwords: Passwords, hasher: Hasher, ada: Account) -> None:
    bo = make_account("bo", password_hash=hasher.hash("bo's password"))
    assert await passwords.verify(ada, RIGHT)
    assert await passwords.verify(bo, "bo's password")
    passwords.forget(ada.id)
    passwords.forget("u_nobody")
    assert not passwords.remembered(ada, RIGHT)
    assert passwords.remembered(bo, "bo's password")


async def test_the_number_of_remembered_successes_is_bounded(clock: FakeClock, hasher: Hasher) -> None:
    passwords = Passwords(clock, hasher=hasher, remember=2)
    accounts = [make_account(name, password_hash=hasher.hash(name * 2)) for name in ("ada", "bo", "cy")]
    for account in accounts:
        assert await passwords.verify(account, account.name * 2)
    assert [passwords.remembered(account, account.name * 2) for account in accounts] == [False, True, True]
    passwords.close()


async def hold_up(passwords: Passwords, hasher: Hasher, count: int) -> list["asyncio.Task[bool]"]:
    """Start verifications, of which two run, held at the gate, and the others wait."""
    hasher.gate.clear()
    tasks = [asyncio.create_task(passwords.verify(None, f"guess {number}")) for number in range(count)]
    for _ in range(2):
        await asyncio.to_thread(hasher.running.acquire, timeout=10)
    return tasks


async def test_two_run_at_once_and_the_line_has_an_end(passwords: Passwords, hasher: Hasher, ada: Account) -> None:
    tasks = await hold_up(passwords, hasher, 2 + 3)
    assert len(hasher.verified) == 2
    for refused in (passwords.verify(ada, RIGHT), passwords.hash("a new password")):
        with pytest.raises(Refused) as refusal:
            await refused
        assert refusal.value.code is ErrorCode.OVERLOADED
    hasher.gate.set()
    assert await asyncio.gather(*tasks) == [False] * 5
    assert await passwords.verify(ada, RIGHT), "there is room again"


async def test_who_leaves_the_line_is_never_verified_and_leaves_room(
    passwords: Passwords, hasher: Hasher, ada: Account
) -> None:
    tasks = await hold_up(passwords, hasher, 2 + 3)
    for task in tasks[2:]:
        task.cancel()
    await asyncio.wait(tasks[2:])
    waiting = [asyncio.create_task(passwords.verify(ada, RIGHT)) for _ in range(3)]
    await asyncio.sleep(0)
    hasher.gate.set()
    assert await asyncio.gather(*waiting) == [True] * 3
    assert await asyncio.gather(*tasks[:2]) == [False] * 2
    assert {password for _, password in hasher.verified} == {b"guess 0", b"guess 1", RIGHT.encode()}


async def test_the_line_is_served_in_turn(passwords: Passwords, hasher: Hasher) -> None:
    tasks = await hold_up(passwords, hasher, 2 + 3)
    hasher.gate.set()
    await asyncio.gather(*tasks)
    assert sorted(password for _, password in hasher.verified[:2]) == [b"guess 0", b"guess 1"]
    assert hasher.verified[2][1] == b"guess 2"


async def test_a_wait_beyond_the_deadline_is_overloaded(clock: FakeClock, hasher: Hasher, ada: Account) -> None:
    passwords = Passwords(clock, hasher=hasher, deadline_s=0.02)
    hasher.gate.clear()
    attempts = [passwords.verify(ada, RIGHT) for _ in range(3)]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert [result.code for result in results if isinstance(result, Refused)] == [ErrorCode.OVERLOADED] * 3
    hasher.gate.set()
    passwords.close()


async def test_after_closing_nothing_is_verified(passwords: Passwords, ada: Account) -> None:
    for _ in range(2):
        passwords.close()
    with pytest.raises(Refused) as refusal:
        await passwords.verify(ada, RIGHT)
    assert refusal.value.code is ErrorCode.SERVER_SHUTDOWN


async def test_closing_calls_off_who_waits_in_line(passwords: Passwords, hasher: Hasher) -> None:
    """So that a stop waits for two hashes at most."""
    tasks = await hold_up(passwords, hasher, 2 + 3)
    passwords.close()
    hasher.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [bool] * 2 + [asyncio.CancelledError] * 3
    assert len(hasher.verified) == 2


@pytest.mark.parametrize("password", ["12345678", "éééééééé", "x" * 1_024])
def test_a_password_that_may_be_set_comes_back(password: str) -> None:
    assert check_password(password) == password


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("", "at least 8 characters"),
        ("1234567", "at least 8 characters"),
        ("e\u0301" * 7, "at least 8 characters"),
        ("x" * 1_025, "at most 1024 bytes"),
        ("é" * 513, "at most 1024 bytes"),
        ("\ud800" * 8, "text in UTF-8"),
    ],
)
async def test_a_password_that_may_not_be_set_is_told_why(passwords: Passwords, password: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check_password(password)
    with pytest.raises(ValueError, match=sentence):
        await passwords.hash(password)


@pytest.mark.long
async def test_unknown_deleted_and_wrong_take_the_same_time(clock: FakeClock) -> None:
    """Medians of 60 each, in turns, with the real parameters: apart by less than a tenth."""
    passwords = Passwords(clock)
    stored = await passwords.hash(RIGHT)
    cases: list[tuple[Account | None, str]] = [
        (make_account("ada", password_hash=stored), "wrong"),
        (make_account("ada", password_hash=stored), "x" * 5_000),
        (make_account("ada", password_hash=stored, deleted_at=1.0), RIGHT),
        (make_account("ada"), RIGHT),
        (None, RIGHT),
    ]
    times: list[list[float]] = [[] for _ in cases]
    for _ in range(60):
        for (account, password), taken in zip(cases, times, strict=True):
            start = time.perf_counter()
            assert not await passwords.verify(account, password)
            taken.append(time.perf_counter() - start)
    medians = [statistics.median(taken) for taken in times]
    assert max(medians) < 1.1 * min(medians), medians
    passwords.close()
