"""Where a server is: the url that was given, checked and completed."""

from ipaddress import ip_address
from urllib.parse import urlsplit, urlunsplit

from watchword_protocol.limits import PATH

__all__ = ["complete_url", "is_loopback"]


def complete_url(url: str) -> str:
    """The url of the WebSocket: `ws://host:8080` becomes `ws://host:8080/v1/ws`; a path that is given stays.

    Raises:
        TypeError: Not a string.
        ValueError: Not `ws://` or `wss://`, no host, a fragment, spaces, or a credential, which is never sent in a url.
    """
    if not isinstance(url, str):
        raise TypeError(f"url must be a string, not {type(url).__name__}")
    if not url.isprintable() or any(character.isspace() for character in url):
        raise ValueError("url must not hold spaces or control characters")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValueError(f"{url!r} is not a url: {error}") from None
    if parts.scheme not in ("ws", "wss"):
        raise ValueError(f"url must begin with ws:// or wss://, not {parts.scheme + '://' if parts.scheme else url!r}")
    if parts.username is not None or parts.password is not None:
        raise ValueError("url must not hold a credential; give user= and password=, or token=")
    try:
        port_is_valid = parts.port != 0
    except ValueError:
        port_is_valid = False
    if not parts.hostname or not port_is_valid:
        raise ValueError(f"url needs a host, and a port from 1 to 65535 if it has one: {url!r}")
    if parts.fragment:
        raise ValueError(f"url must not have a fragment (RFC 6455 3): {url!r}")
    return urlunsplit(parts._replace(path=PATH) if parts.path in ("", "/") else parts)


def is_loopback(url: str) -> bool:
    """Whether the url names this machine, which no proxy of the environment can reach on our behalf."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
