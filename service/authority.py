"""Who calls, by which key, and whether they may: asked before any view, in one place.

Each operation names its scope where it is declared; an endpoint without one is a
mistake that ends the start of the app. A key is sent in a header and looked up in every
request, so that what is revoked is refused from that moment on, in every process.

Until a key was ever made, callers on this machine need none: they may do everything but
read what is withheld or under embargo.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask, Response, g, request

from index.access import UNLIMITED, Allowance, Key, Scope
from index.query import PUBLIC, Reader
from service.context import Context, context
from service.exchange import OPEN, scopes_of
from service.hosts import LOOPBACK, is_loopback, network_of, without_port
from service.refusals import (
    ConflictingKeys,
    RateLimited,
    ScopeMissing,
    TooManyFailures,
    Unauthorized,
)

POLICY = "key"  # what the rate is called in headers
WINDOW = 60  # seconds
# Wrong keys from one address in a minute, until the answer is 429. A right key is never
# refused for them: behind a proxy, all callers have one address.
FAILURES = 60
_BEARER = "bearer "

log = logging.getLogger("nutgraf.authority")


def register(app: Flask, found: Context) -> None:
    """Make an app ask each caller for a key with the scope of what they call.

    :raises RuntimeError: an endpoint of the app has no scope, not even an open one.
    """
    scopes = scopes_of(app)
    missing = {rule.endpoint for rule in app.url_map.iter_rules()} - scopes.keys()
    if missing:
        raise RuntimeError(f"no scope is declared for {', '.join(sorted(missing))}")

    @app.before_request
    def authorize() -> None:
        # Without an endpoint there is nothing to be had; OPTIONS says what there is.
        if request.endpoint is None or request.method == "OPTIONS":
            return
        scope = scopes[request.endpoint]
        if scope is OPEN:
            return
        key = _identified(found)
        g.key = key
        if key is None:
            return
        _count(found, key)
        if scope not in key.scopes:
            log.warning(
                "scope", extra={"key": key.name, "scope": scope, "path": request.path}
            )
            raise ScopeMissing(scope)

    @app.after_request
    def tell(response: Response) -> Response:
        allowance: Allowance | None = g.get("allowance")
        if allowance is not None:
            # As draft-ietf-httpapi-ratelimit-headers-10 has them.
            response.headers["RateLimit-Policy"] = (
                f'"{POLICY}";q={allowance.limit};w={WINDOW}'
            )
            response.headers["RateLimit"] = (
                f'"{POLICY}";r={allowance.left};t={_seconds(allowance.full)}'
            )
        return response


def reader() -> Reader:
    """Return who reads, as far as it decides what this request may be shown."""
    key: Key | None = g.get("key")
    return PUBLIC if key is None else key.reader


def require(scope: Scope) -> None:
    """Check that the caller has a scope besides that of what they call.

    :raises ScopeMissing: their key is without it.
    """
    key: Key | None = g.get("key")
    if key is not None and scope not in key.scopes:
        raise ScopeMissing(scope)


def watch() -> Callable[[], None]:
    """Return what raises :class:`Unauthorized` once this request's key has ended.

    For answers that take long; it can be called after the request's own time.
    """
    key: Key | None = g.get("key")
    keys = context().archive.keys

    def check() -> None:
        if key is None:
            if keys.ever():
                raise Unauthorized(sent=False)
            return
        found = keys.known(key.id)
        if found is None or found.state(datetime.now(UTC)) != "live":
            raise Unauthorized(sent=True)

    return check


def key_name() -> str | None:
    """Return the name of the key that this request was let in by, for the log."""
    key: Key | None = g.get("key")
    return None if key is None else key.name


def may(scope: Scope) -> bool:
    """Return whether the caller of an open operation has a scope as well."""
    try:
        key = _identified(context())
    except (Unauthorized, ConflictingKeys, TooManyFailures):
        return False
    return key is None or scope in key.scopes


def _identified(found: Context) -> Key | None:
    """Return the key that was sent; ``None`` where none is needed.

    :raises Unauthorized: none was sent, or what was sent is none that is live.
    :raises ConflictingKeys: two were sent.
    :raises TooManyFailures: this address has sent too many wrong ones.
    """
    sent = _sent()
    keys = found.archive.keys
    if sent is None:
        if _needs_no_key(found) and not keys.ever():
            return None
        raise Unauthorized(sent=False)
    key = keys.find(sent)
    state = "unknown" if key is None else key.state(datetime.now(UTC))
    if key is not None and state == "live":
        return key
    address = request.remote_addr or ""
    allowance = found.archive.rates.fail(network_of(address), FAILURES)
    if not allowance.taken:
        raise TooManyFailures(
            limit=FAILURES, retry_after=max(1, _seconds(allowance.wait))
        )
    log.warning(
        "wrong key",
        extra={
            "reason": state,
            "key": None if key is None else key.name,
            "address": address,
            "path": request.path[:500],
        },
    )
    raise Unauthorized(sent=True)


def _sent() -> str | None:
    """Return the key in the headers, ``None`` if there is none."""
    found = []
    authorization = request.headers.get("Authorization", "")
    # Other schemes are somebody else's, such as a proxy's.
    if authorization[: len(_BEARER)].lower() == _BEARER:
        found.append(authorization[len(_BEARER) :].strip())
    if "X-API-Key" in request.headers:
        found.append(request.headers["X-API-Key"].strip())
    if len(set(found)) > 1:
        raise ConflictingKeys
    return found[0] if found else None


def _needs_no_key(found: Context) -> bool:
    """Return whether only its own machine can have sent this request."""
    return (
        found.loopback
        and is_loopback(f"{request.remote_addr or 'localhost'}:0")
        # A name that the service is known by elsewhere came through a proxy.
        and without_port(request.host) in (*LOOPBACK, found.bound_host)
    )


def _count(found: Context, key: Key) -> None:
    rates = found.archive.rates
    limit = found.settings.rate if key.rate is None else key.rate
    if limit is None or limit == UNLIMITED:
        rates.touch(key.id)
        return
    allowance = rates.take(key.id, limit)
    g.allowance = allowance
    if not allowance.taken:
        log.warning("rate limited", extra={"key": key.name, "limit": limit})
        raise RateLimited(limit=limit, retry_after=max(1, _seconds(allowance.wait)))


def _seconds(micros: int) -> int:
    return -(-micros // 1_000_000)
