"""Two users with the same SQL: neither meets the other's rows, in any statement."""

import pytest

from support.asking import asking
from watchword_server.app import RunningServer


async def test_every_statement_meets_the_rows_of_who_asks(server: RunningServer) -> None:
    async with asking(server, "ada") as ada, asking(server, "bob") as bob, asking(server, "cleo") as cleo:
        people = {"ada": ada, "bob": bob, "cleo": cleo}
        for name, each in people.items():  # the same keys for everybody
            insert = "INSERT INTO app.notes VALUES (1, $1, 3), (2, $2, 4) RETURNING id, body"
            assert await each.rows(insert, f"{name} 1", f"{name} 2") == [[1, f"{name} 1"], [2, f"{name} 2"]]
        for name, each in people.items():
            assert await each.rows("SELECT body FROM app.notes ORDER BY id") == [[f"{name} 1"], [f"{name} 2"]]
            assert await each.rows("SELECT count(*), sum(stars), avg(stars) FROM app.notes") == [[2, 7, 3.5]]
            assert await each.rows("SELECT stars, count(*) FROM app.notes GROUP BY stars ORDER BY 1") == [
                [3, 1],
                [4, 1],
            ]
            assert await each.rows("SELECT body FROM app.notes WHERE id = $1", 2) == [[f"{name} 2"]]
        changed = await ada.ask("UPDATE app.notes SET body = 'changed', stars = stars + 1")
        assert changed["results"][0]["row_count"] == 2
        deleted = await bob.ask("DELETE FROM app.notes")
        assert deleted["results"][0]["row_count"] == 2
        assert await ada.rows("SELECT body, stars FROM app.notes ORDER BY id") == [["changed", 4], ["changed", 5]]
        assert await bob.rows("SELECT * FROM app.notes") == []
        assert await cleo.rows("SELECT body, stars FROM app.notes ORDER BY id") == [["cleo 1", 3], ["cleo 2", 4]]
        assert await ada.rows("DELETE FROM app.notes WHERE id = 1 RETURNING body") == [["changed"]]
        assert await cleo.rows("UPDATE app.notes SET stars = 9 WHERE id = 1 RETURNING body") == [["cleo 1"]]


@pytest.mark.parametrize(
    ("name", "sql", "code", "needed"),
    [
        ("ada", "INSERT INTO app.news VALUES (1, 'x')", "PERMISSION_DENIED", "service"),
        ("ada", "SELECT * FROM app.plans", "NOT_FOUND", ""),
        ("ada", "DELETE FROM app.plans", "NOT_FOUND", ""),
        ("ada", "CREATE NAMESPACE mine", "PERMISSION_DENIED", "dba"),
        ("ada", "CREATE TABLE app.mine (id INT PRIMARY KEY) WITH (TYPE = 'USER')", "PERMISSION_DENIED", "service"),
        ("ada", "CREATE TABLE IF NOT EXISTS app.notes (id INT PRIMARY KEY)", "PERMISSION_DENIED", "service"),
        ("ada", "DROP TABLE app.notes", "PERMISSION_DENIED", "service"),
        ("ada", "DROP TABLE app.plans", "PERMISSION_DENIED", "service"),
        ("serge", "CREATE NAMESPACE mine", "PERMISSION_DENIED", "dba"),
    ],
)
async def test_what_a_role_may_not(server: RunningServer, name: str, sql: str, code: str, needed: str) -> None:
    async with asking(server, name) as each:
        refused, message = await each.refusal(sql)
        assert refused == code
        assert needed in message
        if needed:
            assert ("user" if name == "ada" else "service") in message


async def test_what_a_role_may(server: RunningServer) -> None:
    async with asking(server, "ada") as ada, asking(server, "serge") as serge:
        assert await serge.rows("INSERT INTO app.news VALUES (1, 'hello') RETURNING id") == [[1]]
        assert await ada.rows("SELECT title FROM app.news") == [["hello"]]
        assert await serge.rows("INSERT INTO app.plans VALUES (1, 'secret') RETURNING id") == [[1]]
        for sql in ("CREATE TABLE app.more (id INT PRIMARY KEY) WITH (TYPE = 'USER')", "DROP TABLE app.more"):
            assert await serge.rows(sql) == []


class TestAsUser:
    """A service acts for a user, with that user's rows and rights."""

    async def test_it_meets_the_users_rows_and_has_the_users_rights(self, server: RunningServer) -> None:
        async with asking(server, "ada") as ada, asking(server, "serge") as serge:
            answer = await serge.ask(
                "INSERT INTO app.notes VALUES (5, 'for ada', 1) RETURNING current_user", as_user="ada"
            )
            assert answer["results"][0]["as_user"] == "ada"
            assert answer["results"][0]["rows"] == [["ada"]]
            assert await ada.rows("SELECT body FROM app.notes") == [["for ada"]]
            assert await serge.rows("SELECT body FROM app.notes") == []
            assert (await serge.refusal("SELECT * FROM app.plans", as_user="ada"))[0] == "NOT_FOUND"
            assert (await serge.refusal("INSERT INTO app.news VALUES (1, 'x')", as_user="ada"))[
                0
            ] == "PERMISSION_DENIED"

    @pytest.mark.parametrize(
        ("name", "sql", "as_user", "code"),
        [
            ("ada", "SELECT 1", "ada", "PERMISSION_DENIED"),
            ("ada", "SELECT 1", "bob", "PERMISSION_DENIED"),
            ("serge", "SELECT 1", "nobody", "NOT_FOUND"),
            ("serge", "SELECT 1", "dora", "NOT_FOUND"),  # deleted
            ("serge", "SELECT 1", "cleo", "PERMISSION_DENIED"),
            ("cleo", "SELECT 1", "serge", "PERMISSION_DENIED"),
            ("cleo", "CREATE NAMESPACE x", "ada", "PERMISSION_DENIED"),
            ("cleo", "DROP TABLE app.notes", "ada", "PERMISSION_DENIED"),
        ],
    )
    async def test_who_may_not(self, server: RunningServer, name: str, sql: str, as_user: str, code: str) -> None:
        async with asking(server, name) as each:
            assert (await each.refusal(sql, as_user=as_user))[0] == code
            assert (await each.refusal(sql, as_user=as_user))[0] == code  # remembered or not
