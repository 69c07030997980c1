"""One group commit, on the writer's thread: many transactions, each wholly or not at all, one COMMIT.

BEGIN -> SAVEPOINT, statements, RELEASE -> ... -> COMMIT -> everybody is answered
              | a statement is refused: ROLLBACK TO; the next one
              | one that took long is refused: as if SQLite had given up. ROLLBACK TO restores every page that it
              |   changed, and COMMIT would write them all
              | SQLite gave the whole transaction up (interrupt, full disk, I/O error): the culprit has its
              |   answer, BEGIN again without it, for everybody else; nothing was answered yet
              | the disk is found full by the COMMIT, which names no culprit: each again, with a COMMIT of its own
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from watchword_server.adapters.sqlite.deadline import Deadline
from watchword_server.adapters.sqlite.engine import Engine
from watchword_server.adapters.sqlite.faults import primary_code, storage_fault
from watchword_server.adapters.sqlite.once import run_once
from watchword_server.adapters.sqlite.request import run_statements
from watchword_server.adapters.sqlite.stored_catalog import StoredCatalog
from watchword_server.adapters.sqlite.transaction import begin, commit, make_room, roll_back
from watchword_server.refusal import Refused
from watchword_server.sql.store import Once, Outcome, Transaction

__all__ = ["Answer", "Group"]

Answer = list[Outcome] | bytes | Exception
"""What a transaction gave: encoded where it happens once."""

_LONG_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Group:
    """What all transactions of a group share.

    `time_s`: once the group has run that long, no further transaction begins in it. `now`: a monotonic clock, seconds.
    """

    catalog: StoredCatalog
    time_s: float
    value_bytes: int
    now: Callable[[], float] = field(repr=False)

    def run(self, engine: Engine, requests: Sequence[Transaction]) -> list[Answer]:
        """Run them in this order and commit; the answers of those that had their turn, which is at least the first.

        Answers are good once this returns. When the group fails as a whole, each is answered with that: nothing of it
        is there, but for COMMIT_UNKNOWN.
        """
        ends = self.now() + self.time_s
        lethal: dict[int, Exception] = {}
        reached = 1
        try:
            while True:
                begin(engine)
                answers: list[Answer] = []
                for index, request in enumerate(requests):
                    if index >= reached and self.now() >= ends:
                        break
                    reached = max(reached, index + 1)
                    answer = lethal.get(index) or self._run_one(engine, request)
                    if not engine.in_transaction:
                        lethal[index] = _as_exception(answer)
                        break
                    answers.append(answer)
                if engine.in_transaction:
                    commit(engine)
                    return answers
        except (sqlite3.Error, MemoryError, Refused) as error:
            roll_back(engine)
            if primary_code(error) == sqlite3.SQLITE_FULL:
                make_room(engine)
                if reached > 1:
                    return self._run_each(engine, requests[:reached], lethal)
            return [lethal.get(index) or _as_refusal(error) for index in range(reached)]

    def _run_each(
        self, engine: Engine, requests: Sequence[Transaction], lethal: Mapping[int, Exception]
    ) -> list[Answer]:
        """Each in a group of its own; the answers of those that had their turn in the time of one group."""
        ends = self.now() + self.time_s
        answers: list[Answer] = []
        for index, request in enumerate(requests):
            if answers and self.now() >= ends:
                break
            answers += [lethal[index]] if index in lethal else self.run(engine, [request])
        return answers

    def _run_one(self, engine: Engine, request: Transaction) -> Answer:
        deadline = Deadline(request.time_ms / 1_000, self.now)
        deadline.start()
        began_at = self.now()
        engine.execute("SAVEPOINT request")
        try:
            answer = self._answer(engine, request, deadline)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is this one's answer and nobody else's
            if self.now() - began_at > _LONG_S:
                roll_back(engine)
            elif engine.in_transaction:
                engine.execute("ROLLBACK TO request")
                engine.execute("RELEASE request")
            return _as_refusal(error)
        engine.execute("RELEASE request")
        return answer

    def _answer(self, engine: Engine, request: Transaction, deadline: Deadline) -> list[Outcome] | bytes:
        if isinstance(request, Once):
            return run_once(engine, request, deadline, self.catalog, value_bytes=self.value_bytes)
        return run_statements(engine, request, deadline, self.catalog, value_bytes=self.value_bytes)


def _as_refusal(error: Exception) -> Exception:
    refusal = storage_fault(error) if isinstance(error, sqlite3.Error | MemoryError) else None
    if refusal is None:
        return error
    refusal.__cause__ = error  # for the log
    return refusal


def _as_exception(answer: Answer) -> Exception:
    return answer if isinstance(answer, Exception) else RuntimeError("a transaction ended under its statements")
