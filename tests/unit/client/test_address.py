"""The url, checked and completed."""

from typing import Any

import pytest

from watchword.address import complete_url, is_loopback


@pytest.mark.parametrize(
    ("url", "complete"),
    [
        ("ws://h", "ws://h/v1/ws"),
        ("ws://h:8080/", "ws://h:8080/v1/ws"),
        ("wss://db.example/v1/ws", "wss://db.example/v1/ws"),
        ("wss://db.example/behind/a/proxy", "wss://db.example/behind/a/proxy"),
        ("ws://h?compress=false", "ws://h/v1/ws?compress=false"),
        ("ws://[::1]:9", "ws://[::1]:9/v1/ws"),
        ("WSS://h/a", "wss://h/a"),
    ],
)
def test_a_bare_host_gets_the_path(url: str, complete: str) -> None:
    assert complete_url(url) == complete


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://h", "must begin with ws:// or wss://, not 'http://'"),
        ("h:8080", "must begin with ws://"),
        ("", "must begin with ws://"),
        ("ws://", "needs a host"),
        ("ws://h:0", "port from 1"),
        ("ws://h:x", "port from 1"),
        ("ws://h:99999", "port from 1"),
        ("ws://[::1", "is not a url"),
        ("ws://ada:secret@h", "must not hold a credential"),
        ("ws://h/#top", "fragment"),
        ("ws://h /v1/ws", "spaces or control characters"),
        ("ws://h/\r\nX-Evil: 1", "spaces or control characters"),
        ("ws://h/\u2028", "spaces or control characters"),
    ],
)
def test_a_wrong_url_is_one_sentence_that_says_what_to_do(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        complete_url(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ws://127.0.0.1:1", True),
        ("ws://[::1]", True),
        ("ws://localhost/x", True),
        ("ws://a.localhost", True),
        ("wss://db.example", False),
        ("ws://10.0.0.1", False),
        ("ws://localhost.example", False),
    ],
)
def test_loopback_is_told_from_the_rest(url: str, *, expected: bool) -> None:
    assert is_loopback(url) is expected


@pytest.mark.parametrize("url", [None, b"ws://h", 5])
def test_a_url_that_is_no_text_is_told_so(url: Any) -> None:
    with pytest.raises(TypeError, match="url must be a string, not"):
        complete_url(url)
