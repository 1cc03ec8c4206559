"""Addresses that no request may reach whose URL came from outside: those of this computer and of the network around it.

A page, a row or a redirect could otherwise make a run ask the metadata service of a cloud, a router or a database. What
is looked at is the address that a socket is about to connect to, so that it does not matter what a name meant before.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohappyeyeballs import AddrInfoType

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class PrivateAddressError(OSError):
    """The address is no public one."""

    def __init__(self) -> None:
        super().__init__("No public address.")  # the same text for all: aiohttp then keeps the type


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet: not private, loopback, link-local, shared (CGNAT) or multicast."""
    try:
        one = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(one, ipaddress.IPv6Address):
        if one.is_site_local:
            return False
        inner = one.ipv4_mapped or one.sixtofour or (one.teredo[1] if one.teredo else None)
        if one in _NAT64:
            inner = ipaddress.IPv4Address(one.packed[-4:])
        if inner is not None:
            return is_public(str(inner))
    return one.is_global and not one.is_multicast


async def is_public_host(host: str) -> bool:
    """Whether a name means addresses of the internet only; False where nobody knows it."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return all(is_public(str(address[0])) for *_, address in found)


def public_socket(info: AddrInfoType) -> socket.socket:
    """The socket for a connection.

    Raises:
        PrivateAddressError: it would not lead to the internet.
    """
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise PrivateAddressError
    return socket.socket(family, kind, protocol)
