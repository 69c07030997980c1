"""What the domain asks of the place where tables are kept."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from msgspec import Struct

from watchword_server.sql.catalog import Catalog
from watchword_server.sql.definer import Definer
from watchword_server.sql.definition_nodes import Definition
from watchword_server.sql.plan import Plan, StoredValue

__all__ = ["KEPT_RESULT_BYTES", "KEPT_S", "Once", "Outcome", "Store", "StoredValue", "Transaction"]

KEPT_S: Final = 86_400.0
"""How long the result of a key is kept at least."""
KEPT_RESULT_BYTES: Final = 65_536
"""The largest that is kept."""


class Transaction(Struct, frozen=True):
    """The statements of one request: they happen together or not at all.

    `statements`: each with its bound values, in the order of its plan's binds. `user_id`: whose turn it takes.
    `time_ms`: for all of them together, from the moment they begin to run; `time_limit`: what sets it, for the message.
    `rows`: the most of each result; `result_bytes`: of all together.
    """

    statements: Sequence[tuple[Plan, Sequence[StoredValue]]]
    user_id: str
    time_ms: int
    time_limit: str
    rows: int
    result_bytes: int


class Outcome(Struct, frozen=True):
    """What one statement gave. `rows`: a JSON array of arrays, in wire form. `row_count`: returned, else affected."""

    rows: bytes
    row_count: int


class Once(Transaction, frozen=True):
    """A transaction that happens once, however often it is sent with its key; it may read only.

    `key`: of the user whose turn it takes. `fingerprint`: of all that makes it the same request. `at`: seconds since
    1970. `encode`: what it gave, in the form in which it is kept and told again; any thread calls it. `kept_bytes`: the
    most of what is kept for one user.
    """

    key: str
    fingerprint: bytes
    at: float
    encode: Callable[[Sequence[Outcome]], bytes]
    kept_bytes: int


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

    async def write_once(self, once: Once) -> bytes:
        """What the first request of the key gave, encoded: run as by `write`, and kept in its transaction, or found.

        A request that is refused does not use its key up.
        Cancelling: as for `write`.

        Raises:
            Refused: as for `write`, and INVALID_PARAMS: the key is another request's; RESULT_TOO_LARGE,
                LIMIT_EXCEEDED: it cannot be kept. Nothing happened.
        """

    async def forget_results(self, before: float) -> None:
        """Forget what was kept at or before this time, little by little, between what others write.

        Raises:
            Refused: STORAGE_FULL, STORAGE_UNAVAILABLE, COMMIT_UNKNOWN. A part may be forgotten.
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
