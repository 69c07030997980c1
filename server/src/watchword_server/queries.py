"""What becomes of a query: message -> plans -> who may -> values and limits -> store -> results."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from watchword_protocol.errors import ErrorCode
from watchword_protocol.messages import Query, Statement
from watchword_server.auth.account import Account
from watchword_server.auth.directory import Directory
from watchword_server.config import Limits
from watchword_server.ports import Clock
from watchword_server.refusal import Refused
from watchword_server.results import Result, Results
from watchword_server.sql.catalog import Catalog
from watchword_server.sql.definitions import check_namespace, dropped_table
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.nodes import CreateNamespace, CreateTable, Definition, DropTable
from watchword_server.sql.plan import Plan, StoredValue
from watchword_server.sql.planner import Planner
from watchword_server.sql.store import Store, Transaction
from watchword_server.sql.values import bind_values
from watchword_server.user import AuthenticatedUser, Role
from watchword_server.work import Kind

__all__ = ["DEFAULT_NAMESPACE", "Prepared", "Queries"]

DEFAULT_NAMESPACE: Final = "default"
"""Where a table's name without a namespace is looked up; nothing makes it but CREATE NAMESPACE."""

_WHO_DEFINES: Final[Mapping[type, tuple[str, Role]]] = {
    CreateNamespace: ("CREATE NAMESPACE", Role.DBA),
    CreateTable: ("CREATE TABLE", Role.SERVICE),
    DropTable: ("DROP TABLE", Role.SERVICE),
}
"""What a definition is called, and the least role that may."""


class _Planned(NamedTuple):
    """One statement: its plan, the text it stands in, the parameters it shares with what else stands there."""

    plan: Plan
    text: str
    parameters: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A query that may run, as the moment found it. Either `statements` or `definition`.

    `kind`: what may run beside it. `account`: whose rows it meets, where that is somebody else and is known.
    """

    kind: Kind
    query: Query
    user: AuthenticatedUser
    statements: tuple[_Planned, ...] = ()
    definition: Definition | None = None
    account: Account | None = None

    def __repr__(self) -> str:
        return f"<Prepared {self.kind.value} for {self.user.name}: {self.definition or list(self.statements)}>"


class Queries:
    """Runs queries of authenticated users.

    Args:
        store: Where tables are.
        directory: Users, for `as_user`.
        limits: What one statement may take, by the role of who asks.
        clock: For NOW().
    """

    def __init__(self, store: Store, directory: Directory, limits: Mapping[Role, Limits], clock: Clock) -> None:
        self._store = store
        self._directory = directory
        self._limits = limits
        self._clock = clock
        self._running: Counter[str] = Counter()  # by user id
        self._planners = {
            role: Planner(max_bytes=own.sql_bytes, max_parameters=own.params, max_statements=own.statements)
            for role, own in limits.items()
        }

    def prepare(self, query: Query, user: AuthenticatedUser) -> Prepared:
        """Plan it, and see whether this user may.

        A prepared query should run at once: tables change. Preparing again is cheap, since plans are remembered.

        Raises:
            Refused: MALFORMED_MESSAGE, PERMISSION_DENIED, and all that is wrong with the text.
        """
        if query.idempotency_key is not None:
            raise Refused(
                ErrorCode.MALFORMED_MESSAGE,
                "`idempotency_key` is not supported yet: leave it out - at `$.idempotency_key`",
            )
        role = user.role
        if query.as_user is not None:
            if not role.includes(Role.SERVICE):
                raise _denied("use as_user", role, Role.SERVICE)
            role = Role.USER  # whoever it is; a name of another role is refused
        planned = self._plan(query, user, role)
        if isinstance(planned, Definition):
            return self._prepare_definition(planned, query, user)
        account = None if query.as_user is None else self._directory.known(query.as_user)
        is_write = any(statement.plan.is_write for statement in planned)
        # While an account is looked up nothing must overtake.
        is_sure = query.as_user is None or account is not None
        kind = Kind.ALONE if not is_sure else Kind.WRITE if is_write else Kind.READ
        return Prepared(kind, query, user, planned, account=account)

    async def run(self, prepared: Prepared) -> Results:
        """Run it: all of its statements or none.

        The calls of one task after another reach the store in their order. Cancelling: as `Store` has it.

        Raises:
            Refused: Any error of SQL.
        """
        user = prepared.user
        limit = self._limits[user.role].statements_per_user
        if self._running[user.id] >= limit:
            message = f"More than {limit} queries of one user run or wait at once (statements_per_user)."
            raise Refused(ErrorCode.LIMIT_EXCEEDED, message)
        self._running[user.id] += 1
        started_at = self._clock.monotonic()
        try:
            if prepared.definition is not None:
                results, name = [await self._define(prepared, prepared.definition)], user.name
            else:
                results, name = await self._run(prepared)
            return Results(results, name, 1_000 * (self._clock.monotonic() - started_at))
        finally:
            self._running[user.id] -= 1
            if not self._running[user.id]:
                del self._running[user.id]

    # From text to plans

    def _plan(self, query: Query, user: AuthenticatedUser, role: Role) -> tuple[_Planned, ...] | Definition:
        if query.statements is None:
            return self._plan_text(query.sql or "", query.params or (), user, role)
        limit = self._limits[user.role].statements
        if len(query.statements) > limit:
            message = (
                f"A request has at most {limit} statements, and this one has {len(query.statements)} (statements)."
            )
            raise Refused(ErrorCode.LIMIT_EXCEEDED, message)
        planned: list[_Planned] = []
        for index, statement in enumerate(query.statements):
            try:
                found = self._plan_one(statement, user, role, is_alone=len(query.statements) == 1)
            except Refused as refused:
                refused.statement = index
                raise
            if isinstance(found, Definition):
                return found
            planned.append(found)
        return tuple(planned)

    def _plan_one(
        self, statement: Statement, user: AuthenticatedUser, role: Role, *, is_alone: bool
    ) -> _Planned | Definition:
        planned = self._plan_text(statement.sql, statement.params, user, role)
        if isinstance(planned, Definition):
            if not is_alone:
                raise Refused(ErrorCode.UNSUPPORTED_SQL, "CREATE and DROP stand alone in their request.")
            return planned
        if len(planned) != 1:
            raise Refused(ErrorCode.INVALID_SQL, "Each member of `statements` holds one statement.")
        return planned[0]

    def _plan_text(
        self, text: str, parameters: Sequence[Any], user: AuthenticatedUser, role: Role
    ) -> tuple[_Planned, ...] | Definition:
        limit = self._limits[user.role].params
        if len(parameters) > limit:
            message = f"A statement has at most {limit} parameters, and {len(parameters)} are given (params)."
            raise Refused(ErrorCode.LIMIT_EXCEEDED, message)
        planner = self._planners[user.role]
        try:
            plans = planner.plan(text, catalog=self._store.catalog, namespace=DEFAULT_NAMESPACE, role=role)
        except SqlFault as fault:
            raise _refused(fault, text) from None
        count = max(plan.parameters for plan in plans) if isinstance(plans, tuple) else 0
        if count != len(parameters):
            taken, given = _counted(count, "parameter"), "is" if len(parameters) == 1 else "are"
            message = f"The text takes {taken}, and {len(parameters)} {given} given."
            raise Refused(ErrorCode.INVALID_PARAMS, message)
        return tuple(_Planned(plan, text, parameters) for plan in plans) if isinstance(plans, tuple) else plans

    def _prepare_definition(self, definition: Definition, query: Query, user: AuthenticatedUser) -> Prepared:
        what, needed = _WHO_DEFINES[type(definition)]
        if query.as_user is not None:
            message = f"as_user is for SELECT, INSERT, UPDATE and DELETE: send {what} without it."
            raise Refused(ErrorCode.PERMISSION_DENIED, message)
        if not user.role.includes(needed):
            raise _denied(what, user.role, needed)
        try:
            definition = _checked(definition, self._store.catalog)
        except SqlFault as fault:
            raise _refused(fault, _text(query)) from None
        return Prepared(Kind.ALONE, query, user, definition=definition)

    # From plans to results

    async def _define(self, prepared: Prepared, definition: Definition) -> Result:
        try:
            await self._store.define(definition, user_id=prepared.user.id)
        except SqlFault as fault:
            raise _refused(fault, _text(prepared.query)) from None
        return Result()

    async def _run(self, prepared: Prepared) -> tuple[list[Result], str]:
        user, query = prepared.user, prepared.query
        user_id, user_name = user.id, user.name
        if query.as_user is not None:
            account = prepared.account or await self._find(query.as_user)
            if account.role is not Role.USER:
                message = f"as_user names a user of the role user, and this one has the role {account.role.value}."
                raise Refused(ErrorCode.PERMISSION_DENIED, message)
            user_id, user_name = account.id, account.name
        limits = self._limits[user.role]
        now_us = round(self._clock.wall() * 1_000_000)
        bound = [
            (planned.plan, _bind(index, planned, limits, user_id=user_id, user_name=user_name, now_us=now_us))
            for index, planned in enumerate(prepared.statements)
        ]
        is_write = any(plan.is_write for plan, _ in bound)
        time_ms = limits.write_time_ms if is_write else limits.read_time_ms
        transaction = Transaction(
            bound,
            user_id=user.id,
            time_ms=min(time_ms, query.timeout_ms or time_ms),
            rows=limits.rows,
            result_bytes=limits.result_bytes,
        )
        outcomes = await (self._store.write(transaction) if is_write else self._store.read(transaction))
        results = [
            Result(plan.columns, outcome.rows, outcome.row_count)
            for (plan, _), outcome in zip(bound, outcomes, strict=True)
        ]
        return results, user_name

    async def _find(self, name: str) -> Account:
        account = await self._directory.find(name)
        if account is None or account.deleted_at is not None:
            raise Refused(ErrorCode.NOT_FOUND, "There is no user of the name in as_user.")
        return account


def _checked(definition: Definition, catalog: Catalog) -> Definition:
    """The definition with whole names, as far as the catalog of this moment has nothing against it."""
    match definition:
        case CreateNamespace():
            check_namespace(definition, catalog)
        case DropTable(table):
            dropped_table(definition, catalog, DEFAULT_NAMESPACE)
            if table.namespace is None:
                return replace(definition, table=replace(table, namespace=DEFAULT_NAMESPACE))
    return definition


def _text(query: Query) -> str:
    """Of a query that is one definition."""
    return query.statements[0].sql if query.statements else query.sql or ""


def _bind(
    index: int, planned: _Planned, limits: Limits, *, user_id: str, user_name: str, now_us: int
) -> list[StoredValue]:
    try:
        values = bind_values(planned.plan, planned.parameters, user_id=user_id, user_name=user_name, now_us=now_us)
    except SqlFault as fault:
        fault.statement = index
        raise _refused(fault, planned.text) from None
    if any(_is_larger(value, limits.value_bytes) for value in values):
        number = next(
            bind.number
            for bind, value in zip(planned.plan.binds, values, strict=True)
            if _is_larger(value, limits.value_bytes)
        )
        refused = Refused(
            ErrorCode.LIMIT_EXCEEDED, f"${number} has more than {limits.value_bytes} bytes (value_bytes)."
        )
        refused.statement = index
        raise refused
    return values


def _is_larger(value: StoredValue, limit_bytes: int) -> bool:
    match value:
        case str() if 4 * len(value) > limit_bytes:  # UTF-8 has at most four bytes a character
            return len(value.encode()) > limit_bytes
        case bytes():
            return len(value) > limit_bytes
    return False


def _refused(fault: SqlFault, text: str) -> Refused:
    refused = Refused(fault.code, fault.message)
    refused.statement = fault.statement
    if (place := fault.place(text)) is not None:
        refused.line, refused.column = place
    return refused


def _denied(what: str, role: Role, needed: Role) -> Refused:
    message = f"The role {role.value} may not {what}: that takes the role {needed.value}."
    return Refused(ErrorCode.PERMISSION_DENIED, message)


def _counted(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"
