"""Ports of servers that tests start on the loopback address."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Sequence
from contextlib import suppress

HOST = "127.0.0.1"
_PORTS = range(10_000, 32_000)  # below those that the system gives to clients


def free_port(ports: Sequence[int] = _PORTS) -> int:
    """A port that is free, and stays reserved while a server on it restarts."""
    while True:
        # Not of random: Hypothesis starts that alike in all processes that run tests.
        port = secrets.choice(ports)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port
