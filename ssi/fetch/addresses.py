"""Addresses: which may be asked at all? Those of the public internet, and this machine's own where allowed."""

from __future__ import annotations

import ipaddress
import socket

_SPECIAL_IPV4 = tuple(
    ipaddress.IPv4Network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
_GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
_SPECIAL_IPV6 = tuple(
    ipaddress.IPv6Network(block) for block in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Is this an address of the public internet, by the IANA special-purpose registries?

    An IPv4 address inside an IPv6 one (mapped, or NAT64 by RFC 6052) is judged as the IPv4 address.

    >>> is_public("93.184.216.34"), is_public("100.64.0.1"), is_public("64:ff9b::a00:1"), is_public("::ffff:10.0.0.1")
    (True, False, False, False)
    """
    read = _address(address)
    if isinstance(read, ipaddress.IPv4Address):
        return not any(read in block for block in _SPECIAL_IPV4)
    return read is not None and read in _GLOBAL_IPV6 and not any(read in block for block in _SPECIAL_IPV6)


def is_loopback(address: str) -> bool:
    """Is this an address of this very machine?

    >>> is_loopback("127.0.0.2"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    read = _address(address)
    return read is not None and read.is_loopback


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        read = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(read, ipaddress.IPv4Address):
        return read
    if read.ipv4_mapped is not None:
        return read.ipv4_mapped
    return ipaddress.IPv4Address(int(read) & 0xFFFFFFFF) if read in _NAT64 else read


def system_addresses(host: str, port: int) -> tuple[str, ...]:
    """The host's addresses as this machine's resolver knows them. Raises OSError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that IDNA cannot take
        raise OSError(str(error)) from None
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
