"""As whom a command asks a running server: its options, and the header that they become."""

import base64
from typing import Annotated

import typer

from watchword_server.cli.failure import Failure

__all__ = ["Password", "Token", "User", "authorization"]

Token = Annotated[
    str | None,
    typer.Option(metavar="JWT", envvar="WATCHWORD_TOKEN", help="A token; best in the environment.", show_default=False),
]
User = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        envvar="WATCHWORD_USER",
        help="A user, in place of a token; the password comes from WATCHWORD_PASSWORD or is asked for.",
        show_default=False,
    ),
]
Password = Annotated[str | None, typer.Option(envvar="WATCHWORD_PASSWORD", hidden=True)]


def authorization(token: str | None, user: str | None, password: str | None) -> str:
    """The value of the header `Authorization`.

    Raises:
        Failure: Nothing is given, or what is no token.
    """
    if user:
        if password is None:
            password = typer.prompt(f"password of {user}", hide_input=True, err=True)
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    if not token:
        raise Failure(
            "there is no credential: set WATCHWORD_TOKEN, for instance to the output of: watchword token NAME, "
            "or give --user NAME"
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Failure("the token holds characters that no token has")
    return f"Bearer {token}"
