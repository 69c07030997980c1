"""A writer's connection in memory, on the test's own thread."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from support.plans import CREATE_APP, CREATE_NOTES, FUNCTIONS, ROOT
from watchword_server.adapters.sqlite.engine import Engine
from watchword_server.adapters.sqlite.group import Answer, Group
from watchword_server.adapters.sqlite.migrations import migrate
from watchword_server.adapters.sqlite.stored_catalog import StoredCatalog

__all__ = ["found", "make_engine", "make_group", "row_ids"]

VALUE_BYTES = 200_000


@contextmanager
def make_engine(path: Path | None = None) -> Iterator[tuple[Engine, StoredCatalog]]:
    """With `app.notes` in it; in a file where a path is given."""
    engine = sqlite3.connect(path or ":memory:", isolation_level=None, factory=Engine)
    try:
        engine.execute("PRAGMA journal_mode = WAL")
        migrate(engine)
        engine.prepare(value_bytes=VALUE_BYTES, functions=FUNCTIONS, converters={})
        catalog = StoredCatalog(engine)
        catalog.define(engine, CREATE_APP, ROOT)
        catalog.define(engine, CREATE_NOTES, ROOT)
        yield engine, catalog
    finally:
        engine.close()


def make_group(catalog: StoredCatalog, *, time_s: float = 60.0, now: Callable[[], float] = time.monotonic) -> Group:
    """A group that takes in whoever comes."""
    return Group(catalog, time_s, VALUE_BYTES, now)


def row_ids(engine: Engine) -> list[int]:
    """The ids of all notes there are."""
    return [number for (number,) in engine.execute('SELECT id FROM "app.notes" ORDER BY id')]


def found(answer: Answer) -> str:
    """An answer in a word: the rows it gave, or what is kept of them, or the code of the error."""
    if isinstance(answer, Exception):
        return str(getattr(getattr(answer, "code", None), "name", repr(answer)))
    if isinstance(answer, bytes):
        return answer.decode()
    return " ".join(outcome.rows.decode() for outcome in answer)
