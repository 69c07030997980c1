"""A result's rows as JSON, within limits."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from watchword_protocol.errors import ErrorCode
from watchword_server.refusal import Refused
from watchword_server.sql.plan import OutputColumn
from watchword_server.sql.types import SqlType

__all__ = ["Converters", "RowForm", "encode_rows"]

Converters = Mapping[SqlType, Callable[[Any], Any]]
"""From a stored value that is not NULL to what orjson encodes as its wire form; a type without one is encoded as it is.
"""

_OF_ANY_SIZE: Final = frozenset({SqlType.TEXT, SqlType.JSON, SqlType.BYTES, SqlType.UNKNOWN})


@dataclass(frozen=True, slots=True)
class RowForm:
    """How the rows of a result are encoded. `conversions`: position and function; `sized`: positions to measure."""

    conversions: tuple[tuple[int, Callable[[Any], Any]], ...]
    sized: tuple[int, ...]

    @classmethod
    def of(cls, columns: Iterable[OutputColumn], converters: Converters) -> "RowForm":
        """The form of a plan's result."""
        types = [column.type for column in columns]
        return cls(
            tuple((index, converters[type_]) for index, type_ in enumerate(types) if type_ in converters),
            tuple(index for index, type_ in enumerate(types) if type_ in _OF_ANY_SIZE),
        )


def encode_rows(cursor: sqlite3.Cursor, form: RowForm, *, max_rows: int, max_bytes: int) -> tuple[bytes, int]:
    """The rows as a JSON array of arrays, and how many.

    Never holds more than `max_bytes` of values and one row.

    Raises:
        Refused: RESULT_TOO_LARGE. The cursor then stands in the middle.
        sqlite3.Error: The statement failed on the way.
    """
    rows: list[Any] = []
    size = 0
    for row in cursor:
        if len(rows) == max_rows:
            raise Refused(ErrorCode.RESULT_TOO_LARGE, f"The result has more than {max_rows} rows (rows).")
        for index in form.sized:
            if (value := row[index]) is not None:
                size += len(value)
        if size > max_bytes:
            raise _too_many_bytes(max_bytes)
        if form.conversions:
            row = list(row)
            for index, convert in form.conversions:
                if (value := row[index]) is not None:
                    row[index] = convert(value)
        rows.append(row)
    encoded = orjson.dumps(rows)
    if len(encoded) > max_bytes:
        raise _too_many_bytes(max_bytes)
    return encoded, len(rows)


def _too_many_bytes(max_bytes: int) -> Refused:
    return Refused(ErrorCode.RESULT_TOO_LARGE, f"The result is larger than {max_bytes} bytes (result_bytes).")
