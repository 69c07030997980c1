"""`watchword serve`: the server itself."""

from typing import Annotated

import typer

from watchword_protocol.limits import PATH
from watchword_server.cli.settings import ConfigFile, DataDir, read_config
from watchword_server.cli.usage import read_port

__all__ = ["serve"]


def serve(
    config: ConfigFile = None,
    host: Annotated[
        str | None,
        typer.Option(
            metavar="H", help="Address to listen on. Default: server.host, else 127.0.0.1.", show_default=False
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            metavar="P",
            parser=read_port,
            help="Port; 0 picks a free one. Default: server.port, else 8080.",
            show_default=False,
        ),
    ] = None,
    data: DataDir = None,
    dev: Annotated[
        bool,
        typer.Option(
            "--dev",
            help="For trying things out: loopback only, pages from localhost may connect, and where no secret is "
            "configured one is made and kept in DIR/dev-secret.",
        ),
    ] = False,
) -> None:
    """Run the server until SIGTERM or SIGINT.

    Prints one line, `listening on ws://H:P/v1/ws`, on standard output when it is ready, and logs to standard error.

    Examples:

    \b
      watchword serve --dev --data data
      WATCHWORD_AUTH__JWT_SECRET=... watchword serve --config config.toml
      watchword serve --dev --port 0           (prints the port it picked)
    """
    settings = read_config(config, data=data, host=host, port=port)
    scheme = "wss" if settings.server.tls_certificate else "ws"

    def announce(host: str, port: int) -> None:
        authority = f"[{host}]" if ":" in host else host
        typer.echo(f"listening on {scheme}://{authority}:{port}{PATH}")

    # Here and not above: the other commands need not wait for all of the server to load.
    from watchword_server.app import run

    run(settings, dev=dev, announce=announce)
