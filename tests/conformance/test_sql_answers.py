"""Each statement has PostgreSQL's answer or is refused: recorded by scripts/record_sql_answers.py."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.engine import Engine
from support.replaying import replay
from support.sql_cases import CASES, SqlCase, engine_with_rows
from watchword_server.sql.fault import SqlFault

ANSWERS = json.loads((Path(__file__).parent / "sql_answers.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = engine_with_rows()
    yield engine
    engine.close()


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


def test_answers_are_of_these_cases() -> None:
    assert [(each["sql"], each["parameters"]) for each in ANSWERS] == [
        (case.sql, list(case.parameters)) for case in CASES
    ]
    assert len(ANSWERS) >= 300


@pytest.mark.parametrize(
    ("case", "answer"), list(zip(CASES, ANSWERS, strict=True)), ids=[case.sql[:60] for case in CASES]
)
def test_answer_is_that_of_postgresql(engine: Engine, case: SqlCase, answer: dict[str, Any]) -> None:
    replay(engine, case, answer)
