"""Arguments: what is wrong is told where it is given, in a sentence that names it."""

from typing import Any

import pytest

import watchword

INF = float("inf")
NAN = float("nan")


@pytest.mark.parametrize("connect", [watchword.connect, watchword.sync.connect], ids=["async", "sync"])
@pytest.mark.parametrize(
    ("name", "value", "kind", "words"),
    [
        *(
            (name, value, ValueError, "must be a finite number of seconds above 0, not")
            for name in ("open_timeout_s", "token_timeout_s", "heartbeat_s")
            for value in (0, -0.5, NAN, INF, -INF)
        ),
        *(
            ("close_timeout_s", value, ValueError, "must be a finite number of seconds, not")
            for value in (-1, NAN, INF)
        ),
        *(
            (name, value, TypeError, "must be a number of seconds, not")
            for name in ("open_timeout_s", "close_timeout_s", "token_timeout_s", "heartbeat_s")
            for value in (None, "3", True)
        ),
        ("max_message_bytes", 0, ValueError, "must be at least 1 byte, not 0"),
        ("max_message_bytes", -5, ValueError, "must be at least 1 byte, not -5"),
        ("max_message_bytes", None, TypeError, "must be a whole number of bytes, not None"),
        ("max_message_bytes", "x", TypeError, "must be a whole number of bytes, not 'x'"),
        ("max_message_bytes", 1.5, TypeError, "must be a whole number of bytes, not 1.5"),
        ("max_message_bytes", True, TypeError, "must be a whole number of bytes, not True"),
        ("reconnect", "no", TypeError, "must be True or False, not 'no'"),
        ("retry_first", 1, TypeError, "must be True or False, not 1"),
        ("clock", 5, TypeError, "must be a function, not 5"),
        ("sleep", None, TypeError, "must be a function, not None"),
        ("random", 0.5, TypeError, "must be a function, not 0.5"),
        ("ssl", True, TypeError, "must be an ssl.SSLContext, not True"),
    ],
)
def test_an_option_that_cannot_be_meant_is_told_when_it_is_given(
    connect: Any, name: str, value: Any, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=f"{name} {words}"):
        connect("wss://h", token="t", **{name: value})


@pytest.mark.parametrize(
    ("key", "kind", "words"),
    [
        ("", ValueError, "must have 1 to 128 characters, and has 0"),
        ("k" * 129, ValueError, "must have 1 to 128 characters, and has 129"),
        ("a\ud800", ValueError, "has half a character in it"),
        (7, TypeError, "must be text, not 7"),
        (b"k", TypeError, "must be text, not b'k'"),
    ],
)
async def test_a_key_that_is_none_is_told_before_anything_is_asked(key: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=f"idempotency_key {words}"):
        await watchword.connect("ws://h", token="t").query("SELECT 1", idempotency_key=key)
    with pytest.raises(watchword.Closed):
        await watchword.connect("ws://h", token="t").query("SELECT 1", idempotency_key="\U0001f600" * 128)


@pytest.mark.parametrize(
    "options",
    [
        {"close_timeout_s": 0},
        {"open_timeout_s": 1, "token_timeout_s": 0.5, "heartbeat_s": 3600, "max_message_bytes": 1},
    ],
)
def test_an_option_at_the_edge_of_its_range_is_taken(options: dict[str, Any]) -> None:
    assert watchword.connect("ws://h", token="t", **options).state is watchword.State.CONNECTING


@pytest.mark.parametrize(("value", "kind"), [(NAN, ValueError), (-1, ValueError), (INF, ValueError), ("1", TypeError)])
async def test_a_time_limit_that_is_none_is_told_before_anything_is_asked(value: Any, kind: type[Exception]) -> None:
    db = watchword.connect("ws://h", token="t")
    with pytest.raises(kind, match="timeout_s must be"):
        await db.ping(timeout_s=value)
    with pytest.raises(kind, match="timeout_s must be"):
        await db.wait_for(watchword.State.OPEN, timeout_s=value)
