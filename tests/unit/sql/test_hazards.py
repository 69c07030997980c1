"""What the tables say of their rows: which can fail, and which neither fail nor take long."""

import re
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from watchword_server.adapters.sqlite.row_ids import RowIds
from watchword_server.sql import calls, casts, expression_text, functions, generate, operators, window_functions
from watchword_server.sql.engine_functions import ENGINE_AGGREGATES, ENGINE_FUNCTIONS
from watchword_server.sql.literals import MAX_DATE, MAX_TIMESTAMP, MIN_DATE, MIN_TIMESTAMP
from watchword_server.sql.tree import Template

FUNCTIONS = {(each.name, each.arity): each.function for each in ENGINE_FUNCTIONS}
_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_INT = st.integers(-(2**31), 2**31 - 1)
_DOUBLE = st.floats(allow_nan=False, allow_infinity=False)

# These never fail, whatever a row holds; all others of ours do.
HARMLESS = {
    ("ww_round", 1): (_DOUBLE,),
    ("ww_floor", 1): (_DOUBLE,),
    ("ww_ceil", 1): (_DOUBLE,),
    ("ww_trunc", 1): (_DOUBLE,),
    ("ww_left", 2): (_TEXT, _INT),
    ("ww_right", 2): (_TEXT, _INT),
    ("ww_reverse", 1): (_TEXT,),
    ("ww_substring", 2): (_TEXT | st.binary(), _INT),
    ("ww_day_of", 1): (st.integers(MIN_TIMESTAMP, MAX_TIMESTAMP),),
    ("ww_double_text", 1): (_DOUBLE,),
    ("ww_timestamp_text", 1): (st.integers(MIN_TIMESTAMP, MAX_TIMESTAMP),),
    ("ww_date_text", 1): (st.integers(MIN_DATE, MAX_DATE),),
    ("ww_greatest", -1): (_INT, st.none(), _INT),
    ("ww_least", -1): (_TEXT, st.none(), _TEXT),
}
# SQLite's own that fail: on overflow, or for a value that is too large.
FAILING = {"sum"}


def templates() -> Iterator[Template]:
    """Every template there is."""
    yield from (row.template for row in operators.OPERATORS.values())
    yield from operators.NEGATIONS.values()
    yield from operators.IS_TESTS.values()
    yield from operators.IS_DISTINCT.values()
    yield from (operators.NOT, operators.BETWEEN, operators.LIKE, operators.LIKE_CONSTANT, operators.ILIKE)
    yield from (row.template for row in casts.CASTS.values())
    for signatures in (*functions.FUNCTIONS.values(), *functions.AGGREGATES.values()):
        yield from (each.template for each in signatures)
    yield from (*functions.GREATEST.values(), functions.NULLIF, functions.COUNT_ROWS, *functions.ROW_COUNTS.values())
    yield from (calls._CONCAT, calls._BOOLEAN_OUTPUT, expression_text._SINGLE, generate._TWICE)
    for function in window_functions.WINDOW_FUNCTIONS.values():
        yield from function.templates.values()
    yield from window_functions.WINDOW_AGGREGATES.values()


def test_what_can_fail_is_marked() -> None:
    harmless = {name for name, _ in (*HARMLESS, *ENGINE_AGGREGATES)}
    for template in templates():
        ours = {name for name in template.functions if name.startswith("ww_")}
        if ours - harmless or template.functions & FAILING or "||" in template.text:
            assert template.raises, template
        if "ww_substring({0}, {1}, {2})" in template.text:
            assert template.raises, template


def test_what_fails_is_told_its_place() -> None:
    """A template hands the number to each of its functions that takes one, and to no other."""
    placed = {each.name for each in ENGINE_FUNCTIONS if each.has_place}
    for template in templates():
        calls = [name for name in re.findall(r"\b(ww_\w+)\(", template.text) if name in placed]
        if "ww_substring({0}, {1})" in template.text:
            calls = []  # which cannot fail with two arguments
        assert template.text.count("{at}") == len(calls), template
        assert template.raises or not template.has_place, template


def test_what_is_safe_calls_nothing() -> None:
    for template in templates():
        if template.safe:
            assert not template.functions, template
            assert not template.raises, template


def test_every_function_of_a_template_is_ours_or_allowed() -> None:
    """SQLite's own functions that plans may call: none that makes large values, reads files or tells of the engine."""
    allowed = {"abs", "avg", "coalesce", "count", "instr", "length", "like", "ltrim", "max", "min", "nullif", "rtrim"}
    ours = {each.name for each in (*ENGINE_FUNCTIONS, *RowIds(int, int).functions)}
    ours |= {name for name, _ in ENGINE_AGGREGATES}
    used = {name for template in templates() for name in template.functions}
    assert used - ours == allowed | {"sum", "trim"} | set(window_functions.WINDOW_FUNCTIONS)


@given(st.data())
def test_what_is_harmless_never_fails(data: st.DataObject) -> None:
    for key, arguments in HARMLESS.items():
        FUNCTIONS[key](*(data.draw(argument) for argument in arguments))
