"""A result's rows as JSON, within limits."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from watchword_protocol.errors import ErrorCode
from watchword_server.refusal import Refused
from watchword_server.sql.plan import OutputColumn
from watchword_server.sql.types import OF_ANY_SIZE, SqlType

__all__ = ["Converters", "RowForm", "encode_rows"]

Converters = Mapping[SqlType, Callable[[Any], Any]]
"""From a stored value that is not NULL to what orjson encodes as its wire form; a type without one is encoded as it is.
"""

_CELLS_OF_PIECE: Final = 10_000
_BYTES_OF_PIECE: Final = 262_144
"""Rows are encoded in pieces of about so much: while a piece is, no other thread of Python runs, and only the rows of
one piece are Python's objects, which take far more memory than their JSON."""


@dataclass(frozen=True, slots=True)
class RowForm:
    """How the rows of a result are encoded. `conversions`: position and function; `sized`: positions to measure.

    `rows_of_piece`: how many are encoded at once.
    """

    conversions: tuple[tuple[int, Callable[[Any], Any]], ...]
    sized: tuple[int, ...]
    rows_of_piece: int

    @classmethod
    def of(cls, columns: Iterable[OutputColumn], converters: Converters) -> "RowForm":
        """The form of a plan's result."""
        types = [column.type for column in columns]
        return cls(
            tuple((index, converters[type_]) for index, type_ in enumerate(types) if type_ in converters),
            tuple(index for index, type_ in enumerate(types) if type_ in OF_ANY_SIZE),
            max(1, _CELLS_OF_PIECE // max(1, len(types))),
        )


def encode_rows(cursor: Iterable[Sequence[Any]], form: RowForm, *, max_rows: int, max_bytes: int) -> tuple[bytes, int]:
    """The rows as a JSON array of arrays, and how many.

    Never holds more than `max_bytes` of JSON, the values of one piece and one row.

    Raises:
        Refused: RESULT_TOO_LARGE. The cursor then stands in the middle.
        sqlite3.Error: The statement failed on the way.
    """
    pieces: list[bytes] = []  # without their brackets
    count = encoded = 0
    rows: list[Any] = []
    size = 0  # of the values in `rows`
    for row in cursor:
        if count == max_rows:
            raise Refused(ErrorCode.RESULT_TOO_LARGE, f"The result has more than {max_rows} rows (rows).")
        count += 1
        for index in form.sized:
            if (value := row[index]) is not None:
                size += len(value)
        if encoded + size > max_bytes:
            raise _too_many_bytes(max_bytes)
        if form.conversions:
            row = list(row)
            for index, convert in form.conversions:
                if (value := row[index]) is not None:
                    row[index] = convert(value)
        rows.append(row)
        if len(rows) == form.rows_of_piece or size > _BYTES_OF_PIECE:
            pieces.append(orjson.dumps(rows)[1:-1])
            encoded += len(pieces[-1]) + 1
            if encoded > max_bytes:
                raise _too_many_bytes(max_bytes)
            rows, size = [], 0
    if rows:
        pieces.append(orjson.dumps(rows)[1:-1])
    whole = b"[%b]" % b",".join(pieces)
    if len(whole) > max_bytes:
        raise _too_many_bytes(max_bytes)
    return whole, count


def _too_many_bytes(max_bytes: int) -> Refused:
    return Refused(ErrorCode.RESULT_TOO_LARGE, f"The result is larger than {max_bytes} bytes (result_bytes).")
