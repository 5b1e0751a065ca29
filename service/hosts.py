"""Hosts: which names the service answers to, and which of them are its own machine."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address

from index.settings import Settings

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def allowed_hosts(settings: Settings) -> tuple[str, ...]:
    """Return the hosts, without ports, that the service answers to."""
    bound = host_of(settings.bind)
    return tuple(dict.fromkeys((*LOOPBACK, bound, *settings.hosts)))


def host_of(bind: str) -> str:
    """Return the host of ``HOST:PORT``."""
    return bind.rpartition(":")[0].lower()


def without_port(host: str) -> str:
    """Return the host of a ``Host`` header."""
    return re.sub(r":\d*\Z", "", host.lower())


def is_loopback(bind: str) -> bool:
    """Return whether ``HOST:PORT`` can be reached from its own machine only."""
    host = bind.rpartition(":")[0]
    if host == "localhost" or bind.startswith("unix:"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def network_of(address: str) -> str:
    """Return what stands for whoever has an address: of IPv6, its first half.

    The other half is its owner's to choose, as often as they like.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        mapped = found.ipv4_mapped
        return found.exploded[:19] if mapped is None else str(mapped)
    return address
