"""The command line: `watchword serve`, `user`, `token`, `check-config`."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit: 0 done, 1 refused (one sentence on standard error), 2 wrongly called."""
    try:
        from watchword_server.cli.program import run

        run()
    except KeyboardInterrupt:
        sys.exit(130)  # as a shell says it of a program that SIGINT ended; a server that runs stops by itself, with 0
    except ModuleNotFoundError as error:
        # The bare client is installed without the packages of the server; a module of ours that is missing is a bug.
        package = (error.name or "").partition(".")[0]
        if package in ("", "watchword", "watchword_protocol", "watchword_server"):
            raise
        sys.exit(
            f'watchword: the package {package} is missing; install the server with: pip install "watchword[server]"'
        )
