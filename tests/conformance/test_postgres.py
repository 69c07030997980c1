"""The recorded answers are those of a PostgreSQL that runs now, and so are ours: `make test-postgres`."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from support.engine import Engine
from support.placing import Placing
from support.postgres import NoPostgresError, Postgres, find_binaries, running_postgres
from support.postgres_versions import is_of_version
from support.recording import record_cases, record_subject, without_message
from support.replaying import replay
from support.sql_cases import CASES, engine_with_rows
from support.sql_records import kept_answers, kept_refused
from support.sql_subjects import SUBJECTS
from support.sql_subjects.subject import Subject
from support.sql_verdicts import difference

pytestmark = pytest.mark.postgres

ANSWERS = json.loads((Path(__file__).parent / "sql_answers.json").read_text(encoding="utf-8"))
REFUSED = kept_refused()
PLACES = [
    pytest.param(subject, kind, id=f"{subject.name}-{kind}") for subject in SUBJECTS for kind in subject.schema.kinds
]

Live = Callable[[str], dict[str, dict[str, Any]]]


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
def live_subject(postgres: Postgres) -> Live:
    """What PostgreSQL says now to a subject's cases, by their ids; without those that its version answers otherwise."""

    @cache
    def ask(name: str) -> dict[str, dict[str, Any]]:
        [subject] = [each for each in SUBJECTS if each.name == name]
        answers = zip(subject.cases, record_subject(postgres, subject), strict=True)
        return {case.id: answer for case, answer in answers if is_of_version(case.sql, postgres.version)}

    return ask


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = engine_with_rows()
    yield engine
    engine.close()


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.sql[:60] for case in CASES])
def test_answer_is_the_recorded_one_and_ours(
    postgres: Postgres, live: list[dict[str, Any]], engine: Engine, number: int
) -> None:
    case, answer = CASES[number], live[number]
    if not is_of_version(case.sql, postgres.version):
        pytest.skip(f"PostgreSQL {postgres.version} answers otherwise")
    assert without_message(answer) == without_message(ANSWERS[number])
    replay(engine, case, answer)


@pytest.mark.parametrize("subject", SUBJECTS, ids=[subject.name for subject in SUBJECTS])
def test_recorded_answers_are_those_of_now(live_subject: Live, subject: Subject) -> None:
    kept = dict(zip((case.id for case in subject.cases), kept_answers(subject), strict=True))
    live = live_subject(subject.name)
    assert len(live) > len(kept) / 2
    assert [each for each, answer in live.items() if without_message(kept[each]) != without_message(answer)] == []


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("subject", "kind"), PLACES)
async def test_our_answers_are_those_of_now(live_subject: Live, place: Placing, subject: Subject, kind: str) -> None:
    ours = await place(subject.schema, kind)
    live = live_subject(subject.name)
    asked = [
        case for case in subject.cases if case.id in live and case.id not in REFUSED.get(f"{subject.name} {kind}", ())
    ]
    verdicts = [(case.id, difference(case, await ours.answer(case), live[case.id])) for case in asked]
    assert [verdict for verdict in verdicts if verdict[1]] == []
