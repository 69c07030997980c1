"""A store without an engine: it notes what it is asked, and answers every statement with one row or a refusal."""

from typing import Final

from watchword_server.refusal import Refused
from watchword_server.sql.catalog import AccessLevel, Catalog, Column, Table, TableId, TableType
from watchword_server.sql.definer import Definer
from watchword_server.sql.definition_nodes import Definition
from watchword_server.sql.store import Once, Outcome, Transaction
from watchword_server.sql.types import SqlType

__all__ = ["CATALOG", "ScriptedStore"]


def _table(number: int, name: str, type_: TableType, access: AccessLevel = AccessLevel.PRIVATE) -> Table:
    columns = (Column("id", SqlType.INT, not_null=True), Column("body", SqlType.TEXT))
    return Table(TableId(number), "app", name, type_, access, columns, ("id",))


CATALOG: Final = Catalog(
    7,
    frozenset({"app"}),
    {
        ("app", table.name): table
        for table in (
            _table(1, "notes", TableType.USER),
            _table(2, "news", TableType.SHARED, AccessLevel.PUBLIC),
            _table(3, "secrets", TableType.SHARED),
        )
    },
)
"""app.notes everybody's own, app.news for everybody to read, app.secrets from service up."""


class ScriptedStore:
    """Fulfils `Store`. `refusal`: raised in place of an answer."""

    def __init__(self, refusal: Refused | None = None) -> None:
        self.catalog = CATALOG
        self.reads: list[Transaction] = []
        self.writes: list[Transaction] = []
        self.definitions: list[tuple[Definition, Definer]] = []
        self.refusal = refusal

    async def read(self, transaction: Transaction) -> list[Outcome]:
        self.reads.append(transaction)
        return self._answer(transaction)

    async def write(self, transaction: Transaction) -> list[Outcome]:
        self.writes.append(transaction)
        return self._answer(transaction)

    async def write_once(self, once: Once) -> bytes:
        self.writes.append(once)
        return once.encode(self._answer(once))

    async def forget_results(self, before: float) -> None:
        """Nothing is kept."""

    async def define(self, definition: Definition, definer: Definer) -> None:
        self.definitions.append((definition, definer))
        if self.refusal is not None:
            raise self.refusal

    async def check(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    async def close(self) -> None:
        """Nothing runs."""

    def _answer(self, transaction: Transaction) -> list[Outcome]:
        if self.refusal is not None:
            raise self.refusal
        return [Outcome(b"[[1]]", 1) for _ in transaction.statements]
