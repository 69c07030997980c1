"""Users by SQL over real sockets: every effect on what is open, and what reaches nobody."""

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from support.asking import Asking, ask_over_http, asking, post
from support.audit_rows import audit_rows
from support.presenting import basic
from support.raw_socket import raw_socket, upgrade
from support.server import PASSWORD, USERS, running_server, token
from watchword_server.app import RunningServer

NEW = "a new password ☃"


async def said_at_the_door(server: RunningServer, header: str) -> str:
    """`ok`, or the error of a handshake."""
    async with raw_socket(server.port, upgrade(header)) as socket:
        await socket.read_http()
        answer = await socket.read_message()
    return "ok" if answer["type"] == "auth_success" else str(answer["code"])


def bearer(server: RunningServer, name: str, **claims: Any) -> str:
    return f"Authorization: Bearer {token(server, name, **claims)}"


async def do(asking_: Asking, *statements: str) -> None:
    for sql in statements:
        answer = await asking_.ask(sql)
        assert answer["type"] == "result", (sql, answer)
        assert answer["results"] == [
            {"schema": [], "rows": [], "row_count": 0, "as_user": answer["results"][0]["as_user"]}
        ]


@pytest.mark.parametrize(
    ("sql", "close"),
    [
        ("DROP USER 'ada'", (4101, "TOKEN_REVOKED")),
        ("ALTER USER ada LOCK", (4001, "ACCOUNT_LOCKED")),
        ("ALTER USER 'ada' SET ROLE service", (4102, "TOKEN_STALE")),
        (f"ALTER USER 'ada' SET PASSWORD '{NEW}'", (4102, "TOKEN_STALE")),
    ],
)
async def test_what_is_done_to_a_user_ends_all_that_is_open(tmp_path: Path, sql: str, close: tuple[int, str]) -> None:
    async with (
        running_server(tmp_path) as server,
        asking(server, "cleo") as cleo,
        asking(server, "ada") as first,
        raw_socket(server.port, upgrade(basic("ada", PASSWORD))) as second,
        asking(server, "bob") as bob,
    ):
        await second.read_http()
        assert (await second.read_message())["type"] == "auth_success"
        async with asyncio.timeout(1):
            await do(cleo, sql)
            assert await first.socket.read_close() == await second.read_close() == close
        assert await bob.rows("SELECT 1") == [[1]]
        assert await cleo.rows("SELECT 1") == [[1]]


async def test_what_goes_on_after_email_unlock_and_what_changes_nothing(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, asking(server, "cleo") as cleo, asking(server, "ada") as ada:
        await do(
            cleo, "ALTER USER ada EMAIL 'x@example.org'", "ALTER USER ada UNLOCK", "ALTER USER ada ROLE user",
            "DROP USER IF EXISTS nobody", "CREATE USER IF NOT EXISTS ada WITH PASSWORD 'correct horse 1'",
        )  # fmt: skip
        assert await ada.rows("SELECT 1") == [[1]]
        me = b"GET /v1/api/auth/me HTTP/1.1\r\nHost: test.example\r\n" + bearer(server, "ada").encode() + b"\r\n\r\n"
        async with raw_socket(server.port, me) as socket:
            assert json.loads((await socket.read_http()).body)["user"]["email"] == "x@example.org"


async def test_the_life_of_a_user(tmp_path: Path) -> None:
    """Every step counts at the door at once, whatever was remembered."""
    async with running_server(tmp_path) as server, asking(server, "cleo") as cleo:
        await do(cleo, f"CREATE USER 'zoé' WITH PASSWORD '{PASSWORD}' EMAIL 'z@example.org'")
        account = await server.accounts.by_name("zoé")
        assert account is not None
        zoe = bearer(server, account.id)
        for password, said in ((PASSWORD, "ok"), (PASSWORD, "ok"), (NEW, "INVALID_CREDENTIALS")):
            assert await said_at_the_door(server, basic("zoé", password)) == said
        await do(cleo, f"ALTER USER 'zoe\u0301' SET PASSWORD '{NEW}'")
        assert await said_at_the_door(server, basic("zoé", PASSWORD)) == "INVALID_CREDENTIALS"
        assert await said_at_the_door(server, basic("zoé", NEW)) == "ok"
        assert await said_at_the_door(server, zoe) == "TOKEN_STALE"
        zoe = bearer(server, account.id)
        assert await said_at_the_door(server, zoe) == "ok"
        await do(cleo, "ALTER USER 'zoé' LOCK")
        assert await said_at_the_door(server, zoe) == "ACCOUNT_LOCKED"
        assert await said_at_the_door(server, basic("zoé", NEW)) == "ACCOUNT_LOCKED"
        await do(cleo, "ALTER USER 'zoé' UNLOCK")
        assert await said_at_the_door(server, zoe) == "ok"
        await do(cleo, "ALTER USER 'zoé' ROLE dba")
        assert await said_at_the_door(server, zoe) == "TOKEN_STALE"
        zoe = bearer(server, account.id, role="dba")
        assert await said_at_the_door(server, zoe) == "ok"
        await do(cleo, "DROP USER 'zoé'")
        assert await said_at_the_door(server, zoe) == "INVALID_CREDENTIALS"
        assert await said_at_the_door(server, basic("zoé", NEW)) == "INVALID_CREDENTIALS"
        assert (await cleo.refusal("CREATE USER 'zoé' WITH PASSWORD 'correct horse 1'"))[0] == "ALREADY_EXISTS"
        assert (await cleo.refusal("ALTER USER 'zoé' ROLE user"))[0] == "NOT_FOUND"
        await do(cleo, "UNDROP USER 'zoé'")
        assert await said_at_the_door(server, zoe) == "TOKEN_STALE"
        assert await said_at_the_door(server, basic("zoé", NEW)) == "ok"


@pytest.mark.parametrize(
    ("name", "sql", "close"),
    [
        ("ada", f"ALTER USER ada SET PASSWORD '{NEW}'", (4102, "TOKEN_STALE")),
        ("cleo", "ALTER USER cleo ROLE user", (4102, "TOKEN_STALE")),
        ("cleo", "ALTER USER cleo LOCK", (4001, "ACCOUNT_LOCKED")),
        ("cleo", "DROP USER cleo", (4101, "TOKEN_REVOKED")),
    ],
)
async def test_a_statement_that_ends_its_own_connection_is_answered_first(
    tmp_path: Path, name: str, sql: str, close: tuple[int, str]
) -> None:
    async with running_server(tmp_path) as server, asking(server, name) as each:
        await do(each, sql)
        assert await each.socket.read_close() == close


async def test_a_password_connection_that_changes_its_password_is_answered_and_ended(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path) as server,
        raw_socket(server.port, upgrade(basic("ada", PASSWORD))) as socket,
    ):
        await socket.read_http()
        assert (await socket.read_message())["type"] == "auth_success"
        await do(Asking(socket), f"ALTER USER 'ada' SET PASSWORD '{NEW}'")
        assert await socket.read_close() == (4102, "TOKEN_STALE")
        assert await said_at_the_door(server, basic("ada", NEW)) == "ok"


async def test_over_http_a_password_that_changed_counts_for_the_next_request(tmp_path: Path) -> None:
    async def ask(sql: str, password: str) -> int:
        sent = post(json.dumps({"sql": sql}).encode(), basic("ada", password))
        async with raw_socket(server.port, sent) as socket:
            return (await socket.read_http()).status

    async with running_server(tmp_path) as server:
        assert await ask("SELECT 1", PASSWORD) == 200
        assert await ask(f"ALTER USER ada SET PASSWORD '{NEW}'", PASSWORD) == 200
        assert await ask("SELECT 1", PASSWORD) == 401
        assert await ask("SELECT 1", NEW) == 200


@pytest.mark.parametrize("name", ["ada", "serge"])
@pytest.mark.parametrize("other", ["cleo", "dora", "nobody", "ada2"])
async def test_who_has_no_right_learns_nothing(tmp_path: Path, name: str, other: str) -> None:
    async with running_server(tmp_path) as server, asking(server, name) as each:
        for sql in (
            f"CREATE USER {other} WITH PASSWORD '{PASSWORD}'",
            f"CREATE USER IF NOT EXISTS {other} PASSWORD '{PASSWORD}'",
            f"ALTER USER {other} SET PASSWORD '{PASSWORD}'", f"ALTER USER {other} SET EMAIL 'a@example.org'",
            f"ALTER USER {other} SET ROLE user", f"ALTER USER {other} LOCK", f"ALTER USER {other} UNLOCK",
            f"DROP USER {other}", f"DROP USER IF EXISTS {other}", f"UNDROP USER {other}",
            f"ALTER USER {name} ROLE user", f"ALTER USER {name} LOCK", f"DROP USER {name}",
        ):  # fmt: skip
            code, message = await each.refusal(sql)
            assert code == "PERMISSION_DENIED", sql
            assert other not in message


async def test_nobody_changes_or_makes_a_user_above_them(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, asking(server, "cleo") as cleo, asking(server, "sys") as system:
        for sql in (
            "ALTER USER sys LOCK", "DROP USER sys", "ALTER USER sys SET EMAIL 'a@example.org'",
            "ALTER USER ada ROLE system",
            f"CREATE USER new WITH PASSWORD '{PASSWORD}' ROLE system", f"ALTER USER sys SET PASSWORD '{PASSWORD}'",
        ):  # fmt: skip
            assert (await cleo.refusal(sql))[0] == "PERMISSION_DENIED", sql
        await do(system, f"CREATE USER new WITH PASSWORD '{PASSWORD}' ROLE system", "ALTER USER cleo ROLE user")
        assert await cleo.socket.read_close() == (4102, "TOKEN_STALE")


async def test_the_last_who_may_administer_is_kept(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, asking(server, "sys") as system:
        await do(system, "DROP USER cleo")
        for sql in ("DROP USER sys", "ALTER USER sys LOCK", "ALTER USER sys ROLE service"):
            assert (await system.refusal(sql))[0] == "CONSTRAINT_VIOLATION"
        assert await system.rows("SELECT 1") == [[1]]


async def test_a_user_of_another_issuers_tokens(tmp_path: Path) -> None:
    oauth = """'{"issuer": "https://id.example", "subject": "it''s 7"}'"""
    async with running_server(tmp_path) as server, asking(server, "cleo") as cleo:
        await do(cleo, f"CREATE USER o WITH OAUTH {oauth} ROLE service")
        account = await server.accounts.by_subject("https://id.example", "it's 7")
        assert account is not None
        assert (account.name, account.auth_type, account.role) == ("o", "oauth", "service")
        assert (await cleo.refusal(f"CREATE USER p WITH OAUTH {oauth}")) == (
            "ALREADY_EXISTS",
            "Another user has this issuer and subject.",
        )
        assert (await cleo.refusal(f"ALTER USER o SET PASSWORD '{PASSWORD}'"))[0] == "CONSTRAINT_VIOLATION"
        answer = await cleo.ask('CREATE USER p\n  WITH OAUTH \'{"issuer": "x"}\'')
        assert (answer["code"], answer["line"], answer["column"]) == ("INVALID_SQL", 2, 14)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        (f"'{'ß' * 64}'", None), (f"'{'ß' * 65}'", "INVALID_SQL"), ("'a''b'", "INVALID_SQL"), ("'a\"b'", "INVALID_SQL"),
        ('"Ada"', None), ("'ada'", "ALREADY_EXISTS"), ("ADA", "ALREADY_EXISTS"), ("'Ada'", None),
        ("'u_ada'", "INVALID_SQL"), ("''", "INVALID_SQL"), ("'a b'", "INVALID_SQL"),
        ("'x;DROP USER ada'", "INVALID_SQL"),
        ("'a.b-c_d@e'", None), ("'a\u0301'", None), ("'\ud800'", "MALFORMED_MESSAGE"), ("'\\'", "INVALID_SQL"),
        ("'a\u202eb'", "INVALID_SQL"),
    ],
)  # fmt: skip
async def test_hostile_names(tmp_path: Path, written: str, code: str | None) -> None:
    async with running_server(tmp_path) as server, asking(server, "cleo") as cleo:
        answer = await cleo.ask(f"CREATE USER {written} WITH PASSWORD '{PASSWORD}'")
        assert answer.get("code") == code, answer
        if code is None:
            await do(cleo, f"ALTER USER {written} LOCK", f"DROP USER {written}", f"UNDROP USER {written}")
        elif code == "INVALID_SQL":
            assert (await cleo.ask(f"DROP USER {written}"))["code"] in ("NOT_FOUND", "INVALID_SQL")


@pytest.mark.parametrize(
    "members",
    [
        {"sql": "SELECT 1; DROP USER ada"},
        {"statements": [{"sql": "SELECT 1"}, {"sql": "DROP USER ada"}]},
        {"statements": [{"sql": "DROP USER ada"}, {"sql": "DROP USER bob"}]},
    ],
)
async def test_a_statement_about_a_user_stands_alone(tmp_path: Path, members: Mapping[str, Any]) -> None:
    async with running_server(tmp_path) as server, asking(server, "cleo") as cleo:
        assert await cleo.refusal(**members) == (
            "UNSUPPORTED_SQL",
            "A statement about a user stands alone in its request.",
        )
        await do(cleo, "DROP USER ada")
        assert (await cleo.ask(statements=[{"sql": "UNDROP USER ada"}]))["type"] == "result"


@pytest.mark.parametrize("as_user", ["ada", "nobody"])
async def test_it_is_not_for_somebody_else(tmp_path: Path, as_user: str) -> None:
    async with running_server(tmp_path) as server, asking(server, "cleo") as cleo:
        code, message = await cleo.refusal(f"ALTER USER ada SET PASSWORD '{NEW}'", as_user=as_user)
        assert (code, message[:41]) == ("PERMISSION_DENIED", "as_user is for SELECT, INSERT, UPDATE and")


async def test_who_may_be_acted_for_changes_with_the_account_whatever_was_remembered(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, asking(server, "cleo") as cleo, asking(server, "serge") as serge:
        for sql, expected in (
            ("ALTER USER ada UNLOCK", "result"), ("ALTER USER ada ROLE service", "PERMISSION_DENIED"),
            ("ALTER USER ada ROLE user", "result"), ("DROP USER ada", "NOT_FOUND"), ("UNDROP USER ada", "result"),
        ):  # fmt: skip
            await do(cleo, sql)
            for name in ("ada", "u_ada"):
                answer = await serge.ask("SELECT current_user, current_role", as_user=name)
                assert answer.get("code", answer["type"]) == expected, sql
                if expected == "result":
                    assert answer["results"][0]["rows"] == [["ada", "user"]]


async def test_an_administrator_who_falls_while_the_statement_waits_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for the hash; whose turn comes first is decided on the accounts as they are."""
    async with running_server(tmp_path) as server, asking(server, "cleo") as cleo, asking(server, "sys") as system:
        passwords = server.service.authenticator._passwords
        entered, let_go, hash_ = asyncio.Event(), asyncio.Event(), passwords.hash

        async def wait_and_hash(password: str) -> str:
            entered.set()
            await let_go.wait()
            return await hash_(password)

        monkeypatch.setattr(passwords, "hash", wait_and_hash)
        cleo.send(f"ALTER USER bob SET PASSWORD '{NEW}'")
        await entered.wait()
        await do(system, "ALTER USER cleo ROLE user")
        let_go.set()
        answer = await cleo.socket.read_message()
        assert (answer["type"], answer["code"]) == ("error", "PERMISSION_DENIED")
        assert await cleo.socket.read_close() == (4102, "TOKEN_STALE")
        bob = await server.accounts.by_name("bob")
        assert bob == USERS["bob"]


async def test_no_password_reaches_an_answer_the_log_or_the_audit_log(tmp_path: Path) -> None:
    lines: list[Mapping[str, Any]] = []
    secret = "sEcReT-0815"
    answers = []
    async with running_server(tmp_path, lines=lines) as server, asking(server, "cleo") as cleo:
        for sql in (
            f"CREATE USER z WITH PASSWORD '{secret}'", f"CREATE USER z WITH PASSWORD '{secret}'",
            f"ALTER USER z SET PASSWORD '{secret}' x", f'ALTER USER z SET PASSWORD "{secret}"',
            f"ALTER USER z SET PASSWORD {secret}", f"ALTER USER nobody SET PASSWORD '{secret}'",
            f"SELECT nothing FROM nowhere; ALTER USER z SET PASSWORD '{secret}'",
            f"CREATE USER 'a b' PASSWORD '{secret}'",
            f"ALTER USER z SET PASSWORD '{secret}", f"CREATE USER y WITH PASSWORD '{secret}' ROLE king",
        ):  # fmt: skip
            answers.append(await cleo.ask(sql))
            answers.append((await ask_over_http(server, {"sql": sql}, "bob"))[1])
            answers.append((await ask_over_http(server, {"sql": sql, "as_user": "ada"}, "serge"))[1])
        assert await said_at_the_door(server, basic("z", secret)) == "ok"
        assert await said_at_the_door(server, basic("z", f"{secret}.")) == "INVALID_CREDENTIALS"
        planners = server.service.handlers._queries._preparation._planners.values()
        assert secret not in repr([planner._plans for planner in planners])
    everything = repr([answers, lines, audit_rows(tmp_path)])
    assert len(audit_rows(tmp_path)) > 10
    assert "correct horse" not in everything
    assert secret.lower() not in everything.lower()
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir() if path.is_file())
    assert os.fsencode(secret) not in kept
