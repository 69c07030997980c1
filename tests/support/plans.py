"""Plans written by hand, for the store's tests, against two tables of their own."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from support.parsing import statement_of
from watchword_protocol.errors import ErrorCode
from watchword_server.sql.catalog import AccessLevel, Column, Table, TableId, TableType
from watchword_server.sql.definer import Definer
from watchword_server.sql.definition_nodes import Definition
from watchword_server.sql.engine_functions import EngineFunction
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.plan import OutputColumn, Permissions, Plan
from watchword_server.sql.store import Once, Outcome, StoredValue, Transaction
from watchword_server.sql.types import SqlType
from watchword_server.user import Role

__all__ = [
    "ADD",
    "CREATE_APP",
    "CREATE_NOTES",
    "CREATE_PRICES",
    "DROP_NOTES",
    "FIND",
    "FUNCTIONS",
    "LIST",
    "NEXT",
    "NOTES",
    "PRICES",
    "ROOT",
    "RUNAWAY_READ",
    "RUNAWAY_WRITE",
    "definition_of",
    "make_plan",
    "once",
    "request",
]

NOTES: Final = Table(
    TableId(1),
    "app",
    "notes",
    TableType.USER,
    AccessLevel.PRIVATE,
    (
        Column("id", SqlType.BIGINT, not_null=True),
        Column("title", SqlType.TEXT, not_null=True, has_default=True, default="it's untitled"),
        Column("stars", SqlType.SMALLINT),
        Column("body", SqlType.BYTES),
    ),
    ("id",),
    "root",
)
PRICES: Final = Table(
    TableId(2),
    "app",
    "prices",
    TableType.SHARED,
    AccessLevel.PUBLIC,
    (Column("id", SqlType.BIGINT, not_null=True), Column("price", SqlType.DOUBLE)),
    ("id",),
    "root",
)

ROOT: Final = Definer("root", Role.SYSTEM)
"""Who makes these tables."""


def definition_of(sql: str) -> Definition:
    """The one definition of a text."""
    statement = statement_of(sql)
    assert isinstance(statement, Definition)
    return statement


CREATE_APP: Final = definition_of("CREATE NAMESPACE app")
CREATE_NOTES: Final = definition_of(
    "CREATE USER TABLE app.notes (id BIGINT PRIMARY KEY, title TEXT NOT NULL DEFAULT 'it''s untitled', "
    "stars SMALLINT, body BYTES)"
)
CREATE_PRICES: Final = definition_of(
    "CREATE SHARED TABLE app.prices (id BIGINT PRIMARY KEY, price DOUBLE) WITH (ACCESS_LEVEL = 'public')"
)
DROP_NOTES: Final = definition_of("DROP TABLE app.notes")


def make_plan(
    text: str,
    *,
    columns: Sequence[tuple[str, SqlType]] = (),
    reads: Iterable[str] = (),
    inserts: bool = False,
    updates: Iterable[str] = (),
    deletes: bool = False,
    functions: Iterable[str] = (),
    table: Table = NOTES,
) -> Plan:
    """A plan about one table; `reads` and `updates` are columns of it."""
    physical = f"{table.namespace}.{table.name}"
    permissions = Permissions(
        reads=frozenset((physical, column) for column in reads),
        inserts=frozenset({physical} if inserts else ()),
        updates=frozenset((physical, column) for column in updates),
        deletes=frozenset({physical} if deletes else ()),
        functions=frozenset(functions),
    )
    outputs = tuple(OutputColumn(name, type_) for name, type_ in columns)
    is_write = bool(inserts or updates or deletes)
    return Plan(text, (), outputs, permissions, frozenset({table.id}), 0, is_write)


ADD: Final = make_plan(
    'INSERT INTO main."app.notes" ("_owner", "id", "title") VALUES (?1, ?2, ?3) RETURNING "id"',
    columns=[("id", SqlType.BIGINT)],
    reads=["id"],
    inserts=True,
)
FIND: Final = make_plan(
    'SELECT n."title" FROM (SELECT "title" FROM main."app.notes" WHERE "_owner" = ?1 AND "id" = ?2) AS n',
    columns=[("title", SqlType.TEXT)],
    reads=["_owner", "id", "title"],
)
LIST: Final = make_plan(
    'SELECT n."id", n."title" FROM (SELECT "id", "title" FROM main."app.notes" WHERE "_owner" = ?1) AS n ORDER BY 1',
    columns=[("id", SqlType.BIGINT), ("title", SqlType.TEXT)],
    reads=["_owner", "id", "title"],
)

NEXT: Final = make_plan(
    'INSERT INTO main."app.notes" ("_owner", "id", "title") SELECT ?1, ifnull(max("id"), 0) + 1, ?2 '
    'FROM main."app.notes" RETURNING "id"',
    columns=[("id", SqlType.BIGINT)],
    reads=["id"],
    inserts=True,
    functions=["ifnull", "max"],
)
"""A note of the next free id: run twice, there are two."""

_TEN: Final = "(VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9))"
_FOR_EVER: Final = f"(SELECT count(*) FROM {', '.join(f'{_TEN} AS t{number}' for number in range(12))})"
RUNAWAY_READ: Final = make_plan(f"SELECT {_FOR_EVER}", columns=[("n", SqlType.BIGINT)], functions=["count"])
RUNAWAY_WRITE: Final = make_plan(
    f'INSERT INTO main."app.notes" ("_owner", "id") VALUES (?1, {_FOR_EVER})', inserts=True, functions=["count"]
)


def _complain(_value: object) -> object:
    raise SqlFault(ErrorCode.TYPE_MISMATCH, "Division by zero.")


def _stumble(_value: object) -> object:
    raise LookupError("nothing")


FUNCTIONS: Final = (EngineFunction("ww_complain", 1, _complain), EngineFunction("ww_stumble", 1, _stumble))
"""One that refuses its argument, one with a fault of its own."""


def request(
    *statements: tuple[Plan, Sequence[StoredValue]],
    user: str = "ada",
    time_ms: int = 5_000,
    rows: int = 1_000,
    result_bytes: int = 100_000,
) -> Transaction:
    """A request of a user's, with limits that no test meets by accident."""
    return Transaction(statements, user, time_ms, "time_ms", rows, result_bytes)


def once(
    *statements: tuple[Plan, Sequence[StoredValue]],
    key: str = "k-1",
    what: bytes = b"this",
    at: float = 1_800_000_000.0,
    kept_bytes: int = 1_000_000,
    **limits: Any,
) -> Once:
    """A request with a key; `what` it is stands for its text. Its rows are what is kept."""
    asked = request(*statements, **limits)
    members = {name: getattr(asked, name) for name in asked.__struct_fields__}
    return Once(**members, key=key, fingerprint=what, at=at, encode=_join_rows, kept_bytes=kept_bytes)


def _join_rows(outcomes: Sequence[Outcome]) -> bytes:
    return b" ".join(outcome.rows for outcome in outcomes)
