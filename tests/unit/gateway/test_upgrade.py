"""One header block to an accept key, or to the answer that refuses it. Random ones: tests/property/test_upgrade.py."""

import pytest

from support.raw_socket import KEY, upgrade
from watchword_server.gateway.upgrade import (
    MAX_FIELDS,
    MAX_LINE_BYTES,
    HttpRefused,
    accept_key,
    check_path,
    read_head,
)


def ask(block: bytes) -> tuple[int, str]:
    """Status and accept key, or status and the sentence of the refusal; 0 for a request that is no upgrade."""
    try:
        if (head := read_head(block)) is None:
            return 0, ""
        check_path(head)
        return 101, accept_key(head).decode()
    except HttpRefused as refused:
        return refused.status, refused.message


def test_the_example_of_rfc_6455_is_accepted() -> None:
    assert ask(upgrade()) == (101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")


@pytest.mark.parametrize(
    "target", ["/v1/ws", "/v1/ws?compress=false", "/v1/ws?", "/v1/ws?a=/v1/ws", "http://db.example/v1/ws"]
)
def test_a_target_is_judged_by_its_path(target: str) -> None:
    assert ask(upgrade(target=target))[0] == 101


@pytest.mark.parametrize("target", ["/", "/v1/ws/", "/V1/WS", "//v1/ws", "/v1/ws%20", "/v1/ws;x", "*", "/v1/../v1/ws"])
def test_another_path_is_404_whatever_else_is_wrong(target: str) -> None:
    assert ask(upgrade(target=target, drop="Host"))[0] == 404


def test_a_field_line_may_be_as_long_as_the_limit_and_no_longer() -> None:
    longest = "X: " + "y" * (MAX_LINE_BYTES - 3)
    assert ask(upgrade(longest))[0] == 101
    assert ask(upgrade(longest + "y"))[0] == 431


def test_the_request_line_may_be_as_long_as_the_limit_and_no_longer() -> None:
    target = "/v1/ws?" + "q" * (MAX_LINE_BYTES - len("GET /v1/ws? HTTP/1.1"))
    assert ask(upgrade(target=target))[0] == 101
    assert ask(upgrade(target=target + "q"))[0] == 431


def test_there_may_be_as_many_fields_as_the_limit_and_no_more() -> None:
    most = [f"X-{number}: y" for number in range(MAX_FIELDS - 5)]
    assert ask(upgrade(*most))[0] == 101
    assert ask(upgrade(*most, "X: y"))[0] == 431


@pytest.mark.parametrize(
    ("drop", "fields", "status", "word"),
    [
        ("Host", [], 400, "Host"),
        ("Host", ["Host:"], 400, "Host"),
        ("", ["Host: other.example"], 400, "host"),
        ("Connection", ["Connection: a b, Upgrade"], 400, "Connection"),
        ("Sec-WebSocket-Key", [], 400, "Sec-WebSocket-Key"),
        ("Sec-WebSocket-Key", ["Sec-WebSocket-Key: " + KEY[:-1]], 400, "Sec-WebSocket-Key"),
        ("", ["Sec-WebSocket-Key: " + KEY], 400, "sec-websocket-key"),
        ("Sec-WebSocket-Version", [], 426, "Sec-WebSocket-Version"),
        ("Sec-WebSocket-Version", ["Sec-WebSocket-Version: 8"], 426, "Sec-WebSocket-Version"),
        ("", ["Sec-WebSocket-Version: 13"], 400, "sec-websocket-version"),
        ("", ["Content-Length: 1"], 400, "body"),
        ("", ["Transfer-Encoding: chunked"], 400, "body"),
        ("", ["Origin: https://a", "Origin: https://a"], 400, "origin"),
    ],
)
def test_the_sentence_names_the_header(drop: str, fields: list[str], status: int, word: str) -> None:
    refused = ask(upgrade(*fields, drop=drop))
    assert refused[0] == status
    assert word in refused[1]


@pytest.mark.parametrize(("drop", "fields"), [("Upgrade", []), ("Connection", []), ("Upgrade", ["Upgrade: h2c"])])
def test_what_does_not_ask_for_a_websocket_is_a_plain_request(drop: str, fields: list[str]) -> None:
    assert ask(upgrade(*fields, drop=drop)) == (0, "")
