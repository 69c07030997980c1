"""The audit log of a running server: what is in it, from whom, and that nobody can fill it."""

from pathlib import Path
from typing import Any

import pytest

from support.asking import ask_over_http, asking
from support.audit_rows import Row, audit_rows
from support.clock import FakeClock
from support.presenting import basic, by_message, sign_in
from support.raw_socket import get, raw_socket, text, upgrade
from support.server import PASSWORD, running_server, token, until
from support.sql_server import sql_server
from watchword_protocol.errors import ErrorCode
from watchword_server import housekeeping
from watchword_server.adapters.sqlite.audit import SqliteAudit
from watchword_server.app import RunningServer
from watchword_server.refusal import Refused

HERE = "127.0.0.1"


async def refused_at_the_door(server: RunningServer, *fields: str) -> dict[str, Any]:
    async with raw_socket(server.port, upgrade(*fields)) as socket:
        await socket.read_http()
        return (await socket.read_refusal())[0]


async def test_acts_on_users_are_in_it_when_they_are_answered(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, asking(server, "cleo") as cleo:
        for sql in (
            f"CREATE USER z WITH PASSWORD '{PASSWORD}' ROLE service",
            "ALTER USER z LOCK",
            "DROP USER IF EXISTS q",
        ):
            assert (await cleo.ask(sql))["type"] == "result"
        first, second, third = audit_rows(tmp_path)
    assert first == Row(
        "cleo", "u_cleo", "dba", "create_user", "z", HERE, "ok", first.request_id,
        "CREATE USER 'z' WITH PASSWORD '***' ROLE service",
    )  # fmt: skip
    assert (second.action, second.detail) == ("alter_user", "ALTER USER 'z' LOCK")
    assert (third.action, third.target, third.result) == ("drop_user", "q", "ok")
    assert len({first.request_id, second.request_id, third.request_id, None}) == 4


async def test_acts_that_were_refused_are_in_it_under_the_id_that_the_client_knows(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, asking(server, "ada") as ada, asking(server, "cleo") as cleo:
        denied = await ada.ask("DROP USER cleo")
        missing = await cleo.ask("DROP USER nobody")
        table = await ada.ask("CREATE TABLE app.t (id INT PRIMARY KEY) WITH (TYPE = 'USER')")
        over_http = (await ask_over_http(server, {"sql": "UNDROP USER ada"}, "serge"))[1]
        assert not audit_rows(tmp_path)
    rows = [row for row in audit_rows(tmp_path) if row.action != "login"]
    assert [(row.actor, row.action, row.target, row.result, row.request_id) for row in rows] == [
        ("ada", "drop_user", "cleo", "PERMISSION_DENIED", denied["request_id"]),
        ("cleo", "drop_user", "nobody", "NOT_FOUND", missing["request_id"]),
        ("ada", "query", None, "PERMISSION_DENIED", table["request_id"]),
        ("serge", "undrop_user", "ada", "PERMISSION_DENIED", over_http["error"]["request_id"]),
    ]


async def test_definitions_are_in_it(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, asking(server, "cleo") as cleo:
        create = "CREATE TABLE app.t (id INT PRIMARY KEY) WITH (TYPE = 'USER')"
        for sql in ("CREATE NAMESPACE app", create, "DROP TABLE app.t"):
            assert (await cleo.ask(sql))["type"] == "result"
        assert [(row.action, row.target, row.detail) for row in audit_rows(tmp_path)] == [
            ("create_namespace", "app", "CREATE NAMESPACE app"),
            ("create_table", "app.t", create),
            ("drop_table", "app.t", "DROP TABLE app.t"),
        ]


async def test_requests_for_somebody_else_are_in_it_without_their_values(tmp_path: Path) -> None:
    async with sql_server(tmp_path) as server, asking(server, "serge") as serge:
        await serge.ask("INSERT INTO app.notes VALUES ($1, $2, NULL)", 1, "sEcReT", as_user="ada")
        await serge.ask("SELECT 1 / 0", as_user="ada")
        for name in ("nobody", "dora", "cleo"):
            await serge.ask("SELECT 1", as_user=name)
        await serge.ask(statements=[{"sql": "SELECT 1"}, {"sql": "SELECT 2"}], as_user="bob")
        await serge.ask("SELECT 1")
    rows = audit_rows(tmp_path, "as_user")
    assert {(row.actor, row.source) for row in rows} == {("serge", HERE)}
    assert [(row.target, row.result, row.detail) for row in rows] == [
        ("ada", "ok", "INSERT INTO app.notes VALUES ($1, $2, NULL)"),
        ("ada", "TYPE_MISMATCH", "SELECT 1 / 0"),
        ("nobody", "NOT_FOUND", "SELECT 1"),
        ("dora", "NOT_FOUND", "SELECT 1"),
        ("cleo", "PERMISSION_DENIED", "SELECT 1"),
        ("bob", "ok", "SELECT 1; SELECT 2"),
    ]


async def test_every_login_is_in_it_and_every_failed_one(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        async with asking(server, "serge") as serge:
            serge.socket.send(by_message(token(server, "serge")))
            assert (await serge.socket.read_message())["type"] == "auth_success"
            serge.socket.send(by_message(token(server, "bob")))
            mismatch, _ = await serge.socket.read_refusal()
        await ask_over_http(server, {"sql": "SELECT 1"}, "ada")
        stale = await refused_at_the_door(server, f"Authorization: Bearer {token(server, lifetime_s=-100)}")
        wrong = await refused_at_the_door(server, basic("ada", "wrong password"))
        unknown = await refused_at_the_door(server, basic("no\x1bbody", PASSWORD))
        broken = await refused_at_the_door(server, "Authorization: Bearer")
        async with raw_socket(server.port, get("/v1/api/auth/me")) as socket:
            anonymous = (await socket.read_http()).error
        async with raw_socket(server.port, upgrade(), text({"type": "query", "sql": "SELECT 1"})) as socket:
            await socket.read_http()
            early, _ = await socket.read_refusal()
    logins = audit_rows(tmp_path, "login")
    connection_id = logins[0].request_id
    assert connection_id is not None
    assert logins == [
        Row("serge", "u_serge", "service", "login", None, HERE, "ok", connection_id, "jwt, WebSocket"),
        Row("serge", "u_serge", "service", "login", None, HERE, "ok", connection_id, "jwt, WebSocket"),
        Row("u_bob", None, None, "login", None, HERE, "USER_MISMATCH", mismatch["request_id"], "jwt, WebSocket"),
        Row("ada", "u_ada", "user", "login", None, HERE, "ok", None, "jwt, HTTP"),
        Row("u_ada", None, None, "login", None, HERE, "TOKEN_EXPIRED", stale["request_id"], "jwt, WebSocket"),
        Row("ada", None, None, "login", None, HERE, "INVALID_CREDENTIALS", wrong["request_id"], "basic, WebSocket"),
        Row(
            r"no\x1bbody", None, None, "login", None, HERE, "INVALID_CREDENTIALS", unknown["request_id"],
            "basic, WebSocket",
        ),
        Row(
            "", None, None, "login", None, HERE, "MALFORMED_AUTHORIZATION", broken["request_id"],
            "no credential, WebSocket",
        ),
        Row("", None, None, "login", None, HERE, "AUTH_REQUIRED", anonymous["request_id"], "no credential, HTTP"),
        Row("", None, None, "login", None, HERE, "AUTH_REQUIRED", early["request_id"], "no credential, WebSocket"),
    ]  # fmt: skip


async def test_a_refusal_that_is_told_over_http_is_in_it_too(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, handshake={"reject": "http"}) as server,
        raw_socket(server.port, sign_in("nonsense")) as socket,
    ):
        error = (await socket.read_http()).error
    (row,) = audit_rows(tmp_path)
    assert (row.result, row.request_id) == ("INVALID_TOKEN", error["request_id"])


async def test_a_proxys_client_is_the_source(tmp_path: Path) -> None:
    async with running_server(tmp_path, server={"trusted_proxies": [HERE]}) as server:
        await refused_at_the_door(server, "Authorization: Bearer x", "X-Forwarded-For: 192.0.2.9")
    assert [row.source for row in audit_rows(tmp_path)] == ["192.0.2.9"]


async def test_a_stranger_cannot_fill_it(tmp_path: Path) -> None:
    limits = {"connections_per_address": 1_000}
    async with running_server(tmp_path, limits=limits) as server:
        for _ in range(75):
            await refused_at_the_door(server, "Authorization: Bearer x.y.z")
    rows = audit_rows(tmp_path)
    assert len(rows) == 61
    assert rows[-1] == Row(
        "", None, None, "left_out", None, HERE, "ok", None, "15 more: failed logins from one address"
    )


async def test_logins_are_written_while_the_server_runs_and_kept_for_their_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_INTERVAL_S", 0.001)
    clock = FakeClock()
    async with running_server(tmp_path, clock=clock, audit={"retention_s": 500}) as server:
        async with asking(server, "ada"):
            await until(lambda: [row.actor for row in audit_rows(tmp_path)] == ["ada"])
        clock.advance(499)
        async with asking(server, "bob"):
            await until(lambda: [row.actor for row in audit_rows(tmp_path)] == ["ada", "bob"])
        clock.advance(2)
        await until(lambda: [row.actor for row in audit_rows(tmp_path)] == ["bob"])


async def test_a_definition_whose_row_cannot_be_written_now_is_in_it_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_log: SqliteAudit, _rows: object) -> None:
        raise Refused(ErrorCode.STORAGE_FULL)

    async with running_server(tmp_path) as server, asking(server, "cleo") as cleo:
        with monkeypatch.context() as broken:
            broken.setattr(SqliteAudit, "append", refuse)
            assert (await cleo.ask("CREATE NAMESPACE app"))["type"] == "result"
        assert not audit_rows(tmp_path)
    assert [row.target for row in audit_rows(tmp_path, "create_namespace")] == ["app"]
