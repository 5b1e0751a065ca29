"""Server-Timing: how long the parts of an answer took, for the tools of browsers."""

from __future__ import annotations

import time

from flask import Response


class Timing:
    """Times of the parts of an answer, one after the other; it starts now."""

    def __init__(self) -> None:
        self._parts: list[tuple[str, float]] = []
        self._since = time.perf_counter()

    def done(self, part: str) -> None:
        """End a part; the next one begins."""
        now = time.perf_counter()
        self._parts.append((part, now - self._since))
        self._since = now

    def ms(self, part: str) -> float:
        """Milliseconds that a part took; 0 if it was not needed."""
        return round(dict(self._parts).get(part, 0) * 1000, 2)

    def add_to(self, response: Response) -> Response:
        """Add the header ``Server-Timing``, in milliseconds."""
        response.headers["Server-Timing"] = ", ".join(
            f"{part};dur={seconds * 1000:.1f}" for part, seconds in self._parts
        )
        return response
