"""A store in a directory of the test's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.plans import CREATE_APP, CREATE_NOTES, FUNCTIONS, ROOT
from watchword_server.adapters.sqlite.database import Database, open_database
from watchword_server.adapters.sqlite.store import SqliteStore, open_store


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with await open_database(tmp_path / "watchword.db", synchronous="off") as database:
        yield database


@pytest.fixture
async def store(database: Database) -> AsyncIterator[SqliteStore]:
    """With `app.notes` in it."""
    async with await open_store(database, converters={}, value_bytes=10_000, functions=FUNCTIONS) as store:
        await store.define(CREATE_APP, ROOT)
        await store.define(CREATE_NOTES, ROOT)
        yield store
