"""Requests to plans, and the memory of them."""

import pytest

from support.engine import catalog_of, table_of
from support.stepping import steps_of, to_end
from watchword_protocol.errors import ErrorCode
from watchword_server.sql.catalog import Catalog
from watchword_server.sql.definition_nodes import CreateTable, DropTable
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.plan import Plan
from watchword_server.sql.planner import Planner
from watchword_server.sql.types import SqlType
from watchword_server.user import Role

CATALOG = catalog_of(table_of("app.notes", [("id", SqlType.INT), ("body", SqlType.TEXT)], ["id"]))


def planner(capacity: int = 10, max_memory_bytes: int = 1_000_000) -> Planner:
    return Planner(
        max_bytes=16384,
        max_parameters=1000,
        max_statements=100,
        capacity=capacity,
        max_memory_bytes=max_memory_bytes,
    )


def plans(subject: Planner, text: str, role: Role = Role.USER, catalog: Catalog = CATALOG) -> tuple[Plan, ...]:
    found = to_end(subject.plan(text, catalog=catalog, namespace="app", role=role))
    assert isinstance(found, tuple)
    return found


def test_a_known_text_is_not_planned_again() -> None:
    subject = planner()
    assert plans(subject, "SELECT id FROM notes") is plans(subject, "SELECT id FROM notes")


def test_role_and_version_are_part_of_the_key() -> None:
    subject = planner()
    first = plans(subject, "SELECT current_role")
    assert plans(subject, "SELECT current_role", Role.DBA) is not first
    newer = Catalog(2, CATALOG.namespaces, CATALOG.tables)
    assert plans(subject, "SELECT current_role", catalog=newer) is not first


def test_the_plan_not_asked_for_the_longest_is_forgotten() -> None:
    subject = planner(capacity=2)
    one, two = plans(subject, "SELECT 1"), plans(subject, "SELECT 2")
    assert plans(subject, "SELECT 1") is one
    plans(subject, "SELECT 3")
    assert plans(subject, "SELECT 1") is one
    assert plans(subject, "SELECT 2") is not two


def test_plans_are_forgotten_for_their_size_too() -> None:
    subject = planner(capacity=1_000, max_memory_bytes=80_000)
    texts = [f"SELECT {number}, '{'x' * 10_000}'" for number in range(5)]
    first = [plans(subject, text) for text in texts]
    again = [plans(subject, text) for text in reversed(texts)]
    assert [one is other for one, other in zip(reversed(first), again, strict=True)] == [True, True, True, False, False]


def test_what_is_very_large_is_not_remembered() -> None:
    subject = planner()
    text = f"SELECT 1 IN({', '.join(f'{number}.1' for number in range(1_800))})"
    assert plans(subject, text) is not plans(subject, text)


def test_a_refusal_is_not_remembered_and_names_its_statement() -> None:
    subject = planner()
    for _ in range(2):
        with pytest.raises(SqlFault) as caught:
            plans(subject, "SELECT 1; SELECT nope FROM notes; SELECT 2")
        assert caught.value.statement == 1
        assert caught.value.place("SELECT 1; SELECT nope FROM notes; SELECT 2") == (1, 18)


def test_statements_of_one_text_share_their_parameters() -> None:
    first, second = plans(planner(), "INSERT INTO notes VALUES ($1, $2); SELECT body FROM notes WHERE id = $1")
    assert (first.is_write, second.is_write) == (True, False)
    assert (first.parameters, second.parameters) == (2, 1)


def test_definitions_stand_alone() -> None:
    subject = planner()
    ask = "CREATE TABLE a.b (id INT PRIMARY KEY) WITH (TYPE = 'USER')"
    assert isinstance(to_end(subject.plan(ask, catalog=CATALOG, namespace="app", role=Role.DBA)), CreateTable)
    assert isinstance(
        to_end(subject.plan("DROP TABLE notes", catalog=CATALOG, namespace="app", role=Role.DBA)), DropTable
    )
    with pytest.raises(SqlFault) as caught:
        plans(subject, "SELECT 1; DROP TABLE notes")
    assert (caught.value.code, caught.value.statement) == (ErrorCode.UNSUPPORTED_SQL, 1)


def test_a_plan_is_printed_for_people() -> None:
    [plan] = plans(planner(), "SELECT body FROM notes WHERE id = $1")
    assert repr(plan) == (
        "<Plan read (user, $1 integer) -> (body text)\n"
        '  SELECT "t1"."body" FROM (SELECT "id", "body" FROM main."app.notes" AS "t1"'
        ' WHERE (("t1"."_owner" = ?1) AND ("t1"."id" = ?2))) AS "t1">'
    )


def test_what_is_nested_too_deeply_is_refused() -> None:
    text = "SELECT " + "CASE WHEN true THEN " * 55 + " + ".join(["1"] * 190) + " END" * 55
    with pytest.raises(SqlFault) as caught:
        plans(planner(), text)
    assert (caught.value.code, caught.value.statement) == (ErrorCode.LIMIT_EXCEEDED, 0)


def test_the_columns_of_a_request_are_bounded_together() -> None:
    """A star is short, and a result of many columns is planned for long."""
    with pytest.raises(SqlFault) as caught:
        plans(planner(), ";".join([f"SELECT {','.join('*' * 40)} FROM notes"] * 99))
    assert caught.value.code is ErrorCode.LIMIT_EXCEEDED
    assert "(parts)" in caught.value.message


def test_a_single_text_of_the_size_that_is_allowed_has_hardly_too_many_words() -> None:
    text = f"INSERT INTO notes VALUES {','.join(f'({number},$1)' for number in range(1_000))}"
    assert plans(Planner(max_bytes=len(text), max_parameters=1, max_statements=1), text)
    stars = f"SELECT {','.join('*' * 20)} FROM notes"
    assert plans(Planner(max_bytes=64, max_parameters=1, max_statements=1), stars)


def test_what_is_remembered_takes_as_much_of_the_budget_as_what_is_not() -> None:
    subject = planner()
    costs = []
    for text in ("SELECT id, body FROM notes", "SELECT id, body FROM notes", "SELECT 'a" + "b" * 800 + "'"):
        budget = subject.budget()
        before = budget.left
        to_end(subject.plan(text, catalog=CATALOG, namespace="app", role=Role.USER, budget=budget))
        costs.append(before - budget.left)
    assert costs == [6 + 2 * 2, 6 + 2 * 2, 101 + 2]


@pytest.mark.parametrize(
    ("outputs", "count"),
    [
        ("*", 0),
        ("id, body, body", 1),
        ("*, *", 1),
        ("id, id + 1, now()", 0),
        ("upper(body), $1::json, 'x'", 3),
    ],
)
def test_a_plan_tells_how_many_large_values_it_makes_beside_those_of_a_row(outputs: str, count: int) -> None:
    [plan] = plans(planner(), f"SELECT {outputs} FROM notes")
    assert plan.made_values == count


def test_words_trees_names_and_the_texts_of_plans_are_steps_and_what_is_known_takes_one() -> None:
    subject = planner()
    text = "SELECT id FROM notes; SELECT body FROM notes"
    for steps in (6, 1):
        count, found = steps_of(subject.plan(text, catalog=CATALOG, namespace="app", role=Role.USER))
        assert count == steps
        assert isinstance(found, tuple)


def test_what_two_plan_at_the_same_time_is_remembered_once() -> None:
    subject = planner()
    ways = [subject.plan("SELECT id FROM notes", catalog=CATALOG, namespace="app", role=Role.USER) for _ in range(2)]
    for way in ways:
        next(way)
    for way in ways:
        to_end(way)
    once = planner()
    plans(once, "SELECT id FROM notes")
    assert subject._memory_bytes == once._memory_bytes > 0
