"""JSON and base64url with one meaning and one spelling."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword_server.auth.strict_json import MAX_DEPTH, decode_base64url, decode_object


@given(st.binary())
def test_base64url_is_read_back(data: bytes) -> None:
    assert decode_base64url(base64.urlsafe_b64encode(data).rstrip(b"=")) == data


@given(st.binary(max_size=40))
def test_whatever_is_read_has_no_other_spelling(segment: bytes) -> None:
    try:
        data = decode_base64url(segment)
    except ValueError:
        return
    assert base64.urlsafe_b64encode(data).rstrip(b"=") == segment


@pytest.mark.parametrize(
    "segment",
    [b"=", b"====", b"A", b"AAAAA", b"YQ==", b"YQ=", b"YR", b"YWJ", b"YQ\n", b"Y Q", b"+/+/", b"Y.", b"\xff\xff"],
)  # fmt: skip
def test_other_base64_is_refused(segment: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # whatever it says, nobody sees it
        decode_base64url(segment)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON), st.sampled_from([None, 1]), st.booleans())
def test_an_object_is_read_back_however_it_is_written(value: dict[str, Any], indent: int | None, escapes: bool) -> None:
    data = json.dumps(value, indent=indent, ensure_ascii=escapes)
    try:
        encoded = data.encode()
    except UnicodeEncodeError:
        return
    if "\\ud" in data:  # half a pair, perhaps
        return
    assert decode_object(encoded) == json.loads(data)


@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,\\u0eE1.-+ \nntf\ufeff', max_size=60).map(str.encode))
def test_any_bytes_are_an_object_or_a_named_error(data: bytes) -> None:
    try:
        value = decode_object(data)
    except (ValueError, RecursionError):
        return
    assert value == json.loads(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b'"{}"',
        b"1",
        b"{} {}",
        b"{}\0",
        b"\xef\xbb\xbf{}",
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":1,"a":1}',
        b'{"a":1,"\\u0061":1}',
        b'{"a":[{"b":1,"b":1}]}',
        b'{"":1,"":1}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e400}',
        b'{"a":01}',
        b'{"a":.5}',
        b'{"a":+1}',
        b'{"a":"\n"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\\udc00"}',
        b'{"a":"\xff"}',
        b'{"a":"\xc0\x80"}',
        b'{"a":"\xed\xa0\x80"}',
        '{"a":1}'.encode("utf-16"),
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_parsers_may_read_differently_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        decode_object(data)


@pytest.mark.parametrize(("levels", "is_good"), [(1, True), (MAX_DEPTH, True), (MAX_DEPTH + 1, False), (900, False)])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_has_a_limit(levels: int, is_good: bool, opening: str, closing: str) -> None:
    """With the object around it counted."""
    data = ('{"x":' + opening * (levels - 1) + "1" + closing * (levels - 1) + "}").encode()
    if is_good:
        assert decode_object(data) == json.loads(data)
    else:
        with pytest.raises(ValueError, match="nested"):
            decode_object(data)


def test_wide_is_not_deep() -> None:
    inner = b"[" * (MAX_DEPTH - 2) + b"]" * (MAX_DEPTH - 2)
    data = b'{"x":[' + b",".join([inner] * 100) + b"]}"
    assert decode_object(data) == json.loads(data)
