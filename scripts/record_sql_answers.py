"""Ask a PostgreSQL of its own what it answers to the cases of `tests/support`, and keep it for the tests.

    python scripts/record_sql_answers.py              all answers anew
    python scripts/record_sql_answers.py --refused    which cases we refuse anew; asks no PostgreSQL

Writes tests/conformance/sql_answers.json and tests/conformance/sql/. `make test` replays them, and needs no PostgreSQL;
`make test-postgres` holds them against a PostgreSQL again.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.placing import placed  # noqa: E402  # found by the line above
from support.postgres import NoPostgresError, Postgres, running_postgres  # noqa: E402  # as above
from support.recording import record_cases, record_subject  # noqa: E402  # as above
from support.sql_records import keep_answers, keep_refused, kept_answers  # noqa: E402  # as above
from support.sql_subjects import SUBJECTS  # noqa: E402  # as above
from support.sql_subjects.subject import Subject  # noqa: E402  # as above
from support.sql_verdicts import UNSUPPORTED, difference  # noqa: E402  # as above

ANSWERS = ROOT / "tests" / "conformance" / "sql_answers.json"


def main() -> None:
    """Record what was asked for."""
    if sys.argv[1:] == ["--refused"]:
        places = [(subject, kind) for subject in SUBJECTS for kind in subject.schema.kinds]
        keep_refused({f"{subject.name} {kind}": asyncio.run(refused(subject, kind)) for subject, kind in places})
        return
    try:
        with running_postgres() as directory:
            postgres = Postgres(directory)
            entries = record_cases(postgres)
            for subject in SUBJECTS:
                answers = record_subject(postgres, subject)
                keep_answers(subject, answers)
                print(f"{len(answers)} answers about {subject.name}")
            postgres.close()
    except NoPostgresError as error:
        raise SystemExit(str(error)) from None
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in entries)
    ANSWERS.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{len(entries)} answers in {ANSWERS.relative_to(ROOT)}")


async def refused(subject: Subject, kind: str) -> list[str]:
    """The ids of the cases that are UNSUPPORTED_SQL in tables of this type; what is otherwise wrong is printed."""
    found: list[str] = []
    answers = dict(zip((case.id for case in subject.cases), kept_answers(subject), strict=True))
    with tempfile.TemporaryDirectory() as directory:
        async with placed(Path(directory), subject.schema, kind) as place:
            for case in subject.cases:
                ours = await place.answer(case)
                wrong = difference(case, ours, answers[case.id])
                if wrong and ours.get("code") == UNSUPPORTED:
                    found.append(case.id)
                elif wrong:
                    print(f"{subject.name}, {kind}: {case.id}\n    {wrong}")
    print(f"{subject.name}, {kind}: {len(found)} of {len(subject.cases)} refused")
    return found


if __name__ == "__main__":
    main()
