"""Tokens to the statements about users: a small grammar of our own.

    CREATE USER [IF NOT EXISTS] name [WITH] PASSWORD 'text' | [WITH] OAUTH 'json' [ROLE role] [EMAIL 'address']
    ALTER USER name [SET] PASSWORD 'text' | [SET] ROLE role | [SET] EMAIL 'address' | LOCK | UNLOCK
    DROP USER [IF EXISTS] name
    UNDROP USER name

What stands behind the word PASSWORD may be one, also where it is not written as it should be: it is said by no error.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.account_nodes import (
    AccountStatement,
    AlterUser,
    Change,
    CreateUser,
    DropUser,
    Email,
    Lock,
    OAuth,
    Password,
    Role,
    UndropUser,
)
from watchword_server.sql.cursor import Cursor
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.lex import TokenKind

__all__ = ["account_rule", "hushed", "without_password"]

_OPENING: Final = re.compile(r"\b(?:create|alter)\b", re.IGNORECASE)
# Spaces and comments; each alternative begins and ends in one way only, so that it is linear.
_USER: Final = re.compile(r"(?:\s|--[^\r\n]*[\r\n]|/\*[^*]*\*+(?:[^*/][^*]*\*+)*/)*user\b(?!\s+table\b)", re.IGNORECASE)
_PASSWORD: Final = re.compile(r"password", re.IGNORECASE)
_OPENINGS: Final = 100
"""Looked at for USER; of a text with more, all that follows is taken for a statement about users."""


def account_rule(cursor: Cursor) -> Callable[[Cursor], AccountStatement] | None:
    """The rule of the statement that begins here, if it is about a user; `CREATE USER TABLE` is not."""
    if cursor.peek().key != "user" or cursor.peek(2).key == "table":
        return None
    return _RULES.get(cursor.here.key)


def hushed(fault: SqlFault, text: str) -> SqlFault:
    """The fault as it may be told: what it says of a place where a password may stand is left out."""
    word = _find_password(text)
    # A token may begin with the word, or with a quote before it.
    is_before = word is None or (fault.at is not None and fault.at < word.start() - 1)
    if is_before or fault.code is ErrorCode.LIMIT_EXCEEDED:
        return fault
    message = (
        "What stands behind PASSWORD is not right, and is not repeated here: a password in single quotes, with each "
        "single quote in it written twice, and of a new user ROLE and EMAIL, each once at most."
    )
    quiet = SqlFault(ErrorCode.INVALID_SQL, message, fault.at)
    quiet.statement = fault.statement
    return quiet


def without_password(text: str) -> str:
    """The text up to where a password may stand; all of it, where none does."""
    word = _find_password(text)
    return text if word is None else f"{text[: word.end()]} ***"


def _find_password(text: str) -> re.Match[str] | None:
    """The word behind which the first password of the text may stand."""
    for count, opening in enumerate(_OPENING.finditer(text)):
        if count == _OPENINGS or _USER.match(text, opening.end()):
            return _PASSWORD.search(text, opening.end())
    return None


def _create(cursor: Cursor) -> CreateUser:
    at = _begin(cursor)
    if_not_exists = cursor.take_if_not_exists()
    name = _name(cursor)
    cursor.take("with")
    statement = CreateUser(name, _credential(cursor), if_not_exists=if_not_exists, at=at)
    seen: set[str] = set()
    while (key := cursor.here.key) in ("role", "email"):
        if key in seen:
            raise cursor.invalid(f"{key.upper()} is given twice.")
        seen.add(key)
        statement = (
            replace(statement, role=_role(cursor)) if key == "role" else replace(statement, email=_email(cursor))
        )
    return statement


def _alter(cursor: Cursor) -> AlterUser:
    at = _begin(cursor)
    name = _name(cursor)
    has_set = cursor.take("set")
    rule = _CHANGES.get(cursor.here.key)
    if rule is None:
        raise cursor.unexpected("PASSWORD, ROLE or EMAIL" if has_set else "SET, LOCK or UNLOCK")
    if has_set and rule is _lock:
        raise cursor.invalid(f"{cursor.here.key.upper()} stands without SET.")
    return AlterUser(name, rule(cursor), at)


def _drop(cursor: Cursor) -> DropUser:
    at = _begin(cursor)
    if_exists = cursor.take_if_exists()
    name = _name(cursor)
    if cursor.here.key == ",":
        raise cursor.unsupported("DROP of several users at once")
    return DropUser(name, if_exists, at)


def _undrop(cursor: Cursor) -> UndropUser:
    at = _begin(cursor)
    return UndropUser(_name(cursor), at)


def _begin(cursor: Cursor) -> int:
    """Both words are there: `account_rule` has looked."""
    at = cursor.advance().at
    cursor.expect("user")
    return at


def _name(cursor: Cursor) -> str:
    """In single or double quotes as it is, or bare and folded."""
    if cursor.here.kind is TokenKind.TEXT:
        return cursor.advance().value
    return cursor.name("the name of a user, in quotes or bare")


def _credential(cursor: Cursor) -> Password | OAuth:
    if cursor.here.key == "password":
        return _password(cursor)
    if not cursor.take("oauth"):
        raise cursor.unexpected("PASSWORD or OAUTH")
    at = cursor.here.at
    return OAuth(_text(cursor, """'{"issuer": ..., "subject": ...}', in single quotes"""), at)


def _password(cursor: Cursor) -> Password:
    cursor.advance()
    token = cursor.here
    if token.kind is TokenKind.PARAMETER:
        raise cursor.unsupported("A password as a parameter")
    return Password(_text(cursor, "the password, in single quotes"), token.at)


def _role(cursor: Cursor) -> Role:
    cursor.advance()
    at = cursor.here.at
    word = _text(cursor, "") if cursor.here.kind is TokenKind.TEXT else cursor.label("a role")
    return Role(word, at)


def _email(cursor: Cursor) -> Email:
    cursor.advance()
    at = cursor.here.at
    return Email(_text(cursor, "an email address, in single quotes"), at)


def _lock(cursor: Cursor) -> Lock:
    token = cursor.advance()
    return Lock(token.key == "lock", token.at)


def _text(cursor: Cursor, what: str) -> str:
    if cursor.here.kind is not TokenKind.TEXT:
        raise cursor.unexpected(what)
    return cursor.advance().value


_RULES: Final[dict[str, Callable[[Cursor], AccountStatement]]] = {
    "create": _create,
    "alter": _alter,
    "drop": _drop,
    "undrop": _undrop,
}
_CHANGES: Final[dict[str, Callable[[Cursor], Change]]] = {
    "password": _password,
    "role": _role,
    "email": _email,
    "lock": _lock,
    "unlock": _lock,
}
