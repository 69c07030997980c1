"""Failed passwords, counted per name presented and address, whether the name exists or not. Pure: time is passed in."""

import hashlib
import math
from collections import OrderedDict
from typing import NamedTuple

from watchword_server.auth.account import canonical_name
from watchword_server.auth.parties import party_of

__all__ = ["Attempts"]


class _Count(NamedTuple):
    failures: int
    until: float


class Attempts:
    """After `max_failures` in a row every password from there for that name is refused for `lock_s`.

    "There" is an address, or the /64 of an IPv6 address, all of which one party has.

    A failure is forgotten `lock_s` after the last one, and so is the lock. Ask `check` before the password is looked at
    and once more when its verdict is there: guesses that ran side by side then reveal no more than those in turn.

    Both tables are bounded, and the oldest entry goes first. Locked pairs have a table of their own, which failures for
    other names do not touch: to wash one lock out, an attacker must fill it with `max_entries` locks, which takes
    `max_entries` x `max_failures` verified passwords, at some 100 a second longer than the lock lasts. A count that has
    not become a lock is washed out by `max_entries` failures for other names; that buys `max_failures` - 1 guesses with
    10,000, no more than trying one password on many names gets anyway.

    Args:
        max_failures: How many passwords may be wrong.
        lock_s: How long a lock lasts, and how long a failure counts.
        max_entries: How many pairs each table holds.
    """

    def __init__(self, *, max_failures: int, lock_s: float, max_entries: int = 10_000) -> None:
        self._max_failures = max_failures
        self._lock_s = lock_s
        self._max_entries = max_entries
        self._counts: OrderedDict[bytes, _Count] = OrderedDict()
        self._locks: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts) + len(self._locks)

    def check(self, name: str, address: str, now: float) -> int:
        """Milliseconds until a password may be tried again, at least 1 while locked; 0: go on."""
        until = self._locks.get(_key(name, address))
        return 0 if until is None or now >= until else max(1, math.ceil((until - now) * 1_000))

    def failed(self, name: str, address: str, now: float) -> None:
        """Count a wrong password. One that was under way when the lock fell does not lengthen it."""
        key = _key(name, address)
        if now < self._locks.get(key, now):
            return
        self._locks.pop(key, None)
        count = self._counts.pop(key, None)
        failures = 1 if count is None or now >= count.until else count.failures + 1
        if failures >= self._max_failures:
            self._locks[key] = now + self._lock_s
        else:
            self._counts[key] = _Count(failures, now + self._lock_s)
        for table in (self._counts, self._locks):
            if len(table) > self._max_entries:
                table.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures: whoever it was knows the password."""
        self._counts.pop(_key(name, address), None)


def _key(name: str, address: str) -> bytes:
    """One size for all, since a stranger chooses the name; in NFC, as names are compared: one account, one key."""
    # A network holds no NUL, so that no name reads as the end of one.
    text = f"{party_of(address)}\0{canonical_name(name)}"
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
