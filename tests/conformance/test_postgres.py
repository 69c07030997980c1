"""The recorded answers are those of a PostgreSQL that runs now, and so are ours: `make test-postgres`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.engine import Engine
from support.postgres import NoPostgresError, Postgres, find_binaries, running_postgres
from support.postgres_versions import is_of_version
from support.recording import record_cases
from support.replaying import replay
from support.sql_cases import CASES, engine_with_rows

pytestmark = pytest.mark.postgres

ANSWERS = json.loads((Path(__file__).parent / "sql_answers.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    try:
        binaries = find_binaries()
    except NoPostgresError as error:
        pytest.exit(str(error), returncode=1)
    with running_postgres(binaries) as directory:
        postgres = Postgres(directory)
        yield postgres
        postgres.close()


@pytest.fixture(scope="module")
def live(postgres: Postgres) -> list[dict[str, Any]]:
    return record_cases(postgres)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = engine_with_rows()
    yield engine
    engine.close()


def compared(answer: dict[str, Any]) -> dict[str, Any]:
    """Without the message, whose words change from version to version."""
    return {name: value for name, value in answer.items() if name != "message"}


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.sql[:60] for case in CASES])
def test_answer_is_the_recorded_one_and_ours(
    postgres: Postgres, live: list[dict[str, Any]], engine: Engine, number: int
) -> None:
    case, answer = CASES[number], live[number]
    if not is_of_version(case.sql, postgres.version):
        pytest.skip(f"PostgreSQL {postgres.version} answers otherwise")
    assert compared(answer) == compared(ANSWERS[number])
    replay(engine, case, answer)
