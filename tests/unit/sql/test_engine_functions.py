"""The engine's helpers where no recorded answer reaches: limits, errors, NULL."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.engine_functions import ENGINE_AGGREGATES, ENGINE_FUNCTIONS, MAX_PATTERN_BYTES
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.tree import Template

FUNCTIONS = {(each.name, each.arity): each.function for each in ENGINE_FUNCTIONS}
NULLABLE = {"ww_limit", "ww_offset", "ww_greatest", "ww_least"}


def test_null_in_is_null_out() -> None:
    for name, arity in FUNCTIONS:
        if name not in NULLABLE:
            for place in range(arity):
                arguments = ["" if each != place else None for each in range(arity)]
                assert FUNCTIONS[name, arity](*arguments) is None, name


def test_names_and_arities_are_unique() -> None:
    assert len(FUNCTIONS) == len(ENGINE_FUNCTIONS)
    assert all(name.startswith("ww_") for name, _ in FUNCTIONS)


def test_limit_and_offset_take_null_for_none() -> None:
    assert FUNCTIONS["ww_limit", 1](None) == -1
    assert FUNCTIONS["ww_offset", 1](None) == 0
    with pytest.raises(SqlFault, match="must not be negative"):
        FUNCTIONS["ww_limit", 1](-1)


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("ww_pattern", ("a" * (MAX_PATTERN_BYTES + 1),), ErrorCode.LIMIT_EXCEEDED),
        ("ww_pattern", ("ä" * (MAX_PATTERN_BYTES // 2 + 1),), ErrorCode.LIMIT_EXCEEDED),
        ("ww_pattern", ("a\\",), ErrorCode.TYPE_MISMATCH),
        ("ww_needle", ("a" * (MAX_PATTERN_BYTES + 1),), ErrorCode.LIMIT_EXCEEDED),
        ("ww_searchable", ("a" * 65_537,), ErrorCode.LIMIT_EXCEEDED),
        ("ww_searchable_lower", ("A" * 65_537,), ErrorCode.LIMIT_EXCEEDED),
        ("ww_replace", ("a" * 50_000, "a", "b" * 100), ErrorCode.LIMIT_EXCEEDED),
        ("ww_int8", (1e19,), ErrorCode.TYPE_MISMATCH),
        ("ww_int8", (float("inf"),), ErrorCode.TYPE_MISMATCH),
        ("ww_divide", (-(2**63), -1), ErrorCode.TYPE_MISMATCH),
        ("ww_double_integer", (2.0**63,), ErrorCode.TYPE_MISMATCH),
        ("ww_double_integer", (1e300,), ErrorCode.TYPE_MISMATCH),
        ("ww_multiply", (1e300, 1e300), ErrorCode.TYPE_MISMATCH),
        ("ww_multiply", (1e-300, 1e-300), ErrorCode.TYPE_MISMATCH),
        ("ww_divide_double", (1.0, 0.0), ErrorCode.TYPE_MISMATCH),
        ("ww_read_int4", ("9" * 5000,), ErrorCode.TYPE_MISMATCH),
        ("ww_read_json", ("[" * 2000,), ErrorCode.TYPE_MISMATCH),
        ("ww_date", (10**9,), ErrorCode.TYPE_MISMATCH),
    ],
)
def test_errors_have_their_row_and_tell_no_value(name: str, arguments: tuple[object, ...], code: ErrorCode) -> None:
    with pytest.raises(SqlFault) as caught:
        FUNCTIONS[name, len(arguments)](*arguments)
    assert caught.value.code is code
    assert not any(str(argument)[:20] in caught.value.message for argument in arguments if len(str(argument)) > 3)


def test_there_is_no_negative_zero() -> None:
    for name, arguments in (
        ("ww_multiply", (-1.0, 0.0)),
        ("ww_round", (-0.4,)),
        ("ww_ceil", (-0.5,)),
        ("ww_finite", (-0.0,)),
    ):
        assert str(FUNCTIONS[name, len(arguments)](*arguments)) == "0.0", name


def test_a_template_knows_its_functions() -> None:
    template = Template("(CAST(sum({0}) AS REAL) / ww_int4(count({0})))", also=("like",))
    assert template.functions == {"sum", "ww_int4", "count", "like"}
    assert template.fill(["x"]) == "(CAST(sum(x) AS REAL) / ww_int4(count(x)))"
    assert Template("coalesce({0})", variadic=True).fill(["a", "{b}"]) == "coalesce(a, {b})"


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.none(), max_size=20))
def test_a_mean_is_the_nearest_double_whatever_the_sum(values: list[int | None]) -> None:
    mean = dict(ENGINE_AGGREGATES)["ww_mean"]()
    for value in values:
        mean.step(value)
    present = [value for value in values if value is not None]
    assert mean.finalize() == (float(Fraction(sum(present), len(present))) if present else None)


def test_concat_leaves_nulls_out_and_is_measured_before_it_makes() -> None:
    concat = FUNCTIONS["ww_concat", -1]
    assert (concat("a", None, "b"), concat(None)) == ("ab", "")
    with pytest.raises(SqlFault, match="LIMIT_EXCEEDED"):
        concat(*["a" * 1_000_000] * 5)
