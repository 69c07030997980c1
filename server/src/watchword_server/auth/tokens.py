"""A token (RFC 7519) judged by a table of checks: the first failing row answers.

    1 shape -> 2 iss present -> 3 iss trusted -> 4 alg -> 5 signature -> 6 exp -> 7 nbf, iat -> 8 claims -> 9 revoked
    `----------------- once, then remembered ----------------------'     `-- each time --'      once      each time

PyJWT checks the signature and nothing else: its `decode` forgives what section 2.1 of the protocol refuses (duplicate
members, numbers as text, padding) and has an order of its own. Pure but for what it remembers;
`now` is seconds since 1970.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

import jwt
from msgspec import Struct

from watchword_protocol.errors import ErrorCode
from watchword_protocol.limits import LATEST_TIME_S
from watchword_server.auth.revocations import Revocations
from watchword_server.auth.strict_json import decode_base64url, decode_object
from watchword_server.refusal import Refused

__all__ = ["CHECKS", "Check", "Issuer", "Token", "TokenRules", "Verifier", "shared_secret_issuers"]

_BASE64URL: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_FORBIDDEN_TEXT: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_TYPES: Final = frozenset({"JWT", "at+jwt"})  # RFC 7519 5.1, RFC 9068 2.1
_HEADERS_REMEMBERED: Final = 64
_SECRET_ALGORITHM: Final = "HS256"


class Issuer(Struct, frozen=True):
    """Whose tokens are trusted, and by which key.

    `algorithm`: PyJWT's implementation of `algorithm_name`; `key`: prepared once. `is_own`: this server's own issuer.
    """

    name: str
    algorithm_name: str
    algorithm: jwt.algorithms.Algorithm
    key: Any
    is_own: bool

    def __repr__(self) -> str:
        return f"<Issuer {self.name} {self.algorithm_name}>"  # never the key


def shared_secret_issuers(secret: str, own: str, trusted: Sequence[str]) -> dict[str, Issuer]:
    """The server's own issuer and the trusted ones, by one secret (HS256). An empty list trusts only ourselves."""
    algorithm = jwt.get_algorithm_by_name(_SECRET_ALGORITHM)
    key = algorithm.prepare_key(secret.encode())
    return {name: Issuer(name, _SECRET_ALGORITHM, algorithm, key, name == own) for name in (own, *trusted)}


class TokenRules(Struct, frozen=True):
    """What tokens are judged by. `audience`: ours, empty where none is configured (RFC 7519 4.1.3).

    `known_headers`: the algorithm by header segment, since one issuer's headers are all alike; only signed ones get in,
    so that nobody else can fill it.
    """

    issuers: Mapping[str, Issuer]
    revocations: Revocations
    audience: str = ""
    leeway_s: float = 30.0
    max_token_bytes: int = 8000
    known_headers: dict[bytes, str] = {}  # msgspec copies an empty default for every instance


class Token:
    """One token on its way through the checks, and what is remembered of it afterwards."""

    __slots__ = ("algorithm_name", "claims", "header_segment", "issuer", "signature", "signed", "text", "token_id")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.header_segment = self.signed = self.signature = b""
        self.algorithm_name = self.token_id = ""
        self.claims: dict[str, Any] = {}
        self.issuer: Issuer | None = None

    def __repr__(self) -> str:
        return f"<Token of {self.claims.get('sub')!r} by {self.claims.get('iss')!r}>"

    @property
    def subject(self) -> str:
        """The `sub` of a verified token."""
        return self.claims["sub"]  # type: ignore[no-any-return]  # text, by the first check

    @property
    def session_id(self) -> str | None:
        """The `sid`: the login that this token belongs to."""
        return self.claims.get("sid")

    @property
    def expires_at(self) -> float:
        """The `exp` of a verified token, seconds since 1970."""
        return self.claims["exp"]  # type: ignore[no-any-return]  # a number, by the first check

    def release(self) -> None:
        """Drop what only the checks needed."""
        self.text = self.header_segment = self.signed = self.signature = b""


class Check(NamedTuple):
    """One row of the table. `each_time`: its verdict may change while the token stays the same."""

    row: int
    name: str
    judge: Callable[[Token, TokenRules, float], ErrorCode | None]
    each_time: bool = False


def _check_shape(token: Token, rules: TokenRules, _now: float) -> ErrorCode | None:
    text = token.text
    if len(text) > rules.max_token_bytes or text.translate(None, _BASE64URL) != b"..":
        return ErrorCode.INVALID_TOKEN
    token.signed, _, signature = text.rpartition(b".")
    token.header_segment, _, payload = token.signed.partition(b".")
    try:
        token.algorithm_name = rules.known_headers.get(token.header_segment) or _read_header(token.header_segment)
        token.claims, token.signature = decode_object(decode_base64url(payload)), decode_base64url(signature)
    except (ValueError, RecursionError):  # UnicodeDecodeError and the decoders' own errors are ValueErrors
        return ErrorCode.INVALID_TOKEN
    return None if _are_well_typed(token.claims) else ErrorCode.INVALID_TOKEN


def _read_header(segment: bytes) -> str:
    header = decode_object(decode_base64url(segment))
    if not (_is_text(header.get("alg")) and _is_text(header.get("kid", "-")) and _is_text(header.get("typ", "JWT"))):
        raise ValueError("alg, kid or typ is not text")
    if "crit" in header or "b64" in header or header.get("typ", "JWT") not in _TYPES:
        raise ValueError("a header that we do not understand")  # RFC 7515 4.1.11: what is critical must be understood
    return str(header["alg"])


def _are_well_typed(claims: dict[str, Any]) -> bool:
    claim = claims.get
    return (
        _is_time(claim("exp", 0))
        and _is_time(claim("nbf", 0))
        and _is_time(claim("iat", 0))
        and _is_text(claim("iss", "-"))
        and _is_text(claim("sub", "-"))
        and _is_text(claim("jti", "-"))
        and _is_text(claim("sid", "-"))
        and _is_audience(claim("aud", "-"))
    )


def _is_text(value: object) -> bool:
    return type(value) is str and value != "" and (value.isprintable() or not _FORBIDDEN_TEXT.search(value))


def _is_time(value: object) -> bool:
    return (type(value) is int or type(value) is float) and 0 <= value < LATEST_TIME_S


def _is_audience(value: object) -> bool:
    return _is_text(value) or (type(value) is list and all(map(_is_text, value)))


def _check_issuer_present(token: Token, _rules: TokenRules, _now: float) -> ErrorCode | None:
    return None if "iss" in token.claims else ErrorCode.MISSING_CLAIM


def _check_issuer_trusted(token: Token, rules: TokenRules, _now: float) -> ErrorCode | None:
    token.issuer = rules.issuers.get(token.claims["iss"])
    return None if token.issuer else ErrorCode.UNTRUSTED_ISSUER


def _check_algorithm(token: Token, _rules: TokenRules, _now: float) -> ErrorCode | None:
    """The algorithm belongs to the issuer's key, never to the token's wish (RFC 8725 3.1)."""
    assert token.issuer is not None  # noqa: S101  # by the row above
    return None if token.algorithm_name == token.issuer.algorithm_name else ErrorCode.INVALID_TOKEN


def _check_signature(token: Token, rules: TokenRules, _now: float) -> ErrorCode | None:
    assert token.issuer is not None  # noqa: S101  # by row 3
    if not token.issuer.algorithm.verify(token.signed, token.issuer.key, token.signature):
        return ErrorCode.INVALID_SIGNATURE
    if len(rules.known_headers) < _HEADERS_REMEMBERED:
        rules.known_headers[token.header_segment] = token.algorithm_name
    # For a token without a name of its own: by the signature's bytes, not by the text, so that it has one name.
    token.token_id = token.claims.get("jti") or sha256(token.signature).hexdigest()[:32]
    return None


def _check_expiry(token: Token, rules: TokenRules, now: float) -> ErrorCode | None:
    if (expires_at := token.claims.get("exp")) is None:
        return ErrorCode.MISSING_CLAIM
    return ErrorCode.TOKEN_EXPIRED if expires_at + rules.leeway_s <= now else None


def _check_beginning(token: Token, rules: TokenRules, now: float) -> ErrorCode | None:
    latest = now + rules.leeway_s
    if token.claims.get("nbf", 0) > latest or token.claims.get("iat", 0) > latest:
        return ErrorCode.TOKEN_NOT_YET_VALID
    return None


def _check_claims(token: Token, rules: TokenRules, _now: float) -> ErrorCode | None:
    claims = token.claims
    if "sub" not in claims or (rules.audience and "aud" not in claims):
        return ErrorCode.MISSING_CLAIM
    if "aud" in claims:
        audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if not rules.audience or rules.audience not in audiences:
            return ErrorCode.INVALID_TOKEN
    # A refresh or identity token must not stand in for an access token (RFC 8725 3.11).
    if claims.get("token_use", "access") != "access" or claims.get("token_type", "access") != "access":
        return ErrorCode.INVALID_TOKEN
    return None


def _check_revocation(token: Token, rules: TokenRules, _now: float) -> ErrorCode | None:
    assert token.issuer is not None  # noqa: S101  # by row 3
    is_revoked = rules.revocations.holds(token.issuer.name, token.token_id, token.session_id)
    return ErrorCode.TOKEN_REVOKED if is_revoked else None


CHECKS: Final = (
    Check(1, "size, characters, three parts, strict JSON, types", _check_shape),
    Check(2, "iss present", _check_issuer_present),
    Check(3, "iss trusted", _check_issuer_trusted),
    Check(4, "alg is the issuer's", _check_algorithm),
    Check(5, "signature", _check_signature),
    Check(6, "exp present and not past", _check_expiry, each_time=True),
    Check(7, "nbf and iat not ahead", _check_beginning, each_time=True),
    Check(8, "sub, aud, use", _check_claims),
    Check(9, "not revoked", _check_revocation, each_time=True),
)
"""Rows 1 to 9. Rows 10 and 11 speak of the account: `authenticator.ACCOUNT_CHECKS`."""

_EACH_TIME: Final = tuple(check for check in CHECKS if check.each_time)


class Verifier:
    """Tokens to verified tokens, remembering the good ones until their `exp`.

    Args:
        rules: What they are judged by.
        remember: How many tokens at most; the oldest goes first.
    """

    def __init__(self, rules: TokenRules, remember: int = 20_000) -> None:
        self.rules = rules
        self._remember = remember
        # By SHA-256 of the text, so that no token lies in memory. (A plain dict takes ever longer to find its oldest.)
        self._good: OrderedDict[bytes, Token] = OrderedDict()

    def __len__(self) -> int:
        return len(self._good)

    def verify(self, text: bytes, now: float) -> Token:
        """The token, with all checks of the table passed.

        Raises:
            Refused: By the first failing row.
        """
        digest = sha256(text).digest()
        token = self._good.get(digest)
        if token is not None:
            self._judge(token, _EACH_TIME, now)
            return token
        token = Token(text)
        self._judge(token, CHECKS, now)
        token.release()
        while len(self._good) >= self._remember:
            self._good.popitem(last=False)
        self._good[digest] = token
        return token

    def forget(self, subjects: set[str]) -> None:
        """Drop what is remembered of these `sub`s: a user's id and name, when the user changes."""
        for digest in [digest for digest, token in self._good.items() if token.subject in subjects]:
            del self._good[digest]

    def forget_expired(self, now: float) -> None:
        """Drop what no check would pass any more."""
        limit = now - self.rules.leeway_s
        for digest in [digest for digest, token in self._good.items() if token.expires_at <= limit]:
            del self._good[digest]

    def _judge(self, token: Token, checks: tuple[Check, ...], now: float) -> None:
        for check in checks:
            if (code := check.judge(token, self.rules, now)) is not None:
                raise Refused(code)
