"""What is done beside reading and writing rows, and its way into the audit log: statements about users, definitions,
requests for somebody else, and what was refused for want of a right.
"""

from collections.abc import Awaitable
from typing import Final

from msgspec.structs import replace

from watchword_protocol.errors import ErrorCode
from watchword_protocol.messages import Query
from watchword_server.auth.administration import Administration, Identity, read_identity
from watchword_server.auth.audit import DETAIL_CHARACTERS, AuditLog, AuditRow, row_of
from watchword_server.auth.audit_trail import AuditTrail, Kind
from watchword_server.identifiers import Identifiers
from watchword_server.ports import Clock
from watchword_server.refusal import Refused
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
    UndropUser,
)
from watchword_server.sql.account_nodes import Role as RoleClause
from watchword_server.sql.account_statements import without_password
from watchword_server.sql.definition_nodes import Definition
from watchword_server.sql.fault import SqlFault
from watchword_server.user import AuthenticatedUser, Role

__all__ = ["Acts"]

_ROLES: Final = ", ".join(role.value for role in Role)


class Acts:
    """Carries out statements about users, and keeps the record of all acts.

    Args:
        administration: Of users.
        log: Where the record is.
        trail: What may wait for it, and what is too much for it.
        identifiers: Of requests.
        clock: Wall time.
    """

    def __init__(
        self,
        administration: Administration,
        log: AuditLog,
        trail: AuditTrail,
        identifiers: Identifiers,
        clock: Clock,
    ) -> None:
        self._administration = administration
        self._log = log
        self._trail = trail
        self._identifiers = identifiers
        self._clock = clock

    async def administer(self, statement: AccountStatement, user: AuthenticatedUser) -> None:
        """Do to a user what the statement says.

        Raises:
            SqlFault: INVALID_SQL: A value in it is wrong.
            Refused: As `Administration`.
        """
        row = self._row(user, _action(statement), statement.name, str(statement))
        try:
            await self._administer(statement, user, row)
        except Refused as refused:
            if refused.code is ErrorCode.INVALID_SQL:
                raise SqlFault(refused.code, refused.message, statement.at) from None
            self._note_refused(row, refused)
            raise

    def _administer(self, statement: AccountStatement, by: AuthenticatedUser, row: AuditRow) -> Awaitable[None]:
        users, name = self._administration, statement.name
        match statement:
            case CreateUser(_, credential, role, email, if_not_exists):
                return users.create(
                    by,
                    name,
                    row,
                    credential=_identity(credential) if isinstance(credential, OAuth) else credential.text,
                    role=_role(role),
                    email=None if email is None else email.address,
                    if_not_exists=if_not_exists,
                )
            case AlterUser(_, change):
                return self._alter(change, by, name, row)
            case DropUser(_, if_exists):
                return users.drop(by, name, row, if_exists=if_exists)
            case UndropUser():
                return users.undrop(by, name, row)

    def _alter(self, change: Change, by: AuthenticatedUser, name: str, row: AuditRow) -> Awaitable[None]:
        users = self._administration
        match change:
            case Password(text):
                return users.set_password(by, name, row, text)
            case Email(address):
                return users.set_email(by, name, row, address)
            case RoleClause():
                return users.set_role(by, name, row, _role(change))
            case Lock(locks):
                return users.set_locked(by, name, row, locked=locks)

    async def defined(self, definition: Definition, user: AuthenticatedUser, text: str) -> None:
        """The definition was carried out. A record that cannot be written now is written later."""
        row = self._row(user, _action(definition), _target(definition), text)
        try:
            await self._log.append([row])
        except Refused:
            self._trail.add(row)

    def not_defined(self, definition: Definition, user: AuthenticatedUser, text: str, code: ErrorCode) -> None:
        """The definition was refused when it was carried out."""
        row = self._row(user, _action(definition), _target(definition), text)
        self._trail.note(Kind.REFUSED_ACT, user.id, replace(row, result=code.name))

    def acted_for(self, query: Query, user: AuthenticatedUser, code: ErrorCode | None = None) -> None:
        """A request with `as_user` was answered, or refused with this error."""
        row = self._row(user, "as_user", query.as_user, _text(query))
        if code is not None:
            row = replace(row, result=code.name)
        self._trail.note(Kind.AS_USER, (user.id, row.target), row)

    def denied(self, query: Query, user: AuthenticatedUser, refused: Refused) -> None:
        """A request was refused for want of a right, before anything of it ran."""
        action = "query" if query.as_user is None else "as_user"
        self._note_refused(self._row(user, action, query.as_user, _text(query)), refused)

    def _row(self, user: AuthenticatedUser, action: str, target: str | None, text: str) -> AuditRow:
        row = row_of(user, action, at=self._clock.wall(), target=target, detail=text)
        return replace(row, request_id=self._identifiers.next_request())

    def _note_refused(self, row: AuditRow, refused: Refused) -> None:
        refused.request_id = row.request_id  # by which the client knows it, too
        self._trail.note(Kind.REFUSED_ACT, row.actor_id, replace(row, result=refused.code.name))


def _role(clause: RoleClause) -> Role:
    try:
        return Role(clause.word)
    except ValueError:
        raise SqlFault(ErrorCode.INVALID_SQL, f"A role is one of {_ROLES}.", clause.at) from None


def _identity(clause: OAuth) -> Identity:
    try:
        return read_identity(clause.json)
    except ValueError as error:
        raise SqlFault(ErrorCode.INVALID_SQL, f"{error}.", clause.at) from None


def _action(statement: AccountStatement | Definition) -> str:
    """CreateTable: create_table."""
    name = type(statement).__name__
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in name).lstrip("_")


def _target(definition: Definition) -> str:
    """A table with its namespace, or what else is named."""
    table = getattr(definition, "table", None)
    if table is None:
        return str(getattr(definition, "name", ""))
    return f"{table.namespace}.{table.name}" if table.namespace is not None else str(table.name)


def _text(query: Query) -> str:
    """The beginning of its statements, without their values; no password stands in it."""
    text = query.sql or ""
    if query.statements is not None:
        text = ""
        for each in query.statements:
            text += f"{'; ' if text else ''}{each.sql}"
            if len(text) > DETAIL_CHARACTERS:
                break
    return without_password(text[: DETAIL_CHARACTERS + 1])
