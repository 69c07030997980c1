"""What counts as PostgreSQL's answer, and what does not."""

from typing import Any

import pytest

from support.sql_subjects.subject import Case, statements
from support.sql_verdicts import difference

READ = Case("SELECT id, d FROM t")
WRITE = Case("UPDATE t SET d = 2 RETURNING id")
THEIRS: dict[str, Any] = {
    "names": ["id", "d"],
    "types": ["bigint", "double precision"],
    "rows": [["1", "2"], [None, "0.5"]],
}
OURS: dict[str, Any] = {"names": ["id", "d"], "types": ["BigInt", "Double"], "rows": [[1, 2.0], [None, 0.5]]}
ERROR = {"error": "42703", "message": "column does not exist"}
CHANGED = {"names": ["id"], "types": ["integer"], "rows": [["1"]], "count": 1, "after": {"t": [["1", "2"]]}}
OURS_CHANGED = {
    "names": ["id"],
    "types": ["Int"],
    "rows": [[1]],
    "count": 1,
    "after": {"t": {"types": ["Int", "Double"], "rows": [[1, 2.0]]}},
}


@pytest.mark.parametrize(
    ("case", "ours", "theirs"),
    [
        (READ, OURS, THEIRS),
        (READ, OURS | {"rows": sorted(OURS["rows"], key=repr)}, THEIRS),
        (READ, {"code": "NOT_FOUND", "message": "no column"}, ERROR),
        (WRITE, OURS_CHANGED, CHANGED),
        (WRITE, {"code": "CONSTRAINT_VIOLATION", "message": ""}, {"error": "23505", "message": ""}),
    ],
)
def test_the_same(case: Case, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert difference(case, ours, theirs) is None


@pytest.mark.parametrize(
    ("case", "ours", "theirs", "said"),
    [
        (READ, OURS | {"names": ["id", "e"]}, THEIRS, "names"),
        (READ, OURS | {"types": ["Int", "Double"]}, THEIRS, "types"),
        (READ, OURS | {"rows": [[1, 2], [None, 0.5]]}, THEIRS, "rows"),
        (READ, OURS | {"rows": [[True, 2.0], [None, 0.5]]}, THEIRS, "rows"),
        (READ, OURS | {"rows": [[1, 2.0]]}, THEIRS, "rows"),
        (READ, {"code": "UNSUPPORTED_SQL", "message": "no"}, THEIRS, "PostgreSQL answers"),
        (READ, OURS, ERROR, "an answer"),
        (READ, {"code": "TYPE_MISMATCH", "message": "no"}, ERROR, "TYPE_MISMATCH"),
        (READ, OURS, THEIRS | {"types": ["record", "double precision"]}, "we have no type"),
        (
            READ._replace(sql="SELECT id, d FROM t ORDER BY id DESC"),
            OURS,
            THEIRS | {"rows": THEIRS["rows"][::-1]},
            "rows",
        ),
        (WRITE, OURS_CHANGED | {"count": 2}, CHANGED, "rows written"),
        (WRITE, OURS_CHANGED | {"after": {}}, CHANGED, "what changed"),
        (WRITE, OURS_CHANGED, CHANGED | {"after": {"t": [["1", "3"]]}}, "afterwards"),
    ],
)
def test_a_difference(case: Case, ours: dict[str, Any], theirs: dict[str, Any], said: str) -> None:
    assert said in (difference(case, ours, theirs) or "")


def test_a_statement_may_have_several_lines() -> None:
    text = "\nSELECT 1\n# a comment\nSELECT 2\n  FROM t\n\nSELECT 3\n"
    assert [case.sql for case in statements(text)] == ["SELECT 1", "SELECT 2 FROM t", "SELECT 3"]


@pytest.mark.parametrize(
    ("sql", "is_ordered", "is_write"),
    [
        ("SELECT 1", False, False),
        ("SELECT 1 ORDER BY 1", True, False),
        ("SELECT row_number() OVER (ORDER BY a) FROM t", False, False),
        ("SELECT (SELECT 1 FROM (SELECT 2) u ORDER BY 1) ORDER BY 1", True, False),
        ("SELECT ')', '(' FROM (SELECT 1 ORDER BY 1) t", False, False),
        ("SELECT 'INSERT'", False, False),
        ("WITH t AS (SELECT 1) INSERT INTO u SELECT 1 FROM t", False, True),
        ("DELETE FROM t RETURNING ' ORDER BY '", False, True),
    ],
)
def test_what_a_statement_is(sql: str, *, is_ordered: bool, is_write: bool) -> None:
    case = Case(sql)
    assert (case.is_ordered, case.is_write) == (is_ordered, is_write)
