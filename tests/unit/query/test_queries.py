"""What the store is asked for a query: kinds, values, whose rows, limits; and what is refused before."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from support.accounts import MemoryAccounts, make_account
from support.audit import make_acts
from support.clock import FakeClock
from support.lives import make_user
from support.parameters import parameters
from support.scripted_store import ScriptedStore
from support.stepping import steps_of, to_end
from watchword_protocol.errors import ErrorCode
from watchword_protocol.messages import Query, Statement
from watchword_server.auth.directory import Directory
from watchword_server.config import Limits
from watchword_server.pace import Pace
from watchword_server.query.fingerprint import fingerprint
from watchword_server.query.preparation import Prepared
from watchword_server.query.queries import Queries
from watchword_server.query.results import encode_body
from watchword_server.query.work import Access
from watchword_server.refusal import Refused
from watchword_server.sql.definer import Definer
from watchword_server.sql.definition_nodes import CreateNamespace, DropTable
from watchword_server.sql.nodes import TableName
from watchword_server.sql.store import Once
from watchword_server.user import Role

LIMITS = {
    role: Limits(rows=10 + place, read_time_ms=100 + place, write_time_ms=50 + place, kept_bytes=9_000 + place)
    for place, role in enumerate(Role)
}


def make_queries(store: ScriptedStore | None = None) -> tuple[Queries, Directory]:
    accounts = MemoryAccounts(make_account("ada"), make_account("cleo", role=Role.DBA))
    directory = Directory(accounts)
    clock = FakeClock(wall=1_800_000_000.25)
    return Queries(
        store or ScriptedStore(), directory, LIMITS, clock, Pace(clock.monotonic), make_acts(accounts)
    ), directory


def prepare(sql: str, *params: Any, role: Role = Role.DBA, **members: Any) -> Prepared:
    query = Query(sql=sql, params=parameters(*params), **members)
    return to_end(make_queries()[0].prepare(query, make_user(role=role)))


def prepare_all(statements: list[Statement]) -> Prepared:
    return to_end(make_queries()[0].prepare(Query(statements=statements), make_user()))


@pytest.mark.parametrize(
    ("sql", "access"),
    [
        ("SELECT 1", Access.READ),
        ("SELECT 'insert into'; SELECT body FROM app.notes", Access.READ),
        ("DELETE FROM app.notes", Access.WRITE),
        ("SELECT 1; INSERT INTO app.notes VALUES (1, 'x'); SELECT 2", Access.WRITE),
        ("CREATE NAMESPACE more", Access.ALONE),
        ("DROP TABLE app.notes", Access.ALONE),
    ],
)
def test_what_a_query_may_run_beside_depends_on_what_it_does(sql: str, access: Access) -> None:
    assert prepare(sql).access is access


def test_the_different_texts_of_a_request_are_bounded_together() -> None:
    """Planning holds the loop."""
    texts = [f"SELECT {number} WHERE {' AND '.join(['1=1'] * 1500)}" for number in range(3)]
    with pytest.raises(Refused) as refusal:
        prepare_all([Statement(text) for text in texts])
    assert (refusal.value.code, refusal.value.statement) == (ErrorCode.LIMIT_EXCEEDED, 2)
    assert len(prepare_all([Statement(texts[0])] * 100).statements) == 100


def test_a_text_is_planned_once_in_a_request_even_if_it_is_too_large_to_be_remembered() -> None:
    text = f"SELECT 1 IN({', '.join(f'{number}.1' for number in range(1_800))})"
    first, second = prepare_all([Statement(text)] * 2).statements
    assert first.plan is second.plan


@pytest.mark.parametrize(
    ("texts", "steps"),
    [(["SELECT $1::int"], 4), (["SELECT $1::int"] * 3, 6), (["SELECT $1::int", "SELECT -$1::int"] * 2, 10)],
)
def test_a_text_takes_four_steps_and_the_values_of_each_further_statement_one(texts: list[str], steps: int) -> None:
    query = Query(statements=[Statement(text, parameters(number)) for number, text in enumerate(texts)])
    count, prepared = steps_of(make_queries()[0].prepare(query, make_user()))
    assert count == steps
    assert [values for _, values in prepared.bound or ()] == [[number] for number in range(len(texts))]


async def test_nothing_overtakes_a_query_whose_user_must_be_looked_up() -> None:
    queries, directory = make_queries()
    query, service = Query(sql="SELECT 1", as_user="ada"), make_user("serge", role=Role.SERVICE)
    assert to_end(queries.prepare(query, service)).access is Access.ALONE
    await directory.find("ada")
    assert to_end(queries.prepare(query, service)).access is Access.READ


async def test_the_store_is_asked_with_values_in_stored_form_for_the_user_who_asks() -> None:
    store = ScriptedStore()
    queries, _ = make_queries(store)
    query = Query(sql="INSERT INTO app.notes VALUES ($1, $2); SELECT now(), current_user", params=parameters(7, "x"))
    results = await queries.run(to_end(queries.prepare(query, make_user("bob"))))
    (transaction,) = store.writes
    assert not store.reads
    assert (transaction.user_id, transaction.time_ms, transaction.rows) == ("u_bob", 50, 10)
    (_, first), (_, second) = transaction.statements
    assert {7, "x", "u_bob"} <= set(first)
    assert set(second) == {1_800_000_000_250_000, "bob"}
    assert (results.as_user, len(results.results)) == ("bob", 2)
    assert not isinstance(results.results, Raw)
    assert [column.name for column in results.results[1].columns] == ["now", "current_user"]


async def test_under_as_user_rows_and_name_are_the_users_while_turn_and_limits_stay_the_services() -> None:
    store = ScriptedStore()
    queries, _ = make_queries(store)
    query = Query(sql="SELECT body, current_user FROM app.notes", as_user="ada")
    results = await queries.run(to_end(queries.prepare(query, make_user("serge", role=Role.SERVICE))))
    (transaction,) = store.reads
    ((_, values),) = transaction.statements
    assert set(values) == {"u_ada", "ada"}
    assert (transaction.user_id, transaction.time_ms, transaction.rows, results.as_user) == ("u_serge", 101, 11, "ada")


@pytest.mark.parametrize(
    ("sql", "timeout_ms", "time_ms", "time_limit"),
    [
        ("SELECT 1", None, 100, "read_time_ms"),
        ("SELECT 1", 7, 7, "timeout_ms"),
        ("SELECT 1", 100, 100, "read_time_ms"),
        ("SELECT 1", 101, 100, "read_time_ms"),
        ("DELETE FROM app.notes", None, 50, "write_time_ms"),
        ("SELECT 1; DELETE FROM app.notes", 51, 50, "write_time_ms"),
        ("DELETE FROM app.notes", 7, 7, "timeout_ms"),
    ],
)
async def test_a_timeout_only_shortens(sql: str, timeout_ms: int | None, time_ms: int, time_limit: str) -> None:
    store = ScriptedStore()
    queries, _ = make_queries(store)
    await queries.run(to_end(queries.prepare(Query(sql=sql, timeout_ms=timeout_ms), make_user())))
    [transaction] = store.reads + store.writes
    assert (transaction.time_ms, transaction.time_limit) == (time_ms, time_limit)


@pytest.mark.parametrize("sql", ["SELECT body FROM app.notes", "DELETE FROM app.notes"])
async def test_with_a_key_it_is_a_write_of_who_asks_that_happens_once(sql: str) -> None:
    store = ScriptedStore()
    queries, directory = make_queries(store)
    await directory.find("ada")
    query = Query(sql=sql, as_user="ada", idempotency_key="k-1")
    prepared = to_end(queries.prepare(query, make_user("serge", role=Role.SERVICE)))
    assert prepared.access is Access.WRITE
    results = await queries.run(prepared)
    (once,) = store.writes
    assert isinstance(once, Once)
    assert (once.user_id, once.key, once.fingerprint) == ("u_serge", "k-1", fingerprint(query))
    assert (once.time_ms, once.at, once.kept_bytes) == (51, 1_800_000_000.25, 9_001)
    assert isinstance(results.results, Raw)
    told = msgspec.json.decode(encode_body(results))
    assert [(each["rows"], each["as_user"]) for each in told["results"]] == [([[1]], "ada")]


async def test_a_definition_goes_to_the_store_with_who_wants_it() -> None:
    store = ScriptedStore()
    queries, _ = make_queries(store)
    for sql in ("CREATE NAMESPACE more", "DROP TABLE IF EXISTS missing"):
        await queries.run(to_end(queries.prepare(Query(sql=sql), make_user("cleo", role=Role.DBA))))
    cleo = Definer("u_cleo", Role.DBA)
    assert store.definitions == [
        (CreateNamespace("more"), cleo),
        (DropTable(TableName(None, "missing"), if_exists=True), cleo),
    ]


@pytest.mark.parametrize(
    ("role", "sql", "needed"),
    [
        (Role.USER, "CREATE NAMESPACE more", "dba"),
        (Role.SERVICE, "CREATE NAMESPACE more", "dba"),
        (Role.DBA, "CREATE NAMESPACE more", None),
        (Role.SYSTEM, "CREATE NAMESPACE more", None),
        (Role.USER, "CREATE TABLE app.more (id INT PRIMARY KEY)", "service"),
        (Role.SERVICE, "CREATE TABLE app.more (id INT PRIMARY KEY)", None),
        (Role.USER, "DROP TABLE app.notes", "service"),
        (Role.USER, "DROP TABLE app.nowhere", "service"),
        (Role.SERVICE, "DROP TABLE app.notes", None),
        (Role.SERVICE, "DROP NAMESPACE app", "dba"),
        (Role.USER, "DROP NAMESPACE IF EXISTS app", "dba"),
        (Role.USER, "CREATE TABLE IF NOT EXISTS app.notes (id INT PRIMARY KEY)", "service"),
        (Role.USER, "ALTER TABLE IF EXISTS app.notes ADD n INT", "service"),
        (Role.USER, "CREATE INDEX ON app.notes (id)", "service"),
        (Role.USER, "DROP INDEX IF EXISTS app.nothing", "service"),
        (Role.SERVICE, "ALTER TABLE app.notes ADD n INT", None),
        (Role.SERVICE, "CREATE INDEX ON app.notes (id)", None),
        (Role.SERVICE, "DROP INDEX app.nothing", None),
    ],
)
def test_who_may_define(role: Role, sql: str, needed: str | None) -> None:
    if needed is None:
        assert prepare(sql, role=role).definition is not None
        return
    with pytest.raises(Refused) as refused:
        prepare(sql, role=role)
    assert refused.value.code is ErrorCode.PERMISSION_DENIED
    assert refused.value.message.startswith(f"The role {role.value} may not {' '.join(sql.split()[:2])}:")
    assert refused.value.message.endswith(f"that takes the role {needed}.")


@pytest.mark.parametrize(
    ("members", "code", "words"),
    [
        ({"sql": "SELECT * FROM notes"}, ErrorCode.NOT_FOUND, '"default.notes"'),
        ({"sql": "CREATE NAMESPACE $1", "params": ["x"]}, ErrorCode.INVALID_SQL, ""),
        ({"sql": "CREATE NAMESPACE x", "params": ["x"]}, ErrorCode.INVALID_PARAMS, "no parameters, and 1 is given"),
        ({"sql": "SELECT $2::int", "params": [1]}, ErrorCode.INVALID_PARAMS, "2 parameters, and 1 is given"),
        ({"sql": "CREATE NAMESPACE x", "idempotency_key": "k"}, ErrorCode.MALFORMED_MESSAGE, "$.idempotency_key"),
        ({"sql": ""}, ErrorCode.INVALID_SQL, ""),
        ({"sql": " ; "}, ErrorCode.INVALID_SQL, ""),
        ({"statements": [Statement("")]}, ErrorCode.INVALID_SQL, ""),
    ],
)
def test_what_is_refused_before_it_runs(members: dict[str, Any], code: ErrorCode, words: str) -> None:
    with pytest.raises(Refused) as refused:
        to_end(make_queries()[0].prepare(Query(**members), make_user(role=Role.DBA)))
    assert refused.value.code is code
    assert words in refused.value.message


async def test_a_place_at_the_limit_of_one_user_is_free_again_after_a_failure() -> None:
    store = ScriptedStore(Refused(ErrorCode.STORAGE_UNAVAILABLE))
    queries, _ = make_queries(store)
    prepared = to_end(queries.prepare(Query(sql="SELECT 1"), make_user()))
    for _ in range(2 * LIMITS[Role.USER].statements_per_user):
        with pytest.raises(Refused) as refused:
            await queries.run(prepared)
        assert refused.value.code is ErrorCode.STORAGE_UNAVAILABLE
    assert not len(queries._places)


async def test_a_query_keeps_its_place_until_its_answer_is_taken() -> None:
    queries, _ = make_queries()
    ada, bob = (to_end(queries.prepare(Query(sql="SELECT 1"), make_user(name))) for name in ("ada", "bob"))
    results = [await queries.run(ada) for _ in range(LIMITS[Role.USER].statements_per_user)]
    with pytest.raises(Refused, match="statements_per_user"):
        await queries.run(ada)
    await queries.run(bob)
    for _ in range(2):
        results[0].place.leave()
    await queries.run(ada)
    with pytest.raises(Refused, match="statements_per_user"):
        await queries.run(ada)
