"""Who asks for much and reads slowly gets every answer, once there is room, and holds no more than its share."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from support.asking import Asking, Held, asking, post, sql_request
from support.raw_socket import frame, raw_socket, text
from support.server import token, until
from support.sql_server import sql_server
from watchword_server.gateway.websocket import WebSocket

ROWS = 60
BODY = "x" * 40_000
MUCH = (
    "SELECT body, body || 'y', body || 'z' FROM app.notes"  # more than the kernel takes for a client that does not read
)


@pytest.mark.parametrize("leaves", [False, True])
async def test_answers_wait_for_the_reader_and_so_do_the_queries_behind_them(tmp_path: Path, *, leaves: bool) -> None:
    """24 results of 2.4 MB each: in all far more than may lie unsent."""
    limits = {"in_flight": 4, "write_time_ms": 5_000}
    async with sql_server(tmp_path, limits=limits) as server, asking(server) as ada:
        await fill(ada)
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


async def fill(ada: Asking) -> None:
    insert = "INSERT INTO app.notes VALUES ($1, $2, 1)"
    for number in range(0, ROWS, 10):
        await ada.ask(statements=[{"sql": insert, "params": [number + each, BODY]} for each in range(10)])


async def test_answers_that_a_user_does_not_read_take_places_of_that_user_on_every_connection(tmp_path: Path) -> None:
    """Else a hundred connections would hold a result each in memory."""
    limits = {"statements_per_user": 3, "write_time_ms": 5_000}
    async with sql_server(tmp_path, limits=limits) as server, asking(server) as ada, asking(server, "bob") as bob:
        await fill(ada)
        places = server.service.handlers._queries._places
        async with AsyncExitStack() as stack:
            deaf = [await stack.enter_async_context(asking(server)) for _ in range(2)]
            for each in deaf:
                each.socket.writer.transport.pause_reading()  # type: ignore[attr-defined]  # as above
                each.send(MUCH)
            request = post(json.dumps({"sql": MUCH}).encode(), f"Authorization: Bearer {token(server, 'ada')}")
            asker = await stack.enter_async_context(raw_socket(server.port, request))
            asker.writer.transport.pause_reading()  # type: ignore[attr-defined]  # as above
            await until(lambda: not server.service.running and len(places) == 3)
            assert (await ada.refusal("SELECT 1"))[0] == "LIMIT_EXCEEDED"
            assert await bob.rows("SELECT 1") == [[1]]
            deaf[0].socket.writer.transport.resume_reading()  # type: ignore[attr-defined]  # as above
            assert len((await deaf[0].socket.read_message())["results"][0]["rows"]) == ROWS
            await until(lambda: len(places) == 2)
            assert await ada.rows("SELECT 1") == [[1]]
            asker.abort()
            await until(lambda: len(places) == 1)
        await until(lambda: len(places) == 0)


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
