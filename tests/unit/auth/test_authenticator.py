"""Credentials to the user context: the whole table of checks, what is remembered, what changes while one waits."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import argon2
import pytest
from msgspec.structs import replace

from support.accounts import MemoryAccounts, make_account
from support.breakers import BREAKERS, Attempt, Breaker, make_attempt
from support.clock import FakeClock
from support.tokens import ABSENT, NOW, OWN, TRUSTED, make_claims, make_rules, make_token
from watchword_protocol.errors import ErrorCode
from watchword_server.auth import authenticator as module
from watchword_server.auth import tokens
from watchword_server.auth.account import Account, RevokedToken
from watchword_server.auth.attempts import Attempts
from watchword_server.auth.authenticator import ACCOUNT_CHECKS, AccountCheck, Authenticator
from watchword_server.auth.credentials import Bearer, Credential, Password, Peer
from watchword_server.auth.directory import Directory
from watchword_server.auth.last_seen import LastSeen
from watchword_server.auth.passwords import Passwords
from watchword_server.auth.tokens import CHECKS, Check, Verifier
from watchword_server.refusal import Refused
from watchword_server.user import AuthenticatedUser, Role

RIGHT = "correct horse ÿ"
HERE = Peer("127.0.0.1", is_local=True)
AWAY = Peer("192.0.2.7", is_local=False)
HASHER = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HASH = HASHER.hash(RIGHT)


class SlowAccounts(MemoryAccounts):
    """A store that answers what it held when it was asked, but only when the test lets it."""

    def __init__(self, *accounts: Account) -> None:
        super().__init__(*accounts)
        self.questions: asyncio.Queue[asyncio.Event] = asyncio.Queue()
        self.asked: list[str] = []
        self.is_slow = self.is_broken = False

    async def next_question(self) -> asyncio.Event:
        """Wait until it is asked; set the event to let it answer."""
        async with asyncio.timeout(5.0):
            return await self.questions.get()

    async def by_id(self, user_id: str) -> Account | None:
        return await self._slowly(user_id, await super().by_id(user_id))

    async def by_name(self, name: str) -> Account | None:
        return await self._slowly(name, await super().by_name(name))

    async def _slowly(self, subject: str, answer: Account | None) -> Account | None:
        self.asked.append(subject)
        if self.is_broken:
            raise Refused(ErrorCode.STORAGE_UNAVAILABLE)
        if self.is_slow:
            gate = asyncio.Event()
            self.questions.put_nowait(gate)
            await gate.wait()
        return answer


@dataclass
class House:
    """An authenticator and the parts it works with."""

    authenticator: Authenticator
    accounts: SlowAccounts
    verifier: Verifier
    directory: Directory
    last_seen: LastSeen
    clock: FakeClock
    passwords: Passwords

    async def verdict(self, credential: Credential, peer: Peer = HERE) -> ErrorCode | None:
        """The row that answers; None: it was let in. Asked as the gateway asks."""
        try:
            await self.enter(credential, peer)
        except Refused as refused:
            return refused.code
        return None

    async def enter(self, credential: Credential, peer: Peer = HERE) -> AuthenticatedUser:
        user = self.authenticator.try_now(credential, peer)
        return user if user is not None else await self.authenticator.authenticate(credential, peer)

    async def change(self, account: Account) -> None:
        """As whoever changes an account does it: store, then forget."""
        await self.accounts.replace(account)
        self.authenticator.forget(account.id, account.name)


Build = Callable[..., House]


@pytest.fixture
def build() -> Iterator[Build]:
    """Build houses; their threads end with the test."""
    houses: list[House] = []

    def build(*accounts: Account, system_from_anywhere: bool = False, waiting: int = 8, **members: Any) -> House:
        clock, store, last_seen = FakeClock(), SlowAccounts(*accounts), LastSeen()
        verifier, directory = Verifier(make_rules(**members)), Directory(store)
        passwords = Passwords(clock, hasher=HASHER, waiting=waiting)
        authenticator = Authenticator(
            verifier=verifier,
            directory=directory,
            passwords=passwords,
            attempts=Attempts(max_failures=3, lock_s=900.0),
            last_seen=last_seen,
            clock=clock,
            system_from_anywhere=system_from_anywhere,
        )
        houses.append(House(authenticator, store, verifier, directory, last_seen, clock, passwords))
        return houses[-1]

    yield build
    for house in houses:
        house.passwords.close()


def bearer(**members: Any) -> Bearer:
    return Bearer(make_token(**members))


# The table of checks


async def judge(build: Build, attempt: Attempt) -> ErrorCode | None:
    house = build(*([attempt.account] if attempt.account else []))
    for token in attempt.revoked:
        house.verifier.rules.revocations.add(token)
    verdict = await house.verdict(Bearer(attempt.token), attempt.peer)
    assert await house.verdict(Bearer(attempt.token), attempt.peer) is verdict, "the second time as the first"
    return verdict


async def test_an_attempt_that_breaks_nothing_succeeds(build: Build) -> None:
    assert await judge(build, make_attempt()) is None


def test_every_row_has_a_breaker() -> None:
    rows = {check.row for check in (*CHECKS, *ACCOUNT_CHECKS)}
    assert rows == set(range(1, 12))
    assert {breaker.row for breaker in BREAKERS} == rows
    assert [breaker.row for breaker in BREAKERS] == sorted(breaker.row for breaker in BREAKERS)


@pytest.mark.parametrize("breaker", BREAKERS, ids=repr)
async def test_each_row_refuses_what_it_is_there_for(build: Build, breaker: Breaker) -> None:
    attempt = make_attempt()
    breaker.apply(attempt)
    assert await judge(build, attempt) is breaker.code


@pytest.mark.parametrize(("first", "second"), list(combinations(BREAKERS, 2)), ids=repr)
async def test_of_two_broken_rows_the_first_answers(build: Build, first: Breaker, second: Breaker) -> None:
    attempt = make_attempt()
    second.apply(attempt)
    first.apply(attempt)
    assert await judge(build, attempt) is first.code


def test_all_adjacent_rows_are_among_the_pairs() -> None:
    rows = {(first.row, second.row) for first, second in combinations(BREAKERS, 2)}
    assert set(pairwise(range(1, 12))) <= rows


async def test_with_every_row_broken_the_first_answers(build: Build) -> None:
    for start in range(len(BREAKERS)):
        attempt = make_attempt()
        for breaker in reversed(BREAKERS[start:]):
            breaker.apply(attempt)
        assert await judge(build, attempt) is BREAKERS[start].code


def forgiving(check: Check) -> Check:
    """The row without its verdict; what the later rows need of it is still there."""

    def judge(token: tokens.Token, rules: tokens.TokenRules, now: float) -> ErrorCode | None:
        check.judge(token, rules, now)
        token.claims.setdefault("iss", OWN)
        token.issuer = token.issuer or rules.issuers[OWN]
        return None

    return check._replace(judge=judge)


@pytest.mark.parametrize("breaker", [breaker for breaker in BREAKERS if breaker.is_forgivable], ids=repr)
async def test_without_its_row_the_bad_token_would_come_in(
    build: Build, monkeypatch: pytest.MonkeyPatch, breaker: Breaker
) -> None:
    """So that no row is there for nothing, and none does another's work."""
    checks = tuple(forgiving(check) if check.row == breaker.row else check for check in CHECKS)
    monkeypatch.setattr(tokens, "CHECKS", checks)
    monkeypatch.setattr(tokens, "_EACH_TIME", tuple(check for check in checks if check.each_time))
    monkeypatch.setattr(module, "ACCOUNT_CHECKS", tuple(row for row in ACCOUNT_CHECKS if row.row != breaker.row))
    attempt = make_attempt()
    breaker.apply(attempt)
    assert await judge(build, attempt) is None


@pytest.mark.parametrize("missing", ACCOUNT_CHECKS, ids=lambda check: check.name)
async def test_without_one_check_of_the_account_exactly_one_breaker_comes_in(
    build: Build, monkeypatch: pytest.MonkeyPatch, missing: AccountCheck
) -> None:
    monkeypatch.setattr(module, "ACCOUNT_CHECKS", tuple(check for check in ACCOUNT_CHECKS if check is not missing))
    came_in = []
    for breaker in BREAKERS:
        attempt = make_attempt()
        breaker.apply(attempt)
        if await judge(build, attempt) is None:
            came_in.append(breaker)
    assert len(came_in) == 1
    assert came_in[0].row == missing.row


# Rows 10 and 11, at their edges


@pytest.mark.parametrize(
    ("iat", "valid_after", "code"),
    [
        (NOW - 10, None, None),
        (NOW - 10, NOW - 10, None),
        (NOW - 10, NOW - 9.999, ErrorCode.TOKEN_STALE),
        (NOW - 9.5, NOW - 9.75, None),
        (int(NOW) - 10, NOW - 9.75, ErrorCode.TOKEN_STALE),
        (ABSENT, NOW - 9_999, ErrorCode.TOKEN_STALE),
        (ABSENT, None, None),
    ],
)
async def test_valid_after_is_compared_without_leeway(
    build: Build, iat: Any, valid_after: float | None, code: ErrorCode | None
) -> None:
    house = build(make_account("ada", valid_after=valid_after))
    assert await house.verdict(bearer(iat=iat)) is code


@pytest.mark.parametrize(
    ("iss", "role", "code"),
    [
        (OWN, "dba", None),
        (OWN, ABSENT, None),
        (OWN, "user", ErrorCode.TOKEN_STALE),
        (OWN, "DBA", ErrorCode.TOKEN_STALE),
        (OWN, None, ErrorCode.TOKEN_STALE),
        (OWN, ["dba"], ErrorCode.TOKEN_STALE),
        (TRUSTED, "system", None),
        (TRUSTED, ["x"], None),
    ],
)
async def test_a_role_counts_in_our_own_tokens_only_and_grants_nothing(
    build: Build, iss: str, role: Any, code: ErrorCode | None
) -> None:
    house = build(make_account("ada", role=Role.DBA))
    assert await house.verdict(bearer(iss=iss, role=role)) is code
    if code is None:
        assert (await house.enter(bearer(iss=iss, role=role))).role is Role.DBA


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("peer", [HERE, AWAY], ids=["from here", "from away"])
@pytest.mark.parametrize("from_anywhere", [False, True])
async def test_only_system_is_bound_to_a_place(build: Build, role: Role, peer: Peer, from_anywhere: bool) -> None:
    house = build(make_account("ada", role=role, password_hash=HASH), system_from_anywhere=from_anywhere)
    is_welcome = role is not Role.SYSTEM or peer is HERE or from_anywhere
    code = None if is_welcome else ErrorCode.ACCESS_DENIED
    assert await house.verdict(bearer(), peer) is code
    assert await house.verdict(Password("ada", RIGHT), peer) is code


# Who is `sub`?


async def test_sub_is_an_id_or_a_name(build: Build) -> None:
    house = build(make_account("ada", id="u_9"), make_account("bob", id="u_ada"))
    assert (await house.enter(bearer(sub="u_9"))).name == "ada"
    assert (await house.enter(bearer(sub="ada"))).name == "ada"
    assert (await house.enter(bearer(sub="u_ada"))).name == "bob"
    assert await house.verdict(bearer(sub="Ada")) is ErrorCode.INVALID_CREDENTIALS
    assert await house.verdict(bearer(sub="u_bob")) is ErrorCode.INVALID_CREDENTIALS


async def test_an_unknown_and_a_deleted_user_ask_the_store_alike_every_time(build: Build) -> None:
    house = build(make_account("ada"), make_account("dora", deleted_at=NOW - 5))
    for sub in ("u_nobody", "u_dora", "nobody", "dora"):
        house.accounts.asked.clear()
        for _ in range(3):
            assert await house.verdict(bearer(sub=sub, jti=f"t-{sub}")) is ErrorCode.INVALID_CREDENTIALS
        assert house.accounts.asked == [sub] * 3
    assert len(house.directory) == 0


async def test_a_known_user_is_asked_for_once(build: Build) -> None:
    house = build(make_account("ada"))
    for _ in range(3):
        assert await house.verdict(bearer()) is None
    assert house.accounts.asked == ["u_ada"]
    assert house.authenticator.try_now(bearer(), HERE) is not None


# The user context


async def test_the_context_of_a_token(build: Build) -> None:
    house = build(make_account("ada", role=Role.SERVICE, email="ada@example.org"))
    assert await house.enter(bearer(sid="s-4", tenant=7)) == AuthenticatedUser(
        id="u_ada",
        name="ada",
        role=Role.SERVICE,
        email="ada@example.org",
        auth_method="jwt",
        issuer=OWN,
        token_id="t-17",
        session_id="s-4",
        claims=make_claims(sid="s-4", tenant=7),
        expires_at=NOW + 600,
        address="127.0.0.1",
    )


async def test_the_context_of_a_password(build: Build) -> None:
    house = build(make_account("ada", role=Role.SERVICE, email="ada@example.org", password_hash=HASH))
    expected = AuthenticatedUser(
        id="u_ada",
        name="ada",
        role=Role.SERVICE,
        email="ada@example.org",
        auth_method="basic",
        issuer=None,
        token_id=None,
        session_id=None,
        claims={},
        expires_at=None,
        address="127.0.0.1",
    )
    assert await house.enter(Password("ada", RIGHT)) == expected
    assert house.authenticator.try_now(Password("ada", RIGHT), HERE) == expected, "remembered"


async def test_who_came_in_was_seen_and_nobody_else(build: Build) -> None:
    house = build(make_account("ada"), make_account("bob", locked=True))
    await house.verdict(bearer())
    await house.verdict(bearer(sub="u_bob"))
    await house.verdict(bearer(sub="u_nobody"))
    assert house.last_seen.take(NOW) == {"u_ada": NOW}


# Passwords


USERS = (
    make_account("ada", password_hash=HASH),
    make_account("zo\u00eb", id="u_zoe", password_hash=HASH),
    make_account("dora", password_hash=HASH, deleted_at=NOW - 5),
    make_account("lock", password_hash=HASH, locked=True),
    make_account("oauth", auth_type="oauth", issuer=TRUSTED, subject="7"),
)


@pytest.mark.parametrize(
    ("name", "password", "code"),
    [
        ("ada", RIGHT, None),
        ("ada", "correct horse y\u0308", None),
        ("zo\u00eb", RIGHT, None),
        ("zoe\u0308", RIGHT, None),
        ("ada", "wrong", ErrorCode.INVALID_CREDENTIALS),
        ("ada", "", ErrorCode.INVALID_CREDENTIALS),
        ("ada", RIGHT + "\0", ErrorCode.INVALID_CREDENTIALS),
        ("ada", "x" * 100_000, ErrorCode.INVALID_CREDENTIALS),
        ("Ada", RIGHT, ErrorCode.INVALID_CREDENTIALS),
        ("ada ", RIGHT, ErrorCode.INVALID_CREDENTIALS),
        ("", RIGHT, ErrorCode.INVALID_CREDENTIALS),
        ("nobody", RIGHT, ErrorCode.INVALID_CREDENTIALS),
        ("dora", RIGHT, ErrorCode.INVALID_CREDENTIALS),
        ("dora", "wrong", ErrorCode.INVALID_CREDENTIALS),
        ("oauth", RIGHT, ErrorCode.INVALID_CREDENTIALS),
        ("oauth", "", ErrorCode.INVALID_CREDENTIALS),
        ("u_ada", RIGHT, ErrorCode.INVALID_CREDENTIALS),
        ("u_dora", RIGHT, ErrorCode.INVALID_CREDENTIALS),
        ("lock", RIGHT, ErrorCode.ACCOUNT_LOCKED),
        ("lock", "wrong", ErrorCode.INVALID_CREDENTIALS),
    ],
)
async def test_a_password_gets_its_row(build: Build, name: str, password: str, code: ErrorCode | None) -> None:
    house = build(*USERS)
    for _ in range(2):
        assert await house.verdict(Password(name, password)) is code


async def test_after_too_many_failures_every_password_is_refused_and_tokens_are_not(build: Build) -> None:
    house = build(*USERS)
    for name in ("ada", "nobody", "dora"):
        for _ in range(3):
            assert await house.verdict(Password(name, "wrong")) is ErrorCode.INVALID_CREDENTIALS
        for password in ("wrong", RIGHT):
            with pytest.raises(Refused) as refused:
                await house.enter(Password(name, password))
            assert (refused.value.code, refused.value.retry_after_ms) == (ErrorCode.ACCOUNT_LOCKED, 900_000)
    assert await house.verdict(Password("ada", RIGHT), AWAY) is None, "another address has its own count"
    assert await house.verdict(bearer()) is None
    house.clock.advance(900.0)
    assert await house.verdict(Password("ada", RIGHT)) is None


async def test_a_remembered_password_does_not_pass_the_lock(build: Build) -> None:
    house = build(*USERS)
    assert await house.verdict(Password("ada", RIGHT)) is None
    for _ in range(3):
        await house.verdict(Password("ada", "wrong"))
    assert await house.verdict(Password("ada", RIGHT)) is ErrorCode.ACCOUNT_LOCKED


async def test_guesses_side_by_side_reveal_no_more_than_those_in_turn(build: Build) -> None:
    house = build(*USERS)
    guesses = [house.verdict(Password("ada", password)) for password in ("a", "b", "c", "d", "e", RIGHT)]
    verdicts = await asyncio.gather(*guesses)
    assert Counter(verdicts) == {ErrorCode.INVALID_CREDENTIALS: 3, ErrorCode.ACCOUNT_LOCKED: 3}
    assert verdicts[-1] is ErrorCode.ACCOUNT_LOCKED, "the right one came too late"


async def test_a_success_clears_the_count(build: Build) -> None:
    house = build(*USERS)
    for password in ("wrong", "wrong", RIGHT, "wrong", "wrong"):
        await house.verdict(Password("ada", password))
    assert await house.verdict(Password("ada", RIGHT)) is None


async def test_one_address_cannot_fill_the_line(build: Build) -> None:
    house = build(make_account("ada", password_hash=HASH))
    house.accounts.is_slow = True
    async with asyncio.TaskGroup() as tasks:
        for _ in range(module._WAITING_PER_ADDRESS):
            tasks.create_task(house.verdict(Password("ada", RIGHT), AWAY))
        gates = [await house.accounts.next_question() for _ in range(module._WAITING_PER_ADDRESS)]
        assert await house.verdict(Password("ada", RIGHT), AWAY) is ErrorCode.OVERLOADED
        house.accounts.is_slow = False
        assert await house.verdict(Password("ada", RIGHT), HERE) is None
        for gate in gates:
            gate.set()
    house.authenticator.forget(make_account("ada").id, "ada")
    assert await house.verdict(Password("ada", RIGHT), AWAY) is None


async def test_when_the_line_is_full_the_rest_is_told_so_at_once(build: Build) -> None:
    house = build(*USERS, waiting=0)
    guesses = [house.verdict(Password(f"nobody {number}", RIGHT)) for number in range(5)]
    verdicts = await asyncio.gather(*guesses)
    assert verdicts == [ErrorCode.INVALID_CREDENTIALS] * 2 + [ErrorCode.OVERLOADED] * 3


# What changes


CHANGES = {
    "deleted": ({"deleted_at": NOW - 1}, ErrorCode.INVALID_CREDENTIALS),
    "locked": ({"locked": True}, ErrorCode.ACCOUNT_LOCKED),
    "demoted": ({"role": Role.USER, "valid_after": NOW - 1}, ErrorCode.TOKEN_STALE),
    "password changed": ({"valid_after": NOW - 1, "password_hash": HASHER.hash("another one")}, ErrorCode.TOKEN_STALE),
}


@pytest.mark.parametrize(("members", "code"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("sub", ["u_zoe", "zo\u00eb", "zoe\u0308"], ids=["id", "name", "name in another spelling"])
async def test_a_change_counts_at_once_whatever_was_remembered(
    build: Build, sub: str, members: dict[str, Any], code: ErrorCode
) -> None:
    zoe = make_account("zo\u00eb", id="u_zoe", role=Role.DBA)
    house = build(zoe)
    assert await house.verdict(bearer(sub=sub)) is None
    await house.change(replace(zoe, **members))
    assert house.authenticator.try_now(bearer(sub=sub), HERE) is None
    assert await house.verdict(bearer(sub=sub)) is code


@pytest.mark.parametrize("name", ["zo\u00eb", "zoe\u0308"])
async def test_a_remembered_password_is_forgotten_with_a_change(build: Build, name: str) -> None:
    zoe = make_account("zo\u00eb", id="u_zoe", password_hash=HASH)
    house = build(zoe)
    assert await house.verdict(Password(name, RIGHT)) is None
    await house.change(replace(zoe, password_hash=HASHER.hash("another one")))
    assert not house.passwords.remembered(zoe, RIGHT)
    assert await house.verdict(Password(name, RIGHT)) is ErrorCode.INVALID_CREDENTIALS
    assert await house.verdict(Password(name, "another one")) is None


async def test_a_change_forgets_the_users_tokens(build: Build) -> None:
    ada = make_account("ada")
    house = build(ada, make_account("bob"))
    for sub in ("u_ada", "ada", "u_bob", "bob"):
        assert await house.verdict(bearer(sub=sub)) is None
    assert len(house.verifier) == 4
    await house.change(ada)
    assert len(house.verifier) == 2


async def test_an_id_is_no_name_to_sign_in_with_even_where_all_is_remembered(build: Build) -> None:
    house = build(*USERS)
    for credential in (bearer(), Password("ada", RIGHT)):
        assert await house.verdict(credential) is None
    assert house.authenticator.try_now(Password("u_ada", RIGHT), HERE) is None
    assert await house.verdict(Password("u_ada", RIGHT)) is ErrorCode.INVALID_CREDENTIALS


async def test_a_change_of_one_user_forgets_nothing_of_another(build: Build) -> None:
    ada = make_account("ada")
    house = build(ada, make_account("bob"))
    for sub in ("u_ada", "u_bob"):
        await house.verdict(bearer(sub=sub))
    await house.change(replace(ada, locked=True))
    assert house.authenticator.try_now(bearer(sub="u_bob"), HERE) is not None
    assert house.authenticator.try_now(bearer(sub="u_ada"), HERE) is None


@pytest.mark.parametrize(("members", "code"), CHANGES.values(), ids=CHANGES)
async def test_a_change_while_the_store_is_asked_is_seen(
    build: Build, members: dict[str, Any], code: ErrorCode
) -> None:
    ada = make_account("ada", role=Role.DBA)
    house = build(ada)
    house.accounts.is_slow = True
    waiting = asyncio.create_task(house.verdict(bearer()))
    old_answer = await house.accounts.next_question()
    await house.change(replace(ada, **members))
    old_answer.set()
    (await house.accounts.next_question()).set()
    assert await waiting is code
    assert len(house.directory) <= (code is not ErrorCode.INVALID_CREDENTIALS)


async def test_an_old_answer_is_not_remembered(build: Build) -> None:
    ada = make_account("ada")
    house = build(ada)
    house.accounts.is_slow = True
    waiting = asyncio.create_task(house.directory.find("u_ada"))
    old_answer = await house.accounts.next_question()
    await house.change(replace(ada, locked=True))
    old_answer.set()
    assert await waiting == ada
    assert house.directory.known("u_ada") is None


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"deleted_at": NOW - 1}, ErrorCode.INVALID_CREDENTIALS),
        ({"password_hash": HASHER.hash("another one")}, ErrorCode.INVALID_CREDENTIALS),
        ({"locked": True}, ErrorCode.ACCOUNT_LOCKED),
    ],
    ids=["deleted", "password changed", "locked"],
)
async def test_a_change_while_a_password_is_checked_is_seen(
    build: Build, members: dict[str, Any], code: ErrorCode
) -> None:
    ada = make_account("ada", password_hash=HASH)
    house = build(ada)
    house.accounts.is_slow = True
    waiting = asyncio.create_task(house.verdict(Password("ada", RIGHT)))
    old_answer = await house.accounts.next_question()
    await house.change(replace(ada, **members))
    old_answer.set()
    (await house.accounts.next_question()).set()
    assert await waiting is code


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"deleted_at": NOW - 1}, ErrorCode.INVALID_CREDENTIALS),
        ({"password_hash": HASHER.hash("another one")}, ErrorCode.INVALID_CREDENTIALS),
        ({"locked": True}, ErrorCode.ACCOUNT_LOCKED),
        ({"role": Role.SYSTEM}, ErrorCode.ACCESS_DENIED),
    ],
    ids=["deleted", "password changed", "locked", "made system"],
)
async def test_a_change_while_the_hash_is_computed_is_seen(
    build: Build, monkeypatch: pytest.MonkeyPatch, members: dict[str, Any], code: ErrorCode
) -> None:
    ada = make_account("ada", password_hash=HASH)
    house = build(ada)
    verify = house.passwords.verify

    async def verify_then_change(account: Account | None, password: str) -> bool:
        is_right = await verify(account, password)
        monkeypatch.undo()
        await house.change(replace(ada, **members))
        return is_right

    monkeypatch.setattr(house.passwords, "verify", verify_then_change)
    assert await house.verdict(Password("ada", RIGHT), AWAY) is code
    assert await house.verdict(Password("ada", RIGHT), AWAY) is code, "and nothing of the old state is remembered"


@pytest.mark.parametrize(("kind", "key"), [("token", "t-17"), ("session", "s-4")])
async def test_a_token_revoked_while_the_store_is_asked_does_not_come_in(build: Build, kind: Any, key: str) -> None:
    """Whoever revoked it could not end a connection that was not there yet."""
    house = build(make_account("ada"))
    house.accounts.is_slow = True
    waiting = asyncio.create_task(house.verdict(bearer(sid="s-4")))
    answer = await house.accounts.next_question()
    house.verifier.rules.revocations.add(RevokedToken(kind, OWN, key, NOW + 600))
    answer.set()
    assert await waiting is ErrorCode.TOKEN_REVOKED


async def test_a_token_that_expires_while_the_store_is_asked_does_not_come_in(build: Build) -> None:
    house = build(make_account("ada"))
    house.accounts.is_slow = True
    waiting = asyncio.create_task(house.verdict(bearer(exp=NOW - 25)))
    answer = await house.accounts.next_question()
    house.clock.advance(5.0)
    answer.set()
    assert await waiting is ErrorCode.TOKEN_EXPIRED


async def test_a_store_that_cannot_be_asked_is_its_own_row(build: Build) -> None:
    house = build()
    house.accounts.is_broken = True
    assert await house.verdict(bearer()) is ErrorCode.STORAGE_UNAVAILABLE
    assert await house.verdict(Password("ada", RIGHT)) is ErrorCode.STORAGE_UNAVAILABLE
