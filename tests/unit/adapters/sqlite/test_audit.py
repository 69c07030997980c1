"""The audit log in SQLite: what goes in stays as it is, but for the oldest, which go."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from watchword_server.adapters.sqlite.audit import SqliteAudit
from watchword_server.adapters.sqlite.database import Database, open_database
from watchword_server.auth.audit import AuditRow
from watchword_server.user import Role

LEAST = AuditRow(at=1_700_000_001.25, actor="", action="login", source="")
FULL = AuditRow(
    at=1_700_000_002.000_001,
    actor="zoë",
    actor_id="u_zoe",
    role=Role.DBA,
    action="drop_user",
    target="ada",
    source="2001:db8::1",
    result="NOT_FOUND",
    request_id="r1",
    detail="DROP USER 'ada'",
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with await open_database(tmp_path / "watchword.db", synchronous="off") as database:
        yield database


async def rows(database: Database) -> list[tuple[Any, ...]]:
    return await database.read(lambda connection: connection.execute("SELECT * FROM audit_log").fetchall())


async def test_rows_go_in_by_number(database: Database) -> None:
    await SqliteAudit(database).append([LEAST, FULL])
    assert await rows(database) == [
        (1, 1_700_000_001_250_000, "", None, None, "login", None, "", "ok", None, None),
        (
            2, 1_700_000_002_000_001, "zoë", "u_zoe", "dba", "drop_user", "ada", "2001:db8::1", "NOT_FOUND", "r1",
            "DROP USER 'ada'",
        ),
    ]  # fmt: skip


async def test_the_oldest_go_so_many_at_a_time_and_no_number_comes_again(database: Database) -> None:
    log = SqliteAudit(database)
    times = [100.0, 101.0, 102.0, 200.0, 103.0]  # what waited in memory is written behind what did not
    await log.append([AuditRow(at=time, actor="", action="login", source="") for time in times])
    assert await log.prune(100.0, at_most=10) == 0
    assert await log.prune(150.0, at_most=2) == 2
    assert await log.prune(150.0, at_most=2) == 1
    assert await log.prune(150.0, at_most=2) == 0
    assert [row[:2] for row in await rows(database)] == [(4, 200_000_000), (5, 103_000_000)]
    assert await log.prune(201.0, at_most=10) == 2
    await log.append([LEAST])
    assert [row[0] for row in await rows(database)] == [6]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_log SET actor = 'bob'", "UPDATE audit_log SET id = 9 WHERE id = 2",
        "DELETE FROM audit_log WHERE id = 2", "DELETE FROM audit_log WHERE action = 'drop_user'",
    ],
)  # fmt: skip
async def test_no_row_is_changed_nor_taken_from_the_middle(database: Database, sql: str) -> None:
    await SqliteAudit(database).append([LEAST, FULL, LEAST])
    before = await rows(database)
    with pytest.raises(sqlite3.IntegrityError, match="audit log"):
        await database.write(lambda connection: connection.execute(sql))
    assert await rows(database) == before
