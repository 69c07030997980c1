"""The options that several commands share, and the configuration they lead to."""

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from watchword_server.config import Config, ConfigError, Problem, load_config

__all__ = ["ConfigFile", "DataDir", "read_config", "repeat_place"]

ConfigFile = Annotated[
    str | None,
    typer.Option("--config", metavar="FILE", help="Settings in TOML. Without it no file is read.", show_default=False),
]
DataDir = Annotated[
    str | None,
    typer.Option(
        "--data", metavar="DIR", help="Directory of the database. Default: storage.path, else data.", show_default=False
    ),
]


def read_config(
    file: str | None, *, data: str | None = None, host: str | None = None, port: int | None = None
) -> Config:
    """The settings in force: flag, else environment, else file, else default.

    Raises:
        ConfigError: All that is wrong with them.
    """
    if file == "":  # an unset variable in a script
        raise ConfigError((Problem("", 'expected the name of a file, got ""', "--config"),))
    flags = {"storage.path": data, "server.host": host, "server.port": port}
    return load_config(None if file is None else Path(file), environ=os.environ, flags=flags)


def repeat_place(config: str | None, data: str | None) -> str:
    """The options that led to the data, to be put behind a command that a hint tells to type."""
    given = {"--data": data, "--config": config}
    return "".join(f" {flag} {shlex.quote(value)}" for flag, value in given.items() if value is not None)
