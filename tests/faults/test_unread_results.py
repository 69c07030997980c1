"""Who asks for much and reads slowly gets every answer, once there is room, and holds no more than its share."""

import asyncio
import json
from pathlib import Path

import pytest

from support.asking import Held, asking, sql_request
from support.raw_socket import frame, text
from support.server import until
from support.sql_server import sql_server
from watchword_server.gateway.websocket import WebSocket

ROWS = 60
BODY = "x" * 40_000


@pytest.mark.parametrize("leaves", [False, True])
async def test_answers_wait_for_the_reader_and_so_do_the_queries_behind_them(tmp_path: Path, *, leaves: bool) -> None:
    """24 results of 2.4 MB each: in all far more than may lie unsent."""
    limits = {"in_flight": 4, "write_time_ms": 5_000}
    async with sql_server(tmp_path, limits=limits) as server, asking(server) as ada:
        insert = "INSERT INTO app.notes VALUES ($1, $2, 1)"
        for number in range(0, ROWS, 10):
            await ada.ask(statements=[{"sql": insert, "params": [number + each, BODY]} for each in range(10)])
        ada.socket.writer.transport.pause_reading()  # type: ignore[attr-defined]  # every transport of a socket has it
        for _ in range(24):
            ada.send("SELECT body FROM app.notes")
        websocket = next(each for each in server.service.registry if each.user and each.user.name == "ada")
        assert isinstance(websocket, WebSocket)
        # All that may run have their answers, which wait for the reader: nothing runs, and nothing more is read.
        await until(lambda: websocket._queries is not None and len(websocket._queries._answers) == 4)
        held = repr(websocket._queries)
        assert "4 reading" in held
        await until(lambda: not server.service.running)
        for _ in range(5):
            await asyncio.sleep(0)
        assert repr(websocket._queries) == held
        assert websocket._outbox.unsent_bytes < 2 * ROWS * len(BODY)
        if leaves:
            ada.socket.abort()
            await until(lambda: websocket not in server.service.open)
            assert not server.service.running
            return
        ada.socket.writer.transport.resume_reading()  # type: ignore[attr-defined]  # as above
        for _ in range(24):
            answer = await ada.socket.read_message()
            assert len(answer["results"][0]["rows"]) == ROWS


async def test_a_client_that_leaves_in_the_middle_of_many_statements_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sql_server(tmp_path) as server:
        writes = Held(server, "write", monkeypatch)
        async with asking(server) as ada:
            for number in range(100):
                sql = f"INSERT INTO app.notes VALUES ({number}, 'x', 1)"
                ada.socket.send(text(json.dumps(sql_request(sql, type="query", id=number))))
            await until(lambda: len(writes.entered) == 16)
            ada.socket.send(frame("close", b"\x03\xe8"))
            ada.socket.abort()
            await until(lambda: not any(each.user and each.user.name == "ada" for each in server.service.registry))
        writes.let_go()
        await until(lambda: not server.service.running)
        assert writes.cancelled == 0
        async with asking(server) as ada:
            assert await ada.rows("SELECT count(*) FROM app.notes") == [[16]]  # those that had started, whole
