"""Python values to parameters, and what travels back to Python values. Source: docs/reference/protocol.md, "Values"."""

import base64
import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from watchword_protocol.codec import encode
from watchword_protocol.messages import Parameter

__all__ = ["Value", "to_parameters", "to_value_functions"]

Value: TypeAlias = Any
"""None, bool, int, float, str, bytes, datetime (aware), date, UUID; dict and list are JSON."""


def to_parameters(values: Sequence[Value]) -> list[Parameter]:
    """What is sent for the values of `$1`, `$2`, ...

    Raises:
        TypeError, ValueError: One cannot be sent; the sentence names it.
    """
    return [_encoded(value, f"${number}") for number, value in enumerate(values, 1)]


def _encoded(value: Value, name: str) -> Parameter:
    try:
        return Parameter(encode(_to_parameter(value, name)))
    except RecursionError:
        raise ValueError(f"{name} is nested too deeply") from None
    except UnicodeEncodeError:
        raise ValueError(f"{name} has a text with half a character (a lone surrogate)") from None


def _to_parameter(value: Value, name: str) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            if not math.isfinite(value):
                raise ValueError(f"{name} is {value}: a number must be finite")
            return value
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(value).decode()
        case datetime():
            if value.utcoffset() is None:
                raise ValueError(f"{name} is a datetime without a time zone: give it one, such as datetime.UTC")
            try:
                return value.astimezone(UTC).isoformat()
            except OverflowError:
                raise ValueError(f"{name} is {value}, which in UTC is outside the years 1 to 9999") from None
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case dict():
            return {key: _to_member(member, name) for key, member in value.items()}
        case list() | tuple():
            return [_to_member(member, name) for member in value]
    raise TypeError(f"{name} is of type {type(value).__name__}, which cannot be a parameter")


def _to_member(value: Any, name: str) -> Any:
    """What stands inside JSON, where there are JSON's own types only."""
    match value:
        case None | bool() | int() | str() | float() | dict() | list() | tuple():
            return _to_parameter(value, name)
    raise TypeError(f"{name} holds a {type(value).__name__}, which is not JSON")


def _unchanged(value: Any) -> Any:
    return value


_FROM_WIRE: Final[dict[str, Callable[[Any], Value]]] = {
    "BigInt": int,
    "Timestamp": datetime.fromisoformat,
    "Date": date.fromisoformat,
    "Uuid": UUID,
    "Bytes": base64.b64decode,
    "Double": float,
}


def to_value_functions(data_types: Sequence[str]) -> list[Callable[[Any], Value]]:
    """For each column, what makes a Python value of one that is not null; a type not known here stays as it came."""
    return [_FROM_WIRE.get(data_type, _unchanged) for data_type in data_types]
