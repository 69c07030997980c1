"""The words of types, and the table of casts: which there are, when they happen unasked, and the engine's text.

Source: PostgreSQL's `pg_cast`, and its rule that any type goes to text on assignment and from text when asked for.
"""

from enum import IntEnum, unique
from typing import Final, NamedTuple

from watchword_server.sql.literals import DAY_US
from watchword_server.sql.tree import Template
from watchword_server.sql.types import INTEGERS, SqlType

__all__ = ["CASTS", "TYPE_WORDS", "CastRow", "Ease", "TypeWord"]

_T = SqlType


@unique
class Ease(IntEnum):
    """When a cast happens."""

    EXPLICIT = 1
    """Only where it is written."""
    ASSIGNMENT = 2
    """Also where a value goes into a column."""
    IMPLICIT = 3
    """Everywhere."""


class CastRow(NamedTuple):
    """One cast."""

    ease: Ease
    template: Template


class TypeWord(NamedTuple):
    """What a type's name means, and the name of an output that is only a cast to it."""

    type: SqlType
    output: str


TYPE_WORDS: Final = {
    "boolean": TypeWord(_T.BOOLEAN, "bool"),
    "bool": TypeWord(_T.BOOLEAN, "bool"),
    "smallint": TypeWord(_T.SMALLINT, "int2"),
    "int2": TypeWord(_T.SMALLINT, "int2"),
    "int": TypeWord(_T.INT, "int4"),
    "integer": TypeWord(_T.INT, "int4"),
    "int4": TypeWord(_T.INT, "int4"),
    "bigint": TypeWord(_T.BIGINT, "int8"),
    "int8": TypeWord(_T.BIGINT, "int8"),
    "double precision": TypeWord(_T.DOUBLE, "float8"),
    "float8": TypeWord(_T.DOUBLE, "float8"),
    "float": TypeWord(_T.DOUBLE, "float8"),
    "double": TypeWord(_T.DOUBLE, "float8"),
    "text": TypeWord(_T.TEXT, "text"),
    "varchar": TypeWord(_T.TEXT, "varchar"),
    "character varying": TypeWord(_T.TEXT, "varchar"),
    "json": TypeWord(_T.JSON, "json"),
    "timestamp": TypeWord(_T.TIMESTAMP, "timestamp"),
    "timestamptz": TypeWord(_T.TIMESTAMP, "timestamptz"),
    "timestamp with time zone": TypeWord(_T.TIMESTAMP, "timestamptz"),
    "date": TypeWord(_T.DATE, "date"),
    "uuid": TypeWord(_T.UUID, "uuid"),
    "bytea": TypeWord(_T.BYTES, "bytea"),
    "bytes": TypeWord(_T.BYTES, "bytea"),
}
"""DOUBLE and BYTES are words of ours; TIMESTAMP means an instant. The names of outputs are PostgreSQL's."""

_SAME: Final = Template("{0}", safe=True)
_CHECKS: Final = {
    _T.SMALLINT: Template("ww_int2({0}, {at})", raises=True),
    _T.INT: Template("ww_int4({0}, {at})", raises=True),
    _T.BIGINT: Template("ww_int8({0}, {at})", raises=True),
}


def _between_numbers() -> dict[tuple[SqlType, SqlType], CastRow]:
    rows: dict[tuple[SqlType, SqlType], CastRow] = {}
    for rank, source in enumerate(INTEGERS):
        for target in INTEGERS[rank + 1 :]:
            rows[source, target] = CastRow(Ease.IMPLICIT, _SAME)
        for target in INTEGERS[:rank]:
            rows[source, target] = CastRow(Ease.ASSIGNMENT, _CHECKS[target])
        rows[source, _T.DOUBLE] = CastRow(Ease.IMPLICIT, Template("CAST({0} AS REAL)", safe=True))
        rounded = Template(_CHECKS[source].text.replace("{0}", "ww_double_integer({0}, {at})"), raises=True)
        rows[_T.DOUBLE, source] = CastRow(Ease.ASSIGNMENT, rounded)
    return rows


CASTS: Final[dict[tuple[SqlType, SqlType], CastRow]] = {
    **_between_numbers(),
    (_T.BOOLEAN, _T.INT): CastRow(Ease.EXPLICIT, _SAME),
    (_T.INT, _T.BOOLEAN): CastRow(Ease.EXPLICIT, Template("({0} <> 0)", safe=True)),
    (_T.DATE, _T.TIMESTAMP): CastRow(Ease.IMPLICIT, Template(f"({{0}} * {DAY_US})", safe=True)),
    (_T.TIMESTAMP, _T.DATE): CastRow(Ease.ASSIGNMENT, Template("ww_day_of({0})")),
    **{
        (source, _T.TEXT): CastRow(Ease.ASSIGNMENT, Template(text))
        for source, text in (
            *((integer, "CAST({0} AS TEXT)") for integer in INTEGERS),
            (_T.BOOLEAN, "CASE {0} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"),
            (_T.DOUBLE, "ww_double_text({0})"),
            (_T.TIMESTAMP, "ww_timestamp_text({0})"),
            (_T.DATE, "ww_date_text({0})"),
            (_T.UUID, "{0}"),
            (_T.JSON, "{0}"),
        )
    },
    (_T.BYTES, _T.TEXT): CastRow(Ease.ASSIGNMENT, Template("ww_bytes_text({0})", raises=True)),
    **{
        (_T.TEXT, target): CastRow(Ease.EXPLICIT, Template(f"ww_read_{word}({{0}}, {{at}})", raises=True))
        for target, word in (
            (_T.BOOLEAN, "boolean"),
            (_T.SMALLINT, "int2"),
            (_T.INT, "int4"),
            (_T.BIGINT, "int8"),
            (_T.DOUBLE, "double"),
            (_T.JSON, "json"),
            (_T.TIMESTAMP, "timestamp"),
            (_T.DATE, "date"),
            (_T.UUID, "uuid"),
            (_T.BYTES, "bytes"),
        )
    },
}
"""(from, to). A pair that is not here is no cast."""
