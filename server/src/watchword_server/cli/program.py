"""The commands put together, and the one place where an error becomes a sentence and an exit status."""

import errno
import socket
import sys
from typing import Annotated, Final

import typer

from watchword_protocol import __version__
from watchword_server.adapters.sqlite.data_directory import DataUnusable
from watchword_server.cli import check_config, serve, sql, token, user
from watchword_server.cli.failure import Failure
from watchword_server.cli.usage import WRONG_CALL, describe_wrong_call
from watchword_server.config import ConfigError
from watchword_server.refusal import Refused

__all__ = ["program", "run"]

_WAYS_OUT: Final = {
    errno.EADDRINUSE: "another program listens there; stop it, or choose another port with --port",
    errno.EADDRNOTAVAIL: "this machine has no such address; choose another with --host",
    errno.EACCES: "you may not listen there; choose a port from 1024 up with --port",
    socket.EAI_NONAME: "there is no such host; choose another with --host",
}
"""What keeps a server from listening."""

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
        # Of the commands none returns anything; what comes back is the status of a typer.Exit.
        sys.exit(program(prog_name="watchword", standalone_mode=False) or 0)
    except WRONG_CALL as error:
        for line in describe_wrong_call(error):
            typer.echo(line, err=True)
        sys.exit(2)
    except ConfigError as error:
        sentences = [str(problem) for problem in error.problems]
    except (DataUnusable, Failure) as error:
        sentences = [str(error)]
    except Refused as error:
        sentences = [error.message]
    except typer.Abort:
        sentences = ["no password was given, so nothing was changed"]
    except OSError as error:
        sentences = [_describe_system_error(error)]
    for sentence in sentences:
        typer.echo(f"watchword: {_on_one_line(sentence)}", err=True)
    sys.exit(1)


def _describe_system_error(error: OSError) -> str:
    """What the system refused, and the way out where there is one."""
    reason = _WAYS_OUT.get(error.errno or 0) or error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _on_one_line(sentence: str) -> str:
    """The sentence with control characters written out, of a path for instance: they could move the cursor."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in sentence)
