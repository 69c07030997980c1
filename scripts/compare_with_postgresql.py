"""Ask a PostgreSQL 15 of its own and our engine the same random statements, and print where the answers differ.

    python scripts/compare_with_postgresql.py [SEED [COUNT]]

A difference is an answer here where PostgreSQL refuses or answers otherwise. Two kinds stay, both on purpose (see
`watchword_server.sql.planner.DIFFERENCES`) and are counted apart: an average whose squares overflow, and a constant
that fails where no row comes to it.
"""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.engine import Engine  # noqa: E402  # found by the line above
from support.postgres import Postgres, running_postgres  # noqa: E402  # as above
from support.random_sql import RandomSql  # noqa: E402  # as above
from support.sql_cases import COLUMNS, POSTGRES_TYPES, ROWS, STATE, engine_with_rows  # noqa: E402  # as above
from watchword_server.sql.fault import SqlFault  # noqa: E402  # as above
from watchword_server.sql.literals import read_literal  # noqa: E402  # as above

TYPES = {title: type_ for type_, title in POSTGRES_TYPES.items()}
# Data exceptions: what a constant may raise where no row comes to it.
DATA_EXCEPTION = "22"
CLOSE_ENOUGH = 1e-12  # sums of doubles depend on their order


def main() -> None:
    """Compare, and say how it went."""
    seed, count = (int(each) for each in (*sys.argv[1:3], *("1", "5000")[len(sys.argv) - 1 :]))
    statements = RandomSql(seed)
    verdicts: Counter[str] = Counter()
    engine = engine_with_rows()
    with running_postgres() as directory:
        postgres = Postgres(directory)
        columns = ", ".join(f"{name} {POSTGRES_TYPES[type_]}" for name, type_ in COLUMNS)
        postgres.ask("CREATE SCHEMA app")
        postgres.ask("SET search_path = app")
        postgres.ask(f"CREATE TABLE v ({columns}, PRIMARY KEY (id))")
        for row in ROWS:
            postgres.ask(f"INSERT INTO v VALUES {row}")  # noqa: S608  # rows of ours
        names = {
            int(row[0] or 0): row[1] or ""
            for row in postgres.ask("SELECT oid, format_type(oid, null) FROM pg_type").rows
        }
        for _ in range(count):
            sql = statements.statement()
            verdict = compare(postgres, engine, names, sql)
            verdicts[verdict.split(":")[0]] += 1
            if verdict.startswith("DIFFERENT"):
                print(f"{verdict}\n    {sql}")
        postgres.close()
    print(dict(verdicts))


def compare(postgres: Postgres, engine: Engine, names: dict[int, str], sql: str) -> str:
    """One statement on both; what it changed is compared too, and rolled back."""
    postgres.ask("BEGIN")
    engine.connection.execute("BEGIN")
    try:
        verdict = judge(postgres, engine, names, sql)
        if verdict == "same" and not sql.startswith("SELECT"):
            verdict = judge(postgres, engine, names, STATE).replace("DIFFERENT", "DIFFERENT afterwards")
        return verdict
    finally:
        postgres.ask("ROLLBACK")
        engine.connection.execute("ROLLBACK")


def judge(postgres: Postgres, engine: Engine, names: dict[int, str], sql: str) -> str:
    """The verdict on one statement's answers."""
    answer = postgres.ask(sql)
    try:
        plan, rows = engine.run(sql)
    except SqlFault as fault:
        return "both refuse" if answer.error else f"refused: {fault}"
    if answer.error:
        if answer.error.startswith(DATA_EXCEPTION) and ("avg(" in sql or not rows):
            return "differs on purpose"
        return f"DIFFERENT: PostgreSQL refuses: {answer.message}"
    titles = [names[oid] for oid in answer.types]
    if "numeric" in titles:
        return "numeric"
    types = [TYPES[title] for title in titles]
    if [column.name for column in plan.columns] != list(answer.names) or [each.type for each in plan.columns] != types:
        return f"DIFFERENT: columns {answer.names} {titles}, and here {plan.columns}"
    expected = [
        tuple(None if text is None else read_literal(text, type_) for text, type_ in zip(row, types, strict=True))
        for row in answer.rows
    ]
    if "ORDER BY" not in sql:
        rows, expected = sorted(rows, key=repr), sorted(expected, key=repr)
    if len(rows) == len(expected) and all(
        is_same(mine, theirs)
        for row, other in zip(rows, expected, strict=True)
        for mine, theirs in zip(row, other, strict=True)
    ):
        return "same"
    return f"DIFFERENT: {expected}, and here {rows}"


def is_same(mine: Any, theirs: Any) -> bool:
    """Equal, of the same class."""
    if isinstance(mine, float) and isinstance(theirs, float):
        return mine == theirs or abs(mine - theirs) <= CLOSE_ENOUGH * abs(theirs)
    return type(mine) is type(theirs) and bool(mine == theirs)


if __name__ == "__main__":
    main()
