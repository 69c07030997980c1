"""One group commit: whoever fails in it fails alone."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from support.clock import FakeClock
from support.engine_room import VALUE_BYTES, found, make_engine, make_group, row_ids
from support.plans import ADD, LIST, RUNAWAY_WRITE, make_plan, request
from watchword_server.adapters.sqlite.engine import Engine
from watchword_server.adapters.sqlite.stored_catalog import StoredCatalog
from watchword_server.sql.engine_functions import EngineFunction
from watchword_server.sql.store import Transaction
from watchword_server.sql.types import SqlType


@pytest.fixture
def room() -> Iterator[tuple[Engine, StoredCatalog]]:
    with make_engine() as room:
        yield room


def add(number: int, title: str = "t") -> Transaction:
    return request((ADD, ("ada", number, title)))


COMPLAIN = make_plan(
    'INSERT INTO main."app.notes" ("_owner", "id", "stars") VALUES (?1, ?2, ww_complain(1))',
    inserts=True,
    functions=["ww_complain"],
)
FILL = 'INSERT INTO main."app.notes" ("_owner", "id", "title") VALUES ' + ", ".join(
    f"(?1, {number}, ?2)" for number in range(100, 200)
)
CULPRITS = {
    "a runaway": (request((RUNAWAY_WRITE, ("eve",)), time_ms=20), "QUERY_TIMEOUT"),
    "a runaway behind a write of its own": (
        request((ADD, ("eve", 50, "mine")), (RUNAWAY_WRITE, ("eve",)), time_ms=20),
        "QUERY_TIMEOUT",
    ),
    "a duplicate key": (request((ADD, ("ada", 1, "again"))), "CONSTRAINT_VIOLATION"),
    "a duplicate behind a write of its own": (
        request((ADD, ("eve", 50, "mine")), (ADD, ("ada", 1, "again"))),
        "CONSTRAINT_VIOLATION",
    ),
    "a full disk": (request((make_plan(FILL, inserts=True), ("eve", "x" * 50_000))), "STORAGE_FULL"),
    "a function that refuses": (request((COMPLAIN, ("eve", 60))), "TYPE_MISMATCH"),
    "a value over the limit": (request((ADD, ("eve", 70, "x" * 300_000))), "LIMIT_EXCEEDED"),
    "a result over the limit": (request((ADD, ("eve", 80, "x")), rows=0), "RESULT_TOO_LARGE"),
    "a transaction ended by the statement": (
        request((make_plan('INSERT OR ROLLBACK INTO main."app.notes" ("_owner", "id") VALUES (?1, ?2)', inserts=True),
                 ("ada", 1))),
        "CONSTRAINT_VIOLATION",
    ),
}  # fmt: skip


@pytest.mark.parametrize("culprit", CULPRITS)
def test_between_two_good_writes_the_culprit_fails_alone(room: tuple[Engine, StoredCatalog], culprit: str) -> None:
    engine, catalog = room
    engine.execute(f"PRAGMA max_page_count = {engine.execute('PRAGMA page_count').fetchone()[0] + 200}")
    fault, code = CULPRITS[culprit]
    answers = make_group(catalog).run(engine, [add(1), fault, add(2), fault, add(3)])
    assert [found(answer) for answer in answers] == ["[[1]]", code, "[[2]]", code, "[[3]]"]
    assert row_ids(engine) == [1, 2, 3]
    assert not engine.in_transaction
    assert found(make_group(catalog).run(engine, [add(4)])[0]) == "[[4]]"


class _Interrupting:
    """A row of EXPLAIN comes: the time of what runs is over, says the watchdog."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.count = 0

    def __call__(self, cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> tuple[Any, ...]:
        if self.count == 0 and any(name == "opcode" for name, *_ in cursor.description):
            self.count += 1
            self.engine.interrupt()
        return row


def test_a_write_interrupted_while_its_program_is_looked_at_is_wholly_undone(
    room: tuple[Engine, StoredCatalog], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The interrupt ends the whole transaction: nothing of the request may go on without it."""
    engine, catalog = room
    make_group(catalog).run(engine, [request((ADD, ("eve", 90, "x")), (LIST, ("eve",)))])  # known from here on
    again = make_plan(f"/* new */ {ADD.text}", columns=[("id", SqlType.BIGINT)], inserts=True, reads=["id"])
    culprit = request((ADD, ("eve", 91, "first")), (again, ("eve", 92, "second")), (LIST, ("eve",)))
    interrupting = _Interrupting(engine)
    monkeypatch.setattr(engine, "row_factory", interrupting)
    answers = make_group(catalog).run(engine, [add(1), culprit, add(2)])
    assert interrupting.count == 1
    assert [found(answer) for answer in answers][::2] == ["[[1]]", "[[2]]"]
    assert isinstance(answers[1], Exception)
    assert row_ids(engine) == [1, 2, 90]
    assert found(make_group(catalog).run(engine, [culprit])[0]).startswith("[[91]] [[92]]")


@pytest.mark.parametrize(("took_s", "transactions"), [(0.0, 1), (0.5, 2)])
def test_what_a_long_write_changed_before_it_failed_is_not_written(
    room: tuple[Engine, StoredCatalog], took_s: float, transactions: int
) -> None:
    """Back at its savepoint all of its pages would be the commit's to write; the transaction begins anew without it."""
    engine, catalog = room
    clock, begun = FakeClock(), list[str]()

    def slow(value: int) -> int:
        clock.advance(took_s)
        raise ValueError(value)

    engine.create_function("ww_slow", 1, slow)
    engine.set_trace_callback(lambda text: begun.append(text) if text.startswith("BEGIN") else None)
    insert = 'INSERT INTO main."app.notes" ("_owner", "id", "stars") VALUES (?1, ?2, ww_slow(1))'
    culprit = request((make_plan(insert, inserts=True, functions=["ww_slow"]), ("eve", 60)))
    answers = make_group(catalog, now=clock.monotonic).run(engine, [add(1), culprit, add(2)])
    assert [found(answer) for answer in answers][::2] == ["[[1]]", "[[2]]"]
    assert isinstance(answers[1], Exception)
    assert len(begun) == transactions
    assert row_ids(engine) == [1, 2]


def test_a_group_that_is_run_again_gives_the_same_answers(room: tuple[Engine, StoredCatalog]) -> None:
    """A write that failed in the first run fails in the second too; one that returned rows returns them once."""
    engine, catalog = room
    runaway = request((RUNAWAY_WRITE, ("eve",)), time_ms=10)
    both = request((ADD, ("ada", 2, "b")), (LIST, ("ada",)))
    answers = make_group(catalog).run(engine, [add(1), add(1), both, runaway, add(2), runaway, add(3)])
    assert [found(answer) for answer in answers] == [
        "[[1]]",
        "CONSTRAINT_VIOLATION",
        '[[2]] [[1,"t"],[2,"b"]]',
        "QUERY_TIMEOUT",
        "CONSTRAINT_VIOLATION",
        "QUERY_TIMEOUT",
        "[[3]]",
    ]
    assert row_ids(engine) == [1, 2, 3]


def test_once_its_time_is_over_nobody_else_begins(room: tuple[Engine, StoredCatalog]) -> None:
    engine, catalog = room
    clock = FakeClock()

    def now() -> float:
        clock.advance(0.01)
        return clock.monotonic()

    answers = make_group(catalog, time_s=0.1, now=now).run(engine, [add(number) for number in range(100)])
    assert 1 < len(answers) < 20
    assert row_ids(engine) == list(range(len(answers)))


def test_who_had_begun_is_run_again_however_late_it_is(room: tuple[Engine, StoredCatalog]) -> None:
    engine, catalog = room
    clock = FakeClock()

    def now() -> float:
        clock.advance(0.01)
        return clock.monotonic()

    runaway = request((RUNAWAY_WRITE, ("eve",)), time_ms=1_000)
    answers = make_group(catalog, time_s=0.2, now=now).run(engine, [add(1), add(2), runaway, add(3)])
    assert [found(answer) for answer in answers] == ["[[1]]", "[[2]]", "QUERY_TIMEOUT"]
    assert row_ids(engine) == [1, 2]


def test_many_small_statements_of_one_request_share_its_time(room: tuple[Engine, StoredCatalog]) -> None:
    """SQLite's machine asks for none of them: each is too short."""
    engine, catalog = room
    clock = FakeClock()

    def now() -> float:
        clock.advance(0.01)
        return clock.monotonic()

    many = request(*((ADD, ("ada", number, "t")) for number in range(20)), time_ms=100)
    [answer] = make_group(catalog, now=now).run(engine, [many])
    assert found(answer) == "QUERY_TIMEOUT"
    assert row_ids(engine) == []


def test_the_first_always_begins(room: tuple[Engine, StoredCatalog]) -> None:
    engine, catalog = room
    assert len(make_group(catalog, time_s=0.0).run(engine, [add(1), add(2)])) == 1
    assert row_ids(engine) == [1]


def test_a_transaction_left_behind_is_in_nobodys_way(room: tuple[Engine, StoredCatalog]) -> None:
    engine, catalog = room
    engine.execute("BEGIN")
    engine.execute('DELETE FROM "app.notes"')
    assert found(make_group(catalog).run(engine, [add(1)])[0]) == "[[1]]"
    assert row_ids(engine) == [1]


def test_a_group_whose_commit_fails_is_answered_as_a_whole(room: tuple[Engine, StoredCatalog]) -> None:
    engine, catalog = room
    engine.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
    engine.execute("CREATE TABLE child (id REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)")
    engine.execute('CREATE TRIGGER orphan AFTER INSERT ON "app.notes" BEGIN INSERT INTO child VALUES (1); END')
    engine.execute("PRAGMA foreign_keys = ON")
    plan = make_plan(
        'INSERT INTO main."app.notes" ("_owner", "id") VALUES (?1, ?2)', inserts=True, columns=[("id", SqlType.INT)]
    )
    answers = make_group(catalog).run(engine, [request((plan, ("ada", number))) for number in (1, 2)])
    assert len(answers) == 2
    assert all(isinstance(answer, Exception) for answer in answers)
    assert row_ids(engine) == []
    assert not engine.in_transaction


def test_one_row_of_slow_functions_ends_with_its_time_and_alone(room: tuple[Engine, StoredCatalog]) -> None:
    engine, catalog = room
    clock = FakeClock()
    calls: list[int] = []

    def take_a_second(value: int) -> int:
        calls.append(value)
        clock.advance(1.0)
        return value

    engine.prepare(value_bytes=VALUE_BYTES, functions=[EngineFunction("ww_slow", 1, take_a_second)], converters={})
    calls_of_it = " + ".join(f"ww_slow({number})" for number in range(9))
    slow = make_plan(
        f'INSERT INTO main."app.notes" ("_owner", "id", "stars") VALUES (?1, ?2, {calls_of_it})',
        inserts=True,
        functions=["ww_slow"],
    )
    group = make_group(catalog, now=clock.monotonic)
    answers = group.run(engine, [add(1), request((slow, ("eve", 5)), time_ms=2_500), add(2)])
    assert [found(answer) for answer in answers] == ["[[1]]", "QUERY_TIMEOUT", "[[2]]"]
    assert calls == [0, 1, 2]
    assert row_ids(engine) == [1, 2]
