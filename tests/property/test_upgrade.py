"""The upgrade check is held equal to websockets' `ServerProtocol.accept()` on random header blocks.

Every difference is either an error or stands in DIFFERENCES, with its reason.
"""

import logging
from collections.abc import Callable
from random import Random
from types import ModuleType
from typing import Final, NamedTuple

import pytest
from websockets.http11 import Request
from websockets.server import ServerProtocol

from support.planting import planted
from watchword_server.gateway import upgrade

_SILENT: Final = logging.getLogger("tests.upgrade")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False

_GOOD: Final = (
    b"Host: a",
    b"Upgrade: websocket",
    b"Connection: Upgrade",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    b"Sec-WebSocket-Version: 13",
)

_LINES: Final = (
    b"Connection: keep-alive, Upgrade", b"connection:upgrade", b"Connection: close", b"Connection: Upgrade,,close",
    b"Connection: a b, Upgrade", b"Connection:", b"Connection: ,", b"Connection: Upgrade/1",
    b"Connection:\tUPGRADE\t", b"Connection: \"Upgrade\"", b"Connection: Upgrade;q=1", b"Connection: keep-alive",
    b"Connection: xUpgrade", b"Upgrade: WebSocket", b"Upgrade: h2c", b"Upgrade: websocket, h2c",
    b"Upgrade: websocket/13", b"UPGRADE:websocket ", b"Upgrade: ,websocket", b"Upgrade: websocket,", b"Upgrade:",
    b"Upgrade: websocket websocket", b"Upgrade: websockets", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==",
    b"Sec-WebSocket-Key: AAAA", b"Sec-WebSocket-Key:", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ",
    b"Sec-WebSocket-Key: dGhl IHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ===", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\t",
    b"Sec-WebSocket-Key:  dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Key: ====",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==dGhl", b"Sec-WebSocket-Key: d-hlIHNhbXBs_SBub25jZQ==",
    b"Sec-WebSocket-Key: \xe9GhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Key: YSBrZXkgb2YgZWlnaHRlZW4=",
    b"Sec-WebSocket-Version: 8", b"Sec-WebSocket-Version: 13 ", b"Sec-WebSocket-Version: 13,13",
    b"Sec-WebSocket-Version: 013", b"Sec-WebSocket-Version:", b"Sec-WebSocket-Version: \xb2",
    b"Sec_WebSocket_Version: 13", b"sec-websocket-version:13", b"Origin: null", b"Origin: https://a", b"Origin:",
    b"origin: https://b", b"Content-Length: 0", b"Content-Length: 5", b"Content-Length: +0", b"Content-Length: 00",
    b"Content-Length:", b"Content-Length: 0\r\nContent-Length: 0", b"Content-Length: 0, 0",
    b"Content-Length: 99999999999999999999", b"Content-Length: 0x0", b"Content-Length: -1",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", b"Transfer-Encoding:",
    b"transfer-encoding: gzip, chunked", b"Host: b", b"Host:", b"host: [::1]:80", b"Expect: 100-continue",
    b"Sec-WebSocket-Extensions: ;;", b"Proxy-Connection: close", b"X: \xff", b"X: a\0b", b"X: a\x7f", b"X: a\x1b",
    b"X : y", b" X: y", b"X:", b"X: a\tb", b"X: a\r\n folded", b"X: a\r\n\tfolded", b"X: a\rb", b"X: a\nY: b",
    b"X: a\n", b"X: a\r", b": y", b"X", b"X\x80: y", b"X\0: y", b"X(: y", b"X\t: y", b"", b"X: " + b"y" * 8300,
    *(b"\r\n".join(b"X-%d: y" % n for n in range(count)) for count in (121, 122, 123, 124, 130)),
)  # fmt: skip

_FIRST_LINES: Final = (
    *(b"GET /v1/ws HTTP/1.1",) * 60,
    b"POST /v1/ws HTTP/1.1", b"HEAD / HTTP/1.1", b"GET / HTTP/1.0", b"GET / HTTP/2.0", b"GET / HTTP/1.2",
    b"GET / HTTP/0.9", b"GET  / HTTP/1.1", b"GET /  HTTP/1.1", b"GET / HTTP/1.1 ", b"GET\t/ HTTP/1.1",
    b" GET / HTTP/1.1", b"get / HTTP/1.1", b"GET / HTTP/1.1\t", b"GET /\xff HTTP/1.1", b"GET /a b HTTP/1.1",
    b"GET * HTTP/1.1", b"GET /?a#b HTTP/1.1", b"GET /#b HTTP/1.1", b"GET / http/1.1", b"GET /%00 HTTP/1.1",
    b"GET http://a/v1/ws HTTP/1.1", b"CONNECT a:1 HTTP/1.1", b"GET /", b"GET", b"", b"GETX / HTTP/1.1",
    b"GET / HTTP/1.1 HTTP/1.1", b"GET /\0 HTTP/1.1", b"GET a HTTP/1.1", b"GET /\x7f HTTP/1.1", b"GET /<> HTTP/1.1",
    b"GET / HTTP/1.", b"GET / HTTP/11", b"\r\nGET / HTTP/1.1", b"\nGET / HTTP/1.1", b"GET /\t HTTP/1.1",
    b"GET /?" + b"q" * 8300 + b" HTTP/1.1", b"PRI * HTTP/2.0", b"OPTIONS * HTTP/1.1", b"GET / ICE/1.0",
    b"M-SEARCH * HTTP/1.1",
)  # fmt: skip


class Verdicts(NamedTuple):
    """What both say of one block: the accept key, or why there is none."""

    ours: str | None
    reason: str
    theirs: str | None


class Difference(NamedTuple):
    """Where we differ on purpose."""

    why: str
    explains: Callable[[bytes, Verdicts], bool]


def _fields(block: bytes) -> list[tuple[bytes, bytes]]:
    lines = block.split(b"\r\n")[1:-2]
    return [(name.lower(), value.strip(b" \t")) for name, _, value in (line.partition(b":") for line in lines)]


def _count(block: bytes, name: bytes) -> int:
    return sum(name == each for each, _ in _fields(block))


def _is_refused(verdicts: Verdicts, reason: str) -> bool:
    return verdicts.ours is None and verdicts.theirs is not None and verdicts.reason.startswith(reason)


def _target(block: bytes) -> bytes:
    return block.split(b"\r\n")[0].split(b" ")[1]


DIFFERENCES: Final = (
    Difference(
        "Host stands exactly once and is not empty (RFC 9112 3.2); the library leaves it to its caller",
        lambda block, verdicts: (
            (_is_refused(verdicts, "Header Host is missing") and not any(n == b"host" and v for n, v in _fields(block)))
            or (_is_refused(verdicts, "Header host is repeated") and _count(block, b"host") > 1)
        ),
    ),
    Difference(
        "Content-Length stands at most once, as a second one is how requests are smuggled (RFC 9112 6.3)",
        lambda block, verdicts: (
            _is_refused(verdicts, "") and _count(block, b"content-length") > 1 and "Connection" not in verdicts.reason
        ),
    ),
    Difference(
        "an empty Connection line is an empty list, and lists may have empty members (RFC 9110 5.6.1)",
        lambda block, verdicts: (
            verdicts.theirs is None
            and verdicts.ours is not None
            and any(n == b"connection" and not v.strip(b", \t") for n, v in _fields(block))
        ),
    ),
    Difference(
        "a request target of other characters, or without a leading slash, is no request (RFC 9112 3.2): httptools",
        lambda block, verdicts: (
            _is_refused(verdicts, "The request is not valid")
            and (
                not _target(block).startswith((b"/", b"http:", b"*"))
                or any(c <= 32 or c == 127 for c in _target(block))
            )
        ),
    ),
)


def _seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311  # repeatable, and keeps no secret


def random_block(random: Random) -> bytes:
    """A header block that was good before something happened to it; it ends with its first empty line."""
    lines = list(_GOOD)
    for _ in range(random.choice((0, 1, 1, 1, 2, 3))):
        at, what = random.randrange(len(lines)), random.random()
        if what < 0.1 and len(lines) > 1:
            lines.pop(at)
        elif what < 0.2:
            lines.append(lines[at])
        elif what < 0.5:
            lines.insert(at, random.choice(_LINES))
        elif what < 0.8:
            new = random.choice(_LINES)
            name = new.partition(b":")[0].lower()
            lines = [new if line.partition(b":")[0].lower() == name else line for line in lines]
        elif line := lines[at]:
            place = random.randrange(len(line))
            lines[at] = line[:place] + bytes((random.randrange(256),)) + line[place + random.randrange(2) :]
    block = b"\r\n".join([random.choice(_FIRST_LINES), *lines, b"", b""])
    return block[: block.index(b"\r\n\r\n") + 4]


def ask(block: bytes, module: ModuleType = upgrade) -> Verdicts:
    """Both verdicts on one block."""
    ours, reason = None, "not an upgrade"
    try:
        if (head := module.read_head(block)) is not None:
            ours = module.accept_key(head).decode()
    except module.HttpRefused as refused:
        reason = refused.message
    library = ServerProtocol(logger=_SILENT)
    library.receive_data(block)
    theirs = None
    for request in library.events_received():
        assert isinstance(request, Request)
        theirs = library.accept(request).headers.get("Sec-WebSocket-Accept")
    return Verdicts(ours, reason, theirs)


def find_difference(random: Random, blocks: int, module: ModuleType = upgrade) -> tuple[bytes, Verdicts] | None:
    """The first block on which the verdicts differ without a name in DIFFERENCES."""
    for _ in range(blocks):
        block = random_block(random)
        verdicts = ask(block, module)
        if verdicts.ours != verdicts.theirs and not any(each.explains(block, verdicts) for each in DIFFERENCES):
            return block, verdicts
    return None


@pytest.mark.parametrize("seed", range(10))
def test_random_header_blocks_get_the_librarys_verdict(seed: int) -> None:
    assert find_difference(_seeded(seed), 4_000) is None


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1_000, 1_020))
def test_hundreds_of_thousands_of_header_blocks_get_the_librarys_verdict(seed: int) -> None:
    assert find_difference(_seeded(seed), 20_000) is None


def test_the_blocks_are_of_both_kinds() -> None:
    random = _seeded(7)
    verdicts = [ask(random_block(random)) for _ in range(2_000)]
    accepted = sum(each.ours is not None for each in verdicts)
    assert 400 < accepted < 1_600


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda each: each.why.split(",")[0][:40])
def test_every_named_difference_happens(difference: Difference) -> None:
    """A row that explains nothing any more is to be removed."""
    random = _seeded(11)
    blocks = (random_block(random) for _ in range(20_000))
    assert any(
        difference.explains(block, verdicts)
        for block in blocks
        for verdicts in [ask(block)]
        if verdicts.ours != verdicts.theirs
    )


_PLANTED: Final = (
    ("value = value.strip(b\" \\t\")", "pass"),
    ("if len(values) > 1:", "if False:"),
    ("== 16", ">= 1"),
    ("strict_mode=True", "strict_mode=False"),
    ("head.request_line != b\"GET %b HTTP/1.1\" % head.target", "False"),
    ("connection is None or b\"upgrade\" not in connection", "False"),
    ("None if any(member.translate(None, _TOKEN_CHARACTERS) for member in members) else members", "members"),
    ("if head.values(b\"transfer-encoding\") or ", "if "),
    ("head.once(b\"content-length\") not in (None, b\"0\")", "False"),
    ("    head.once(b\"origin\")\n", ""),
    ("if head.once(b\"sec-websocket-version\") != b\"13\":", "if False:"),
    ("value.lower().split(b\",\")", "value.split(b\",\")"),
    ("258EAFA5", "258EAFA6"),
    ("if block.count(b\"\\r\\n\") > MAX_FIELDS + 2:", "if False:"),
    ("if len(block) > MAX_LINE_BYTES and", "if False and"),
)  # fmt: skip


@pytest.mark.parametrize(("original", "replacement"), _PLANTED)
def test_a_planted_error_is_found(original: str, replacement: str) -> None:
    assert find_difference(_seeded(3), 8_000, planted(upgrade, original, replacement)) is not None
