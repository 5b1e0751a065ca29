"""Forwarding: the path prefix below which a proxy has the service."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Any

from service.exchange.paths import Environ, WsgiApp

HEADER = "X-Forwarded-Prefix"
REFUSED = "nutgraf.refused_prefix"  # name in the environment of a prefix that is none
# As in addresses, without anything that would have to be encoded there. Two slashes at
# the start would make the next name a host.
_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]{1,100}){0,10}/?\Z")


class Forwarded:
    """WSGI middleware that puts the prefix of a trusted proxy before every address.

    The proxy takes the prefix off the path and names it in ``X-Forwarded-Prefix``.

    :param proxies: addresses or networks whose header counts. A request over a socket
        in the file system is from a proxy on this machine.
    """

    def __init__(self, app: WsgiApp, proxies: Iterable[str]) -> None:
        self.app = app
        self._networks = [ip_network(proxy, strict=False) for proxy in proxies]

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer a request as if the application were below its prefix."""
        prefix = environ.get("HTTP_X_FORWARDED_PREFIX")
        if prefix is not None and self._trusts(environ.get("REMOTE_ADDR", "")):
            if _PREFIX.match(prefix):
                environ["SCRIPT_NAME"] = prefix.rstrip("/")
            else:
                environ[REFUSED] = prefix
        return self.app(environ, start_response)

    def _trusts(self, address: str) -> bool:
        if not address:
            return True
        try:
            sender = ip_address(address)
        except ValueError:
            return False
        sender = getattr(sender, "ipv4_mapped", None) or sender
        return any(sender in network for network in self._networks)
