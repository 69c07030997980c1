"""One suite for the real store of users and its fake in memory."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from support.accounts import MemoryAccounts, make_account
from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.accounts import SqliteAccounts
from watchword_server.adapters.sqlite.database import open_database, open_for_reading
from watchword_server.auth.account import Account, Accounts, Decide, RevokedToken, Scene
from watchword_server.auth.audit import AuditRow
from watchword_server.refusal import Refused
from watchword_server.user import Role

FULL = Account(
    id="u_full",
    name="zoë.full@example-1",
    role=Role.DBA,
    email="zoe@example.com",
    password_hash="$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAA",
    auth_type="oauth",
    issuer="https://accounts.example",
    subject="10769150350006150715113082367",
    valid_after=1_700_000_003.000_001,
    locked=True,
    created_at=1_700_000_001.1,
    updated_at=1_700_000_002.2,
    last_seen_at=1_700_000_004.4,
    deleted_at=1_700_000_005.5,
)


@pytest.fixture(params=["sqlite", "memory"])
async def accounts(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Accounts]:
    if request.param == "memory":
        yield MemoryAccounts()
    else:
        async with await open_database(tmp_path / "watchword.db", synchronous="off") as database:
            yield SqliteAccounts(database)


@pytest.mark.parametrize("account", [make_account("ada"), FULL], ids=["least", "full"])
async def test_an_account_comes_back_as_it_went_in_by_every_key(accounts: Accounts, account: Account) -> None:
    await accounts.add(make_account("other"))
    await accounts.add(account)
    assert await accounts.by_id(account.id) == account
    assert await accounts.by_name(account.name) == account
    if account.issuer is not None and account.subject is not None:
        assert await accounts.by_subject(account.issuer, account.subject) == account


@pytest.mark.parametrize("text", ["nobody", "", "Ada", "u_ada", "ada\0", "\ud800", "a" * 100_000, "' OR 1=1 --"])
async def test_a_name_that_is_not_stored_finds_nothing(accounts: Accounts, text: str) -> None:
    await accounts.add(make_account("ada"))
    assert await accounts.by_name(text) is None
    assert await accounts.by_id(f"{text}?") is None
    assert await accounts.by_subject(text, text) is None


async def test_a_name_is_found_in_either_normal_form(accounts: Accounts) -> None:
    composed, decomposed = "zo\u00eb", "zoe\u0308"
    await accounts.add(make_account(composed))
    assert await accounts.by_name(decomposed) == await accounts.by_name(composed) is not None


async def test_all_lists_deleted_accounts_too_and_goes_by_name(accounts: Accounts) -> None:
    for name in ("cy", "ada", "bo"):
        await accounts.add(make_account(name, deleted_at=5.0 if name == "bo" else None))
    assert [account.name for account in await accounts.all()] == ["ada", "bo", "cy"]


@pytest.mark.parametrize(
    "clash",
    [
        make_account("ada", id="u_second"),
        make_account("second", id="u_ada"),
        make_account("second", issuer="https://i.example", subject="7"),
    ],
    ids=["name", "id", "issuer and subject"],
)
async def test_what_is_taken_is_refused_and_nothing_is_changed(accounts: Accounts, clash: Account) -> None:
    """A deleted user's name stays taken, too."""
    taken = make_account("ada", deleted_at=9.0, issuer="https://i.example", subject="7")
    await accounts.add(taken)
    with pytest.raises(Refused) as refusal:
        await accounts.add(clash)
    assert refusal.value.code is ErrorCode.ALREADY_EXISTS
    assert await accounts.all() == [taken]


async def test_subjects_are_distinct_per_issuer_only(accounts: Accounts) -> None:
    await accounts.add(make_account("ada", issuer="https://one.example", subject="7"))
    await accounts.add(make_account("bo", issuer="https://two.example", subject="7"))
    found = await accounts.by_subject("https://two.example", "7")
    assert found is not None
    assert found.name == "bo"


async def test_replace_changes_the_account_of_that_id_only(accounts: Accounts) -> None:
    await accounts.add(make_account("ada"))
    await accounts.add(make_account("bo"))
    changed = replace(FULL, id="u_ada", name="ada")
    await accounts.replace(changed)
    assert await accounts.all() == [changed, make_account("bo")]


@pytest.mark.parametrize(
    ("account", "code"),
    [
        (make_account("nobody"), ErrorCode.NOT_FOUND),
        (make_account("bo", id="u_ada"), ErrorCode.ALREADY_EXISTS),
        (make_account("ada", issuer="https://i.example", subject="7"), ErrorCode.ALREADY_EXISTS),
    ],
    ids=["no such id", "name taken", "subject taken"],
)
async def test_replace_refuses(accounts: Accounts, account: Account, code: ErrorCode) -> None:
    before = [make_account("ada"), make_account("bo", issuer="https://i.example", subject="7")]
    for one in before:
        await accounts.add(one)
    with pytest.raises(Refused) as refusal:
        await accounts.replace(account)
    assert refusal.value.code is code
    assert await accounts.all() == before


async def test_seen_never_goes_back_and_ignores_who_is_unknown(accounts: Accounts) -> None:
    for name in ("ada", "bo"):
        await accounts.add(make_account(name))
    await accounts.seen({"u_ada": 200.5, "u_nobody": 300.5})
    await accounts.seen({"u_ada": 100.5, "u_bo": 50.5})
    await accounts.seen({})
    assert [account.last_seen_at for account in await accounts.all()] == [200.5, 50.5]


async def test_a_revoked_token_is_listed_until_it_would_have_expired(accounts: Accounts) -> None:
    early = RevokedToken(kind="token", issuer="watchword", key="t1", expires_at=100.0)
    late = RevokedToken(kind="session", issuer="watchword", key="t1", expires_at=200.0)
    for token in (early, late, early):
        await accounts.revoke(token)
    assert sorted(await accounts.revoked(99.9), key=lambda token: token.expires_at) == [early, late]
    assert await accounts.revoked(100.0) == [late]
    assert await accounts.revoked(0.0) == [late], "the expired one was forgotten"


async def test_revoking_again_keeps_the_later_end(accounts: Accounts) -> None:
    for expires_at in (100.0, 300.0, 200.0):
        await accounts.revoke(RevokedToken("token", "watchword", "t1", expires_at))
    assert await accounts.revoked(0.0) == [RevokedToken("token", "watchword", "t1", 300.0)]


async def test_accounts_are_there_after_closing_and_opening(tmp_path: Path) -> None:
    path = tmp_path / "watchword.db"
    async with await open_database(path) as database:
        await SqliteAccounts(database).add(FULL)
    async with await open_database(path) as database:
        assert await SqliteAccounts(database).all() == [FULL]


@pytest.mark.parametrize(
    "write",
    [
        lambda accounts: accounts.add(FULL),
        lambda accounts: accounts.replace(FULL),
        lambda accounts: accounts.seen({"u_ada": 1.0}),
        lambda accounts: accounts.revoke(RevokedToken("token", "watchword", "t1", 1.0)),
    ],
    ids=["add", "replace", "seen", "revoke"],
)
async def test_a_database_opened_for_reading_refuses_every_write(
    tmp_path: Path, write: Callable[[SqliteAccounts], Any]
) -> None:
    path = tmp_path / "watchword.db"
    async with await open_database(path) as database:
        await SqliteAccounts(database).add(make_account("ada"))
    async with await open_for_reading(path) as database:
        accounts = SqliteAccounts(database)
        assert await accounts.by_name("ada") == make_account("ada")
        with pytest.raises(Refused) as refusal:
            await write(accounts)
        assert refusal.value.code is ErrorCode.STORAGE_UNAVAILABLE


ROW = AuditRow(at=1.0, actor="cleo", action="alter_user", source="192.0.2.1")


async def rows_of(accounts: Accounts) -> int:
    if isinstance(accounts, MemoryAccounts):
        return len(accounts.rows)
    assert isinstance(accounts, SqliteAccounts)
    (count,) = await accounts._database.read(
        lambda connection: connection.execute("SELECT count(*) FROM audit_log").fetchone()
    )
    return int(count)


def deciding(scenes: list[Scene], after: Account | None) -> Decide:
    def decide(scene: Scene) -> Account | None:
        scenes.append(scene)
        return after

    return decide


async def test_an_act_is_decided_on_what_is_there_and_stored_with_its_row(accounts: Accounts) -> None:
    cleo, ada = make_account("cleo", role=Role.DBA), make_account("ada")
    system = make_account("sys", role=Role.SYSTEM)
    for account in (cleo, ada, system, make_account("serge", role=Role.SERVICE)):
        await accounts.add(account)
    for name, members in (("locked", {"locked": True}), ("gone", {"deleted_at": 1.0})):
        await accounts.add(make_account(name, role=Role.DBA, **members))
    scenes: list[Scene] = []
    changed, new = replace(ada, email="a@example.org", locked=True), make_account("zo\u00eb")
    assert await accounts.administer(cleo.id, "ada", deciding(scenes, changed), ROW) == (ada, changed)
    assert await accounts.administer(cleo.id, "zoe\u0308", deciding(scenes, new), ROW) == (None, new)
    assert await accounts.administer(cleo.id, "sys", deciding(scenes, None), ROW) == (system, system)
    assert await accounts.administer("u_no", "\ud800", deciding(scenes, None), ROW) == (None, None)
    assert scenes == [Scene(cleo, ada, 2), Scene(cleo, None, 2), Scene(cleo, system, 1), Scene(None, None, 2)]
    assert (await accounts.by_id(ada.id), await accounts.by_name("zo\u00eb")) == (changed, new)
    assert await rows_of(accounts) == 4


async def test_an_act_that_is_refused_leaves_nothing(accounts: Accounts) -> None:
    ada, o = make_account("ada"), make_account("o", auth_type="oauth", issuer="i", subject="s")
    for account in (ada, o):
        await accounts.add(account)

    def refuse(_scene: Scene) -> Account:
        raise Refused(ErrorCode.PERMISSION_DENIED)

    with pytest.raises(Refused) as refusal:
        await accounts.administer("u_ada", "ada", refuse, ROW)
    assert refusal.value.code is ErrorCode.PERMISSION_DENIED
    with pytest.raises(Refused) as refusal:
        await accounts.administer("u_ada", "p", deciding([], replace(o, id="u_p", name="p")), ROW)
    assert (refusal.value.code, refusal.value.message) == (
        ErrorCode.ALREADY_EXISTS,
        "Another user has this issuer and subject.",
    )
    assert (await accounts.all(), await rows_of(accounts)) == ([ada, o], 0)
