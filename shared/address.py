"""Where a request comes from: the address of the client, not of the proxy before us."""

import ipaddress
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_FORWARDED: Final = "x-forwarded-for"
_SITE_BITS: Final = 64
"""Whoever has one IPv6 address has a network of them."""


class Addresses:
    """Believes `X-Forwarded-For` only of those who are trusted: others could write what they like there."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = tuple(trusted)
        self._believes = lru_cache(maxsize=256)(self._is_trusted)

    def of(self, client: Any, headers: Mapping[str, str]) -> str | None:
        """The address of a client, None where it can't be known. `client` is ASGI's: (host, port), or None.

        The last one that a trusted proxy has seen; those before it are what the client says.
        """
        peer = client[0] if client else None
        forwarded = headers.get(_FORWARDED)
        if forwarded and (peer is None or self._believes(peer)):
            return _written(forwarded.rpartition(",")[2].strip()) or peer
        return peer

    def _is_trusted(self, peer: str) -> bool:
        try:
            address = _plain(peer)
        except ValueError:
            return False
        return any(address in network for network in self._trusted)


def source_of(address: str | None) -> str:
    """Whom limits count an address for: itself, or its /64; empty where there is none."""
    if address is None or ":" not in address:
        return address or ""
    try:
        return str(ipaddress.ip_network((address.partition("%")[0], _SITE_BITS), strict=False))
    except ValueError:
        return address


def _written(text: str) -> str | None:
    try:
        return str(_plain(text))
    except ValueError:
        return None


def _plain(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address
