"""Upkeep: what a worker does once a second, whether it is asked anything or not."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress

from flask import Flask

from index.errors import ServiceError
from service.context import context_of

SECONDS = 1.0
LOG = logging.getLogger("nutgraf")


def start(app: Flask, stop: threading.Event | None = None) -> threading.Thread:
    """Start the thread that does it in this process, until ``stop`` is set."""
    stopped = stop or threading.Event()

    def run() -> None:
        while not stopped.wait(SECONDS):
            try:
                context_of(app).measure()
                # A store or a folder that cannot be reached is reported by /readyz.
                with suppress(ServiceError, OSError):
                    context_of(app).archive.tend()
            except Exception:
                LOG.exception("the upkeep of this worker failed")

    thread = threading.Thread(target=run, name="nutgraf-upkeep", daemon=True)
    thread.start()
    return thread
