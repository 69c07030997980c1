"""Values on their way in and out: what a request's parameters are in stored form, and stored values on the wire.

Source: docs/reference/protocol.md, section 1. Integers beyond 2**53 - 1 travel as decimal strings (RFC 7493 2.2), BYTES
as base64 (RFC 4648 4), TIMESTAMP as RFC 3339 in UTC with microseconds, JSON as itself.
"""

import base64
import binascii
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import orjson

from watchword_protocol.errors import ErrorCode
from watchword_protocol.messages import Parameter
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.literals import INTEGER_RANGES, date_text, read_literal
from watchword_server.sql.plan import Bind, BindKind, Plan, StoredValue
from watchword_server.sql.types import INTEGERS, SqlType

__all__ = ["MAX_SAFE_INTEGER", "WIRE_FORMS", "bind_values"]

MAX_SAFE_INTEGER: Final = 2**53 - 1
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  # UTC by definition; with a zone it would be said twice
_T = SqlType
_scalar: Final = msgspec.json.Decoder(str | int | float | bool | None).decode
_MIN_BIGINT, _MAX_BIGINT = INTEGER_RANGES[_T.BIGINT]


def bind_values(
    plan: Plan, parameters: Sequence[Parameter], *, user_id: str, user_name: str, now_us: int
) -> list[StoredValue]:
    """What the engine binds, in the order of the plan's binds.

    Args:
        plan: From the planner.
        parameters: The request's; at least as many as the plan takes.
        user_id: Whose rows the statement sees.
        user_name: What CURRENT_USER is.
        now_us: Microseconds since 1970 of the request.

    Raises:
        SqlFault: INVALID_PARAMS, naming the parameter. LIMIT_EXCEEDED: JSON of too many objects and arrays.
    """
    if len(parameters) < plan.parameters:
        message = f"The statement has {plan.parameters} parameters, and {len(parameters)} are given."
        raise SqlFault(ErrorCode.INVALID_PARAMS, message)

    def parameter(bind: Bind) -> StoredValue:
        try:
            return _read_parameter(parameters[bind.number - 1], bind.type)
        except (ValueError, OverflowError, msgspec.MsgspecError):
            message = f"${bind.number} is {bind.type.title}: {_FORMS[bind.type]}."
            raise SqlFault(ErrorCode.INVALID_PARAMS, message) from None

    fixed: Mapping[BindKind, StoredValue] = {
        BindKind.USER: user_id,
        BindKind.NAME: user_name,
        BindKind.NOW: now_us,
    }
    return [
        parameter(bind)
        if bind.kind is BindKind.PARAMETER
        else bind.value
        if bind.kind is BindKind.CONSTANT
        else fixed[bind.kind]
        for bind in plan.binds
    ]


# --- in ---------------------------------------------------------------------------------------------------


def _read_parameter(parameter: Parameter, type_: SqlType) -> StoredValue:
    if type_ is SqlType.JSON:
        text = bytes(parameter).decode()
        return None if text == "null" else read_literal(text, type_)
    value = _scalar(parameter)
    if value is None:
        return None
    if isinstance(value, int) and not _MIN_BIGINT <= value <= _MAX_BIGINT:
        raise ValueError("beyond 64 bits")
    return _PARAMETERS[type_](value)


def _boolean(value: Any) -> int:
    if isinstance(value, bool):
        return int(value)
    raise ValueError("no boolean")


def _integer(type_: SqlType) -> Callable[[Any], int]:
    low, high = INTEGER_RANGES[type_]

    def convert(value: Any) -> int:
        if isinstance(value, str):
            value = read_literal(value, type_)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise ValueError("no integer in range")

    return convert


def _double(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value)
        if math.isfinite(number):
            return number + 0.0
    raise ValueError("no finite number")


def _text(value: Any) -> str:
    if isinstance(value, str) and "\0" not in value:
        value.encode()
        return value
    raise ValueError("no text")


def _read(type_: SqlType) -> Callable[[Any], StoredValue]:
    return lambda value: read_literal(_text(value), type_)


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(_text(value), validate=True)
    except binascii.Error:
        raise ValueError("no base64") from None


_PARAMETERS: Final[dict[SqlType, Callable[[Any], StoredValue]]] = {
    _T.BOOLEAN: _boolean,
    **{type_: _integer(type_) for type_ in INTEGERS},
    _T.DOUBLE: _double,
    _T.TEXT: _text,
    _T.TIMESTAMP: _read(_T.TIMESTAMP),
    _T.DATE: _read(_T.DATE),
    _T.UUID: _read(_T.UUID),
    _T.BYTES: _bytes,
}
_FORMS: Final = {
    _T.BOOLEAN: "send true or false",
    **{
        type_: f"send an integer from {low} to {high}, as a number or as decimal digits in a string"
        for type_, (low, high) in INTEGER_RANGES.items()
    },
    _T.DOUBLE: "send a finite number, an integer of 64 bits at most",
    _T.TEXT: "send a string without NUL and half characters",
    _T.JSON: "send a JSON value whose numbers are doubles or integers",
    _T.TIMESTAMP: "send a string like 2026-11-24T08:00:00.123456Z, of the years 1 to 9999",
    _T.DATE: "send a string like 2026-11-24, of the years 1 to 9999",
    _T.UUID: "send a string like 123e4567-e89b-42d3-a456-426614174000",
    _T.BYTES: "send a string in base64",
}


# --- out --------------------------------------------------------------------------------------------------


def _wire_bigint(value: int) -> int | str:
    return value if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER else str(value)


def _wire_timestamp(value: int) -> str:
    return (_EPOCH + timedelta(microseconds=value)).isoformat(timespec="microseconds") + "Z"


def _wire_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode()


WIRE_FORMS: Final[dict[SqlType, Callable[[Any], Any]]] = {
    _T.BOOLEAN: bool,
    _T.BIGINT: _wire_bigint,
    _T.TIMESTAMP: _wire_timestamp,
    _T.DATE: date_text,
    _T.BYTES: _wire_bytes,
    _T.JSON: orjson.Fragment,
}
"""Stored value, never NULL, to what orjson encodes. A type that is not here travels as it is stored."""
