"""The tables of a subject on a real server of ours, and what it answers to a case."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from support.accounts import make_account
from support.asking import Asking, asking
from support.server import running_server
from support.sql_subjects.subject import Case, Schema, Table

__all__ = ["Place", "Placing", "placed"]

# In USER tables ada asks, and bob has rows too; in SHARED ones a service asks, or who the case says.
_ASKER: Final = {"USER": "ada", "SHARED": "serge"}
_QUICK: Final = {"messages_per_s": 100_000, "write_time_ms": 5_000, "statements": 1_000}


class Place:
    """One schema's tables in one type. `refusal`: the code and the sentence with which they could not be made."""

    def __init__(self, schema: Schema, kind: str, people: dict[str, Asking]) -> None:
        self.refusal: tuple[str, str] | None = None
        self._schema = schema
        self._people = people
        self._asker = _ASKER[kind]
        self._kind = kind
        self._others: object = None

    async def lay_out(self) -> None:
        """Make the tables, and everybody's rows; or say why not."""
        words = {name: ours for name, (_, ours) in (self._schema.words or {}).items()}
        tables = [
            f"CREATE TABLE {each.name} ({each.columns}) WITH (TYPE = '{self._kind}')" for each in self._schema.tables
        ]
        further = [each.format_map(words) for each in self._schema.further]
        for statement in ('CREATE NAMESPACE "default"', *tables, *further):
            answer = await self._people["cleo"].ask(statement)
            if answer["type"] == "error":
                self.refusal = answer["code"], f"{statement}: {answer['message']}"
                return
        await self._fill(self._asker)
        if self._kind == "USER":
            await self._fill("bob")
            self._others = await self._state("bob")

    async def answer(self, case: Case) -> dict[str, Any]:
        """What is said to a case: `names`, `types`, `rows` in wire form, `count`, `after`; or `code` and `message`.

        The tables are as before afterwards. Rows without an order are sorted.

        Raises:
            AssertionError: It changed what is another user's, or changed something and was refused.
        """
        if self.refusal is not None:
            code, message = self.refusal
            return {"code": code, "message": message}
        before = await self._state(self._asker) if case.is_write else {}
        answer = await self._people[case.user or self._asker].ask(case.sql, *case.parameters)
        after = await self._state(self._asker) if case.is_write else {}
        if self._kind == "USER" and case.is_write:
            assert await self._state("bob") == self._others
        if answer["type"] == "error":
            assert after == before
            return {"code": answer["code"], "message": answer["message"]}
        [result] = answer["results"]
        columns, rows = result["schema"], result["rows"]
        if not case.is_ordered:
            rows.sort(key=repr)
        found = {
            "names": [each["name"] for each in columns],
            "types": [each["data_type"] for each in columns],
            "rows": rows,
        }
        if case.is_write:
            found["count"] = result["row_count"]
            found["after"] = {name: table for name, table in after.items() if table != before[name]}
            if found["after"]:
                await self._fill(self._asker)
                assert await self._state(self._asker) == before
        return found

    async def _fill(self, user: str) -> None:
        """A user's rows as they were at first, in place of what there is."""
        tables = self._schema.tables
        emptying = [f"DELETE FROM {each.name}" for each in reversed(tables)]
        filling = [
            f"INSERT INTO {each.name} VALUES {', '.join(rows)}" for each in tables if (rows := self._rows(each, user))
        ]
        answer = await self._people[user].ask(statements=[{"sql": each} for each in (*emptying, *filling)])
        assert answer["type"] == "result", answer

    def _rows(self, table: Table, user: str) -> list[str]:
        return list(table.rows if user == self._asker else table.others)

    async def _state(self, user: str) -> dict[str, dict[str, Any]]:
        """`types` and `rows` of every table, all that this user sees, sorted."""
        names = [each.name for each in self._schema.tables]
        answer = await self._people[user].ask(statements=[{"sql": f"SELECT * FROM {name}"} for name in names])
        assert answer["type"] == "result", answer
        return {
            name: {
                "types": [each["data_type"] for each in result["schema"]],
                "rows": sorted(result["rows"], key=repr),
            }
            for name, result in zip(names, answer["results"], strict=True)
        }


Placing = Callable[[Schema, str], Awaitable[Place]]
"""What finds the place of a schema and a type."""


@asynccontextmanager
async def placed(directory: Path, schema: Schema, kind: str) -> AsyncGenerator[Place]:
    """A server with nothing but these tables."""
    async with running_server(directory, limits=_QUICK) as server, AsyncExitStack() as stack:
        await server.accounts.add(make_account("carol"))
        names = ("ada", "bob", "carol", "serge", "cleo")
        people = {name: await stack.enter_async_context(asking(server, name)) for name in names}
        place = Place(schema, kind, people)
        await place.lay_out()
        yield place
