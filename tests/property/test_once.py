"""Idempotency keys under random retries, culprits and disks that fail: at most once, and once where it was said."""

import sqlite3
from collections import Counter, defaultdict
from enum import Enum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.engine_room import found, make_engine, make_group
from support.plans import NEXT, RUNAWAY_WRITE, make_plan, once, request
from watchword_server.adapters.sqlite.engine import Engine
from watchword_server.adapters.sqlite.group import Answer
from watchword_server.adapters.sqlite.stored_catalog import StoredCatalog
from watchword_server.sql.store import Transaction


class Disk(Enum):
    """What it does at a group's commit."""

    WELL = "it is there, and so it is told"
    FAILS_BEFORE = "nothing is there, which nobody knows"
    FAILS_AFTER = "it is there, which nobody knows"


ROLL_BACK = make_plan('INSERT OR ROLLBACK INTO main."app.notes" ("_owner", "id") VALUES (?1, 0), (?1, 0)', inserts=True)
CULPRITS = (request((ROLL_BACK, ("eve",)), user="eve"), request((RUNAWAY_WRITE, ("eve",)), user="eve", time_ms=4))

Attempt = tuple[str, str, str]
attempts = st.tuples(st.sampled_from(["ada", "bob"]), st.sampled_from(["k-1", "k-2"]), st.sampled_from(["x", "y"]))
members = st.one_of(attempts, attempts, attempts, st.integers(0, 1))
groups = st.lists(st.tuples(st.lists(members, min_size=1, max_size=8), st.sampled_from(Disk)), min_size=1, max_size=6)


def to_request(member: Attempt | int) -> Transaction:
    if isinstance(member, int):
        return CULPRITS[member]
    user, key, what = member
    return once((NEXT, (user, f"{key} {what}")), user=user, key=key, what=what.encode(), time_ms=60_000)


def run(engine: Engine, catalog: StoredCatalog, requests: list[Transaction], disk: Disk) -> list[Answer]:
    """A group on such a disk: SQLite's word for its failure, in place of a commit or after it."""

    def execute(text: str, *parameters: tuple[str | int, ...]) -> object:
        if text == "COMMIT":
            if disk is Disk.FAILS_AFTER:
                Engine.execute(engine, text)
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        return Engine.execute(engine, text, *parameters)

    with pytest.MonkeyPatch.context() as patch:
        if disk is not Disk.WELL:
            patch.setattr(engine, "execute", execute)
        return make_group(catalog).run(engine, requests)


@settings(max_examples=150)
@given(groups)
def test_each_request_happens_at_most_once_and_once_where_it_was_said(
    rounds: list[tuple[list[Attempt | int], Disk]],
) -> None:
    told = defaultdict[Attempt, set[str]](set)
    refused = defaultdict[Attempt, set[str]](set)
    with make_engine() as (engine, catalog):
        for group, disk in rounds:
            answers = run(engine, catalog, [to_request(member) for member in group], disk)
            for member, answer in zip(group, answers, strict=True):
                if isinstance(member, tuple):
                    (refused if isinstance(answer, Exception) else told)[member].add(found(answer))
        rows = engine.execute('SELECT "_owner", "title", "id" FROM "app.notes"').fetchall()
    happened = {(user, *title.split()): f"[[{number}]]" for user, title, number in rows}
    assert len(happened) == len(rows), "one happened twice"
    assert max(Counter((user, key) for user, key, _ in happened).values(), default=1) == 1, "two shared a key"
    assert all(results == {happened.get(attempt)} for attempt, results in told.items())
    for attempt, codes in refused.items():
        assert codes <= {"COMMIT_UNKNOWN", "INVALID_PARAMS"}
        other = (*attempt[:2], "y" if attempt[2] == "x" else "x")
        assert "INVALID_PARAMS" not in codes or other in happened
    if all(disk is not Disk.FAILS_AFTER for _, disk in rounds):
        assert set(happened) == set(told)
