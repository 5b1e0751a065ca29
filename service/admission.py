"""From where the service may be called, and the headers of every answer.

A web page can make its reader's browser call ``localhost``. So a foreign ``Host`` (DNS
rebinding) and a foreign ``Origin`` are refused, with or without a key.
:mod:`service.authority` checks the key.
"""

from __future__ import annotations

import gc
import os
import re
import time

from flask import Flask, Response

from index.errors import InvalidValue
from service import authority
from service.context import Context, its_facts, this_request
from service.exchange import (
    HEADER,
    REFUSED,
    add_vary,
    hosts_of_target,
    release_room,
)
from service.hosts import allowed_hosts
from service.logs import log_request
from service.memory import give_back
from service.refusals import HostRefused, OriginRefused

METHODS = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
# Monitors and load balancers call these by an address of their own, or by none. Without
# a key their answers name no article, file or host.
_ANY_HOST = frozenset(("health.healthz", "health.readyz"))
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
# Headers of an answer, unless its view sets them itself.
_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "private, no-cache"),
)


def register(app: Flask, ctx: Context) -> None:
    """Make an app check where requests come from, count them and log them."""
    hosts = allowed_hosts(ctx.settings)
    origins = frozenset(ctx.settings.cors)

    @app.before_request
    def admit() -> Response | None:
        request, facts = this_request(), its_facts()
        facts.started = time.perf_counter()
        # Werkzeug's headers take long to say that there is none of a name.
        headers = request.environ
        sent = headers.get("HTTP_X_REQUEST_ID", "")
        facts.request_id = sent if _REQUEST_ID.match(sent) else os.urandom(16).hex()
        if REFUSED in headers:
            raise InvalidValue(
                HEADER,
                "is no path prefix; let the proxy send one such as /archive",
                got=headers[REFUSED][:100],
            )
        # Without a Host, Werkzeug takes the address that the server is bound to.
        host = request.host if "HTTP_HOST" in headers else None
        # RFC 9112, 3.2.2: a host in the request line takes precedence over Host.
        named = (host, *hosts_of_target(headers))
        foreign = [name for name in named if name is None or name not in hosts]
        facts.own_host = not foreign
        if foreign and request.endpoint not in _ANY_HOST:
            raise HostRefused(foreign[0], allowed=hosts.names)
        origin = headers.get("HTTP_ORIGIN")
        if origin is None or (
            facts.own_host and origin == f"{request.scheme}://{host}"
        ):
            return None
        if origin not in origins:
            raise OriginRefused(origin)
        facts.origin = origin
        if (
            request.method == "OPTIONS"
            and "Access-Control-Request-Method" in request.headers
        ):
            return _preflight()
        return None

    @app.after_request
    def finish(response: Response) -> Response:
        headers, facts = response.headers, its_facts()
        # Each lookup of Werkzeug's goes through the whole list.
        present = {name.lower() for name, _ in headers}
        headers.add("X-Request-Id", facts.request_id)
        for name, value in _HEADERS:
            if name.lower() not in present:
                headers.add(name, value)
        if origins:
            add_vary(response, "Origin")
        if "origin" in facts:
            headers["Access-Control-Allow-Origin"] = facts.origin
            headers["Access-Control-Expose-Headers"] = (
                "ETag, RateLimit, RateLimit-Policy, Retry-After, Server-Timing,"
                " WWW-Authenticate, X-Request-Id"
            )
        _count(ctx, response)
        return response

    @app.teardown_request
    def free(_: BaseException | None) -> None:
        if release_room():
            # An error and the frames that raised it hold each other, and the body.
            gc.collect()
            give_back()


def _preflight() -> Response:
    response = Response(status=204)
    response.headers["Access-Control-Allow-Methods"] = METHODS
    response.headers["Access-Control-Allow-Headers"] = (
        "Authorization, Cache-Control, Content-Type, Content-Encoding, If-Match,"
        " If-None-Match, Last-Event-ID, X-API-Key, X-Request-Id"
    )
    response.headers["Access-Control-Max-Age"] = "600"
    return response


def _count(ctx: Context, response: Response) -> None:
    request, facts = this_request(), its_facts()
    seconds = time.perf_counter() - facts.started
    # The route, not the path: otherwise each id would make a counter of its own.
    rule = request.url_rule
    route = rule.rule if rule is not None else "none"
    method = request.method if request.method in METHODS else "other"
    ctx.metrics.observe(method, route, response.status_code, seconds)
    refusal = {}
    if "problem" in facts:
        refusal["code"] = facts.problem
        ctx.metrics.problems.labels(facts.problem).inc()
    # Without the query string: what readers search for is private.
    log_request(
        request_id=facts.request_id,
        method=method,
        path=request.path[:500],
        status=response.status_code,
        ms=round(seconds * 1000, 1),
        address=request.remote_addr,
        key=authority.key_name(),
        **refusal,
    )
