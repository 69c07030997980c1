"""Who a connection speaks for."""

from collections.abc import Mapping
from enum import StrEnum, unique
from typing import Any, Literal

from msgspec import Struct

__all__ = ["AuthenticatedUser", "Role"]


@unique
class Role(StrEnum):
    """What a user may do, in ascending order; a role is the word on the wire."""

    USER = "user"
    SERVICE = "service"
    DBA = "dba"
    SYSTEM = "system"

    __hash__ = str.__hash__  # the word's; Enum's own is a function of Python's

    def includes(self, other: "Role") -> bool:
        """Whether this role may do all that `other` may."""
        return _RANK[self] >= _RANK[other]


_RANK = {role: rank for rank, role in enumerate(Role)}


class AuthenticatedUser(Struct, frozen=True):
    """The user context: what a good credential became, for the rest of the connection's life.

    `expires_at`: the token's exp, seconds since 1970; None for Basic, which lasts until the account changes.
    `claims`: the verified claims of the token, empty for Basic. `token_id`: the token's jti, else a fingerprint of its
    signature; None for Basic. `session_id`: the token's sid. `address`: where the client is.
    """

    id: str
    name: str
    role: Role
    email: str | None
    auth_method: Literal["jwt", "basic"]
    issuer: str | None
    token_id: str | None
    session_id: str | None
    claims: Mapping[str, Any]
    expires_at: float | None
    address: str = ""

    def __repr__(self) -> str:
        return f"<AuthenticatedUser {self.name} ({self.id}) {self.role.value} by {self.auth_method}>"
