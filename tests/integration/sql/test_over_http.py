"""`POST /v1/api/sql`: the same queries, the same results, the same errors."""

import json
from pathlib import Path
from typing import Any

import pytest

from support.asking import Held, ask_over_http, asking, post, sql_request
from support.presenting import basic
from support.raw_socket import get, raw_socket
from support.server import PASSWORD, token, until
from support.sql_server import sql_server
from watchword_server.app import RunningServer


async def test_a_result_is_the_one_of_the_socket_with_a_status(server: RunningServer) -> None:
    sql = "INSERT INTO app.notes VALUES ($1, 'x', NULL) RETURNING *, current_user"
    answer, body = await ask_over_http(server, sql_request(sql, 2**60))
    assert answer.status == 200
    assert answer.headers["content-type"] == ["application/json"]
    assert answer.headers["cache-control"] == ["no-store"]
    async with asking(server) as ada:
        over_socket = await ada.ask("SELECT *, current_user FROM app.notes")
    assert body["results"] == over_socket["results"]
    assert set(body) == {"status", "results", "took"}
    assert (body["status"], body["results"][0]["rows"]) == ("success", [[str(2**60), "x", None, "ada"]])


async def test_two_users_meet_their_own_rows(server: RunningServer) -> None:
    for name in ("ada", "bob"):
        await ask_over_http(server, sql_request("INSERT INTO app.notes VALUES (1, current_user, 1)"), name)
    for name in ("ada", "bob"):
        _, body = await ask_over_http(server, sql_request("SELECT body FROM app.notes"), name)
        assert body["results"][0]["rows"] == [[name]]


async def test_statements_and_as_user_work_as_over_the_socket(server: RunningServer) -> None:
    statements = [{"sql": "INSERT INTO app.notes VALUES ($1, 'x', 1)", "params": [number]} for number in (1, 2)]
    _, body = await ask_over_http(server, {"statements": statements, "as_user": "ada"}, "serge")
    assert [(each["row_count"], each["as_user"]) for each in body["results"]] == [(1, "ada"), (1, "ada")]


@pytest.mark.parametrize("credential", ["password", "token"])
async def test_both_kinds_of_credentials_are_taken(server: RunningServer, credential: str) -> None:
    line = basic("ada", PASSWORD) if credential == "password" else f"Authorization: Bearer {token(server)}"
    async with raw_socket(server.port, post(b'{"sql": "SELECT current_user"}', line)) as socket:
        assert json.loads((await socket.read_http()).body)["results"][0]["rows"] == [["ada"]]


async def test_without_a_credential_nothing_is_looked_at(server: RunningServer) -> None:
    async with raw_socket(server.port, post(b"nonsense")) as socket:
        answer = await socket.read_http()
        assert (answer.status, answer.error["code"]) == (401, "AUTH_REQUIRED")


@pytest.mark.parametrize(
    ("request_", "status", "code", "place"),
    [
        (sql_request("SELECT 1;\nSELECT * frm x"), 400, "INVALID_SQL", (2, 10, 1)),
        (sql_request("SELECT * FROM app.nowhere"), 404, "NOT_FOUND", (1, 15, 0)),
        (sql_request("SELECT $1::int", "x"), 400, "INVALID_PARAMS", (None, None, 0)),
        (sql_request("CREATE NAMESPACE x"), 403, "PERMISSION_DENIED", (None, None, None)),
        (sql_request("SELECT 1", as_user="bob"), 403, "PERMISSION_DENIED", (None, None, None)),
        (sql_request("VACUUM"), 400, "UNSUPPORTED_SQL", (1, 1, 0)),
        ({"statements": [{"sql": "SELECT 1"}, {"sql": "SELECT 1/0"}]}, 400, "TYPE_MISMATCH", (1, 9, 1)),
        ({}, 400, "MALFORMED_MESSAGE", (None, None, None)),
        ({"sql": 7}, 400, "MALFORMED_MESSAGE", (None, None, None)),
        (sql_request("SELECT 1", idempotency_key=""), 400, "MALFORMED_MESSAGE", (None, None, None)),
    ],
)
async def test_an_error_has_its_status_and_its_place(
    server: RunningServer, request_: dict[str, Any], status: int, code: str, place: tuple[int | None, ...]
) -> None:
    answer, body = await ask_over_http(server, request_)
    assert (answer.status, body["status"], body["results"]) == (status, "error", [])
    error = body["error"]
    assert error["code"] == code
    assert tuple(error.get(name) for name in ("line", "column", "statement")) == place
    assert set(error) - {"line", "column", "statement"} == {"code", "message", "close_code", "request_id"}


JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b'{"sql": "SELECT 1"', JSON, 400, "MALFORMED_MESSAGE"),
        (b"\xff", JSON, 400, "MALFORMED_MESSAGE"),
        (b"", JSON, 400, "MALFORMED_MESSAGE"),
        (b'["SELECT 1"]', JSON, 400, "MALFORMED_MESSAGE"),
        (b'{"sql": "SELECT $1::double", "params": [1e999]}', JSON, 400, "INVALID_PARAMS"),
        (b'{"type": "ping", "sql": "SELECT 1"}', JSON, 400, "MALFORMED_MESSAGE"),
        (b'{"sql": "SELECT 1"}', "text/plain", 415, "UNSUPPORTED_DATA"),
        (b"sql=SELECT+1", FORM, 415, "UNSUPPORTED_DATA"),
        (b'{"sql": "SELECT 1"}', "application/json; charset=utf-16", 415, "UNSUPPORTED_DATA"),
        ('{"sql": "SELECT 1"}'.encode("utf-16"), "application/json; charset=UTF-16", 415, "UNSUPPORTED_DATA"),
        (b'{"sql": "SELECT 1"}', 'application/json;a=b;Charset="latin-1"', 415, "UNSUPPORTED_DATA"),
        (b'{"sql": "SELECT 1"}', "application/json; charset=utf-8; charset=utf-16", 415, "UNSUPPORTED_DATA"),
        (b'{"sql": "SELECT 1"}', "Application/JSON; charset=utf-8", 200, None),
        (b'{"sql": "SELECT 1"}', 'application/json ;CHARSET="UTF-8"', 200, None),
        (b'{"sql": "SELECT 1"}', 'application/json; a="; charset=utf-16"; version=1;', 200, None),
        (b'{"type": "query", "id": 3, "sql": "SELECT 0", "sql": "SELECT 1", "new": 1}', JSON, 200, None),
    ],
)
async def test_a_body_is_json(
    server: RunningServer, body: bytes, content_type: str, status: int, code: str | None
) -> None:
    async with raw_socket(
        server.port, post(body, f"Content-Type: {content_type}", f"Authorization: Bearer {token(server)}")
    ) as socket:
        answer = await socket.read_http()
        assert answer.status == status
        content = json.loads(answer.body)
        assert content.get("error", {}).get("code") == code
        if code is None:
            assert content["results"][0]["rows"] == [[1]]


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_body_over_the_limit_is_not_read(tmp_path: Path, *, is_chunked: bool) -> None:
    async with sql_server(tmp_path, limits={"max_message_bytes": 2_000}) as server:
        line = f"Authorization: Bearer {token(server)}"
        for size, status in ((1_900, 200), (1_990, 413)):
            body = json.dumps(sql_request("SELECT 1")).encode() + b" " * size
            sent = post(body, line)
            if is_chunked:
                head, _, _ = sent.replace(
                    f"Content-Length: {len(body)}".encode(), b"Transfer-Encoding: chunked"
                ).partition(b"\r\n\r\n")
                sent = head + b"\r\n\r\n" + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
            async with raw_socket(server.port, sent) as socket:
                answer = await socket.read_http()
                assert answer.status == status
                if status == 413:
                    assert answer.error["code"] == "MESSAGE_TOO_LARGE"
                    assert "2000 bytes" in answer.error["message"]


async def test_other_methods_are_refused(server: RunningServer) -> None:
    async with raw_socket(server.port, get("/v1/api/sql")) as socket:
        answer = await socket.read_http()
        assert (answer.status, answer.headers["allow"]) == (405, ["POST"])
        assert answer.error["code"] == "MALFORMED_MESSAGE"


async def test_who_leaves_cancels_what_only_reads(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    reads, writes = Held(server, "read", monkeypatch), Held(server, "write", monkeypatch)
    line = f"Authorization: Bearer {token(server)}"
    insert = json.dumps(sql_request("INSERT INTO app.notes VALUES (1, 'x', 1)")).encode()
    async with (
        raw_socket(server.port, post(b'{"sql": "SELECT 1"}', line)) as reading,
        raw_socket(server.port, post(insert, line)) as writing,
    ):
        await until(lambda: len(reads.entered) == len(writes.entered) == 1)
        reading.abort()
        writing.abort()
        await until(lambda: reads.cancelled)
    writes.let_go()
    reads.let_go()
    await until(lambda: not server.service.running)
    assert writes.cancelled == 0
    async with asking(server) as ada:
        assert await ada.rows("SELECT id FROM app.notes") == [[1]]


@pytest.mark.parametrize("part", ["", '{"sql": "SEL'])
async def test_who_leaves_inside_the_body_is_no_error(server: RunningServer, part: str) -> None:
    """The server's log is read at its end."""
    line = f"Authorization: Bearer {token(server)}"
    head = post(b'{"sql": "SELECT 1"}', line).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    async with raw_socket(server.port, head + part.encode()) as socket:
        await until(lambda: server.listener.server_state.tasks)
        socket.abort()
        await until(lambda: not server.listener.server_state.tasks)


async def test_a_stop_answers_what_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with sql_server(tmp_path) as server:
        writes = Held(server, "write", monkeypatch)
        insert = json.dumps(sql_request("INSERT INTO app.notes VALUES (1, 'x', 1) RETURNING id")).encode()
        async with raw_socket(server.port, post(insert, f"Authorization: Bearer {token(server)}")) as socket:
            await until(lambda: writes.entered)
            server.listener.stop()
            writes.let_go()
            answer = await socket.read_http()
            assert (answer.status, json.loads(answer.body)["results"][0]["rows"]) == (200, [[1]])
            assert await socket.read_end() == b""
