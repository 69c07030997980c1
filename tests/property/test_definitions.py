"""Definitions and rows at random, against a model: what is there afterwards is what the answers said."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import orjson
import pytest

from support.plans import ROOT, definition_of
from support.stepping import to_end
from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.deadline import Deadline
from watchword_server.adapters.sqlite.engine import Engine
from watchword_server.adapters.sqlite.migrations import migrate
from watchword_server.adapters.sqlite.request import run_statements
from watchword_server.adapters.sqlite.stored_catalog import StoredCatalog
from watchword_server.refusal import Refused
from watchword_server.sql.catalog import Table
from watchword_server.sql.constraint_definitions import constraint_names
from watchword_server.sql.engine_functions import ENGINE_FUNCTIONS
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.physical import physical_name
from watchword_server.sql.planner import Planner
from watchword_server.sql.store import Transaction
from watchword_server.sql.values import bind_values
from watchword_server.user import Role

NAMES = ["a", "b", "c", '"D e"']
TABLES = ["t", "u", "v"]
OWNERS = ["ada", "bob"]
Row = dict[str, Any]


class Room:
    """One engine with its catalog, and the rows that there should be: of each table, of each owner, by columns."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.catalog = StoredCatalog(engine)
        self.planner = Planner(max_bytes=10_000, max_parameters=1, max_statements=1)
        self.rows: dict[str, dict[str, list[Row]]] = {}

    def define(self, sql: str) -> bool:
        """Whether it was taken; if not, nothing may have happened."""
        before = self.catalog.catalog
        try:
            self.catalog.define(self.engine, definition_of(sql), ROOT)
        except (SqlFault, Refused):
            assert self.catalog.catalog is before, sql
            return False
        return self.catalog.catalog is not before

    def run(self, sql: str, owner: str) -> list[list[Any]] | ErrorCode:
        """The rows, or the code of the refusal."""
        try:
            plans = to_end(self.planner.plan(sql, catalog=self.catalog.catalog, namespace="app", role=Role.SERVICE))
            assert isinstance(plans, tuple)
            values = bind_values(plans[0], (), user_id=owner, user_name=owner, now_us=0)
            request = Transaction([(plans[0], values)], owner, 5_000, "time_ms", 10_000, 1_000_000)
            deadline = Deadline(5.0, lambda: 0.0)
            deadline.start()
            with self.engine:
                self.engine.execute("BEGIN")
                [outcome] = run_statements(self.engine, request, deadline, self.catalog, value_bytes=100_000)
        except (SqlFault, Refused) as refusal:
            return refusal.code
        rows: list[list[Any]] = orjson.loads(outcome.rows)
        return rows

    def table(self, name: str) -> Table | None:
        return self.catalog.catalog.find("app", name)

    def check(self) -> None:
        """What is stored is what is kept in mind, and what a start would read."""
        again = StoredCatalog(self.engine).catalog
        assert again.tables == self.catalog.catalog.tables
        assert not self.engine.execute("PRAGMA foreign_key_check").fetchall()
        assert self.engine.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert self.engine.execute("PRAGMA foreign_keys").fetchone() == (1,)
        stored = {name for (name,) in self.engine.execute("SELECT name FROM sqlite_schema WHERE name LIKE 'app.%'")}
        tables = self.catalog.catalog.tables.values()
        assert stored == {physical_name(each) for each in tables} | {f"app.{i.name}" for t in tables for i in t.indexes}
        for table in tables:
            for owner in OWNERS:
                expected = [[row[column.name] for column in table.columns] for row in self.rows[table.name][owner]]
                found = self.run(f"SELECT * FROM app.{table.name}", owner)
                assert isinstance(found, list)
                assert sorted(map(repr, found)) == sorted(map(repr, expected)), table


@contextmanager
def make_room() -> Iterator[Room]:
    engine = sqlite3.connect(":memory:", isolation_level=None, factory=Engine)
    try:
        migrate(engine)
        engine.prepare(value_bytes=100_000, functions=ENGINE_FUNCTIONS, converters={})
        room = Room(engine)
        assert room.define("CREATE NAMESPACE app")
        yield room
    finally:
        engine.close()


def plain(name: str) -> str:
    return name.strip('"')


def step(room: Room, random: Random) -> str:
    """One definition or write, and its effect on the model; a word for what was tried and what came of it."""
    name = random.choice(TABLES)
    rows = room.rows.get(name, {})
    column, other = random.sample(NAMES, 2)
    match random.randrange(14):
        case 0 | 1:
            reference = f" REFERENCES app.{random.choice(TABLES)} ON DELETE CASCADE" if random.random() < 0.5 else ""
            columns = f"id INT PRIMARY KEY, a INT{reference}, b INT DEFAULT 5 CHECK (b > 0)"
            taken = room.define(f"CREATE USER TABLE app.{name} ({columns})")
            if taken:
                room.rows[name] = {owner: [] for owner in OWNERS}
            return f"create {taken}"
        case 2:
            default, value = random.choice([("", None), (" NOT NULL DEFAULT 7", 7), (" DEFAULT 8 CHECK (id < 9)", 8)])
            taken = room.define(f"ALTER TABLE app.{name} ADD COLUMN {column} INT{default}")
            for row in [row for owned in rows.values() for row in owned] if taken else []:
                row[plain(column)] = value
            return f"add {taken}"
        case 3:
            taken = room.define(f"ALTER TABLE app.{name} DROP COLUMN {column} {random.choice(['', 'CASCADE'])}")
            for row in [row for owned in rows.values() for row in owned] if taken else []:
                del row[plain(column)]
            return f"drop column {taken}"
        case 4:
            old = random.choice([column, "id"])
            taken = room.define(f"ALTER TABLE app.{name} RENAME {old} TO {other}")
            for row in [row for owned in rows.values() for row in owned] if taken else []:
                row[plain(other)] = row.pop(plain(old))
            return f"rename column {taken}"
        case 5:
            new = random.choice(TABLES)
            taken = room.define(f"ALTER TABLE app.{name} RENAME TO {new}")
            if taken:
                room.rows[new] = room.rows.pop(name)
            return f"rename {taken}"
        case 6:
            taken = room.define(f"DROP TABLE app.{name} {random.choice(['', 'CASCADE'])}")
            if taken:
                del room.rows[name]
            return f"drop {taken}"
        case 7:
            unique = random.choice(["", "UNIQUE "])
            return f"index {room.define(f'CREATE {unique}INDEX ON app.{name} ({column}, {other} DESC)')}"
        case 8:
            key = f"FOREIGN KEY ({column}) REFERENCES app.{random.choice(TABLES)} ON DELETE CASCADE"
            constraint = random.choice([f"UNIQUE ({column})", f"CHECK ({column} <> {other} OR id > 3)", key])
            return f"constraint {room.define(f'ALTER TABLE app.{name} ADD {constraint}')}"
        case 9:
            table = room.table(name)
            names = sorted(constraint_names(table)) if table else []
            constraint = random.choice(names or ["none"]).replace('"', '""')
            taken = room.define(f'ALTER TABLE app.{name} DROP CONSTRAINT "{constraint}"')
            return f"no constraint {taken}"
        case _:
            return write(room, random, name)


def write(room: Room, random: Random, name: str) -> str:
    """An INSERT or a DELETE, which goes over foreign keys to other rows: those are looked up where they went."""
    owner = random.choice(OWNERS)
    table = room.table(name)
    if table is None:
        return "no table"
    key = table.primary_key[0]
    if random.random() < 0.75:
        values = {column.name: random.choice(["1", "2", "3", "4", "NULL", "DEFAULT"]) for column in table.columns}
        found = room.run(f"INSERT INTO app.{name} VALUES ({', '.join(values.values())}) RETURNING *", owner)
        if isinstance(found, ErrorCode):
            assert found in (ErrorCode.CONSTRAINT_VIOLATION, ErrorCode.TYPE_MISMATCH), found
            return "insert False"
        room.rows[name][owner].append(dict(zip((column.name for column in table.columns), found[0], strict=True)))
        return "insert True"
    quoted = '"' + key.replace('"', '""') + '"'
    number = random.randrange(1, 5)
    found = room.run(f"DELETE FROM app.{name} WHERE {quoted} = {number} RETURNING {quoted}", owner)
    assert isinstance(found, list) or found is ErrorCode.CONSTRAINT_VIOLATION
    gone = [(name, row) for row in room.rows[name][owner] if found and row[key] == number]
    while gone:
        where, row = gone.pop()
        if row not in room.rows[where][owner]:
            continue
        room.rows[where][owner].remove(row)
        referred = room.table(where)
        assert referred is not None
        for each, foreign in room.catalog.catalog.referring(referred.id):
            [column], [target] = foreign.columns, foreign.key
            gone += [(each.name, other) for other in room.rows[each.name][owner] if other[column] == row[target]]
    return f"delete {isinstance(found, list)}"


def play(seed: int, count: int) -> set[str]:
    random = Random(seed)  # noqa: S311  # repeatable, and keeps no secret
    with make_room() as room:
        words = set()
        for _ in range(count):
            words.add(step(room, random))
            room.check()
        return words


def test_definitions_and_rows_at_random_do_what_they_say() -> None:
    words: set[str] = set()
    for seed in range(12):
        words |= play(seed, 120)
    verbs = ["create", "add", "drop column", "rename column", "rename", "drop", "index", "constraint", "insert"]
    assert {f"{verb} {taken}" for verb in verbs for taken in (True, False)} <= words
    assert "delete True" in words


@pytest.mark.long
def test_a_great_many_definitions_at_random() -> None:
    for seed in range(1_000, 1_200):
        play(seed, 300)
