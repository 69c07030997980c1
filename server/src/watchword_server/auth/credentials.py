"""What a client presents, and from where."""

from msgspec import Struct

__all__ = ["Bearer", "Credential", "Password", "Peer"]


class Bearer(Struct, frozen=True):
    """A token (RFC 6750), unverified. Never printed."""

    token: bytes

    def __repr__(self) -> str:
        return f"<Bearer of {len(self.token)} bytes>"


class Password(Struct, frozen=True):
    """A user's name and password (RFC 7617), unverified. The password is never printed."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"<Password of {self.user!r}>"


Credential = Bearer | Password


class Peer(Struct, frozen=True):
    """Where a connection comes from.

    `address`: the client's, as told by the peer or by a trusted proxy. `is_local`: the peer itself is this machine's
    loopback and nothing says that it speaks for somebody else.
    """

    address: str
    is_local: bool
