"""What one connection has asked: in which order it starts, what waits, what becomes of it at the end."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from support.asking import Held, ask_over_http, asking
from support.clock import FakeClock
from support.presenting import by_message
from support.raw_socket import frame, text
from support.server import pass_time, running_server, token, until
from support.sql_server import sql_server
from watchword_protocol.codec import Fault, decode_client
from watchword_protocol.errors import ErrorCode
from watchword_protocol.messages import ClientMessage
from watchword_server.app import RunningServer


async def test_a_read_sees_the_writes_sent_before_it(server: RunningServer) -> None:
    async with asking(server) as ada:
        writes = [ada.send("INSERT INTO app.notes VALUES ($1, 'x', 1)", number) for number in range(40)]
        read = ada.send("SELECT count(*) FROM app.notes")
        answers = {(answer := await ada.socket.read_message())["id"]: answer for _ in range(41)}
        assert set(answers) == {*writes, read}
        assert answers[read]["results"][0]["rows"] == [[40]]


async def test_what_follows_a_definition_is_planned_after_it(server: RunningServer) -> None:
    async with asking(server, "cleo") as cleo:
        for sql in (
            "CREATE NAMESPACE lab",
            "CREATE TABLE lab.t (id INT PRIMARY KEY) WITH (TYPE = 'USER')",
            "INSERT INTO lab.t VALUES (7)",
            "SELECT id FROM lab.t",
            "DROP TABLE lab.t",
            "SELECT id FROM lab.t",
        ):
            cleo.send(sql)
        answers = {(answer := await cleo.socket.read_message())["id"]: answer for _ in range(6)}
        assert answers[4]["results"][0]["rows"] == [[7]]
        assert answers[6]["code"] == "NOT_FOUND"


async def test_answers_overtake_each_other(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Held(server, "read", monkeypatch)
    async with asking(server) as ada:
        slow = ada.send("SELECT 1")
        fast = ada.send("INSERT INTO app.notes VALUES (1, 'x', 1)")
        assert (await ada.socket.read_message())["id"] == fast
        ada.socket.send(text({"type": "ping", "id": "p"}))
        assert (await ada.socket.read_message())["type"] == "pong"
        reads.let_go()
        assert (await ada.socket.read_message())["id"] == slow


async def test_no_more_run_at_once_than_may_and_reading_pauses_behind_as_many_that_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sql_server(tmp_path, limits={"in_flight": 3}) as server, asking(server) as ada:
        reads = Held(server, "read", monkeypatch)
        for _ in range(6):
            ada.send("SELECT 1")
        ada.socket.send(text({"type": "ping", "id": "p"}))  # behind what is not read
        await until(lambda: len(reads.entered) == 3)
        websocket = next(each for each in server.service.registry if each.user and each.user.name == "ada")
        assert repr(websocket._queries).endswith("3 reading, 3 waiting>, 0 answers wait>")  # type: ignore[attr-defined]  # it is a WebSocket
        await asyncio.sleep(0)
        assert len(reads.entered) == 3
        assert not ada.socket.unread
        reads.let_go()
        answers = [await ada.socket.read_message() for _ in range(7)]
        assert sorted(str(answer["id"]) for answer in answers) == ["1", "2", "3", "4", "5", "6", "p"]


async def test_users_take_turns_at_the_loop_however_much_one_of_them_asks(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.service.pace, "_slice_s", 1e-9)  # a turn of the loop has one step
    read: list[bytes] = []

    def note(data: bytes) -> ClientMessage | Fault:
        read.append(data)
        return decode_client(data)

    monkeypatch.setattr("watchword_server.gateway.websocket.decode_client", note)
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(asking(server)) for _ in range(7)]
        bob = await stack.enter_async_context(asking(server, "bob"))
        for ada in connections:
            for number in range(2):
                ada.send(f"SELECT {number}; SELECT {number + 1}")
        asked = bob.send("SELECT 'bob'")
        assert (await bob.socket.read_message())["id"] == asked
        assert [b"bob" in data for data in read].index(True) < len(connections), read
        for ada in connections:
            answers = [await ada.socket.read_message() for _ in range(2)]
            assert [(answer["id"], answer["type"]) for answer in answers] == [(1, "result"), (2, "result")]


async def test_http_and_websocket_share_the_loop_in_steps(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.service.pace, "_slice_s", 1e-9)
    async with asking(server) as ada:
        ids = [ada.send("INSERT INTO app.notes VALUES ($1, 'x', 1)", number) for number in range(5)]
        answer, body = await ask_over_http(server, {"statements": [{"sql": f"SELECT {n}"} for n in range(5)]}, "bob")
        assert (answer.status, [each["rows"] for each in body["results"]]) == (200, [[[n]] for n in range(5)])
        assert sorted([(await ada.socket.read_message())["id"] for _ in ids]) == ids


async def test_who_leaves_while_waiting_for_a_turn_is_forgotten(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.service.pace, "_slice_s", 1e-9)
    async with asking(server) as bob:
        async with asking(server) as ada:
            for number in range(16):
                ada.send(f"SELECT {number}")
        assert await bob.rows("SELECT 1") == [[1]]
        await until(lambda: not server.service.running)
        assert repr(server.service.pace) == "<Pace: 0 wait for a turn>"


async def test_queries_of_one_user_are_bounded_over_all_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sql_server(tmp_path, limits={"statements_per_user": 2}) as server:
        reads = Held(server, "read", monkeypatch)
        async with asking(server) as ada, asking(server) as other, asking(server, "bob") as bob:
            ada.send("SELECT 1")
            other.send("SELECT 1")
            await until(lambda: len(reads.entered) == 2)
            code, message = await ada.refusal("SELECT 2")
            assert code == "LIMIT_EXCEEDED"
            assert "2 queries" in message
            assert "statements_per_user" in message
            bob.send("SELECT 1")
            await until(lambda: len(reads.entered) == 3)
            reads.let_go()
            for each in (ada, other, bob):
                await each.socket.read_message()
            assert await ada.rows("SELECT 2") == [[2]]


class TestTheEnd:
    """What runs when a connection ends."""

    @pytest.mark.parametrize("how", ["abort", "close frame", "half a frame of nonsense"])
    async def test_reads_are_cancelled_and_writes_run_to_their_end(
        self, server: RunningServer, monkeypatch: pytest.MonkeyPatch, how: str
    ) -> None:
        reads, writes = Held(server, "read", monkeypatch), Held(server, "write", monkeypatch)
        async with asking(server) as ada:
            ada.send("SELECT 1")
            ada.send("INSERT INTO app.notes VALUES (1, 'x', 1)")
            ada.send("SELECT 2")  # waits
            await until(lambda: len(reads.entered) == len(writes.entered) == 1)
            if how == "abort":
                ada.socket.abort()
            else:
                ada.socket.send(frame("close", b"\x03\xe8") if how == "close frame" else frame("text", b"\xff"))
            await until(lambda: reads.cancelled)
        writes.let_go()
        reads.let_go()
        await until(lambda: not server.service.running)
        assert (len(reads.entered), reads.cancelled, writes.cancelled) == (1, 1, 0)
        async with asking(server) as ada:
            assert await ada.rows("SELECT id FROM app.notes") == [[1]]

    async def test_a_stop_answers_the_writes_that_run_and_starts_nothing_more(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # A clock that stands still: nothing here waits for a deadline.
        async with sql_server(tmp_path, clock=FakeClock()) as server, asking(server, v1=True) as ada:
            writes, reads = Held(server, "write", monkeypatch), Held(server, "read", monkeypatch)
            write = ada.send("INSERT INTO app.notes VALUES (1, 'x', 1) RETURNING body")
            ada.send("SELECT 1")
            await until(lambda: writes.entered)
            server.listener.stop()
            assert (await ada.socket.read_message())["type"] == "draining"
            ada.send("INSERT INTO app.notes VALUES (2, 'x', 1)")
            writes.let_go()
            answer = await ada.socket.read_message()
            assert (answer["id"], answer["results"][0]["rows"]) == (write, [["x"]])
            assert await ada.socket.read_close() == (1012, "SERVER_SHUTDOWN")
            ada.socket.send(frame("close", b"\x03\xf4"))
            assert await ada.socket.read_end() == b""
            assert (len(writes.entered), len(reads.entered)) == (1, 0)

    async def test_a_stop_waits_for_a_write_only_so_long(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = FakeClock()
        async with sql_server(tmp_path, clock=clock) as server, asking(server) as ada:
            writes = Held(server, "write", monkeypatch)
            ada.send("INSERT INTO app.notes VALUES (1, 'x', 1)")
            await until(lambda: writes.entered)
            server.listener.stop()
            await until(lambda: any(ws._leaves_with for ws in server.service.registry))  # type: ignore[attr-defined]  # they are WebSockets
            pass_time(server, clock, 4.9)
            has_waited = any(ws._leaves_with for ws in server.service.registry)  # type: ignore[attr-defined]  # as above
            pass_time(server, clock, 0.2)
            assert await ada.socket.read_close() == (1012, "SERVER_SHUTDOWN")
            writes.let_go()
            assert has_waited

    async def test_a_statement_that_ends_its_own_connection_is_answered_first(
        self, server: RunningServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        writes = Held(server, "write", monkeypatch)
        async with asking(server) as ada:
            write = ada.send("INSERT INTO app.notes VALUES (1, 'x', 1)")
            await until(lambda: writes.entered)
            server.service.registry.end_user("u_ada", ErrorCode.TOKEN_STALE)
            server.service.registry.end_user("u_ada", ErrorCode.TOKEN_REVOKED)
            writes.let_go()
            assert (await ada.socket.read_message())["id"] == write
            assert await ada.socket.read_close() == (4102, "TOKEN_STALE")

    async def test_who_ends_while_nothing_is_written_ends_at_once(
        self, server: RunningServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reads = Held(server, "read", monkeypatch)
        async with asking(server) as ada:
            ada.send("SELECT 1")
            await until(lambda: reads.entered)
            server.service.registry.end_user("u_ada", ErrorCode.TOKEN_REVOKED)
            assert await ada.socket.read_close() == (4101, "TOKEN_REVOKED")
            await until(lambda: reads.cancelled)


async def test_the_context_at_the_start_of_a_statement_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A renewal that raises no role but brings another token does not disturb what runs; what waits starts after it."""
    async with running_server(tmp_path) as server, asking(server) as ada:
        reads = Held(server, "read", monkeypatch)
        ada.send("SELECT current_user")
        await until(lambda: reads.entered)
        ada.socket.send(by_message(token(server, jti="second")))
        ada.send("SELECT current_user")
        assert (await ada.socket.read_message())["type"] == "auth_success"
        await until(lambda: len(reads.entered) == 2)
        reads.let_go()
        for _ in range(2):
            assert (await ada.socket.read_message())["results"][0]["rows"] == [["ada"]]
