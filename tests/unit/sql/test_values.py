"""Parameters on their way in, results on their way out."""

from typing import Any

import orjson
import pytest
from msgspec import Raw

from support.engine import NOW_US
from support.parameters import parameters
from watchword_protocol.errors import ErrorCode
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.literals import MAX_TIMESTAMP, MIN_TIMESTAMP
from watchword_server.sql.plan import Bind, BindKind, Permissions, Plan
from watchword_server.sql.types import SqlType
from watchword_server.sql.values import WIRE_FORMS, bind_values

_T = SqlType
_NUMBERED = [type_ for type_ in _T if type_ not in (_T.UNKNOWN, _T.JSON)]


def bound(type_: SqlType, value: Any) -> Any:
    """The stored value of one parameter."""
    plan = Plan("", (Bind(BindKind.PARAMETER, 1, type_),), (), Permissions(), frozenset(), 1, is_write=False)
    [found] = bind_values(plan, parameters(value), user_id="u_1", user_name="Ada", now_us=NOW_US)
    return found


@pytest.mark.parametrize(
    ("type_", "value", "stored"),
    [
        (_T.BOOLEAN, True, 1),
        (_T.BOOLEAN, False, 0),
        (_T.SMALLINT, -32768, -32768),
        (_T.INT, "2147483647", 2147483647),
        (_T.BIGINT, "-9223372036854775808", -(2**63)),
        (_T.BIGINT, 2**63 - 1, 2**63 - 1),
        (_T.DOUBLE, 1, 1.0),
        (_T.DOUBLE, 5e-324, 5e-324),
        (_T.TEXT, "ä😀", "ä😀"),
        (_T.TEXT, "", ""),
        (_T.JSON, {"a": [1, None, "ä"]}, '{"a":[1,null,"ä"]}'),
        (_T.JSON, "text", '"text"'),
        (_T.JSON, [12345678901234567890123], "[12345678901234567890123]"),
        (_T.JSON, -(2**63), "-9223372036854775808"),
        (_T.DOUBLE, -(2**63), -(2.0**63)),
        (_T.TIMESTAMP, "1970-01-01T00:00:00.000001Z", 1),
        (_T.TIMESTAMP, "1970-01-01T02:00:00+02:00", 0),
        (_T.DATE, "1970-01-02", 1),
        (_T.UUID, "AAAAAAAA-0000-0000-0000-000000000001", "aaaaaaaa-0000-0000-0000-000000000001"),
        (_T.BYTES, "AP8=", b"\x00\xff"),
        *((type_, None, None) for type_ in _T if type_ is not _T.UNKNOWN),
    ],
)
def test_a_parameter_becomes_its_stored_form(type_: SqlType, value: Any, stored: Any) -> None:
    assert repr(bound(type_, value)) == repr(stored)


@pytest.mark.parametrize(
    "text",
    [
        *("1e-400", "1.10", "0.1000000000000000055511151231257827", "-0", "1e2", "12345678901234567890", "1E+2"),
        *('{"a":1,"a":2}', '{"b" : 1,\n"a":[ ]}', '"\\u00e4\\/"', '[null, "null"]', '"null"', "true"),
    ],
)
def test_json_is_kept_as_it_came(text: str) -> None:
    assert bound(_T.JSON, Raw(text.encode())) == text


@pytest.mark.parametrize("text", ["1e400", "-1e999", '[1,{"a":1e400}]', "[" * 1025 + "]" * 1025])
def test_json_that_nobody_could_read_is_refused(text: str) -> None:
    with pytest.raises(
        SqlFault, match=r"\$1 is json: send a JSON value whose numbers are doubles or integers"
    ) as caught:
        bound(_T.JSON, Raw(text.encode()))
    assert caught.value.code is ErrorCode.INVALID_PARAMS


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (_T.BOOLEAN, 1),
        (_T.BOOLEAN, "true"),
        (_T.SMALLINT, 32768),
        (_T.INT, True),
        (_T.INT, 1.0),
        (_T.INT, "1.0"),
        (_T.INT, [1]),
        (_T.BIGINT, "9223372036854775808"),
        (_T.DOUBLE, True),
        (_T.DOUBLE, "1"),
        *((type_, value) for type_ in _NUMBERED for value in (2**63, -(2**63) - 1, 10**400)),
        (_T.TEXT, 5),
        (_T.TEXT, "a\0b"),
        (_T.TIMESTAMP, "2020-02-30T00:00:00Z"),
        (_T.TIMESTAMP, 5),
        (_T.DATE, "10000-01-01"),
        (_T.UUID, "x"),
        (_T.BYTES, "AP8"),
        (_T.BYTES, "A P8="),
        (_T.BYTES, [1]),
    ],
)
def test_a_parameter_of_another_form_is_refused_by_its_number(type_: SqlType, value: Any) -> None:
    with pytest.raises(SqlFault) as caught:
        bound(type_, value)
    assert caught.value.code is ErrorCode.INVALID_PARAMS
    assert caught.value.message.startswith(f"$1 is {type_.title}: send ")


def test_a_deep_json_parameter_is_refused() -> None:
    with pytest.raises(SqlFault, match="INVALID_PARAMS"):
        bound(_T.JSON, Raw(b"[" * 50_000 + b"]" * 50_000))


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_json_has_at_most_500_levels(opening: str, closing: str) -> None:
    """Or there are clients that could not read it."""
    text = f"{opening * 499}[]{closing * 499}"
    assert bound(_T.JSON, Raw(text.encode())) == text
    with pytest.raises(SqlFault, match=r"LIMIT_EXCEEDED: .*\(json_levels\)"):
        bound(_T.JSON, Raw(f"[{text}]".encode()))
    flat = "[" + ",".join(["[]"] * 2_000) + "]"
    assert bound(_T.JSON, Raw(flat.encode())) == flat


def test_a_json_parameter_of_very_many_arrays_is_refused() -> None:
    with pytest.raises(SqlFault, match="LIMIT_EXCEEDED"):
        bound(_T.JSON, [[]] * 70_000)


def test_too_few_parameters_are_refused() -> None:
    plan = Plan("", (Bind(BindKind.PARAMETER, 3, _T.INT),), (), Permissions(), frozenset(), 3, is_write=False)
    with pytest.raises(SqlFault, match="INVALID_PARAMS: The statement has 3 parameters, and 2 are given"):
        bind_values(plan, parameters(1, 2), user_id="u", user_name="n", now_us=0)


def test_what_is_not_a_parameter_comes_from_the_context() -> None:
    binds = (
        Bind(BindKind.NOW, type=_T.TIMESTAMP),
        Bind(BindKind.USER),
        Bind(BindKind.CONSTANT, type=_T.DOUBLE, value=0.1),
        Bind(BindKind.NAME),
    )
    plan = Plan("", binds, (), Permissions(), frozenset(), 0, is_write=False)
    assert bind_values(plan, [], user_id="u_1", user_name="Ada", now_us=7) == [7, "u_1", 0.1, "Ada"]


@pytest.mark.parametrize(
    ("type_", "stored", "wire"),
    [
        (_T.BOOLEAN, 1, b"true"),
        (_T.INT, 5, b"5"),
        (_T.BIGINT, 2**53 - 1, b"9007199254740991"),
        (_T.BIGINT, 2**53, b'"9007199254740992"'),
        (_T.BIGINT, -(2**53 - 1), b"-9007199254740991"),
        (_T.BIGINT, -(2**63), b'"-9223372036854775808"'),
        (_T.DOUBLE, 0.1, b"0.1"),
        (_T.TEXT, "ä", '"ä"'.encode()),
        (_T.JSON, '{"a": 12345678901234567890123}', b'{"a": 12345678901234567890123}'),
        (_T.TIMESTAMP, 0, b'"1970-01-01T00:00:00.000000Z"'),
        (_T.TIMESTAMP, -1, b'"1969-12-31T23:59:59.999999Z"'),
        (_T.TIMESTAMP, 1_500_000, b'"1970-01-01T00:00:01.500000Z"'),
        (_T.TIMESTAMP, MIN_TIMESTAMP, b'"0001-01-01T00:00:00.000000Z"'),
        (_T.TIMESTAMP, MAX_TIMESTAMP, b'"9999-12-31T23:59:59.999999Z"'),
        (_T.DATE, -719162, b'"0001-01-01"'),
        (_T.UUID, "aaaaaaaa-0000-0000-0000-000000000001", b'"aaaaaaaa-0000-0000-0000-000000000001"'),
        (_T.BYTES, b"\x00\xff", b'"AP8="'),
    ],
)
def test_a_stored_value_travels_in_its_wire_form(type_: SqlType, stored: Any, wire: bytes) -> None:
    form = WIRE_FORMS.get(type_)
    assert orjson.dumps(stored if form is None else form(stored)) == wire
