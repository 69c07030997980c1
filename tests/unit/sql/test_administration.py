"""CREATE, DROP, ALTER and TRUNCATE to nodes, and what they may not hold."""

import pytest

from support.parsing import refusal_of, statement_of
from watchword_protocol.errors import ErrorCode
from watchword_server.sql.definition_nodes import (
    ColumnDefinition,
    CreateNamespace,
    CreateTable,
    DropTable,
    Option,
    Statement,
)
from watchword_server.sql.nodes import (
    Cast,
    Expression,
    Literal,
    LiteralKind,
    Name,
    TableName,
)

T = TableName("app", "t")
ID = ColumnDefinition("id", "bigint", primary_key=True)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("CREATE NAMESPACE App", CreateNamespace("app")),
        ('create namespace if not exists "App"', CreateNamespace("App", if_not_exists=True)),
        ("CREATE NAMESPACE if", CreateNamespace("if")),
        ("CREATE TABLE app.t (id BIGINT PRIMARY KEY)", CreateTable(T, (ID,))),
        (
            "CREATE TABLE IF NOT EXISTS t (id bigint primary key) "
            "WITH (Type = 'USER', \"access_level\"='private', N = 10)",
            CreateTable(
                TableName(None, "t"),
                (ID,),
                options=(Option("TYPE", "USER"), Option("ACCESS_LEVEL", "private"), Option("N", "10")),
                if_not_exists=True,
            ),
        ),
        (
            "CREATE TABLE app.t (a INT NOT NULL, \"B\" DOUBLE PRECISION NULL, primary key (a, \"B\"), "
            "c json DEFAULT '{}' NOT NULL)",
            CreateTable(
                T,
                (
                    ColumnDefinition("a", "int", not_null=True),
                    ColumnDefinition("B", "double precision"),
                    ColumnDefinition(
                        "c", "json", not_null=True, default=Literal(LiteralKind.TEXT, "{}")
                    ),
                ),
                primary_key=(Name(None, "a"), Name(None, "B")),
            ),
        ),
        ("DROP TABLE app.t", DropTable(T)),
        ("DROP TABLE IF EXISTS app.t", DropTable(T, if_exists=True)),
        ("DROP TABLE if", DropTable(TableName(None, "if"))),
    ],
)  # fmt: skip
def test_statements(text: str, node: Statement) -> None:
    assert statement_of(text) == node


@pytest.mark.parametrize(
    "type_", ["boolean", "smallint", "int", "bigint", "double", "text", "json", "timestamp", "date", "uuid", "bytes"]
)
def test_every_type_has_a_word(type_: str) -> None:
    statement = statement_of(f"CREATE TABLE t (a {type_.upper()} NOT NULL)")
    assert isinstance(statement, CreateTable)
    assert statement.columns == (ColumnDefinition("a", type_, not_null=True),)


@pytest.mark.parametrize(
    ("text", "default"),
    [
        ("NULL", Literal(LiteralKind.NULL, "")),
        ("TRUE", Literal(LiteralKind.BOOLEAN, "true")),
        ("- 1", Literal(LiteralKind.INTEGER, "-1")),
        ("(('x'))", Literal(LiteralKind.TEXT, "x")),
        ("'2026-11-24'::date", Cast(Literal(LiteralKind.TEXT, "2026-11-24"), "date")),
        ("CAST(1.5 AS double precision)", Cast(Literal(LiteralKind.DECIMAL, "1.5"), "double precision")),
    ],
)
def test_defaults_are_constants(text: str, default: Expression) -> None:
    statement = statement_of(f"CREATE TABLE t (a text DEFAULT {text} NOT NULL)")
    assert isinstance(statement, CreateTable)
    assert statement.columns == (ColumnDefinition("a", "text", not_null=True, default=default),)


@pytest.mark.parametrize(
    ("text", "column", "construct"),
    [
        ("CREATE TEMP TABLE t (a int)", 1, "CREATE TEMP TABLE"), ("CREATE STREAM TABLE t (a int)", 1, "CREATE STREAM"),
        ("CREATE UNIQUE TABLE t (a int)", 1, "CREATE UNIQUE"), ("CREATE VIEW v AS SELECT 1", 1, "CREATE VIEW"),
        ("CREATE ROLE ada", 1, "CREATE ROLE"), ("CREATE TRIGGER x", 1, "CREATE TRIGGER"),
        ("CREATE OR REPLACE VIEW v", 1, "CREATE OR"),
        ("CREATE TABLE t AS SELECT 1", 16, "CREATE TABLE AS"),
        ("CREATE TABLE t (a int) AS SELECT 1", 24, "CREATE TABLE AS"),
        ("CREATE TABLE t (a int) INHERITS (u)", 24, "INHERITS"), ("CREATE TABLE t (a int) STRICT", 24, "STRICT"),
        ("CREATE TABLE t (a int) PARTITION BY LIST (a)", 24, "PARTITION"),
        ("CREATE TABLE t PARTITION OF u", 16, "PARTITION"),
        ("CREATE TABLE t (a int CONSTRAINT c NOT NULL)", 23, "with a name"),
        ("CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY)", 23, "GENERATED"),
        ('CREATE TABLE t (a text COLLATE "C")', 24, "COLLATE"),
        ("CREATE TABLE t (LIKE u)", 17, "LIKE"),
        ("CREATE TABLE t (CONSTRAINT c PRIMARY KEY (a))", 17, "with a name"),
        ("CREATE TABLE t (a varchar(3))", 26, "length"),
        ("CREATE TABLE t (a int[])", 22, "An array"), ("CREATE TABLE a.b.c (a int)", 14, "three parts"),
        ("CREATE TABLE t (a int DEFAULT f(1))", 31, "computed"),
        ("CREATE TABLE t (a int DEFAULT 1 + 1)", 31, "computed"),
        ("CREATE TABLE t (a text DEFAULT upper(CURRENT_USER))", 32, "computed"),
        ("CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY)", 23, "SNOWFLAKE_ID()"),
        ("CREATE TABLE t (a int CONSTRAINT c PRIMARY KEY)", 23, "with a name"),
        ("CREATE TABLE t (a int UNIQUE DEFERRABLE)", 30, "DEFERRABLE"),
        ("CREATE TABLE t (a int UNIQUE NOT DEFERRABLE)", 30, "NOT DEFERRABLE"),
        ("CREATE TABLE t (a int UNIQUE NULLS NOT DISTINCT)", 30, "NULLS"),
        ("CREATE TABLE t (a int, UNIQUE (a) INCLUDE (b))", 35, "INCLUDE"),
        ("CREATE TABLE t (a int CHECK (a > 1) NO INHERIT)", 37, "NO INHERIT"),
        ("CREATE TABLE t (a int, EXCLUDE USING gist (a WITH =))", 24, "EXCLUDE"),
        ("CREATE TABLE t (a int REFERENCES u MATCH FULL)", 42, "MATCH FULL"),
        ("CREATE TABLE t (a int REFERENCES u INITIALLY DEFERRED)", 36, "INITIALLY"),
        ("CREATE TABLE t (a int REFERENCES u ON UPDATE SET NULL)", 36, "ON UPDATE SET NULL"),
        ("CREATE TABLE t (a int REFERENCES u ON DELETE SET NULL (a))", 55, "some columns"),
        ("DROP TABLE a, b", 13, "several tables"), ("DROP NAMESPACE a, b", 17, "several namespaces"),
        ("DROP VIEW v", 1, "DROP VIEW"), ("DROP INDEX i CASCADE", 14, "CASCADE"),
        ("DROP INDEX CONCURRENTLY i", 12, "CONCURRENTLY"), ("DROP INDEX i, j", 13, "several indexes"),
        ("CREATE INDEX CONCURRENTLY i ON t (a)", 14, "CONCURRENTLY"),
        ("CREATE INDEX ON t (lower(a))", 20, "expression"), ("CREATE INDEX ON t ((a + 1))", 20, "expression"),
        ("CREATE INDEX ON t (a) WHERE a > 1", 23, "WHERE"), ("CREATE INDEX ON t (a) INCLUDE (b)", 23, "INCLUDE"),
        ("CREATE INDEX ON t USING gin (a)", 25, "USING gin"), ('CREATE INDEX ON t (a COLLATE "C")', 22, "COLLATE"),
        ("CREATE INDEX ON t (a text_ops)", 22, "operator class"), ("CREATE INDEX a.b ON t (a)", 15, "namespace"),
        ("CREATE UNIQUE INDEX ON t (a) NULLS NOT DISTINCT", 30, "NULLS"),
        ("ALTER TABLE t ALTER COLUMN a SET NOT NULL", 15, "ALTER COLUMN"),
        ("ALTER TABLE t ADD a int, ADD b int", 24, "several changes"), ("ALTER TABLE t OWNER TO x", 15, "OWNER"),
        ("ALTER TABLE t RENAME CONSTRAINT a TO b", 22, "RENAME CONSTRAINT"),
        ("ALTER TABLE t RENAME TO a.b", 26, "another namespace"), ("ALTER TABLE t SET SCHEMA x", 19, "ACCESS_LEVEL"),
        ("ALTER TABLE t ADD PRIMARY KEY (a)", 19, "ADD PRIMARY KEY"), ("ALTER TABLE ONLY t ADD a int", 13, "ONLY"),
        ("ALTER TABLE t VALIDATE CONSTRAINT c", 15, "VALIDATE"),
        ("TRUNCATE a, b", 11, "several tables"), ("TRUNCATE TABLE a RESTART IDENTITY", 18, "RESTART"),
        ("TRUNCATE a CASCADE", 12, "CASCADE"), ("TRUNCATE ONLY a", 10, "ONLY"),
    ],
)  # fmt: skip
def test_what_has_no_rule_is_unsupported_by_name_and_place(text: str, column: int, construct: str) -> None:
    refusal = refusal_of(text)
    assert (refusal.code, refusal.column) == (ErrorCode.UNSUPPORTED_SQL, column), refusal
    assert construct in refusal.message


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("CREATE", 7), ("CREATE 1", 8), ("CREATE NAMESPACE", 17), ("CREATE NAMESPACE a.b", 19),
        ("CREATE NAMESPACE IF NOT a", 25),
        ("CREATE TABLE", 13), ("CREATE TABLE t", 15), ("CREATE TABLE t ()", 17),
        ("CREATE TABLE t (PRIMARY KEY (a))", 1),
        ("CREATE TABLE t (a)", 18), ("CREATE TABLE t (a int,)", 23), ("CREATE TABLE t (a int", 22),
        ("CREATE TABLE t (a int b)", 23),
        ("CREATE TABLE t (a int PRIMARY)", 30), ("CREATE TABLE t (a int NOT)", 26),
        ("CREATE TABLE t (a int NOT NULL NULL)", 32), ("CREATE TABLE t (a int NULL NOT NULL)", 28),
        ("CREATE TABLE t (a int PRIMARY KEY PRIMARY KEY)", 35),
        ("CREATE TABLE t (a int DEFAULT 1 DEFAULT 2)", 33), ("CREATE TABLE t (a int DEFAULT)", 30),
        ("CREATE TABLE t (a int DEFAULT b)", 31),
        ("CREATE TABLE t (a int DEFAULT $1)", 31), ("CREATE TABLE t (a int PRIMARY KEY, b int PRIMARY KEY)", 36),
        ("CREATE TABLE t (a int PRIMARY KEY, PRIMARY KEY (a))", 36),
        ("CREATE TABLE t (PRIMARY KEY (a), a int PRIMARY KEY)", 34),
        ("CREATE TABLE t (a int, PRIMARY KEY ())", 37), ("CREATE TABLE t (a int) WITH", 28),
        ("CREATE TABLE t (a int) WITH ()", 30),
        ("CREATE TABLE t (a int) WITH (type)", 34), ("CREATE TABLE t (a int) WITH (type = user)", 37),
        ("DROP", 5), ("DROP TABLE", 11),
        ("ALTER TABLE", 12), ("ALTER TABLE t", 14), ("ALTER TABLE t ADD", 18), ("ALTER TABLE t x", 15),
        ("ALTER TABLE t ADD CONSTRAINT c", 31), ("ALTER TABLE t RENAME a", 23), ("ALTER TABLE t DROP", 19),
        ("ALTER TABLE t SET ACCESS_LEVEL private", 32), ("ALTER TABLE t DROP CONSTRAINT", 30),
        ("CREATE TABLE t (a int CHECK)", 28), ("CREATE TABLE t (a int CHECK ())", 30),
        ("CREATE TABLE t (a int CONSTRAINT c)", 35), ("CREATE TABLE t (CONSTRAINT c a int)", 30),
        ("CREATE TABLE t (a int, FOREIGN KEY (a))", 39), ("CREATE TABLE t (a int REFERENCES)", 33),
        ("CREATE TABLE t (a int REFERENCES u ON DELETE)", 45),
        ("CREATE TABLE t (a int REFERENCES u ON DELETE CASCADE ON DELETE CASCADE)", 54),
        ("CREATE INDEX", 13), ("CREATE INDEX i", 15), ("CREATE INDEX i ON t", 20), ("CREATE INDEX i ON t ()", 22),
        ("CREATE INDEX IF NOT EXISTS ON t (a)", 28), ("DROP INDEX", 11), ("DROP NAMESPACE", 15), ("TRUNCATE", 9),
        ("DROP TABLE IF EXISTS", 21), ("CREATE TABLE t (a int) WITH (a = 'b', A = 'c')", 39),
    ],
)  # fmt: skip
def test_mistakes_are_invalid_in_their_place(text: str, column: int) -> None:
    refusal = refusal_of(text)
    assert (refusal.code, refusal.column) == (ErrorCode.INVALID_SQL, column), refusal
