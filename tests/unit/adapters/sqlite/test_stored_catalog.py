"""The catalog as it is kept."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.plans import CREATE_APP, CREATE_NOTES, CREATE_PRICES, DROP_NOTES, LIST, NOTES, ROOT
from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.data_directory import DataUnusable
from watchword_server.adapters.sqlite.database import open_database
from watchword_server.adapters.sqlite.engine import Engine
from watchword_server.adapters.sqlite.migrations import MIGRATIONS, migrate
from watchword_server.adapters.sqlite.store import open_store
from watchword_server.adapters.sqlite.stored_catalog import StoredCatalog
from watchword_server.adapters.sqlite.stored_table import write_table
from watchword_server.adapters.sqlite.transaction import transaction
from watchword_server.sql.catalog import AccessLevel, Column, Table, TableId, TableType
from watchword_server.sql.constraints import Check, ForeignKey, ForeignKeyAction, Index, Key
from watchword_server.sql.engine_functions import ENGINE_FUNCTIONS
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.plan import StoredValue
from watchword_server.sql.types import SqlType


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = sqlite3.connect(":memory:", isolation_level=None, factory=Engine)
    migrate(engine)
    engine.prepare(value_bytes=100_000, functions=ENGINE_FUNCTIONS, converters={})
    yield engine
    engine.close()


async def test_it_is_the_same_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "watchword.db"
    for attempt in range(2):
        async with (
            await open_database(path) as database,
            await open_store(database, converters={}, value_bytes=1_000) as store,
        ):
            if attempt == 0:
                await store.define(CREATE_APP, ROOT)
                await store.define(CREATE_NOTES, ROOT)
            assert store.catalog.namespaces == {"app"}
            assert store.catalog.tables == {("app", "notes"): NOTES}


async def test_a_database_of_the_former_layout_is_brought_up_to_date_and_keeps_its_users(tmp_path: Path) -> None:
    path = tmp_path / "watchword.db"
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, MIGRATIONS[:1])
    connection.execute("INSERT INTO revoked VALUES ('token', 'i', 'k', 1.0)")
    connection.close()
    async with (
        await open_database(path) as database,
        await open_store(database, converters={}, value_bytes=1_000) as store,
    ):
        await store.define(CREATE_APP, ROOT)
        assert await database.read(lambda engine: engine.execute("SELECT key FROM revoked").fetchall()) == [("k",)]


DEFAULTS: list[tuple[SqlType, StoredValue]] = [
    (SqlType.BOOLEAN, 1),
    (SqlType.BIGINT, -(2**63)),
    (SqlType.DOUBLE, 2.0),
    (SqlType.DOUBLE, 5e-324),
    (SqlType.TEXT, "it's \U0001f600"),
    (SqlType.BYTES, b"\x00\xff"),
    (SqlType.TEXT, None),
]


def test_every_member_of_a_table_comes_back(engine: Engine) -> None:
    columns = (
        Column("id", SqlType.UUID, not_null=True),
        *(
            Column(f"c{number}", type_, has_default=True, default=value)
            for number, (type_, value) in enumerate(DEFAULTS)
        ),
        Column("none", SqlType.DATE),
        Column("made", SqlType.BIGINT, default_call="snowflake_id"),
    )
    table = Table(
        TableId(1),
        "app",
        "all",
        TableType.SHARED,
        AccessLevel.RESTRICTED,
        columns,
        ("id", "c0"),
        "u_cleo",
        (Index("all_c1_key", (Key("c1"),), True, True), Index("i", (Key("c1", True, True), Key("none")))),
        (Check("all_c1_check", '"c1" < 7', ("c1",)),),
        (ForeignKey("f", ("c1",), TableId(1), ("c1",), ForeignKeyAction.SET_NULL, ForeignKeyAction.RESTRICT),),
    )
    engine.execute("INSERT INTO _namespaces VALUES ('app')")
    engine.execute("INSERT INTO _tables VALUES (1, 'app', 'all', ?)", (write_table(table),))
    found = StoredCatalog(engine).catalog.find("app", "all")
    assert found == table
    assert [type(column.default) for column in found.columns] == [type(column.default) for column in table.columns]


def test_a_definition_of_the_first_release_is_read(engine: Engine) -> None:
    definition = (
        '{"type":"USER","access_level":"private","primary_key":["id"],"columns":['
        '{"name":"id","type":"BIGINT","not_null":true},'
        '{"name":"body","type":"BYTES","not_null":false,"default":{"base64":"AP8="}}]}'
    )
    engine.execute("INSERT INTO _namespaces VALUES ('app')")
    engine.execute("INSERT INTO _tables VALUES (1, 'app', 'old', ?)", (definition,))
    columns = (
        Column("id", SqlType.BIGINT, not_null=True),
        Column("body", SqlType.BYTES, has_default=True, default=b"\x00\xff"),
    )
    expected = Table(TableId(1), "app", "old", TableType.USER, AccessLevel.PRIVATE, columns, ("id",))
    assert StoredCatalog(engine).catalog.find("app", "old") == expected


def test_a_definition_that_fails_half_way_leaves_nothing(engine: Engine) -> None:
    catalog = StoredCatalog(engine)
    catalog.define(engine, CREATE_APP, ROOT)
    before = catalog.catalog
    engine.execute('CREATE TABLE "app.notes" (intruder)')  # so that the last step fails
    with pytest.raises(sqlite3.OperationalError):
        catalog.define(engine, CREATE_NOTES, ROOT)
    assert catalog.catalog is before
    assert engine.execute("SELECT count(*) FROM _tables").fetchone() == (0,)
    assert not engine.in_transaction
    assert engine.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_a_drop_that_fails_leaves_the_table_usable(engine: Engine) -> None:
    catalog = StoredCatalog(engine)
    for definition in (CREATE_APP, CREATE_NOTES, CREATE_PRICES):
        catalog.define(engine, definition, ROOT)
    engine.execute('CREATE TRIGGER stop BEFORE DELETE ON _tables BEGIN SELECT RAISE(ABORT, "no"); END')
    with pytest.raises(sqlite3.IntegrityError):
        catalog.define(engine, DROP_NOTES, ROOT)
    assert catalog.outdated(LIST) is None
    assert catalog.find("app.notes") == NOTES
    engine.execute('SELECT * FROM "app.notes"')
    engine.execute("DROP TRIGGER stop")
    catalog.define(engine, DROP_NOTES, ROOT)
    outdated = catalog.outdated(LIST)
    assert outdated is not None
    assert outdated.code is ErrorCode.NOT_FOUND
    with pytest.raises(SqlFault):
        catalog.define(engine, DROP_NOTES, ROOT)


def test_a_pragma_that_came_too_late_is_made_good_by_the_next_transaction(engine: Engine) -> None:
    """Where even the roll-back of a definition fails."""
    engine.execute("PRAGMA foreign_keys = OFF")
    engine.execute("BEGIN")
    with transaction(engine):
        pass
    assert engine.execute("PRAGMA foreign_keys").fetchone() == (1,)


_WHOLE = '{"type": "USER", "access_level": "private", "primary_key": ["id"], "columns": [%s]}'
_ID = '{"name": "id", "type": "BIGINT", "not_null": true}'


@pytest.mark.parametrize(
    "definition",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        _WHOLE % "",
        (_WHOLE % _ID)[:-1] + ', "checks": [{"name": "c", "text": "id >", "columns": ["id"]}]}',
        (_WHOLE % _ID)[:-1] + ', "checks": [{"name": "c", "text": "x > 1", "columns": ["x"]}]}',
        (_WHOLE % _ID)[:-1] + ', "indexes": [{"name": "i", "keys": [{"column": "x"}]}]}',
        (_WHOLE % _ID)[:-1] + ', "indexes": [{"name": "i"}]}',
        _WHOLE % "7",
        _WHOLE % _ID.replace("BIGINT", "BIGGEST"),
        _WHOLE % _ID.replace("true", '"yes"'),
        _WHOLE % _ID.replace("id", "it"),
        _WHOLE % _ID.replace("}", ', "default": []}'),
        _WHOLE % _ID.replace("}", ', "default": {"base64": "?"}}'),
        (_WHOLE % _ID).replace("USER", "OTHER"),
        (_WHOLE % _ID).replace("private", "secret"),
        (_WHOLE % _ID).replace('["id"]', "[]"),
        (_WHOLE % _ID).replace("{", '{"new": ' + "[" * 100_000, 1),
        b"\xff",
    ],
)
async def test_a_damaged_definition_is_told_with_its_file_and_table(tmp_path: Path, definition: str | bytes) -> None:
    path = tmp_path / "watchword.db"
    async with await open_database(path) as database:

        def define(definition: str | bytes) -> Callable[[sqlite3.Connection], object]:
            insert = "INSERT OR REPLACE INTO _tables VALUES (1, 'app', 'notes', CAST(? AS TEXT))"
            return lambda connection: connection.execute(insert, (definition,))

        async def open_and_close() -> None:
            await (await open_store(database, converters={}, value_bytes=200_000)).close()

        await database.write(lambda connection: connection.execute("INSERT INTO _namespaces VALUES ('app')"))
        await database.write(define(_WHOLE % _ID))
        await open_and_close()
        await database.write(define(definition))
        with pytest.raises(DataUnusable) as refusal:
            await open_and_close()
    sentence = "the definition of its table app.notes is damaged; restore it from a backup"
    assert str(refusal.value) == f"{path}: {sentence}"
