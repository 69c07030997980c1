"""What was done and by whom: one row of the audit log, and what the domain asks of the place where rows are kept."""

from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct

from watchword_server.user import AuthenticatedUser, Role

__all__ = ["DETAIL_CHARACTERS", "OK", "AuditLog", "AuditRow", "legible", "row_of"]

OK: Final = "ok"
"""The result of what was done; else it is an error code."""

DETAIL_CHARACTERS: Final = 1_000
"""Kept of a statement."""


class AuditRow(Struct, frozen=True, kw_only=True):
    """One act, or one login.

    `at`: seconds since 1970. `actor`: a user's name, or what was presented as one. `actor_id`, `role`: of a user that
    is known. `action`: a word, such as login or create_user. `target`: what it was done to. `source`: the client's
    address. `result`: ok, or the error code. `request_id`: of a refusal the one that the client was told, of a
    WebSocket's login the connection's id. `detail`: the statement, without passwords.
    """

    at: float
    actor: str
    actor_id: str | None = None
    role: Role | None = None
    action: str
    target: str | None = None
    source: str
    result: str = OK
    request_id: str | None = None
    detail: str | None = None


class AuditLog(Protocol):
    """The place where rows are kept; none is ever changed.

    Every call may raise Refused(STORAGE_UNAVAILABLE), Refused(STORAGE_FULL) or Refused(COMMIT_UNKNOWN).
    """

    async def append(self, rows: Sequence[AuditRow]) -> None:
        """Add them, in this order and all or none; durable when it returns."""

    async def prune(self, before: float, *, at_most: int) -> int:
        """Drop rows of before that moment, seconds since 1970: the oldest, so many at most; how many they were."""


def row_of(user: AuthenticatedUser, action: str, *, at: float, target: str | None, detail: str) -> AuditRow:
    """The row of what a user does, with the result still open."""
    return AuditRow(
        at=at,
        actor=user.name,
        actor_id=user.id,
        role=user.role,
        action=action,
        target=None if target is None else legible(target),
        source=user.address,
        detail=legible(detail),
    )


def legible(text: str) -> str:
    """What a stranger wrote, as it is kept: not too long, and nothing in it that steers a terminal or is no text."""
    text = text if len(text) <= DETAIL_CHARACTERS else text[: DETAIL_CHARACTERS - 4] + " ..."
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)
