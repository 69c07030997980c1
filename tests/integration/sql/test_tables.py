"""Definitions over the wire: who may have which, what they do to rows that are there, and what stays of them."""

from pathlib import Path
from typing import Any

import pytest

from support.asking import Asking, asking, store_of
from support.plans import definition_of
from support.server import running_server
from support.sql_server import sql_server
from watchword_server.app import RunningServer
from watchword_server.sql.definer import Definer
from watchword_server.user import Role

INSERT = "INSERT INTO app.notes VALUES (1, 'a', 1)"
REFERRING = "CREATE USER TABLE app.of (id BIGINT PRIMARY KEY REFERENCES app.notes)"
ITEMS = "CREATE SHARED TABLE app.items (id INT PRIMARY KEY, n INT) WITH (ACCESS_LEVEL = 'public')"


async def define(cleo: Asking, *statements: str) -> None:
    for sql in statements:
        answer = await cleo.ask(sql)
        assert answer["type"] == "result", (sql, answer)


class TestRights:
    """Of the roles, and of who created a table."""

    async def test_a_service_changes_its_own_tables_and_no_others(self, server: RunningServer) -> None:
        async with asking(server, "serge") as serge, asking(server, "cleo") as cleo, asking(server, "sys") as system:
            await define(serge, ITEMS, "ALTER TABLE app.items ADD m INT", "CREATE INDEX i ON app.items (m)")
            await define(serge, "DROP INDEX app.i", "ALTER TABLE app.items RENAME TO things")
            await define(cleo, "ALTER TABLE app.things ADD k INT")
            await define(system, "CREATE INDEX j ON app.things (k)")
            for sql in ("DROP TABLE app.news", "ALTER TABLE app.notes ADD x INT", "CREATE INDEX ON app.news (id)"):
                code, message = await serge.refusal(sql)
                assert (code, "that takes the role dba" in message) == ("PERMISSION_DENIED", True)
            await define(serge, "DROP TABLE app.things")
            assert (await serge.refusal("DROP NAMESPACE app CASCADE"))[0] == "PERMISSION_DENIED"

    @pytest.mark.parametrize(
        "sql",
        [
            "CREATE TABLE IF NOT EXISTS app.notes (id INT PRIMARY KEY) WITH (TYPE = 'USER')",
            "CREATE USER TABLE app.mine (id INT PRIMARY KEY)",
            "DROP TABLE IF EXISTS app.nothing",
            "ALTER TABLE app.notes ADD x INT",
            "CREATE INDEX ON app.notes (id)",
            "DROP INDEX IF EXISTS app.nothing",
            "DROP NAMESPACE IF EXISTS nothing",
        ],
    )
    async def test_a_user_defines_nothing(self, server: RunningServer, sql: str) -> None:
        async with asking(server) as ada:
            assert (await ada.refusal(sql))[0] == "PERMISSION_DENIED"

    async def test_a_definition_is_none_of_as_users(self, server: RunningServer) -> None:
        async with asking(server, "serge") as serge:
            assert (await serge.refusal(ITEMS, as_user="ada"))[0] == "PERMISSION_DENIED"

    async def test_a_table_that_is_made_private_is_gone_for_users_at_once(self, server: RunningServer) -> None:
        async with asking(server, "cleo") as cleo, asking(server) as ada:
            assert await ada.rows("SELECT id FROM app.news") == []
            await define(cleo, "ALTER TABLE app.news SET ACCESS_LEVEL 'restricted'")
            assert (await ada.refusal("SELECT id FROM app.news"))[0] == "NOT_FOUND"
            await define(cleo, "ALTER TABLE app.news SET ACCESS_LEVEL = 'public'")
            assert await ada.rows("SELECT id FROM app.news") == []

    async def test_truncate_takes_the_rows_of_who_asks(self, server: RunningServer) -> None:
        async with asking(server) as ada, asking(server, "bob") as bob, asking(server, "serge") as serge:
            for each in (ada, bob):
                await each.rows("INSERT INTO app.notes VALUES (1, 'x', 1), (2, 'y', 2)")
            answer = await ada.ask("TRUNCATE app.notes; SELECT count(*) FROM app.notes")
            assert [each["rows"] for each in answer["results"]] == [[], [[0]]]
            assert answer["results"][0]["row_count"] == 2
            assert await bob.rows("SELECT count(*) FROM app.notes") == [[2]]
            assert (await ada.refusal("TRUNCATE app.news"))[0] == "PERMISSION_DENIED"
            assert (await ada.refusal("TRUNCATE app.plans"))[0] == "NOT_FOUND"
            await serge.rows("INSERT INTO app.news VALUES (1, 'x')")
            assert (await serge.ask("TRUNCATE TABLE app.news"))["results"][0]["row_count"] == 1


class TestConstraints:
    """On statements, and on rows that are there."""

    async def test_unique_is_within_the_owner_and_null_is_no_value(self, server: RunningServer) -> None:
        async with asking(server, "cleo") as cleo, asking(server) as ada, asking(server, "bob") as bob:
            await define(
                cleo, "CREATE USER TABLE app.t (id INT PRIMARY KEY, a INT, b TEXT, UNIQUE (a, b), c INT UNIQUE)"
            )
            insert = "INSERT INTO app.t VALUES ($1, $2, $3, $4) RETURNING *"
            for each in (ada, bob):
                await each.rows(insert, 1, 1, "x", 5)
                await each.rows(insert, 2, 1, None, None)
                await each.rows(insert, 3, 1, None, None)
            code, message = await ada.refusal(insert, 4, 1, "x", 6)
            assert code == "CONSTRAINT_VIOLATION"
            assert '"t_a_b_key" (a, b) of app.t' in message
            assert '"t_c_key" (c)' in (await ada.refusal("UPDATE app.t SET c = 5 WHERE id = 2"))[1]
            assert "primary key (id)" in (await ada.refusal(insert, 1, 9, "z", 9))[1]
            schema = (await ada.ask("SELECT id, a, c FROM app.t"))["results"][0]["schema"]
            assert [each.get("flags") for each in schema] == [["pk", "nn"], None, ["uq"]]

    async def test_a_check_is_asked_of_every_row_and_a_write_that_fails_is_undone(self, server: RunningServer) -> None:
        async with asking(server, "cleo") as cleo, asking(server) as ada:
            await define(
                cleo,
                "CREATE USER TABLE app.t (id INT PRIMARY KEY, low INT CHECK (low >= 0), high INT, CHECK (low < high), "
                "name TEXT CONSTRAINT lower CHECK (name = lower(name)))",
            )
            await ada.rows("INSERT INTO app.t VALUES (1, 0, 5, 'a'), (2, NULL, NULL, NULL), (3, 4, 6, 'ß')")
            for sql, name in (
                ("INSERT INTO app.t VALUES (4, 1, 2, 'x'), (5, -1, 2, 'x')", "t_low_check"),
                ("INSERT INTO app.t VALUES (4, 1, 1, 'x')", "t_check"),
                ("INSERT INTO app.t VALUES (4, 1, 2, 'X') RETURNING id", "lower"),
                ("UPDATE app.t SET high = high - 2", "t_check"),
                ("UPDATE app.t SET name = 'B' WHERE id = 2 RETURNING name", "lower"),
            ):
                assert await ada.refusal(sql) == (
                    "CONSTRAINT_VIOLATION",
                    f'The check "{name}" of app.t does not hold.',
                )
            answer = await ada.ask("UPDATE app.t SET high = high + 1 RETURNING high; UPDATE app.t SET low = low + 1")
            assert answer["results"][0]["rows"] == [[6], [None], [7]]
            assert answer["results"][1]["row_count"] == 3
            assert await ada.rows("SELECT low, high FROM app.t ORDER BY id") == [[1, 6], [None, None], [5, 7]]
            code, message = await ada.refusal(
                statements=[
                    {"sql": "INSERT INTO app.t VALUES (7, 1, 2, 'x')"},
                    {"sql": "UPDATE app.t SET low = 100"},
                ]
            )
            assert (code, "t_check" in message) == ("CONSTRAINT_VIOLATION", True)
            assert await ada.rows("SELECT count(*) FROM app.t") == [[3]]

    async def test_checks_stand_behind_as_many_outputs_as_there_may_be(self, server: RunningServer) -> None:
        async with asking(server, "cleo") as cleo, asking(server) as ada:
            columns = ", ".join(f"c{number} INT" for number in range(499))
            checks = ", ".join(f"CHECK (id > {number})" for number in range(64))
            await define(cleo, f"CREATE USER TABLE app.wide (id INT PRIMARY KEY, {columns}, {checks})")
            [row] = await ada.rows("INSERT INTO app.wide (id) VALUES (64) RETURNING *")
            assert row == [64, *[None] * 499]
            assert '"wide_id_check63"' in (await ada.refusal("UPDATE app.wide SET id = 63 RETURNING *"))[1]
            code, message = await cleo.refusal("CREATE INDEX ON app.wide (c1)")
            assert (code, "(constraints)" in message) == ("LIMIT_EXCEEDED", True)

    async def test_a_check_that_cannot_be_computed_refuses_the_row(self, server: RunningServer) -> None:
        async with asking(server, "cleo") as cleo, asking(server) as ada:
            await define(cleo, "CREATE USER TABLE app.t (id INT PRIMARY KEY, n INT CHECK (100 / n > 1))")
            await ada.rows("INSERT INTO app.t VALUES (1, 7)")
            assert await ada.refusal("INSERT INTO app.t VALUES (2, 0)") == ("TYPE_MISMATCH", "Division by zero.")
            await define(cleo, "ALTER TABLE app.t ADD m INT DEFAULT 0")
            code, message = await cleo.refusal("ALTER TABLE app.t ADD CHECK (1 / m > 0)")
            assert code == "TYPE_MISMATCH"
            assert message.endswith("Division by zero.")

    async def test_rows_that_are_there_must_fit(self, server: RunningServer) -> None:
        async with asking(server, "cleo") as cleo, asking(server) as ada, asking(server, "bob") as bob:
            await define(cleo, "CREATE USER TABLE app.t (id INT PRIMARY KEY, n INT)")
            for each in (ada, bob):
                await each.rows("INSERT INTO app.t VALUES (1, 7), (2, 7)")
            for change in (
                "ADD UNIQUE (n)",
                "ADD CHECK (n < 7)",
                "ADD FOREIGN KEY (n) REFERENCES app.t",
                "ADD m INT NOT NULL",
                "ADD m INT NOT NULL DEFAULT 3 UNIQUE",
                "ADD m INT DEFAULT 3 REFERENCES app.t",
            ):
                code, message = await cleo.refusal(f"ALTER TABLE app.t {change}")
                assert (code, "app.t" in message) == ("CONSTRAINT_VIOLATION", True), (change, message)
            assert (await cleo.refusal("CREATE UNIQUE INDEX ON app.t (n)"))[0] == "CONSTRAINT_VIOLATION"
            code, message = await cleo.refusal("ALTER TABLE app.t ADD u UUID DEFAULT UUID_V7()")
            assert (code, "has rows" in message) == ("UNSUPPORTED_SQL", True)
            await define(cleo, "ALTER TABLE app.t ADD UNIQUE (id, n)", "ALTER TABLE app.t ADD CHECK (n < 8)")
            await define(cleo, "ALTER TABLE app.t ADD m INT DEFAULT 2 REFERENCES app.t", "CREATE INDEX ON app.t (n)")
            assert await bob.rows("SELECT * FROM app.t ORDER BY id") == [[1, 7, 2], [2, 7, 2]]
            for each in (ada, bob):
                await each.rows("TRUNCATE app.t")
            await define(cleo, "ALTER TABLE app.t ADD u UUID NOT NULL DEFAULT UUID_V7()")
            await define(cleo, "ALTER TABLE app.t ADD k INT NOT NULL")


class TestForeignKeys:
    """Within an owner, or among shared tables."""

    PARENTS = "CREATE USER TABLE app.rooms (id INT PRIMARY KEY, name TEXT UNIQUE)"

    async def test_they_stay_within_the_owner(self, server: RunningServer) -> None:
        async with asking(server, "cleo") as cleo, asking(server) as ada, asking(server, "bob") as bob:
            await define(
                cleo, self.PARENTS, "CREATE USER TABLE app.talks (id INT PRIMARY KEY, room INT REFERENCES app.rooms)"
            )
            await ada.rows("INSERT INTO app.rooms VALUES (1, 'hers')")
            await ada.rows("INSERT INTO app.talks VALUES (1, 1), (2, NULL)")
            assert await bob.refusal("INSERT INTO app.talks VALUES (1, 1)") == (
                "CONSTRAINT_VIOLATION",
                'The foreign key "talks_room_fkey" of app.talks does not hold.',
            )
            assert await bob.rows("INSERT INTO app.rooms VALUES (1, 'his')") == []
            assert (await bob.ask("DELETE FROM app.rooms"))["results"][0]["row_count"] == 1
            for sql in ("DELETE FROM app.rooms", "UPDATE app.rooms SET id = 2", "UPDATE app.talks SET room = 3"):
                assert (await ada.refusal(sql))[0] == "CONSTRAINT_VIOLATION"
            await ada.rows("UPDATE app.talks SET room = NULL")
            await ada.rows("DELETE FROM app.rooms")

    async def test_cascades_reach_far_and_never_another_owner(self, server: RunningServer) -> None:
        async with asking(server, "cleo") as cleo, asking(server) as ada, asking(server, "bob") as bob:
            await define(
                cleo,
                self.PARENTS,
                "CREATE USER TABLE app.talks (id INT PRIMARY KEY, room INT REFERENCES app.rooms ON DELETE CASCADE)",
                "CREATE USER TABLE app.words (id INT PRIMARY KEY, talk INT REFERENCES app.talks ON DELETE CASCADE "
                "ON UPDATE CASCADE, up INT REFERENCES app.words ON DELETE CASCADE)",
            )
            for each in (ada, bob):
                await each.rows("INSERT INTO app.rooms VALUES (1, 'a'), (2, 'b')")
                await each.rows("INSERT INTO app.talks VALUES (1, 1), (2, 2)")
                await each.rows("INSERT INTO app.words VALUES (1, 1, NULL), (2, 2, NULL), (3, NULL, 1), (4, NULL, 3)")
            await ada.rows("UPDATE app.talks SET id = 9 WHERE id = 2")
            assert await ada.rows("SELECT id, talk FROM app.words WHERE talk > 1") == [[2, 9]]
            assert (await ada.ask("DELETE FROM app.rooms WHERE id = 1"))["results"][0]["row_count"] == 1
            assert await ada.rows("SELECT id FROM app.words") == [[2]]
            assert await bob.rows("SELECT count(*) FROM app.words") == [[4]]
            assert await bob.rows("SELECT id, talk FROM app.words WHERE talk > 1") == [[2, 2]]

    async def test_a_chain_of_rows_has_an_end(self, tmp_path: Path) -> None:
        async with (
            sql_server(tmp_path, limits={"write_time_ms": 10_000}) as server,
            asking(server, "cleo") as cleo,
            asking(server) as ada,
        ):
            await define(
                cleo, "CREATE USER TABLE app.t (id INT PRIMARY KEY, up INT REFERENCES app.t ON DELETE CASCADE)"
            )
            await define(cleo, "CREATE INDEX ON app.t (up)")
            rows = ", ".join(f"({number}, {number - 1 or 'NULL'})" for number in range(1, 602))
            await ada.rows(f"INSERT INTO app.t VALUES {rows}")
            code, message = await ada.refusal("DELETE FROM app.t WHERE id = 1")
            assert (code, "(cascade_levels)" in message) == ("LIMIT_EXCEEDED", True)
            await ada.rows("DELETE FROM app.t WHERE id = 301")
            await ada.rows("DELETE FROM app.t WHERE id = 1")
            assert await ada.rows("SELECT count(*) FROM app.t") == [[0]]

    async def test_set_null_and_set_default_among_shared_tables(self, server: RunningServer) -> None:
        async with asking(server, "cleo") as cleo:
            await define(
                cleo,
                ITEMS,
                "CREATE SHARED TABLE app.a (id INT PRIMARY KEY, item INT REFERENCES app.items ON DELETE SET NULL)",
                "CREATE SHARED TABLE app.b (id INT PRIMARY KEY, item INT DEFAULT 1 REFERENCES app.items "
                "ON DELETE SET DEFAULT)",
            )
            await cleo.rows("INSERT INTO app.items VALUES (1, 1), (2, 2)")
            await cleo.rows("INSERT INTO app.a VALUES (1, 2)")
            await cleo.rows("INSERT INTO app.b VALUES (1, 2)")
            await cleo.rows("DELETE FROM app.items WHERE id = 2")
            assert await cleo.rows("SELECT item FROM app.a") == [[None]]
            assert await cleo.rows("SELECT item FROM app.b") == [[1]]
            code, message = await cleo.refusal("DELETE FROM app.items")
            assert (code, '"b_item_fkey" of app.b' in message) == ("CONSTRAINT_VIOLATION", True)

    async def test_a_constraint_of_another_table_that_an_action_breaks_is_not_told_as_ones_own(
        self, server: RunningServer
    ) -> None:
        async with asking(server, "cleo") as cleo:
            await define(
                cleo,
                ITEMS,
                "CREATE SHARED TABLE app.a (id INT PRIMARY KEY, item INT NOT NULL REFERENCES app.items "
                "ON DELETE SET NULL)",
                "CREATE SHARED TABLE app.b (id INT PRIMARY KEY, item INT UNIQUE DEFAULT 1 REFERENCES app.items "
                "ON DELETE SET DEFAULT)",
            )
            await cleo.rows("INSERT INTO app.items VALUES (1, 1), (2, 2), (3, 3)")
            await cleo.rows("INSERT INTO app.a VALUES (1, 2); INSERT INTO app.b VALUES (1, 1), (2, 3)")
            for number in (2, 3):
                assert await cleo.refusal(f"DELETE FROM app.items WHERE id = {number}") == (
                    "CONSTRAINT_VIOLATION",
                    "A foreign key would change a row of another table, which a constraint of that table refuses.",
                )

    async def test_who_may_refer_to_a_table_may_write_it(self, server: RunningServer) -> None:
        async with asking(server, "cleo") as cleo, asking(server, "serge") as serge:
            await define(cleo, ITEMS)
            await define(serge, "CREATE SHARED TABLE app.of (id INT PRIMARY KEY REFERENCES app.items)")
            code, message = await cleo.refusal("DROP TABLE app.items")
            assert (code, "(1)" in message) == ("CONSTRAINT_VIOLATION", True)
            await define(cleo, "DROP TABLE app.items CASCADE")
            await serge.rows("INSERT INTO app.of VALUES (404)")


class TestMeanwhile:
    """A statement that was planned before a change runs after it."""

    @pytest.mark.parametrize(
        ("change", "sql", "code"),
        [
            ("ALTER TABLE app.notes RENAME COLUMN body TO text", "SELECT body FROM app.notes", "SCHEMA_CHANGED"),
            (
                "ALTER TABLE app.notes ADD CHECK (stars > 1)",
                "INSERT INTO app.notes VALUES (1, 'a', 1)",
                "SCHEMA_CHANGED",
            ),
            ("ALTER TABLE app.notes RENAME TO memos", "SELECT id FROM app.notes", "SCHEMA_CHANGED"),
            (
                "CREATE USER TABLE app.of (id BIGINT PRIMARY KEY REFERENCES app.notes)",
                "DELETE FROM app.notes",
                "SCHEMA_CHANGED",
            ),
            ("ALTER TABLE app.news SET ACCESS_LEVEL 'private'", "SELECT id FROM app.news", "SCHEMA_CHANGED"),
            ("DROP TABLE app.notes", INSERT, "NOT_FOUND"),
            ("CREATE INDEX ON app.notes (stars)", INSERT, None),
        ],
    )
    async def test_it_is_told_and_never_answered_with_what_it_did_not_mean(
        self, server: RunningServer, change: str, sql: str, code: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = store_of(server)
        kinds = {"read": store.read, "write": store.write}

        def changing(kind: str) -> Any:
            async def run(transaction: Any) -> Any:
                await store.define(definition_of(change), Definer("u_cleo", Role.DBA))
                return await kinds[kind](transaction)

            return run

        async with asking(server) as ada:
            for kind in kinds:
                monkeypatch.setattr(store, kind, changing(kind))
            answer = await ada.ask(sql)
            assert answer.get("code") == code, answer


async def test_definitions_stay_after_a_restart(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, asking(server, "cleo") as cleo, asking(server) as ada:
        await define(
            cleo,
            "CREATE NAMESPACE app",
            "CREATE USER TABLE app.rooms (id BIGINT PRIMARY KEY DEFAULT SNOWFLAKE_ID(), name TEXT UNIQUE)",
            "CREATE USER TABLE app.talks (id INT PRIMARY KEY, room BIGINT REFERENCES app.rooms ON DELETE CASCADE, "
            "n INT CHECK (n > 1))",
            "CREATE INDEX ON app.talks (room)",
            "ALTER TABLE app.talks RENAME COLUMN n TO m",
            "ALTER TABLE app.rooms RENAME TO halls",
        )
        [[first]] = await ada.rows("INSERT INTO app.halls (name) VALUES ('a') RETURNING id")
        await ada.rows("INSERT INTO app.talks VALUES (1, $1, 2)", first)
    async with running_server(tmp_path) as server, asking(server) as ada, asking(server, "cleo") as cleo:
        [[second]] = await ada.rows("INSERT INTO app.halls (name) VALUES ('b') RETURNING id")
        assert second > first
        assert "t" in (await ada.refusal("INSERT INTO app.halls (name) VALUES ('b')"))[1]
        assert "talks_n_check" in (await ada.refusal("UPDATE app.talks SET m = 1"))[1]
        assert "talks_room_fkey" in (await ada.refusal("UPDATE app.talks SET room = 1"))[1]
        await ada.rows("DELETE FROM app.halls WHERE id = $1", first)
        assert await ada.rows("SELECT * FROM app.talks") == []
        await define(cleo, "DROP INDEX app.talks_room_idx", "DROP NAMESPACE app CASCADE")
