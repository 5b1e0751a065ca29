"""Paths: routes match the path as it was sent, so that ids may contain slashes.

WSGI passes the path decoded: the id ``a%2Fversions`` would look like the versions of
``a``. So the path is taken from the request line, which servers pass as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import SplitResult, quote_from_bytes, unquote_to_bytes, urlsplit

from flask import request

from index.article import check_id
from index.errors import InvalidArticle, InvalidValue

PATH = "/v1/articles/<article_id>"  # path of an article
BY_ID = "/v1/article"  # the same with the id as a parameter

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Any], Iterable[bytes]]

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
# RFC 3986, 2.3: escaped or not, these mean the same.
_UNRESERVED = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
)


class RawPath:
    """WSGI middleware that makes ``PATH_INFO`` the path as sent, still encoded.

    It takes gunicorn's ``RAW_URI`` or Werkzeug's ``REQUEST_URI`` if that decodes to
    ``PATH_INFO``; otherwise it encodes ``PATH_INFO`` again.
    """

    def __init__(self, app: WsgiApp) -> None:
        self.app = app

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer a request, routed by its raw path."""
        environ["PATH_INFO"] = raw_path(environ)
        return self.app(environ, start_response)


def raw_path(environ: Environ) -> str:
    """Path below the application's root, encoded and normalised as in RFC 3986, 6.2.2.

    Unreserved characters are unescaped and other escapes are in capitals. Dot segments
    stay, since ``..`` may be an id.
    """
    root = environ.get("SCRIPT_NAME", "").encode("latin-1")
    path: bytes = environ.get("PATH_INFO", "").encode("latin-1")
    for name in ("RAW_URI", "REQUEST_URI"):
        sent = _path_of(environ.get(name, ""))
        if unquote_to_bytes(sent) == root + path:
            below = _normal(sent)
            start = _normal(quote_from_bytes(root))
            if below.startswith(start):
                return below[len(start) :]
    return _normal(quote_from_bytes(path))


def hosts_of_target(environ: Environ) -> list[str]:
    """Hosts, with ports, in the request line itself: none if it holds only a path."""
    targets = {environ.get(name, "") for name in ("RAW_URI", "REQUEST_URI")}
    return [
        _parts(target).netloc
        for target in sorted(targets)
        if target not in ("", "*") and not target.startswith("/")
    ]


def decoded(raw: str, name: str) -> str:
    """Decoded part of a raw path.

    :param name: name of the part, for the error.
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
    """Decoded id of a raw path.

    :raises InvalidValue: it is not UTF-8, or breaks the rules for ids.
    """
    return checked_id(decoded(raw, "id"))


def checked_id(article_id: str) -> str:
    """The same id, checked.

    :raises InvalidValue: it breaks the rules for ids.
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
    # RFC 9112, 3.2.2: a request line may contain the whole address.
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
    """Decode the id that the raw path passes to a view."""
    if request.view_args and "article_id" in request.view_args:
        request.view_args["article_id"] = decoded_id(request.view_args["article_id"])
