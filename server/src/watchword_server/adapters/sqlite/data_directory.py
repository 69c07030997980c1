"""The directory that holds everything the server keeps: who has it, and the secret of development."""

import contextlib
import fcntl
import json
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from watchword_server.config.shapes import SECRET_BYTES, secret_fault

__all__ = ["DataDirectory", "DataUnusable", "database_path", "read_dev_secret"]

_DATABASE: Final = "watchword.db"
_LOCK: Final = "lock"
_DEV_SECRET: Final = "dev-secret"


class DataUnusable(Exception):  # noqa: N818  # what it says, as Refused does
    """The data cannot be used. The text is one sentence for the person at the terminal and says what to do."""


class DataDirectory:
    """A data directory held by this process alone, until `release` or the end of the `with` block.

    The holder has an exclusive `flock` on `DIR/lock`, which ends with the process however that ends; pid and address in
    the file only tell others who it is.
    """

    def __init__(self, path: Path) -> None:
        """Take hold of the directory, and create it (mode 0700) where it is missing.

        Raises:
            DataUnusable: Another process holds it, or it cannot be created or written.
        """
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Close-on-exec (PEP 446): a child process does not inherit the lock.
            self._lock: int | None = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except FileExistsError:
            raise DataUnusable(f"{path} is not a directory; name another with --data or storage.path") from None
        except OSError as error:
            raise DataUnusable(f"{path} cannot be used as the data directory: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _describe_holder(self._lock)
            self._close()
            raise DataUnusable(f"{path} is in use by {holder}") from None
        except OSError as error:
            self._close()
            raise DataUnusable(f"{path / _LOCK} cannot be locked: {error.strerror}; use a local disk") from error
        try:
            self.announce(None)
        except DataUnusable:
            self._close()
            raise

    @property
    def database(self) -> Path:
        """Where the database is, or will be."""
        return database_path(self.path)

    def announce(self, address: str | None) -> None:
        """Say in the lock file where this process can be reached (a URL), once it is known.

        Raises:
            DataUnusable: It cannot be written, say because the disk is full.
        """
        if self._lock is None:
            raise ValueError("the data directory was released")
        text = json.dumps({"pid": os.getpid(), "address": address}).encode()
        # Written before the rest is cut off: a reader in between sees JSON with trailing text at worst, and copes.
        try:
            os.pwrite(self._lock, text, 0)
            os.ftruncate(self._lock, len(text))
        except OSError as error:
            raise DataUnusable(f"{self.path / _LOCK} cannot be written: {error.strerror}") from error

    def dev_secret(self) -> str:
        """The secret for tokens in development: made once, read from then on.

        Raises:
            DataUnusable: The file is there and holds no secret, or cannot be written.
        """
        secret = read_dev_secret(self.path)
        if secret is not None:
            return secret
        secret = secrets.token_urlsafe(SECRET_BYTES)
        # Written aside and renamed, so that `watchword token` beside us reads all of it or nothing.
        fresh = self.path / f"{_DEV_SECRET}.new"
        try:
            fresh.unlink(missing_ok=True)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(f"{secret}\n")
                file.flush()
                os.fsync(file.fileno())
            fresh.rename(self.path / _DEV_SECRET)
        except OSError as error:
            raise DataUnusable(f"{fresh} cannot be written: {error.strerror}") from error
        return secret

    def release(self) -> None:
        """Let others have it; a second time is harmless."""
        # The file stays: with it removed, one process could hold the old file and another a new one.
        if self._lock is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._lock, 0)
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<DataDirectory {self.path} {'released' if self._lock is None else 'held'}>"

    def _close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def database_path(directory: Path) -> Path:
    """Where a data directory's database is, or will be; needs no hold of the directory."""
    return directory / _DATABASE


def read_dev_secret(path: Path) -> str | None:
    """The secret for tokens in development, or None where no server has made one; needs no hold of the directory.

    Raises:
        DataUnusable: The file is there and holds no secret, or cannot be read.
    """
    file = path / _DEV_SECRET
    try:
        secret = file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataUnusable(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        secret = ""
    if not secret or secret_fault(secret):
        raise DataUnusable(
            f"{file} holds no secret, or one that is short or well known; delete it and start the server with --dev: "
            "it makes a new one"
        )
    return secret


def _describe_holder(lock: int) -> str:
    """Who holds the lock, in words; the file may be empty or half written while its holder comes or goes."""
    try:
        holder = json.loads(os.pread(lock, 4096, 0))
        pid, address = int(holder["pid"]), holder["address"]
    except (ValueError, KeyError, TypeError):
        return "another Watchword process; stop it first"
    if address is None:
        return f"another Watchword process (pid {pid}); wait for it to end, or stop it first"
    return f"the server at {address} (pid {pid}); stop it first"
