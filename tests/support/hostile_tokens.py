"""Tokens that somebody made to get in, or that nobody should ever have made, each with the verdict it deserves.

Judged at NOW by `make_rules()`: leeway 30 s, no audience configured, 8,000 bytes.
"""

import base64
import hmac
import json
import struct
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from support.tokens import ABSENT, NOW, OWN, SECRET, TRUSTED, encode_segment, make_claims, make_token, sign
from watchword_protocol.errors import ErrorCode

__all__ = ["HOSTILE_TOKENS", "HostileToken"]

UNREADABLE = ErrorCode.INVALID_TOKEN
FORGED = ErrorCode.INVALID_SIGNATURE
MISSING = ErrorCode.MISSING_CLAIM
UNTRUSTED = ErrorCode.UNTRUSTED_ISSUER
EXPIRED = ErrorCode.TOKEN_EXPIRED
EARLY = ErrorCode.TOKEN_NOT_YET_VALID
GOOD = None

_HEADER: Final = b'{"alg":"HS256","typ":"JWT"}'
_PAYLOAD: Final = json.dumps(make_claims()).encode()
_LEEWAY_S: Final = 30
_MAX_TOKEN_BYTES: Final = 8000

# A public key that everybody can read: whoever takes it for an HMAC secret lets everybody in (RFC 8725 2.1).
_PUBLIC_PEM: Final = (
    b"-----BEGIN PUBLIC KEY-----\n"
    b"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dF"
    b"abmdT9POxg==\n-----END PUBLIC KEY-----\n"
)


class HostileToken(NamedTuple):
    """What it tries, its bytes, and the row that must answer; None: it is good after all."""

    name: str
    text: bytes
    code: ErrorCode | None


def _algorithms() -> Iterator[HostileToken]:
    unsigned = encode_segment(_PAYLOAD)
    for alg in ("none", "None", "NONE", "nOnE", "none ", " none", "no\u0430ne"):
        head = encode_segment(json.dumps({"alg": alg}).encode())
        yield HostileToken(f"alg {alg!r}, no signature", head + b"." + unsigned + b".", UNREADABLE)
        yield HostileToken(f"alg {alg!r}, signed", make_token(header={"alg": alg}), UNREADABLE)
    for alg in (
        "hs256",
        "Hs256",
        "HS-256",
        "HS256 ",
        " HS256",
        "HS256\0",
        "HS256\n",
        "H\u01272 56",
        "SHA256",
        "HMAC",
        "A128KW",
    ):
        yield HostileToken(f"alg {alg!r}", make_token(header={"alg": alg}), UNREADABLE)
    for alg in ("RS256", "RS384", "RS512", "ES256", "ES256K", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA"):
        yield HostileToken(f"alg {alg} over an HMAC", make_token(header={"alg": alg}), UNREADABLE)
        text = make_token(header={"alg": alg}, secret=_PUBLIC_PEM)
        yield HostileToken(f"alg {alg}, the public key as secret", text, UNREADABLE)
    for alg in ("HS384", "HS512"):
        yield HostileToken(f"alg {alg}, rightly signed", make_token(header={"alg": alg}, by=alg), UNREADABLE)
        yield HostileToken(f"alg HS256, signed by {alg}", make_token(by=alg), FORGED)
    for value in ("", None, 0, 256, True, [], ["HS256"], {}, {"HS256": 1}):
        yield HostileToken(f"alg {value!r}", make_token(header={"alg": value}), UNREADABLE)
    yield HostileToken("no alg", make_token(header={"alg": ABSENT}), UNREADABLE)
    yield HostileToken("alg twice, none first", sign(b'{"alg":"none","alg":"HS256"}', _PAYLOAD), UNREADABLE)
    yield HostileToken("alg twice, none last", sign(b'{"alg":"HS256","alg":"none"}', _PAYLOAD), UNREADABLE)
    yield HostileToken("alg twice, one escaped", sign(b'{"alg":"HS256","\\u0061lg":"HS256"}', _PAYLOAD), UNREADABLE)
    yield HostileToken("the public key as secret", make_token(secret=_PUBLIC_PEM), FORGED)


def _keys() -> Iterator[HostileToken]:
    mine = base64.urlsafe_b64encode(b"a key of the attacker's own, thirty-two bytes").rstrip(b"=")
    jwk = {"kty": "oct", "alg": "HS256", "k": mine.decode()}
    key = base64.urlsafe_b64decode(mine + b"==")
    for name, header in (
        ("jwk", {"jwk": jwk}),
        ("jwk with a kid", {"jwk": jwk | {"kid": "a"}, "kid": "a"}),
        ("jwks", {"jwks": {"keys": [jwk]}}),
        ("jku", {"jku": "https://evil.example/keys"}),
        ("jku on a file", {"jku": "file:///dev/null"}),
        ("x5u", {"x5u": "https://evil.example/cert.pem"}),
        ("x5c", {"x5c": ["MIIB"]}),
        ("x5t", {"x5t": "AAAA"}),
    ):
        yield HostileToken(f"{name} in the header, signed with it", make_token(header=header, secret=key), FORGED)
        yield HostileToken(f"{name} in the header, signed with ours", make_token(header=header), GOOD)
    for kid in ("../../../../dev/null", "/dev/null", "' UNION SELECT 'a' --", "| sleep 5", "a" * 2000, "http://[::1]/"):
        yield HostileToken(f"kid {kid[:24]!r}, empty secret", make_token(header={"kid": kid}, secret=b""), FORGED)
    kids: list[Any] = ["", None, 1, True, [], {}, "\0", "\n"]
    for value in kids:
        yield HostileToken(f"kid {value!r}", make_token(header={"kid": value}), UNREADABLE)
    for name, secret in (
        ("empty", ""),
        ("a known default", "secret"),
        ("ours, one letter more", SECRET + "!"),
        ("ours, one letter less", SECRET[:-1]),
        ("ours in capitals", SECRET.upper()),
        ("ours in base64", base64.b64encode(SECRET.encode()).decode()),
        ("the issuer", OWN),
    ):
        yield HostileToken(f"signed with a secret that is {name}", make_token(secret=secret), FORGED)


def _headers() -> Iterator[HostileToken]:
    for crit in (["exp"], ["b64"], [], None, "exp", ["http://example.invalid/UNDEFINED"]):
        yield HostileToken(f"crit {crit!r}", make_token(header={"crit": crit}), UNREADABLE)
    for b64 in (True, False, None):
        yield HostileToken(f"b64 {b64!r}", make_token(header={"b64": b64}), UNREADABLE)
    types: list[Any] = ["JOSE", "jwt", "JWT ", "application/jwt", "dpop+jwt", "id_token", "", None, 1, ["JWT"], {}]
    for typ in types:
        yield HostileToken(f"typ {typ!r}", make_token(header={"typ": typ}), UNREADABLE)
    for typ in ("at+jwt", ABSENT):
        yield HostileToken(f"typ {typ!r}", make_token(header={"typ": typ}), GOOD)
    for name, header in (
        ("an array", b'["HS256"]'),
        ("a string", b'"HS256"'),
        ("null", b"null"),
        ("empty", b""),
        ("an empty object", b"{}"),
        ("not JSON", b"alg=HS256"),
        ("a comment", b'{"alg":"HS256"/**/}'),
        ("single quotes", b"{'alg':'HS256'}"),
        ("a trailing comma", b'{"alg":"HS256",}'),
        ("followed by another", b'{"alg":"HS256"}{"alg":"none"}'),
        ("followed by NUL", b'{"alg":"HS256"}\0'),
        ("behind a BOM", b'\xef\xbb\xbf{"alg":"HS256"}'),
        ("UTF-16", '{"alg":"HS256"}'.encode("utf-16")),
        ("UTF-16 little endian", '{"alg":"HS256"}'.encode("utf-16-le")),
        ("UTF-32", '{"alg":"HS256"}'.encode("utf-32")),
        ("not UTF-8", b'{"alg":"HS256","x":"\xff"}'),
        ("nested deeply", b'{"alg":"HS256","x":' + b"[" * 40 + b"]" * 40 + b"}"),
        ("gzip", b"\x1f\x8b\x08\x00"),
    ):
        yield HostileToken(f"a header that is {name}", sign(header, _PAYLOAD), UNREADABLE)


def _payloads() -> Iterator[HostileToken]:
    good = _PAYLOAD.decode()
    for name, payload in (
        ("an array", b"[]"),
        ("a string", json.dumps(good).encode()),
        ("a number", b"1"),
        ("null", b"null"),
        ("empty", b""),
        ("blank", b"  "),
        ("not JSON", b"sub=u_ada"),
        ("cut off", _PAYLOAD[:-1]),
        ("followed by another", _PAYLOAD + _PAYLOAD),
        ("followed by NUL", _PAYLOAD + b"\0"),
        ("behind a BOM", b"\xef\xbb\xbf" + _PAYLOAD),
        ("UTF-16", good.encode("utf-16")),
        ("UTF-16 big endian", good.encode("utf-16-be")),
        ("UTF-32", good.encode("utf-32")),
        ("Latin-1", good.replace("u_ada", "zo\u00eb").encode("latin-1")),
        ("overlong UTF-8", _PAYLOAD.replace(b"u_ada", b"u\xc1\x9fada")),
        ("a surrogate in UTF-8", _PAYLOAD.replace(b"u_ada", b"u_\xed\xa0\x80")),
        ("with a raw newline", _PAYLOAD.replace(b"u_ada", b"u_\nada")),
        ("with a raw NUL", _PAYLOAD.replace(b"u_ada", b"u_\0ada")),
        ("nested 40 deep", _with(b'"x":' + b"[" * 40 + b"]" * 40)),
        ("objects nested 40 deep", _with(b'"x":' + b'{"x":' * 40 + b"1" + b"}" * 40)),
        ("nested 1,500 deep", _with(b'"x":' + b"[" * 1500 + b"]" * 1500)),
        ("with a comment", _with(b'"x":1/**/')),
        ("with a leading zero", _with(b'"x":01')),
        ("with a plus sign", _with(b'"x":+1')),
        ("with hexadecimal", _with(b'"x":0x10')),
        ("with NaN elsewhere", _with(b'"x":NaN')),
        ("with Infinity elsewhere", _with(b'"x":Infinity')),
        ("with a huge float elsewhere", _with(b'"x":1e400')),
        ("with 5,000 digits elsewhere", _with(b'"x":' + b"9" * 5000)),
        ("with a lone surrogate elsewhere", _with(b'"x":"\\ud800"')),
        ("with members twice inside another", _with(b'"x":{"a":1,"a":2}')),
    ):
        yield HostileToken(f"a payload that is {name}", sign(_HEADER, payload), UNREADABLE)
    for name in ("iss", "sub", "exp", "iat", "jti"):
        value = json.dumps(make_claims()[name]).encode()
        yield HostileToken(f"{name} twice", sign(_HEADER, _with(b'"%b":%b' % (name.encode(), value))), UNREADABLE)
    escaped = _with(b'"s\\u0075b":"u_root"')
    yield HostileToken("sub twice, one escaped", sign(_HEADER, escaped), UNREADABLE)
    yield HostileToken("an unknown member twice", sign(_HEADER, _with(b'"x":1,"x":1')), UNREADABLE)
    yield HostileToken("blank around the payload", sign(_HEADER, b"\r\n\t " + _PAYLOAD + b" "), GOOD)
    yield HostileToken("nested 20 deep", sign(_HEADER, _with(b'"x":' + b"[" * 20 + b"]" * 20)), GOOD)
    yield HostileToken("10^400 in a claim of no meaning", sign(_HEADER, _with(b'"x":1' + b"0" * 400)), GOOD)


def _claiming(name: str, value: object) -> bytes:
    """A good token but for this claim."""
    members: dict[str, Any] = {name: value}
    return make_token(**members)


def _with(member: bytes) -> bytes:
    """The good payload and one member more, byte for byte as it is given."""
    return _PAYLOAD[:-1] + b"," + member + b"}"


def _times() -> Iterator[HostileToken]:
    later = int(NOW) + 600
    arabic = str(later).translate({ord("0") + digit: 0x660 + digit for digit in range(10)})
    values: list[Any] = [
        None,
        True,
        False,
        [],
        {},
        [later],
        str(later),
        f"{later}.0",
        "9_999_999_999",
        arabic,
        "",
        "never",
    ]
    for name in ("exp", "nbf", "iat"):
        for value in [*values, -1, -0.5, 253_402_300_800, 10**15, 10**40, 10**400, 1e300, -(10**400)]:
            text = _claiming(name, value)
            yield HostileToken(f"{name} {_brief(value)}", text, UNREADABLE)
        for word in (
            b"NaN",
            b"Infinity",
            b"-Infinity",
            b"1e400",
            b"-1e400",
            b"9" * 5000,
            b"1_800_000_600",
            b"0x7fffffff",
        ):
            payload = (
                json.dumps(make_claims(**{name: 0}))
                .encode()
                .replace(b'"%b": 0' % name.encode(), b'"%b": %b' % (name.encode(), word))
            )
            yield HostileToken(f"{name} {word[:16].decode()}", sign(_HEADER, payload), UNREADABLE)
    # Expired from `exp` plus leeway on (RFC 7519 4.1.4: "on or after").
    for exp, code in (
        (0, EXPIRED),
        (-0.0, EXPIRED),
        (NOW - _LEEWAY_S - 0.001, EXPIRED),
        (int(NOW) - _LEEWAY_S, EXPIRED),
        (NOW - _LEEWAY_S + 0.001, GOOD),
        (int(NOW), GOOD),
        (1.8000006e9, GOOD),
        (253_402_300_799, GOOD),
        (253_402_300_799.99, GOOD),
    ):
        yield HostileToken(f"exp {exp!r}", make_token(exp=exp), code)
    for name in ("nbf", "iat"):
        for time, code in (
            (0, GOOD),
            (int(NOW), GOOD),
            (NOW + _LEEWAY_S, GOOD),
            (NOW + _LEEWAY_S + 0.001, EARLY),
            (int(NOW) + _LEEWAY_S + 1, EARLY),
            (253_402_300_799, EARLY),
        ):
            yield HostileToken(f"{name} {time!r}", _claiming(name, time), code)
    yield HostileToken("no exp", make_token(exp=ABSENT), MISSING)
    yield HostileToken("expired and forged", make_token(exp=NOW - 9_999, secret=SECRET + "!"), FORGED)
    yield HostileToken("expired and not yet valid", make_token(exp=NOW - 9_999, nbf=NOW + 9_999), EXPIRED)


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) < 30 else f"{text[:8]}... ({len(text)} letters)"


def _texts() -> Iterator[HostileToken]:
    values: list[Any] = ["", "\0", "u_ada\0", "u_ada\n", "\r\nu_ada", "u_\x7fada", "u_\x85ada", "u_\x1b[2Jada"]
    values += [None, 7, 0.5, True, [], ["u_ada"], {}]
    for name in ("iss", "sub", "jti", "sid"):
        for value in values:
            yield HostileToken(f"{name} {value!r}", _claiming(name, value), UNREADABLE)
        for escape in (b"\\ud800", b"\\udc00", b"\\udc00\\ud800", b"u_\\ud83dada"):
            payload = json.dumps(make_claims(**{name: "?"})).encode().replace(b'"?"', b'"%b"' % escape)
            yield HostileToken(f"{name} with {escape.decode()}", sign(_HEADER, payload), UNREADABLE)
    for iss in (
        OWN.upper(), f" {OWN}", f"{OWN} ", f"{OWN}/", f"{OWN}\u200b", "watchw\u043erd", TRUSTED + "/", TRUSTED.upper(),
        "http://id.example", TRUSTED + ":443", TRUSTED + ".evil.example", "https://evil.example", "id.example", "*",
        "%", "null", f"{OWN},{TRUSTED}",
    ):  # fmt: skip
        yield HostileToken(f"iss {iss!r}", make_token(iss=iss), UNTRUSTED)
    yield HostileToken("iss of somebody who is trusted", make_token(iss=TRUSTED), GOOD)
    yield HostileToken("no iss", make_token(iss=ABSENT), MISSING)
    yield HostileToken("no sub", make_token(sub=ABSENT), MISSING)
    yield HostileToken("no claims at all", sign(_HEADER, b"{}"), MISSING)
    yield HostileToken("no jti, no iat", make_token(jti=ABSENT, iat=ABSENT), GOOD)
    for aud in (None, 1, True, {}, "", [""], [1], [None], [["x"]], ["x", 1], "\0", {"x": 1}):
        yield HostileToken(f"aud {aud!r}", make_token(aud=aud), UNREADABLE)
    for aud in ("https://db.example", ["https://db.example"], [], ["a", "b"], OWN):
        yield HostileToken(f"aud {aud!r}, and none is configured", make_token(aud=aud), UNREADABLE)
    for name in ("token_use", "token_type"):
        for value in ("id", "refresh", "Access", "access ", "Bearer", "", None, 1, True, ["access"], {}):
            yield HostileToken(f"{name} {value!r}", _claiming(name, value), UNREADABLE)
        yield HostileToken(f"{name} 'access'", _claiming(name, "access"), GOOD)


def _shapes() -> Iterator[HostileToken]:
    good = make_token()
    head, payload, signature = good.split(b".")
    join = b".".join
    for name, text in (
        ("nothing", b""),
        ("a dot", b"."),
        ("two dots", b".."),
        ("one part", head),
        ("two parts", join([head, payload])),
        ("four parts", good + b"."),
        ("four parts, the last a signature", good + b"." + signature),
        ("five parts, as encrypted tokens have", join([head, b"", b"", payload, signature])),
        ("a dot in front", b"." + good),
        ("no header", join([b"", payload, signature])),
        ("no payload", join([head, b"", signature])),
        ("blank in front", b" " + good),
        ("blank behind", good + b" "),
        ("a newline behind", good + b"\n"),
        ("NUL behind", good + b"\0"),
        ("a blank inside", join([head, payload[:8] + b" " + payload[8:], signature])),
        ("quotes around", b'"' + good + b'"'),
        ("a scheme in front", b"Bearer " + good),
        ("a padded signature", good + b"="),
        ("a padded header", join([head + b"=" * (-len(head) % 4 or 4), payload, signature])),
        ("a padded payload", join([head, payload + b"=" * (-len(payload) % 4 or 4), signature])),
        ("a length that base64 has not", good + b"AB"),
        ("a plus sign", join([head, payload, b"+" + signature[1:]])),
        ("a slash", join([head, payload, b"/" + signature[1:]])),
        ("a percent sign", join([head, payload, b"%2" + signature[2:]])),
        ("letters outside ASCII", join([head, payload, "\u00e9".encode() + signature[2:]])),
        ("a fullwidth dot", join([head, payload]) + "\uff0e".encode() + signature),
        ("UTF-16", good.decode().encode("utf-16-le")),
        ("in capitals", good.upper()),
        ("backwards", good[::-1]),
        ("JSON serialization", json.dumps({"payload": payload.decode(), "signature": signature.decode()}).encode()),
    ):
        yield HostileToken(f"a token that is {name}", text, UNREADABLE)
    yield HostileToken("loose bits behind the signature", join([head, payload, _loosen(signature)]), UNREADABLE)
    padded = sign(_HEADER, _PAYLOAD + b" " * (-(len(_PAYLOAD) + 1) % 3))  # so that bits are left over
    h, p, s = padded.split(b".")
    yield HostileToken("loose bits behind the payload", join([h, _loosen(p), s]), UNREADABLE)
    resigned = join([h, _loosen(p)])
    mac = encode_segment(hmac.digest(SECRET.encode(), resigned, "sha256"))
    yield HostileToken("loose bits behind the payload, signed", join([resigned, mac]), UNREADABLE)
    yield HostileToken("no signature", join([head, payload, b""]), FORGED)
    yield HostileToken("half a signature", join([head, payload, encode_segment(_bytes(signature)[:16])]), FORGED)
    yield HostileToken("a signature and more", join([head, payload, encode_segment(_bytes(signature) + b"\0")]), FORGED)
    yield HostileToken("a signature of NULs", join([head, payload, encode_segment(bytes(32))]), FORGED)
    other = make_token(sub="u_bob").split(b".")
    yield HostileToken("somebody else's signature", join([head, payload, other[2]]), FORGED)
    yield HostileToken("somebody else's payload", join([head, other[1], signature]), FORGED)
    for size_bytes, code in ((_MAX_TOKEN_BYTES, GOOD), (_MAX_TOKEN_BYTES + 1, UNREADABLE), (60_000, UNREADABLE)):
        yield HostileToken(f"{size_bytes} bytes", _of_size(size_bytes), code)
    yield HostileToken("random bytes", struct.pack("<8d", *[index / 7 for index in range(8)]), UNREADABLE)


def _bytes(segment: bytes) -> bytes:
    return base64.urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))


def _loosen(segment: bytes) -> bytes:
    """The same bytes to a forgiving decoder: the last letter has bits that stand for nothing."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(segment) % 4, "no bits are left over"
    loose = segment[:-1] + alphabet[alphabet.index(segment[-1]) + 1 :][:1]
    assert _bytes(loose) == _bytes(segment)
    return loose


def _of_size(size_bytes: int) -> bytes:
    """A rightly signed token of exactly this size; base64 cannot make every one, so the header varies too."""
    for more in range(4):
        header = b'{"alg":"HS256"' + b" " * more + b"}"
        rest_bytes = size_bytes - len(encode_segment(header)) - 2 - 43
        payload_bytes = rest_bytes * 3 // 4
        payload = _PAYLOAD + b" " * (payload_bytes - len(_PAYLOAD))
        if len(text := sign(header, payload)) == size_bytes:
            return text
    raise AssertionError(f"no token has {size_bytes} bytes")


HOSTILE_TOKENS: Final = (*_algorithms(), *_keys(), *_headers(), *_payloads(), *_times(), *_texts(), *_shapes())
