"""Cookies: what a browser keeps for this site, and the tokens of forms.

A name that begins with ``__Host-`` is taken by browsers only over https, for this one
host and the whole of it, so that no other host of a domain can set it. On this machine
there may be no https; there the names have no such beginning.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from enum import StrEnum

from flask import Response, request

from service.hosts import LOOPBACK, without_port

_HOST_ONLY = "__Host-"
_FORM_BYTES = 32  # random, of what the forms of a browser are bound to
_FORM_SECRET = re.compile(r"[A-Za-z0-9_-]{43}\Z")  # 32 bytes in base64, as in addresses


class Cookie(StrEnum):
    """A cookie, by its name on this machine."""

    SESSION = "nutgraf"  # id of a session
    FORM = "nutgraf-form"  # what the form to log in is bound to


def needs_https() -> bool:
    """Whether browsers keep a cookie of this site only if it is sent over https."""
    return not (request.scheme == "http" and without_port(request.host) in LOOPBACK)


def sent_cookie(cookie: Cookie) -> str | None:
    """Value of a cookie in this request; ``None`` if it is missing or blank."""
    return request.cookies.get(_name(cookie)) or None


def set_cookie(
    response: Response, cookie: Cookie, value: str, *, seconds: int | None = None
) -> None:
    """Let the browser keep a cookie, out of reach of scripts and of other sites.

    A link in a mail sends it along, a form of another site does not.

    :param seconds: how long; ``None`` for until the browser is closed.
    """
    response.set_cookie(
        _name(cookie),
        value,
        max_age=seconds,
        secure=needs_https(),
        httponly=True,
        samesite="Lax",
        path="/",
    )


def drop_cookie(response: Response, cookie: Cookie) -> None:
    """Let the browser forget a cookie."""
    set_cookie(response, cookie, "", seconds=0)


def form_secret() -> str:
    """Value of the cookie that a form is bound to: the one that was sent, or a new one.

    What was sent and is not of our making is replaced: somebody else may have set it,
    or the browser may not send it back letter by letter.
    """
    sent = sent_cookie(Cookie.FORM)
    if sent is not None and _FORM_SECRET.match(sent):
        return sent
    return secrets.token_urlsafe(_FORM_BYTES)


def form_token(secret: str) -> str:
    """Token of a form that is bound to a cookie's value, and does not reveal it."""
    digest = hmac.new(secret.encode("utf-8", "replace"), b"form", hashlib.sha256)
    return digest.hexdigest()


def is_form_token(token: str, secret: str) -> bool:
    """Whether a token is that of a cookie's value, in constant time."""
    return hmac.compare_digest(
        token.encode("utf-8", "replace"), form_token(secret).encode()
    )


def _name(cookie: Cookie) -> str:
    return f"{_HOST_ONLY}{cookie}" if needs_https() else cookie.value
