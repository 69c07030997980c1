"""A PostgreSQL's answers in the form in which `tests/conformance` keeps them."""

from collections.abc import Sequence
from typing import Any

from support.postgres import Answer, Postgres
from support.sql_cases import CASES, COLUMNS, POSTGRES_TYPES, ROWS, STATE

__all__ = ["Recorder", "record_cases"]


class Recorder:
    """A connection whose answers are written down."""

    def __init__(self, postgres: Postgres) -> None:
        self.postgres = postgres
        types = postgres.ask("SELECT oid, format_type(oid, null) FROM pg_type").rows
        self._types = {int(oid or 0): name or "" for oid, name in types}

    def do(self, *statements: str) -> None:
        """Statements that must succeed."""
        for statement in statements:
            answer = self.postgres.ask(statement)
            if answer.error:
                raise ValueError(f"{statement}\n{answer.message}")

    def ask(self, sql: str, parameters: Sequence[Any] = ()) -> dict[str, Any]:
        """One statement with its answer: `names`, `types`, `rows`; or `error`, the SQLSTATE, and its `message`."""
        answer = self.postgres.ask(sql, [_text(value) for value in parameters])
        return {"sql": sql, "parameters": list(parameters), **self._said(answer)}

    def _said(self, answer: Answer) -> dict[str, Any]:
        if answer.error:
            return {"error": answer.error, "message": answer.message}
        return {
            "names": list(answer.names),
            "types": [self._types[oid] for oid in answer.types],
            "rows": [list(row) for row in answer.rows],
        }


def record_cases(postgres: Postgres) -> list[dict[str, Any]]:
    """The answers to `support.sql_cases`; of a write, the table afterwards too. Leaves no trace."""
    recorder = Recorder(postgres)
    columns = ", ".join(f"{name} {POSTGRES_TYPES[type_]}" for name, type_ in COLUMNS)
    recorder.do(
        "CREATE SCHEMA app",
        "SET search_path = app",
        f"CREATE TABLE v ({columns}, PRIMARY KEY (id))",
        *(f"INSERT INTO v VALUES {row}" for row in ROWS),
    )
    found = [_record(recorder, case.sql, case.parameters) for case in CASES]
    recorder.do("DROP SCHEMA app CASCADE")
    return found


def _record(recorder: Recorder, sql: str, parameters: Sequence[Any]) -> dict[str, Any]:
    """One statement's answer; it is rolled back."""
    recorder.do("BEGIN")
    answer = recorder.ask(sql, parameters)
    if "error" not in answer and not sql.startswith("SELECT"):
        answer["after"] = recorder.ask(STATE)["rows"]
    recorder.do("ROLLBACK")
    return answer


def _text(value: object) -> str | None:
    """A parameter in PostgreSQL's text form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
