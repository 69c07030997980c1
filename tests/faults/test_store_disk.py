"""A disk that is full, a write that the system refuses."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.clock import FakeClock
from support.disk import files_at_most, log_size
from support.engine_room import found, make_engine, make_group, row_ids
from support.plans import ADD, CREATE_APP, CREATE_NOTES, FUNCTIONS, LIST, ROOT, RUNAWAY_WRITE, make_plan, request
from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.database import open_database
from watchword_server.adapters.sqlite.engine import Engine
from watchword_server.adapters.sqlite.store import open_store
from watchword_server.refusal import Refused

MANY = 'INSERT INTO main."app.notes" ("_owner", "id", "title") VALUES ' + ", ".join(
    f"(?1, {number}, ?2)" for number in range(100, 200)
)
FILL = make_plan(MANY, inserts=True)


def longest_title(engine: Engine) -> int:
    found: int = Engine.execute(engine, 'SELECT ifnull(max(length("title")), 0) FROM main."app.notes"').fetchone()[0]
    return found


@contextmanager
def full_at_commit(
    engine: Engine, *, titles_over: int = 0, at_commit: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """No disk here is full when it should be: SQLite's word for it, in place of a commit of longer titles than that."""

    def execute(text: str, *parameters: tuple[str | int, ...]) -> object:
        if text == "COMMIT":
            at_commit()
        if text == "COMMIT" and longest_title(engine) > titles_over:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return Engine.execute(engine, text, *parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "execute", execute)
        yield


def test_an_io_error_in_a_group_is_its_culprits_alone(tmp_path: Path) -> None:
    """The culprit's pages do not fit the cache and go to the log before the commit; that write fails."""
    with make_engine(tmp_path / "watchword.db") as (engine, catalog):
        engine.execute("PRAGMA cache_spill = ON")
        engine.execute("PRAGMA cache_size = 50")
        culprit = request((FILL, ("eve", "x" * 50_000)))
        requests = [request((ADD, ("ada", 1, "a"))), culprit, request((ADD, ("bob", 2, "b")))]
        with files_at_most(1_000_000):
            answers = make_group(catalog).run(engine, requests)
        assert [found(answer) for answer in answers] == ["[[1]]", "STORAGE_UNAVAILABLE", "[[2]]"]
        assert row_ids(engine) == [1, 2]
        assert engine.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert found(make_group(catalog).run(engine, [culprit])[0]) == "[]", "and the disk is well again"


@pytest.mark.parametrize(
    ("size", "code"), [(0, "COMMIT_UNKNOWN"), (None, "STORAGE_FULL")], ids=["an I/O error", "no space"]
)
def test_a_commit_that_the_disk_refuses_is_told_to_its_group_alone(tmp_path: Path, size: int | None, code: str) -> None:
    """After an I/O error it may be there when the server starts again; a full disk has nothing of it."""
    with make_engine(tmp_path / "watchword.db") as (engine, catalog):
        requests = [request((ADD, (user, 1, "x" * 20_000))) for user in ("ada", "bob")]
        with full_at_commit(engine) if size is None else files_at_most(log_size(tmp_path)):
            answers = make_group(catalog).run(engine, requests)
        assert [found(answer) for answer in answers] == [code] * 2
        assert not engine.in_transaction
        assert row_ids(engine) == []
        assert [found(answer) for answer in make_group(catalog).run(engine, requests)] == ["[[1]]"] * 2


def test_a_disk_found_full_by_the_commit_is_told_to_those_who_do_not_fit(tmp_path: Path) -> None:
    """The pages of a small group fit the cache, so that none of its statements is the one that meets the disk's end."""
    with make_engine(tmp_path / "watchword.db") as (engine, catalog):
        culprit = request((ADD, ("eve", 9, "x" * 500)))
        runaway = request((RUNAWAY_WRITE, ("eve",)), time_ms=20)
        requests = [request((ADD, ("ada", 1, "a"))), culprit, runaway, request((ADD, ("bob", 2, "b")))]
        with full_at_commit(engine, titles_over=100):
            answers = make_group(catalog).run(engine, requests)
        assert [found(answer) for answer in answers] == ["[[1]]", "STORAGE_FULL", "QUERY_TIMEOUT", "[[2]]"]
        assert row_ids(engine) == [1, 2]
        assert not engine.in_transaction


def test_what_is_run_again_one_by_one_has_the_time_of_a_group(tmp_path: Path) -> None:
    """The rest has no answer yet, and its turn in the next group."""
    clock = FakeClock()
    with make_engine(tmp_path / "watchword.db") as (engine, catalog):
        requests = [request((ADD, (user, number, "x" * 500))) for number, user in enumerate(("ada", "bob", "cleo"))]
        group = make_group(catalog, time_s=1.0, now=clock.monotonic)
        with full_at_commit(engine, titles_over=100, at_commit=lambda: clock.advance(0.6)):
            answers = group.run(engine, requests)
        assert [found(answer) for answer in answers] == ["STORAGE_FULL"] * 2
        assert [found(answer) for answer in group.run(engine, requests)] == ["[[0]]", "[[1]]", "[[2]]"]


def test_on_a_full_disk_the_log_is_written_over_as_soon_as_nobody_needs_it(tmp_path: Path) -> None:
    with make_engine(tmp_path / "watchword.db") as (engine, catalog):
        group = make_group(catalog)
        for number in range(9):
            group.run(engine, [request((ADD, ("ada", number, "x")))])
        size = log_size(tmp_path)
        with full_at_commit(engine, titles_over=100):
            assert found(group.run(engine, [request((ADD, ("eve", 10, "x" * 500)))])[0]) == "STORAGE_FULL"
        assert found(group.run(engine, [request((ADD, ("ada", 11, "x")))])[0]) == "[[11]]"
        assert log_size(tmp_path) == size


async def test_who_writes_outside_of_groups_is_told_too_that_a_commit_may_have_happened(tmp_path: Path) -> None:
    async with (
        await open_database(tmp_path / "watchword.db") as database,
        await open_store(database, converters={}, value_bytes=200_000) as store,
    ):
        with files_at_most(log_size(tmp_path)):
            with pytest.raises(Refused) as defining:
                await store.define(CREATE_APP, ROOT)
            with pytest.raises(Refused) as writing:
                await database.write(lambda engine: engine.execute("CREATE TABLE more (id)"))
        assert {defining.value.code, writing.value.code} == {ErrorCode.COMMIT_UNKNOWN}
        assert "app" not in store.catalog.namespaces
        await store.define(CREATE_APP, ROOT)


async def test_on_a_full_disk_reads_go_on_and_small_writes_that_fit(tmp_path: Path) -> None:
    async with (
        await open_database(tmp_path / "watchword.db") as database,
        await open_store(database, converters={}, value_bytes=200_000, functions=FUNCTIONS) as store,
    ):
        for definition in (CREATE_APP, CREATE_NOTES):
            await store.define(definition, ROOT)
        pages = await database.write(lambda engine: engine.execute("PRAGMA page_count").fetchone()[0])
        await database.write(lambda engine: engine.execute(f"PRAGMA max_page_count = {pages + 10}"))
        await store.write(request((ADD, ("ada", 1, "there"))))
        for _ in range(2):
            try:
                await store.write(request((FILL, ("eve", "x" * 50_000))))
            except Refused as refusal:
                assert refusal.code is ErrorCode.STORAGE_FULL  # noqa: PT017  # the next lines are about what follows
            else:
                raise AssertionError("it fits")
        [outcome] = await store.read(request((LIST, ("ada",))))
        assert outcome.rows == b'[[1,"there"]]'
        await store.write(request((ADD, ("ada", 2, "small"))))
        await database.write(lambda engine: engine.execute("PRAGMA max_page_count = 1000000"))
        await store.write(request((FILL, ("eve", "x" * 50_000))))
