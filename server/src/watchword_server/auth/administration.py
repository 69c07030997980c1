"""The administration of users: who asks, for whom, for what -> the store -> caches emptied, connections ended.

Each act is decided in the transaction that carries it out, on the accounts as they are there, and its audit row is
written in the same. What its user had open ends right after the commit.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from msgspec.structs import replace

from watchword_protocol.errors import ErrorCode
from watchword_server.auth.account import (
    USER_ID_PREFIX,
    Account,
    Accounts,
    Scene,
    canonical_name,
    check_email,
    check_name,
)
from watchword_server.auth.audit import AuditRow, legible
from watchword_server.auth.passwords import Passwords
from watchword_server.auth.rights import actor_of, check_administrator, check_last, check_rank, end_of, found
from watchword_server.auth.strict_json import decode_object
from watchword_server.ports import Clock
from watchword_server.refusal import Refused
from watchword_server.user import AuthenticatedUser, Role

__all__ = ["Administration", "Identity", "read_identity"]

_LONGEST: Final = 1_024


class Identity(NamedTuple):
    """Whose token speaks for a user without a password: its `iss` and `sub`."""

    issuer: str
    subject: str


class Administration:
    """Carries out what one user asks to be done to another, or to themselves.

    Every act takes who asks (`by`), the name of the user that is meant, and its audit row. It raises Refused:
    PERMISSION_DENIED, NOT_FOUND, ALREADY_EXISTS, CONSTRAINT_VIOLATION, INVALID_SQL for a value that may not be set, and
    what the store refuses.

    Args:
        accounts: Where users are.
        passwords: Hashes them, off the loop.
        clock: Wall time.
        new_id: A user id's chance part, of 20 characters.
        shared_issuers: Whose tokens name our users by id or name.
        forget: Called with id and name of an account that changed: what is remembered of it counts no more.
        end: Called with id and error: ends the user's connections.
    """

    def __init__(
        self,
        accounts: Accounts,
        passwords: Passwords,
        clock: Clock,
        *,
        new_id: Callable[[], str],
        shared_issuers: frozenset[str],
        forget: Callable[[str, str], None],
        end: Callable[[str, ErrorCode], object],
    ) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._clock = clock
        self._new_id = new_id
        self._shared_issuers = shared_issuers
        self._forget = forget
        self._end = end

    async def create(
        self,
        by: AuthenticatedUser,
        name: str,
        row: AuditRow,
        *,
        credential: str | Identity,
        role: Role = Role.USER,
        email: str | None = None,
        if_not_exists: bool = False,
    ) -> None:
        """Add a user, with a password or with the identity of a token."""
        check_administrator(by.role, "CREATE USER")
        check_rank(by.role, role, "create users")
        name = _checked(check_name, name)
        email = None if email is None else _checked(check_email, email)
        identity = credential if isinstance(credential, Identity) else None
        if identity is not None and identity.issuer in self._shared_issuers:
            message = f"The tokens of {identity.issuer} name users by id or by name: a user needs no OAUTH for them."
            raise Refused(ErrorCode.INVALID_SQL, message)
        password_hash = await self._hash(credential) if isinstance(credential, str) else None
        now = self._clock.wall()
        account = Account(
            id=USER_ID_PREFIX + self._new_id(),
            name=name,
            role=role,
            email=email,
            password_hash=password_hash,
            auth_type="password" if identity is None else "oauth",
            issuer=identity and identity.issuer,
            subject=identity and identity.subject,
            created_at=now,
            updated_at=now,
        )

        def decide(scene: Scene) -> Account | None:
            actor_of(scene, by.role)
            if scene.target is None:
                return account
            if scene.target.deleted_at is not None:
                message = f'The name "{name}" belongs to a deleted user: UNDROP USER brings it back.'
                raise Refused(ErrorCode.ALREADY_EXISTS, message)
            if if_not_exists:
                return None
            raise Refused(ErrorCode.ALREADY_EXISTS, f'The user "{name}" exists.')

        await self._administer(by, name, decide, row)

    async def set_password(self, by: AuthenticatedUser, name: str, row: AuditRow, password: str) -> None:
        """Tokens issued before are stale, and connections end."""
        self._check_right(by, name, "set the password of another user")
        password_hash = await self._hash(password)

        def change(account: Account) -> Account:
            if account.auth_type == "oauth":
                message = f'The user "{account.name}" signs in with tokens of {account.issuer} and has no password.'
                raise Refused(ErrorCode.CONSTRAINT_VIOLATION, message)
            return replace(account, password_hash=password_hash, valid_after=self._clock.wall())

        await self._change(by, name, row, change)

    async def set_email(self, by: AuthenticatedUser, name: str, row: AuditRow, address: str) -> None:
        """Connections go on."""
        self._check_right(by, name, "set the email of another user")
        address = _checked(check_email, address)
        await self._change(by, name, row, lambda account: replace(account, email=address))

    async def set_role(self, by: AuthenticatedUser, name: str, row: AuditRow, role: Role) -> None:
        """As for a password, where it is another role."""
        check_administrator(by.role, "set the role of a user")
        check_rank(by.role, role, "grant the rights")

        def change(account: Account) -> Account:
            if account.role is role:
                return account
            return replace(account, role=role, valid_after=self._clock.wall())

        await self._change(by, name, row, change)

    async def set_locked(self, by: AuthenticatedUser, name: str, row: AuditRow, *, locked: bool) -> None:
        """Locked, it can neither connect nor stay."""
        check_administrator(by.role, f"{'LOCK' if locked else 'UNLOCK'} a user")
        await self._change(by, name, row, lambda account: replace(account, locked=locked))

    async def drop(self, by: AuthenticatedUser, name: str, row: AuditRow, *, if_exists: bool = False) -> None:
        """Its connections end; its name stays taken, and its rows stay."""
        check_administrator(by.role, "DROP USER")

        def decide(scene: Scene) -> Account | None:
            if if_exists and (scene.target is None or scene.target.deleted_at is not None):
                actor_of(scene, by.role)
                return None
            return self._decide(scene, by, name, lambda account: replace(account, deleted_at=self._clock.wall()))

        await self._administer(by, name, decide, row)

    async def undrop(self, by: AuthenticatedUser, name: str, row: AuditRow) -> None:
        """Back with its password and its role; tokens issued before are stale."""
        check_administrator(by.role, "UNDROP USER")

        def decide(scene: Scene) -> Account:
            actor = actor_of(scene, by.role)
            target = scene.target
            if target is not None and target.deleted_at is None:
                raise Refused(ErrorCode.ALREADY_EXISTS, f'The user "{target.name}" is not deleted.')
            if target is None:
                raise Refused(ErrorCode.NOT_FOUND, f'There is no user "{legible(name)}".')
            check_rank(actor.role, target.role, "bring back a user")
            now = self._clock.wall()
            return replace(target, deleted_at=None, valid_after=now, updated_at=now)

        await self._administer(by, name, decide, row)

    def _check_right(self, by: AuthenticatedUser, name: str, what: str) -> None:
        """For what everybody may do to themselves."""
        if canonical_name(name) != by.name:
            check_administrator(by.role, what)

    async def _hash(self, password: str) -> str:
        try:
            return await self._passwords.hash(password)
        except ValueError as error:
            raise Refused(ErrorCode.INVALID_SQL, _sentence(error)) from None

    async def _change(
        self, by: AuthenticatedUser, name: str, row: AuditRow, change: Callable[[Account], Account]
    ) -> None:
        await self._administer(by, name, lambda scene: self._decide(scene, by, name, change), row)

    def _decide(
        self, scene: Scene, by: AuthenticatedUser, name: str, change: Callable[[Account], Account]
    ) -> Account | None:
        """The target after the change; None where it changes nothing."""
        actor = actor_of(scene, by.role)
        target = found(scene, name)
        check_rank(actor.role, target.role, "change a user")
        after = change(target)
        if after == target:
            return None
        check_last(scene, after)
        return replace(after, updated_at=self._clock.wall())

    async def _administer(
        self, by: AuthenticatedUser, name: str, decide: Callable[[Scene], Account | None], row: AuditRow
    ) -> None:
        before, after = await self._accounts.administer(by.id, name, decide, row)
        if before is not None and after is not None and before != after:
            self._forget(after.id, after.name)
            if (code := end_of(before, after)) is not None:
                self._end(after.id, code)


def read_identity(text: str) -> Identity:
    """The issuer and subject of a token, from JSON.

    Raises:
        ValueError: It is not an object of two texts; the message says what is wrong.
    """
    example = '{"issuer": "https://login.example", "subject": "..."}'
    try:
        members = decode_object(text.encode())
    except (ValueError, RecursionError):
        raise ValueError(f"OAUTH takes a JSON object with members of different names, like {example}") from None
    if unknown := sorted(members.keys() - {"issuer", "subject"}):
        raise ValueError(f"OAUTH knows issuer and subject, and not {unknown[0][:64]!r}")
    for name in ("issuer", "subject"):
        value = members.get(name)
        if not isinstance(value, str) or not value.isprintable() or not 1 <= len(value) <= _LONGEST:
            raise ValueError(
                f"{name} of OAUTH is a text of 1 to {_LONGEST} characters, none of them a control character, "
                f"like in {example}"
            )
    return Identity(members["issuer"], members["subject"])


def _checked(check: Callable[[str], str], value: str) -> str:
    try:
        return check(value)
    except ValueError as error:
        raise Refused(ErrorCode.INVALID_SQL, _sentence(error)) from None


def _sentence(error: ValueError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
