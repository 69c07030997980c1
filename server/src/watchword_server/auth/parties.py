"""Which addresses are one party's."""

from functools import lru_cache
from ipaddress import ip_address, ip_network

__all__ = ["party_of"]


@lru_cache(1024)
def party_of(address: str) -> str:
    """What one party is given to choose addresses from: a /64 of IPv6 (RFC 6177 2), an address of IPv4."""
    try:
        parsed = ip_address(address)
    except ValueError:  # a proxy's word that is no address
        return address
    return address if parsed.version == 4 else str(ip_network((parsed, 64), strict=False))
