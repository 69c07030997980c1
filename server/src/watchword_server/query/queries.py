"""What becomes of a query: message -> what may run, with its values -> store -> results."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from msgspec import Raw
from msgspec.structs import replace

from watchword_protocol.errors import ErrorCode
from watchword_protocol.messages import Query
from watchword_server.auth.account import Account
from watchword_server.auth.directory import Directory
from watchword_server.config import Limits
from watchword_server.pace import Pace
from watchword_server.ports import Clock
from watchword_server.query.acts import Acts
from watchword_server.query.fingerprint import fingerprint
from watchword_server.query.places import Places
from watchword_server.query.preparation import Bound, Planned, Preparation, Prepared, to_refused
from watchword_server.query.results import Result, Results, encode_results
from watchword_server.refusal import Refused
from watchword_server.sql.account_nodes import AccountStatement
from watchword_server.sql.definer import Definer
from watchword_server.sql.definition_nodes import Definition
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.plan import BindKind, Plan, StoredValue
from watchword_server.sql.store import Once, Outcome, Store, Transaction
from watchword_server.sql.values import bind_values
from watchword_server.steps import Steps
from watchword_server.user import AuthenticatedUser, Role

__all__ = ["Queries"]


class Queries:
    """Runs queries of authenticated users.

    Args:
        store: Where tables are.
        directory: Users, for `as_user`.
        limits: What one statement may take, by the role of who asks.
        clock: For NOW().
        pace: What holds the loop rests with it.
        acts: For statements about users, and the record of what is done.
    """

    def __init__(
        self, store: Store, directory: Directory, limits: Mapping[Role, Limits], clock: Clock, pace: Pace, acts: Acts
    ) -> None:
        self._store = store
        self._directory = directory
        self._limits = limits
        self._clock = clock
        self._pace = pace
        self._acts = acts
        self._places = Places()
        self._preparation = Preparation(lambda: store.catalog, directory.known, limits)

    def prepare(self, query: Query, user: AuthenticatedUser) -> Steps[Prepared]:
        """Plan it, see whether this user may, and bind its values, as far as it is known whose rows it meets.

        Raises:
            Refused: As `Preparation.prepare`; INVALID_PARAMS, LIMIT_EXCEEDED.
        """
        try:
            prepared = yield from self._preparation.prepare(query, user)
            if prepared.statements and (query.as_user is None or prepared.account is not None):
                prepared = yield from self._bind(prepared)
        except Refused as refused:
            if refused.code is ErrorCode.PERMISSION_DENIED:
                self._acts.denied(query, user, refused)
            raise
        return prepared

    async def run(self, prepared: Prepared) -> Results:
        """Run it: all of its statements or none. The results keep their place until they are taken.

        The calls of one task after another reach the store in their order. Cancelling: as `Store` has it.

        Raises:
            Refused: Any error of SQL.
        """
        user = prepared.user
        place = self._places.take(user.id, self._limits[user.role].statements_per_user)
        started_at = self._clock.monotonic()
        try:
            results: list[Result] | Raw
            if prepared.definition is not None:
                results, name = [await self._define(prepared, prepared.definition)], user.name
            elif prepared.about_user is not None:
                results, name = [await self._administer(prepared, prepared.about_user)], user.name
            elif prepared.query.as_user is not None:
                results, name = await self._run_for(prepared)
            else:
                results, name = await self._run(prepared)
        except BaseException:
            place.leave()
            raise
        return Results(results, name, 1_000 * (self._clock.monotonic() - started_at), place)

    async def _define(self, prepared: Prepared, definition: Definition) -> Result:
        user, text = prepared.user, prepared.text
        try:
            await self._store.define(definition, Definer(user.id, user.role))
        except Refused as refused:
            self._acts.not_defined(definition, user, text, refused.code)
            raise
        except SqlFault as fault:
            self._acts.not_defined(definition, user, text, fault.code)
            raise to_refused(fault, text) from None
        await self._acts.defined(definition, user, text)
        return Result()

    async def _administer(self, prepared: Prepared, statement: AccountStatement) -> Result:
        try:
            await self._acts.administer(statement, prepared.user)
        except SqlFault as fault:
            raise to_refused(fault, prepared.text) from None
        return Result()

    async def _run_for(self, prepared: Prepared) -> tuple[list[Result] | Raw, str]:
        try:
            done = await self._run(prepared)
        except Refused as refused:
            self._acts.acted_for(prepared.query, prepared.user, refused.code)
            raise
        self._acts.acted_for(prepared.query, prepared.user)
        return done

    async def _run(self, prepared: Prepared) -> tuple[list[Result] | Raw, str]:
        if prepared.bound is None:
            found = replace(prepared, account=await self._find(prepared.query.as_user or ""))
            prepared = await self._pace.through(prepared.user.id, self._bind(found))
        name = prepared.account.name if prepared.account else prepared.user.name
        transaction = self._transaction(prepared, name)
        try:
            if isinstance(transaction, Once):
                return Raw(await self._store.write_once(transaction)), name
            is_write = any(plan.is_write for plan, _ in transaction.statements)
            outcomes = await (self._store.write(transaction) if is_write else self._store.read(transaction))
        except SqlFault as fault:
            raise to_refused(fault, prepared.statements[fault.statement or 0].text) from None
        return _results(transaction.statements, outcomes), name

    def _transaction(self, prepared: Prepared, name: str) -> Transaction:
        """What the store is asked. `name`: whose rows it meets."""
        query, bound = prepared.query, prepared.bound or ()
        limits = self._limits[prepared.user.role]
        make: Callable[..., Transaction] = Transaction
        if query.idempotency_key is not None:
            make = partial(
                Once,
                key=query.idempotency_key,
                fingerprint=fingerprint(query),
                at=self._clock.wall(),
                encode=partial(_encode, bound, name),
                kept_bytes=limits.kept_bytes,
            )
        is_write = query.idempotency_key is not None or any(plan.is_write for plan, _ in bound)
        time_ms, time_limit = (
            (limits.write_time_ms, "write_time_ms") if is_write else (limits.read_time_ms, "read_time_ms")
        )
        if query.timeout_ms is not None and query.timeout_ms < time_ms:
            time_ms, time_limit = query.timeout_ms, "timeout_ms"
        return make(
            bound,
            user_id=prepared.user.id,
            time_ms=time_ms,
            time_limit=time_limit,
            rows=limits.rows,
            result_bytes=limits.result_bytes,
        )

    async def _find(self, name: str) -> Account:
        account = await self._directory.find(name)
        if account is None or account.deleted_at is not None:
            raise Refused(ErrorCode.NOT_FOUND, "There is no user of the name in as_user.")
        return account

    def _bind(self, prepared: Prepared) -> Steps[Prepared]:
        """A step for each statement."""
        user, account = prepared.user, prepared.account
        if account is not None and account.role is not Role.USER:
            message = f"as_user names a user of the role user, and this one has the role {account.role.value}."
            raise Refused(ErrorCode.PERMISSION_DENIED, message)
        whose = account or user
        limits = self._limits[user.role]
        now_us = round(self._clock.wall() * 1_000_000)
        bound: list[tuple[Plan, list[StoredValue]]] = []
        for index, planned in enumerate(prepared.statements):
            if index:
                yield
            values = _bind(index, planned, limits, user_id=whose.id, user_name=whose.name, now_us=now_us)
            bound.append((planned.plan, values))
        return replace(prepared, bound=bound)


def _results(bound: Bound, outcomes: Sequence[Outcome]) -> list[Result]:
    return [
        Result(plan.columns, outcome.rows, outcome.row_count)
        for (plan, _), outcome in zip(bound, outcomes, strict=True)
    ]


def _encode(bound: Bound, as_user: str, outcomes: Sequence[Outcome]) -> bytes:
    return encode_results(_results(bound, outcomes), as_user)


def _bind(
    index: int, planned: Planned, limits: Limits, *, user_id: str, user_name: str, now_us: int
) -> list[StoredValue]:
    try:
        values = bind_values(planned.plan, planned.parameters, user_id=user_id, user_name=user_name, now_us=now_us)
    except SqlFault as fault:
        fault.statement = index
        raise to_refused(fault, planned.text) from None
    for bind, value in zip(planned.plan.binds, values, strict=True):
        if bind.kind is BindKind.PARAMETER and _is_larger(value, limits.value_bytes):
            message = f"${bind.number} has more than {limits.value_bytes} bytes (value_bytes)."
            refused = Refused(ErrorCode.LIMIT_EXCEEDED, message)
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
