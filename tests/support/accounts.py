"""Accounts in memory, and accounts to put into any store.

`tests/unit/adapters/sqlite/test_accounts.py` holds `MemoryAccounts` to the same behaviour as the real adapter.
"""

import unicodedata
from typing import Any

from msgspec.structs import replace

from watchword_protocol.errors import ErrorCode
from watchword_server.auth.account import Account, Decide, RevokedToken, Scene
from watchword_server.auth.audit import AuditRow
from watchword_server.refusal import Refused
from watchword_server.user import Role

__all__ = ["MemoryAccounts", "make_account"]


def make_account(name: str = "ada", **members: Any) -> Account:
    """A plain user of this name; `members` replaces what should be otherwise."""
    created_at, updated_at = 1_700_000_001.25, 1_700_000_002.5
    account = Account(id=f"u_{name}", name=name, role=Role.USER, created_at=created_at, updated_at=updated_at)
    return replace(account, **members)


class MemoryAccounts:
    """Fulfils `Accounts` with two dictionaries."""

    def __init__(self, *accounts: Account) -> None:
        self._accounts = {account.id: account for account in accounts}
        self._revoked: dict[tuple[str, str, str], RevokedToken] = {}
        self.rows: list[AuditRow] = []

    async def by_id(self, user_id: str) -> Account | None:
        return self._accounts.get(user_id)

    async def by_name(self, name: str) -> Account | None:
        name = unicodedata.normalize("NFC", name)
        return next((account for account in self._accounts.values() if account.name == name), None)

    async def by_subject(self, issuer: str, subject: str) -> Account | None:
        wanted = (issuer, subject)
        accounts = self._accounts.values()
        return next((account for account in accounts if (account.issuer, account.subject) == wanted), None)

    async def all(self) -> list[Account]:
        return sorted(self._accounts.values(), key=lambda account: account.name)

    async def add(self, account: Account) -> None:
        if account.id in self._accounts:
            raise Refused(ErrorCode.ALREADY_EXISTS)
        self._store(account)

    async def replace(self, account: Account) -> None:
        if account.id not in self._accounts:
            raise Refused(ErrorCode.NOT_FOUND)
        self._store(account)

    async def administer(
        self, actor_id: str, name: str, decide: Decide, row: AuditRow
    ) -> tuple[Account | None, Account | None]:
        target = await self.by_name(name)
        administrators = [
            account
            for account in self._accounts.values()
            if account is not target
            and account.role.includes(Role.DBA)
            and not account.locked
            and account.deleted_at is None
        ]
        after = decide(Scene(self._accounts.get(actor_id), target, len(administrators)))
        if after is not None:
            self._store(after)
        self.rows.append(row)
        return target, after or target

    async def seen(self, times: dict[str, float]) -> None:
        for user_id, time in times.items():
            account = self._accounts.get(user_id)
            if account is not None and (account.last_seen_at is None or account.last_seen_at < time):
                self._accounts[user_id] = replace(account, last_seen_at=time)

    async def revoke(self, token: RevokedToken) -> None:
        key = (token.kind, token.issuer, token.key)
        known = self._revoked.get(key)
        if known is None or known.expires_at < token.expires_at:
            self._revoked[key] = token

    async def revoked(self, now: float) -> list[RevokedToken]:
        self._revoked = {key: token for key, token in self._revoked.items() if token.expires_at > now}
        return list(self._revoked.values())

    def _store(self, account: Account) -> None:
        subject = (account.issuer, account.subject)
        for other in self._accounts.values():
            same_subject = account.issuer is not None and (other.issuer, other.subject) == subject
            if other.id != account.id and (other.name == account.name or same_subject):
                what = "issuer and subject" if same_subject else "name"
                raise Refused(ErrorCode.ALREADY_EXISTS, f"Another user has this {what}.")
        self._accounts[account.id] = account
