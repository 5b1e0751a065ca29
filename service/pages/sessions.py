"""Log-in and log-out: the forms for the session of a browser, and whose key it has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, render_template, request
from marshmallow import Schema

from index.access import SESSION_LIFE, Key, Scope
from index.errors import InputError, InvalidValue
from service import authority, problems
from service.context import context
from service.cookies import (
    Cookie,
    drop_cookie,
    form_secret,
    form_token,
    is_form_token,
    needs_https,
    sent_cookie,
    set_cookie,
)
from service.exchange import Text, described, read_form
from service.pages.problems import HTML, answer_with_page, with_page
from service.pages.remarks import sentence
from service.pages.search import Form
from service.refusals import FormRefused, RateLimited, ScopeMissing, Unauthorized

# A path on this site, with its query: no other host (//, /\), and nothing that browsers
# leave out of an address, such as a tab.
_NEXT = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*\Z")
_DOTS = re.compile(r"/(?:\.|%2e){1,2}(?:[/?#]|\Z)", re.IGNORECASE)
_READS = ("GET", "HEAD")


class LogInArguments(Schema):
    """Parameters of the form to log in, which is sent to its own address."""

    next = Text(metadata=described("path and query of the page to go on with"))


@dataclass(frozen=True, slots=True)
class LogInPage:
    """The form to log in.

    :param form: the box of the archive, as on every page.
    :param next: path and query of the page to go on with.
    :param fault: why the log-in before failed, as a sentence; blank if it did not.
    """

    title: str
    form: Form
    next: str
    token: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose key a page is answered for.

    :param may: what it may read, in words.
    :param filters: what of that it is limited to, in words.
    :param action: where the form to log out goes.
    """

    name: str
    may: str
    filters: tuple[str, ...]
    action: str
    token: str


def register(blueprint: Blueprint) -> None:
    """Let pages ask for a key, and show whose key they are answered for."""
    blueprint.register_error_handler(Unauthorized, _ask_for_key)
    blueprint.app_context_processor(lambda: {"account": _account()})


def log_in_form(arguments: dict[str, Any]) -> Response:
    """Form to log in; without keys there is nothing to log in with."""
    target = _checked_next(arguments.get("next", "/"))
    if not authority.asks_for_keys():
        return _see(target)
    _check_encryption()
    sent = sent_cookie(Cookie.SESSION)
    has_ended = sent is not None and context().archive.sessions.find(sent) is None
    secret = form_secret()
    fault = "Your session has ended. Log in again." if has_ended else ""
    response = Response(_page(target, secret, fault), content_type=HTML)
    response.cache_control.no_store = True
    set_cookie(response, Cookie.FORM, secret)
    if has_ended:
        drop_cookie(response, Cookie.SESSION)
    return response


def log_in(arguments: dict[str, Any]) -> Response:
    """Begin a session with the key in the form, and go on to the page asked for."""
    _check_sender()
    _check_encryption()
    sent = read_form(("key", "next", "token"))
    secret = _check_token(sent["token"], Cookie.FORM)
    target = _checked_next(sent["next"] or "/")
    try:
        session_id = authority.log_in(sent["key"].strip())
    except (Unauthorized, ScopeMissing, RateLimited) as error:
        fault = _fault(error)
        return with_page(problems.answer_error(error), _page(target, secret, fault))
    before = sent_cookie(Cookie.SESSION)
    if before is not None:
        context().archive.sessions.end(before)
    response = _see(target)
    seconds = int(SESSION_LIFE.total_seconds())
    set_cookie(response, Cookie.SESSION, session_id, seconds=seconds)
    drop_cookie(response, Cookie.FORM)
    return response


def log_out(arguments: dict[str, Any]) -> Response:
    """End the session of this browser."""
    _check_sender()
    sent = read_form(("token",))
    session_id = sent_cookie(Cookie.SESSION)
    if session_id is not None:
        _check_token(sent["token"], Cookie.SESSION)
        context().archive.sessions.end(session_id)
    response = _see("/")
    drop_cookie(response, Cookie.SESSION)
    return response


def _ask_for_key(error: Unauthorized) -> Response:
    """Lead a browser without a session to the form, and back from there."""
    # A wrong key in a header, and a script of ours, are answered where they asked.
    is_visit = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    has_key = any(name in request.headers for name in ("Authorization", "X-API-Key"))
    if request.method in _READS and is_visit and not has_key:
        query = request.query_string.decode("latin-1")
        here = f"{request.path}?{query}" if query else request.path
        # One that browsers would read in another way is not kept.
        target = here if _is_next(here) else "/"
        return _see(f"/login?next={quote(target, safe='/')}")
    return answer_with_page(error)


def _see(target: str) -> Response:
    """Redirect to a path of this site, whatever the method was."""
    response = Response(status=303)
    response.headers["Location"] = request.script_root + target
    response.cache_control.no_store = True
    return response


def _page(target: str, secret: str, fault: str) -> str:
    root = request.script_root
    page = LogInPage(
        title="Log in",
        form=Form(q="", action=f"{root}/"),
        next=target,
        token=form_token(secret),
        fault=fault,
    )
    return render_template("login.html", page=page)


def _fault(error: InputError) -> str:
    if isinstance(error, Unauthorized):
        return (
            "This key is unknown, expired or revoked. Check that you have all of it, or"
            " ask your operator for another."
        )
    if isinstance(error, ScopeMissing):
        return (
            "This key is right, but it may not search. Ask your operator for a key with"
            f" the scope {error.scope}."
        )
    return sentence(str(error))


def _account() -> Account | None:
    """Whose session this page is answered for; ``None`` without one.

    A key in a header is not shown: such an answer is the same for every key that may
    see the same.
    """
    session, session_id = authority.session(), sent_cookie(Cookie.SESSION)
    if session is None or session_id is None:
        return None
    return Account(
        name=session.key.name,
        may=_may(session.key),
        filters=tuple(_limits(session.key)),
        action=f"{request.script_root}/logout",
        token=form_token(session_id),
    )


def _may(key: Key) -> str:
    if Scope.READ_EMBARGOED in key.scopes:
        return "reads published, withheld and embargoed articles"
    return "reads published articles"


def _limits(key: Key) -> Iterator[str]:
    for condition in key.filters:
        values = " or ".join(condition.values)
        word = "not" if condition.exclude else "only"
        yield f"{word} {condition.field} {values}"


def _is_next(target: str) -> bool:
    return bool(_NEXT.match(target)) and not _DOTS.search(target.partition("?")[0])


def _checked_next(target: str) -> str:
    """Path and query of a page to go on with.

    :raises InvalidValue: it may lead to another site.
    """
    if not _is_next(target):
        raise InvalidValue(
            "next",
            "must be the path of a page here, such as /?q=truce, percent-encoded",
            got=target[:100],
        )
    return target


def _check_sender() -> None:
    """Check that a form was sent from a page of this very site.

    :raises FormRefused: the browser says otherwise, or says nothing.
    """
    own = f"{request.scheme}://{request.host}"
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site")
    is_own = site == "same-origin" if origin is None else origin == own
    if not is_own or site not in (None, "same-origin", "none"):
        raise FormRefused(
            "this form was not sent from a page of this site; open the page here and"
            " send it again"
        )


def _check_encryption() -> None:
    """Check that the browser will keep a session.

    :raises FormRefused: the page came without encryption, and over a network.
    """
    if needs_https() and request.scheme != "https":
        raise FormRefused(
            "browsers keep a session over https only; open this page with https://, and"
            " let the proxy send X-Forwarded-Proto"
        )


def _check_token(token: str, cookie: Cookie) -> str:
    """Value of the cookie that the token of a form is bound to.

    :raises FormRefused: it is not bound to this browser's cookie.
    """
    secret = sent_cookie(cookie)
    if secret is None or not is_form_token(token, secret):
        raise FormRefused(
            "this form is an old one, or this browser keeps no cookies; load the page"
            " anew and send it again"
        )
    return secret
