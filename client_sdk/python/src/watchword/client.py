"""The client: one handle for a connection that is kept open."""

import asyncio
import random as random_module
import time
import warnings
from collections.abc import Awaitable, Callable, Generator, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from msgspec.structs import replace

from watchword.address import complete_url
from watchword.argument import check_key, check_seconds
from watchword.asking import ask
from watchword.credentials import Credential, Present, Token
from watchword.exceptions import Closed
from watchword.link import Link, LinkOptions
from watchword.rows import Row, Rows, read_rows
from watchword.state import State, Status, Statuses
from watchword.timing import Timing
from watchword.upgrade import SocketOptions
from watchword.user import User
from watchword.values import Value, to_parameters
from watchword_protocol.messages import Query, Statement

if TYPE_CHECKING:
    from ssl import SSLContext

__all__ = ["Client", "ConnectOptions", "QueryOptions", "connect"]


class ConnectOptions(TypedDict, total=False):
    """What `connect` takes besides url and token, for whatever passes it on."""

    user: str | None
    password: str | None
    present: Present
    reconnect: bool
    retry_first: bool
    open_timeout_s: float
    close_timeout_s: float
    token_timeout_s: float
    heartbeat_s: float
    max_message_bytes: int
    ssl: "SSLContext | None"
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[object]]
    random: Callable[[], float]


class QueryOptions(TypedDict, total=False):
    """What every question takes beside its SQL.

    as_user: Name of a user of role user, whose rows are meant; for service and up.
    timeout_ms: For the statements on the server, where its own limit is longer.
    timeout_s: For the answer to come here, 30 by default.
    idempotency_key: 1 to 128 characters that are this request's alone, such as `str(uuid.uuid4())`. Within 24 hours
        it then happens once, however often it is sent, and the first result comes back. After a lost connection the
        client sends it again by itself.
    """

    as_user: str | None
    timeout_ms: int | None
    timeout_s: float
    idempotency_key: str | None


def connect(
    url: str,
    *,
    token: Token | None = None,
    user: str | None = None,
    password: str | None = None,
    present: Present = "header",
    reconnect: bool = True,
    retry_first: bool = False,
    open_timeout_s: float = 20.0,
    close_timeout_s: float = 5.0,
    token_timeout_s: float = 30.0,
    heartbeat_s: float = 20.0,
    max_message_bytes: int = 16_777_216,
    ssl: "SSLContext | None" = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    random: Callable[[], float] = random_module.random,
) -> "Client":
    """A client of a Watchword server: `async with watchword.connect(url, token=...) as db`.

    Args:
        url: `ws://` or `wss://`; without a path, `/v1/ws` is added.
        token: A JWT, or an async function that returns one. The function is asked for every connection and before the
            token ends, to renew the open connection in place. It must not return a token that was refused; where there
            is no other, it raises AuthenticationStopped.
        user: With `password`, in place of a token. Nothing expires then.
        present: Where the credential goes: "header", "first_message", or "subprotocol" (tokens only).
        reconnect: Whether to connect again, in the background, after an open connection ended.
        retry_first: Whether to wait, by the same rules, for a server that is not there yet. False: raise at once.
        open_timeout_s: For one attempt, from the first packet to the server's answer; also for a renewal's answer.
        close_timeout_s: For the server's close frame; after it the socket is dropped. 0: at once.
        token_timeout_s: For one call of the token function.
        heartbeat_s: Between two pings of ours, and for the answer to each; without one the link is given up.
        max_message_bytes: The largest message taken from the server.
        ssl: For `wss://` with certificates of your own.
        clock, sleep, random: Time in seconds, waiting, and chance from 0 to 1; for tests.
    Returns:
        A client that is not open yet. `async with` opens and closes it; `await` opens it, and `close()` is then yours.
    Raises:
        ValueError, TypeError: An argument is wrong; the sentence says what to give.
        ServerError: On opening: the server refused the credential or the connection; one class for each code.
        ConnectFailed: On opening: no server there, or none of ours.
    Cancelling: leaves nothing behind. Source: docs/reference/protocol.md, "What a client does".
    """
    address = complete_url(url)
    if ssl is not None and not address.startswith("wss:"):
        raise ValueError("ssl is for a wss:// url")
    socket = SocketOptions(open_timeout_s, close_timeout_s, heartbeat_s, max_message_bytes, ssl)
    options = LinkOptions(present, reconnect, retry_first, token_timeout_s, socket)
    return Client(Link(address, Credential(token, user, password, present), options, Timing(clock, sleep, random)))


class Client:
    """A connection that is kept open. Made by `connect`; one event loop, any number of tasks."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._is_opened = False

    # Opening and closing

    async def __aenter__(self) -> "Client":
        self._is_opened = True
        await self._link.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __await__(self) -> Generator[Any, None, "Client"]:
        return self.__aenter__().__await__()

    async def close(self) -> None:
        """Close, with a close handshake, within `close_timeout_s`. Closing twice is harmless."""
        await self._link.close()

    def __del__(self) -> None:
        if self._is_opened and self.state is not State.CLOSED:
            warnings.warn(f"{self!r} was not closed; use `async with`", ResourceWarning, source=self, stacklevel=2)
            self._link.abandon()

    # Looking

    @property
    def user(self) -> User:
        """Who the server takes this client for; while reconnecting, what it said last.

        Raises:
            Closed: It was never open.
        """
        if self._link.user is None:
            raise Closed("The client was never open; use `async with`.")
        return self._link.user

    @property
    def url(self) -> str:
        """Where the server is."""
        return self._link.url

    @property
    def state(self) -> State:
        """What the client is doing."""
        return self.status.state

    @property
    def status(self) -> Status:
        """What the client is doing, and why: `reason` and `advice` in it tell what ended the last connection."""
        return self._link.states.status

    def states(self) -> Statuses:
        """An async iterator over the present status and every later one; ends after CLOSED.

        Who lags by more than 64 misses the oldest. A wait for the next one can be cancelled without losing any.
        """
        return self._link.states.follow()

    async def wait_for(self, state: State, *, timeout_s: float | None = None) -> Status:
        """Wait for a state; at once where it holds.

        Raises:
            TimeoutError: It did not come in time.
            WatchwordError: The client closed, and so will not be in that state: what closed it, or Closed.
        """
        if timeout_s is not None:
            check_seconds("timeout_s", timeout_s, may_be_zero=True)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._link.states.wait_for(state)
        except TimeoutError:
            raise TimeoutError(f"Not {state.value} within {timeout_s:g} s; now {self.status}") from None

    def __repr__(self) -> str:
        who = f" as {self._link.user.name}" if self._link.user else ""
        return f"<watchword.Client {self.state.value} {self.url}{who}>"

    # Asking

    async def ping(self, *, timeout_s: float = 10.0) -> float:
        """Ask the server for a sign of life; the seconds it took.

        Raises:
            ConnectionLost: Not connected now, or the connection ended before the answer.
            TimeoutError: No answer in time.
            RateLimited: Asked too often.
        """
        check_seconds("timeout_s", timeout_s, may_be_zero=True)
        return await self._link.connection.ping(timeout_s)

    async def query(self, sql: str, *params: Value, **options: Unpack[QueryOptions]) -> Rows:
        """Run SQL; its rows.

        Args:
            sql: One statement, or several with `;` between them, which then happen together or not at all; the rows
                are those of the last one.
            params: One for each of `$1`, `$2`, ...: None, bool, int, float, str, bytes, datetime (with a time zone),
                date, UUID; for a JSON column also dict and list.
            options: See QueryOptions.
        Returns:
            Rows, each a mapping and by attribute: `row["title"]`, `row.title`. `row_count` tells how many were
            affected where none are returned.
        Raises:
            ServerError: The server refused it, with `line`, `column` and `statement`. One class for each code, such as
                InvalidSql, NotFound, PermissionDenied, ConstraintViolation, QueryTimeout.
            TypeError, ValueError: A parameter cannot be sent.
            ConnectionLost: Not connected now, or the connection ended before the answer: whether a write happened is
                not known then. With `idempotency_key` it is sent again on the next connection, and this says that there
                is none: the client closed, or is another user's now.
            CommitUnknown: The server does not know whether the write happened.
            TimeoutError: No answer within `timeout_s`; a write may still happen.
            In these three cases the same call with the same `idempotency_key` finds out.
        Cancelling: stops the waiting; a write may still happen. Source: docs/reference/sql.md.
        """
        results = await self._ask(Query(sql=sql, params=to_parameters(params)), **options)
        return results[-1]

    async def query_one(self, sql: str, *params: Value, **options: Unpack[QueryOptions]) -> Row | None:
        """The first row of `query`, or None where there is none."""
        rows = await self.query(sql, *params, **options)
        return rows[0] if rows else None

    async def query_value(self, sql: str, *params: Value, **options: Unpack[QueryOptions]) -> Value:
        """The first value of the first row of `query`, or None where there is none."""
        row = await self.query_one(sql, *params, **options)
        return None if row is None else row[0]

    async def execute_many(self, sql: str, rows: Iterable[Iterable[Value]], **options: Unpack[QueryOptions]) -> int:
        """Run one statement once for each row of parameters, in one transaction; how many rows were affected.

        At most as many rows as the server allows statements in a request, 100 by default. Raises as `query` does.
        """
        statements = [Statement(sql, to_parameters(tuple(params))) for params in rows]
        if not statements:
            return 0
        return sum(result.row_count for result in await self._ask(Query(statements=statements), **options))

    async def transaction(
        self, *statements: str | tuple[str, *tuple[Value, ...]], **options: Unpack[QueryOptions]
    ) -> list[Rows]:
        """Run statements that happen together or not at all; the rows of each.

            await db.transaction(
                ("UPDATE app.accounts SET balance = balance - $1 WHERE id = $2", 5, "a"),
                ("UPDATE app.accounts SET balance = balance + $1 WHERE id = $2", 5, "b"),
            )

        Args:
            statements: Each a text, or a text with its parameters.
        Raises:
            ServerError: As for `query`; `statement` is the index of the one that failed, and nothing happened.
            TypeError, ValueError: One is no statement, or a parameter cannot be sent; nothing was sent.
        """
        if not statements:
            return []
        return await self._ask(Query(statements=[_to_statement(each) for each in statements]), **options)

    async def _ask(
        self,
        query: Query,
        *,
        as_user: str | None = None,
        timeout_ms: int | None = None,
        timeout_s: float = 30.0,
        idempotency_key: str | None = None,
    ) -> list[Rows]:
        if idempotency_key is not None:
            check_key("idempotency_key", idempotency_key)
        query = replace(query, as_user=as_user, timeout_ms=timeout_ms, idempotency_key=idempotency_key)
        answer = await ask(self._link, query, timeout_s)
        return [read_rows(result) for result in answer.results]


def _to_statement(statement: object) -> Statement:
    match statement:
        case str():
            return Statement(statement)
        case [str(text), *values]:
            return Statement(text, to_parameters(values))
    raise TypeError(f"{statement!r:.100} is no statement: give a text, or a tuple of a text and its parameters")
