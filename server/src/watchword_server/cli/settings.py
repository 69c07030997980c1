"""The options that several commands share, and the configuration they lead to."""

import os
from pathlib import Path
from typing import Annotated

import typer

from watchword_server.config import Config, load_config

__all__ = ["ConfigFile", "DataDir", "read_config"]

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings in TOML. Without it no file is read.", show_default=False),
]
DataDir = Annotated[
    str | None,
    typer.Option(
        "--data", metavar="DIR", help="Directory of the database. Default: storage.path, else data.", show_default=False
    ),
]


def read_config(
    file: Path | None, *, data: str | None = None, host: str | None = None, port: int | None = None
) -> Config:
    """The settings in force: flag, else environment, else file, else default.

    Raises:
        ConfigError: All that is wrong with them.
    """
    flags = {"storage.path": data, "server.host": host, "server.port": port}
    return load_config(file, environ=os.environ, flags=flags)
