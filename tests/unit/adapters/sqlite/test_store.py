"""What every store promises: one suite for the one in SQLite and for the fake."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from support.plans import (
    ADD,
    CREATE_APP,
    CREATE_NOTES,
    CREATE_PRICES,
    DROP_NOTES,
    FIND,
    FUNCTIONS,
    LIST,
    NEXT,
    NOTES,
    PRICES,
    ROOT,
    RUNAWAY_READ,
    RUNAWAY_WRITE,
    definition_of,
    make_plan,
    once,
    request,
)
from support.store import MemoryStore
from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.database import open_database
from watchword_server.adapters.sqlite.store import open_store
from watchword_server.refusal import Refused
from watchword_server.sql.catalog import Table, TableType
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.plan import Plan
from watchword_server.sql.store import KEPT_S, Store, StoredValue
from watchword_server.sql.types import SqlType

VALUE_BYTES = 10_000
SETTINGS: Any = {
    "converters": {SqlType.BYTES: lambda value: base64.b64encode(value).decode()},
    "value_bytes": VALUE_BYTES,
    "functions": FUNCTIONS,
}


@pytest.fixture(params=["sqlite", "memory"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "memory":
        fake = MemoryStore(**SETTINGS)
        yield fake
        await fake.close()
        return
    async with (
        await open_database(tmp_path / "watchword.db", synchronous="off") as database,
        await open_store(database, **SETTINGS) as real,
    ):
        yield real


@pytest.fixture
async def app(store: Store) -> Store:
    """With `app.notes` and `app.prices`."""
    for definition in (CREATE_APP, CREATE_NOTES, CREATE_PRICES):
        await store.define(definition, ROOT)
    return store


async def read(store: Store, plan: Plan, *values: StoredValue, **limits: int) -> Any:
    [outcome] = await store.read(request((plan, values), **limits))  # type: ignore[arg-type]  # limits are ints
    rows = orjson.loads(outcome.rows)
    assert outcome.row_count == len(rows)
    return rows


async def write(store: Store, plan: Plan, *values: StoredValue) -> tuple[Any, int]:
    [outcome] = await store.write(request((plan, values)))
    return orjson.loads(outcome.rows), outcome.row_count


# --- the catalog ------------------------------------------------------------------------------------------


async def test_definitions_show_in_the_catalog_and_each_makes_a_new_one(store: Store) -> None:
    empty = store.catalog
    assert not empty.namespaces
    assert not empty.tables
    await store.define(CREATE_APP, ROOT)
    await store.define(CREATE_NOTES, ROOT)
    assert store.catalog.namespaces == {"app"}
    assert store.catalog.find("app", "notes") == NOTES
    assert store.catalog.version == empty.version + 2
    assert empty.find("app", "notes") is None
    await store.define(DROP_NOTES, ROOT)
    assert store.catalog.find("app", "notes") is None
    assert store.catalog.version == empty.version + 3


@pytest.mark.parametrize(
    ("sql", "code", "word"),
    [
        ("CREATE NAMESPACE app", ErrorCode.ALREADY_EXISTS, 'namespace "app" exists'),
        ("CREATE USER TABLE app.notes (a INT PRIMARY KEY)", ErrorCode.ALREADY_EXISTS, 'table "app.notes" exists'),
        ("CREATE USER TABLE shop.things (a INT PRIMARY KEY)", ErrorCode.NOT_FOUND, 'no namespace "shop"'),
        ('CREATE USER TABLE app."a.b" (a INT PRIMARY KEY)', ErrorCode.INVALID_SQL, "no dot"),
        ('CREATE NAMESPACE "a.b"', ErrorCode.INVALID_SQL, "no dot"),
        ("DROP TABLE app.things", ErrorCode.NOT_FOUND, 'no table "app.things"'),
    ],
)
async def test_a_definition_that_does_not_fit_changes_nothing(app: Store, sql: str, code: ErrorCode, word: str) -> None:
    before = app.catalog
    with pytest.raises(SqlFault, match=word) as refusal:
        await app.define(definition_of(sql), ROOT)
    assert refusal.value.code is code
    assert app.catalog is before


async def test_a_definition_that_is_wrong_in_itself_says_where(app: Store) -> None:
    with pytest.raises(SqlFault) as fault:
        await app.define(definition_of("CREATE USER TABLE app.wrong (a INT)"), ROOT)
    assert fault.value.at == 18


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE NAMESPACE IF NOT EXISTS app",
        "CREATE USER TABLE IF NOT EXISTS app.notes (a INT PRIMARY KEY)",
        "DROP TABLE IF EXISTS app.things",
        "ALTER TABLE IF EXISTS app.things ADD a INT",
        "ALTER TABLE app.notes ADD COLUMN IF NOT EXISTS title TEXT",
        "ALTER TABLE app.notes DROP COLUMN IF EXISTS text",
        "ALTER TABLE app.notes DROP CONSTRAINT IF EXISTS text",
        "ALTER TABLE app.prices SET ACCESS_LEVEL 'public'",
        "DROP INDEX IF EXISTS app.things",
        "DROP NAMESPACE IF EXISTS shop",
    ],
)
async def test_what_is_so_already_is_left_as_it_is(app: Store, sql: str) -> None:
    before = app.catalog
    await app.define(definition_of(sql), ROOT)
    assert app.catalog is before


async def test_a_table_made_anew_is_found_by_every_reader(app: Store) -> None:
    """However old the schema is that a connection has in mind."""

    async def read_all() -> list[bytes]:
        table = app.catalog.find("app", "notes")
        assert table is not None
        reads = [app.read(request((_of(FIND, table), ("ada", 1)), user=f"u{number}")) for number in range(8)]
        return [outcome.rows for [outcome] in await asyncio.gather(*reads)]

    assert await read_all() == [b"[]"] * 8
    for definition in (DROP_NOTES, definition_of("DROP TABLE app.prices"), CREATE_PRICES, CREATE_NOTES):
        await app.define(definition, ROOT)
    assert await read_all() == [b"[]"] * 8


async def test_the_id_of_a_dropped_table_is_never_used_again(app: Store) -> None:
    await app.define(definition_of("DROP TABLE app.prices"), ROOT)
    await app.define(CREATE_PRICES, ROOT)
    table = app.catalog.find("app", "prices")
    assert table is not None
    assert table.id > PRICES.id


@pytest.mark.parametrize("again", [False, True])
async def test_a_plan_for_a_dropped_table_never_runs_on_another_of_its_name(app: Store, again: bool) -> None:
    """Else a plan without a scope, made for a shared table, would show the rows of a user table."""
    await write(app, ADD, "ada", 1, "hers")
    await app.define(DROP_NOTES, ROOT)
    if again:
        await app.define(CREATE_NOTES, ROOT)
    for ask in (app.read(request((FIND, ("ada", 1)))), app.write(request((ADD, ("ada", 2, "new"))))):
        with pytest.raises(Refused, match="dropped") as refusal:
            await ask
        assert refusal.value.code is ErrorCode.NOT_FOUND
    if again:
        table = app.catalog.find("app", "notes")
        assert table is not None
        assert await read(app, _of(LIST, table), "ada") == []


def _of(plan: Plan, table: Table) -> Plan:
    return Plan(plan.text, (), plan.columns, plan.permissions, frozenset({table.id}), 0, plan.is_write)


# --- rows -------------------------------------------------------------------------------------------------


async def test_a_write_is_there_for_the_next_read(app: Store) -> None:
    assert await write(app, ADD, "ada", 7, "böse \U0001f600") == ([[7]], 1)
    assert await read(app, FIND, "ada", 7) == [["böse \U0001f600"]]
    assert await read(app, FIND, "bob", 7) == []


async def test_row_count_is_rows_affected_where_none_are_returned(app: Store) -> None:
    await write(app, ADD, "ada", 1, "a")
    await write(app, ADD, "ada", 2, "b")
    await write(app, ADD, "bob", 3, "c")
    delete = make_plan('DELETE FROM main."app.notes" WHERE "_owner" = ?1', reads=["_owner"], deletes=True)
    assert await write(app, delete, "ada") == ([], 2)
    assert await write(app, delete, "ada") == ([], 0)


async def test_values_are_encoded_by_their_types_converter_and_null_by_none(app: Store) -> None:
    plan = make_plan(
        'INSERT INTO main."app.notes" ("_owner", "id", "title", "body") VALUES (?1, ?2, ?3, ?4) RETURNING "body", "id"',
        columns=[("body", SqlType.BYTES), ("id", SqlType.BIGINT)],
        reads=["body", "id"],
        inserts=True,
    )
    assert (await write(app, plan, "ada", 1, "t", b"\x00\xff"))[0] == [["AP8=", 1]]
    assert (await write(app, plan, "ada", 2, "t", None))[0] == [[None, 2]]


async def test_what_is_missing_is_the_default(app: Store) -> None:
    plan = make_plan('INSERT INTO main."app.notes" ("_owner", "id") VALUES (?1, ?2)', inserts=True)
    await write(app, plan, "ada", 1)
    assert await read(app, LIST, "ada") == [[1, "it's untitled"]]


async def test_statements_of_one_request_see_each_other_and_happen_together(app: Store) -> None:
    outcomes = await app.write(request((ADD, ("ada", 1, "a")), (LIST, ("ada",)), (ADD, ("ada", 2, "b"))))
    assert [orjson.loads(outcome.rows) for outcome in outcomes] == [[[1]], [[1, "a"]], [[2]]]


@pytest.mark.parametrize("failing", [0, 1, 2])
async def test_when_one_statement_fails_its_index_is_told_and_nothing_happened(app: Store, failing: int) -> None:
    await write(app, ADD, "ada", 1, "there")
    statements = [(ADD, ("ada", number + 10, "new")) for number in range(3)]
    statements[failing] = (ADD, ("ada", 1, "again"))
    with pytest.raises(Refused) as refusal:
        await app.write(request(*statements))
    assert refusal.value.statement == failing
    assert await read(app, LIST, "ada") == [[1, "there"]]


async def test_the_same_text_with_other_columns_is_encoded_anew(app: Store) -> None:
    for type_, expected in ((SqlType.TEXT, "x"), (SqlType.BYTES, "AP8=")):
        plan = make_plan("SELECT ?1", columns=[("v", type_)])
        assert await read(app, plan, "x" if type_ is SqlType.TEXT else b"\x00\xff") == [[expected]]


# --- refusals ---------------------------------------------------------------------------------------------

SET = make_plan('INSERT INTO main."app.notes" ("_owner", "id", "title", "stars") VALUES (?1, ?2, ?3, ?4)', inserts=True)
PRICE = make_plan('INSERT INTO main."app.prices" ("id", "price") VALUES (?1, ?2)', inserts=True, table=PRICES)
CALLS = ["ww_complain", "replace", "like", "sum", "abs"]
BIG = "x" * (VALUE_BYTES + 1)
HALF = "x" * (VALUE_BYTES // 2)
PAIR = make_plan('INSERT INTO main."app.notes" ("_owner", "id", "title", "body") VALUES (?1, ?2, ?3, ?4)', inserts=True)


def ask(expression: str) -> Plan:
    return make_plan(f"SELECT {expression}", columns=[("v", SqlType.TEXT)], functions=CALLS)


@pytest.mark.parametrize(
    ("plan", "values", "code", "words"),
    [
        (SET, ("ada", 1, "t", 1), ErrorCode.CONSTRAINT_VIOLATION, ["primary key (id)", "app.notes"]),
        (PRICE, (1, 2.5), ErrorCode.CONSTRAINT_VIOLATION, ["primary key (id)", "app.prices"]),
        (PRICE, (None, 2.5), ErrorCode.CONSTRAINT_VIOLATION, ["app.prices.id", "NOT NULL"]),
        (SET, ("ada", 2, None, 1), ErrorCode.CONSTRAINT_VIOLATION, ["app.notes.title", "NOT NULL"]),
        (SET, ("ada", 2, "t", 40_000), ErrorCode.TYPE_MISMATCH, ["app.notes.stars", "smallint"]),
        (SET, ("ada", 2, "a\0b", 1), ErrorCode.TYPE_MISMATCH, ["app.notes.title", "text"]),
        (SET, ("ada", 2, "t", "many"), ErrorCode.TYPE_MISMATCH, ["app.notes.stars", "smallint"]),
        (SET, ("ada", "two", "t", 1), ErrorCode.TYPE_MISMATCH, ["app.notes.id", "bigint"]),
        (PRICE, (2, float("inf")), ErrorCode.TYPE_MISMATCH, ["app.prices.price", "double precision"]),
        (SET, ("ada", 2**63, "t", 1), ErrorCode.TYPE_MISMATCH, ["64 bits"]),
        (SET, ("ada", 2, "\ud800", 1), ErrorCode.TYPE_MISMATCH, ["Unicode"]),
        (SET, (None, 2, "t", 1), ErrorCode.CONSTRAINT_VIOLATION, ["A column of app.notes"]),
        (SET, ("ada", 2, BIG, 1), ErrorCode.LIMIT_EXCEEDED, ["value_bytes", str(VALUE_BYTES)]),
        (SET, ("ada", 2, BIG[1:], 1), ErrorCode.LIMIT_EXCEEDED, ["a row as a whole", str(VALUE_BYTES)]),
        (PAIR, ("ada", 2, HALF, HALF.encode()), ErrorCode.LIMIT_EXCEEDED, ["a row as a whole", str(VALUE_BYTES)]),
        (ask("?1 || 'x'"), (BIG[1:],), ErrorCode.LIMIT_EXCEEDED, ["value_bytes"]),
        (ask("replace('xxxxxxxxxx', 'x', ?1)"), ("y" * 2_000,), ErrorCode.LIMIT_EXCEEDED, ["value_bytes"]),
        (ask("'a' LIKE ?1"), ("%" * 300,), ErrorCode.LIMIT_EXCEEDED, ["pattern_bytes"]),
        (ask("abs(?1)"), (-(2**63),), ErrorCode.TYPE_MISMATCH, ["bigint"]),
        (ask("sum(a) FROM (VALUES (?1), (?1)) AS v(a)".replace("a)", "column1)", 1).replace("AS v(a)", "AS v")),
         (2**63 - 1,), ErrorCode.TYPE_MISMATCH, ["bigint"]),
        (ask("ww_complain(1)"), (), ErrorCode.TYPE_MISMATCH, ["Division by zero."]),
        (ask(", ".join(["1"] * 600)), (), ErrorCode.LIMIT_EXCEEDED, ["columns"]),
        (ask("(" * 200 + "1" + ")" * 200), (), ErrorCode.LIMIT_EXCEEDED, ["nesting"]),
        (ask("1" + " + 1" * 2_000), (), ErrorCode.LIMIT_EXCEEDED, ["nesting"]),
        (ask("'" + "x" * 17_000_000 + "'"), (), ErrorCode.LIMIT_EXCEEDED, ["sql_bytes"]),
    ],
)  # fmt: skip
async def test_faults_are_rows_of_the_error_table_that_name_what_users_know(
    app: Store, plan: Plan, values: tuple[StoredValue, ...], code: ErrorCode, words: list[str]
) -> None:
    await write(app, SET, "ada", 1, "there", 1)
    await write(app, PRICE, 1, 1.5)
    with pytest.raises((Refused, SqlFault)) as caught:
        await app.write(request((plan, values)))
    refusal = caught.value
    assert isinstance(refusal, (Refused, SqlFault))
    assert refusal.code is code
    assert refusal.statement == 0
    for word in words:
        assert word in refusal.message
    for secret in ("_owner", "main.", '"', "sqlite", "SELECT", "INSERT", "watchword.db"):
        assert secret not in refusal.message
    assert await read(app, LIST, "ada") == [[1, "there"]]


async def test_a_fault_of_ours_is_not_dressed_up_as_the_users(app: Store) -> None:
    stumble = make_plan("SELECT ww_stumble(1)", columns=[("v", SqlType.TEXT)], functions=["ww_stumble"])
    nonsense = make_plan("SELECT nowhere", columns=[("v", SqlType.TEXT)])
    for plan in (stumble, nonsense):
        for call in (app.read, app.write):
            with pytest.raises(RuntimeError, match="a statement failed"):
                await call(request((plan, ())))
    await write(app, ADD, "ada", 1, "goes on")


async def test_a_result_over_its_rows_or_bytes_is_refused_naming_the_limit(app: Store) -> None:
    for number in range(4):
        await write(app, ADD, "ada", number, "x" * 100)
    assert len(await read(app, LIST, "ada", rows=4)) == 4
    for limits, word in (({"rows": 3}, "3 rows"), ({"result_bytes": 300}, "300 bytes"), ({"result_bytes": 420}, "420")):
        with pytest.raises(Refused, match=word) as refusal:
            await read(app, LIST, "ada", **limits)
        assert refusal.value.code is ErrorCode.RESULT_TOO_LARGE
    assert len(await read(app, LIST, "ada")) == 4


async def test_the_results_of_a_request_are_limited_together(app: Store) -> None:
    await write(app, ADD, "ada", 1, "x" * 100)
    one = (LIST, ("ada",))
    assert len(await app.read(request(one, one, one, result_bytes=350))) == 3
    with pytest.raises(Refused, match="together are larger than 350 bytes") as refusal:
        await app.read(request(one, one, one, one, result_bytes=350))
    assert refusal.value.code is ErrorCode.RESULT_TOO_LARGE
    assert refusal.value.statement == 3


async def test_a_write_whose_result_is_too_large_did_not_happen(app: Store) -> None:
    rows = ", ".join(f"(?1, {number})" for number in range(10))
    plan = make_plan(
        f'INSERT INTO main."app.notes" ("_owner", "id") VALUES {rows} RETURNING "id"',
        columns=[("id", SqlType.BIGINT)],
        reads=["id"],
        inserts=True,
    )
    with pytest.raises(Refused) as refusal:
        await app.write(request((plan, ("ada",)), rows=9))
    assert refusal.value.code is ErrorCode.RESULT_TOO_LARGE
    assert await read(app, LIST, "ada") == []


@pytest.mark.parametrize("is_write", [False, True])
async def test_a_runaway_ends_at_its_time_and_leaves_nothing_behind(app: Store, is_write: bool) -> None:
    call = app.write if is_write else app.read
    plans = ((ADD, ("ada", 1, "before")), (RUNAWAY_WRITE, ("ada",))) if is_write else ((RUNAWAY_READ, ()),)
    with pytest.raises(Refused, match="longer than 20 ms") as refusal:
        await call(request(*plans, time_ms=20))
    assert refusal.value.code is ErrorCode.QUERY_TIMEOUT
    assert refusal.value.statement == len(plans) - 1
    assert await read(app, LIST, "ada") == []
    await write(app, ADD, "ada", 2, "after")


async def test_statements_of_one_request_share_its_time(app: Store) -> None:
    ten = "(VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9))"
    some = f"SELECT count(*) FROM {', '.join(f'{ten} AS t{number}' for number in range(5))}"
    plan = make_plan(some, columns=[("n", SqlType.BIGINT)], functions=["count"])
    with pytest.raises(Refused) as refusal:
        await app.read(request(*[(plan, ())] * 1_000, time_ms=20))
    assert refusal.value.code is ErrorCode.QUERY_TIMEOUT
    assert refusal.value.statement not in (None, 0, 999)


async def test_a_shared_table_has_no_hidden_column(app: Store) -> None:
    assert PRICES.type is TableType.SHARED
    await write(app, PRICE, 2, 0.1)
    plan = make_plan(
        'SELECT * FROM main."app.prices"', columns=[("id", SqlType.BIGINT)], reads=["id", "price"], table=PRICES
    )
    assert await read(app, plan) == [[2, 0.1]]


async def test_a_check_of_a_store_in_order_says_nothing(app: Store) -> None:
    await app.check()


async def test_after_close_everything_is_unavailable(app: Store) -> None:
    await app.close()
    calls = (app.check(), app.read(request((LIST, ("ada",)))), app.write(request((ADD, ("ada", 1, "x")))))
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(outcome, Refused)
        assert outcome.code is ErrorCode.STORAGE_UNAVAILABLE


# --- keys -------------------------------------------------------------------------------------------------

NOTE = (NEXT, ("ada", "a"))


async def test_a_request_with_a_key_happens_once_and_is_told_the_same_again(app: Store) -> None:
    first = await app.write_once(once(NOTE, NOTE))
    assert first == b"[[1]] [[2]]"
    assert await app.write_once(once(NOTE, NOTE, at=1_800_000_001.0, time_ms=1, rows=1)) == first
    assert await read(app, LIST, "ada") == [[1, "a"], [2, "a"]]


async def test_two_that_come_at_once_happen_once(app: Store) -> None:
    assert await asyncio.gather(*(app.write_once(once(NOTE)) for _ in range(9))) == [b"[[1]]"] * 9
    assert await read(app, LIST, "ada") == [[1, "a"]]


async def test_a_key_is_one_users_and_one_requests(app: Store) -> None:
    await app.write_once(once(NOTE))
    with pytest.raises(Refused, match="other statements, params or as_user") as refusal:
        await app.write_once(once(NOTE, what=b"that"))
    assert refusal.value.code is ErrorCode.INVALID_PARAMS
    assert await app.write_once(once(NOTE, what=b"that", user="bob")) == b"[[2]]"
    assert await app.write_once(once(NOTE, what=b"that", key="k-2")) == b"[[3]]"
    assert await app.write_once(once(NOTE)) == b"[[1]]"


async def test_a_request_that_reads_is_told_what_it_read_first(app: Store) -> None:
    find = (FIND, ("ada", 1))
    assert await app.write_once(once(find)) == b"[]"
    await write(app, ADD, "ada", 1, "later")
    assert await app.write_once(once(find)) == b"[]"
    assert await app.write_once(once(find, key="k-2")) == b'[["later"]]'


async def test_a_refused_request_does_not_use_its_key_up(app: Store) -> None:
    await write(app, ADD, "ada", 1, "there")
    add = (ADD, ("ada", 1, "again"))
    for _ in range(2):
        with pytest.raises(Refused) as refusal:
            await app.write_once(once(NOTE, add))
        assert (refusal.value.code, refusal.value.statement) == (ErrorCode.CONSTRAINT_VIOLATION, 1)
    assert await read(app, LIST, "ada") == [[1, "there"]]
    assert await app.write_once(once(NOTE, what=b"that")) == b"[[2]]"


async def test_what_is_kept_for_one_user_is_bounded_and_what_was_kept_is_told_all_the_same(app: Store) -> None:
    limits: Any = {"kept_bytes": 2 * (512 + len(b"[[1]]"))}
    for number in range(2):
        await app.write_once(once(NOTE, key=f"k-{number}", **limits))
    with pytest.raises(Refused, match=r"at most 1034 bytes \(kept_bytes\)") as refusal:
        await app.write_once(once(NOTE, key="k-2", **limits))
    assert refusal.value.code is ErrorCode.LIMIT_EXCEEDED
    assert await app.write_once(once(NOTE, key="k-1", **limits)) == b"[[2]]"
    assert await app.write_once(once(NOTE, key="k-2", user="bob", **limits)) == b"[[3]]"
    await app.forget_results(1_800_000_000.0)
    assert await app.write_once(once(NOTE, key="k-2", **limits)) == b"[[4]]"


async def test_a_key_is_good_for_a_day_and_then_a_new_one(app: Store) -> None:
    limits: Any = {"kept_bytes": 512 + len(b"[[1]]")}
    at = 1_800_000_000.0
    assert await app.write_once(once(NOTE, at=at, **limits)) == b"[[1]]"
    assert await app.write_once(once(NOTE, at=at + KEPT_S - 1, **limits)) == b"[[1]]"
    assert await app.write_once(once(NOTE, at=at + KEPT_S, what=b"that", **limits)) == b"[[2]]"
    assert await app.write_once(once(NOTE, at=at + KEPT_S + 1, what=b"that", **limits)) == b"[[2]]"


async def test_results_are_forgotten_by_their_age_however_many_they_are(app: Store) -> None:
    for number in range(250):
        await app.write_once(once(NOTE, key=f"k-{number}", at=1_800_000_000.0 + number))
    await app.forget_results(1_800_000_000.0 + 248)
    assert await app.write_once(once(NOTE, key="k-249")) == b"[[250]]"
    assert [await app.write_once(once(NOTE, key=f"k-{number}")) for number in (0, 99, 100, 248)] == [
        b"[[251]]",
        b"[[252]]",
        b"[[253]]",
        b"[[254]]",
    ]


@pytest.mark.parametrize("again", [False, True])
async def test_a_result_is_not_told_for_a_plan_whose_table_was_dropped(app: Store, again: bool) -> None:
    await app.write_once(once(NOTE))
    await app.define(DROP_NOTES, ROOT)
    if again:
        await app.define(CREATE_NOTES, ROOT)
    with pytest.raises(Refused, match="dropped") as refusal:
        await app.write_once(once(NOTE))
    assert (refusal.value.code, refusal.value.statement) == (ErrorCode.NOT_FOUND, 0)
