"""The commands put together, and the one place where an error becomes a sentence and an exit status."""

import sys
from typing import Annotated

import typer

from watchword_protocol import __version__
from watchword_server.adapters.sqlite.data_directory import DataUnusable
from watchword_server.cli import check_config, serve, sql, token, user
from watchword_server.cli.failure import Failure
from watchword_server.config import ConfigError
from watchword_server.refusal import Refused

__all__ = ["program", "run"]

program = typer.Typer(
    name="watchword",
    no_args_is_help=True,
    add_completion=False,
    # Plain help and plain errors: no frames that break a sentence in two, and `\b` keeps the examples as they are.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
program.command("serve")(serve.serve)
program.add_typer(user.program, name="user")
program.command("token")(token.token)
program.command("sql")(sql.sql)
program.command("check-config")(check_config.check_config)


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"watchword {__version__}")
        raise typer.Exit


@program.callback()
def watchword(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Watchword: a realtime SQL server behind a token handshake.

    A server to try things out with, in a minute:

    \b
      watchword user add ada --role user --data data
      watchword serve --dev --data data
      export WATCHWORD_TOKEN=$(watchword token ada --data data)   (in another terminal)
      watchword sql -c "SELECT current_user"
    """


def run() -> None:
    """Run the command that the arguments name, and exit."""
    try:
        program()
    except (ConfigError, DataUnusable, Failure) as error:
        sentences = str(error).splitlines()
    except Refused as error:
        sentences = [error.message]
    except OSError as error:
        sentences = [f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)]
    for sentence in sentences:
        typer.echo(f"watchword: {sentence}", err=True)
    sys.exit(1)
