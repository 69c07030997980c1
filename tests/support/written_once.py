"""Notes that are written once each, and what a store has of them."""

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from support.plans import CREATE_APP, CREATE_NOTES, FUNCTIONS, NEXT, ROOT, once
from watchword_server.adapters.sqlite.database import Database, open_database
from watchword_server.adapters.sqlite.store import SqliteStore, open_store
from watchword_server.sql.store import Once

__all__ = ["contents", "numbered", "opened"]


def numbered(user: str, number: int) -> Once:
    """A user's note of this title, under a key of its own. Run twice, there are two."""
    title = f"{number}"
    return once((NEXT, (user, title)), user=user, key=f"k-{number}", what=title.encode())


@asynccontextmanager
async def opened(path: Path) -> AsyncGenerator[tuple[Database, SqliteStore]]:
    """A store with `app.notes` in it."""
    async with (
        await open_database(path) as database,
        await open_store(database, converters={}, value_bytes=200_000, functions=FUNCTIONS) as store,
    ):
        if not store.catalog.tables:
            await store.define(CREATE_APP, ROOT)
            await store.define(CREATE_NOTES, ROOT)
        yield database, store


def contents(engine: sqlite3.Connection) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]:
    """What was written, and what is kept of it: user, title, id in a result."""
    rows = 'SELECT "_owner", "title", "id" FROM "app.notes" ORDER BY "id"'
    results = "SELECT user_id, substr(key, 3), CAST(results AS TEXT) FROM _results ORDER BY id"
    return (
        [(user, title, f"[[{number}]]") for user, title, number in engine.execute(rows)],
        engine.execute(results).fetchall(),
    )
