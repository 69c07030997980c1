"""Credentials to the user context, or a row of the error table.

credential -> token verified | password verified -> account -> account checks -> AuthenticatedUser
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from watchword_protocol.errors import ErrorCode
from watchword_server.auth.account import Account, canonical_name
from watchword_server.auth.attempts import Attempts
from watchword_server.auth.credentials import Bearer, Credential, Password, Peer
from watchword_server.auth.directory import Directory
from watchword_server.auth.last_seen import LastSeen
from watchword_server.auth.passwords import Passwords
from watchword_server.auth.tokens import Token, Verifier
from watchword_server.ports import Clock
from watchword_server.refusal import Refused
from watchword_server.user import AuthenticatedUser, Role

__all__ = ["ACCOUNT_CHECKS", "AccountCheck", "Authenticator", "Claimant"]


_WAITING_PER_ADDRESS: Final = 64


class Claimant(NamedTuple):
    """Who asks to come in: the account, the token (None: by password), from where, by which house rule."""

    account: Account
    token: Token | None
    peer: Peer
    system_from_anywhere: bool


class AccountCheck(NamedTuple):
    """One row of the table of checks, after the token's own."""

    row: int
    name: str
    judge: Callable[[Account, Claimant], ErrorCode | None]


def _check_deleted(account: Account, _claimant: Claimant) -> ErrorCode | None:
    return ErrorCode.INVALID_CREDENTIALS if account.deleted_at is not None else None


def _check_locked(account: Account, _claimant: Claimant) -> ErrorCode | None:
    return ErrorCode.ACCOUNT_LOCKED if account.locked else None


def _check_place(account: Account, claimant: Claimant) -> ErrorCode | None:
    is_welcome = account.role is not Role.SYSTEM or claimant.peer.is_local or claimant.system_from_anywhere
    return None if is_welcome else ErrorCode.ACCESS_DENIED


def _check_freshness(account: Account, claimant: Claimant) -> ErrorCode | None:
    """Without leeway: an old role or an old password must not live on for its length."""
    if claimant.token is None or account.valid_after is None:
        return None
    issued_at = claimant.token.claims.get("iat")
    return ErrorCode.TOKEN_STALE if issued_at is None or issued_at < account.valid_after else None


def _check_role(account: Account, claimant: Claimant) -> ErrorCode | None:
    """Only our own tokens speak of our roles; a foreign issuer's claim of that name means nothing here."""
    if claimant.token is None or claimant.token.issuer is None or not claimant.token.issuer.is_own:
        return None
    return (
        None if claimant.token.claims.get("role", account.role.value) == account.role.value else ErrorCode.TOKEN_STALE
    )


ACCOUNT_CHECKS: Final = (
    AccountCheck(10, "user not deleted", _check_deleted),
    AccountCheck(10, "not locked", _check_locked),
    AccountCheck(10, "may connect from here", _check_place),
    AccountCheck(11, "token not older than the account's last change", _check_freshness),
    AccountCheck(11, "role of an own token is the role stored", _check_role),
)
"""Rows 10 and 11; that the user exists comes before all of them."""


class Authenticator:
    """The one way from a credential to an AuthenticatedUser.

    Args:
        verifier: Rows 1 to 9 of the table of checks.
        directory: The accounts.
        passwords: Verification of passwords, off the loop.
        attempts: The count of failed passwords.
        last_seen: Told of everyone who came in.
        clock: Wall time for validity, monotonic time for the count of attempts.
        system_from_anywhere: Whether the role `system` may come from other machines.
    """

    def __init__(
        self,
        *,
        verifier: Verifier,
        directory: Directory,
        passwords: Passwords,
        attempts: Attempts,
        last_seen: LastSeen,
        clock: Clock,
        system_from_anywhere: bool = False,
    ) -> None:
        self._verifier = verifier
        self._directory = directory
        self._passwords = passwords
        self._attempts = attempts
        self._last_seen = last_seen
        self._clock = clock
        self._system_from_anywhere = system_from_anywhere
        self._waiting: Counter[str] = Counter()  # passwords being verified, by address

    def try_now(self, credential: Credential, peer: Peer) -> AuthenticatedUser | None:
        """The user context if nothing has to be waited for; None means: `await authenticate(...)`.

        Raises:
            Refused: By the first failing row.
        """
        if isinstance(credential, Bearer):
            token = self._verifier.verify(credential.token, self._clock.wall())
            account = self._directory.known(token.subject)
            return self._admit(account, token, peer) if account is not None else None
        name = canonical_name(credential.user)
        self._check_attempts(name, peer)
        account = self._directory.known(name)
        if account is None or account.name != name or not self._passwords.remembered(account, credential.password):
            return None
        return self._admit(account, None, peer)

    async def authenticate(self, credential: Credential, peer: Peer) -> AuthenticatedUser:
        """The user context, waiting for the store and for the hash of a password where needed.

        Raises:
            Refused: By the first failing row; OVERLOADED where the wait would be too long, STORAGE_UNAVAILABLE.
        """
        if isinstance(credential, Bearer):
            token = self._verifier.verify(credential.token, self._clock.wall())
            account, _ = await self._find(token.subject, None)
            # Once more: it may have been revoked while this waited, and what revoked it could not see this connection.
            token = self._verifier.verify(credential.token, self._clock.wall())
            return self._admit(account, token, peer)
        return await self._authenticate_by_password(credential, peer)

    async def _authenticate_by_password(self, credential: Password, peer: Peer) -> AuthenticatedUser:
        name = canonical_name(credential.user)
        self._check_attempts(name, peer)
        with self._turn(peer):
            account, is_right = await self._find(name, credential.password)
        # Once more: guesses that ran beside this one count too, or the limit would be as wide as the waiting line.
        self._check_attempts(name, peer)
        if not is_right:
            self._attempts.failed(name, peer.address, self._clock.monotonic())
            raise Refused(ErrorCode.INVALID_CREDENTIALS)
        self._attempts.succeeded(name, peer.address)
        return self._admit(account, None, peer)

    async def _find(self, subject: str, password: str | None) -> tuple[Account | None, bool]:
        """The account, and whether the password is its own.

        Always asked of the store, so that a known and an unknown name take the same way. An account that changed while
        this waited is asked again: whoever changed it has already ended the connections that it could see.
        """
        while True:
            generation = self._directory.generation
            account = await self._directory.find(subject)
            is_right = False
            if password is not None:
                if account is not None and account.name != subject:
                    account = None  # found by its id, which is no name to sign in with
                is_right = await self._passwords.verify(account, password)
            if generation == self._directory.generation:
                return account, is_right

    def forget(self, account_id: str, name: str) -> None:
        """The account changed: nothing remembered of it counts any more. Its connections are the registry's to end."""
        self._verifier.forget({account_id, name})
        self._directory.forget(account_id, name)
        self._passwords.forget(account_id)

    @contextmanager
    def _turn(self, peer: Peer) -> Iterator[None]:
        """A place in the line for the hash, of which one address has few, so that it cannot keep everybody else out."""
        if self._waiting[peer.address] >= _WAITING_PER_ADDRESS:
            raise Refused(ErrorCode.OVERLOADED)
        self._waiting[peer.address] += 1
        try:
            yield
        finally:
            self._waiting[peer.address] -= 1
            if not self._waiting[peer.address]:
                del self._waiting[peer.address]

    def _check_attempts(self, name: str, peer: Peer) -> None:
        retry_after_ms = self._attempts.check(name, peer.address, self._clock.monotonic())
        if retry_after_ms:
            raise Refused(ErrorCode.ACCOUNT_LOCKED, retry_after_ms=retry_after_ms)

    def _admit(self, account: Account | None, token: Token | None, peer: Peer) -> AuthenticatedUser:
        if account is None:
            raise Refused(ErrorCode.INVALID_CREDENTIALS)
        claimant = Claimant(account, token, peer, self._system_from_anywhere)
        for check in ACCOUNT_CHECKS:
            if (code := check.judge(account, claimant)) is not None:
                raise Refused(code)
        self._last_seen.note(account.id, self._clock.wall())
        if token is None:
            return AuthenticatedUser(
                id=account.id,
                name=account.name,
                role=account.role,
                email=account.email,
                auth_method="basic",
                issuer=None,
                token_id=None,
                session_id=None,
                claims={},
                expires_at=None,
                address=peer.address,
            )
        return AuthenticatedUser(
            id=account.id,
            name=account.name,
            role=account.role,
            email=account.email,
            auth_method="jwt",
            issuer=token.claims["iss"],
            token_id=token.token_id,
            session_id=token.session_id,
            claims=token.claims,
            expires_at=token.expires_at,
            address=peer.address,
        )
