"""What is done every few seconds in the background: write down who was seen and who came in, forget the expired."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from watchword_server.auth.account import Accounts
from watchword_server.auth.audit import AuditLog
from watchword_server.auth.audit_trail import AuditTrail
from watchword_server.auth.last_seen import LastSeen
from watchword_server.auth.tokens import Verifier
from watchword_server.ports import Clock
from watchword_server.sql.store import KEPT_S, Store

__all__ = ["Housekeeping"]

_INTERVAL_S: Final = 5.0
_AUDIT_ROWS: Final = 2_000
"""Written, or dropped, in one transaction: others write in between."""


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """The parts that need it. `retention_s`: how long audit rows are kept."""

    accounts: Accounts
    verifier: Verifier
    last_seen: LastSeen
    store: Store
    audit_log: AuditLog
    audit_trail: AuditTrail
    retention_s: float
    clock: Clock

    async def keep(self, on_error: Callable[[Exception], None], *, at_last: bool = False) -> None:
        """Do it once; `at_last`: nothing can wait for the next time.

        What fails is told, and is no reason to stop serving.
        """
        now = self.clock.wall()
        self.verifier.forget_expired(now)
        self.verifier.rules.revocations.forget_expired(now - self.verifier.rules.leeway_s)
        if seen := self.last_seen.take(now):
            try:
                await self.accounts.seen(seen)
            except Exception as error:  # noqa: BLE001  # told, and tried again with the next ones
                on_error(error)
                self.last_seen.give_back(seen)
        await self._keep_audit(now, on_error, at_last=at_last)

    async def _keep_audit(self, now: float, on_error: Callable[[Exception], None], *, at_last: bool) -> None:
        rows = self.audit_trail.take(now, all_of_it=at_last)
        try:
            while rows:
                await self.audit_log.append(rows[:_AUDIT_ROWS])
                del rows[:_AUDIT_ROWS]
            await self.audit_log.prune(now - self.retention_s, at_most=_AUDIT_ROWS)
        except Exception as error:  # noqa: BLE001  # as above
            on_error(error)
            self.audit_trail.give_back(rows)

    async def forget_results(self, on_error: Callable[[Exception], None]) -> None:
        """Of idempotency keys, those of a day ago. After a long rest there may be many: nothing waits for the end."""
        try:
            await self.store.forget_results(self.clock.wall() - KEPT_S)
        except Exception as error:  # noqa: BLE001  # as above
            on_error(error)

    async def keep_forever(self, on_error: Callable[[Exception], None]) -> None:
        """Do it every few seconds until cancelled."""
        while True:
            await asyncio.sleep(_INTERVAL_S)
            await self.keep(on_error)
            await self.forget_results(on_error)
