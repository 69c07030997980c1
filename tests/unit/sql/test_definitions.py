"""Definitions, as they are meant: what each makes of the catalog, and what is wrong with others."""

from dataclasses import replace

import pytest

from support.engine import catalog_of, table_of
from support.plans import definition_of
from watchword_protocol.errors import ErrorCode
from watchword_server.sql.catalog import AccessLevel, Catalog, Column, Table, TableId, TableType
from watchword_server.sql.change import Change
from watchword_server.sql.constraints import Check, ForeignKey, ForeignKeyAction, Index, Key
from watchword_server.sql.definer import Definer
from watchword_server.sql.definitions import decide
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.table_definition import NO_ID
from watchword_server.sql.types import SqlType
from watchword_server.user import Role

COLUMNS = [("id", SqlType.INT)]
CATALOG = catalog_of(table_of("default.notes", COLUMNS, ["id"]), table_of("app.notes", COLUMNS, ["id"], id_=2))
RESTRICTED = AccessLevel.RESTRICTED
CLEO, SERGE = Definer("u_cleo", Role.DBA), Definer("u_serge", Role.SERVICE)


def change(sql: str, *, catalog: Catalog = CATALOG, by: Definer = CLEO) -> Change | None:
    return decide(definition_of(sql), catalog, by)


def after(*statements: str, catalog: Catalog = CATALOG, by: Definer = CLEO) -> Catalog:
    """The catalog behind some definitions, with ids as the store would give them."""
    for sql in statements:
        found = change(sql, catalog=catalog, by=by)
        assert found is not None, sql
        catalog = found.catalog
        number = max(table.id for table in CATALOG.tables.values())
        for table in catalog.tables.values():
            number = max(number, table.id)
        catalog = Catalog(
            catalog.version + 1,
            catalog.namespaces,
            {
                name: table if table.id != NO_ID else numbered(table, number + 1)
                for name, table in catalog.tables.items()
            },
        )
    return catalog


def numbered(table: Table, number: int) -> Table:
    id_ = TableId(number)
    keys = tuple(replace(key, table=id_) if key.table == NO_ID else key for key in table.foreign_keys)
    return replace(table, id=id_, foreign_keys=keys)


def define(sql: str) -> Table | None:
    """The table that a CREATE TABLE makes."""
    found = change(sql)
    return None if found is None else next(each for each in found.catalog.tables.values() if each.id == NO_ID)


def fault_of(sql: str, *, catalog: Catalog = CATALOG, by: Definer = CLEO) -> SqlFault:
    with pytest.raises(SqlFault) as caught:
        change(sql, catalog=catalog, by=by)
    return caught.value


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
    assert (table.namespace, table.access_level) == ("default", AccessLevel.PRIVATE)


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
        ("CREATE TABLE t (a INT PRIMARY KEY)", "INVALID_SQL", "CREATE USER TABLE"),
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
        ("CREATE TABLE app.\"x.y\" (a INT PRIMARY KEY) WITH (TYPE = 'USER')", "INVALID_SQL", "dot"),
        ("CREATE TABLE _x (a INT PRIMARY KEY) WITH (TYPE = 'USER')", "INVALID_SQL", "underscore"),
        ("CREATE TABLE ap.t (a INT PRIMARY KEY) WITH (TYPE = 'USER')", "NOT_FOUND", 'Did you mean "app"?'),
        ("CREATE TABLE notes (a INT PRIMARY KEY) WITH (TYPE = 'USER')", "ALREADY_EXISTS", "default.notes"),
        ("CREATE TABLE t (a INT PRIMARY KEY DEFAULT 'x') WITH (TYPE = 'USER')", "TYPE_MISMATCH", '"a"'),
        ("CREATE TABLE t (a SMALLINT PRIMARY KEY DEFAULT 70000) WITH (TYPE = 'USER')", "TYPE_MISMATCH", "range"),
        ("CREATE TABLE t (a INT PRIMARY KEY DEFAULT 'x'::text::int) WITH (TYPE = 'USER')", "UNSUPPORTED_SQL", "a"),
        ("CREATE TABLE \"NOTES\" (a INT PRIMARY KEY) WITH (TYPE = 'USER')", "UNSUPPORTED_SQL", '"notes"'),
        ("CREATE TABLE IF NOT EXISTS \"Notes\" (a INT PRIMARY KEY) WITH (TYPE = 'USER')", "UNSUPPORTED_SQL", "case"),
        ("CREATE USER TABLE t (a INT PRIMARY KEY) WITH (TYPE = 'SHARED')", "INVALID_SQL", "USER"),
        ("CREATE SHARED TABLE t (a INT PRIMARY KEY) WITH (ACCESS_LEVEL = 'secret')", "INVALID_SQL", "'restricted'"),
        ("CREATE USER TABLE t (a INT PRIMARY KEY) WITH (ACCESS_LEVEL = 'private')", "INVALID_SQL", "SHARED"),
        ("CREATE USER TABLE t (a SERIAL PRIMARY KEY)", "UNSUPPORTED_SQL", "SNOWFLAKE_ID()"),
        ("CREATE USER TABLE t (a INT PRIMARY KEY DEFAULT now())", "TYPE_MISMATCH", '"a" is integer'),
        ("CREATE USER TABLE t (a TEXT PRIMARY KEY DEFAULT lower())", "UNSUPPORTED_SQL", "lower"),
        ("CREATE USER TABLE t (a DATE PRIMARY KEY DEFAULT now()::date)", "UNSUPPORTED_SQL", "computed"),
        ("CREATE USER TABLE t (a INT PRIMARY KEY, UNIQUE (b))", "NOT_FOUND", '"b"'),
        ("CREATE USER TABLE t (a INT PRIMARY KEY, b JSON UNIQUE)", "INVALID_SQL", "cannot be a key"),
        ("CREATE USER TABLE t (a INT PRIMARY KEY, CHECK (b > 1))", "NOT_FOUND", '"b"'),
        ("CREATE USER TABLE t (a INT PRIMARY KEY, CHECK (u.a > 1))", "NOT_FOUND", '"u"'),
        ("CREATE USER TABLE t (a INT PRIMARY KEY CHECK (a + 1))", "TYPE_MISMATCH", "CHECK is integer"),
        ("CREATE USER TABLE t (a INT PRIMARY KEY CHECK (a IN (SELECT 1)))", "UNSUPPORTED_SQL", "subquery"),
        ("CREATE USER TABLE t (a INT PRIMARY KEY CHECK (a IN (VALUES (1))))", "UNSUPPORTED_SQL", "subquery"),
        ("CREATE USER TABLE t (a INT PRIMARY KEY CHECK (rank() OVER () > 1))", "INVALID_SQL", "window function"),
        ("CREATE USER TABLE t (a INT PRIMARY KEY CHECK (a > $1))", "INVALID_SQL", "no parameters"),
        ("CREATE USER TABLE t (a INT PRIMARY KEY CHECK (count(*) > 1))", "INVALID_SQL", "aggregate"),
        ("CREATE USER TABLE t (a TEXT PRIMARY KEY CHECK (a = CURRENT_USER))", "UNSUPPORTED_SQL", "current_user"),
        ("CREATE USER TABLE t (a BIGINT PRIMARY KEY CHECK (a < snowflake_id()))", "UNSUPPORTED_SQL", "snowflake_id"),
        ("CREATE USER TABLE t (a INT PRIMARY KEY REFERENCES app.notes (nope))", "NOT_FOUND", '"nope"'),
        ("CREATE USER TABLE t (a INT PRIMARY KEY REFERENCES app.nothing)", "NOT_FOUND", "app.nothing"),
        ("CREATE SHARED TABLE t (a INT PRIMARY KEY REFERENCES app.notes)", "UNSUPPORTED_SQL", "one type"),
        ("CREATE USER TABLE t (a TEXT PRIMARY KEY REFERENCES app.notes)", "TYPE_MISMATCH", "text"),
        ("CREATE USER TABLE t (a INT PRIMARY KEY, b INT REFERENCES t (b))", "INVALID_SQL", "UNIQUE"),
        (
            "CREATE USER TABLE t (a INT, b INT, PRIMARY KEY (a, b), FOREIGN KEY (a, b) REFERENCES app.notes)",
            "INVALID_SQL",
            "2 columns",
        ),
        (
            "CREATE USER TABLE t (a INT PRIMARY KEY REFERENCES app.notes ON DELETE SET NULL)",
            "UNSUPPORTED_SQL",
            "SET NULL in a USER table",
        ),
        (
            "CREATE USER TABLE t (a INT PRIMARY KEY CHECK (a > 1) REFERENCES app.notes ON UPDATE CASCADE)",
            "UNSUPPORTED_SQL",
            "a CHECK names",
        ),
        (
            "CREATE SHARED TABLE t (a BIGINT PRIMARY KEY, b BIGINT DEFAULT SNOWFLAKE_ID() "
            "REFERENCES t ON DELETE SET DEFAULT)",
            "UNSUPPORTED_SQL",
            "only a constant",
        ),
        (
            "CREATE USER TABLE t (a INT PRIMARY KEY, CONSTRAINT c UNIQUE (a), CONSTRAINT c CHECK (a > 1))",
            "ALREADY_EXISTS",
            '"c"',
        ),
        ("CREATE USER TABLE t (a INT PRIMARY KEY, CONSTRAINT notes UNIQUE (a))", "ALREADY_EXISTS", "notes"),
        ("CREATE USER TABLE t (a INT PRIMARY KEY, CONSTRAINT t UNIQUE (a))", "ALREADY_EXISTS", '"t"'),
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


def test_forms_of_tables_and_their_access_levels() -> None:
    for words, options, type_, level in (
        ("USER TABLE", "", TableType.USER, AccessLevel.PRIVATE),
        ("SHARED TABLE", "", TableType.SHARED, AccessLevel.PRIVATE),
        ("USER TABLE", " WITH (TYPE = 'USER')", TableType.USER, AccessLevel.PRIVATE),
        (
            "SHARED TABLE",
            " WITH (TYPE = 'shared', ACCESS_LEVEL = 'Restricted')",
            TableType.SHARED,
            AccessLevel.RESTRICTED,
        ),
        ("SHARED TABLE", " WITH (ACCESS_LEVEL = 'public')", TableType.SHARED, AccessLevel.PUBLIC),
    ):
        table = define(f"CREATE {words} t (a INT PRIMARY KEY){options}")
        assert table is not None
        assert (table.type, table.access_level, table.creator) == (type_, level, "u_cleo")


def test_a_default_may_be_a_call_that_makes_one_value_a_row() -> None:
    table = define(
        """CREATE USER TABLE t (id BIGINT PRIMARY KEY DEFAULT SNOWFLAKE_ID(), u UUID DEFAULT uuid_v7(),
        a TIMESTAMP DEFAULT now(), b DATE DEFAULT CURRENT_TIMESTAMP, c DATE DEFAULT CURRENT_DATE,
        d TEXT DEFAULT CURRENT_USER, e TEXT DEFAULT CURRENT_USER(), f TEXT DEFAULT current_user_id())"""
    )
    assert table is not None
    calls = ["snowflake_id", "uuid_v7", "now", "current_timestamp", "current_date", "current_user", "current_user"]
    assert [column.default_call for column in table.columns] == [*calls, "current_user_id"]
    assert not any(column.has_default for column in table.columns)


def test_constraints_get_postgresqls_names() -> None:
    table = define(
        """CREATE SHARED TABLE t (a INT PRIMARY KEY CHECK (a > 1) CHECK (a < 9) UNIQUE, b INT REFERENCES t,
        c TEXT CONSTRAINT mine CHECK (c <> ''), UNIQUE (c, b), UNIQUE (b, c), CHECK (t.a > b /* why */),
        CONSTRAINT own UNIQUE (c), FOREIGN KEY (b) REFERENCES t (a) ON DELETE CASCADE ON UPDATE RESTRICT)"""
    )
    assert table is not None
    assert table.indexes == (
        Index("t_a_key", (Key("a"),), is_unique=True, is_constraint=True),
        Index("t_c_b_key", (Key("c"), Key("b")), is_unique=True, is_constraint=True),
        Index("t_b_c_key", (Key("b"), Key("c")), is_unique=True, is_constraint=True),
        Index("own", (Key("c"),), is_unique=True, is_constraint=True),
    )
    assert table.checks == (
        Check("t_a_check", '"a" > 1', ("a",)),
        Check("t_a_check1", '"a" < 9', ("a",)),
        Check("mine", "\"c\" <> ''", ("c",)),
        Check("t_check", '"a" > "b"', ("a", "b")),
    )
    assert table.foreign_keys == (
        ForeignKey("t_b_fkey", ("b",), NO_ID, ("a",)),
        ForeignKey("t_b_fkey1", ("b",), NO_ID, ("a",), ForeignKeyAction.CASCADE, ForeignKeyAction.RESTRICT),
    )


def test_a_chosen_name_fits_and_is_cut_where_it_is_longest() -> None:
    name, column = "t" * 60, "ä" * 20
    table = define(f"CREATE USER TABLE {name} (a INT PRIMARY KEY, {column} INT UNIQUE)")
    assert table is not None
    [index] = table.indexes
    assert index.name == "t" * 29 + "_" + "ä" * 14 + "_key"
    assert len(index.name.encode()) <= 63


def test_namespaces() -> None:
    assert after("CREATE NAMESPACE shop").namespaces == {*CATALOG.namespaces, "shop"}
    assert change("CREATE NAMESPACE IF NOT EXISTS app") is None
    for sql, code in (
        ("CREATE NAMESPACE app", ErrorCode.ALREADY_EXISTS),
        ('CREATE NAMESPACE "a.b"', ErrorCode.INVALID_SQL),
        ("CREATE NAMESPACE _x", ErrorCode.INVALID_SQL),
        ('CREATE NAMESPACE "SQLite_x"', ErrorCode.INVALID_SQL),
        ("DROP NAMESPACE ap", ErrorCode.NOT_FOUND),
        ("DROP NAMESPACE app", ErrorCode.CONSTRAINT_VIOLATION),
        ("DROP NAMESPACE app RESTRICT", ErrorCode.CONSTRAINT_VIOLATION),
    ):
        assert fault_of(sql).code is code
    assert change("DROP NAMESPACE IF EXISTS ap") is None
    assert "holds 1 table:" in fault_of("DROP NAMESPACE app").message
    found = after("DROP NAMESPACE app CASCADE")
    assert found.namespaces == {"default"}
    assert [table.title for table in found.tables.values()] == ["default.notes"]


def test_a_table_that_others_refer_to_goes_with_their_keys() -> None:
    catalog = after(
        "CREATE USER TABLE app.a (id INT PRIMARY KEY, up INT REFERENCES app.a)",
        "CREATE USER TABLE app.b (id INT PRIMARY KEY, a INT REFERENCES app.a, n INT REFERENCES app.notes)",
    )
    fault = fault_of("DROP TABLE app.a", catalog=catalog)
    assert (fault.code, fault.at) == (ErrorCode.CONSTRAINT_VIOLATION, 11)
    found = after("DROP TABLE app.a CASCADE", catalog=catalog)
    rest = found.find("app", "b")
    assert rest is not None
    assert [key.name for key in rest.foreign_keys] == ["b_n_fkey"]
    assert after("DROP TABLE app.b", "DROP TABLE app.a", catalog=catalog).find("app", "a") is None


def test_a_service_changes_what_it_created_and_nothing_else() -> None:
    catalog = after("CREATE USER TABLE app.hers (id INT PRIMARY KEY, n INT)", by=SERGE)
    for sql in (
        "ALTER TABLE app.{} ADD m INT",
        "CREATE INDEX ON app.{} (id)",
        "DROP TABLE app.{}",
        "DROP TABLE IF EXISTS app.{}",
        "ALTER TABLE app.{} RENAME TO other",
    ):
        assert change(sql.format("hers"), catalog=catalog, by=SERGE) is not None
        fault = fault_of(sql.format("notes"), catalog=catalog, by=SERGE)
        assert fault.code is ErrorCode.PERMISSION_DENIED
        assert "takes the role dba" in fault.message
    catalog = after("CREATE INDEX i ON app.hers (n)", catalog=catalog, by=SERGE)
    assert change("DROP INDEX app.i", catalog=catalog, by=SERGE) is not None
    other = Definer("u_other", Role.SERVICE)
    assert fault_of("DROP INDEX app.i", catalog=catalog, by=other).code is ErrorCode.PERMISSION_DENIED


class TestAlter:
    """ALTER TABLE on a table with one of everything."""

    CATALOG = after(
        "CREATE USER TABLE app.t (id INT PRIMARY KEY, a INT UNIQUE, b TEXT CHECK (b <> 'a' AND a > 1), c INT, d INT)",
        "CREATE INDEX ON app.t (b, c DESC)",
        "CREATE USER TABLE app.u (id INT PRIMARY KEY REFERENCES app.t (a) ON DELETE CASCADE)",
        "ALTER TABLE app.t ADD CONSTRAINT up FOREIGN KEY (c) REFERENCES app.t",
        "ALTER TABLE app.t ADD CHECK (d > 0)",
    )

    def after(self, sql: str, name: str = "t") -> Table:
        table = after(sql, catalog=self.CATALOG).find("app", name)
        assert table is not None
        return table

    def test_add_column(self) -> None:
        table = self.after("ALTER TABLE app.t ADD COLUMN e BIGINT NOT NULL DEFAULT 7 UNIQUE CHECK (e > 1)")
        assert table.columns[-1] == Column("e", SqlType.BIGINT, not_null=True, has_default=True, default=7)
        assert (table.indexes[-1].name, table.checks[-1].name) == ("t_e_key", "t_e_check")
        assert change("ALTER TABLE app.t ADD IF NOT EXISTS a TEXT", catalog=self.CATALOG) is None

    def test_drop_column_takes_what_is_about_it_alone(self) -> None:
        table = self.after("ALTER TABLE app.t DROP COLUMN d")
        assert [check.name for check in table.checks] == ["t_check"]
        table = self.after("ALTER TABLE app.t DROP c")
        assert (len(table.indexes), table.foreign_keys) == (1, ())

    def test_drop_column_needs_cascade_for_what_names_others_too(self) -> None:
        fault = fault_of("ALTER TABLE app.t DROP a", catalog=self.CATALOG)
        assert (fault.code, fault.message) == (
            ErrorCode.CONSTRAINT_VIOLATION,
            'On the column "a" depends "t_check", "u_id_fkey": CASCADE drops what depends on it.',
        )
        table = self.after("ALTER TABLE app.t DROP a CASCADE")
        assert ([each.name for each in table.checks], len(table.indexes)) == (["t_d_check"], 1)
        assert self.after("ALTER TABLE app.t DROP a CASCADE", "u").foreign_keys == ()

    def test_rename_column_everywhere(self) -> None:
        table = self.after('ALTER TABLE app.t RENAME a TO "A ""new"" one"')
        new = 'A "new" one'
        assert table.column("a") is None
        assert table.indexes[0].columns == (new,)
        assert table.checks[0] == Check("t_check", '"b" <> \'a\' and "A ""new"" one" > 1', ("b", new))
        assert self.after('ALTER TABLE app.t RENAME a TO "A ""new"" one"', "u").foreign_keys[0].key == (new,)
        table = self.after("ALTER TABLE app.t RENAME COLUMN id TO number")
        assert table.primary_key == ("number",)
        assert table.foreign_keys[0].key == ("number",)

    def test_rename_table_keeps_its_id(self) -> None:
        table = self.after("ALTER TABLE app.t RENAME TO v", "v")
        assert table == replace(known(self.CATALOG, "t"), name="v")

    def test_constraints_come_and_go(self) -> None:
        for name in ("t_a_key", "u_id_fkey"):
            fault = fault_of(f"ALTER TABLE app.t DROP CONSTRAINT {name}", catalog=self.CATALOG)
            assert fault.code in (ErrorCode.CONSTRAINT_VIOLATION, ErrorCode.NOT_FOUND)
        table = self.after("ALTER TABLE app.t DROP CONSTRAINT t_a_key CASCADE")
        assert not any(each.is_constraint for each in table.indexes)
        assert self.after("ALTER TABLE app.t DROP CONSTRAINT t_check").checks[0].name == "t_d_check"
        assert self.after("ALTER TABLE app.t DROP CONSTRAINT up").foreign_keys == ()

    def test_a_new_check_has_a_proof(self) -> None:
        found = change("ALTER TABLE app.t ADD CONSTRAINT big CHECK (d > 10)", catalog=self.CATALOG)
        assert found is not None
        [proof] = found.proofs
        assert '"big"' in proof.refusal.message
        assert not proof.plan.binds

    @pytest.mark.parametrize(
        ("sql", "code", "says"),
        [
            ("ADD a INT", "ALREADY_EXISTS", '"a"'),
            ("ADD e INT PRIMARY KEY", "INVALID_SQL", "has a primary key"),
            ('ADD "A" INT', "UNSUPPORTED_SQL", "case"),
            ("ADD _e INT", "INVALID_SQL", "underscore"),
            ("DROP id", "UNSUPPORTED_SQL", "primary key"),
            ("DROP aa", "NOT_FOUND", 'Did you mean "a"?'),
            ("RENAME a TO b", "ALREADY_EXISTS", '"b"'),
            ("RENAME a TO a", "ALREADY_EXISTS", '"a"'),
            ("RENAME a TO _b", "INVALID_SQL", "underscore"),
            ("RENAME a TO xmin", "INVALID_SQL", "system column"),
            ("RENAME TO notes", "ALREADY_EXISTS", "app.notes"),
            ("RENAME TO t", "ALREADY_EXISTS", "app.t"),
            ("RENAME TO t_a_key", "ALREADY_EXISTS", 'index "app.t_a_key"'),
            ('RENAME TO "T"', "UNSUPPORTED_SQL", "case"),
            ("SET ACCESS_LEVEL 'public'", "INVALID_SQL", "SHARED"),
            ("DROP CONSTRAINT t_b_check", "NOT_FOUND", 'Did you mean "t_'),
            ("ADD CONSTRAINT up UNIQUE (b)", "ALREADY_EXISTS", '"up"'),
            ("ADD CHECK (c > 1 AND id = (SELECT 1))", "UNSUPPORTED_SQL", "subquery"),
        ],
    )
    def test_what_is_wrong_is_named(self, sql: str, code: str, says: str) -> None:
        fault = fault_of(f"ALTER TABLE app.t {sql}", catalog=self.CATALOG)
        assert (fault.code.name, says in fault.message) == (code, True), fault.message


def test_a_column_written_by_a_key_may_have_no_check_afterwards_either() -> None:
    catalog = after(
        "CREATE SHARED TABLE app.p (id INT PRIMARY KEY)",
        "CREATE SHARED TABLE app.c (id INT PRIMARY KEY, p INT REFERENCES app.p ON DELETE SET NULL)",
    )
    fault = fault_of("ALTER TABLE app.c ADD CHECK (p IS NOT NULL)", catalog=catalog)
    assert fault.code is ErrorCode.UNSUPPORTED_SQL


def test_indexes() -> None:
    catalog = after("CREATE UNIQUE INDEX IF NOT EXISTS mine ON app.notes (id DESC NULLS LAST)")
    assert known(catalog, "notes").indexes == (Index("mine", (Key("id", descending=True),), is_unique=True),)
    assert change("CREATE INDEX IF NOT EXISTS mine ON app.notes (id)", catalog=catalog) is None
    assert known(after("DROP INDEX app.mine", catalog=catalog), "notes").indexes == ()
    assert change("DROP INDEX IF EXISTS app.other", catalog=catalog) is None
    for sql, code in (
        ("CREATE INDEX mine ON app.notes (id)", ErrorCode.ALREADY_EXISTS),
        ("CREATE INDEX notes ON app.notes (id)", ErrorCode.ALREADY_EXISTS),
        ("CREATE INDEX ON app.notes (nr)", ErrorCode.NOT_FOUND),
        ("CREATE INDEX ON app.notes (id, id)", ErrorCode.INVALID_SQL),
        ("DROP INDEX app.notes", ErrorCode.NOT_FOUND),
        ("DROP INDEX mine", ErrorCode.NOT_FOUND),
        ("CREATE USER TABLE app.mine (a INT PRIMARY KEY)", ErrorCode.ALREADY_EXISTS),
    ):
        assert fault_of(sql, catalog=catalog).code is code, sql
    catalog = after("CREATE USER TABLE app.t (a INT PRIMARY KEY, b INT UNIQUE)")
    assert fault_of("DROP INDEX app.t_b_key", catalog=catalog).code is ErrorCode.CONSTRAINT_VIOLATION


def known(catalog: Catalog, name: str) -> Table:
    table = catalog.find("app", name)
    assert table is not None
    return table
