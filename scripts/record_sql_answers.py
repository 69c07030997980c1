"""Ask a PostgreSQL of its own what it answers to `tests/support/sql_cases.py`, and keep it for the tests.

    python scripts/record_sql_answers.py

Writes tests/conformance/sql_answers.json. `make test` replays it, and needs no PostgreSQL; `make test-postgres` holds
it against a PostgreSQL again.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.postgres import NoPostgresError, Postgres, running_postgres  # noqa: E402  # found by the line above
from support.recording import record_cases  # noqa: E402  # as above

ANSWERS = ROOT / "tests" / "conformance" / "sql_answers.json"


def main() -> None:
    """Record all cases."""
    try:
        with running_postgres() as directory:
            postgres = Postgres(directory)
            entries = record_cases(postgres)
            postgres.close()
    except NoPostgresError as error:
        raise SystemExit(str(error)) from None
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in entries)
    ANSWERS.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{len(entries)} answers in {ANSWERS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
