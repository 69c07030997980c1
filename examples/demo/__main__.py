"""The story, chapter by chapter."""

import asyncio
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Final

from msgspec.structs import replace

import watchword
from examples.demo.behaviours import (
    UNSEEN,
    early_cases,
    find_early_ends,
    limit_cases,
    open_cases,
    request_cases,
    slow_cases,
)
from examples.demo.case import Case, Outcome, missing_rows, run_case
from examples.demo.client import count_exceptions
from examples.demo.credentials import PASSWORD, malformed_cases, password_cases, token_cases
from examples.demo.hostile import attempt_all, find_traces
from examples.demo.lifetime import LIFETIME_S, watch_lives
from examples.demo.likeness import find_unlike
from examples.demo.narrow import NARROW, narrow_cases, silent_case
from examples.demo.owners import define_tables, send_same_texts
from examples.demo.page import Page
from examples.demo.servers import DemoFailed, Server, run_command, start_server, write_settings
from examples.demo.shutdown import stop_server
from examples.demo.tokens import AUDIENCE, ISSUER, REVOKED_ID, SECRET, mint
from examples.demo.welcome import ask_who_am_i, welcome_all
from watchword_server.adapters.sqlite.accounts import SqliteAccounts
from watchword_server.adapters.sqlite.data_directory import DataDirectory
from watchword_server.adapters.sqlite.database import open_database
from watchword_server.auth.account import RevokedToken

_ENVIRONMENT: Final = {"WATCHWORD_AUTH__JWT_SECRET": SECRET}
_USERS: Final = {
    "ada": "user",
    "grace": "service",
    "root": "system",
    "bob": "user",
    "carol": "user",
    "dan": "user",
    "erin": "user",
    "frank": "user",
}
_MAX_FAILURES: Final = 8  # more than the other chapters use up for one name
_CONNECTIONS_PER_USER: Final = 3
_MAX_MESSAGE_BYTES: Final = 65_536
_MESSAGES_PER_S: Final = 20
_FLOOD_MESSAGES: Final = 300  # the burst of 40 and the patience for 200 more are used up before
_SETTINGS: Final[dict[str, dict[str, object]]] = {
    "auth": {
        "jwt_trusted_issuers": [ISSUER],
        "audience": AUDIENCE,
        "leeway_s": 0,
        "auth_timeout_s": 2,
        "max_failures": _MAX_FAILURES,
    },
    "handshake": {"header_timeout_s": 2},
    "limits": {
        "connections_per_user": _CONNECTIONS_PER_USER,
        "max_message_bytes": _MAX_MESSAGE_BYTES,
        "messages_per_s": _MESSAGES_PER_S,
    },
}

# What may go wrong beside the servers' answers: told in one sentence.
_FAILURES: Final = (DemoFailed, OSError, EOFError, TimeoutError, ValueError, watchword.WatchwordError)


async def prepare(data: Path) -> str:
    """Users of every kind, by the command line; what it cannot do yet, in the database. A token that will be stale."""
    command = partial(run_command, environment=_ENVIRONMENT)
    for name, role in _USERS.items():
        await command(
            *("user", "add", name, "--role", role, "--password-stdin", "--data", str(data)), password=PASSWORD
        )
    stale = mint("bob")
    await command("user", "passwd", "bob", "--password-stdin", "--data", str(data), password=f"{PASSWORD}!")
    await command("user", "delete", "carol", "--data", str(data))
    with DataDirectory(data) as directory:
        async with await open_database(directory.database) as database:
            accounts = SqliteAccounts(database)
            await accounts.revoke(RevokedToken("token", ISSUER, REVOKED_ID, time.time() + 3600))
            if (dan := await accounts.by_name("dan")) is not None:
                await accounts.replace(replace(dan, locked=True))
    return stale


async def run_all(page: Page, cases: Iterable[Case], closing: Server, refusing: Server | None) -> list[Outcome]:
    """One after the other; shown when all are done."""
    outcomes = [await _run(case, closing, refusing) for case in cases]
    page.show_outcomes(outcomes)
    return outcomes


async def _run(case: Case, closing: Server, refusing: Server | None) -> Outcome:
    try:
        return await run_case(case, closing, refusing)
    except (OSError, EOFError, TimeoutError) as error:
        words = str(error) or type(error).__name__
        raise DemoFailed(f"{case.sent} (by {case.by}): no answer came, but {words}") from error


async def tell_story(page: Page, folder: Path) -> None:
    """The whole demo, in a folder of its own."""
    page.tell("Setting up: users by `watchword user add`, then three servers by `watchword serve --port 0`.")
    data = {name: folder / name for name in ("close", "http", "narrow")}
    stale = await prepare(data["close"])
    for name in ("http", "narrow"):
        shutil.copytree(data["close"], data[name])
    over_http = {**_SETTINGS, "handshake": {**_SETTINGS["handshake"], "reject": "http"}}
    narrow = {**NARROW, "auth": {**_SETTINGS["auth"], **NARROW["auth"], "auth_timeout_s": 5}}
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(
                start_server(name, folder, data[name], write_settings(folder / f"{name}.toml", settings), _ENVIRONMENT)
            )
            for name, settings in (("close", _SETTINGS), ("http", over_http), ("narrow", narrow))
        ]
        closing, refusing, narrow_server = servers
        page.tell(f'{closing.url} closes with a code that browsers can read (handshake.reject = "close"),')
        page.tell(f'{refusing.url} refuses the upgrade with an HTTP status ("http"),')
        page.tell(f"{narrow_server.url} has narrow limits. Tokens are HS256, leeway_s is 0.")

        page.head("Who comes in, and the user context that the server gives")
        page.show_guests(await welcome_all(closing))
        page.show_context(await ask_who_am_i(closing))

        await show_sql(page, closing)
        outcomes = await show_refusals(page, stale, closing, refusing, narrow_server)

        page.head(f"A token of {LIFETIME_S} seconds ends its connection; another one is renewed")
        page.show_lives(await watch_lives(closing, page.count_down))

        page.head("The server stops (SIGTERM)")
        stopped = await stop_server(closing)
        page.show_outcomes([stopped])
        outcomes.append(stopped)

    page.show_unseen(UNSEEN)
    count = len({outcome.told.code for outcome in outcomes})
    missing = [f"nothing provoked {name}" for name in missing_rows(outcomes, UNSEEN)]
    page.show_check(f"{count} error codes were provoked; of those that end a connection none is missing.", missing)


async def show_sql(page: Page, server: Server) -> None:
    """Whose rows a statement meets, and what it cannot reach."""
    await define_tables(server)
    page.head("The same SQL by two users, each of whom sees only their own")
    page.show_shared(await send_same_texts(server))
    page.head("Hostile statements")
    page.show_attempts(await attempt_all(server))
    page.show_check("None of that has changed anything.", await find_traces(server))


async def show_refusals(
    page: Page, stale: str, closing: Server, refusing: Server, narrow_server: Server
) -> list[Outcome]:
    """Every refusal, chapter by chapter."""
    waiting = [*((case, closing) for case in slow_cases()), (silent_case(), narrow_server)]
    slow = [asyncio.ensure_future(_run(case, server, None)) for case, server in waiting]  # beside all others
    outcomes: list[Outcome] = []
    try:
        page.head("Bad tokens")
        page.tell("by: H the Authorization header, S the subprotocol, M the first message")
        page.tell('HTTP: the status where handshake.reject is "http"; close, advice: where it is "close"')
        tokens = await run_all(page, token_cases(stale), closing, refusing)
        count, differences = await count_exceptions(stale, closing, refusing)
        page.show_check(f"The Python client raised the exception of the row {count} times.", differences)
        page.show_check("An unknown and a deleted user cannot be told apart.", await find_unlike(closing, refusing))
        chapters = {
            "Bad passwords": password_cases(_MAX_FAILURES),
            "Credentials that cannot be read": malformed_cases(),
            "Requests": request_cases(),
            "Before authentication": early_cases(),
            "After authentication": open_cases(_MAX_MESSAGE_BYTES, _FLOOD_MESSAGES),
        }
        outcomes += tokens
        for heading, cases in chapters.items():
            page.head(heading)
            outcomes += await run_all(page, cases, closing, refusing)
        page.show_check("What ends it before goes on now, answered by `error`.", await find_early_ends(closing))
        page.head("Limits and deadlines")
        limits = [await _run(case, closing, refusing) for case in limit_cases(_CONNECTIONS_PER_USER)]
        limits += await asyncio.gather(*slow)
        limits += [await _run(case, narrow_server, None) for case in narrow_cases()]
        page.show_outcomes(limits)
        return outcomes + limits
    finally:
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)


async def run(page: Page) -> int:
    """The demo in a temporary folder; the exit status."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  # a coroutine runs in one
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with tempfile.TemporaryDirectory(prefix="watchword-demo-") as folder:
        await tell_story(page, Path(folder))
    return page.finish()


def main() -> int:
    """Run; what goes wrong is one sentence."""
    try:
        return asyncio.run(run(Page()))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("\ndemo: interrupted; the servers are stopped and their data is removed", file=sys.stderr)
        return 130
    except _FAILURES as error:
        print(f"\ndemo: {error or type(error).__name__}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
