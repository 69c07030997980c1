"""Statements about users to nodes; and that nothing is said of what may be a password."""

import pytest

from support.engine import catalog_of
from support.parsing import refusal_of, statement_of
from support.stepping import to_end
from watchword_protocol.errors import ErrorCode
from watchword_server.sql.account_nodes import (
    AccountStatement,
    AlterUser,
    CreateUser,
    DropUser,
    Email,
    Lock,
    OAuth,
    Password,
    Role,
    UndropUser,
)
from watchword_server.sql.account_statements import without_password
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.planner import Planner
from watchword_server.user import Role as UserRole

SECRET = "sEcReT"
HUSHED = "What stands behind PASSWORD is not right"


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("CREATE USER 'Ada' WITH PASSWORD 'it''s me'", CreateUser("Ada", Password("it's me"))),
        (
            "create user if not exists Ada with password E'a\\'b' email 'a@b.c' role SERVICE",
            CreateUser("ada", Password("a'b"), Role("service"), Email("a@b.c"), if_not_exists=True),
        ),
        (
            "CREATE USER \"Ada\" WITH OAUTH '{\"issuer\": 1}' ROLE 'dba' EMAIL ''",
            CreateUser("Ada", OAuth('{"issuer": 1}'), Role("dba"), Email("")),
        ),
        ("CREATE USER if PASSWORD $$it's$$ ROLE user", CreateUser("if", Password("it's"), Role("user"))),
        ("CREATE USER '' WITH PASSWORD ''", CreateUser("", Password(""))),
        (f"CREATE USER '{'é' * 64}' WITH PASSWORD 'p'", CreateUser("é" * 64, Password("p"))),
        ("ALTER USER 'ada' SET PASSWORD 'p'", AlterUser("ada", Password("p"))),
        ("ALTER USER ADA SET ROLE Dba", AlterUser("ada", Role("dba"))),
        ("ALTER USER ada ROLE \"user\"", AlterUser("ada", Role("user"))),
        ("ALTER USER ada EMAIL 'x'", AlterUser("ada", Email("x"))),
        ("ALTER USER ada SET EMAIL 'x'", AlterUser("ada", Email("x"))),
        ("ALTER USER password LOCK", AlterUser("password", Lock(locks=True))),
        ("ALTER USER ada UNLOCK;", AlterUser("ada", Lock(locks=False))),
        ("DROP USER 'a''b'", DropUser("a'b")),
        ("DROP USER IF EXISTS ada", DropUser("ada", if_exists=True)),
        ("DROP USER if", DropUser("if")),
        ("UNDROP USER 'ada'", UndropUser("ada")),
    ],
)  # fmt: skip
def test_a_statement_and_its_node(text: str, node: AccountStatement) -> None:
    assert statement_of(text) == node


@pytest.mark.parametrize(
    ("text", "column", "sentence"),
    [
        ("CREATE USER", 12, "Expected the name of a user, in quotes or bare, found the end of the text."),
        ("CREATE USER user WITH PASSWORD 'p'", 13, "Expected the name of a user, in quotes or bare, found the key"),
        ("CREATE USER ada", 16, "Expected PASSWORD or OAUTH, found the end of the text."),
        ("CREATE USER a.b WITH PASSWORD 'p'", 14, 'Expected PASSWORD or OAUTH, found ".".'),
        ("CREATE USER ada WITH ROLE dba", 22, 'Expected PASSWORD or OAUTH, found "role".'),
        ("CREATE USER ada WITH OAUTH ada", 28, "Expected '{\"issuer\": ..., \"subject\": ...}', in single quotes"),
        ("CREATE USER ada WITH OAUTH '' ROLE dba ROLE dba", 40, "ROLE is given twice."),
        ("CREATE USER ada WITH OAUTH '' EMAIL 'a' ROLE b EMAIL 'a'", 48, "EMAIL is given twice."),
        ("CREATE USER ada WITH OAUTH '' EMAIL a", 37, "Expected an email address, in single quotes, found"),
        ("CREATE USER ada WITH OAUTH '' ROLE 7", 36, "Expected a role, found"),
        ("ALTER USER ada", 15, "Expected SET, LOCK or UNLOCK, found the end of the text."),
        ("ALTER USER ada SET NAME 'x'", 20, 'Expected PASSWORD, ROLE or EMAIL, found "name".'),
        ("ALTER USER ada SET LOCK", 20, "LOCK stands without SET."),
        ("ALTER USER ada LOCK UNLOCK", 21, 'Expected the end of the statement, found "unlock".'),
        ("DROP USER ada CASCADE", 15, 'Expected the end of the statement, found "cascade".'),
        ("UNDROP USER IF EXISTS ada", 16, 'Expected the end of the statement, found "exists".'),
        ("UNDROP TABLE ada", 1, 'Expected a statement, found "undrop".'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(text: str, column: int, sentence: str) -> None:
    refusal = refusal_of(text)
    assert (refusal.code, refusal.column) == (ErrorCode.INVALID_SQL, column), refusal
    assert refusal.message.startswith(sentence)


@pytest.mark.parametrize("text", ["DROP USER a, b", "ALTER SYSTEM SET a", "CREATE ROLE ada", "DROP ROLE ada"])
def test_what_postgresql_has_and_this_has_not_is_unsupported(text: str) -> None:
    assert refusal_of(text).code is ErrorCode.UNSUPPORTED_SQL


def planned(text: str) -> object:
    planner = Planner(max_bytes=16_384, max_parameters=1_000, max_statements=100)
    found = to_end(planner.plan(text, catalog=catalog_of(), namespace="app", role=UserRole.DBA))
    assert not planner._plans
    return found


@pytest.mark.parametrize(
    "rest",
    [
        SECRET, f'"{SECRET}"', f"'it's {SECRET}'", f"'it's {SECRET} x'y'", f"'a'{SECRET}'b'", f"U&'{SECRET}'",
        f"'a'${SECRET}$b", f"X'{SECRET}", f"'a' #{SECRET}", f"{SECRET}!", f"7{SECRET}", f"'a' ROLE {SECRET} {SECRET}",
        f"'a' EMAIL {SECRET}", f"= '{SECRET}'", f"'a'; {SECRET}", f"'a\\{SECRET}", f"${SECRET}",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "before",
    [
        "CREATE USER ada WITH PASSWORD ", "ALTER USER ada SET PASSWORD ", "alter /* a \n * b */ user ada PASSWORD ",
        "CREATE -- one's\nUSER ada PASSWORD ", "SELECT 1; ALTER USER 'ada' SET password",
    ],
)  # fmt: skip
def test_what_may_be_a_password_is_not_repeated(before: str, rest: str) -> None:
    with pytest.raises(SqlFault) as fault:
        planned(before + rest)
    told = repr([fault.value, fault.value.message, fault.value.__cause__])
    assert SECRET.lower() not in told.lower()
    assert "$" not in told
    assert fault.value.__suppress_context__
    assert fault.value.message.startswith(HUSHED)


def test_nor_by_what_prints_a_statement() -> None:
    statement = statement_of(f"CREATE USER 'a''b' WITH PASSWORD '{SECRET}' EMAIL 'a@b.c'")
    assert SECRET not in repr(statement)
    assert str(statement) == "CREATE USER 'a''b' WITH PASSWORD '***' ROLE user EMAIL 'a@b.c'"


@pytest.mark.parametrize(
    "text",
    [
        "CREATE USER IF NOT EXISTS 'a' WITH OAUTH '{\"issuer\": \"it''s\"}' ROLE dba",
        "ALTER USER 'a' SET ROLE dba",
        "ALTER USER 'a' SET EMAIL 'a@b.c'",
        "ALTER USER 'a' LOCK",
        "ALTER USER 'a' UNLOCK",
        "DROP USER IF EXISTS 'a'",
        "UNDROP USER 'a'",
    ],
)
def test_what_a_statement_prints_is_the_statement(text: str) -> None:
    assert str(statement_of(text)) == text


def test_a_statement_about_a_user_is_planned_and_not_remembered() -> None:
    assert planned("ALTER USER ada SET PASSWORD 'p'") == AlterUser("ada", Password("p"))


@pytest.mark.parametrize("text", ["SELECT 1; DROP USER ada", "DROP USER ada; SELECT 1", "DROP USER a; DROP USER b"])
def test_it_stands_alone(text: str) -> None:
    with pytest.raises(SqlFault) as fault:
        planned(text)
    assert fault.value.code is ErrorCode.UNSUPPORTED_SQL


@pytest.mark.parametrize("text", ["CREATE TABLE t (password TEXT,, x INT)", "SELECT create_user, password FROM FROM"])
def test_other_statements_are_told_of_as_ever(text: str) -> None:
    with pytest.raises(SqlFault) as fault:
        planned(text)
    assert "PASSWORD" not in fault.value.message


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"ALTER USER ada SET PASSWORD '{SECRET}'", "ALTER USER ada SET PASSWORD ***"),
        (f"SELECT 1; CREATE/**/USER x WITH password'{SECRET}'", "SELECT 1; CREATE/**/USER x WITH password ***"),
        ("create " * 101 + f"password {SECRET}", "create " * 101 + "password ***"),
        ("SELECT password FROM users", "SELECT password FROM users"),
    ],
)
def test_a_text_is_kept_up_to_its_first_password(text: str, kept: str) -> None:
    assert without_password(text) == kept
