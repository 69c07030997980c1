"""The second wall alone: raw texts, as if there were no first one, on connections that may run one harmless plan."""

import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from support.plans import ADD, CREATE_PRICES, FUNCTIONS, NOTES, ROOT, make_plan
from support.plans import request as make_request
from watchword_server.adapters.sqlite.database import Database, open_prepared
from watchword_server.adapters.sqlite.engine import Engine
from watchword_server.adapters.sqlite.engine_thread import EngineThread
from watchword_server.adapters.sqlite.store import SqliteStore
from watchword_server.adapters.sqlite.wall import Wall
from watchword_server.sql.plan import OutputColumn, Permissions, Plan
from watchword_server.sql.types import SqlType

HARMLESS = Permissions(reads=frozenset({("app.notes", "id")}))  # SELECT id FROM app.notes
TABLE = 'main."app.notes"'


@pytest.fixture(params=["ro", "rw"])
async def connection(
    _rows: None, request: pytest.FixtureRequest, store: SqliteStore, database: Database
) -> AsyncIterator[EngineThread]:
    def prepare(engine: Engine) -> None:
        engine.prepare(value_bytes=10_000, functions=FUNCTIONS, converters={})

    connection = await open_prepared(database.path, request.param, prepare)
    yield connection
    await connection.close()


@pytest.fixture
async def _rows(store: SqliteStore) -> None:
    """Rows to be reached."""
    await store.define(CREATE_PRICES, ROOT)
    await store.write(make_request((ADD, ("ada", 1, "secret"))))


def raw(text: str, permissions: Permissions = HARMLESS) -> Callable[[Engine], bytes]:
    plan = Plan(text, (), (OutputColumn("v", SqlType.BIGINT),), permissions, frozenset({NOTES.id}), 0, False)
    return lambda engine: engine.run(plan, (), max_rows=100, max_bytes=100_000).rows


REACHING = [
    # other tables and columns
    f"SELECT title FROM {TABLE}",
    f'SELECT "_owner" FROM {TABLE}',
    f"SELECT * FROM {TABLE}",
    f"SELECT rowid FROM {TABLE}",
    f"SELECT id FROM {TABLE} WHERE title LIKE 's%'",
    f"SELECT id FROM {TABLE} ORDER BY title",
    f"SELECT id FROM {TABLE} GROUP BY title",
    'SELECT id FROM main."app.prices"',
    f'SELECT id FROM {TABLE} UNION SELECT id FROM main."app.prices"',
    f'SELECT id FROM {TABLE} WHERE EXISTS (SELECT 1 FROM main."app.prices")',
    f'SELECT (SELECT price FROM "app.prices") FROM {TABLE}',
    "SELECT id FROM users",
    "SELECT password_hash FROM main.users",
    "SELECT key FROM revoked",
    "SELECT definition FROM _tables",
    "SELECT name FROM _namespaces",
    # the schema
    "SELECT sql FROM sqlite_master",
    "SELECT sql FROM (SELECT 1 AS sql) FULL JOIN sqlite_master USING (sql)",
    "SELECT password_hash FROM (SELECT 1 AS password_hash) FULL JOIN users USING (password_hash)",
    "SELECT 1 FROM (SELECT 'ada' AS name) JOIN users USING (name)",
    "SELECT name FROM (SELECT 'ada' AS name) NATURAL JOIN users",
    f"SELECT title FROM (SELECT 1 AS title) FULL JOIN {TABLE} USING (title)",
    "SELECT sql FROM sqlite_schema",
    "SELECT sql FROM main.sqlite_master",
    "SELECT sql FROM sqlite_temp_master",
    "SELECT seq FROM sqlite_sequence",
    "SELECT * FROM pragma_table_info('users')",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM pragma_table_list",
    "SELECT * FROM sqlite_dbpage",
    "SELECT * FROM dbstat",
    # pragmas
    "PRAGMA table_info('users')",
    "PRAGMA database_list",
    "PRAGMA case_sensitive_like = OFF",
    "PRAGMA trusted_schema = ON",
    "PRAGMA writable_schema = ON",
    "PRAGMA query_only = OFF",
    "PRAGMA user_version = 0",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA wal_checkpoint(TRUNCATE)",
    # files
    "ATTACH DATABASE 'stolen.db' AS stolen",
    "ATTACH ':memory:' AS memory",
    "DETACH main",
    "VACUUM",
    "VACUUM INTO 'stolen.db'",
    # what stays behind
    "CREATE TABLE mine (a)",
    "CREATE TEMP TABLE mine (a)",
    "CREATE TEMP TABLE mine AS SELECT * FROM users",
    "CREATE TEMP VIEW mine AS SELECT * FROM users",
    f"CREATE TEMP TRIGGER mine AFTER INSERT ON {TABLE} BEGIN SELECT 1; END",
    f"CREATE TRIGGER mine AFTER INSERT ON {TABLE} BEGIN SELECT 1; END",
    "CREATE INDEX mine ON users (name)",
    "CREATE VIRTUAL TABLE mine USING fts5(a)",
    "ALTER TABLE users RENAME TO losers",
    f"DROP TABLE {TABLE}",
    "REINDEX",
    "ANALYZE",
    # writes
    f"INSERT INTO {TABLE} (id) VALUES (9)",
    f"INSERT OR ROLLBACK INTO {TABLE} (id) VALUES (9)",
    f"REPLACE INTO {TABLE} (id) VALUES (9)",
    f"UPDATE {TABLE} SET id = 9",
    f"DELETE FROM {TABLE}",
    "INSERT INTO users (id) VALUES ('x')",
    "UPDATE users SET role = 'dba'",
    "DELETE FROM revoked",
    "INSERT INTO sqlite_master VALUES (1, 2, 3, 4, 5)",
    # transactions
    "BEGIN",
    "BEGIN IMMEDIATE",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT mine",
    "RELEASE request",
    "ROLLBACK TO request",
    # functions
    "SELECT randomblob(1000000000)",
    "SELECT zeroblob(1000000000)",
    "SELECT printf('%999999999d', 1)",
    "SELECT load_extension('/lib/evil.so')",
    "SELECT sqlite_version()",
    "SELECT last_insert_rowid()",
    "SELECT ww_complain(1)",
    f"SELECT count(id) FROM {TABLE}",
    f"SELECT row_number() OVER () FROM {TABLE}",
    "SELECT 'a' LIKE 'a'",
    "SELECT 'a' GLOB 'a'",
    "SELECT '[1]' -> 0",
    "SELECT * FROM json_each('[1, 2]')",
    "SELECT * FROM json_tree('[1, 2]')",
    # round the corner
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT i FROM n",
    'WITH notes AS (SELECT id, title FROM "app.notes") SELECT id FROM notes',
    "WITH users AS (SELECT * FROM main.users) SELECT 1 FROM users",
    'SELECT id FROM "APP.NOTES" WHERE "TITLE" = \'secret\'',
    "EXPLAIN SELECT password_hash FROM users",
    "EXPLAIN QUERY PLAN SELECT password_hash FROM users",
]


async def test_a_text_that_reaches_further_is_refused(connection: EngineThread, tmp_path: Path) -> None:
    """One connection for all: each leaves it as it was."""

    def state() -> Callable[[Engine], object]:
        return lambda engine: (engine.execute("SELECT sql FROM sqlite_schema").fetchall(), engine.in_transaction)

    before = await connection.run(state()), sorted(path.name for path in tmp_path.iterdir())
    for text in REACHING:
        with pytest.raises(sqlite3.DatabaseError) as refusal:
            await connection.run(raw(text))
        # A text that SQLite does not understand would prove nothing. (Virtual tables declare themselves behind the
        # wall; what runs is explained before, and there is no EXPLAIN EXPLAIN.)
        assert refusal.value.sqlite_errorname == "SQLITE_AUTH" or re.match(
            "not authorized|vtable constructor failed|no such table: (sqlite_dbpage|dbstat)|near .EXPLAIN.: syntax",
            str(refusal.value),
        ), text
        assert await connection.run(raw(f"SELECT id FROM {TABLE}")) == b"[[1]]", text
        assert (await connection.run(state()), sorted(path.name for path in tmp_path.iterdir())) == before, text


async def test_the_harmless_plan_runs(connection: EngineThread) -> None:
    assert await connection.run(raw(f"SELECT id FROM {TABLE}")) == b"[[1]]"
    assert await connection.run(raw(f"SELECT n.id FROM (SELECT id FROM {TABLE} LIMIT -1) AS n")) == b"[[1]]"
    assert await connection.run(raw(f"SELECT 2 FROM (SELECT 1 FROM {TABLE} WHERE id = 1 AND 0) AS n")) == b"[]"


@pytest.mark.parametrize("text", ["SELECT 1; SELECT 2", f"SELECT id FROM {TABLE}; DROP TABLE {TABLE}"])
async def test_two_statements_in_one_are_refused(connection: EngineThread, text: str) -> None:
    with pytest.raises((sqlite3.Warning, sqlite3.ProgrammingError), match="one statement at a time"):
        await connection.run(raw(text))


async def test_a_statement_of_ours_opens_nothing_for_a_users_of_the_same_text(connection: EngineThread) -> None:
    """SQLite asks when a statement is prepared, and Python keeps prepared ones by their text."""
    text = "SELECT name FROM users"
    for _ in range(2):
        await connection.run(lambda engine: engine.execute(text).fetchall())
    with pytest.raises(sqlite3.DatabaseError, match="prohibited"):
        await connection.run(raw(text))


async def test_a_plan_opens_nothing_for_one_of_the_same_text_with_fewer_permissions(connection: EngineThread) -> None:
    text = f"SELECT id, title FROM {TABLE}"
    wide = Permissions(reads=HARMLESS.reads | {("app.notes", "title")})
    for _ in range(2):
        assert await connection.run(raw(text, wide)) == b'[[1,"secret"]]'
        with pytest.raises(sqlite3.DatabaseError, match="prohibited"):
            await connection.run(raw(text))


async def test_a_plan_runs_again_after_the_schema_changed(connection: EngineThread, database: Database) -> None:
    """SQLite prepares it anew while it runs, and asks the wall again."""
    assert await connection.run(raw(f"SELECT id FROM {TABLE}")) == b"[[1]]"
    await database.write(lambda engine: engine.execute("CREATE TABLE more (a)"))
    assert await connection.run(raw(f"SELECT id FROM {TABLE}")) == b"[[1]]"


@pytest.mark.parametrize("text", ["randomblob(1000000000)", "zeroblob(100000000)", "hex(zeroblob(9000))"])
async def test_a_function_that_is_allowed_still_makes_no_value_over_the_limit(
    connection: EngineThread, text: str
) -> None:
    functions = Permissions(functions=frozenset({"randomblob", "zeroblob", "hex", "length"}))
    with pytest.raises(sqlite3.DatabaseError) as refusal:
        await connection.run(raw(f"SELECT length({text})", functions))
    assert refusal.value.sqlite_errorname == "SQLITE_TOOBIG"


ADDING = make_plan("", inserts=True, updates=["title"], deletes=True, reads=["id"], functions=["abs"]).permissions


@pytest.mark.parametrize(
    ("question", "allowed"),
    [
        ((sqlite3.SQLITE_INSERT, "app.notes", None, "main", None), True),
        ((sqlite3.SQLITE_INSERT, "app.notes", None, "temp", None), False),
        ((sqlite3.SQLITE_INSERT, "app.notes", None, "main", "trigger"), False),
        ((sqlite3.SQLITE_INSERT, "app.prices", None, "main", None), False),
        ((sqlite3.SQLITE_UPDATE, "app.notes", "title", "main", None), True),
        ((sqlite3.SQLITE_UPDATE, "app.notes", "id", "main", None), False),
        ((sqlite3.SQLITE_UPDATE, "app.notes", "title", "temp", None), False),
        ((sqlite3.SQLITE_DELETE, "app.notes", None, "main", None), True),
        ((sqlite3.SQLITE_DELETE, "app.notes", None, None, None), False),
        ((sqlite3.SQLITE_READ, "app.notes", "", "main", None), True),
        ((sqlite3.SQLITE_READ, "app.notes", "title", "main", None), False),
        ((sqlite3.SQLITE_READ, "app.prices", "", "main", None), False),
        ((sqlite3.SQLITE_READ, "app.notes", "id", "other", None), False),
        ((sqlite3.SQLITE_READ, "app.notes", "id", "main", "view"), False),
        ((sqlite3.SQLITE_FUNCTION, None, "ABS", None, None), True),
        ((sqlite3.SQLITE_FUNCTION, None, None, None, None), False),
        ((sqlite3.SQLITE_FUNCTION, None, "length", None, None), False),
        ((sqlite3.SQLITE_SELECT, None, None, None, None), True),
        ((sqlite3.SQLITE_SELECT, None, None, None, "cte"), False),
        ((sqlite3.SQLITE_RECURSIVE, None, None, None, None), False),
        ((sqlite3.SQLITE_TRANSACTION, "BEGIN", None, None, None), False),
        ((999, None, None, None, None), False),
    ],
)
def test_each_question_is_answered_by_the_plans_permissions(question: Any, allowed: bool) -> None:
    wall = Wall()
    assert wall.judge(*question) == sqlite3.SQLITE_OK, "a statement of ours"
    wall.permissions = ADDING
    assert (wall.judge(*question) == sqlite3.SQLITE_OK) is allowed
