"""What should not happen, happens: the client is told so with an id, or loses its connection; nobody waits for ever."""

from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import pytest

from support.asking import ask_over_http, asking, sql_request
from support.presenting import basic
from support.raw_socket import raw_socket, text, upgrade
from support.server import PASSWORD, running_server, token, until
from watchword_server.app import RunningServer
from watchword_server.auth.authenticator import Authenticator
from watchword_server.connection import Connection
from watchword_server.gateway.query_queue import QueryQueue
from watchword_server.handlers import Handlers
from watchword_server.query.queries import Queries


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    """One that logs what was planted, in full and once."""
    lines: list[Mapping[str, Any]] = []
    async with running_server(tmp_path, lines=lines) as server:
        yield server
        told = [line for line in lines if line["event"] == "internal error"]
        assert len(told) == 1
        assert str(told[0]["exc_info"]) == "planted"
        lines.remove(told[0])


def fail(*_arguments: object, **_options: object) -> None:
    raise ZeroDivisionError("planted")


async def test_a_handler_that_fails_is_told_by_an_id(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Handlers, "handle", fail)
    async with raw_socket(server.port, upgrade(f"Authorization: Bearer {token(server, 'ada')}")) as socket:
        assert (await socket.read_http()).status == 101
        await socket.read_message()
        socket.send(text({"type": "ping", "id": 3}))
        error = await socket.read_message()
        assert (error["type"], error["code"], error["id"]) == ("error", "INTERNAL_ERROR", 3)
        assert "planted" not in str(error)
        assert error["request_id"]


@pytest.mark.parametrize("method", ["prepare", "run"])
async def test_a_query_that_fails_is_told_by_an_id_and_the_next_one_runs(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    async with asking(server) as ada:
        with monkeypatch.context() as patch:
            patch.setattr(Queries, method, fail)
            answer = await ada.ask("SELECT 1")
        assert (answer["code"], answer["message"]) == ("INTERNAL_ERROR", "Internal error")
        assert answer["request_id"]
        assert await ada.rows("SELECT 1") == [[1]]


async def test_an_answer_that_cannot_be_sent_ends_the_connection(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asking(server) as ada:
        monkeypatch.setattr(QueryQueue, "deliver", fail)
        ada.send("SELECT 1")
        assert await ada.socket.read_end() == b""
        await until(lambda: not server.service.open)


async def test_a_query_over_http_that_fails_is_told_by_an_id(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Queries, "run", fail)
    answer, body = await ask_over_http(server, sql_request("SELECT 1"))
    assert (answer.status, body["error"]["code"]) == (500, "INTERNAL_ERROR")


async def test_a_check_that_fails_closes_with_1011(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Authenticator, "authenticate", fail)
    async with raw_socket(server.port, upgrade(basic("ada", PASSWORD))) as socket:
        assert (await socket.read_http()).status == 101
        refusal, close_code = await socket.read_refusal()
        assert (refusal["code"], refusal["advice"], close_code) == ("INTERNAL_ERROR", "reconnect", 1011)


async def test_a_failure_after_a_check_ends_the_connection(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "admitted", fail)
    async with raw_socket(server.port, upgrade(basic("ada", PASSWORD))) as socket:
        assert await socket.read_end() == b""
        await until(lambda: not server.service.open)
