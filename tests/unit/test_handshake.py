"""What a request or a first message carries, to a credential or a row of the error table."""

import base64
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword_protocol.errors import ErrorCode
from watchword_protocol.messages import Authenticate
from watchword_server.auth.credentials import Bearer, Credential, Password
from watchword_server.handshake import (
    OriginRules,
    Subprotocols,
    check_origin,
    credential_of_header,
    credential_of_message,
    credential_of_subprotocols,
    read_subprotocols,
)
from watchword_server.refusal import Refused


def code_of(read: Callable[[], object]) -> ErrorCode | None:
    """The row that answers; None: it was read."""
    try:
        read()
    except Refused as refused:
        return refused.code
    return None


def assert_malformed(read: Callable[[], object]) -> None:
    assert code_of(read) is ErrorCode.MALFORMED_AUTHORIZATION


def basic(text: str) -> bytes:
    return b"Basic " + base64.b64encode(text.encode())


@pytest.mark.parametrize(
    ("value", "credential"),
    [
        (b"Bearer a.b.c", Bearer(b"a.b.c")),
        (b"bearer a.b.c", Bearer(b"a.b.c")),
        (b"BEARER a.b.c", Bearer(b"a.b.c")),
        (b"Bearer   a.b.c  ", Bearer(b"a.b.c")),
        (b"Bearer Az09-._~+/==", Bearer(b"Az09-._~+/==")),
        (b"Bearer " + b"a" * 8_100, Bearer(b"a" * 8_100)),
        (basic("ada:secret"), Password("ada", "secret")),
        (basic("ada:secret").replace(b"Basic", b"bAsIc"), Password("ada", "secret")),
        (basic("ada:"), Password("ada", "")),
        (basic(":secret"), Password("", "secret")),
        (basic(":"), Password("", "")),
        (basic("ada:a:b::"), Password("ada", "a:b::")),
        (basic("zo\u00eb:gr\u00fc\u00dfe"), Password("zo\u00eb", "gr\u00fc\u00dfe")),
        (basic("a\0b:\n"), Password("a\0b", "\n")),
    ],
)
def test_a_header_is_a_credential(value: bytes, credential: Credential) -> None:
    assert credential_of_header([value]) == credential


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b" ",
        b"Bearer",
        b"Bearer ",
        b"Bearer\ta.b.c",
        b"Bearera.b.c",
        b"a.b.c",
        b" Bearer a.b.c",
        b"Bearer a.b.c d",
        b"Bearer a.b.c, Bearer a.b.c",
        b"Bearer,a.b.c",
        b'Bearer "a.b.c"',
        b"Bearer token=a.b.c",
        b"Bearer =a",
        b"Bearer a=b",
        b"Bearer =",
        b"Bearer a.b.c\0",
        b"Bearer a.b.c\n",
        b"Bearer a.b.\xe9",
        b"Bearer a%2Eb",
        b"Bearer: a.b.c",
        b"Token a.b.c",
        b"JWT a.b.c",
        b"Digest a.b.c",
        b"Negotiate YWJj",
        b"B\xe9arer a.b.c",
        b"Basic",
        b"Basic ada:secret",
        b"Basic YWRhOg",
        b"Basic YWRhOg=",
        b"Basic YWRhOg===",
        b"Basic YWRhOg==YQ==",
        b"Basic YWRh-_==",
        b"Basic YWRh",
        b"Basic YWRhOg==\n",
        b"Basic YWRhOh==",  # loose bits at the end
        b"Basic " + base64.b64encode(b"ada:\xff"),
        b"Basic " + base64.b64encode("zo\u00eb:x".encode("latin-1")),
        b"Basic " + base64.b64encode("ada:x".encode("utf-16")),
        b"Basic " + base64.b64encode(b"ada:\xed\xa0\x80"),
    ],
)
def test_any_other_header_is_malformed(value: bytes) -> None:
    assert_malformed(lambda: credential_of_header([value]))


def test_two_headers_are_malformed_even_when_alike() -> None:
    assert_malformed(lambda: credential_of_header([b"Bearer a.b.c", b"Bearer a.b.c"]))
    assert credential_of_header([]) is None


@given(st.lists(st.binary(max_size=40) | st.binary(max_size=30).map(lambda rest: b"Basic " + rest), max_size=2))
def test_any_header_is_a_credential_or_malformed(values: list[bytes]) -> None:
    code = code_of(lambda: credential_of_header(values))
    assert code in {None, ErrorCode.MALFORMED_AUTHORIZATION}
    assert len(values) < 2 or code is not None


@given(st.text(max_size=20).filter(lambda text: ":" not in text and text.isprintable()), st.text(max_size=20))
def test_basic_is_read_back(user: str, password: str) -> None:
    try:
        value = basic(f"{user}:{password}")
    except UnicodeEncodeError:
        return
    assert credential_of_header([value]) == Password(user, password)


# Subprotocols


@pytest.mark.parametrize(
    ("values", "offered"),
    [
        ([], Subprotocols()),
        ([b"chat"], Subprotocols()),
        ([b"watchword.v1"], Subprotocols(is_ours=True)),
        ([b"chat, watchword.v1"], Subprotocols(is_ours=True)),
        ([b"chat", b"watchword.v1"], Subprotocols(is_ours=True)),
        ([b"watchword.v1,watchword.jwt.a.b.c"], Subprotocols(True, ("a.b.c",))),
        ([b"watchword.jwt.a.b.c,\twatchword.v1 "], Subprotocols(True, ("a.b.c",))),
        ([b"watchword.v1, , watchword.jwt.a.b.c,"], Subprotocols(True, ("a.b.c",))),
        ([b"watchword.v1", b"watchword.jwt.a", b"watchword.jwt.b"], Subprotocols(True, ("a", "b"))),
        ([b"watchword.v1, watchword.jwt."], Subprotocols(True, ("",))),
        ([b"WATCHWORD.V1"], Subprotocols()),
        ([b"watchword.v10, watchword.v2, watchword.jwt"], Subprotocols()),
    ],
)
def test_subprotocols_are_read(values: list[bytes], offered: Subprotocols) -> None:
    assert read_subprotocols(values) == offered


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (b"", "list of tokens"),
        (b",", "list of tokens"),
        (b"a b", "list of tokens"),
        (b"a/b", "list of tokens"),
        (b"caf\xe9", "list of tokens"),
        (b'"watchword.v1"', "list of tokens"),
        (b"watchword.v1\0", "list of tokens"),
        (b"watchword.v1; q=1", "list of tokens"),
        (b"watchword.jwt.a.b.c", "offer watchword.v1"),
        (b"watchword.jwt.", "offer watchword.v1"),
        (b"chat, watchword.jwt.a.b.c", "offer watchword.v1"),
        (b"watchword.v2, watchword.jwt.a.b.c", "offer watchword.v1"),
    ],
)
def test_other_subprotocols_are_refused_with_a_sentence(value: bytes, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence) as refused:
        read_subprotocols([value])
    assert refused.value.code is ErrorCode.MALFORMED_AUTHORIZATION
    assert b"a.b.c" not in refused.value.message.encode()


@given(st.lists(st.binary(max_size=40), max_size=3))
def test_any_subprotocols_are_read_or_refused(values: list[bytes]) -> None:
    assert code_of(lambda: read_subprotocols(values)) in {None, ErrorCode.MALFORMED_AUTHORIZATION}


def test_one_token_among_the_subprotocols_is_a_credential() -> None:
    assert credential_of_subprotocols(Subprotocols(is_ours=True)) is None
    assert credential_of_subprotocols(Subprotocols(True, ("a.b.c",))) == Bearer(b"a.b.c")
    for offered in (Subprotocols(True, ("",)), Subprotocols(True, ("a", "a")), Subprotocols(True, ("", "a"))):
        assert_malformed(partial(credential_of_subprotocols, offered))


# First message


@pytest.mark.parametrize(
    ("message", "credential"),
    [
        (Authenticate("jwt", token="a.b.c"), Bearer(b"a.b.c")),
        (Authenticate("jwt", token="caf\u00e9"), Bearer("caf\u00e9".encode())),
        (Authenticate("jwt", token="a.\ud800.c"), Bearer(b"a.?.c")),
        (Authenticate("jwt", token="a.b.c", user="ada", password="x"), Bearer(b"a.b.c")),
        (Authenticate("basic", user="ada", password="a:b"), Password("ada", "a:b")),
        (Authenticate("basic", user="a:da", password=" "), Password("a:da", " ")),
    ],
)
def test_a_message_is_a_credential(message: Authenticate, credential: Credential) -> None:
    assert credential_of_message(message) == credential


def test_nothing_secret_is_printed() -> None:
    printed = repr([Bearer(b"a.b.c"), Password("ada", "correct horse"), Authenticate("jwt", token="a.b.c")])
    assert "a.b.c" not in printed
    assert "horse" not in printed
    assert "<Bearer of 5 bytes>, <Password of 'ada'>" in printed


# Origin


def is_allowed(patterns: list[str], origin: str | None, host: str = "db.example:8080", *, own: bool = False) -> bool:
    rules = OriginRules.from_patterns(patterns, is_own_allowed=own)
    sent = None if origin is None else origin.encode("latin-1")
    code = code_of(lambda: check_origin(rules, sent, host.encode()))
    assert code in {None, ErrorCode.ORIGIN_NOT_ALLOWED}
    return code is None


@pytest.mark.parametrize(
    ("patterns", "origin", "expected"),
    [
        ([], None, True),
        ([], "https://app.example", False),
        (["https://app.example"], None, True),
        (["https://app.example"], "https://app.example", True),
        (["https://app.example"], "http://app.example", False),
        (["https://app.example"], "https://app.example:443", False),
        (["https://app.example"], "https://app.example.evil.example", False),
        (["https://app.example"], "https://evil-app.example", False),
        (["https://app.example"], "https://sub.app.example", False),
        (["https://app.example"], "https://app.example/", False),
        (["https://app.example"], "null", False),
        (["https://app.example"], "", False),
        (["https://app.example"], "https://app.example https://evil.example", False),
        (["https://app.example:*"], "https://app.example", True),
        (["https://app.example:*"], "https://app.example:443", True),
        (["https://app.example:*"], "https://app.example:8443", True),
        (["https://app.example:*"], "http://app.example:8443", False),
        (["https://app.example:*"], "https://app.example:", False),
        (["https://app.example:*"], "https://app.example:99999", False),
        (["https://app.example:*"], "https://app.example:0443", False),
        (["https://app.example:*"], "https://app.example:443@evil.example", False),
        (["https://app.example:*"], "https://evil@app.example:443", False),
        (["https://app.example:*"], "https://app.example:443/x", False),
        (["https://app.example:*"], "https://app.example:443\t", False),
        (["https://app.example:*"], "https://[app.example:443", False),
        (["https://app.example:*"], "null", False),
        (["http://[::1]:*"], "http://[::1]:3000", True),
        (["http://[::1]:*"], "http://::1:3000", False),
        (["http://[::1]"], "http://[::1]", True),
    ],
)
def test_listed_origins_may_connect(patterns: list[str], origin: str | None, expected: bool) -> None:
    assert is_allowed(patterns, origin) is expected


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        ("http://db.example:8080", "db.example:8080", True),
        ("https://db.example:8080", "db.example:8080", True),
        ("https://DB.example:8080", "db.EXAMPLE:8080", True),
        ("http://db.example", "db.example", True),
        ("http://db.example", "db.example:8080", False),
        ("http://db.example:8081", "db.example:8080", False),
        ("ftp://db.example:8080", "db.example:8080", False),
        ("http://evil.example", "db.example:8080", False),
        ("null", "db.example:8080", False),
        ("null", "null", False),
    ],
)
def test_the_servers_own_pages_may_connect_where_nothing_is_listed(origin: str, host: str, expected: bool) -> None:
    assert is_allowed([], origin, host, own=True) is expected
    assert not is_allowed([], origin, host, own=False)


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=40))
def test_any_origin_is_allowed_or_refused(origin: str) -> None:
    assert not is_allowed(["https://app.example", "https://any.example:*"], f"{origin}\x7f", own=True)
