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
    `load`: arguments of wsload.
    """

    meaning: str
    users: int
    tokens: int
    load: tuple[str, ...]
    measures: Mapping[str, Measure]


_CPU: Final = Measure("us CPU", lambda result: result["server"]["cpu_us_per_unit"])
_CHURN: Final = ("--mode", "churn", "--conns", "50", "--warmup", "2", "--time", "3")
_PING: Final = (
    *("--mode", "request", "--conns", "50", "--warmup", "1", "--time", "3"),
    *("--request", '{"type":"ping"}', "--reply-substr", '"pong"'),
)

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
}
