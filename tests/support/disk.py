"""Disks that refuse to take more."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["files_at_most", "log_size"]


@contextmanager
def files_at_most(size: int) -> Iterator[None]:
    """A write beyond fails with EFBIG, which SQLite reports as an I/O error (SQLITE_IOERR_WRITE)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def log_size(directory: Path) -> int:
    """Of the database there."""
    return (directory / "watchword.db-wal").stat().st_size
