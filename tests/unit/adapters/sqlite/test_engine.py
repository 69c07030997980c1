"""The one function through which users' statements run."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import pytest

from support.engine_room import make_engine, row_ids
from support.plans import ADD, make_plan
from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.engine import CACHED_STATEMENTS, Engine
from watchword_server.refusal import Refused
from watchword_server.sql.plan import Plan
from watchword_server.sql.types import SqlType


@pytest.fixture
def engine() -> Iterator[Engine]:
    with make_engine() as (engine, _):
        yield engine


def run(engine: Engine, plan: Plan, *values: str | int) -> bytes:
    if plan.is_write and not engine.in_transaction:
        engine.execute("BEGIN")
    return engine.run(plan, values, max_rows=10, max_bytes=10_000_000).rows


def test_constants_that_are_no_text_are_in_nobodys_way(engine: Engine) -> None:
    plan = make_plan("SELECT length(x'0aff00')", columns=[("n", SqlType.INT)], functions=["length"])
    assert run(engine, plan) == b"[[3]]"


def test_a_write_outside_of_a_transaction_does_not_run(engine: Engine) -> None:
    """It would be committed, whatever is answered."""
    with pytest.raises(RuntimeError, match="outside of a transaction"):
        engine.run(ADD, ("ada", 1, "t"), max_rows=10, max_bytes=1_000)
    assert not row_ids(engine)


def test_more_plans_than_are_remembered_run_all_the_same(engine: Engine) -> None:
    for _ in range(2):
        for number in range(2 * CACHED_STATEMENTS):
            plan = make_plan(f"SELECT {number}", columns=[("n", SqlType.BIGINT)])
            assert run(engine, plan) == b"[[%d]]" % number


def test_large_statements_do_not_stay_prepared_until_memory_ends(engine: Engine) -> None:
    asked: list[object] = []  # once, when a statement is prepared

    def judge(*what: object) -> int:
        asked.append(what)
        return sqlite3.SQLITE_OK

    engine.set_authorizer(judge)
    small = make_plan("SELECT 1", columns=[("n", SqlType.BIGINT)])
    for number in range(9):
        run(engine, make_plan(f"SELECT {number} /* {'x' * 50_000} */", columns=[("n", SqlType.BIGINT)]))
        run(engine, small)
    asked.clear()
    run(engine, small)
    assert not asked
    for number in range(10, 13):
        run(engine, make_plan(f"SELECT {number} /* {'x' * 50_000} */", columns=[("n", SqlType.BIGINT)]))
    asked.clear()
    assert run(engine, small) == b"[[1]]"
    assert asked


def test_after_a_plan_statements_of_ours_reach_everything_again(engine: Engine) -> None:
    run(engine, ADD, "ada", 1, "t")
    with pytest.raises(Exception, match="prohibited"):
        run(engine, make_plan("SELECT name FROM users", columns=[("n", SqlType.TEXT)]))
    assert engine.execute("SELECT name FROM users").fetchall() == []


def test_a_large_value_cannot_stand_in_one_row_so_often_that_memory_ends(engine: Engine) -> None:
    """A row is a tuple of Python's before anybody can measure it."""
    engine.prepare(value_bytes=1_048_576, functions=(), converters={})
    run(engine, ADD, "ada", 1, "x" * 1_000_000)
    select = 'SELECT {} FROM main."app.notes"'
    wide, narrow = (
        replace(
            make_plan(
                select.format(", ".join(["title"] * count)), columns=[("title", SqlType.TEXT)] * count, reads=["title"]
            ),
            made_values=count - 1,
        )
        for count in (400, 5)
    )
    with pytest.raises(Refused, match="so many columns") as refusal:
        run(engine, wide)
    assert refusal.value.code is ErrorCode.RESULT_TOO_LARGE
    assert len(run(engine, narrow)) > 5_000_000, "and others run as before"
