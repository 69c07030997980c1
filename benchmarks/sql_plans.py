"""From the text of a statement to its plan: one that was not planned before, and one that was."""

import json
import time
from statistics import median
from typing import Final

from watchword_server.sql.catalog import AccessLevel, Catalog, Column, Table, TableId, TableType
from watchword_server.sql.planner import Planner
from watchword_server.sql.types import SqlType
from watchword_server.user import Role

_PLANS: Final = 300
_STATEMENTS: Final = {
    "SELECT by key": "SELECT id, body, done FROM app.notes WHERE id = $1",
    "INSERT of a row": "INSERT INTO app.notes (id, body, done) VALUES ($1, $2, $3) RETURNING id",
    "UPDATE by key": "UPDATE app.notes SET body = upper(body) || $2 WHERE id = $1 AND NOT done RETURNING id, body",
    "groups, ordered": "SELECT done, count(*), max(length(body)) FROM app.notes WHERE at > now() "
    "AND body LIKE '%x%' GROUP BY done ORDER BY 2 DESC LIMIT 10",
    "a text of 13 KiB": "SELECT id FROM app.notes WHERE TERMS".replace("TERMS", " AND ".join(["id <> 12345"] * 800)),
}
_TABLE: Final = Table(
    id=TableId(1),
    namespace="app",
    name="notes",
    type=TableType.USER,
    access_level=AccessLevel.PRIVATE,
    columns=(
        Column("id", SqlType.BIGINT, not_null=True),
        Column("body", SqlType.TEXT, not_null=True),
        Column("done", SqlType.BOOLEAN, not_null=True),
        Column("at", SqlType.TIMESTAMP),
    ),
    primary_key=("id",),
)
_CATALOG: Final = Catalog(1, frozenset({"app"}), {("app", "notes"): _TABLE})


def measure() -> dict[str, float]:
    """Values by name and unit."""
    found: dict[str, float] = {}
    for kind, capacity in (("new", 0), ("known", 1_000)):  # a planner without memory plans everything anew
        planner = Planner(max_bytes=16_384, max_parameters=1_000, max_statements=100, capacity=capacity)
        for name, text in _STATEMENTS.items():
            found[f"{name}, {kind} (us)"] = _time_us(planner, text)
    return found


def _time_us(planner: Planner, text: str) -> float:
    samples_s = []
    for _ in range(_PLANS):
        begin = time.perf_counter()
        for _ in planner.plan(text, catalog=_CATALOG, namespace="default", role=Role.USER):
            pass
        samples_s.append(time.perf_counter() - begin)
    return median(samples_s) * 1e6


if __name__ == "__main__":
    print(json.dumps(measure()))
