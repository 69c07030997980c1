"""What a type cannot say of a text: origins, addresses, secrets, issuers. Each function gives a sentence, or None."""

import ipaddress
import re
from collections.abc import Sequence
from typing import Final

from watchword_server.config.values import shown

__all__ = [
    "HOW_TO_MAKE_ONE",
    "SECRET_BYTES",
    "host_fault",
    "issuers_fault",
    "listen_fault",
    "one_worker_fault",
    "origins_fault",
    "proxies_fault",
    "secret_fault",
    "text_fault",
]

SECRET_BYTES: Final = 32
"""The key of HS256 has at least as many bits as its hash (RFC 7518 3.2)."""

HOW_TO_MAKE_ONE: Final = "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"

# Scheme, host as a browser writes it (lower case, IDN as punycode, IPv6 in brackets), then no port, one, or any.
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.\-]*://(\[[0-9a-f:.]+\]|[a-z0-9._\-]+)(:(\d{1,5}|\*))?")
_LISTEN: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._\-]+):\d{1,5}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_HALF: Final = re.compile(r"[\ud800-\udfff]")  # how Python shows bytes of arguments and variables that are not UTF-8
# One label of a host name (RFC 1035 2.3.1, RFC 1123 2.1), and the underscore that container networks use.
_LABEL: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_\-]{0,61}[A-Za-z0-9_])?")
_HOST_CHARACTERS: Final = 253
_MAX_PORT: Final = 65_535

# Secrets that stand in tutorials, debuggers and other servers' example files; whoever reads those can sign with them.
_KNOWN_SECRETS: Final = frozenset(
    {
        "astringsecretatleast256bitslong",
        "supersecretjwttokenwithatleast32characterslong",
        "yoursupersecretjwttokenwithatleast32characterslong",
        "thisisasecretkeythatisatleast32byteslong",
        "thisisaverylongsecretkeyforjwttokens",
        "my32characterultrasecureandultralongsecret",
        "mysupersecretkeythatisatleast32characterslong",
        "0123456789abcdef0123456789abcdef",
    }
)
_PLACEHOLDER: Final = re.compile(
    r"changeme|changethis|changeinproduction|replaceme|yoursecret|yourjwtsecret|insertsecret"
)


def secret_fault(secret: str) -> str | None:
    """Whether tokens may be signed with it; the empty text is none yet, which is not this function's business."""
    if not secret:
        return None
    try:
        size = len(secret.encode())
    except UnicodeEncodeError:
        return f"holds text that is not Unicode; {HOW_TO_MAKE_ONE}"
    if size < SECRET_BYTES:
        return f"needs at least {SECRET_BYTES} bytes, has {size}; {HOW_TO_MAKE_ONE}"
    if not secret.strip():
        return f"is nothing but blanks; {HOW_TO_MAKE_ONE}"
    letters = re.sub(r"[^a-z0-9]", "", secret.lower())
    if letters in _KNOWN_SECRETS or _PLACEHOLDER.search(letters):
        return f"is a known example, anybody could sign with it; {HOW_TO_MAKE_ONE}"
    return None


def host_fault(host: str) -> str | None:
    """Whether one can listen there: an address, or a name that could be one's own."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if _is_host_name(host):
            return None
        return f"{shown(host)} is no host: write an address, as in 127.0.0.1, 0.0.0.0 or ::1 (no brackets), or a name"
    return None


def _is_host_name(host: str) -> bool:
    try:
        labels = host.encode("idna").decode("ascii").removesuffix(".").split(".")
    except UnicodeError:  # a label is empty, too long, or holds what no name may
        return False
    # What ends in a number is an address (https://url.spec.whatwg.org/#ends-in-a-number-checker), here a broken one.
    return (
        all(_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
        and len(".".join(labels)) <= _HOST_CHARACTERS
    )


def origins_fault(origins: Sequence[str]) -> str | None:
    """Whether a browser could send each of them as its Origin (RFC 6454 6.2); the port may be `*`."""
    for origin in origins:
        if origin == "null":
            return "null is never allowed: any sandboxed page has this origin"
        match = _ORIGIN.fullmatch(origin)
        if match and (match[3] or "*") != "*" and not 1 <= int(match[3]) <= _MAX_PORT:
            return f"{shown(origin)} has a port that does not exist: they go from 1 to {_MAX_PORT}"
        if not match:
            return (
                f"{shown(origin)} is not an origin:"
                " write scheme://host, scheme://host:port or scheme://host:* in lower case, without a path"
            )
    return None


def proxies_fault(proxies: Sequence[str]) -> str | None:
    """Whether each of them is an address or a network."""
    for proxy in proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            return f"{shown(proxy)} is not an IP address or a network without host bits: write 10.0.0.7 or 10.0.0.0/8"
    return None


def issuers_fault(issuers: Sequence[str]) -> str | None:
    """Whether each can be a token's `iss`, and stands there once."""
    for issuer in issuers:
        if not issuer or text_fault(issuer):
            return f"{shown(issuer)} is not an issuer: write the exact text of the token's iss"
    if len(set(issuers)) < len(issuers):
        return "names an issuer twice"
    return None


def listen_fault(listen: str) -> str | None:
    """Whether it is empty; host and port are a later stage."""
    if listen and (not _LISTEN.fullmatch(listen) or int(listen.rpartition(":")[2]) > _MAX_PORT):
        return f'{shown(listen)} is not a place to listen: write host:port, as in "127.0.0.1:9090"'
    return "metrics are not served yet: leave it empty" if listen else None


def text_fault(text: str) -> str | None:
    """Whether it is free of control characters and of half characters."""
    if _HALF.search(text):
        return "is not UTF-8 text"
    return "holds a control character" if _CONTROL.search(text) else None


def one_worker_fault(workers: int) -> str | None:
    """Several processes on one store are a later stage."""
    return None if workers == 1 else f"{workers} processes are not possible yet: leave it at 1"
