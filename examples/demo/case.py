"""One refusal: what is sent, by which way, and what the error table says to it."""

from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from examples.demo.servers import Server
from examples.demo.verdict import Expected, Told, find_differences, read_told
from examples.demo.wire import Seen
from watchword_protocol.errors import ErrorCode

__all__ = ["Case", "Outcome", "missing_rows", "run_case"]


class Case(NamedTuple):
    """Something that a server refuses.

    Args:
        sent: What is wrong, for the reader.
        by: The way: H, S, M, or a word.
        expected: By the error table.
        act: Does it to the server on a port.
        by_request: It is the upgrade request that is refused, so that `handshake.reject = "http"` makes a difference.
    """

    sent: str
    by: str
    expected: Expected
    act: Callable[[int], Awaitable[Seen]]
    by_request: bool = False


class Outcome(NamedTuple):
    """A case, what the servers told, and where that is not what the table says."""

    case: Case
    told: Told
    told_over_http: Told | None
    differences: list[str]


async def run_case(case: Case, closing: Server, refusing: Server | None = None) -> Outcome:
    """Do it to the server that closes, and to the one that refuses over HTTP where that differs.

    Raises:
        OSError, EOFError, TimeoutError: The connection failed in a way that is no answer.
    """
    told = read_told(await case.act(closing.port))
    differences = find_differences(case.expected, told)
    if refusing is None or not case.by_request:
        return Outcome(case, told, None, differences)
    over_http = read_told(await case.act(refusing.port))
    expected = case.expected._replace(status=case.expected.code.http)
    return Outcome(case, told, over_http, differences + find_differences(expected, over_http))


def missing_rows(outcomes: Iterable[Outcome], unseen: Iterable[ErrorCode]) -> list[str]:
    """The rows of the table that end a connection, and were neither provoked nor named as impossible."""
    covered = {outcome.told.code for outcome in outcomes} | {code.name for code in unseen}
    return [code.name for code in ErrorCode if code.close is not None and code.name not in covered]
