"""The accounts, opened for one command."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.accounts import SqliteAccounts
from watchword_server.adapters.sqlite.data_directory import DataDirectory, DataUnusable, database_path
from watchword_server.adapters.sqlite.database import as_unusable, open_database, open_for_reading
from watchword_server.auth.account import Accounts
from watchword_server.config import Config
from watchword_server.refusal import Refused

__all__ = ["hold_accounts", "read_accounts"]


@asynccontextmanager
async def hold_accounts(config: Config, place: str, *, create: bool = False) -> AsyncIterator[Accounts]:
    """The accounts, for reading and changing, while no server runs on them.

    Args:
        config: The settings.
        place: The options that led to them, for hints.
        create: Make what is missing.
    Raises:
        DataUnusable: A server or another command holds the data, or it cannot be used.
    """
    path = Path(config.storage.path)
    if not create:
        _check_presence(path, place)
    with DataDirectory(path) as directory, _faults_told(directory.database):
        async with await open_database(directory.database, synchronous=config.storage.synchronous) as database:
            yield SqliteAccounts(database)


@asynccontextmanager
async def read_accounts(config: Config, place: str) -> AsyncIterator[Accounts]:
    """The accounts, for reading, beside a server that may be running.

    Raises:
        DataUnusable: There is no database, or it cannot be used.
    """
    path = Path(config.storage.path)
    _check_presence(path, place)
    with _faults_told(database_path(path)):
        async with await open_for_reading(database_path(path)) as database:
            yield SqliteAccounts(database)


@contextmanager
def _faults_told(database: Path) -> Iterator[None]:
    """What the storage refuses later than on opening, say because of damage, names the file and the remedy as well."""
    try:
        yield
    except Refused as error:
        if error.code not in (ErrorCode.STORAGE_UNAVAILABLE, ErrorCode.STORAGE_FULL, ErrorCode.COMMIT_UNKNOWN):
            raise
        raise as_unusable(database, error) from error


def _check_presence(path: Path, place: str) -> None:
    """A mistyped directory is told, not made."""
    try:
        database_path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        raise DataUnusable(
            f"there is no database in {path}; name its directory with --data, or add the first user with: "
            f"watchword user add NAME --role ROLE{place}"
        ) from None
    except OSError as error:
        raise DataUnusable(f"{database_path(path)} cannot be opened: {error.strerror}") from error
