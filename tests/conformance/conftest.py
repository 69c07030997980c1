"""Servers of ours with the tables of the subjects, for the tests of a module."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from support.placing import Place, Placing, placed
from support.sql_subjects.subject import Schema


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Placing]:
    """A schema's tables in one type, made when they are first asked for."""
    places: dict[tuple[str, str], Place] = {}
    async with AsyncExitStack() as stack:

        async def find(schema: Schema, kind: str) -> Place:
            key = schema.name, kind
            if key not in places:
                directory = tmp_path_factory.mktemp("server")
                places[key] = await stack.enter_async_context(placed(directory, schema, kind))
            return places[key]

        yield find
