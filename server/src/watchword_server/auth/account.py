"""A user as stored, and what the domain asks of the place where users are kept."""

import re
import unicodedata
from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from msgspec import Struct

from watchword_server.auth.audit import AuditRow
from watchword_server.user import Role

__all__ = [
    "USER_ID_PREFIX",
    "Account",
    "Accounts",
    "Decide",
    "RevokedToken",
    "Scene",
    "canonical_name",
    "check_email",
    "check_name",
]

USER_ID_PREFIX = "u_"
"""User ids begin with it and names never do, so that a token's `sub` is one or the other."""

_LONGEST_SPELLING = 256  # of a name of 64 letters, each with its marks apart
_NAME = re.compile(r"[\w.\-@]{1,64}", re.UNICODE)
# Enough to catch a slip; whether an address exists only a letter to it can tell.
_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,64}@[^\s@\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,189}")


class Account(Struct, frozen=True, kw_only=True):
    """One user; what is not given is what a new one has.

    Times are seconds since 1970, UTC. `password_hash`: argon2id in PHC form, None where the user has no password.
    `auth_type`: password or oauth; then `issuer` and `subject` say whose token is meant. `valid_after`: tokens issued
    before it are stale; None for a new user. `deleted_at`: set once deleted; the name stays taken.
    """

    id: str
    name: str
    role: Role
    email: str | None = None
    password_hash: str | None = None
    auth_type: Literal["password", "oauth"] = "password"
    issuer: str | None = None
    subject: str | None = None
    valid_after: float | None = None
    locked: bool = False
    created_at: float
    updated_at: float
    last_seen_at: float | None = None
    deleted_at: float | None = None

    def __repr__(self) -> str:
        return f"<Account {self.name} ({self.id}) {self.role.value}>"


class RevokedToken(Struct, frozen=True):
    """A token or a session that is no longer valid, kept until the last of its tokens would have expired anyway.

    `kind`: token, with `key` the token id (its jti, else the fingerprint of its signature); or session, with `key` its
    sid.
    """

    kind: Literal["token", "session"]
    issuer: str
    key: str
    expires_at: float


class Scene(NamedTuple):
    """What the store holds at the moment of an act: who acts, and on whom; both None where there is nobody.

    `administrators`: accounts other than the target's that could administer users: live, not locked, dba or above.
    """

    actor: Account | None
    target: Account | None
    administrators: int


Decide = Callable[[Scene], Account | None]
"""The target as it is to be stored, None: as it is. Pure, and called in the store's thread. Raises: Refused."""


class Accounts(Protocol):
    """The place where users are kept.

    Every call may raise Refused(STORAGE_UNAVAILABLE), a change Refused(STORAGE_FULL) or Refused(COMMIT_UNKNOWN), too; a
    change is durable when it returns.
    """

    async def by_id(self, user_id: str) -> Account | None:
        """The account, deleted ones too."""

    async def by_name(self, name: str) -> Account | None:
        """The account, deleted ones too; names are compared exactly, in NFC."""

    async def by_subject(self, issuer: str, subject: str) -> Account | None:
        """The account that a token of this issuer and subject speaks for."""

    async def all(self) -> list[Account]:
        """Every account, deleted ones too, by name."""

    async def add(self, account: Account) -> None:
        """Raises: Refused(ALREADY_EXISTS), saying which: the name (also a deleted user's) or issuer and subject."""

    async def replace(self, account: Account) -> None:
        """Store a changed account under its id. Raises: Refused(NOT_FOUND), Refused(ALREADY_EXISTS)."""

    async def administer(
        self, actor_id: str, name: str, decide: Decide, row: AuditRow
    ) -> tuple[Account | None, Account | None]:
        """Change or add the account of a name, and write the audit row of it, in one transaction.

        Args:
            actor_id: Who acts.
            name: Of the target; compared exactly, in NFC.
            decide: Sees both as they are in the transaction. What it raises, undoes all.
            row: Of what it did.

        Returns:
            The target before and after.

        Raises:
            Refused: What `decide` raises; ALREADY_EXISTS, NOT_FOUND: as `add` and `replace`.
        """

    async def seen(self, times: dict[str, float]) -> None:
        """Note when users were last seen, by user id; unknown ids and earlier times are ignored."""

    async def revoke(self, token: RevokedToken) -> None:
        """Add to the deny-list; a second time is harmless."""

    async def revoked(self, now: float) -> list[RevokedToken]:
        """The deny-list, without those expired at `now`, which are forgotten."""


def canonical_name(name: str) -> str:
    """A name as names are stored and compared: in NFC, so that one name has one spelling.

    What is far longer than any name is none and stays as it is: normalising takes time by the square of the marks that
    are heaped on one letter, and a stranger chooses them.
    """
    return unicodedata.normalize("NFC", name) if len(name) <= _LONGEST_SPELLING else name


def check_email(address: str) -> str:
    """The address. Raises: ValueError: It does not look like one."""
    if not _EMAIL.fullmatch(address):
        raise ValueError("an email address looks like name@example.com")
    return address


def check_name(name: str) -> str:
    """The name in NFC.

    Raises:
        ValueError: It is not 1 to 64 letters, digits and `._-@`, or begins like a user id.
    """
    name = canonical_name(name)
    if not _NAME.fullmatch(name):
        raise ValueError("a user name is 1 to 64 letters, digits and . _ - @")
    if name.startswith(USER_ID_PREFIX):
        raise ValueError(f"a user name may not begin with {USER_ID_PREFIX}, as user ids do")
    return name
