"""Each statement has PostgreSQL's answer or is refused: recorded by scripts/record_sql_answers.py."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from support.engine import Engine
from support.sql_cases import CASES, COLUMNS, POSTGRES_TYPES, STATE, SqlCase, engine_with_rows
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.literals import read_literal
from watchword_server.sql.types import SqlType

ANSWERS = json.loads((Path(__file__).parent / "sql_answers.json").read_text(encoding="utf-8"))
TYPES = {title: type_ for type_, title in POSTGRES_TYPES.items()} | {"character varying": SqlType.TEXT}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = engine_with_rows()
    yield engine
    engine.close()


def stored(rows: Sequence[Sequence[str | None]], types: Sequence[SqlType]) -> list[tuple[Any, ...]]:
    """PostgreSQL's texts in stored form."""
    return [
        tuple(None if text is None else read_literal(text, type_) for text, type_ in zip(row, types, strict=True))
        for row in rows
    ]


def test_what_may_fail_has_a_place_in_its_text(engine: Engine) -> None:
    """None is at the beginning, where a tree stands that was made without one."""
    found = 0
    for case in CASES:
        try:
            plans = engine.plans("  " + case.sql)
        except SqlFault:
            continue
        for plan in plans:
            found += len(plan.places)
            assert all((place.at or 0) > 2 for place in (*plan.places, *plan.sums)), case.sql
    assert found > 100


def everything_of_bob(engine: Engine) -> list[tuple[Any, ...]]:
    return engine.connection.execute("SELECT * FROM \"app.v\" WHERE _owner = 'bob' ORDER BY id").fetchall()


def test_answers_are_of_these_cases() -> None:
    assert [(each["sql"], each["parameters"]) for each in ANSWERS] == [
        (case.sql, list(case.parameters)) for case in CASES
    ]
    assert len(ANSWERS) >= 300


@pytest.mark.parametrize(
    ("case", "answer"), list(zip(CASES, ANSWERS, strict=True)), ids=[case.sql[:60] for case in CASES]
)
def test_answer_is_that_of_postgresql(engine: Engine, case: SqlCase, answer: dict[str, Any]) -> None:
    bob = everything_of_bob(engine)
    engine.connection.execute("BEGIN")
    try:
        if "error" in answer or case.refused:
            with pytest.raises(SqlFault) as caught:
                engine.run(case.sql, case.parameters)
            assert case.refused in (None, caught.value.code.name)
            return
        plan, rows = engine.run(case.sql, case.parameters)
        types = [TYPES[title] for title in answer["types"]]
        assert [column.name for column in plan.columns] == answer["names"]
        assert [column.type for column in plan.columns] == types
        expected = stored(answer["rows"], types)
        if "ORDER BY" not in case.sql:
            expected, rows = sorted(expected, key=repr), sorted(rows, key=repr)
        assert repr(rows) == repr(expected)  # 1, 1.0 and True are different answers
        if "after" in answer:
            _, after = engine.run(STATE)
            assert repr(after) == repr(stored(answer["after"], [type_ for _, type_ in COLUMNS]))
    finally:
        engine.connection.execute("ROLLBACK")
    assert everything_of_bob(engine) == bob
