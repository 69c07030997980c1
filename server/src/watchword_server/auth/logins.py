"""Logins, on their way into the audit log: every handshake and every authentication over HTTP."""

from typing import Final, Literal

from watchword_protocol.errors import ErrorCode
from watchword_server.auth.audit import AuditRow, legible
from watchword_server.auth.audit_trail import AuditTrail, Kind
from watchword_server.auth.credentials import Credential, Password
from watchword_server.auth.parties import party_of
from watchword_server.auth.strict_json import decode_base64url, decode_object
from watchword_server.ports import Clock
from watchword_server.user import AuthenticatedUser

__all__ = ["Logins", "named_in"]

Door = Literal["WebSocket", "HTTP"]

_ACTION: Final = "login"
_NAME_CHARACTERS: Final = 128


class Logins:
    """Notes who came in, and who did not.

    Args:
        trail: Where they are gathered.
        clock: Wall time.
    """

    def __init__(self, trail: AuditTrail, clock: Clock) -> None:
        self._trail = trail
        self._clock = clock

    def succeeded(self, user: AuthenticatedUser, request_id: str | None, door: Door) -> None:
        """A user came in, or renewed the credential of a connection."""
        row = AuditRow(
            at=self._clock.wall(),
            actor=user.name,
            actor_id=user.id,
            role=user.role,
            action=_ACTION,
            source=user.address,
            request_id=request_id,
            detail=f"{user.auth_method}, {door}",
        )
        self._trail.note(Kind.LOGIN, (user.id, user.address), row)

    def failed(
        self, code: ErrorCode, credential: Credential | None, address: str, request_id: str | None, door: Door
    ) -> None:
        """A credential, or what stood in its place (None), was refused."""
        row = AuditRow(
            at=self._clock.wall(),
            actor="" if credential is None else named_in(credential),
            action=_ACTION,
            source=address,
            result=code.name,
            request_id=request_id,
            detail=f"{_word(credential)}, {door}",
        )
        self._trail.note(Kind.FAILED_LOGIN, party_of(address), row)


def _word(credential: Credential | None) -> str:
    if credential is None:
        return "no credential"
    return "basic" if isinstance(credential, Password) else "jwt"


def named_in(credential: Credential) -> str:
    """Who is said to come, true or not: the name beside a password, the `sub` of a token; empty where there is none."""
    name: object
    if isinstance(credential, Password):
        name = credential.user
    else:
        try:
            name = decode_object(decode_base64url(credential.token[:16_384].split(b".")[1])).get("sub")
        except (ValueError, IndexError, RecursionError):
            return ""
    return legible(name[:_NAME_CHARACTERS]) if isinstance(name, str) else ""
