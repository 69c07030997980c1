"""Text to stored values by PostgreSQL's input syntax of each type, and back by its output syntax.

Source: PostgreSQL, chapter 8 "Data Types". Where it takes more than one form of a date or a time, only ISO 8601's is
taken here; `infinity`, `NaN`, years before 1 and after 9999, `24:00` and second 60 are refused.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import orjson

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.plan import StoredValue
from watchword_server.sql.types import SqlType

__all__ = [
    "DAY_US",
    "INTEGER_RANGES",
    "MAX_DATE",
    "MAX_TIMESTAMP",
    "MIN_DATE",
    "MIN_TIMESTAMP",
    "date_text",
    "double_text",
    "read_decimal",
    "read_literal",
    "timestamp_text",
]

DAY_US: Final = 86_400_000_000
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
MIN_DATE: Final = date.min.toordinal() - _EPOCH_DAY
MAX_DATE: Final = date.max.toordinal() - _EPOCH_DAY
"""Days since 1970 of the years 1 to 9999."""
MIN_TIMESTAMP: Final = MIN_DATE * DAY_US
MAX_TIMESTAMP: Final = (MAX_DATE + 1) * DAY_US - 1
INTEGER_RANGES: Final = {
    SqlType.SMALLINT: (-(2**15), 2**15 - 1),
    SqlType.INT: (-(2**31), 2**31 - 1),
    SqlType.BIGINT: (-(2**63), 2**63 - 1),
}

_SPACES: Final = " \t\n\r\f\v"  # C's isspace
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_DOUBLE: Final = re.compile(r"[+-]?(?P<digits>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DATE: Final = r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"
_ONLY_DATE: Final = re.compile(_DATE)
_TIMESTAMP: Final = re.compile(
    _DATE + r"(?:[ T](?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,6}))?)?"
    r"(?: ?(?P<zone>[zZ]|(?P<sign>[+-])(?P<hours>[0-9]{2})(?::?(?P<minutes>[0-9]{2}))?))?)?"
)
_UUID: Final = re.compile(r"(?:[0-9a-f]{4}-?){7}[0-9a-f]{4}")
_BYTE_ESCAPE: Final = re.compile(rb"\\(?:(\\)|([0-3][0-7]{2})|)", re.DOTALL)
_WORDS: Final = {"true": 1, "yes": 1, "on": 1, "1": 1, "false": 0, "no": 0, "off": 0, "0": 0}
_MAX_CONTAINERS: Final = 65_536
_MAX_LEVELS: Final = 500  # twice as many are more than clients can read, in whose hands it would lie
"""Objects and arrays of a JSON value. A megabyte of empty ones takes as long as ten of anything else, in one go."""
_MAX_OFFSET_HOURS: Final = 15


def _boolean(text: str) -> int:
    """Any beginning of a word that no other word shares."""
    word = text.strip(_SPACES).lower()
    found = {value for each, value in _WORDS.items() if word and each.startswith(word)}
    if len(found) != 1:
        raise ValueError("no boolean")
    return found.pop()


def _integer(type_: SqlType) -> Callable[[str], int]:
    low, high = INTEGER_RANGES[type_]

    def read(text: str) -> int:
        text = text.strip(_SPACES)
        if not _INTEGER.fullmatch(text):
            raise ValueError("no integer")
        digits = text.lstrip("+-").lstrip("0")
        if len(digits) > 19:
            raise ValueError("out of range")
        value = int(digits or "0") * (-1 if text[0] == "-" else 1)
        if not low <= value <= high:
            raise ValueError("out of range")
        return value

    return read


def read_decimal(text: str) -> float:
    """The double that digits with a point or an exponent stand for.

    Raises:
        ValueError: They are something else, or beyond the range at either end.
    """
    text = text.strip(_SPACES)
    found = _DOUBLE.fullmatch(text)
    if found is None:
        raise ValueError("no number")
    value = float(text)
    if value in (float("inf"), float("-inf")) or (value == 0 and found["digits"].strip("0.")):
        raise ValueError("out of range")
    return value + 0.0  # there is no negative zero here: the engine does not keep it


def _text(text: str) -> str:
    if "\0" in text:
        raise ValueError("NUL")
    return text


def _json(text: str) -> str:
    containers = text.count("{") + text.count("[")  # those in strings count too: it is a bound
    if containers > _MAX_CONTAINERS:
        message = f"A JSON value has more than {_MAX_CONTAINERS} objects and arrays (json_containers)."
        raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message)
    value = orjson.loads(text)
    if containers > _MAX_LEVELS and _is_deep(value):
        message = f"A JSON value has more than {_MAX_LEVELS} levels (json_levels)."
        raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message)
    return text


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_MAX_LEVELS):
        below: list[Any] = []
        for each in level:
            below += each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
        level = [each for each in below if isinstance(each, (dict, list))]
        if not level:
            return False
    return True


def _days(found: re.Match[str]) -> int:
    return date(int(found["year"]), int(found["month"]), int(found["day"])).toordinal() - _EPOCH_DAY


def _date(text: str) -> int:
    found = _ONLY_DATE.fullmatch(text.strip(_SPACES))
    if found is None:
        raise ValueError("no date")
    return _days(found)


def _timestamp(text: str) -> int:
    found = _TIMESTAMP.fullmatch(text.strip(_SPACES))
    if found is None:
        raise ValueError("no timestamp")
    hour, minute, second = int(found["hour"] or 0), int(found["minute"] or 0), int(found["second"] or 0)
    hours, minutes = int(found["hours"] or 0), int(found["minutes"] or 0)
    if hour > 23 or minute > 59 or second > 59 or hours > _MAX_OFFSET_HOURS or minutes > 59:
        raise ValueError("out of range")
    offset_s = (hours * 3600 + minutes * 60) * (-1 if found["sign"] == "-" else 1)
    seconds = hour * 3600 + minute * 60 + second - offset_s
    value = _days(found) * DAY_US + seconds * 1_000_000 + int((found["fraction"] or "0").ljust(6, "0"))
    if not MIN_TIMESTAMP <= value <= MAX_TIMESTAMP:
        raise ValueError("out of range")
    return value


def _uuid(text: str) -> str:
    word = text.lower()
    if word[:1] == "{" and word[-1:] == "}":
        word = word[1:-1]
    if not _UUID.fullmatch(word):
        raise ValueError("no uuid")
    digits = word.replace("-", "")
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _bytes(text: str) -> bytes:
    if text[:2] == "\\x":
        if "\f" in text or "\v" in text:  # the spaces that only Python skips
            raise ValueError("no hexadecimal digits")
        return bytes.fromhex(text[2:])
    return _BYTE_ESCAPE.sub(_byte, text.encode())


def _byte(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return b"\\"
    if found[2]:
        return bytes([int(found[2], 8)])
    raise ValueError("no escape")


_READERS: Final[dict[SqlType, Callable[[str], StoredValue]]] = {
    SqlType.BOOLEAN: _boolean,
    SqlType.SMALLINT: _integer(SqlType.SMALLINT),
    SqlType.INT: _integer(SqlType.INT),
    SqlType.BIGINT: _integer(SqlType.BIGINT),
    SqlType.DOUBLE: read_decimal,
    SqlType.TEXT: _text,
    SqlType.JSON: _json,
    SqlType.TIMESTAMP: _timestamp,
    SqlType.DATE: _date,
    SqlType.UUID: _uuid,
    SqlType.BYTES: _bytes,
}


def read_literal(text: str, type_: SqlType) -> StoredValue:
    """The stored value that a text stands for.

    Raises:
        ValueError: It is none of the type. The message does not repeat the text.
        SqlFault: LIMIT_EXCEEDED: JSON of too many objects and arrays.
    """
    return _READERS[type_](text)


def double_text(value: float) -> str:
    """PostgreSQL's shortest text of a double that reads back as the same: `1`, `0.5`, `1e+15`, `1e-05`."""
    mantissa, _, exponent = f"{value!r}".partition("e")
    sign = "-" if mantissa[0] == "-" else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))  # digits before the point
    digits = digits.rstrip("0")
    if not digits:
        return f"{sign}0"
    if not -4 < point <= 15:
        rest = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{rest}e{point - 1:+03d}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if len(digits) <= point:
        return sign + digits.ljust(point, "0")
    return f"{sign}{digits[:point]}.{digits[point:]}"


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def timestamp_text(value: int) -> str:
    """PostgreSQL's text of an instant in UTC: `2026-11-24 08:00:00.5+00`."""
    moment = _EPOCH + timedelta(microseconds=value)
    text = moment.strftime("%H:%M:%S") if not moment.microsecond else moment.strftime("%H:%M:%S.%f").rstrip("0")
    return f"{date_text(value // DAY_US)} {text}+00"


def date_text(value: int) -> str:
    """`YYYY-MM-DD`."""
    return date.fromordinal(value + _EPOCH_DAY).isoformat()
