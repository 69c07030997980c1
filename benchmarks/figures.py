"""The figures that are measured from outside: what is loaded how, and what is read from the result."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

__all__ = ["FIGURES", "Figure", "Measure"]


class Measure(NamedTuple):
    """One number of a run: its unit, and where it stands in wsload's result."""

    unit: str
    read: Callable[[dict[str, Any]], float]


class Figure(NamedTuple):
    """One kind of load.

    `users`, `tokens`: how many there are; the tokens are presented in turn, so that one comes again after all others.
    `load`: arguments of wsload. `has_tables`: SQL runs on the tables of `benchmarks.tables`, which no yardstick has.
    """

    meaning: str
    users: int
    tokens: int
    load: tuple[str, ...]
    measures: Mapping[str, Measure]
    has_tables: bool = False


_CPU: Final = Measure("us CPU", lambda result: result["server"]["cpu_us_per_unit"])
_CHURN: Final = ("--mode", "churn", "--conns", "50", "--warmup", "2", "--time", "3")
_PING: Final = (
    *("--mode", "request", "--conns", "50", "--warmup", "1", "--time", "3"),
    *("--request", '{"type":"ping"}', "--reply-substr", '"pong"'),
)


def _sql(meaning: str, query: str, *, clients: int) -> Figure:
    """Each client is a user of its own, and sends when it has its answer."""
    return Figure(
        f"{meaning}: {clients} clients, each sends when it has its answer",
        users=clients,
        tokens=clients,
        load=(
            *("--mode", "request", "--conns", str(clients), "--warmup", "1", "--time", "3"),
            *("--request", query, "--reply-substr", '"type":"result"'),
        ),
        measures={
            "one request": _CPU,
            "answers a second": Measure("1/s", lambda result: result["requests_per_s"]),
            "answer p50": Measure("us", lambda result: result["request_us"]["p50"]),
        },
        has_tables=True,
    )


_POINT: Final = '{"type":"query","id":1,"sql":"SELECT id, body, done FROM app.notes WHERE id = $1","params":[7]}'
_ROWS: Final = '{"type":"query","id":1,"sql":"SELECT id, body, done, at FROM app.notes"}'
# {t}: microseconds since 1970, a key that comes once.
_INSERT: Final = (
    '{"type":"query","id":1,"sql":"INSERT INTO app.log (id, body) VALUES ($1, $2)",'
    '"params":["{t}","a note of some forty characters, as usual"]}'
)

_INSERT_ONCE: Final = _INSERT.removesuffix("}") + ',"idempotency_key":"0e1f6c1e-{t}"}'

# The server remembers 20,000 tokens and 20,000 users, the oldest goes first: of twice as many none is known twice.
FIGURES: Final[Mapping[str, Figure]] = {
    "handshake": Figure(
        "cold handshake and close: every token new, 1,000 users that were here before",
        users=1_000,
        tokens=100_000,
        load=_CHURN,
        measures={"handshake, cold": _CPU},
    ),
    "cached": Figure(
        "handshake and close with a token that was verified before: a client that reconnects",
        users=1_000,
        tokens=1_000,
        load=_CHURN,
        measures={"handshake, cached": _CPU},
    ),
    "first": Figure(
        "handshake and close of users that were not here before: each is read from the database",
        users=40_000,
        tokens=40_000,
        load=_CHURN,
        measures={"handshake, first visit": _CPU},
    ),
    "ping": Figure(
        "one ping message and its pong: 50 connections, each sends when it has its answer",
        users=1_000,
        tokens=1_000,
        load=_PING,
        measures={"ping": _CPU},
    ),
    "paced": Figure(
        "the same, 10,000 pings a second in all, so that every server and its client sleep equally often",
        users=1_000,
        tokens=1_000,
        load=(*_PING, "--req-rate", "10000"),
        measures={"ping, paced": _CPU},
    ),
    "burst": Figure(
        "the same, 16 pings under way on each connection",
        users=1_000,
        tokens=1_000,
        load=(*_PING, "--pipeline", "16"),
        measures={"ping, in bursts": _CPU},
    ),
    "idle": Figure(
        "5,000 authenticated connections that do nothing",
        users=1_000,
        tokens=5_000,
        load=("--mode", "idle", "--conns", "5000", "--settle", "2", "--time", "1"),
        measures={"idle connection": Measure("bytes", lambda result: result["server"]["rss_bytes_per_conn"])},
    ),
    "auth": Figure(
        "from connect() to auth_success read by the client, 500 cold handshakes a second",
        users=1_000,
        tokens=100_000,
        load=("--mode", "churn", "--conns", "200", "--rate", "500", "--warmup", "2", "--time", "3"),
        measures={
            "authentication p50": Measure("us", lambda result: result["ready_us"]["p50"]),
            "authentication p95": Measure("us", lambda result: result["ready_us"]["p95"]),
        },
    ),
    "sql-point": _sql("a SELECT of one row by its key", _POINT, clients=50),
    "sql-point-1": _sql("a SELECT of one row by its key", _POINT, clients=1),
    "sql-rows": _sql("a SELECT of 1,000 rows of four columns", _ROWS, clients=4),
    **{f"sql-insert-{clients}": _sql("an INSERT of one row", _INSERT, clients=clients) for clients in (1, 16, 64)},
    **{
        f"sql-once-{clients}": _sql("the same with an idempotency key", _INSERT_ONCE, clients=clients)
        for clients in (1, 16, 64)
    },
}
