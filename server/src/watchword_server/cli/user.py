"""`watchword user`: the users of a stopped server, in its data directory, or with --url of a running one."""

import asyncio
import json
import secrets
import sys
import time
from typing import Annotated, Final

import typer
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from watchword_protocol.errors import ErrorCode
from watchword_protocol.timestamps import format_time
from watchword_server.adapters.clock import SystemClock
from watchword_server.auth.account import USER_ID_PREFIX, Account, Accounts, check_email, check_name
from watchword_server.auth.passwords import Passwords
from watchword_server.cli.credential import Password, Token, User
from watchword_server.cli.failure import Failure
from watchword_server.cli.password import read_password
from watchword_server.cli.remote_users import Url, remote_users
from watchword_server.cli.settings import ConfigFile, DataDir, read_config, repeat_place
from watchword_server.cli.storage import hold_accounts
from watchword_server.cli.usage import ROLES, read_role
from watchword_server.config import Config
from watchword_server.refusal import Refused
from watchword_server.user import Role

__all__ = ["program"]

program = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="NAME", help="1 to 64 letters, digits and . _ - @", show_default=False)]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input, up to one last newline.")
]

_TIMES: Final = ("valid_after", "created_at", "updated_at", "last_seen_at", "deleted_at")
_SECRET: Final = "password_hash"


@program.callback()
def users() -> None:
    """Add, list and change users while the server is stopped, or with --url while it runs.

    Examples:

    \b
      watchword user add ada --role user --email ada@example.com
      watchword user add ada --role user --url wss://db.example --user cleo
      printf %s "$PASSWORD" | watchword user add backup --role service --password-stdin
      watchword user list --json
    """


@program.command("add")
def add(
    name: Name,
    role: Annotated[
        Role, typer.Option(metavar=ROLES, parser=read_role, help="What the user may do.", show_default=False)
    ],
    email: Annotated[str | None, typer.Option(metavar="E", help="Email address.", show_default=False)] = None,
    password_stdin: PasswordStdin = False,
    data: DataDir = None,
    config: ConfigFile = None,
    url: Url = None,
    token: Token = None,
    user: User = None,
    user_password: Password = None,
) -> None:
    """Add a user. The first one makes the data directory.

    Without --password-stdin the password is asked for, twice.

    Examples:

    \b
      watchword user add ada --role user
      printf %s "$PASSWORD" | watchword user add backup --role service --password-stdin
    """
    remote = remote_users(url, data=data, config=config, token=token, user=user, password=user_password)
    try:
        name = check_name(name)
        email = None if email is None else check_email(email)
    except ValueError as error:
        raise Failure(str(error)) from None
    password = read_password(from_stdin=password_stdin)
    if remote is not None:
        remote.add(name, role, email, password)
        typer.echo(f"added {name} with role {role.value}")
        return
    settings, place = read_config(config, data=data), repeat_place(config, data)

    async def run() -> Account:
        async with hold_accounts(settings, place, create=True) as accounts:
            now = time.time()
            account = Account(
                id=USER_ID_PREFIX + secrets.token_hex(10),
                name=name,
                role=role,
                email=email,
                password_hash=await _hash(password),
                created_at=now,
                updated_at=now,
            )
            try:
                await accounts.add(account)
            except Refused as refusal:
                if refusal.code is not ErrorCode.ALREADY_EXISTS:
                    raise
                raise Failure(_describe_taken(await accounts.by_name(name), name, place)) from None
            return account

    account = asyncio.run(run())
    typer.echo(f"added {account.name} ({account.id}) with role {account.role.value}")


@program.command("list")
def list_users(
    as_json: Annotated[bool, typer.Option("--json", help="As a JSON array, times in RFC 3339.")] = False,
    data: DataDir = None,
    config: ConfigFile = None,
    url: Url = None,
) -> None:
    """List all users by name, deleted ones too, while the server is stopped.

    Examples:

    \b
      watchword user list
      watchword user list --json | jq -r '.[] | select(.role == "dba") | .name'
    """
    if url is not None:
        raise Failure("list reads a data directory, and not a running server: leave out --url")
    settings, place = read_config(config, data=data), repeat_place(config, data)

    async def run() -> list[Account]:
        async with hold_accounts(settings, place) as accounts:
            return await accounts.all()

    accounts = asyncio.run(run())
    if as_json:
        typer.echo(json.dumps([_to_json(account) for account in accounts], indent=2))
    else:
        # Names and addresses are text, never markup; a pipe has no width to fit into.
        console = Console(markup=False, emoji=False, highlight=False, width=None if sys.stdout.isatty() else 200)
        console.print(_to_table(accounts))


@program.command("passwd")
def passwd(
    name: Name,
    password_stdin: PasswordStdin = False,
    data: DataDir = None,
    config: ConfigFile = None,
    url: Url = None,
    token: Token = None,
    user: User = None,
    user_password: Password = None,
) -> None:
    """Set a new password. Tokens issued before are no longer valid.

    Without --password-stdin the password is asked for, twice.

    Example:

    \b
      printf %s "$PASSWORD" | watchword user passwd ada --password-stdin
    """
    remote = remote_users(url, data=data, config=config, token=token, user=user, password=user_password)
    if remote is not None:
        remote.set_password(name, read_password(from_stdin=password_stdin))
    else:
        settings, place = read_config(config, data=data), repeat_place(config, data)
        asyncio.run(_set_password(settings, place, name, read_password(from_stdin=password_stdin)))
    typer.echo(f"changed the password of {name}")


@program.command("delete")
def delete(
    name: Name,
    data: DataDir = None,
    config: ConfigFile = None,
    url: Url = None,
    token: Token = None,
    user: User = None,
    user_password: Password = None,
) -> None:
    """Delete a user. Its tokens and its password stop working; its name stays taken.

    Example:

    \b
      watchword user delete ada
    """
    remote = remote_users(url, data=data, config=config, token=token, user=user, password=user_password)
    if remote is not None:
        remote.drop(name)
    else:
        asyncio.run(_delete(read_config(config, data=data), repeat_place(config, data), name))
    typer.echo(f"deleted {name}")


async def _set_password(config: Config, place: str, name: str, password: str) -> None:
    async with hold_accounts(config, place) as accounts:
        account = await _find(accounts, name, place)
        password_hash, now = await _hash(password), time.time()
        await accounts.replace(replace(account, password_hash=password_hash, valid_after=now, updated_at=now))


async def _delete(config: Config, place: str, name: str) -> None:
    async with hold_accounts(config, place) as accounts:
        now = time.time()
        await accounts.replace(replace(await _find(accounts, name, place), deleted_at=now, updated_at=now))


async def _hash(password: str) -> str:
    passwords = Passwords(SystemClock())
    try:
        return await passwords.hash(password)
    finally:
        passwords.close()


async def _find(accounts: Accounts, name: str, place: str) -> Account:
    """The account of that name. Raises: Failure: There is none, or it is deleted."""
    account = await accounts.by_name(name)
    if account is None:
        raise Failure(f"there is no user {name}; see them with: watchword user list{place}")
    if account.deleted_at is not None:
        raise Failure(f"the user {name} is deleted")
    return account


def _describe_taken(account: Account | None, name: str, place: str) -> str:
    if account is not None and account.deleted_at is not None:
        return f"the name {name} belongs to a deleted user and stays taken; choose another name"
    passwd = f"watchword user passwd {name}{place}"
    return f"there is a user {name} already; choose another name, or set a password with: {passwd}"


def _to_json(account: Account) -> dict[str, object]:
    """All but the hash."""
    members = {name: getattr(account, name) for name in account.__struct_fields__ if name != _SECRET}
    times = {name: None if members[name] is None else format_time(members[name]) for name in _TIMES}
    return members | times | {"role": account.role.value}


def _to_table(accounts: list[Account]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "id", "role", "email", "state", "created", "last seen"):
        table.add_column(heading, overflow="fold")
    for account in accounts:
        table.add_row(
            account.name,
            account.id,
            account.role.value,
            account.email or "-",
            _describe_state(account),
            _to_minute(account.created_at),
            _to_minute(account.last_seen_at),
        )
    return table


def _describe_state(account: Account) -> str:
    return "deleted" if account.deleted_at is not None else "locked" if account.locked else "active"


def _to_minute(time_s: float | None) -> str:
    return "-" if time_s is None else format_time(time_s)[:16].replace("T", " ")
