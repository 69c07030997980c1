"""Whose connection it is."""

import pytest

from watchword_server.auth.credentials import Peer
from watchword_server.auth.proxies import TrustedProxies

CLIENT, PROXY, INNER = "192.0.2.7", "10.0.0.1", "10.0.0.2"


@pytest.mark.parametrize(
    ("networks", "forwarded_for", "address"),
    [
        ([], [], PROXY),
        ([], [CLIENT], PROXY),
        (["10.9.0.0/16"], [CLIENT], PROXY),
        ([PROXY], [CLIENT], CLIENT),
        (["10.0.0.0/8"], [CLIENT], CLIENT),
        (["10.0.0.5/8"], [CLIENT], CLIENT),
        ([PROXY], [f"1.1.1.1, {CLIENT}"], CLIENT),
        ([PROXY], ["1.1.1.1", CLIENT], CLIENT),
        ([PROXY], [f" {CLIENT}\t"], CLIENT),
        ([PROXY], [f"{CLIENT}, {INNER}"], INNER),
        (["10.0.0.0/8"], [f"{CLIENT}, {INNER}"], CLIENT),
        (["10.0.0.0/8"], [INNER], PROXY),
        ([PROXY], [""], PROXY),
        ([PROXY], ["unknown"], PROXY),
        ([PROXY], [f"{CLIENT}, _hidden"], PROXY),
        ([PROXY], [f"{CLIENT},"], PROXY),
        ([PROXY], [f"{CLIENT}:1234"], PROXY),
        ([PROXY], ["1.2.3"], PROXY),
        ([PROXY], ["caf\u00e9"], PROXY),
        ([PROXY], ["2001:db8::7"], "2001:db8::7"),
        ([PROXY], ["2001:DB8:0::7"], "2001:db8::7"),
        ([PROXY], [f"::ffff:{CLIENT}"], CLIENT),
        ([PROXY], ["127.0.0.1"], "127.0.0.1"),
    ],
)
def test_the_address_is_the_last_that_is_not_a_trusted_proxys(
    networks: list[str], forwarded_for: list[str], address: str
) -> None:
    values = [value.encode("latin-1") for value in forwarded_for]
    peer = TrustedProxies(networks).peer(PROXY, values, is_forwarded=bool(values))
    assert peer == Peer(address, is_local=False)


@pytest.mark.parametrize(
    ("address", "is_local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104  # an address, not a place to listen
        ("::", False),
        ("::ffff:10.0.0.1", False),
        ("fe80::1%eth0", False),
        ("", False),
        ("localhost", False),
        ("127.0.0.1.example", False),
    ],
)
def test_local_is_who_comes_by_loopback_and_speaks_for_nobody_else(address: str, is_local: bool) -> None:
    for networks in ([], ["127.0.0.0/8", "::1"]):
        proxies = TrustedProxies(networks)
        assert proxies.peer(address, [], is_forwarded=False).is_local is is_local
        assert not proxies.peer(address, [], is_forwarded=True).is_local
        assert not proxies.peer(address, [b"127.0.0.1"], is_forwarded=True).is_local


@pytest.mark.parametrize(
    ("networks", "address", "is_included"),
    [
        ([], "10.0.0.1", False),
        (["10.0.0.0/8"], "10.255.0.1", True),
        (["10.0.0.0/8"], "11.0.0.1", False),
        (["10.0.0.0/8"], "::ffff:10.0.0.1", True),
        (["10.0.0.0/8"], "2001:db8::1", False),
        (["2001:db8::/32"], "2001:db8::1", True),
        (["2001:db8::/32"], "10.0.0.1", False),
        (["10.0.0.0/8"], "nonsense", False),
    ],
)
def test_a_network_includes_its_addresses_only(networks: list[str], address: str, is_included: bool) -> None:
    assert TrustedProxies(networks).include(address) is is_included
