"""Whose connection it is: the peer's own address, or what a trusted proxy says of it. Pure."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from watchword_server.auth.credentials import Peer

__all__ = ["TrustedProxies"]

_Address = IPv4Address | IPv6Address


class TrustedProxies:
    """The proxies whose `X-Forwarded-For` is believed.

    Args:
        networks: Addresses and CIDR ranges; none means that nobody is believed.
    """

    def __init__(self, networks: Sequence[str] = ()) -> None:
        self._networks: list[IPv4Network | IPv6Network] = [ip_network(network, strict=False) for network in networks]

    def peer(self, socket_address: str, forwarded_for: Sequence[bytes], *, is_forwarded: bool) -> Peer:
        """Who connects.

        Args:
            socket_address: The address at the other end of the socket.
            forwarded_for: The values of `X-Forwarded-For`.
            is_forwarded: A `Forwarded` (RFC 7239) or `X-Forwarded-For` header is there. Whoever sends one speaks for
                somebody else, so that a local proxy does not lend its loopback address to strangers.
        """
        address = socket_address
        if forwarded_for and self.include(socket_address):
            address = self._client(forwarded_for) or socket_address
        return Peer(address, not is_forwarded and _is_loopback(socket_address))

    def include(self, address: str) -> bool:
        """Whether this address is a trusted proxy's."""
        parsed = _parse(address) if self._networks else None
        return parsed is not None and any(parsed in network for network in self._networks)

    def _client(self, forwarded_for: Sequence[bytes]) -> str | None:
        """The last address that is not a trusted proxy's: what stands before it is the client's own word."""
        hops = [hop.strip() for value in forwarded_for for hop in value.decode("latin-1").split(",")]
        for hop in reversed(hops):
            if (parsed := _parse(hop)) is None:
                return None
            if not self.include(str(parsed)):
                return str(parsed)
        return None


@lru_cache(1024)
def _is_loopback(address: str) -> bool:
    parsed = _parse(address)
    return parsed is not None and parsed.is_loopback


@lru_cache(1024)
def _parse(text: str) -> _Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)  # ::ffff:127.0.0.1, as a dual-stack socket says it
    return mapped or address
