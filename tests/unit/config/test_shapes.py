"""Texts that a type cannot judge."""

from collections.abc import Callable
from typing import Any

import pytest

from watchword_server.config.shapes import (
    host_fault,
    issuers_fault,
    listen_fault,
    origins_fault,
    proxies_fault,
    secret_fault,
    text_fault,
)

RIGHT: list[tuple[Callable[[Any], str | None], Any]] = [
    (origins_fault, []),
    (origins_fault, ["https://app.example", "http://localhost:3000", "http://127.0.0.1:*", "http://[::1]:8080"]),
    (origins_fault, ["capacitor://localhost", "chrome-extension://abcdef"]),
    *(
        (host_fault, host)
        for host in ("127.0.0.1", "::", "fe80::1%eth0", "localhost", "db.example", "db.example.", "my_db-1", "bücher.x")
    ),
    (origins_fault, ["https://a:65535", "https://a:1"]),
    (proxies_fault, ["10.0.0.7", "10.0.0.0/8", "::1", "fd00::/8"]),
    (issuers_fault, ["https://a", "https://a/", "my issuer"]),
    (listen_fault, ""),
    (secret_fault, ""),
    (secret_fault, "x" * 32),
    (text_fault, "naïve text"),
]
WRONG: list[tuple[Callable[[Any], str | None], Any, str]] = [
    (origins_fault, ["https://a", "https://b/"], '"https://b/" is not an origin'),
    (origins_fault, ["https://b/path"], "not an origin"),
    (origins_fault, ["https://B"], "lower case"),
    (origins_fault, ["app.example"], "not an origin"),
    (origins_fault, ["https://*.example"], "not an origin"),
    (origins_fault, ["*"], "not an origin"),
    (origins_fault, ["https://a:port"], "not an origin"),
    (origins_fault, ["https://a\n"], "not an origin"),
    (origins_fault, ["https://a:65536"], "a port that does not exist"),
    (origins_fault, ["https://a:0"], "a port that does not exist"),
    *(
        (host_fault, host, "is no host")
        for host in ("a b", "a..b", "-a", "[::1]", "x" * 64, "x." * 127 + "x", "1.2.3", "1.2.3.256", "a:80", "http://a")
    ),
    (origins_fault, ["null"], "null is never allowed"),
    (proxies_fault, ["proxy.example"], '"proxy.example" is not an IP address'),
    (proxies_fault, ["10.0.0.7/8"], "without host bits"),
    (proxies_fault, ["10.0.0.0/33"], "not an IP address"),
    (issuers_fault, ["https://a", ""], "not an issuer"),
    (issuers_fault, ["a\nb"], "not an issuer"),
    (issuers_fault, ["https://a", "https://a"], "twice"),
    (listen_fault, "127.0.0.1:9090", "not served yet"),
    (listen_fault, "localhost", "not a place to listen"),
    (listen_fault, "localhost:99999", "not a place to listen"),
    (listen_fault, ":9090", "not a place to listen"),
    (secret_fault, "\udcff" * 40, "not Unicode"),
    (secret_fault, " \t" * 19, "nothing but blanks"),
    (text_fault, "a\x00b", "control character"),
    (text_fault, "a\udc80", "not UTF-8"),
]


@pytest.mark.parametrize(("fault", "value"), RIGHT)
def test_right_shape_has_no_fault(fault: Callable[[Any], str | None], value: Any) -> None:
    assert fault(value) is None


@pytest.mark.parametrize(("fault", "value", "words"), WRONG)
def test_wrong_shape_is_told(fault: Callable[[Any], str | None], value: Any, words: str) -> None:
    assert words in (fault(value) or "no fault")
