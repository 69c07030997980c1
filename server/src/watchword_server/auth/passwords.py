"""Passwords: hashed slowly, off the loop, and in the same time whoever asks.

One verification costs 19 MiB and about 17 ms of CPU, on purpose. So two run at once and the others wait in a line that
has an end, and a success is remembered for a minute: without that, HTTP Basic would be a few requests a second.
"""

import asyncio
import base64
import hmac
import secrets
import unicodedata
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple, TypeVar

import argon2

from watchword_protocol.errors import ErrorCode
from watchword_server.auth.account import Account
from watchword_server.ports import Clock
from watchword_server.refusal import Refused

__all__ = ["MAX_PASSWORD_BYTES", "MIN_PASSWORD_CHARACTERS", "Passwords", "check_password"]

T = TypeVar("T")

MIN_PASSWORD_CHARACTERS: Final = 8  # NIST SP 800-63B 5.1.1.2
MAX_PASSWORD_BYTES: Final = 1024

# OWASP's smaller argon2id profile. Hashes with other parameters would take another time than the dummy's, and tell.
_MEMORY_KIB, _PASSES, _LANES, _HASH_BYTES, _SALT_BYTES = 19 * 1024, 2, 1, 32, 16


class _Remembered(NamedTuple):
    digest: bytes
    until: float


class Passwords:
    """Hashes and verifies passwords, in two threads; `close` ends them.

    Args:
        clock: Monotonic time, for what is remembered.
        waiting: How many wait in line at most, besides the two that run.
        deadline_s: How long one waits and is verified in all.
        remember_s: How long a success spares the next verification.
        remember: How many successes are kept at most, one a user; the oldest goes first.
        hasher: argon2id with the parameters that every stored hash has.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        waiting: int = 256,
        deadline_s: float = 10.0,
        remember_s: float = 60.0,
        remember: int = 10_000,
        hasher: argon2.PasswordHasher | None = None,
    ) -> None:
        self._clock = clock
        self._deadline_s = deadline_s
        self._remember_s = remember_s
        self._remember = remember
        self._hasher = hasher or argon2.PasswordHasher(
            time_cost=_PASSES,
            memory_cost=_MEMORY_KIB,
            parallelism=_LANES,
            hash_len=_HASH_BYTES,
            salt_len=_SALT_BYTES,
            type=argon2.Type.ID,
        )
        self._dummy = _make_dummy(self._hasher)
        threads = 2
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="watchword-password")
        self._is_closed = False
        self._places = threads + waiting
        self._taken = 0
        # The digests are worth nothing without the key, which ends with the process.
        self._key = secrets.token_bytes(32)
        self._successes: OrderedDict[str, _Remembered] = OrderedDict()

    async def hash(self, password: str) -> str:
        """The hash to store, argon2id in PHC form.

        Raises:
            ValueError: The password may not be set; the text is a sentence.
            Refused: OVERLOADED: the line is full, or the deadline passed; SERVER_SHUTDOWN: closed.
        """
        encoded = check_password(password).encode()
        return await self._run(lambda: self._hasher.hash(encoded))

    async def verify(self, account: Account | None, password: str) -> bool:
        """Whether it is the account's password.

        An unknown (None) or deleted account, one without a password and a wrong password go the same way and take the
        same time. Whether the account is locked is not asked here.

        Cancelling: leaves the line; what runs already runs to its end in its thread.

        Raises:
            Refused: OVERLOADED: the line is full, or the deadline passed; SERVER_SHUTDOWN: closed.
        """
        encoded = _encode(password)
        if account is not None and encoded is not None and self._recall(account, encoded):
            return True
        is_usable = account is not None and account.deleted_at is None and account.password_hash is not None
        stored = account.password_hash if account is not None and is_usable else None
        # No branch from here to the answer: the dummy is verified as a real hash is, and nothing matches it.
        is_right = await self._run(lambda: self._matches(stored or self._dummy, encoded or b"-"))
        if not (is_right and stored and encoded and account):
            return False
        self._note(account, encoded)
        return True

    def remembered(self, account: Account, password: str) -> bool:
        """Whether this very password was right for this very account a moment ago; False says nothing."""
        encoded = _encode(password)
        return encoded is not None and self._recall(account, encoded)

    def forget(self, user_id: str) -> None:
        """Remember nothing of this user any more."""
        self._successes.pop(user_id, None)

    def close(self) -> None:
        """Cancel who waits in line; a second time is harmless."""
        self._is_closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _recall(self, account: Account, encoded: bytes) -> bool:
        known = self._successes.get(account.id)
        if known is None or account.deleted_at is not None or self._clock.monotonic() >= known.until:
            return False
        return hmac.compare_digest(known.digest, self._digest(account, encoded))

    def _note(self, account: Account, encoded: bytes) -> None:
        until = self._clock.monotonic() + self._remember_s
        self._successes[account.id] = _Remembered(self._digest(account, encoded), until)
        self._successes.move_to_end(account.id)
        while len(self._successes) > self._remember:
            self._successes.popitem(last=False)

    def _digest(self, account: Account, encoded: bytes) -> bytes:
        # The stored hash is in it: a success against the old password, noted after `forget`, matches nothing any more.
        text = f"{account.id}\0{account.password_hash}\0".encode() + encoded
        return hmac.digest(self._key, text, "sha256")

    async def _run(self, work: Callable[[], T]) -> T:
        """Do the work in a thread, in turn."""
        if self._is_closed:
            raise Refused(ErrorCode.SERVER_SHUTDOWN)
        if self._taken >= self._places:
            raise Refused(ErrorCode.OVERLOADED)
        # The executor's queue is the line: first come, first served, and a cancelled one is skipped.
        job = asyncio.get_running_loop().run_in_executor(self._threads, work)
        self._taken += 1
        job.add_done_callback(self._leave)
        try:
            async with asyncio.timeout(self._deadline_s):
                return await job
        except TimeoutError:
            raise Refused(ErrorCode.OVERLOADED) from None

    def _leave(self, job: "asyncio.Future[T]") -> None:
        self._taken -= 1

    def _matches(self, stored: str, encoded: bytes) -> bool:
        """In a thread."""
        try:
            return self._hasher.verify(stored, encoded)
        except argon2.exceptions.VerifyMismatchError:
            return False
        except argon2.exceptions.VerificationError as error:  # no memory left, as a rule
            raise Refused(ErrorCode.OVERLOADED) from error
        except argon2.exceptions.InvalidHashError:  # spoiled in the store: no password matches it, at the same price
            return self._matches(self._dummy, encoded)


def check_password(password: str) -> str:
    """A password that may be set, in NFC.

    Raises:
        ValueError: It is shorter than 8 characters, longer than 1,024 bytes, or no text.
    """
    if len(password) > MAX_PASSWORD_BYTES:  # first, since normalising something long takes long
        raise ValueError(f"a password has at most {MAX_PASSWORD_BYTES} bytes")
    password = unicodedata.normalize("NFC", password)
    if len(password) < MIN_PASSWORD_CHARACTERS:
        raise ValueError(f"a password has at least {MIN_PASSWORD_CHARACTERS} characters")
    try:
        size_bytes = len(password.encode())
    except UnicodeEncodeError:
        raise ValueError("a password is text in UTF-8") from None
    if size_bytes > MAX_PASSWORD_BYTES:
        raise ValueError(f"a password has at most {MAX_PASSWORD_BYTES} bytes")
    return password


def _encode(password: str) -> bytes | None:
    """As it is hashed, or None for what no stored password can be.

    NFC, since one keyboard sends one character where another sends two (RFC 8265 4.2.1, which RFC 7617 2.1 asks for).
    """
    if not 1 <= len(password) <= MAX_PASSWORD_BYTES:
        return None
    try:
        encoded = unicodedata.normalize("NFC", password).encode()
    except UnicodeEncodeError:
        return None
    return encoded if len(encoded) <= MAX_PASSWORD_BYTES else None


def _make_dummy(hasher: argon2.PasswordHasher) -> str:
    """A hash that takes as long as a real one and that nothing matches; made of chance, so it costs nothing."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size_bytes)).rstrip(b"=").decode()
        for size_bytes in (hasher.salt_len, hasher.hash_len)
    )
    return f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${salt}${digest}"
