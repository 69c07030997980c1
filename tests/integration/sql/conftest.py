"""A server with tables."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest_asyncio

from support.sql_server import sql_server
from watchword_server.app import RunningServer


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with sql_server(tmp_path) as server:
        yield server
