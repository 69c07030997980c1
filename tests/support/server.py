"""A real server in the running loop: port 0, a directory of its own, a few users, and tokens for them."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import jwt
import pytest
import structlog

from support.accounts import make_account
from support.clock import FakeClock
from watchword_server.app import RunningServer, serve
from watchword_server.auth.account import Account
from watchword_server.config import Config
from watchword_server.gateway.sweep import sweep
from watchword_server.ports import Clock
from watchword_server.user import Role

__all__ = [
    "PASSWORD",
    "SECRET",
    "USERS",
    "hold_passwords",
    "log_lines",
    "pass_time",
    "running_server",
    "token",
    "until",
]

SECRET: Final = "a-secret-for-tests-that-is-long-enough"
PASSWORD: Final = "correct horse 1"
"""Of ada and of dora."""

# argon2id of PASSWORD, made once, so that no test pays for hashing it.
_HASH: Final = "$argon2id$v=19$m=19456,t=2,p=1$jc3l/C0Z3GNsgtRkDP+TGQ$aEdcdR+qYnYqn5bVb/bp4Y5LIGxKWopMJw0ydzzj+2I"

USERS: Final = {
    account.name: account
    for account in (
        make_account("ada", password_hash=_HASH, email="ada@example.org"),
        make_account("bob"),
        make_account("cleo", role=Role.DBA),
        make_account("serge", role=Role.SERVICE),
        make_account("dora", password_hash=_HASH, deleted_at=1_700_000_003.0),
        make_account("sys", role=Role.SYSTEM),
    )
}


@asynccontextmanager
async def running_server(
    directory: Path,
    *,
    dev: bool = False,
    clock: Clock | None = None,
    lines: list[Mapping[str, Any]] | None = None,
    **sections: Mapping[str, Any],
) -> AsyncGenerator[RunningServer]:
    """A server that listens, with USERS in it. It fails the test if the server met anything unexpected.

    Args:
        directory: Where its data goes.
        dev: As for `serve`.
        clock: The machine's, unless a test moves its own.
        lines: Where its log goes.
        sections: Settings by section: `auth={"leeway_s": 0}`.
    """
    defaults: Mapping[str, Mapping[str, Any]] = {
        "server": {"port": 0},
        "auth": {"jwt_secret": SECRET},
        "storage": {"path": str(directory / "data"), "synchronous": "off"},
    }
    config = Config()
    for name in {*defaults, *sections}:
        settings = {**defaults.get(name, {}), **sections.get(name, {})}
        config = replace(config, **{name: replace(getattr(config, name), **settings)})
    lines = [] if lines is None else lines
    unhandled: list[Mapping[str, Any]] = []  # what a callback or a task raised to nobody
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unhandled.append(context))
    async with serve(config, dev=dev, clock=clock, log=log_lines(lines)) as server:
        for account in USERS.values():
            if await server.accounts.by_id(account.id) is None:  # a directory that was served before has them
                await server.accounts.add(account)
        yield server
    unexpected = [line for line in lines if line["event"] == "internal error"]
    assert not unexpected + unhandled, unexpected + unhandled


def log_lines(lines: list[Mapping[str, Any]], *, level: int = logging.DEBUG) -> structlog.typing.FilteringBoundLogger:
    """A log that is a list: one mapping a line, from this level on."""

    def note(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        lines.append(event)
        raise structlog.DropEvent

    wrapper = structlog.make_filtering_bound_logger(level)
    log: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(None, processors=[note], wrapper_class=wrapper)
    return log


def token(
    server: RunningServer, name: str = "ada", *, secret: str = SECRET, lifetime_s: float = 900, **claims: Any
) -> str:
    """An access token for a user, valid from now on by the server's clock.

    Args:
        server: Whose clock counts.
        name: One of USERS; another name goes into `sub` as it is.
        secret: What signs it.
        lifetime_s: From now to `exp`; may be negative.
        claims: What should be otherwise; None leaves the claim out.
    """
    now = server.service.clock.wall()
    usual: dict[str, Any] = {
        "iss": "watchword",
        "sub": USERS[name].id if name in USERS else name,
        "iat": now,
        "exp": now + lifetime_s,
    }
    wanted = {key: value for key, value in (usual | claims).items() if value is not None}
    return jwt.encode(wanted, secret, algorithm="HS256")


async def until(holds: Callable[[], object], *, patience_s: float = 10.0) -> None:
    """Wait for something of the server's that nobody announces; the loop goes on meanwhile."""
    async with asyncio.timeout(patience_s):
        while not holds():  # noqa: ASYNC110  # what is waited for sets no event, on purpose
            await asyncio.sleep(0.001)


def pass_time(server: RunningServer, clock: FakeClock, seconds: float) -> None:
    """Let time pass for a server that was given this clock, and let it look at every deadline."""

    def fail(error: Exception) -> None:
        raise error

    clock.advance(seconds)
    sweep(server.service.open, server.service.now(), fail)


def hold_passwords(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, asyncio.Event]:
    """Make every check of a password wait: one event is set when one waits, the other lets them go on when set."""
    entered, released = asyncio.Event(), asyncio.Event()
    passwords = server.service.authenticator._passwords
    verify = passwords.verify

    async def wait_and_verify(account: Account | None, password: str) -> bool:
        entered.set()
        await released.wait()
        return await verify(account, password)

    monkeypatch.setattr(passwords, "verify", wait_and_verify)
    return entered, released
