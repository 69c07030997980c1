"""Who may do what to which user, and what becomes of that user's connections. Pure.

    user, service    own password, own email
    dba              every user of role dba or below: add, change, lock, drop, bring back; no role above dba
    system           every user

The right is asked before anything of the other user is looked at, so that who has none learns nothing.
"""

from typing import Final

from watchword_protocol.errors import ErrorCode
from watchword_server.auth.account import Account, Scene
from watchword_server.auth.audit import legible
from watchword_server.refusal import Refused
from watchword_server.user import Role

__all__ = ["ADMINISTRATOR", "actor_of", "check_administrator", "check_last", "check_rank", "end_of", "found"]

ADMINISTRATOR: Final = Role.DBA
"""The least role that administers users."""

_MAKES_STALE: Final = ("role", "password_hash", "valid_after")


def check_administrator(role: Role, what: str) -> None:
    """Raises: Refused: PERMISSION_DENIED: The role does not administer users."""
    if not role.includes(ADMINISTRATOR):
        message = (
            f"The role {role.value} may not {what}: that takes the role {ADMINISTRATOR.value}. "
            "Everybody may set their own password and email."
        )
        raise Refused(ErrorCode.PERMISSION_DENIED, message)


def check_rank(role: Role, other: Role, what: str) -> None:
    """Raises: Refused: PERMISSION_DENIED: The other role, of a user or to be granted, is above the own."""
    if not role.includes(other):
        message = f"The role {role.value} may not {what} of the role {other.value}, which is above it."
        raise Refused(ErrorCode.PERMISSION_DENIED, message)


def actor_of(scene: Scene, role: Role) -> Account:
    """Who acts, as the store has it.

    Raises:
        Refused: PERMISSION_DENIED: The account changed since its request came: gone, locked or of another role.
    """
    actor = scene.actor
    if actor is None or actor.deleted_at is not None or actor.locked or actor.role is not role:
        raise Refused(ErrorCode.PERMISSION_DENIED, "Your own account changed meanwhile: connect again.")
    return actor


def found(scene: Scene, name: str) -> Account:
    """The target, if it lives. Raises: Refused: NOT_FOUND."""
    if scene.target is None:
        raise Refused(ErrorCode.NOT_FOUND, f'There is no user "{legible(name)}".')
    if scene.target.deleted_at is not None:
        raise Refused(ErrorCode.NOT_FOUND, f'The user "{scene.target.name}" is deleted: UNDROP USER brings it back.')
    return scene.target


def check_last(scene: Scene, after: Account) -> None:
    """Somebody must be left who may administer users, or the server would have to be stopped to mend it.

    Raises:
        Refused: CONSTRAINT_VIOLATION.
    """
    if scene.target is not None and _administers(scene.target) and not _administers(after) and not scene.administrators:
        message = f'"{after.name}" is the last user who may administer users: make another one dba first.'
        raise Refused(ErrorCode.CONSTRAINT_VIOLATION, message)


def end_of(before: Account, after: Account) -> ErrorCode | None:
    """The error that the user's open connections end with, after this change; None: they go on."""
    if after.deleted_at is not None:
        return ErrorCode.TOKEN_REVOKED
    if after.locked:
        return ErrorCode.ACCOUNT_LOCKED
    is_stale = any(getattr(before, member) != getattr(after, member) for member in _MAKES_STALE)
    return ErrorCode.TOKEN_STALE if is_stale else None


def _administers(account: Account) -> bool:
    return account.role.includes(ADMINISTRATOR) and account.deleted_at is None and not account.locked
