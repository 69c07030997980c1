"""Rows as JSON, within limits."""

import sqlite3
from collections.abc import Iterator

import orjson
import pytest

from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.rows import RowForm, encode_rows
from watchword_server.refusal import Refused
from watchword_server.sql.plan import OutputColumn
from watchword_server.sql.types import SqlType

TEXT = RowForm.of([OutputColumn("t", SqlType.TEXT)], {})


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def test_it_stops_reading_at_the_first_row_over_the_limit(connection: sqlite3.Connection) -> None:
    """Memory is bounded by the limit and one row, not by what the statement would give."""
    made = []

    def make(number: int) -> str:
        made.append(number)
        return "x" * 100

    connection.create_function("make", 1, make)
    ten = " UNION ALL ".join(f"SELECT {number} AS n" for number in range(10))
    cursor = connection.execute(f"SELECT make(n) FROM ({ten})")
    with pytest.raises(Refused) as refusal:
        encode_rows(cursor, TEXT, max_rows=100, max_bytes=250)
    assert refusal.value.code is ErrorCode.RESULT_TOO_LARGE
    assert len(made) <= 4, "Python is one row ahead"


def test_what_counts_is_the_encoded_size(connection: sqlite3.Connection) -> None:
    cursor = connection.execute("SELECT ?1", ["\x01" * 100])
    with pytest.raises(Refused):
        encode_rows(cursor, TEXT, max_rows=1, max_bytes=400)
    cursor = connection.execute("SELECT ?1", ["\x01" * 100])
    assert encode_rows(cursor, TEXT, max_rows=1, max_bytes=606) == (b'[["' + rb"\u0001" * 100 + b'"]]', 1)


def test_numbers_count_too(connection: sqlite3.Connection) -> None:
    """A row of 500 of them costs much memory, though none is large."""
    made = []

    def make(number: int) -> int:
        made.append(number)
        return number

    connection.create_function("make", 1, make)
    width = 500
    form = RowForm.of([OutputColumn("n", SqlType.BIGINT)] * width, {SqlType.BIGINT: str})
    numbers = "WITH n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10000)"
    cursor = connection.execute(f"{numbers} SELECT make(n){', n' * (width - 1)} FROM n")
    with pytest.raises(Refused) as refusal:
        encode_rows(cursor, form, max_rows=10_000, max_bytes=100_000)
    assert refusal.value.code is ErrorCode.RESULT_TOO_LARGE
    assert len(made) < 100


@pytest.mark.parametrize("count", [9_999, 10_000, 10_001, 20_000, 25_000])
def test_pieces_are_one_array(connection: sqlite3.Connection, count: int) -> None:
    form = RowForm.of([OutputColumn("n", SqlType.BIGINT)], {})
    numbers = f"WITH n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count})"
    cursor = connection.execute(f"{numbers} SELECT n FROM n")
    encoded, found = encode_rows(cursor, form, max_rows=count, max_bytes=1_000_000)
    assert (orjson.loads(encoded), found) == ([[number] for number in range(1, count + 1)], count)


def test_long_texts_are_pieces_of_their_own(connection: sqlite3.Connection) -> None:
    text = "x" * 300_000
    cursor = connection.execute("SELECT ?1 UNION ALL SELECT ?1 UNION ALL SELECT 'y'", [text])
    encoded, found = encode_rows(cursor, TEXT, max_rows=3, max_bytes=1_000_000)
    assert (orjson.loads(encoded), found) == ([[text], [text], ["y"]], 3)


def test_no_rows_are_an_empty_array(connection: sqlite3.Connection) -> None:
    assert encode_rows(connection.execute("SELECT 1 WHERE 0"), TEXT, max_rows=0, max_bytes=2) == (b"[]", 0)
