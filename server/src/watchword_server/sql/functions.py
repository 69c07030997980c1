"""The table of functions: argument types, result, the engine's text. What is not here is not supported.

Source: PostgreSQL, chapter 9 "Functions and Operators".
"""

from typing import Final, NamedTuple

from watchword_server.sql.operators import COMPARABLE
from watchword_server.sql.tree import Template
from watchword_server.sql.types import INTEGERS, SqlType

__all__ = [
    "AGGREGATES",
    "COUNT_ROWS",
    "FUNCTIONS",
    "GREATEST",
    "NULLIF",
    "ROW_COUNTS",
    "SNOWFLAKE_ID",
    "UUID_V7",
    "Signature",
]

_T = SqlType


class Signature(NamedTuple):
    """One way to call a function."""

    arguments: tuple[SqlType, ...]
    result: SqlType
    template: Template


def _rows(result: SqlType, *arguments: tuple[SqlType, ...], text: str, raises: bool = False) -> tuple[Signature, ...]:
    template = Template(text, raises=raises)
    return tuple(Signature(each, result, template) for each in arguments)


_TEXT: Final = (_T.TEXT,)
_DOUBLE: Final = (_T.DOUBLE,)
_LENGTH: Final = (
    *_rows(_T.INT, _TEXT, text="length({0})"),
    *_rows(_T.INT, (_T.BYTES,), text="length({0})"),
)
_SUBSTRING: Final = tuple(
    row
    for type_ in (_T.TEXT, _T.BYTES)
    for row in (
        *_rows(type_, (type_, _T.INT), text="ww_substring({0}, {1})"),
        *_rows(type_, (type_, _T.INT, _T.INT), text="ww_substring({0}, {1}, {2}, {at})", raises=True),
    )
)
_CEIL: Final = _rows(_T.DOUBLE, _DOUBLE, text="ww_ceil({0})")


def _trim(name: str) -> tuple[Signature, ...]:
    return (
        *_rows(_T.TEXT, _TEXT, text=f"{name}({{0}})"),
        *_rows(
            _T.TEXT,
            (_T.TEXT, _T.TEXT),
            text=f"{name}(ww_searchable({{0}}, {{at}}), ww_needle({{1}}, {{at}}))",
            raises=True,
        ),
    )


FUNCTIONS: Final[dict[str, tuple[Signature, ...]]] = {
    "lower": _rows(_T.TEXT, _TEXT, text="ww_lower({0})", raises=True),
    "upper": _rows(_T.TEXT, _TEXT, text="ww_upper({0})", raises=True),
    "length": _LENGTH,
    "char_length": _LENGTH[:1],
    "character_length": _LENGTH[:1],
    "octet_length": (
        *_rows(_T.INT, _TEXT, text="length(CAST({0} AS BLOB))"),
        *_rows(_T.INT, (_T.BYTES,), text="length({0})"),
    ),
    "abs": (
        *_rows(_T.SMALLINT, (_T.SMALLINT,), text="ww_int2(abs({0}), {at})", raises=True),
        *_rows(_T.INT, (_T.INT,), text="ww_int4(abs({0}), {at})", raises=True),
        *_rows(_T.BIGINT, (_T.BIGINT,), text="ww_abs({0}, {at})", raises=True),
        *_rows(_T.DOUBLE, _DOUBLE, text="abs({0})"),
    ),
    "round": _rows(_T.DOUBLE, _DOUBLE, text="ww_round({0})"),
    "floor": _rows(_T.DOUBLE, _DOUBLE, text="ww_floor({0})"),
    "ceil": _CEIL,
    "ceiling": _CEIL,
    "trunc": _rows(_T.DOUBLE, _DOUBLE, text="ww_trunc({0})"),
    "mod": tuple(
        Signature((each, each), each, Template("ww_modulo({0}, {1}, {at})", raises=True)) for each in INTEGERS
    ),
    "btrim": _trim("trim"),
    "ltrim": _trim("ltrim"),
    "rtrim": _trim("rtrim"),
    "replace": _rows(_T.TEXT, (_T.TEXT, _T.TEXT, _T.TEXT), text="ww_replace({0}, {1}, {2}, {at})", raises=True),
    "substr": _SUBSTRING,
    "substring": _SUBSTRING,
    "strpos": _rows(
        _T.INT, (_T.TEXT, _T.TEXT), text="instr(ww_searchable({0}, {at}), ww_needle({1}, {at}))", raises=True
    ),
    "left": _rows(_T.TEXT, (_T.TEXT, _T.INT), text="ww_left({0}, {1})"),
    "right": _rows(_T.TEXT, (_T.TEXT, _T.INT), text="ww_right({0}, {1})"),
    "reverse": _rows(_T.TEXT, _TEXT, text="ww_reverse({0})"),
}
"""Of fixed arguments. Where several ways fit, the one with the fewest casts is meant, then the first."""

AGGREGATES: Final[dict[str, tuple[Signature, ...]]] = {
    "count": tuple(
        Signature((each,), _T.BIGINT, Template("count({0}){tail}")) for each in _T if each is not _T.UNKNOWN
    ),
    "sum": (
        *(Signature((each,), _T.BIGINT, Template("sum({0}){tail}", raises=True)) for each in INTEGERS),
        Signature(_DOUBLE, _T.DOUBLE, Template("ww_finite(sum({0}){tail}, {at})", raises=True)),
    ),
    "avg": (
        *(Signature((each,), _T.DOUBLE, Template("ww_mean({0}){tail}")) for each in INTEGERS),
        Signature(_DOUBLE, _T.DOUBLE, Template("ww_finite(avg({0}){tail}, {at})", raises=True)),
    ),
    **{
        name: tuple(
            Signature((each,), each, Template(f"{name}({{0}}){{tail}}"))
            for each in _T
            if each in COMPARABLE - {_T.BOOLEAN, _T.UUID, _T.BYTES}
        )
        for name in ("min", "max")
    },
    "bool_and": (Signature((_T.BOOLEAN,), _T.BOOLEAN, Template("min({0}){tail}")),),
    "bool_or": (Signature((_T.BOOLEAN,), _T.BOOLEAN, Template("max({0}){tail}")),),
    "every": (Signature((_T.BOOLEAN,), _T.BOOLEAN, Template("min({0}){tail}")),),
}
"""Of one argument. `sum` and `avg` of integers have types of their own (see `planner.DIFFERENCES`)."""

COUNT_ROWS: Final = Template("count(*){tail}", also=("count",))
NULLIF: Final = Template("nullif({0}, {1})")
GREATEST: Final = {
    "greatest": Template("ww_greatest({0})", variadic=True),
    "least": Template("ww_least({0})", variadic=True),
    "coalesce": Template("coalesce({0})", variadic=True),
}
"""Of any number of arguments of one type."""

ROW_COUNTS: Final = {
    "LIMIT": Template("ww_limit({0}, {at})", raises=True),
    "OFFSET": Template("ww_offset({0}, {at})", raises=True),
}
"""What is computed for them: not negative, and for NULL as if it was not there."""

SNOWFLAKE_ID: Final = Template("ww_snowflake_id()", volatile="SNOWFLAKE_ID")
UUID_V7: Final = Template("ww_uuid_v7()", volatile="UUID_V7")
"""Of no arguments, and another value with every call."""
