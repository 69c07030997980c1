"""Tables of the catalog as SQLite's."""

import math
import sqlite3
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.plans import NOTES, PRICES
from watchword_server.adapters.sqlite.layout import create_statement, literal
from watchword_server.sql.catalog import AccessLevel, Catalog, Column, Table, TableId, TableType
from watchword_server.sql.plan import StoredValue
from watchword_server.sql.quoting import quoted_name
from watchword_server.sql.types import SqlType


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def test_a_user_table_has_its_owner_first_in_the_key() -> None:
    assert create_statement(NOTES, Catalog()) == (
        'CREATE TABLE "app.notes" ("_owner" TEXT NOT NULL, "id" INT NOT NULL, '
        '"title" TEXT NOT NULL DEFAULT (\'it\'\'s untitled\') CONSTRAINT "title" CHECK (instr("title", char(0)) = 0), '
        '"stars" INT CONSTRAINT "stars" CHECK ("stars" BETWEEN -32768 AND 32767), "body" BLOB, '
        'PRIMARY KEY ("_owner", "id")) STRICT'
    )


def test_a_shared_table_has_none() -> None:
    assert "_owner" not in create_statement(PRICES, Catalog())


def test_an_integer_key_is_no_rowid_and_takes_no_null(connection: sqlite3.Connection) -> None:
    connection.execute(create_statement(PRICES, Catalog()))
    with pytest.raises(sqlite3.IntegrityError, match="NOT NULL"):
        connection.execute('INSERT INTO "app.prices" (id) VALUES (NULL)')


@pytest.mark.parametrize("type_", [type_ for type_ in SqlType if type_ is not SqlType.UNKNOWN])
def test_every_type_takes_null_where_it_may_and_the_schema_is_not_trusted(type_: SqlType) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("PRAGMA trusted_schema = OFF")
    name = 'a "quoted" name'
    columns = (Column("id", SqlType.INT, not_null=True), Column(name, type_))
    table = Table(TableId(1), "app", "t", TableType.SHARED, AccessLevel.PUBLIC, columns, ("id",))
    connection.execute(create_statement(table, Catalog()))
    connection.execute(f'INSERT INTO "app.t" (id, {quoted_name(name)}) VALUES (1, NULL)')
    connection.close()


@given(st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_are_read_back_bit_for_bit(value: float) -> None:
    found = read_back(value)
    assert type(found) is type(value)
    if isinstance(value, float):
        assert struct.pack("<d", found) == struct.pack("<d", value)
    assert found == value


@pytest.mark.parametrize("value", [-0.0, 5e-324, -2.2250738585072014e-308, 1.7976931348623157e308, 0.1, -(2**63)])
def test_the_ends_of_their_ranges_too(value: float) -> None:
    found = read_back(value)
    assert (found, math.copysign(1, found)) == (value, math.copysign(1, value))


@pytest.mark.parametrize("value", ["", "it's", '"', "a\nb", "\U0001f600", b"", b"\x00\xff", None])
def test_texts_bytes_and_null_are_read_back(value: StoredValue) -> None:
    assert read_back(value) == value


def read_back(value: StoredValue) -> float:
    """As a DEFAULT gives it."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.execute(f"CREATE TABLE t (id INT, value ANY DEFAULT ({literal(value)})) STRICT")
        found: float
        (found,) = connection.execute("INSERT INTO t (id) VALUES (1) RETURNING value").fetchone()
        return found
    finally:
        connection.close()
