"""Accounts in memory, so that a handshake need not wait for the store.

Only live accounts are kept: an unknown and a deleted user both cost a question to the store, every time.
"""

from collections import OrderedDict

from watchword_server.auth.account import USER_ID_PREFIX, Account, Accounts

__all__ = ["Directory"]


class Directory:
    """Accounts by `sub`: a user's id or name.

    Args:
        accounts: Where they are stored.
        remember: How many accounts at most; the oldest goes first.
    """

    def __init__(self, accounts: Accounts, remember: int = 20_000) -> None:
        self._accounts = accounts
        self._remember = remember
        self._by_subject: OrderedDict[str, Account] = OrderedDict()
        self._generation = 0

    def __len__(self) -> int:
        return len(self._by_subject)

    @property
    def generation(self) -> int:
        """Counts the changes: what was read before one may be out of date after it."""
        return self._generation

    def known(self, subject: str) -> Account | None:
        """The account if it is in memory; None means: ask `find`."""
        return self._by_subject.get(subject)

    async def find(self, subject: str) -> Account | None:
        """The account from the store, deleted ones too, and remembered if it lives.

        Raises:
            Refused: The store cannot be asked.
        """
        generation = self._generation
        is_id = subject.startswith(USER_ID_PREFIX)
        account = await (self._accounts.by_id(subject) if is_id else self._accounts.by_name(subject))
        # An answer that was under way while an account changed may be the old one: use it, but do not keep it.
        if account is not None and account.deleted_at is None and generation == self._generation:
            while len(self._by_subject) >= self._remember:
                self._by_subject.popitem(last=False)
            # By its own name, not by the one asked for: that may be spelled otherwise, and `forget` would not find it.
            self._by_subject[account.id if is_id else account.name] = account
        return account

    def forget(self, account_id: str, name: str) -> None:
        """The account changed: ask the store again."""
        self._generation += 1
        self._by_subject.pop(account_id, None)
        self._by_subject.pop(name, None)
