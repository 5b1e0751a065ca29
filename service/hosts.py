"""Hosts: which names the service answers to, and which of them are its own machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from index.settings import Settings

_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\Z")
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class Hosts:
    """Hosts that the service answers to.

    :param names: without ports; ``*.example.org`` stands for every name that ends in
        ``.example.org``, at any depth, and not for ``example.org``.
    """

    names: tuple[str, ...]

    def __contains__(self, host: str) -> bool:
        """Whether the service answers to a host, which may have a port."""
        name = without_port(host)
        if name in self.names:
            return True
        # Of a name only: nothing with a user, a path or an empty label in it.
        return _NAME.match(name) is not None and name.endswith(self._endings)

    @property
    def _endings(self) -> tuple[str, ...]:
        return tuple(name[1:] for name in self.names if name.startswith("*."))


def allowed_hosts(settings: Settings) -> Hosts:
    """Hosts that the service answers to."""
    bound = host_of(settings.bind)
    return Hosts(tuple(dict.fromkeys((*LOOPBACK, bound, *settings.hosts))))


def host_of(bind: str) -> str:
    """Host of ``HOST:PORT``, in lower case."""
    return bind.rpartition(":")[0].lower()


def without_port(host: str) -> str:
    """Host of a ``Host`` header, in lower case."""
    return re.sub(r":\d*\Z", "", host.lower())


@lru_cache(maxsize=256)
def is_loopback(bind: str) -> bool:
    """Whether only its own machine can reach ``HOST:PORT`` or ``unix:FILE``.

    Each request asks it of the client's address, and these are few and short.
    """
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
