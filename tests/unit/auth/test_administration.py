"""Who may do what to which user, and what becomes of it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from support.accounts import MemoryAccounts, make_account
from support.audit import make_administration
from support.clock import FakeClock
from support.lives import make_user
from watchword_protocol.errors import ErrorCode
from watchword_server.auth.account import Account
from watchword_server.auth.administration import Administration, Identity, read_identity
from watchword_server.auth.audit import AuditRow
from watchword_server.auth.passwords import Passwords
from watchword_server.refusal import Refused
from watchword_server.user import AuthenticatedUser, Role

ROW = AuditRow(at=1.0, actor="x", action="x", source="x")
PASSWORD = "correct horse 1"
Act = Callable[[Administration, AuthenticatedUser, str], Awaitable[None]]


def _create(users: Administration, by: AuthenticatedUser, name: str) -> Awaitable[None]:
    return users.create(by, f"{name}2", ROW, credential=Identity("https://id.example", name))


ADMINISTRATORS_ONLY: dict[str, Act] = {
    "create": _create,
    "role": lambda users, by, name: users.set_role(by, name, ROW, Role.USER),
    "lock": lambda users, by, name: users.set_locked(by, name, ROW, locked=True),
    "unlock": lambda users, by, name: users.set_locked(by, name, ROW, locked=False),
    "drop": lambda users, by, name: users.drop(by, name, ROW),
    "drop if exists": lambda users, by, name: users.drop(by, name, ROW, if_exists=True),
    "undrop": lambda users, by, name: users.undrop(by, name, ROW),
}
EVERYBODYS: dict[str, Act] = {
    "password": lambda users, by, name: users.set_password(by, name, ROW, PASSWORD),
    "email": lambda users, by, name: users.set_email(by, name, ROW, "new@example.org"),
}
ACTS = ADMINISTRATORS_ONLY | EVERYBODYS


class House:
    """Accounts of every role, twice, one of each deleted; and who acts on them."""

    def __init__(self, *more: Account) -> None:
        self.clock = FakeClock()
        every = [make_account(role.value, role=role) for role in Role]
        others = [make_account(f"other-{role.value}", role=role, id=f"u_other_{role.value}") for role in Role]
        gone = [replace(each, id=f"{each.id}_gone", name=f"gone-{each.name}", deleted_at=5.0) for each in every]
        self.accounts = MemoryAccounts(*every, *others, *gone, *more)
        self.ended: list[tuple[str, ErrorCode]] = []
        self.users = make_administration(self.accounts, self.clock, ended=self.ended)

    async def after(self, name: str) -> Account:
        account = await self.accounts.by_name(name)
        assert account is not None
        return account

    async def refusal(self, act: Act, by: Role, name: str) -> ErrorCode | None:
        try:
            await act(self.users, user_of(by), name)
        except Refused as refused:
            return refused.code
        return None


def user_of(role: Role) -> AuthenticatedUser:
    return make_user(role.value, role=role)


@pytest.fixture
def house() -> House:
    return House()


@pytest.mark.parametrize("by", [Role.USER, Role.SERVICE])
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("name", ["other-user", "other-system", "gone-user", "nobody", "\ud800", ""])
async def test_who_has_no_right_learns_nothing_of_a_name(house: House, act: str, by: Role, name: str) -> None:
    with pytest.raises(Refused) as refusal:
        await ACTS[act](house.users, user_of(by), name)
    assert refusal.value.code is ErrorCode.PERMISSION_DENIED
    assert not name or name not in refusal.value.message
    assert not house.accounts.rows


@pytest.mark.parametrize("by", list(Role))
@pytest.mark.parametrize("act", EVERYBODYS)
async def test_everybody_may_set_their_own_password_and_email(house: House, act: str, by: Role) -> None:
    assert await house.refusal(ACTS[act], by, by.value) is None


@pytest.mark.parametrize("by", [Role.USER, Role.SERVICE])
@pytest.mark.parametrize("act", ADMINISTRATORS_ONLY)
async def test_and_nothing_else_of_their_own(house: House, act: str, by: Role) -> None:
    assert await house.refusal(ACTS[act], by, by.value) is ErrorCode.PERMISSION_DENIED


@pytest.mark.parametrize("act", [each for each in ACTS if each not in ("undrop", "create")])
@pytest.mark.parametrize("by", [Role.DBA, Role.SYSTEM])
@pytest.mark.parametrize("other", list(Role))
async def test_an_administrator_changes_whom_they_are_not_below(house: House, act: str, by: Role, other: Role) -> None:
    expected = None if by.includes(other) else ErrorCode.PERMISSION_DENIED
    assert await house.refusal(ACTS[act], by, f"other-{other.value}") is expected


@pytest.mark.parametrize("by", [Role.DBA, Role.SYSTEM])
@pytest.mark.parametrize("other", list(Role))
async def test_and_brings_back_whom_they_are_not_below(house: House, by: Role, other: Role) -> None:
    expected = None if by.includes(other) else ErrorCode.PERMISSION_DENIED
    assert await house.refusal(ACTS["undrop"], by, f"gone-{other.value}") is expected


@pytest.mark.parametrize("granted", list(Role))
@pytest.mark.parametrize("by", list(Role))
async def test_nobody_grants_a_role_above_their_own(house: House, by: Role, granted: Role) -> None:
    def create(users: Administration, by: AuthenticatedUser, name: str) -> Awaitable[None]:
        return users.create(by, name, ROW, credential=Identity("https://id.example", "7"), role=granted)

    def promote(users: Administration, by: AuthenticatedUser, name: str) -> Awaitable[None]:
        return users.set_role(by, name, ROW, granted)

    expected = None if by.includes(Role.DBA) and by.includes(granted) else ErrorCode.PERMISSION_DENIED
    assert await house.refusal(create, by, "new") is expected
    assert await house.refusal(promote, by, "other-user") is expected


@pytest.mark.parametrize("act", [each for each in ACTS if each not in ("create", "drop if exists", "undrop")])
async def test_who_is_not_there_or_deleted_is_not_found(house: House, act: str) -> None:
    for name in ("nobody", "gone-user", "\ud800", "u_user", "x" * 10_000):
        assert await house.refusal(ACTS[act], Role.DBA, name) is ErrorCode.NOT_FOUND
    assert not house.ended


async def test_what_exists_exists(house: House) -> None:
    identity = Identity("https://id.example", "7")
    for name, if_not_exists, expected in (
        ("new", False, None),
        ("new", False, ErrorCode.ALREADY_EXISTS),
        ("new", True, None),
        ("gone-user", False, ErrorCode.ALREADY_EXISTS),
        ("gone-user", True, ErrorCode.ALREADY_EXISTS),
        ("newer", True, ErrorCode.ALREADY_EXISTS),  # the subject
    ):

        def create(users: Administration, by: AuthenticatedUser, name: str, also: bool = if_not_exists) -> Any:
            return users.create(by, name, ROW, credential=identity, if_not_exists=also)

        assert await house.refusal(create, Role.DBA, name) is expected, name
    assert await house.refusal(ACTS["undrop"], Role.DBA, "new") is ErrorCode.ALREADY_EXISTS
    assert await house.refusal(ACTS["undrop"], Role.DBA, "nobody") is ErrorCode.NOT_FOUND
    for name in ("nobody", "gone-user"):
        assert await house.refusal(ACTS["drop if exists"], Role.DBA, name) is None


async def test_a_new_user_is_as_it_was_asked_for(house: House) -> None:
    await house.users.create(
        user_of(Role.DBA), "zoe\u0308", ROW, credential=PASSWORD, role=Role.SERVICE, email="z@example.org"
    )
    account = await house.after("zo\u00eb")
    now = house.clock.wall()
    assert account.password_hash is not None
    assert replace(account, password_hash=None) == make_account(
        "zo\u00eb", id="u_new1", role=Role.SERVICE, email="z@example.org", created_at=now, updated_at=now
    )
    assert await Passwords(house.clock).verify(account, PASSWORD)


@pytest.mark.parametrize(
    ("name", "password", "email"),
    [
        ("a b", PASSWORD, None), ("", PASSWORD, None), ("u_ada", PASSWORD, None), ("a" * 65, PASSWORD, None),
        ("\ud800", PASSWORD, None), ("a'b", PASSWORD, None), ("new", "short", None), ("new", "x" * 1_025, None),
        ("new", PASSWORD, "no address"), ("new", PASSWORD, "a\ud800@example.org"),
    ],
)  # fmt: skip
async def test_values_that_may_not_be_set_are_refused(
    house: House, name: str, password: str, email: str | None
) -> None:
    with pytest.raises(Refused) as refusal:
        await house.users.create(user_of(Role.DBA), name, ROW, credential=password, email=email)
    assert refusal.value.code is ErrorCode.INVALID_SQL
    assert password not in refusal.value.message
    assert await house.accounts.by_name(name) is None


@pytest.mark.parametrize("act", ["drop", "lock", "role"])
async def test_the_last_who_may_administer_stays(act: str) -> None:
    house = House()
    for name in ("other-dba", "other-system", "system"):
        await house.accounts.replace(replace(await house.after(name), locked=True))
    assert await house.refusal(ACTS[act], Role.DBA, "dba") is ErrorCode.CONSTRAINT_VIOLATION
    await house.accounts.replace(replace(await house.after("other-dba"), locked=False))
    assert await house.refusal(ACTS[act], Role.DBA, "dba") is None


@pytest.mark.parametrize("members", [{"locked": True}, {"deleted_at": 7.0}, {"role": Role.SERVICE}])
async def test_who_is_no_administrator_any_more_when_the_turn_comes_changes_nothing(
    house: House, members: dict[str, Any]
) -> None:
    await house.accounts.replace(replace(await house.after("dba"), **members))
    for act in ADMINISTRATORS_ONLY.values():
        assert await house.refusal(act, Role.DBA, "other-user") is ErrorCode.PERMISSION_DENIED
    assert not house.accounts.rows


@pytest.mark.parametrize(
    ("act", "code"),
    [
        ("password", ErrorCode.TOKEN_STALE), ("role", ErrorCode.TOKEN_STALE), ("drop", ErrorCode.TOKEN_REVOKED),
        ("lock", ErrorCode.ACCOUNT_LOCKED), ("email", None), ("unlock", None), ("create", None),
    ],
)  # fmt: skip
async def test_what_ends_connections(house: House, act: str, code: ErrorCode | None) -> None:
    """Twice at the same moment, too: the second change of a password is one."""
    assert await house.refusal(ACTS[act], Role.DBA, "other-service") is None
    assert house.ended == ([] if code is None else [("u_other_service", code)])
    if act == "password":
        assert await house.refusal(ACTS[act], Role.DBA, "other-service") is None
        assert len(house.ended) == 2


@pytest.mark.parametrize(("act", "name"), [("unlock", "other-user"), ("role", "other-user")])
async def test_what_changes_nothing_ends_nothing(house: House, act: str, name: str) -> None:
    before = await house.after(name)
    assert await house.refusal(ACTS[act], Role.DBA, name) is None
    assert (await house.after(name), house.ended, house.accounts.rows) == (before, [], [ROW])


@pytest.mark.parametrize(("act", "moves"), [("password", True), ("role", True), ("undrop", True), ("email", False)])
async def test_what_makes_tokens_stale(house: House, act: str, moves: bool) -> None:
    name = "gone-service" if act == "undrop" else "other-service"
    assert await house.refusal(ACTS[act], Role.DBA, name) is None
    account = await house.after(name)
    assert account.valid_after == (house.clock.wall() if moves else None)
    assert account.updated_at == house.clock.wall()


async def test_a_user_of_tokens_has_no_password(house: House) -> None:
    await house.users.create(user_of(Role.DBA), "new", ROW, credential=Identity("https://id.example", "7"))
    new = await house.after("new")
    assert (new.auth_type, new.issuer, new.subject, new.password_hash) == ("oauth", "https://id.example", "7", None)
    assert await house.refusal(ACTS["password"], Role.DBA, "new") is ErrorCode.CONSTRAINT_VIOLATION


async def test_an_issuer_whose_tokens_name_our_users_needs_no_subjects(house: House) -> None:
    with pytest.raises(Refused) as refusal:
        await house.users.create(user_of(Role.DBA), "new", ROW, credential=Identity("watchword", "7"))
    assert refusal.value.code is ErrorCode.INVALID_SQL


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "OAUTH takes a JSON object"), ("[]", "OAUTH takes a JSON object"), ("{'issuer'", "OAUTH takes a JSON"),
        ('{"issuer": "a", "issuer": "b", "subject": "c"}', "OAUTH takes a JSON object with members of different names"),
        ('{"issuer": "a"}', "subject of OAUTH is a text"), ('{"subject": "a"}', "issuer of OAUTH is a text"),
        ('{"issuer": 1, "subject": "a"}', "issuer of OAUTH"), ('{"issuer": "", "subject": "a"}', "issuer of OAUTH"),
        ('{"issuer": "a", "subject": "\\n"}', "subject of OAUTH"),
        ('{"issuer": "a", "sub": "b"}', "OAUTH knows issuer"),
        ('{"issuer": "a", "subject": null}', "subject of OAUTH"), ("[" * 100_000, "OAUTH takes a JSON object"),
        ('{"issuer": "a", "subject": "\\ud800"}', "OAUTH"), ("\ud800", "OAUTH takes a JSON object"),
    ],
)  # fmt: skip
def test_an_identity_that_is_wrong_is_named(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_identity(text)


def test_an_identity() -> None:
    assert read_identity(' {"subject": "7", "issuer": "https://id.example"} ') == ("https://id.example", "7")
