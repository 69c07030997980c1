"""What was answered is gone: nothing of it waits for the collector, which comes by when it likes."""

import gc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from support.asking import Asking, ask_over_http, asking
from support.sql_server import sql_server

TEXT = "x" * 1_000
INSERT = "INSERT INTO app.notes VALUES (1, $1, 1)"
QUERIES: dict[str, dict[str, Any]] = {
    "a read": {"sql": "SELECT id FROM app.notes"},
    "a write": {"sql": "UPDATE app.notes SET stars = 2"},
    "a new text": {"sql": "SELECT id + {number} FROM app.notes WHERE body LIKE $1", "params": [TEXT[:200]]},
    "no SQL": {"sql": "SELEC"},
    "an unknown table": {"sql": "SELECT * FROM app.nothing"},
    "a wrong value": {"sql": "SELECT $1::int", "params": [TEXT]},
    "a duplicate": {"sql": INSERT, "params": [TEXT]},
    "a read that fails": {"sql": "SELECT 1 / (id - id) FROM app.notes"},
    "a write that fails": {"sql": "UPDATE app.notes SET stars = 1 / (id - id)"},
    "a result too large": {"sql": "SELECT body FROM app.notes; SELECT body FROM app.notes"},
    "what the user may not": {"sql": "CREATE NAMESPACE more"},
    "a message that is none": {"sql": 7},
}
ROUNDS = 20

Ask = Callable[[dict[str, Any]], Awaitable[Any]]


async def garbage_of(ask: Ask, members: dict[str, Any]) -> float:
    """Objects in cycles that one such query leaves behind."""

    def numbered(number: int) -> dict[str, Any]:
        sql = members["sql"]
        return members | {"sql": sql.replace("{number}", str(number)) if isinstance(sql, str) else sql}

    for number in range(3):
        await ask(numbered(number))
    gc.collect()
    gc.disable()
    try:
        for number in range(3, 3 + ROUNDS):
            await ask(numbered(number))
        return gc.collect() / ROUNDS
    finally:
        gc.enable()


@pytest.mark.asyncio(loop_factories=["uvloop"])  # asyncio's own transports are in cycles
async def test_no_query_leaves_cycles_behind(tmp_path: Path) -> None:
    async with sql_server(tmp_path, limits={"result_bytes": 1_500}) as server, asking(server) as ada:
        await ada.ask(INSERT, TEXT)

        async def over_http(members: dict[str, Any]) -> Any:
            return await ask_over_http(server, members)

        ways: dict[str, Ask] = {"WebSocket": lambda members: Asking.ask(ada, **members), "HTTP": over_http}
        found = {
            (way, name): await garbage_of(ask, query) for way, ask in ways.items() for name, query in QUERIES.items()
        }
        assert {key: count for key, count in found.items() if count >= 1} == {}
