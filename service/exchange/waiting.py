"""Waiting requests: each takes a slot, and those without one are answered at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Response, after_this_request

from service.context import context

Result = TypeVar("Result")


def wait_in_slot(wait: Callable[[], Result], *, otherwise: Result) -> Result:
    """Result of waiting; if no slot is free, ``otherwise`` with ``Retry-After``."""
    with context().waiting_slot() as is_free:
        if is_free:
            return wait()
    after_this_request(_retry_soon)
    return otherwise


def _retry_soon(response: Response) -> Response:
    response.headers["Retry-After"] = "1"
    return response
