"""The accounts, opened for one command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from watchword_server.adapters.sqlite.accounts import SqliteAccounts
from watchword_server.adapters.sqlite.data_directory import DataDirectory, DataUnusable, database_path
from watchword_server.adapters.sqlite.database import open_database, open_for_reading
from watchword_server.auth.account import Accounts
from watchword_server.config import Config

__all__ = ["hold_accounts", "read_accounts"]


@asynccontextmanager
async def hold_accounts(config: Config, *, create: bool = False) -> AsyncIterator[Accounts]:
    """The accounts, for reading and changing, while no server runs on them. `create` makes what is missing.

    Raises:
        DataUnusable: A server or another command holds the data, or it cannot be used.
    """
    path = Path(config.storage.path)
    if not create:
        _check_presence(path)
    with DataDirectory(path) as directory:
        async with await open_database(directory.database, synchronous=config.storage.synchronous) as database:
            yield SqliteAccounts(database)


@asynccontextmanager
async def read_accounts(config: Config) -> AsyncIterator[Accounts]:
    """The accounts, for reading, beside a server that may be running.

    Raises:
        DataUnusable: There is no database, or it cannot be used.
    """
    path = Path(config.storage.path)
    _check_presence(path)
    async with await open_for_reading(database_path(path)) as database:
        yield SqliteAccounts(database)


def _check_presence(path: Path) -> None:
    """A mistyped directory is told, not made."""
    if not database_path(path).exists():
        raise DataUnusable(
            f"there is no database in {path}; name its directory with --data, or add the first user with: "
            f"watchword user add NAME --role ROLE --data {path}"
        )
