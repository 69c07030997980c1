"""A query before it runs: message -> who may -> plans, or the one definition that it is."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

from watchword_protocol.errors import ErrorCode
from watchword_protocol.messages import Parameter, Query, Statement
from watchword_server.auth.account import Account
from watchword_server.config import Limits
from watchword_server.query.work import Access
from watchword_server.refusal import Refused
from watchword_server.sql.account_nodes import AccountStatement
from watchword_server.sql.budget import Budget
from watchword_server.sql.catalog import DEFAULT_NAMESPACE, Catalog
from watchword_server.sql.definition_nodes import (
    AlterTable,
    CreateIndex,
    CreateNamespace,
    CreateTable,
    Definition,
    DropIndex,
    DropNamespace,
    DropTable,
    Standalone,
)
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.plan import Plan, StoredValue
from watchword_server.sql.planner import Planner, not_alone
from watchword_server.steps import Steps
from watchword_server.user import AuthenticatedUser, Role

__all__ = ["Bound", "Planned", "Preparation", "Prepared", "to_refused"]

_WHO_DEFINES: Final[Mapping[type, tuple[str, Role]]] = {
    CreateNamespace: ("CREATE NAMESPACE", Role.DBA),
    DropNamespace: ("DROP NAMESPACE", Role.DBA),
    CreateTable: ("CREATE TABLE", Role.SERVICE),
    DropTable: ("DROP TABLE", Role.SERVICE),
    AlterTable: ("ALTER TABLE", Role.SERVICE),
    CreateIndex: ("CREATE INDEX", Role.SERVICE),
    DropIndex: ("DROP INDEX", Role.SERVICE),
}
"""What a definition is called, and the least role that may; which tables that is for, a `Definer` knows."""


class Planned(NamedTuple):
    """One statement: its plan, the text it stands in, the parameters it shares with what else stands there."""

    plan: Plan
    text: str
    parameters: Sequence[Parameter]


Bound = Sequence[tuple[Plan, Sequence[StoredValue]]]
"""Statements as the store takes them: each with its values, in the order of its plan's binds."""


class _Texts(NamedTuple):
    """The different texts of one request: the tables they are planned against, what is left for planning more of them,
    and the plans of those before.
    """

    catalog: Catalog
    budget: Budget
    plans: dict[str, tuple[Plan, ...] | Standalone]


class Prepared(Struct, frozen=True):
    """A query that may run, as the moment found it. One of `statements`, `definition`, `about_user`.

    `access`: what may run beside it. `account`: whose rows it meets, where that is somebody else and is known.
    `bound`: the statements with their values, as the store takes them; None until it is known whose rows they meet.
    """

    access: Access
    query: Query
    user: AuthenticatedUser
    statements: tuple[Planned, ...] = ()
    definition: Definition | None = None
    about_user: AccountStatement | None = None
    account: Account | None = None
    bound: Bound | None = None

    @property
    def text(self) -> str:
        """Of a query that is one definition, or one statement about a user."""
        return _text(self.query)

    def __repr__(self) -> str:
        what = self.definition or self.about_user or list(self.statements)
        return f"<Prepared {self.access.value} for {self.user.name}: {what}>"


class Preparation:
    """From messages to what may run.

    Args:
        catalog: The tables of this moment.
        known_account: The account of a name or id, where it is in memory.
        limits: What one statement may take, by the role of who asks.
    """

    def __init__(
        self,
        catalog: Callable[[], Catalog],
        known_account: Callable[[str], Account | None],
        limits: Mapping[Role, Limits],
    ) -> None:
        self._catalog = catalog
        self._known_account = known_account
        self._limits = limits
        self._planners = {
            role: Planner(max_bytes=own.sql_bytes, max_parameters=own.params, max_statements=own.statements)
            for role, own in limits.items()
        }

    def prepare(self, query: Query, user: AuthenticatedUser) -> Steps[Prepared]:
        """Plan it, and see whether this user may.

        Raises:
            Refused: MALFORMED_MESSAGE, PERMISSION_DENIED, and all that is wrong with the text.
        """
        role = user.role
        if query.as_user is not None:
            if not role.includes(Role.SERVICE):
                raise _denied("use as_user", role, Role.SERVICE)
            role = Role.USER  # whoever it is; a name of another role is refused
        planned = yield from self._plan(query, user, role)
        if query.idempotency_key is not None and not isinstance(planned, tuple):
            message = (
                "`idempotency_key` is for SELECT, INSERT, UPDATE and DELETE: send the statement without it"
                " - at `$.idempotency_key`"
            )
            raise Refused(ErrorCode.MALFORMED_MESSAGE, message)
        if isinstance(planned, Definition):
            return self._prepare_definition(planned, query, user)
        if isinstance(planned, AccountStatement):
            if query.as_user is not None:
                raise _not_for_others("statements about users")
            return Prepared(Access.ALONE, query, user, about_user=planned)
        account = None if query.as_user is None else self._known_account(query.as_user)
        # With a key its results are written, whatever it does.
        is_write = query.idempotency_key is not None or any(statement.plan.is_write for statement in planned)
        # While an account is looked up nothing must overtake.
        is_sure = query.as_user is None or account is not None
        access = Access.ALONE if not is_sure else Access.WRITE if is_write else Access.READ
        return Prepared(access, query, user, planned, account=account)

    def _plan(self, query: Query, user: AuthenticatedUser, role: Role) -> Steps[tuple[Planned, ...] | Standalone]:
        texts = _Texts(self._catalog(), self._planners[user.role].budget(), {})
        if query.statements is None:
            return (yield from self._plan_text(query.sql or "", query.params or (), user, role, texts))
        limit = self._limits[user.role].statements
        if len(query.statements) > limit:
            message = (
                f"A request has at most {limit} statements, and this one has {len(query.statements)} (statements)."
            )
            raise Refused(ErrorCode.LIMIT_EXCEEDED, message)
        planned: list[Planned] = []
        for index, statement in enumerate(query.statements):
            try:
                found = yield from self._plan_one(statement, user, role, texts, is_alone=len(query.statements) == 1)
            except Refused as refused:
                refused.statement = index
                raise
            if isinstance(found, Standalone):
                return found
            planned.append(found)
        return tuple(planned)

    def _plan_one(
        self, statement: Statement, user: AuthenticatedUser, role: Role, texts: _Texts, *, is_alone: bool
    ) -> Steps[Planned | Standalone]:
        planned = yield from self._plan_text(statement.sql, statement.params or (), user, role, texts)
        if isinstance(planned, Standalone):
            if not is_alone:
                raise Refused(ErrorCode.UNSUPPORTED_SQL, not_alone(planned))
            return planned
        if len(planned) != 1:
            raise Refused(ErrorCode.INVALID_SQL, "Each member of `statements` holds one statement.")
        return planned[0]

    def _plan_text(
        self, text: str, parameters: Sequence[Parameter], user: AuthenticatedUser, role: Role, texts: _Texts
    ) -> Steps[tuple[Planned, ...] | Standalone]:
        limit = self._limits[user.role].params
        if len(parameters) > limit:
            message = f"A statement has at most {limit} parameters, and {len(parameters)} are given (params)."
            raise Refused(ErrorCode.LIMIT_EXCEEDED, message)
        plans = texts.plans.get(text)
        if plans is None:
            try:
                plans = texts.plans[text] = yield from self._planners[user.role].plan(
                    text, catalog=texts.catalog, namespace=DEFAULT_NAMESPACE, role=role, budget=texts.budget
                )
            except SqlFault as fault:
                raise to_refused(fault, text) from None
        count = max(plan.parameters for plan in plans) if isinstance(plans, tuple) else 0
        if count != len(parameters):
            taken, given = _counted(count, "parameter"), "is" if len(parameters) == 1 else "are"
            message = f"The text takes {taken}, and {len(parameters)} {given} given."
            raise Refused(ErrorCode.INVALID_PARAMS, message)
        return tuple(Planned(plan, text, parameters) for plan in plans) if isinstance(plans, tuple) else plans

    def _prepare_definition(self, definition: Definition, query: Query, user: AuthenticatedUser) -> Prepared:
        what, needed = _WHO_DEFINES[type(definition)]
        if query.as_user is not None:
            raise _not_for_others(what)
        if not user.role.includes(needed):
            raise _denied(what, user.role, needed)
        return Prepared(Access.ALONE, query, user, definition=definition)


def _text(query: Query) -> str:
    return query.statements[0].sql if query.statements else query.sql or ""


def to_refused(fault: SqlFault, text: str) -> Refused:
    """The fault as it is told, with its place in the text."""
    refused = Refused(fault.code, fault.message)
    refused.statement = fault.statement
    if (place := fault.place(text)) is not None:
        refused.line, refused.column = place
    return refused


def _not_for_others(what: str) -> Refused:
    message = f"as_user is for SELECT, INSERT, UPDATE and DELETE: send {what} without it."
    return Refused(ErrorCode.PERMISSION_DENIED, message)


def _denied(what: str, role: Role, needed: Role) -> Refused:
    message = f"The role {role.value} may not {what}: that takes the role {needed.value}."
    return Refused(ErrorCode.PERMISSION_DENIED, message)


def _counted(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"
