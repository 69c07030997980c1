"""Ask a PostgreSQL 15 of its own what it answers to `tests/support/sql_cases.py`, and keep it for the tests.

    python scripts/record_sql_answers.py

Writes tests/conformance/sql_answers.json. The tests replay it; they need no PostgreSQL.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.postgres import Answer, Postgres, running_postgres  # noqa: E402  # found by the line above
from support.sql_cases import CASES, COLUMNS, POSTGRES_TYPES, ROWS, STATE  # noqa: E402  # as above

ANSWERS = ROOT / "tests" / "conformance" / "sql_answers.json"


def main() -> None:
    """Record all cases."""
    with running_postgres() as directory:
        postgres = Postgres(directory)
        columns = ", ".join(f"{name} {POSTGRES_TYPES[type_]}" for name, type_ in COLUMNS)
        for statement in (
            "CREATE SCHEMA app",
            "SET search_path = app",
            f"CREATE TABLE v ({columns}, PRIMARY KEY (id))",
            *(f"INSERT INTO v VALUES {row}" for row in ROWS),  # noqa: S608  # rows of ours
        ):
            answer = postgres.ask(statement)
            if answer.error:
                raise SystemExit(f"{statement}\n{answer.message}")
        types = postgres.ask("SELECT oid, format_type(oid, null) FROM pg_type").rows
        names = {int(oid or 0): name or "" for oid, name in types}
        entries = [entry(postgres, names, case.sql, case.parameters) for case in CASES]
        postgres.close()
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in entries)
    ANSWERS.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{len(entries)} answers in {ANSWERS.relative_to(ROOT)}")


def entry(postgres: Postgres, types: dict[int, str], sql: str, parameters: Sequence[Any]) -> dict[str, object]:
    """One statement's answer; of a write, the table afterwards too. It is rolled back."""
    postgres.ask("BEGIN")
    answer = postgres.ask(sql, [text(value) for value in parameters])
    found: dict[str, object] = {"sql": sql, "parameters": list(parameters), **said(answer, types)}
    if answer.error is None and not sql.startswith("SELECT"):
        found["after"] = [list(row) for row in postgres.ask(STATE).rows]
    postgres.ask("ROLLBACK")
    return found


def said(answer: Answer, types: dict[int, str]) -> dict[str, object]:
    """An answer for the file."""
    if answer.error:
        return {"error": answer.error, "message": answer.message}
    return {
        "names": list(answer.names),
        "types": [types[oid] for oid in answer.types],
        "rows": [list(row) for row in answer.rows],
    }


def text(value: object) -> str | None:
    """A parameter in PostgreSQL's text form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


if __name__ == "__main__":
    main()
