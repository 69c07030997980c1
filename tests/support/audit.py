"""An audit log in memory, and what notes acts in it."""

from collections.abc import Sequence
from itertools import count

from support.clock import FakeClock
from watchword_protocol.errors import ErrorCode
from watchword_server.auth.account import Accounts
from watchword_server.auth.administration import Administration
from watchword_server.auth.audit import AuditRow
from watchword_server.auth.audit_trail import AuditTrail
from watchword_server.auth.passwords import Passwords
from watchword_server.identifiers import Identifiers
from watchword_server.ports import Clock
from watchword_server.query.acts import Acts
from watchword_server.refusal import Refused

__all__ = ["MemoryAudit", "make_acts", "make_administration"]


class MemoryAudit:
    """Fulfils `AuditLog`. `is_broken`: it cannot be written."""

    def __init__(self) -> None:
        self.rows: list[AuditRow] = []
        self.is_broken = False

    async def append(self, rows: Sequence[AuditRow]) -> None:
        if self.is_broken:
            raise Refused(ErrorCode.STORAGE_FULL)
        self.rows += rows

    async def prune(self, before: float, *, at_most: int) -> int:
        dropped = 0
        while self.rows and self.rows[0].at < before and dropped < at_most:
            del self.rows[0]
            dropped += 1
        return dropped


def make_administration(
    accounts: Accounts, clock: Clock, *, ended: list[tuple[str, ErrorCode]] | None = None
) -> Administration:
    """Of these accounts, with ids `u_new1`, `u_new2`, ...; `ended`: whose connections are told to end, and why."""
    numbers = count(1)
    ended = [] if ended is None else ended
    return Administration(
        accounts,
        Passwords(clock),
        clock,
        new_id=lambda: f"new{next(numbers)}",
        shared_issuers=frozenset({"watchword"}),
        forget=lambda _id, _name: None,
        end=lambda user_id, code: ended.append((user_id, code)),
    )


def make_acts(accounts: Accounts, log: MemoryAudit | None = None, trail: AuditTrail | None = None) -> Acts:
    """On these accounts."""
    clock = FakeClock()
    return Acts(
        make_administration(accounts, clock), log or MemoryAudit(), trail or AuditTrail(), Identifiers("t"), clock
    )
