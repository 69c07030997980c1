"""Group commit against a model: one transaction after another, each wholly or not at all."""

from hypothesis import given, settings
from hypothesis import strategies as st

from support.engine_room import found, make_engine, make_group, row_ids
from support.plans import ADD, RUNAWAY_WRITE, make_plan, request
from watchword_server.adapters.sqlite.group import Answer
from watchword_server.sql.plan import Plan
from watchword_server.sql.store import StoredValue, Transaction

ROLL_BACK = make_plan('INSERT OR ROLLBACK INTO main."app.notes" ("_owner", "id") VALUES (?1, ?2)', inserts=True)
COMPLAIN = make_plan(
    'INSERT INTO main."app.notes" ("_owner", "id", "stars") VALUES (?1, ?2, ww_complain(1))',
    inserts=True,
    functions=["ww_complain"],
)
DELETE = make_plan(
    'DELETE FROM main."app.notes" WHERE "_owner" = ?1 AND "id" >= ?2', reads=["_owner", "id"], deletes=True
)

Step = tuple[str, int]
steps = st.tuples(
    st.sampled_from(["add", "add", "add", "roll back", "complain", "delete", "run away"]), st.integers(0, 9)
)
requests = st.lists(st.lists(steps, min_size=1, max_size=4), min_size=1, max_size=12)


def to_statement(step: Step) -> tuple[Plan, tuple[StoredValue, ...]]:
    kind, number = step
    match kind:
        case "add":
            return ADD, ("ada", number, "t")
        case "roll back":
            return ROLL_BACK, ("ada", number)
        case "complain":
            return COMPLAIN, ("ada", number)
        case "delete":
            return DELETE, ("ada", number)
        case _:
            return RUNAWAY_WRITE, ("ada",)


def to_request(work: list[Step]) -> Transaction:
    # Only what runs away has little time: a slow machine must not end the others.
    runs_away = any(kind == "run away" for kind, _ in work)
    return request(*map(to_statement, work), time_ms=4 if runs_away else 60_000)


def expect(state: frozenset[int], work: list[Step]) -> tuple[frozenset[int], str | tuple[str, int]]:
    """The ids after the request; and the rows it gives, or the code of its error and the statement that had it."""
    rows = []
    after = set(state)
    for index, (kind, number) in enumerate(work):
        match kind:
            case "complain":
                return state, ("TYPE_MISMATCH", index)
            case "run away":
                return state, ("QUERY_TIMEOUT", index)
            case "delete":
                after = {each for each in after if each < number}
                rows.append("[]")
                continue
        if number in after:
            return state, ("CONSTRAINT_VIOLATION", index)
        after.add(number)
        rows.append(f"[[{number}]]" if kind == "add" else "[]")
    return frozenset(after), " ".join(rows)


def tell(answer: Answer) -> str | tuple[str, int]:
    return (found(answer), answer.statement) if isinstance(answer, Exception) else found(answer)  # type: ignore[attr-defined]  # it is Refused


@settings(max_examples=60)
@given(requests)
def test_each_request_happens_wholly_or_not_at_all_and_is_told_so(works: list[list[Step]]) -> None:
    with make_engine() as (engine, catalog):
        answers = make_group(catalog).run(engine, [to_request(work) for work in works])
        state: frozenset[int] = frozenset()
        for work, answer in zip(works, answers, strict=True):
            state, expected = expect(state, work)
            # A request that runs away has little time for what stands before it, too.
            is_short = any(kind == "run away" for kind, _ in work) and found(answer) == "QUERY_TIMEOUT"
            assert is_short or tell(answer) == expected
        assert row_ids(engine) == sorted(state)


@given(requests, st.integers(0, 20))
def test_however_it_is_cut_into_groups_the_end_is_the_same(works: list[list[Step]], budget: int) -> None:
    works = [[step for step in work if step[0] != "run away"] or [("delete", 9)] for work in works]
    ticks = 0

    def now() -> float:
        nonlocal ticks
        ticks += 1
        return float(ticks)

    with make_engine() as (engine, catalog):
        rest = [to_request(work) for work in works]
        answers: list[Answer] = []
        while rest:
            given_ = make_group(catalog, time_s=budget, now=now).run(engine, rest)
            assert given_
            answers += given_
            rest = rest[len(given_) :]
        state: frozenset[int] = frozenset()
        for work, answer in zip(works, answers, strict=True):
            state, expected = expect(state, work)
            assert tell(answer) == expected
        assert row_ids(engine) == sorted(state)
