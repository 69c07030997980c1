"""`watchword check-config`: would the server start with these settings?"""

from typing import Annotated

import typer

from watchword_server.cli.settings import ConfigFile, read_config

__all__ = ["check_config"]


def check_config(
    config: ConfigFile = None,
    dev: Annotated[
        bool, typer.Option("--dev", help="As for watchword serve --dev, which needs no auth.jwt_secret.")
    ] = False,
) -> None:
    """Check the settings in file and environment.

    Prints ok, or each error with its key and place.

    Examples:

    \b
      watchword check-config --config config.toml
      WATCHWORD_SERVER__PORT=99999 watchword check-config
    """
    settings = read_config(config)
    if dev:
        settings.check_loopback()
    else:
        settings.check_secret()
    if settings.server.tls_certificate:
        # Here and not above: as in `serve`, only those wait for the gateway to load who need it.
        from watchword_server.gateway.listener import check_tls

        check_tls(settings.server.tls_certificate, settings.server.tls_key)
    typer.echo("ok")
