"""A server that dies in the middle of changing its tables."""

import sqlite3
import subprocess
import sys
from pathlib import Path

from watchword_server.adapters.sqlite.database import open_database
from watchword_server.adapters.sqlite.store import open_store
from watchword_server.sql.physical import physical_name

# Changes tables round and round until it is killed; a line is printed after each.
DEFINER = """
import asyncio, pathlib, sys
from support.plans import ROOT, definition_of
from watchword_server.adapters.sqlite.database import open_database
from watchword_server.adapters.sqlite.store import open_store

ROUND = (
    "CREATE USER TABLE app.a{n} (id INT PRIMARY KEY, k INT UNIQUE, x TEXT)",
    "CREATE USER TABLE app.b{n} (id INT PRIMARY KEY, a INT REFERENCES app.a{n} ON DELETE CASCADE)",
    "ALTER TABLE app.a{n} ADD y INT NOT NULL DEFAULT 7",
    "CREATE INDEX i{n} ON app.a{n} (x, y)",
    "ALTER TABLE app.a{n} RENAME COLUMN id TO number",
    "ALTER TABLE app.a{n} RENAME TO c{n}",
    "ALTER TABLE app.c{n} DROP COLUMN x",
    "DROP TABLE app.c{n} CASCADE",
)

async def main():
    database = await open_database(pathlib.Path(sys.argv[1]))
    store = await open_store(database, converters={}, value_bytes=131_072)
    if not store.catalog.namespaces:
        await store.define(definition_of("CREATE NAMESPACE app"), ROOT)
    for number in range(int(sys.argv[2]), 1_000_000):
        for sql in ROUND:
            await store.define(definition_of(sql.format(n=number)), ROOT)
            print(store.catalog.version, flush=True)

asyncio.run(main())
"""


async def test_after_kill_9_the_catalog_and_the_tables_are_of_one_moment(tmp_path: Path) -> None:
    path = tmp_path / "watchword.db"
    tests = Path(__file__).parents[1]
    for round_ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", DEFINER, path, str(1_000 * round_)],
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": ":".join([str(tests), *sys.path])},
        ) as definer:
            assert definer.stdout is not None
            for _ in range(20 + 7 * round_):
                assert definer.stdout.readline()
            definer.kill()
        async with (
            await open_database(path) as database,
            await open_store(database, converters={}, value_bytes=131_072) as store,
        ):
            schema = await database.read(_schema)
            assert schema["integrity"] == {"ok"}
            tables = store.catalog.tables.values()
            assert schema["table"] == {physical_name(table) for table in tables}
            assert schema["index"] == {f"{each.namespace}.{index.name}" for each in tables for index in each.indexes}
            for table in tables:
                owned = {"_owner", *(column.name for column in table.columns)}
                assert schema[physical_name(table)] == owned


def _schema(connection: sqlite3.Connection) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {"table": set(), "index": set()}
    rows = connection.execute("SELECT type, name FROM sqlite_schema WHERE name LIKE '%.%' AND sql IS NOT NULL")
    for kind, name in rows.fetchall():
        found[kind].add(name)
        if kind == "table":
            columns = connection.execute("SELECT name FROM pragma_table_info(?)", (name,)).fetchall()
            found[name] = {column for (column,) in columns}
    found["integrity"] = {each for (each,) in connection.execute("PRAGMA integrity_check")}
    assert not connection.execute("PRAGMA foreign_key_check").fetchall()
    return found
