"""Hosts: which names the service answers to, and which of them are its own machine."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address

from index.settings import Settings

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def allowed_hosts(settings: Settings) -> tuple[str, ...]:
    """Hosts, without ports, that the service answers to."""
    bound = host_of(settings.bind)
    return tuple(dict.fromkeys((*LOOPBACK, bound, *settings.hosts)))


def host_of(bind: str) -> str:
    """Host of ``HOST:PORT``, in lower case."""
    return bind.rpartition(":")[0].lower()


def without_port(host: str) -> str:
    """Host of a ``Host`` header, in lower case."""
    return re.sub(r":\d*\Z", "", host.lower())


def is_loopback(bind: str) -> bool:
    """Whether only its own machine can reach ``HOST:PORT`` or ``unix:FILE``."""
    host = bind.rpartition(":")[0]
    if host == "localhost" or bind.startswith("unix:"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def network_of(address: str) -> str:
    """Network that counts as one caller: an IPv4 address, or the first half of an IPv6.

    An IPv6 caller can choose the second half, and change it at will.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return parsed.exploded[:19] if mapped is None else str(mapped)
    return address
