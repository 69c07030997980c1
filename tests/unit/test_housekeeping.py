"""What is done every few seconds in the background."""

import pytest

from support.accounts import MemoryAccounts, make_account
from support.audit import MemoryAudit
from support.clock import FakeClock
from support.plans import make_plan, once
from support.scripted_store import ScriptedStore
from support.store import MemoryStore
from support.tokens import NOW, OWN, make_token, make_verifier
from watchword_protocol.errors import ErrorCode
from watchword_server.auth.account import RevokedToken
from watchword_server.auth.audit import AuditRow
from watchword_server.auth.audit_trail import AuditTrail
from watchword_server.auth.last_seen import LastSeen
from watchword_server.auth.revocations import Revocations
from watchword_server.housekeeping import Housekeeping
from watchword_server.refusal import Refused
from watchword_server.sql.types import SqlType


class BreakableAccounts(MemoryAccounts):
    """A store that can be out of order."""

    is_broken = False

    async def seen(self, times: dict[str, float]) -> None:
        if self.is_broken:
            raise Refused(ErrorCode.STORAGE_UNAVAILABLE)
        await super().seen(times)


class Told(list[Exception]):
    """The errors that it tells."""

    def __call__(self, error: Exception) -> None:
        self.append(error)


@pytest.fixture
def accounts() -> BreakableAccounts:
    return BreakableAccounts(make_account("ada"))


@pytest.fixture
def keeping(accounts: BreakableAccounts) -> Housekeeping:
    revocations = Revocations([RevokedToken("token", OWN, "t-9", NOW + 10)])
    verifier = make_verifier(revocations=revocations)
    return Housekeeping(
        accounts, verifier, LastSeen(), ScriptedStore(), MemoryAudit(), AuditTrail(), 1_000.0, FakeClock()
    )


async def seen_at(accounts: MemoryAccounts) -> float | None:
    ada = await accounts.by_id("u_ada")
    assert ada is not None
    return ada.last_seen_at


async def test_who_was_seen_is_written_down(keeping: Housekeeping, accounts: BreakableAccounts) -> None:
    told = Told()
    keeping.last_seen.note("u_ada", NOW)
    await keeping.keep(told)
    assert (await seen_at(accounts), told) == (NOW, [])


async def test_what_the_store_refuses_is_told_and_tried_again(
    keeping: Housekeeping, accounts: BreakableAccounts
) -> None:
    told = Told()
    keeping.last_seen.note("u_ada", NOW)
    accounts.is_broken = True
    await keeping.keep(told)
    assert len(told) == 1
    assert await seen_at(accounts) is None
    accounts.is_broken = False
    await keeping.keep(told)
    assert (await seen_at(accounts), len(told)) == (NOW, 1)


async def test_results_of_keys_are_forgotten_after_a_day(accounts: BreakableAccounts) -> None:
    """What the store refuses is told, and is no reason to stop."""
    store, clock, told = MemoryStore(converters={}), FakeClock(), Told()
    keeping = Housekeeping(accounts, make_verifier(), LastSeen(), store, MemoryAudit(), AuditTrail(), 1_000.0, clock)
    read = make_plan("SELECT ?1", columns=[("v", SqlType.INT)])
    first = clock.wall()
    await store.write_once(once((read, (1,)), at=first))
    for later_s, results in ((86_399, b"[[1]]"), (1, b"[[2]]")):
        clock.advance(later_s)
        await keeping.forget_results(told)
        assert await store.write_once(once((read, (2,)), at=first)) == results
    assert not told
    await store.close()
    await keeping.forget_results(told)
    assert len(told) == 1


async def test_tokens_and_revocations_are_forgotten_once_no_leeway_saves_them(keeping: Housekeeping) -> None:
    clock, verifier = keeping.clock, keeping.verifier
    assert isinstance(clock, FakeClock)
    verifier.verify(make_token(exp=NOW + 10), NOW)
    for later_s, kept in ((39.5, 1), (0.5, 0)):
        clock.advance(later_s)
        await keeping.keep(Told())
        assert (len(verifier), len(verifier.rules.revocations)) == (kept, kept)


def login_at(time: float) -> AuditRow:
    return AuditRow(at=time, actor="ada", action="login", source="192.0.2.1")


async def test_audit_rows_are_written_and_those_that_could_not_be_are_tried_again(keeping: Housekeeping) -> None:
    told, log, now = Told(), keeping.audit_log, keeping.clock.wall()
    assert isinstance(log, MemoryAudit)
    keeping.audit_trail.add(login_at(now))
    log.is_broken = True
    await keeping.keep(told)
    assert (log.rows, len(told)) == ([], 1)
    log.is_broken = False
    await keeping.keep(told)
    await keeping.keep(told)
    assert (log.rows, len(told)) == ([login_at(now)], 1)


async def test_audit_rows_are_kept_for_their_time(keeping: Housekeeping) -> None:
    log, now = keeping.audit_log, keeping.clock.wall()
    assert isinstance(log, MemoryAudit)
    log.rows = [login_at(now - 1_000.5), login_at(now - 999.5)]
    await keeping.keep(Told())
    assert log.rows == [login_at(now - 999.5)]
