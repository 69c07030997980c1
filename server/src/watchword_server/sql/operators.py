"""The table of operators: operand types, result, the engine's text. What is not here does not exist.

Both operands of a comparison have one type here; PostgreSQL's implicit casts bring them there first.
Source: PostgreSQL, chapter 9 "Functions and Operators"; its `pg_operator` for what goes with what.
"""

from typing import Final, NamedTuple

from watchword_server.sql.tree import Template
from watchword_server.sql.types import INTEGERS, SqlType

__all__ = [
    "BETWEEN",
    "COMPARABLE",
    "ILIKE",
    "IS_DISTINCT",
    "IS_TESTS",
    "LIKE",
    "LIKE_CONSTANT",
    "NEGATIONS",
    "NOT",
    "OPERATORS",
    "UNSUPPORTED_OPERATORS",
    "OperatorRow",
]

_T = SqlType

COMPARABLE: Final = frozenset(_T) - {_T.JSON, _T.UNKNOWN}
"""Types whose values are equal, greater or smaller: as stored, which for text is by bytes."""


class OperatorRow(NamedTuple):
    """One operator between two types."""

    result: SqlType
    template: Template


_WIDTHS: Final = {_T.SMALLINT: "ww_int2", _T.INT: "ww_int4", _T.BIGINT: "ww_int8"}


def _arithmetic() -> dict[tuple[str, SqlType, SqlType], OperatorRow]:
    rows: dict[tuple[str, SqlType, SqlType], OperatorRow] = {}
    for type_ in INTEGERS:
        check = _WIDTHS[type_]
        for operator in "+-*":
            rows[operator, type_, type_] = OperatorRow(
                type_, Template(f"{check}({{0}} {operator} {{1}}, {{at}})", raises=True)
            )
        rows["/", type_, type_] = OperatorRow(
            type_, Template(f"{check}(ww_divide({{0}}, {{1}}, {{at}}), {{at}})", raises=True)
        )
        rows["%", type_, type_] = OperatorRow(type_, Template("ww_modulo({0}, {1}, {at})", raises=True))
    for operator, text in (
        ("+", "ww_finite({0} + {1}, {at})"),
        ("-", "ww_finite({0} - {1}, {at})"),
        ("*", "ww_multiply({0}, {1}, {at})"),
        ("/", "ww_divide_double({0}, {1}, {at})"),
    ):
        rows[operator, _T.DOUBLE, _T.DOUBLE] = OperatorRow(_T.DOUBLE, Template(text, raises=True))
    return rows


OPERATORS: Final[dict[tuple[str, SqlType, SqlType], OperatorRow]] = {
    **_arithmetic(),
    **{
        (operator, type_, type_): OperatorRow(_T.BOOLEAN, Template(f"({{0}} {operator} {{1}})", safe=True))
        for operator in ("=", "<>", "<", "<=", ">", ">=")
        for type_ in COMPARABLE
    },
    ("+", _T.DATE, _T.INT): OperatorRow(_T.DATE, Template("ww_date({0} + {1}, {at})", raises=True)),
    ("+", _T.INT, _T.DATE): OperatorRow(_T.DATE, Template("ww_date({0} + {1}, {at})", raises=True)),
    ("-", _T.DATE, _T.INT): OperatorRow(_T.DATE, Template("ww_date({0} - {1}, {at})", raises=True)),
    ("-", _T.DATE, _T.DATE): OperatorRow(_T.INT, Template("({0} - {1})", safe=True)),
    ("||", _T.TEXT, _T.TEXT): OperatorRow(_T.TEXT, Template("({0} || {1})", raises=True, links=True)),
    ("||", _T.BYTES, _T.BYTES): OperatorRow(_T.BYTES, Template("ww_join_bytes({0}, {1})", raises=True)),
}
"""(operator, left, right)."""

UNSUPPORTED_OPERATORS: Final = frozenset(
    {("-", _T.TIMESTAMP, _T.TIMESTAMP), ("-", _T.TIMESTAMP, _T.DATE), ("-", _T.DATE, _T.TIMESTAMP)}
)
"""What PostgreSQL answers with a type that is not here."""

NEGATIONS: Final = {
    **{type_: Template(f"{_WIDTHS[type_]}(- {{0}}, {{at}})", raises=True) for type_ in INTEGERS},
    _T.DOUBLE: Template("(0.0 - {0})", safe=True),
}
"""`- operand`, by type."""

NOT: Final = Template("(NOT {0})", safe=True)
IS_TESTS: Final = {
    ("null", False): Template("({0} IS NULL)", safe=True),
    ("null", True): Template("({0} IS NOT NULL)", safe=True),
    ("unknown", False): Template("({0} IS NULL)", safe=True),
    ("unknown", True): Template("({0} IS NOT NULL)", safe=True),
    ("true", False): Template("({0} IS 1)", safe=True),
    ("true", True): Template("({0} IS NOT 1)", safe=True),
    ("false", False): Template("({0} IS 0)", safe=True),
    ("false", True): Template("({0} IS NOT 0)", safe=True),
}
"""(word, negated)."""
IS_DISTINCT: Final = {
    False: Template("({0} IS NOT {1})", safe=True),
    True: Template("({0} IS {1})", safe=True),
}
"""By whether it is negated."""
BETWEEN: Final = Template("({0} BETWEEN {1} AND {2})", safe=True)

_ESCAPE: Final = "ESCAPE '\\'"
LIKE: Final = Template(
    f"(ww_searchable({{0}}, {{at}}) LIKE ww_pattern({{1}}, {{at}}) {_ESCAPE})", raises=True, also=("like",)
)
LIKE_CONSTANT: Final = Template(f"({{0}} LIKE {{1}} {_ESCAPE})", also=("like",))
"""For a pattern that the planner has checked, and that is short enough for any text."""
ILIKE: Final = Template(
    f"(ww_searchable_lower({{0}}, {{at}}) LIKE ww_pattern(ww_lower({{1}}), {{at}}) {_ESCAPE})",
    raises=True,
    also=("like",),
)
