"""Requests that happen once, in a group with others: nothing is done twice, and nothing is half kept."""

import hashlib
from collections.abc import Iterator
from functools import partial

import msgspec
import pytest

from support.engine_room import found, make_engine, make_group, row_ids
from support.plans import ADD, NEXT, RUNAWAY_WRITE, make_plan, once, request
from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.engine import Engine
from watchword_server.adapters.sqlite.stored_catalog import StoredCatalog
from watchword_server.refusal import Refused
from watchword_server.sql.store import KEPT_RESULT_BYTES, Once


@pytest.fixture
def room() -> Iterator[tuple[Engine, StoredCatalog]]:
    with make_engine() as room:
        yield room


RUNAWAY = request((RUNAWAY_WRITE, ("eve",)), time_ms=10)


def keyed(key: str = "k-1", user: str = "ada") -> Once:
    return once((NEXT, (user, "t")), key=key, what=hashlib.sha256(key.encode()).digest(), user=user)


def kept(engine: Engine) -> list[tuple[str, str, bytes]]:
    """What is kept; its count by user is held to its sum."""
    rows = engine.execute("SELECT user_id, sum(bytes) FROM _results GROUP BY user_id ORDER BY user_id").fetchall()
    assert engine.execute("SELECT user_id, bytes FROM _keepers ORDER BY user_id").fetchall() == rows
    return engine.execute("SELECT user_id, key, results FROM _results ORDER BY id").fetchall()


def test_a_group_that_is_run_again_does_nothing_twice(room: tuple[Engine, StoredCatalog]) -> None:
    """A culprit ends the whole transaction: what was kept in it is gone with its rows, and kept anew."""
    engine, catalog = room
    requests = [keyed(), RUNAWAY, keyed(), keyed("k-2"), RUNAWAY, keyed("k-2"), keyed()]
    answers = make_group(catalog).run(engine, requests)
    late = "QUERY_TIMEOUT"
    assert [found(answer) for answer in answers] == ["[[1]]", late, "[[1]]", "[[2]]", late, "[[2]]", "[[1]]"]
    assert kept(engine) == [("ada", "k-1", b"[[1]]"), ("ada", "k-2", b"[[2]]")]
    assert row_ids(engine) == [1, 2]


def test_the_second_has_its_turn_where_the_first_was_refused(room: tuple[Engine, StoredCatalog]) -> None:
    engine, catalog = room
    add = once((ADD, ("ada", 1, "mine")))
    gone = make_plan('DELETE FROM main."app.notes"', deletes=True)
    requests = [request((ADD, ("ada", 1, "there"))), add, request((gone, ())), add, add]
    answers = make_group(catalog).run(engine, requests)
    assert [found(each) for each in answers] == ["[[1]]", "CONSTRAINT_VIOLATION", "[]", "[[1]]", "[[1]]"]
    assert engine.execute('SELECT "title" FROM "app.notes"').fetchall() == [("mine",)]


def test_what_the_disk_has_no_room_for_is_neither_written_nor_kept(room: tuple[Engine, StoredCatalog]) -> None:
    """The rows fit, their result does not: the culprit alone is told so."""
    engine, catalog = room
    engine.execute(f"PRAGMA max_page_count = {engine.execute('PRAGMA page_count').fetchone()[0] + 8}")
    long = msgspec.structs.replace(keyed("k-2", "eve"), encode=partial(_letters, 60_000))
    answers = make_group(catalog).run(engine, [keyed(), long, keyed("k-3")])
    assert [found(answer) for answer in answers] == ["[[1]]", "STORAGE_FULL", "[[2]]"]
    assert kept(engine) == [("ada", "k-1", b"[[1]]"), ("ada", "k-3", b"[[2]]")]
    assert row_ids(engine) == [1, 2]


def test_a_result_too_large_to_be_kept_is_refused_and_nothing_is_written(room: tuple[Engine, StoredCatalog]) -> None:
    engine, catalog = room
    sizes = KEPT_RESULT_BYTES + 1, KEPT_RESULT_BYTES
    fits_not, fits = (msgspec.structs.replace(keyed(), encode=partial(_letters, size)) for size in sizes)
    [first, second] = make_group(catalog).run(engine, [fits_not, fits])
    assert isinstance(first, Refused)
    assert first.code is ErrorCode.RESULT_TOO_LARGE
    assert "at most 65536 bytes, and these have 65537 (kept_result_bytes)" in first.message
    assert found(second) == "x" * KEPT_RESULT_BYTES
    assert row_ids(engine) == [1]


def _letters(count: int, _outcomes: object) -> bytes:
    return b"x" * count


def test_a_result_that_cannot_be_encoded_is_neither_written_nor_kept(room: tuple[Engine, StoredCatalog]) -> None:
    engine, catalog = room
    broken = msgspec.structs.replace(keyed(), encode=lambda _: bytes(1 // 0))
    [first, second] = make_group(catalog).run(engine, [broken, keyed("k-2")])
    assert isinstance(first, ZeroDivisionError)
    assert found(second) == "[[1]]"
    assert kept(engine) == [("ada", "k-2", b"[[1]]")]


def test_a_result_of_a_day_ago_makes_room_for_its_successor(room: tuple[Engine, StoredCatalog]) -> None:
    engine, catalog = room
    for number in range(3):
        later = msgspec.structs.replace(keyed(), at=2e9 + 86_400 * number, kept_bytes=600)
        assert found(make_group(catalog).run(engine, [later])[0]) == f"[[{number + 1}]]"
        assert len(kept(engine)) == 1


def test_keys_are_text_of_any_kind(room: tuple[Engine, StoredCatalog]) -> None:
    engine, catalog = room
    keys = ["a", "A", "a ", "\0", "a\0b", "a\0c", "'", "\U0001f600" * 128, "\u00e9", "e\u0301"]
    answers = make_group(catalog).run(engine, [keyed(key) for key in keys * 2])
    assert [found(answer) for answer in answers] == [f"[[{number + 1}]]" for number in range(len(keys))] * 2
