"""A token judged by the table of checks, rows 1 to 9."""

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from support.hostile_tokens import HOSTILE_TOKENS, HostileToken
from support.tokens import ABSENT, NOW, OWN, SECRET, TRUSTED, make_claims, make_rules, make_token, make_verifier, sign
from watchword_protocol.errors import ErrorCode
from watchword_server.auth.account import RevokedToken
from watchword_server.auth.revocations import Revocations
from watchword_server.auth.tokens import CHECKS, Token, Verifier, shared_secret_issuers
from watchword_server.refusal import Refused


def verdict(verifier: Verifier, text: bytes, now: float = NOW) -> ErrorCode | None:
    """The row that answers; None: the token is good."""
    try:
        verifier.verify(text, now)
    except Refused as refused:
        return refused.code
    return None


def test_validate_jwt_token_valid() -> None:
    token = make_verifier().verify(make_token(role="dba", sid="s-4"), NOW)
    assert (token.subject, token.token_id, token.session_id, token.expires_at) == ("u_ada", "t-17", "s-4", NOW + 600)
    assert token.claims == make_claims(role="dba", sid="s-4")
    assert token.issuer is not None
    assert (token.issuer.name, token.issuer.is_own) == (OWN, True)


def test_validate_jwt_token_wrong_secret() -> None:
    assert verdict(make_verifier(), make_token(secret=SECRET + "!")) is ErrorCode.INVALID_SIGNATURE


def test_validate_jwt_token_expired() -> None:
    verifier = make_verifier(leeway_s=0.0)
    assert verdict(verifier, make_token(exp=NOW)) is ErrorCode.TOKEN_EXPIRED
    assert verdict(verifier, make_token(exp=NOW + 0.001)) is None


def test_verify_issuer_trusted() -> None:
    verifier = make_verifier(trusted=("https://a.example", TRUSTED))
    for name in ("https://a.example", TRUSTED):
        token = verifier.verify(make_token(iss=name), NOW)
        assert token.issuer is not None
        assert (token.issuer.name, token.issuer.is_own) == (name, False)


def test_verify_issuer_untrusted() -> None:
    assert verdict(make_verifier(), make_token(iss="https://evil.example")) is ErrorCode.UNTRUSTED_ISSUER


def test_verify_issuer_empty_list() -> None:
    verifier = make_verifier(trusted=())
    assert verdict(verifier, make_token(iss=TRUSTED)) is ErrorCode.UNTRUSTED_ISSUER
    assert verdict(verifier, make_token(iss=OWN)) is None, "the server's own issuer is always trusted"


def test_the_table_has_the_rows_of_the_contract_in_order() -> None:
    assert [check.row for check in CHECKS] == list(range(1, 10))
    assert {check.row for check in CHECKS if check.each_time} == {6, 7, 9}


# Hostile tokens


@pytest.mark.parametrize("hostile", HOSTILE_TOKENS, ids=lambda hostile: hostile.name)
def test_a_hostile_token_is_refused_by_its_row(hostile: HostileToken) -> None:
    assert verdict(make_verifier(), hostile.text) is hostile.code


def test_what_came_before_changes_no_verdict() -> None:
    """Neither remembered tokens nor remembered headers open a way."""
    verifier = make_verifier()
    for _ in range(2):
        assert [(each.name, verdict(verifier, each.text)) for each in HOSTILE_TOKENS] == [
            (each.name, each.code) for each in HOSTILE_TOKENS
        ]


def test_there_are_many_hostile_tokens_and_no_two_are_alike() -> None:
    assert len(HOSTILE_TOKENS) >= 150
    assert len({hostile.text for hostile in HOSTILE_TOKENS}) == len(HOSTILE_TOKENS)
    assert len({hostile.name for hostile in HOSTILE_TOKENS}) == len(HOSTILE_TOKENS)


GOOD = make_token(sid="s-4")
SEED = st.binary(max_size=24)
# Up to the signature, since no change keeps that right.
FIRST_ROWS = {
    ErrorCode.INVALID_TOKEN,
    ErrorCode.MISSING_CLAIM,
    ErrorCode.UNTRUSTED_ISSUER,
    ErrorCode.INVALID_SIGNATURE,
}


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good token with a few bytes cut out, put in or changed."""
    text = bytearray(GOOD)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        text[start : start + draw(st.integers(0, 8))] = draw(st.one_of(SEED, st.just(b"."), st.just(b"=")))
    return bytes(text)


@given(mutated())
@example(b"")
def test_any_change_of_a_good_token_is_refused(text: bytes) -> None:
    code = verdict(make_verifier(), text)
    assert code in ({None} if text == GOOD else FIRST_ROWS)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["alg", "typ", "kid", "crit", "b64", "iss", "sub", "exp", "nbf", "iat", "jti", "sid", "aud"])


@given(st.dictionaries(NAMES, JSON, max_size=4), st.dictionaries(NAMES | st.text(max_size=8), JSON, max_size=5))
def test_any_header_and_any_claims_get_a_token_or_a_row(header: dict[str, Any], claims: dict[str, Any]) -> None:
    """Rightly signed, so that every row is reached: no stray exception."""
    text = sign(json.dumps({"alg": "HS256"} | header).encode(), json.dumps(make_claims(**claims)).encode())
    code = verdict(make_verifier(audience="ours"), text)
    assert code is None or code.close in range(4000, 4300)


@given(st.binary(max_size=60), st.binary(max_size=120))
def test_any_bytes_rightly_signed_get_a_token_or_a_row(header: bytes, payload: bytes) -> None:
    assert verdict(make_verifier(), sign(header, payload)) is not None
    assert verdict(make_verifier(), sign(b'{"alg":"HS256"}', payload)) is not None


# One spelling


def spellings(text: bytes) -> list[bytes]:
    """Other texts that a forgiving reader takes for the same token."""
    found = []
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    parts = text.split(b".")
    for at, part in enumerate(parts):
        wanted = base64.urlsafe_b64decode(part + b"===")
        others = [part + b"=" * count for count in (1, 2, 3)]
        others += [b" " + part, part + b" ", part + b"\n", b"\t" + part, part.replace(b"-", b"+").replace(b"_", b"/")]
        others += [part[:-1] + bytes([letter]) for letter in letters]
        alike = [
            other for other in others if other != part and base64.urlsafe_b64decode(other.strip() + b"===") == wanted
        ]
        found += [b".".join([*parts[:at], other, *parts[at + 1 :]]) for other in alike]
    return found


def test_no_two_texts_are_the_same_token() -> None:
    """Else a token denied by one text would come in by another."""
    tokens = [make_token(jti="t" * length) for length in range(1, 5)]
    others = [other for token in tokens for other in spellings(token)]
    assert len(others) > 40, "the forgiving reader found other spellings"
    verifier = make_verifier()
    assert [verdict(verifier, token) for token in tokens] == [None] * 4
    assert {verdict(verifier, other) for other in others} == {ErrorCode.INVALID_TOKEN}


def test_a_token_without_a_name_is_named_by_its_signature() -> None:
    verifier = make_verifier()
    first, second = (verifier.verify(make_token(jti=ABSENT, iat=NOW - age_s), NOW) for age_s in (1, 2))
    assert first.token_id != second.token_id
    assert len(first.token_id) == 32
    assert make_verifier().verify(make_token(jti=ABSENT, iat=NOW - 1), NOW).token_id == first.token_id
    signature = base64.urlsafe_b64decode(make_token(jti=ABSENT, iat=NOW - 1).rpartition(b".")[2] + b"=")
    assert first.token_id == hashlib.sha256(signature).hexdigest()[:32], "what is revoked stays so in later releases"


# Audience


@pytest.mark.parametrize(
    ("aud", "code"),
    [
        (ABSENT, ErrorCode.MISSING_CLAIM),
        ("https://db.example", None),
        (["https://db.example"], None),
        (["other", "https://db.example"], None),
        ([], ErrorCode.INVALID_TOKEN),
        ("other", ErrorCode.INVALID_TOKEN),
        ("https://db.example/", ErrorCode.INVALID_TOKEN),
        ("https://db", ErrorCode.INVALID_TOKEN),
        ("HTTPS://DB.EXAMPLE", ErrorCode.INVALID_TOKEN),
        (["https://db.example", 1], ErrorCode.INVALID_TOKEN),
        ({"https://db.example": 1}, ErrorCode.INVALID_TOKEN),
    ],
)
def test_a_configured_audience_must_be_named(aud: object, code: ErrorCode | None) -> None:
    assert verdict(make_verifier(audience="https://db.example"), make_token(aud=aud)) is code


def test_a_missing_subject_answers_before_a_wrong_audience() -> None:
    verifier = make_verifier(audience="https://db.example")
    assert verdict(verifier, make_token(sub=ABSENT, aud="other")) is ErrorCode.MISSING_CLAIM


# What is remembered


def test_a_remembered_token_is_the_same_object_and_holds_no_text() -> None:
    verifier = make_verifier()
    token = verifier.verify(make_token(), NOW)
    assert verifier.verify(make_token(), NOW) is token
    assert len(verifier) == 1
    assert make_token() not in [getattr(token, name) for name in Token.__slots__]


@pytest.mark.parametrize(
    ("members", "later_s", "code"),
    [
        ({"exp": NOW + 5}, 34.999, None),
        ({"exp": NOW + 5}, 35.0, ErrorCode.TOKEN_EXPIRED),
        ({"nbf": NOW + 20}, -10.0, None),
        ({"nbf": NOW + 20}, -10.001, ErrorCode.TOKEN_NOT_YET_VALID),
        ({"iat": NOW + 20}, -10.001, ErrorCode.TOKEN_NOT_YET_VALID),
    ],
)
def test_a_remembered_token_obeys_the_clock(members: dict[str, Any], later_s: float, code: ErrorCode | None) -> None:
    verifier = make_verifier()
    assert verdict(verifier, make_token(**members)) is None
    assert verdict(verifier, make_token(**members), NOW + later_s) is code


@pytest.mark.parametrize(("kind", "key"), [("token", "t-17"), ("session", "s-4")])
def test_a_remembered_token_obeys_the_deny_list(kind: Any, key: str) -> None:
    revocations = Revocations()
    verifier = make_verifier(revocations=revocations)
    text = make_token(sid="s-4")
    assert verdict(verifier, text) is None
    revocations.add(RevokedToken(kind, OWN, key, NOW + 600))
    assert verdict(verifier, text) is ErrorCode.TOKEN_REVOKED
    assert verdict(verifier, text, NOW + 700) is ErrorCode.TOKEN_EXPIRED, "the earlier row answers"


def test_another_issuers_token_of_that_name_is_not_revoked_with_it() -> None:
    verifier = make_verifier(revocations=Revocations([RevokedToken("token", OWN, "t-17", NOW + 600)]))
    assert verdict(verifier, make_token()) is ErrorCode.TOKEN_REVOKED
    assert verdict(verifier, make_token(iss=TRUSTED)) is None


def test_only_good_tokens_are_remembered() -> None:
    verifier = make_verifier()
    for hostile in HOSTILE_TOKENS:
        verdict(verifier, hostile.text)
    assert len(verifier) == sum(hostile.code is None for hostile in HOSTILE_TOKENS)


def test_memory_is_bounded_and_the_oldest_goes_first() -> None:
    verifier = Verifier(make_rules(), remember=3)
    texts = [make_token(jti=f"t-{number}") for number in range(5)]
    tokens = [verifier.verify(text, NOW) for text in texts]
    assert len(verifier) == 3
    assert verifier.verify(texts[4], NOW) is tokens[4]
    assert verifier.verify(texts[0], NOW) is not tokens[0]
    assert len(verifier) == 3


def test_a_changed_users_tokens_are_forgotten_by_id_and_by_name() -> None:
    verifier = make_verifier()
    texts = [make_token(sub=sub) for sub in ("u_ada", "ada", "u_bob")]
    tokens = [verifier.verify(text, NOW) for text in texts]
    verifier.forget({"u_ada", "ada"})
    assert len(verifier) == 1
    again = [verifier.verify(text, NOW) is token for text, token in zip(texts, tokens, strict=True)]
    assert again == [False, False, True]


def test_what_has_expired_is_forgotten_and_nothing_else() -> None:
    verifier = make_verifier()
    for exp in (NOW + 1, NOW + 2):
        verifier.verify(make_token(exp=exp), NOW)
    verifier.forget_expired(NOW + 30.9)
    assert len(verifier) == 2
    verifier.forget_expired(NOW + 31)
    assert len(verifier) == 1


def test_headers_are_remembered_only_when_signed_and_only_some() -> None:
    rules = make_rules()
    verifier = Verifier(rules)
    for number in range(100):
        verdict(verifier, make_token(header={"kid": f"forged {number}"}, secret=SECRET + "!"))
    assert rules.known_headers == {}
    for number in range(100):
        assert verdict(verifier, make_token(header={"kid": f"k {number}"})) is None
    assert len(rules.known_headers) == 64
    assert make_rules().known_headers == {}, "each server has its own"


def test_nothing_secret_is_printed() -> None:
    verifier = make_verifier()
    printed = repr([verifier.rules, verifier.verify(make_token(), NOW), shared_secret_issuers(SECRET, OWN, ())])
    assert SECRET not in printed
    assert make_token().decode() not in printed
    assert "<Token of 'u_ada' by 'watchword'>" in printed
