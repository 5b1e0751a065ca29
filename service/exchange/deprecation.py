"""Deprecated routes: they still answer, and name the route that replaces them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from flask import Response, after_this_request

from service.exchange.arguments import View


@dataclass(frozen=True, slots=True)
class DeprecatedPath:
    """The former end of the path of an operation on an article, such as ``/restore``.

    :param since: when it was deprecated.
    """

    rest: str
    since: datetime

    def view(self, view: View, rest: str) -> View:
        """View for the former path: the same answers, with headers about the successor.

        Its name becomes the operationId, so it contains the former word.

        :param rest: the end of the path that replaces it.
        """
        old, new = self.rest.strip("/"), rest.strip("/")

        @wraps(view)
        def deprecated(*args: Any, **kwargs: Any) -> Response:
            after_this_request(mark)
            return view(*args, **kwargs)

        def mark(response: Response) -> Response:
            # RFC 9745 and RFC 5829; the link is relative to the path called.
            response.headers["Deprecation"] = f"@{self.since.timestamp():.0f}"
            response.headers["Link"] = f'<{new}>; rel="successor-version"'
            return response

        deprecated.__name__ = view.__name__.replace(new, old)
        return deprecated
