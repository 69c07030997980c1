"""The deny-list: tokens and sessions that ended before their time, held in memory, bounded by their `exp`."""

from collections.abc import Iterable

from watchword_server.auth.account import RevokedToken

__all__ = ["Revocations"]


class Revocations:
    """What every handshake asks; the store keeps the same list across restarts."""

    def __init__(self, revoked: Iterable[RevokedToken] = ()) -> None:
        self._expires_at: dict[tuple[str, str, str], float] = {}
        for token in revoked:
            self.add(token)

    def __len__(self) -> int:
        return len(self._expires_at)

    def add(self, token: RevokedToken) -> None:
        """From now on the token, or every token of the session, is TOKEN_REVOKED."""
        key = (token.kind, token.issuer, token.key)
        self._expires_at[key] = max(token.expires_at, self._expires_at.get(key, 0.0))  # as the store keeps it

    def holds(self, issuer: str, token_id: str, session_id: str | None) -> bool:
        """Whether the token or its session was revoked."""
        if not self._expires_at:
            return False
        return ("token", issuer, token_id) in self._expires_at or (
            session_id is not None and ("session", issuer, session_id) in self._expires_at
        )

    def forget_expired(self, now: float) -> None:
        """Drop what would be TOKEN_EXPIRED anyway. `now`: seconds since 1970."""
        for key in [key for key, expires_at in self._expires_at.items() if expires_at <= now]:
            del self._expires_at[key]
