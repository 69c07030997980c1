"""What a statement's text binds, touches and calls, noted while it is written: its permissions, exactly."""

from typing import Final

from watchword_server.sql.catalog import Table, TableId
from watchword_server.sql.physical import physical_name
from watchword_server.sql.plan import Bind, Permissions, Place
from watchword_server.sql.quoting import quoted_name
from watchword_server.sql.tree import Template

__all__ = ["ROW", "Ledger"]

ROW: Final = "ROWID"
"""As the authorizer calls the number of a row."""


class Ledger:
    """Of one statement. `assigned`: the column that the value being written is for.

    `is_of_definition`: what is written stands in a table's definition, not in the statement.
    """

    __slots__ = (
        "_binds",
        "_commons",
        "_functions",
        "_places",
        "_reads",
        "_sums",
        "_tables",
        "assigned",
        "is_of_definition",
    )

    def __init__(self) -> None:
        self._binds: dict[Bind, int] = {}
        self._reads: set[tuple[str, str]] = set()
        self._functions: set[str] = set()
        self._places: dict[tuple[object, ...], tuple[int, Place]] = {}
        self._sums: dict[str, Place] = {}
        self._tables: dict[int, Table] = {}
        self._commons: set[str] = set()
        self.assigned: str | None = None
        self.is_of_definition = False

    def bind(self, bind: Bind) -> str:
        """Its number in the text."""
        return f"?{self._binds.setdefault(bind, len(self._binds) + 1)}"

    def table(self, number: int, table: Table) -> str:
        """A source that is a table; its name in the engine."""
        self._tables[number] = table
        return f"main.{quoted_name(physical_name(table))}"

    def read(self, number: int, column: str) -> None:
        """A column of a source is named."""
        if number in self._tables:
            self._reads.add((physical_name(self._tables[number]), column))

    def read_rows(self, number: int) -> None:
        """The rows of a source are counted, if no column is named."""
        name = physical_name(self._tables[number])
        if not any(table == name for table, _ in self._reads):
            self._reads.add((name, ""))

    def common(self, name: str) -> None:
        """A query of WITH, which asks for what is in it under its own name."""
        self._commons.add(name)

    def call(self, *functions: str) -> None:
        """Functions of the engine are called."""
        self._functions.update(functions)

    def fill(self, template: Template, texts: list[str], at: int, tail: str = "") -> str:
        """The template's text. Equal expressions have one place: SQLite must see in GROUP BY that they are equal."""
        self._functions |= template.functions
        if not template.has_place:
            return template.fill(texts, tail=tail)
        new = len(self._places), Place(None if self.is_of_definition else at, self.assigned)
        number, _ = self._places.setdefault((template, self.assigned, tail, *texts), new)
        return template.fill(texts, number, tail)

    def sum(self, text: str, at: int) -> None:
        """What SQLite itself adds up, which knows no place."""
        self._sums.setdefault(text, Place(at, None))

    # --- for the plan -------------------------------------------------------------------------------------

    @property
    def binds(self) -> tuple[Bind, ...]:
        """In the order of their numbers."""
        return tuple(self._binds)

    @property
    def places(self) -> tuple[Place, ...]:
        """In the order of their numbers."""
        return tuple(place for _, place in self._places.values())

    @property
    def sums(self) -> tuple[Place, ...]:
        """Of all sums."""
        return tuple(self._sums.values())

    @property
    def tables(self) -> frozenset[TableId]:
        """Every table that is named."""
        return frozenset(table.id for table in self._tables.values())

    def permissions(
        self,
        inserts: frozenset[str] = frozenset(),
        updates: frozenset[tuple[str, str]] = frozenset(),
        deletes: frozenset[str] = frozenset(),
    ) -> Permissions:
        """All that the statement may touch."""
        return Permissions(
            frozenset(self._reads),
            inserts,
            updates,
            deletes,
            frozenset(self._functions),
            frozenset(self._commons),
        )
