"""Whose address counts: that of the client, as far as who says it may be believed."""

import pytest

from shared.address import source_of
from shared.auth_settings import AuthSettings

PROXY = ("10.1.2.3", 1)
STRANGER = ("203.0.113.9", 1)


@pytest.mark.parametrize(
    ("client", "forwarded", "address"),
    [
        (PROXY, "192.0.2.7", "192.0.2.7"),
        (PROXY, "6.6.6.6, 192.0.2.7", "192.0.2.7"),
        (PROXY, "6.6.6.6,[2001:db8::1]", "2001:db8::1"),
        (PROXY, "::ffff:192.0.2.7", "192.0.2.7"),
        (PROXY, None, "10.1.2.3"),
        (PROXY, "nobody", "10.1.2.3"),
        (PROXY, "x" * 100_000, "10.1.2.3"),
        (STRANGER, "192.0.2.7", "203.0.113.9"),
        (("::ffff:10.1.2.3", 1), "192.0.2.7", "192.0.2.7"),
        (("not an address", 1), "192.0.2.7", "not an address"),
        (None, "192.0.2.7", "192.0.2.7"),
        (None, None, None),
    ],
)
def test_forwarded_addresses_are_believed_of_our_own_proxies_only(
    client: tuple[str, int] | None, forwarded: str | None, address: str | None
) -> None:
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    assert AuthSettings(mode="none").addresses.of(client, headers) == address


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (":not:an:address", ":not:an:address"),
        (None, ""),
    ],
)
def test_whoever_has_one_ipv6_address_has_a_network_of_them(address: str | None, source: str) -> None:
    assert source_of(address) == source


@pytest.mark.parametrize("network", ["10.0.0.1/8", "everybody", "10.0.0.0/33"])
def test_what_is_no_network_is_refused(network: str) -> None:
    with pytest.raises(ValueError, match="is no network"):
        AuthSettings(mode="none", trusted_proxies=(network,))
