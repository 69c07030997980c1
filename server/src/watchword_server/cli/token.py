"""`watchword token`: a token for a user, for scripts and for trying things out."""

import asyncio
import secrets
import shlex
import time
from pathlib import Path
from typing import Annotated

import typer

from watchword_server.adapters.sqlite.data_directory import read_dev_secret
from watchword_server.auth.account import Account
from watchword_server.auth.minting import mint_token
from watchword_server.cli.failure import Failure
from watchword_server.cli.settings import ConfigFile, DataDir, read_config, repeat_place
from watchword_server.cli.storage import read_accounts
from watchword_server.cli.usage import read_lifetime
from watchword_server.config import Config

__all__ = ["token"]


def token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A user's name.", show_default=False)],
    expires: Annotated[
        int | None,
        typer.Option(
            metavar="SECONDS",
            parser=read_lifetime,
            help="How long it is valid. Default: auth.token_s, else 900.",
            show_default=False,
        ),
    ] = None,
    data: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Print a token for a user, whether the server runs or not.

    Its issuer is the first of auth.jwt_trusted_issuers, else the server's own. The secret is auth.jwt_secret, else the
    one that `watchword serve --dev` made.

    Examples:

    \b
      watchword token ada
      TOKEN=$(watchword token ada --expires 60 --data data)
    """
    settings = read_config(config, data=data)
    place = repeat_place(config, data)
    account = asyncio.run(_find(settings, name, place))
    issuer = next(iter(settings.auth.jwt_trusted_issuers), settings.auth.issuer)
    text = mint_token(
        account,
        secret=_find_secret(settings, place),
        issuer=issuer,
        audience=settings.auth.audience,
        lifetime_s=settings.auth.token_s if expires is None else expires,
        now=time.time(),
        token_id=secrets.token_urlsafe(12),
        with_role=issuer == settings.auth.issuer,
    )
    typer.echo(text)


async def _find(settings: Config, name: str, place: str) -> Account:
    async with read_accounts(settings, place) as accounts:
        account = await accounts.by_name(name)
    if account is None:
        add = f"watchword user add {shlex.quote(name)} --role user{place}"
        raise Failure(f"there is no user {name}; add it with: {add}")
    if account.deleted_at is not None:
        raise Failure(f"the user {name} is deleted")
    return account


def _find_secret(settings: Config, place: str) -> str:
    secret = settings.auth.jwt_secret or read_dev_secret(Path(settings.storage.path))
    if secret is None:
        raise Failure(
            "there is no secret to sign with: set WATCHWORD_AUTH__JWT_SECRET to the server's, "
            "name its file with --config, or start the server once with: "
            f"watchword serve --dev{place}"
        )
    return secret
