"""The syntax of a statement about a user, as it was written.

Made by the parser, carried out by the administration of users. `at` is the offset in characters of the construct, for
error messages. A password is never printed: not by `repr`, nor by `str` of the statement, which is what the audit log
keeps of it.
"""

from dataclasses import dataclass, field
from typing import Final

from watchword_server.sql.quoting import quoted_text

__all__ = [
    "AccountStatement",
    "AlterUser",
    "Change",
    "CreateUser",
    "DropUser",
    "Email",
    "Lock",
    "OAuth",
    "Password",
    "Role",
    "UndropUser",
]

_HIDDEN: Final = "'***'"


@dataclass(frozen=True, slots=True)
class Password:
    """PASSWORD 'text'."""

    text: str = field(repr=False)
    at: int = field(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        return f"PASSWORD {_HIDDEN}"


@dataclass(frozen=True, slots=True)
class OAuth:
    """OAUTH 'json', the text as written."""

    json: str
    at: int = field(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        return f"OAUTH {quoted_text(self.json)}"


@dataclass(frozen=True, slots=True)
class Role:
    """ROLE word, folded."""

    word: str
    at: int = field(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        return f"ROLE {self.word}"


@dataclass(frozen=True, slots=True)
class Email:
    """EMAIL 'address'."""

    address: str
    at: int = field(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        return f"EMAIL {quoted_text(self.address)}"


@dataclass(frozen=True, slots=True)
class Lock:
    """LOCK, or UNLOCK."""

    locks: bool
    at: int = field(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        return "LOCK" if self.locks else "UNLOCK"


Change = Password | Role | Email | Lock


@dataclass(frozen=True, slots=True)
class CreateUser:
    """CREATE USER [IF NOT EXISTS] name WITH credential [ROLE role] [EMAIL email]."""

    name: str
    credential: Password | OAuth
    role: Role = Role("user")
    email: Email | None = None
    if_not_exists: bool = False
    at: int = field(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        condition = "IF NOT EXISTS " if self.if_not_exists else ""
        email = f" {self.email}" if self.email is not None else ""
        return f"CREATE USER {condition}{quoted_text(self.name)} WITH {self.credential} {self.role}{email}"


@dataclass(frozen=True, slots=True)
class AlterUser:
    """ALTER USER name change."""

    name: str
    change: Change
    at: int = field(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        word = "" if isinstance(self.change, Lock) else "SET "
        return f"ALTER USER {quoted_text(self.name)} {word}{self.change}"


@dataclass(frozen=True, slots=True)
class DropUser:
    """DROP USER [IF EXISTS] name."""

    name: str
    if_exists: bool = False
    at: int = field(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        return f"DROP USER {'IF EXISTS ' if self.if_exists else ''}{quoted_text(self.name)}"


@dataclass(frozen=True, slots=True)
class UndropUser:
    """UNDROP USER name."""

    name: str
    at: int = field(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        return f"UNDROP USER {quoted_text(self.name)}"


AccountStatement = CreateUser | AlterUser | DropUser | UndropUser
