"""Statements by subject, on several tables: PostgreSQL's recorded answers are ours, or we refuse them by name.

In USER and in SHARED tables, over real sockets. scripts/record_sql_answers.py records.
"""

from typing import Any

import pytest

from support.placing import Placing
from support.sql_records import kept_answers, kept_refused
from support.sql_subjects import SUBJECTS
from support.sql_subjects.subject import Case, Subject
from support.sql_verdicts import UNSUPPORTED, difference

REFUSED = {name: frozenset(ids) for name, ids in kept_refused().items()}
ASKED = [
    pytest.param(subject, kind, case, answer, id=f"{subject.name}-{kind}-{case.id[:60]}")
    for subject in SUBJECTS
    for kind in subject.schema.kinds
    for case, answer in zip(subject.cases, kept_answers(subject), strict=True)
]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("subject", "kind", "case", "answer"), ASKED)
async def test_answer_is_that_of_postgresql(
    place: Placing, subject: Subject, kind: str, case: Case, answer: dict[str, Any]
) -> None:
    ours = await (await place(subject.schema, kind)).answer(case)
    if case.id in REFUSED.get(f"{subject.name} {kind}", ()):
        assert ours.get("code") == UNSUPPORTED, "no longer refused: scripts/record_sql_answers.py --refused"
    else:
        assert difference(case, ours, answer) is None


def test_answers_are_of_these_cases() -> None:
    for subject in SUBJECTS:
        kept = [(each.get("user", ""), each["sql"], each["parameters"]) for each in kept_answers(subject)]
        assert kept == [(case.user, case.sql, list(case.parameters)) for case in subject.cases]
    policies = [case for subject in SUBJECTS if subject.schema.has_policies for case in subject.cases]
    assert len(policies) >= 60
    assert sum(len(subject.cases) for subject in SUBJECTS) >= 400 + len(policies)


def test_a_case_stands_once_and_what_is_refused_is_a_case() -> None:
    places = [(subject, kind) for subject in SUBJECTS for kind in subject.schema.kinds]
    cases = {f"{subject.name} {kind}": [case.id for case in subject.cases] for subject, kind in places}
    assert len(cases) == len(places)
    for name, ids in cases.items():
        assert len(set(ids)) == len(ids), name
        assert REFUSED.get(name, frozenset()) <= set(ids), name
    assert set(REFUSED) <= set(cases)
