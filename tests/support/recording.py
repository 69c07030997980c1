"""A PostgreSQL's answers in the form in which `tests/conformance` keeps them."""

from collections.abc import Sequence
from typing import Any

from support.postgres import Answer, Postgres
from support.sql_cases import CASES, COLUMNS, POSTGRES_TYPES, ROWS, STATE
from support.sql_subjects.subject import Case, Schema, Subject

__all__ = ["Recorder", "record_cases", "record_subject", "without_message"]

# Roles of PostgreSQL's: the users, and what they are members of.
_USERS = ("ada", "bob", "carol")
_GROUPS = ("chatters", "services")
# Another plan for the same statement: what differs then was not decided by it.
_OTHERWISE = ("enable_hashagg", "enable_hashjoin", "enable_mergejoin", "enable_seqscan")


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

    def ask(self, sql: str, parameters: Sequence[Any] = (), *, counts: bool = False) -> dict[str, Any]:
        """One statement with its answer: `names`, `types`, `rows`; or `error`, the SQLSTATE, and its `message`.

        `counts`: and how many rows it wrote, `count`.
        """
        answer = self.postgres.ask(sql, [_text(value) for value in parameters])
        count = {"count": int(answer.tag.split()[-1])} if counts and not answer.error else {}
        return {"sql": sql, "parameters": list(parameters), **self._said(answer), **count}

    def _said(self, answer: Answer) -> dict[str, Any]:
        if answer.error:
            return {"error": answer.error, "message": answer.message}
        return {
            "names": list(answer.names),
            "types": [self._types.get(oid, "record") for oid in answer.types],
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


def without_message(answer: dict[str, Any]) -> dict[str, Any]:
    """What is compared: the words change from version to version, and may name any one row."""
    return {name: value for name, value in answer.items() if name != "message"}


def record_subject(postgres: Postgres, subject: Subject) -> list[dict[str, Any]]:
    """The answers to a subject's cases; of a write, the tables that are others afterwards. Leaves no trace.

    Raises:
        ValueError: PostgreSQL itself answers otherwise when the rows lie in another order: no case.
    """
    recorder = Recorder(postgres)
    _lay_out(recorder, subject.schema, backwards=False)
    found = [_record_case(recorder, subject.schema, case) for case in subject.cases]
    recorder.do('DROP SCHEMA "default" CASCADE')
    _lay_out(recorder, subject.schema, backwards=True)
    recorder.do(*(f"SET {each} = off" for each in _OTHERWISE))
    again = [_record_case(recorder, subject.schema, case) for case in subject.cases]
    recorder.do('DROP SCHEMA "default" CASCADE', "RESET ALL")
    undecided = [
        case.id
        for case, one, other in zip(subject.cases, found, again, strict=True)
        if without_message(one) != without_message(other)
    ]
    if undecided:
        raise ValueError("\n  ".join(["not decided by the statement:", *undecided]))
    return found


def _lay_out(recorder: Recorder, schema: Schema, *, backwards: bool) -> None:
    """The tables with their rows in the schema `default`, as its owner, and the roles."""
    recorder.do('CREATE SCHEMA "default"', 'SET search_path = "default"')
    for table in schema.tables:
        recorder.do(f"CREATE TABLE {table.name} ({table.columns})")
        rows = reversed(table.rows) if backwards else table.rows
        recorder.do(*(f"INSERT INTO {table.name} VALUES {row}" for row in rows))
        if schema.has_policies:
            recorder.do(f"CREATE VIEW all_{table.name} AS SELECT * FROM {table.name}")
    if schema.has_policies:
        known = {row[0] for row in recorder.postgres.ask("SELECT rolname FROM pg_roles").rows}
        recorder.do(*(f"CREATE ROLE {each}" for each in (*_GROUPS, *_USERS) if each not in known))
        recorder.do(
            f"GRANT chatters TO {', '.join(_USERS)}",
            'GRANT USAGE ON SCHEMA "default" TO chatters',
            'GRANT ALL ON ALL TABLES IN SCHEMA "default" TO chatters',
        )
    words = {name: theirs for name, (theirs, _) in (schema.words or {}).items()}
    recorder.do(*(each.format_map(words) for each in schema.further))


def _record_case(recorder: Recorder, schema: Schema, case: Case) -> dict[str, Any]:
    """One case's answer; it is rolled back. Rows without an order are sorted."""
    recorder.do("BEGIN")
    before = _state(recorder, schema) if case.is_write else {}
    if case.user:
        recorder.do(f"SET LOCAL ROLE {case.user}")
    found: dict[str, Any] = {"user": case.user} if case.user else {}
    found |= recorder.ask(case.sql, case.parameters, counts=case.is_write)
    if "rows" in found and not case.is_ordered:
        found["rows"].sort(key=repr)
    if case.is_write and "error" not in found:
        recorder.do("RESET ROLE")
        after = _state(recorder, schema)
        found["after"] = {name: rows for name, rows in after.items() if rows != before[name]}
    recorder.do("ROLLBACK")
    return found


def _state(recorder: Recorder, schema: Schema) -> dict[str, list[list[str | None]]]:
    """All rows of every table, sorted."""
    return {
        table.name: sorted(recorder.ask(f"SELECT * FROM {table.name}")["rows"], key=repr) for table in schema.tables
    }


def _text(value: object) -> str | None:
    """A parameter in PostgreSQL's text form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
