"""What PostgreSQL's answers need and SQLite has not: functions of ours, registered on every connection of the store.

Each is a pure function of its arguments, in stored form, and of bounded cost and size. NULL in gives NULL out but where
the docstring says otherwise. Their errors are `SqlFault` and never repeat a value.
"""

import math
from collections import deque
from collections.abc import Callable
from functools import partial, reduce
from operator import add
from typing import Any, Final, NamedTuple, TypeVar

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.literals import (
    DAY_US,
    INTEGER_RANGES,
    MAX_DATE,
    MIN_DATE,
    date_text,
    double_text,
    read_literal,
    timestamp_text,
)
from watchword_server.sql.types import SqlType

__all__ = ["ENGINE_AGGREGATES", "ENGINE_FUNCTIONS", "MAX_PATTERN_BYTES", "EngineFunction", "check_pattern", "row_limit"]

_SHORT_NEEDLE_BYTES: Final = 16
_MAX_SEARCHED: Final = 65_536  # times 256 pairs: some 60 ms
MAX_PATTERN_BYTES: Final = 256
"""Of a LIKE pattern and of what is searched for: the engine's work grows with their product with the text."""
_MAX_MADE: Final = 4 * 2**20  # making it cannot be interrupted, and a character may take four bytes, twice


_Sliced = TypeVar("_Sliced", str, bytes)


class EngineFunction(NamedTuple):
    """One function. `arity` -1: any number of arguments. `is_deterministic`: but for the ids of rows, all are.

    `has_place`: the engine gives it one argument more, the number of its place in the plan (`Plan.places`). The
    function itself does not see it: who registers it keeps it beside a fault.
    """

    name: str
    arity: int
    function: Callable[..., Any]
    has_place: bool = False
    is_deterministic: bool = True

    @property
    def taken(self) -> int:
        """How many arguments the engine gives it."""
        return self.arity if self.arity < 0 else self.arity + self.has_place


def _mismatch(message: str) -> SqlFault:
    return SqlFault(ErrorCode.TYPE_MISMATCH, message)


# --- numbers ----------------------------------------------------------------------------------------------


def _in_range(type_: SqlType) -> Callable[[int | float], int]:
    """The integer if it is in the type's range: where SQLite overflows it goes over to REAL."""
    low, high = INTEGER_RANGES[type_]
    message = f"A number is out of range for {type_.title}."

    def check(value: int | float) -> int:
        if isinstance(value, int) and low <= value <= high:
            return value
        raise _mismatch(message)

    return check


_bigint = _in_range(SqlType.BIGINT)


def _divide(left: int, right: int) -> int:
    """Towards zero."""
    if right == 0:
        raise _mismatch("Division by zero.")
    quotient = abs(left) // abs(right)
    return _bigint(quotient if (left < 0) == (right < 0) else -quotient)


def _modulo(left: int, right: int) -> int:
    """With the sign of the dividend."""
    if right == 0:
        raise _mismatch("Division by zero.")
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def _finite(value: float) -> float:
    """The double if it is one: PostgreSQL's overflow is an error."""
    if math.isinf(value) or math.isnan(value):
        raise _mismatch("A number is out of range for double precision.")
    return value + 0.0


def _multiply(left: float, right: float) -> float:
    result = _finite(left * right)
    if result == 0 and left != 0 and right != 0:
        raise _mismatch("A number is too small for double precision.")
    return result


def _divide_double(left: float, right: float) -> float:
    if right == 0:
        raise _mismatch("Division by zero.")
    result = _finite(left / right)
    if result == 0 and left != 0:
        raise _mismatch("A number is too small for double precision.")
    return result


def _rounded(rounding: Callable[[float], int]) -> Callable[[float], float]:
    """A whole double. From 2**53 on every double is whole."""
    return lambda value: float(rounding(value)) + 0.0 if abs(value) < 2.0**53 else value


def _double_to_integer(value: float) -> int:
    """Rounded, half to even."""
    if abs(value) > 2.0**63:
        raise _mismatch("A number is out of range for an integer.")
    return _bigint(round(value))


# --- text -------------------------------------------------------------------------------------------------


def _lower(text: str) -> str:
    """Letter by letter, as PostgreSQL: none becomes two, and none looks at its neighbours."""
    if text.isascii():
        return text.lower()
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)


def _upper(text: str) -> str:
    if text.isascii():
        return text.upper()
    if len(whole := text.upper()) == len(text):  # no letter became several; upper looks at no letter's neighbours
        return whole
    return "".join(high if len(high := letter.upper()) == 1 else letter for letter in text)


def check_pattern(pattern: str) -> str:
    """A pattern of LIKE that the engine takes.

    Raises:
        SqlFault: LIMIT_EXCEEDED, TYPE_MISMATCH.
    """
    check_needle(pattern)
    if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
        raise _mismatch("A LIKE pattern ends with its escape character: a backslash is written twice.")
    return pattern


def check_needle(text: str) -> str:
    """A text that may be searched for."""
    if len(text) > MAX_PATTERN_BYTES or len(text.encode()) > MAX_PATTERN_BYTES:
        message = f"What is searched for has more than {MAX_PATTERN_BYTES} bytes (pattern_bytes)."
        raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message)
    return text


def is_short_needle(text: str) -> bool:
    """Whether it may be searched for in a text of any length that a value can have."""
    return len(text.encode()) <= _SHORT_NEEDLE_BYTES


def _searchable(text: str) -> str:
    """A text that may be searched for anything; the engine compares pair by pair and cannot be interrupted."""
    if len(text) > _MAX_SEARCHED:
        message = (
            f"A text of more than {_MAX_SEARCHED} characters is searched for a constant pattern of at most "
            f"{_SHORT_NEEDLE_BYTES} bytes only (pattern_bytes)."
        )
        raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message)
    return text


def _substring(text: _Sliced, start: int, length: int | None = None) -> _Sliced:
    """From the character or byte `start`, where 1 is the first; what is before the first counts too."""
    if length is None:
        return text[max(start - 1, 0) :]
    if length < 0:
        raise _mismatch("A negative length of a substring.")
    return text[max(start - 1, 0) : max(start - 1 + length, 0)]


def _replace(text: str, old: str, new: str) -> str:
    """Every `old`; nothing where it is empty. SQLite's own gives the text back for a NULL `new` then."""
    check_needle(old)
    if not old:
        return text
    _check_made("replace", len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


def _concat(*texts: str | None) -> str:
    """One after the other; NULL is nothing."""
    present = [text for text in texts if text]
    _check_made("concat", sum(map(len, present)))
    return "".join(present)


def _check_made(name: str, size: int) -> None:
    """Whether so many characters may be made."""
    if size > _MAX_MADE:
        raise SqlFault(ErrorCode.LIMIT_EXCEEDED, f"{name} makes more than {_MAX_MADE} characters (value_bytes).")


def _left(text: str, count: int) -> str:
    """The first characters; with a negative count all but the last."""
    return text[:count]


def _right(text: str, count: int) -> str:
    """The last characters; with a negative count all but the first."""
    if count == INTEGER_RANGES[SqlType.INT][0]:  # without a counterpart: PostgreSQL leaves nothing out
        return text
    return text[-count:] if count else ""


# --- days and instants ------------------------------------------------------------------------------------


def _check_date(days: int) -> int:
    if not MIN_DATE <= days <= MAX_DATE:
        raise _mismatch("A date is out of range: years 1 to 9999.")
    return days


def _day_of(timestamp: int) -> int:
    return timestamp // DAY_US


# --- the rest ---------------------------------------------------------------------------------------------


def _extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    """The largest or smallest argument that is not NULL. Texts compare as their UTF-8 bytes do."""

    def function(*values: Any) -> Any:
        present = [value for value in values if value is not None]
        return choose(present) if present else None

    return function


def _reader(type_: SqlType) -> Callable[[str], Any]:
    """Text to the type, as in a cast."""
    message = f"A text is no valid input for {type_.title}."

    def read(text: str) -> Any:
        try:
            return read_literal(text, type_)
        except ValueError:
            raise _mismatch(message) from None

    return read


def row_limit(missing: int, value: int | None) -> int:
    """The value of LIMIT or OFFSET; `missing` where it is NULL.

    Raises:
        SqlFault: TYPE_MISMATCH, when it is negative.
    """
    if value is None:
        return missing
    if value < 0:
        raise _mismatch("LIMIT and OFFSET must not be negative.")
    return value


def _fail_single(_count: int) -> None:
    raise _mismatch("A query that is a value gave more than one row.")


def _fail_twice(_count: int) -> None:
    message = "Two of the new rows have the same key: ON CONFLICT DO UPDATE cannot write one row twice."
    raise _mismatch(message)


class _Mean:
    """The double nearest to the mean of integers; NULL of none. Their sum may have any size on the way."""

    __slots__ = ("_count", "_sum")

    def __init__(self) -> None:
        self._count = self._sum = 0

    def step(self, value: int | None) -> None:
        """The next row's."""
        if value is not None:
            self._count += 1
            self._sum += value

    def inverse(self, value: int | None) -> None:
        """A row that leaves the frame."""
        if value is not None:
            self._count -= 1
            self._sum -= value

    def value(self) -> float | None:
        """As of now."""
        return self.finalize()

    def finalize(self) -> float | None:
        """Of all rows; Python rounds the quotient of two integers once, whatever their size."""
        return self._sum / self._count if self._count else None


class _WindowSum:
    """The sum of the doubles in a frame, added up in their order; NULL of none.

    Nothing is subtracted from a sum: what leaves the frame makes it be added up anew.
    """

    __slots__ = ("_sum", "_values")

    def __init__(self) -> None:
        self._values: deque[float] = deque()
        self._sum: float | None = 0.0

    def step(self, value: float | None) -> None:
        """The next row's."""
        if value is not None:
            self._values.append(value)
            if self._sum is not None:
                self._sum += value

    def inverse(self, value: float | None) -> None:
        """The first row's, which leaves."""
        if value is not None:
            self._values.popleft()
            self._sum = None

    def value(self) -> float | None:
        """As of now. What is infinite is refused by the function around it."""
        if self._sum is None:
            self._sum = reduce(add, self._values, 0.0)
        return self._sum if self._values else None

    def finalize(self) -> float | None:
        """Of the last frame."""
        return self.value()


class _WindowMean(_WindowSum):
    """The mean of the doubles in a frame."""

    __slots__ = ()

    def value(self) -> float | None:
        """As of now."""
        total = super().value()
        return None if total is None else total / len(self._values)


def _strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """NULL in, NULL out."""

    def strict(*values: Any) -> Any:
        return None if None in values else function(*values)

    return strict


_Rows = tuple[tuple[str, int, Callable[..., Any]], ...]

_FAILING: Final[_Rows] = (
    ("ww_int2", 1, _in_range(SqlType.SMALLINT)),
    ("ww_int4", 1, _in_range(SqlType.INT)),
    ("ww_int8", 1, _bigint),
    ("ww_abs", 1, lambda value: _bigint(abs(value))),
    ("ww_divide", 2, _divide),
    ("ww_modulo", 2, _modulo),
    ("ww_finite", 1, _finite),
    ("ww_multiply", 2, _multiply),
    ("ww_divide_double", 2, _divide_double),
    ("ww_double_integer", 1, _double_to_integer),
    ("ww_pattern", 1, check_pattern),
    ("ww_needle", 1, check_needle),
    ("ww_searchable", 1, _searchable),
    ("ww_searchable_lower", 1, lambda text: _searchable(_lower(text))),
    ("ww_replace", 3, _replace),
    ("ww_substring", 3, _substring),
    ("ww_date", 1, _check_date),
    ("ww_single", 1, _fail_single),
    ("ww_twice", 1, _fail_twice),
    *(
        (f"ww_read_{word}", 1, _reader(type_))
        for word, type_ in (
            ("boolean", SqlType.BOOLEAN),
            ("int2", SqlType.SMALLINT),
            ("int4", SqlType.INT),
            ("int8", SqlType.BIGINT),
            ("double", SqlType.DOUBLE),
            ("json", SqlType.JSON),
            ("timestamp", SqlType.TIMESTAMP),
            ("date", SqlType.DATE),
            ("uuid", SqlType.UUID),
            ("bytes", SqlType.BYTES),
        )
    ),
)
_SURE: Final[_Rows] = (
    ("ww_round", 1, _rounded(round)),
    ("ww_floor", 1, _rounded(math.floor)),
    ("ww_ceil", 1, _rounded(math.ceil)),
    ("ww_trunc", 1, _rounded(math.trunc)),
    ("ww_lower", 1, _lower),
    ("ww_upper", 1, _upper),
    ("ww_substring", 2, _substring),
    ("ww_left", 2, _left),
    ("ww_right", 2, _right),
    ("ww_reverse", 1, lambda text: text[::-1]),
    ("ww_day_of", 1, _day_of),
    ("ww_double_text", 1, double_text),
    ("ww_timestamp_text", 1, timestamp_text),
    ("ww_date_text", 1, date_text),
    ("ww_bytes_text", 1, lambda value: "\\x" + value.hex()),
    ("ww_join_bytes", 2, lambda left, right: left + right),
)

ENGINE_FUNCTIONS: Final = (
    *(EngineFunction(name, arity, _strict(function), has_place=True) for name, arity, function in _FAILING),
    *(EngineFunction(name, arity, _strict(function)) for name, arity, function in _SURE),
    EngineFunction("ww_limit", 1, partial(row_limit, -1), has_place=True),
    EngineFunction("ww_offset", 1, partial(row_limit, 0), has_place=True),
    EngineFunction("ww_concat", -1, _concat, has_place=True),
    EngineFunction("ww_greatest", -1, _extreme(max)),
    EngineFunction("ww_least", -1, _extreme(min)),
)
"""All of them. A name with two arities stands twice."""

ENGINE_AGGREGATES: Final[tuple[tuple[str, Callable[[], Any]], ...]] = (
    ("ww_mean", _Mean),
    ("ww_window_sum", _WindowSum),
    ("ww_window_mean", _WindowMean),
)
"""Names, and classes as Python's sqlite3 takes them for windows. All are of one argument, and none fails."""
