"""CREATE and DROP, as they are meant."""

import pytest

from support.engine import catalog_of, table_of
from watchword_protocol.errors import ErrorCode
from watchword_server.sql.catalog import AccessLevel, Column, Table, TableType
from watchword_server.sql.definitions import (
    NO_ID,
    check_namespace,
    dropped_table,
    table_definition,
)
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.nodes import CreateNamespace, CreateTable, DropTable
from watchword_server.sql.parser import parse_request
from watchword_server.sql.types import SqlType

CATALOG = catalog_of(table_of("app.notes", [("id", SqlType.INT)], ["id"]))


def define(sql: str) -> Table | None:
    [node] = parse_request(sql, max_bytes=16384, max_parameters=10, max_statements=1)
    assert isinstance(node, CreateTable)
    return table_definition(node, CATALOG, "app")


def test_every_type_key_default_and_option() -> None:
    table = define(
        """CREATE TABLE app.everything (
            a BOOLEAN DEFAULT true, b SMALLINT NOT NULL, c INT DEFAULT -1, d BIGINT DEFAULT 5, e DOUBLE DEFAULT 1,
            f TEXT DEFAULT 'it''s', g JSON DEFAULT '{"a": 1}', h TIMESTAMP DEFAULT '1970-01-01 00:00:01Z', i DATE,
            j UUID, k BYTES DEFAULT '\\x00ff', l TEXT DEFAULT null, PRIMARY KEY (j, c)
        ) WITH (TYPE = 'SHARED', ACCESS_LEVEL = 'public')"""
    )
    assert table is not None
    assert (table.id, table.title, table.primary_key) == (NO_ID, "app.everything", ("j", "c"))
    assert (table.type, table.access_level) == (TableType.SHARED, AccessLevel.PUBLIC)
    assert table.columns == (
        Column("a", SqlType.BOOLEAN, has_default=True, default=1),
        Column("b", SqlType.SMALLINT, not_null=True),
        Column("c", SqlType.INT, not_null=True, has_default=True, default=-1),
        Column("d", SqlType.BIGINT, has_default=True, default=5),
        Column("e", SqlType.DOUBLE, has_default=True, default=1.0),
        Column("f", SqlType.TEXT, has_default=True, default="it's"),
        Column("g", SqlType.JSON, has_default=True, default='{"a": 1}'),
        Column("h", SqlType.TIMESTAMP, has_default=True, default=1_000_000),
        Column("i", SqlType.DATE),
        Column("j", SqlType.UUID, not_null=True),
        Column("k", SqlType.BYTES, has_default=True, default=b"\0\xff"),
        Column("l", SqlType.TEXT),
    )
    assert [type(column.default) for column in table.columns if column.name == "e"] == [float]


def test_a_shared_table_is_private_until_it_says_otherwise() -> None:
    table = define("CREATE TABLE t (id BIGINT PRIMARY KEY) WITH (TYPE = 'shared')")
    assert table is not None
    assert (table.namespace, table.access_level) == ("app", AccessLevel.PRIVATE)


@pytest.mark.parametrize(
    ("constraints", "not_null"),
    [
        ("NOT NULL NOT NULL, PRIMARY KEY (b)", True),
        ("NULL NULL, PRIMARY KEY (b)", False),
        ("NULL PRIMARY KEY", True),
        ("PRIMARY KEY NULL", True),
        ("NOT NULL DEFAULT 1 NOT NULL PRIMARY KEY", True),
        ("NULL, PRIMARY KEY (a)", True),
    ],
)
def test_a_column_may_say_twice_whether_it_is_null_and_a_key_never_is(constraints: str, *, not_null: bool) -> None:
    table = define(f"CREATE TABLE t (b INT, a INT {constraints}) WITH (TYPE = 'USER')")
    assert table is not None
    assert [column.not_null for column in table.columns if column.name == "a"] == [not_null]


@pytest.mark.parametrize("name", ["ctid", "XMIN", '"xmax"', "cmin", "cmax", "tableoid"])
def test_a_column_is_not_named_like_one_that_every_table_of_postgresql_has(name: str) -> None:
    with pytest.raises(SqlFault) as caught:
        define(f"CREATE TABLE t (a INT PRIMARY KEY, {name} INT) WITH (TYPE = 'USER')")
    assert (caught.value.code.name, caught.value.at) == ("INVALID_SQL", 35)
    assert name.strip('"').lower() in caught.value.message


def test_a_quoted_name_in_other_letters_is_no_system_column() -> None:
    assert define("CREATE TABLE t (oid INT PRIMARY KEY, \"Ctid\" INT) WITH (TYPE = 'USER')") is not None


@pytest.mark.parametrize(
    ("sql", "code", "says"),
    [
        ("CREATE TABLE t (a INT) WITH (TYPE = 'USER')", "INVALID_SQL", "PRIMARY KEY"),
        ("CREATE TABLE t (a INT PRIMARY KEY)", "INVALID_SQL", "WITH (TYPE = 'USER')"),
        ("CREATE TABLE t (a INT PRIMARY KEY) WITH (TYPE = 'STREAM')", "INVALID_SQL", "'USER' or 'SHARED'"),
        ("CREATE TABLE t (a INT PRIMARY KEY) WITH (SIZE = '1')", "UNSUPPORTED_SQL", "SIZE"),
        ("CREATE TABLE t (a INT PRIMARY KEY) WITH (TYPE = 'USER', TYPE = 'USER')", "INVALID_SQL", "twice"),
        (
            "CREATE TABLE t (a INT PRIMARY KEY) WITH (TYPE = 'USER', ACCESS_LEVEL = 'public')",
            "INVALID_SQL",
            "SHARED",
        ),
        ("CREATE TABLE t (a INT PRIMARY KEY, a TEXT) WITH (TYPE = 'USER')", "INVALID_SQL", '"a" is there twice'),
        ("CREATE TABLE t (a NUMERIC PRIMARY KEY) WITH (TYPE = 'USER')", "UNSUPPORTED_SQL", "numeric"),
        ("CREATE TABLE t (a JSON PRIMARY KEY) WITH (TYPE = 'USER')", "INVALID_SQL", "cannot be a key"),
        ("CREATE TABLE t (a INT, PRIMARY KEY (aa)) WITH (TYPE = 'USER')", "NOT_FOUND", 'Did you mean "a"?'),
        ("CREATE TABLE t (a INT, PRIMARY KEY (a, a)) WITH (TYPE = 'USER')", "INVALID_SQL", "twice"),
        ("CREATE TABLE t (_owner INT PRIMARY KEY) WITH (TYPE = 'USER')", "INVALID_SQL", "underscore"),
        ("CREATE TABLE \"x.y\" (a INT PRIMARY KEY) WITH (TYPE = 'USER')", "INVALID_SQL", "dot"),
        ("CREATE TABLE _x (a INT PRIMARY KEY) WITH (TYPE = 'USER')", "INVALID_SQL", "underscore"),
        ("CREATE TABLE ap.t (a INT PRIMARY KEY) WITH (TYPE = 'USER')", "NOT_FOUND", 'Did you mean "app"?'),
        ("CREATE TABLE notes (a INT PRIMARY KEY) WITH (TYPE = 'USER')", "ALREADY_EXISTS", "app.notes"),
        ("CREATE TABLE t (a INT PRIMARY KEY DEFAULT 'x') WITH (TYPE = 'USER')", "TYPE_MISMATCH", '"a"'),
        ("CREATE TABLE t (a SMALLINT PRIMARY KEY DEFAULT 70000) WITH (TYPE = 'USER')", "TYPE_MISMATCH", "range"),
        ("CREATE TABLE t (a INT PRIMARY KEY DEFAULT 'x'::text::int) WITH (TYPE = 'USER')", "UNSUPPORTED_SQL", "a"),
        ("CREATE TABLE \"NOTES\" (a INT PRIMARY KEY) WITH (TYPE = 'USER')", "UNSUPPORTED_SQL", '"app.notes"'),
        ("CREATE TABLE IF NOT EXISTS \"Notes\" (a INT PRIMARY KEY) WITH (TYPE = 'USER')", "UNSUPPORTED_SQL", "case"),
        ("CREATE TABLE t (\"ID\" INT PRIMARY KEY, id INT) WITH (TYPE = 'USER')", "UNSUPPORTED_SQL", '"ID"'),
    ],
)
def test_what_is_wrong_is_named(sql: str, code: str, says: str) -> None:
    with pytest.raises(SqlFault) as caught:
        define(sql)
    assert caught.value.code.name == code
    assert says in caught.value.message


@pytest.mark.parametrize(
    ("sql", "place"),
    [
        ("CREATE TABLE t (a INT,\n PRIMARY KEY (a,\n  aa)) WITH (TYPE = 'USER')", (3, 3)),
        ("CREATE TABLE t (a INT,\n PRIMARY KEY (a,\n  a)) WITH (TYPE = 'USER')", (3, 3)),
        ("CREATE TABLE t (b INT,\n a JSON PRIMARY KEY) WITH (TYPE = 'USER')", (2, 2)),
        ("CREATE TABLE t (a INT PRIMARY KEY)\nWITH (TYPE = 'USER',\n SIZE = '1')", (3, 2)),
        ("CREATE TABLE t (a INT PRIMARY KEY)\nWITH (TYPE = 'USED')", (2, 7)),
        ("CREATE TABLE t (a INT PRIMARY KEY)\nWITH (TYPE = 'USER',\n ACCESS_LEVEL = 'public')", (3, 2)),
        ("CREATE TABLE t (a INT PRIMARY KEY)\nWITH (ACCESS_LEVEL = 'public')", (1, 14)),
        ("CREATE TABLE t (a INT PRIMARY KEY)\nWITH (TYPE = 'USER', TYPE = 'USER')", (2, 22)),
    ],
)
def test_what_is_wrong_has_its_place(sql: str, place: tuple[int, int]) -> None:
    with pytest.raises(SqlFault) as caught:
        define(sql)
    assert caught.value.place(sql) == place


def test_letters_beyond_ascii_are_two_in_the_engine_too() -> None:
    assert define('CREATE TABLE t ("É" INT PRIMARY KEY, "é" INT) WITH (TYPE = \'USER\')') is not None


def test_if_not_exists_and_if_exists() -> None:
    assert define("CREATE TABLE IF NOT EXISTS notes (a INT PRIMARY KEY) WITH (TYPE = 'USER')") is None
    [drop] = parse_request("DROP TABLE IF EXISTS nope", max_bytes=100, max_parameters=1, max_statements=1)
    assert isinstance(drop, DropTable)
    assert dropped_table(drop, CATALOG, "app") is None
    [drop] = parse_request("DROP TABLE notes", max_bytes=100, max_parameters=1, max_statements=1)
    assert isinstance(drop, DropTable)
    assert dropped_table(drop, CATALOG, "app") is CATALOG.find("app", "notes")
    with pytest.raises(SqlFault, match=r'NOT_FOUND: There is no table "app.note". Did you mean "app.notes"\?'):
        dropped_table(parse_drop("DROP TABLE note"), CATALOG, "app")


def parse_drop(sql: str) -> DropTable:
    [drop] = parse_request(sql, max_bytes=100, max_parameters=1, max_statements=1)
    assert isinstance(drop, DropTable)
    return drop


def test_namespaces() -> None:
    assert check_namespace(CreateNamespace("shop"), CATALOG)
    assert not check_namespace(CreateNamespace("app", if_not_exists=True), CATALOG)
    for name, code in (
        ("app", ErrorCode.ALREADY_EXISTS),
        ("a.b", ErrorCode.INVALID_SQL),
        ("_x", ErrorCode.INVALID_SQL),
        ("SQLite_x", ErrorCode.INVALID_SQL),
    ):
        with pytest.raises(SqlFault) as caught:
            check_namespace(CreateNamespace(name), CATALOG)
        assert caught.value.code is code
