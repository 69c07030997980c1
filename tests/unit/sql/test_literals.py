"""Text to stored values and back, by PostgreSQL's syntax."""

from typing import Any

import pytest

from watchword_server.sql.fault import SqlFault
from watchword_server.sql.literals import (
    MAX_TIMESTAMP,
    MIN_TIMESTAMP,
    date_text,
    double_text,
    read_literal,
    timestamp_text,
)
from watchword_server.sql.types import SqlType

_T = SqlType


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        *((_T.BOOLEAN, text, 1) for text in ("t", "TRUE", "y", "yes", "on", "1", " tr ")),
        *((_T.BOOLEAN, text, 0) for text in ("f", "False", "n", "no", "of", "off", "0")),
        (_T.SMALLINT, " -32768\n", -32768),
        (_T.BIGINT, "+0009223372036854775807", 2**63 - 1),
        (_T.DOUBLE, "1.", 1.0),
        (_T.DOUBLE, "-.5e1", -5.0),
        (_T.DOUBLE, "-0", 0.0),
        (_T.DOUBLE, "5e-324", 5e-324),
        (_T.DATE, " 2020-2-29 ", 18321),
        (_T.TIMESTAMP, "1970-01-01", 0),
        (_T.TIMESTAMP, "1970-1-1 0:00:00.5", 500_000),
        (_T.TIMESTAMP, "1970-01-01T00:00Z", 0),
        (_T.TIMESTAMP, "1970-01-01 05:30 +0530", 0),
        (_T.TIMESTAMP, "1969-12-31 23:00:00-01", 0),
        (_T.TIMESTAMP, "9999-12-31 23:59:59.999999+00", MAX_TIMESTAMP),
        (_T.TIMESTAMP, "0001-01-01 00:00:00+00", MIN_TIMESTAMP),
        (_T.UUID, "{AAAA-AAAA-0000-0000-0000-0000-0000-0001}", "aaaaaaaa-0000-0000-0000-000000000001"),
        (_T.BYTES, "\\x00 fF", b"\x00\xff"),
        (_T.BYTES, "a\\\\\\001ä", b"a\\\x01" + "ä".encode()),
        (_T.BYTES, "", b""),
        (_T.JSON, ' {"a" : 1} ', ' {"a" : 1} '),
        (_T.TEXT, " a ", " a "),
    ],
)
def test_text_is_read(type_: SqlType, text: str, value: Any) -> None:
    assert repr(read_literal(text, type_)) == repr(value)


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        *((_T.BOOLEAN, text) for text in ("", "o", "2", "truely", "t t")),
        *((_T.INT, text) for text in ("", "-", "1.0", "1e3", "0x1", "1_000", "2147483648", "\u0661", "9" * 5000)),
        *((_T.DOUBLE, text) for text in ("", ".", "1e", "inf", "nan", "0x1p3", "1e309", "1e-400", "1 2", "1_0.0")),
        *((_T.DATE, text) for text in ("2021-02-29", "0000-01-01", "10000-01-01", "20200101", "2020-01-01 x", "today")),
        *(
            (_T.TIMESTAMP, f"2020-01-01 {text}")
            for text in (
                "24:00",
                "12:60",
                "12:00:60",
                "12:00+16",
                "12:00+05:60",
                "12",
                "12:00:00.1234567",
                "12:00 UTC+1",
            )
        ),
        (_T.TIMESTAMP, "9999-12-31 23:59:59.999999-01"),
        (_T.TIMESTAMP, "0001-01-01 00:00:00+01"),
        *((_T.UUID, text) for text in ("", " aaaaaaaa-0000-0000-0000-000000000001", "{aaaaaaaa-0000", "g" * 32)),
        *((_T.BYTES, text) for text in ("\\x0", "\\xgg", "\\", "\\8", "\\400", "\\x0 0", "\\x00\f00", "\\x\v")),
        *((_T.JSON, text) for text in ("", "{", "{'a':1}", "NaN", "[1,]", '"\t"', '"\\ud800"', "01", "[" * 2000)),
        (_T.TEXT, "a\0"),
    ],
)
def test_what_is_no_value_of_the_type_is_refused(type_: SqlType, text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_literal(text, type_)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (-2.5, "-2.5"),
        (0.1, "0.1"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (123456.789, "123456.789"),
        (100000000000000.0, "100000000000000"),
        (999999999999999.9, "999999999999999.9"),
        (1e15, "1e+15"),
        (123456789012345678.0, "1.2345678901234568e+17"),
        (5e-324, "5e-324"),
        (-1.7976931348623157e308, "-1.7976931348623157e+308"),
    ],
)
def test_doubles_are_written_as_postgresql_writes_them(value: float, text: str) -> None:
    assert double_text(value) == text
    assert float(text) == value


def test_days_and_instants_are_written_as_postgresql_writes_them() -> None:
    assert date_text(-719162) == "0001-01-01"
    assert timestamp_text(0) == "1970-01-01 00:00:00+00"
    assert timestamp_text(-1) == "1969-12-31 23:59:59.999999+00"
    assert timestamp_text(1_500_000) == "1970-01-01 00:00:01.5+00"


@pytest.mark.parametrize("text", ["{}", "[]", '"["'])
def test_json_has_so_many_objects_and_arrays_that_it_is_read_in_a_moment(text: str) -> None:
    assert read_literal(f"[{','.join([text] * 65_535)}]", SqlType.JSON)
    with pytest.raises(SqlFault, match="LIMIT_EXCEEDED"):
        read_literal(f"[{','.join([text] * 65_536)}]", SqlType.JSON)


def test_hexadecimal_digits_are_read_in_a_moment() -> None:
    """A megabyte of them or of spaces; the pattern that they are not checked with any more took a tenth of a second."""
    assert read_literal("\\x" + " ab\n" * 250_000, SqlType.BYTES) == b"\xab" * 250_000
