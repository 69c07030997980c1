"""What the domain asks of the place where tables are kept."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from watchword_server.sql.catalog import Catalog
from watchword_server.sql.definer import Definer
from watchword_server.sql.definition_nodes import Definition
from watchword_server.sql.plan import Plan, StoredValue

__all__ = ["Outcome", "Store", "StoredValue", "Transaction"]


class Transaction(Struct, frozen=True):
    """The statements of one request: they happen together or not at all.

    `statements`: each with its bound values, in the order of its plan's binds. `user_id`: whose turn it takes.
    `time_ms`: for all of them together, from the moment they begin to run. `rows`: the most of each result;
    `result_bytes`: of all together.
    """

    statements: Sequence[tuple[Plan, Sequence[StoredValue]]]
    user_id: str
    time_ms: int
    rows: int
    result_bytes: int


class Outcome(Struct, frozen=True):
    """What one statement gave. `rows`: a JSON array of arrays, in wire form. `row_count`: returned, else affected."""

    rows: bytes
    row_count: int


class Store(Protocol):
    """Tables and their rows.

    A refusal carries the index of its statement in the transaction (`statement`); one of a value that was computed is
    an `SqlFault`, with the place in the statement's text.
    """

    @property
    def catalog(self) -> Catalog:
        """The newest committed catalog."""

    async def read(self, transaction: Transaction) -> list[Outcome]:
        """Run statements that only read, on one state, which holds every write answered before the call.

        Cancelling: stops the statement; the store stays usable.

        Raises:
            Refused: QUERY_TIMEOUT, RESULT_TOO_LARGE, TYPE_MISMATCH, LIMIT_EXCEEDED, STORAGE_UNAVAILABLE; NOT_FOUND,
                SCHEMA_CHANGED: a table went, or became another, since the plan was made.
        """

    async def write(self, transaction: Transaction) -> list[Outcome]:
        """Commit one transaction, in a group with others; returns after the commit is durable.

        Writes happen one after another; one that fails leaves the others of its group untouched.
        Cancelling: before its group starts, nothing happens; after that it runs to its end and the answer is dropped.

        Raises:
            Refused: as for `read`, and CONSTRAINT_VIOLATION, STORAGE_FULL: nothing happened.
                COMMIT_UNKNOWN: it may have.
        """

    async def define(self, definition: Definition, definer: Definer) -> None:
        """Change the catalog and what hangs on it, in a transaction of its own; durable when it returns.

        Raises:
            SqlFault: What is wrong with it, as `definitions.decide` finds.
            Refused: CONSTRAINT_VIOLATION: rows do not fit. STORAGE_FULL, STORAGE_UNAVAILABLE, COMMIT_UNKNOWN.
        """

    async def check(self) -> None:
        """Read something of the store's own, before users who wait for their turn.

        Raises:
            Refused: STORAGE_UNAVAILABLE.
        """

    async def close(self) -> None:
        """Finish what runs, refuse what waits."""
