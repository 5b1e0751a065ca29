"""Routes match the path as it was sent, so that ids may hold slashes.

WSGI hands over a path that is decoded already: ``a%2Fversions``, an id, could not be
told from the versions of ``a``. Servers pass the request line on beside it, and from
there the path is taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import SplitResult, quote_from_bytes, unquote_to_bytes, urlsplit

from flask import request

from index.article import check_id
from index.errors import InvalidArticle, InvalidValue

PATH = "/v1/articles/<article_id>"  # of an article
BY_ID = "/v1/article"  # and with its id as a parameter

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Any], Iterable[bytes]]

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
# RFC 3986, 2.3: these mean the same escaped or not.
_UNRESERVED = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
)


class RawPath:
    """WSGI middleware that makes ``PATH_INFO`` the path as sent, still encoded.

    Of gunicorn's ``RAW_URI`` and Werkzeug's ``REQUEST_URI`` the first is taken that
    stands for the same path as ``PATH_INFO``; without one, that path encoded again.
    """

    def __init__(self, app: WsgiApp) -> None:
        self.app = app

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer a request, routed by its raw path."""
        environ["PATH_INFO"] = raw_path(environ)
        return self.app(environ, start_response)


def raw_path(environ: Environ) -> str:
    """Return the path below the application's root, normalised as RFC 3986 6.2.2 says.

    Escapes of unreserved characters are undone, the others are in capitals; dot
    segments stay, since ``..`` may be an id.
    """
    root = environ.get("SCRIPT_NAME", "").encode("latin-1")
    decoded: bytes = environ.get("PATH_INFO", "").encode("latin-1")
    for name in ("RAW_URI", "REQUEST_URI"):
        sent = _path_of(environ.get(name, ""))
        if unquote_to_bytes(sent) == root + decoded:
            below = _normal(sent)
            start = _normal(quote_from_bytes(root))
            if below.startswith(start):
                return below[len(start) :]
    return _normal(quote_from_bytes(decoded))


def hosts_of_target(environ: Environ) -> list[str]:
    """Return the hosts, with ports, that the request line itself names.

    There is none where it holds a path, as it nearly always does.
    """
    targets = {environ.get(name, "") for name in ("RAW_URI", "REQUEST_URI")}
    return [
        _parts(target).netloc
        for target in sorted(targets)
        if target not in ("", "*") and not target.startswith("/")
    ]


def decoded(raw: str, name: str) -> str:
    """Return what stands, encoded, in a part of a raw path.

    :param name: what the part is, for the error.
    :raises InvalidValue: it is not UTF-8.
    """
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise InvalidValue(
            name,
            "is not UTF-8 text; encode it as UTF-8",
            got=raw,
            code="invalid_encoding",
        ) from error


def decoded_id(raw: str) -> str:
    """Return the id that stands in a raw path.

    :raises InvalidValue: it is not UTF-8, or no id could be so.
    """
    return checked_id(decoded(raw, "id"))


def checked_id(article_id: str) -> str:
    """Return an id that may be one.

    :raises InvalidValue: it may not.
    """
    try:
        return check_id(article_id)
    except InvalidArticle as error:
        raise InvalidValue(
            "id", error.detail, got=article_id, code="invalid_id"
        ) from error


def _path_of(uri: str) -> str:
    if not uri.startswith("/"):
        return _parts(uri).path
    return re.split("[?#]", uri, maxsplit=1)[0]


def _parts(address: str) -> SplitResult:
    # RFC 9112, 3.2.2: a request line may hold the whole address.
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _normal(path: str) -> str:
    escaped = quote_from_bytes(path.encode("latin-1"), safe="/%:@!$&'()*+,;=~")
    return _ESCAPE.sub(_escape, escaped)


def _escape(match: re.Match[str]) -> str:
    byte = int(match[1], 16)
    return chr(byte) if byte in _UNRESERVED else f"%{byte:02X}"


def decode_id() -> None:
    """Give views the id that the raw path holds encoded."""
    if request.view_args and "article_id" in request.view_args:
        request.view_args["article_id"] = decoded_id(request.view_args["article_id"])
