"""A server with a USER table, a public and a private SHARED table."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from support.asking import asking
from support.server import running_server
from watchword_server.app import RunningServer

__all__ = ["TABLES", "sql_server"]

TABLES: Final = (
    "CREATE NAMESPACE app",
    "CREATE TABLE app.notes (id BIGINT PRIMARY KEY, body TEXT NOT NULL, stars INT) WITH (TYPE = 'USER')",
    "CREATE TABLE app.news (id INT PRIMARY KEY, title TEXT) WITH (TYPE = 'SHARED', ACCESS_LEVEL = 'public')",
    "CREATE TABLE app.plans (id INT PRIMARY KEY, title TEXT) WITH (TYPE = 'SHARED')",
)


@asynccontextmanager
async def sql_server(directory: Path, **sections: Any) -> AsyncGenerator[RunningServer]:
    """As `running_server`, with the tables."""
    async with running_server(directory, **sections) as server, asking(server, "cleo") as cleo:
        for definition in TABLES:
            assert (await cleo.ask(definition))["type"] == "result"
        yield server
