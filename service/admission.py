"""Who may call from where, and the headers that every answer carries.

A web page can make its reader's browser call ``localhost``: a foreign ``Host`` (DNS
rebinding) and a foreign ``Origin`` are refused, with a key or without one.
:mod:`service.authority` asks for the key.
"""

from __future__ import annotations

import re
import time
import uuid

from flask import Flask, Response, g, request

from service import authority
from service.context import Context
from service.exchange import hosts_of_target
from service.hosts import allowed_hosts, without_port
from service.logs import log_request
from service.refusals import HostRefused, OriginRefused

METHODS = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
# What an answer has unless it has another of its own.
_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "private, no-cache"),
)


def register(app: Flask, found: Context) -> None:
    """Make an app check where requests come from, and count and log them."""
    hosts = allowed_hosts(found.settings)
    origins = frozenset(found.settings.cors)

    @app.before_request
    def admit() -> Response | None:
        g.started = time.perf_counter()
        sent = request.headers.get("X-Request-Id", "")
        g.request_id = sent if _REQUEST_ID.match(sent) else uuid.uuid4().hex
        # Without a Host, Werkzeug would take the address that the server is bound to.
        host = request.host if "Host" in request.headers else None
        # RFC 9112, 3.2.2: a host in the request line counts for more than Host.
        for named in (host, *hosts_of_target(request.environ)):
            if named is None or without_port(named) not in hosts:
                raise HostRefused(named, allowed=hosts)
        origin = request.headers.get("Origin")
        if origin is None or origin == f"{request.scheme}://{host}":
            return None
        if origin not in origins:
            raise OriginRefused(origin)
        g.origin = origin
        asks = "Access-Control-Request-Method" in request.headers
        return _preflight() if request.method == "OPTIONS" and asks else None

    @app.after_request
    def finish(response: Response) -> Response:
        headers = response.headers
        # One look for all: each look of Werkzeug's goes through the whole list.
        there = {name.lower() for name, _ in headers}
        headers.add("X-Request-Id", g.request_id)
        for name, value in _HEADERS:
            if name.lower() not in there:
                headers.add(name, value)
        if origins:
            response.vary.add("Origin")
        if "origin" in g:
            headers["Access-Control-Allow-Origin"] = g.origin
            headers["Access-Control-Expose-Headers"] = (
                "ETag, RateLimit, RateLimit-Policy, Retry-After, Server-Timing,"
                " WWW-Authenticate, X-Request-Id"
            )
        _count(found, response)
        return response


def _preflight() -> Response:
    response = Response(status=204)
    response.headers["Access-Control-Allow-Methods"] = METHODS
    response.headers["Access-Control-Allow-Headers"] = (
        "Authorization, Content-Type, Content-Encoding, If-None-Match, X-API-Key,"
        " X-Request-Id"
    )
    response.headers["Access-Control-Max-Age"] = "600"
    return response


def _count(found: Context, response: Response) -> None:
    seconds = time.perf_counter() - g.started
    # The route, not the path: ids would make a counter each.
    route = request.url_rule.rule if request.url_rule is not None else "none"
    method = request.method if request.method in METHODS else "other"
    found.metrics.observe(method, route, response.status_code, seconds)
    found.measure()
    refusal = {}
    if "problem" in g:
        refusal["code"] = g.problem
        found.metrics.problems.labels(g.problem).inc()
    # Without the query string: what readers look for is theirs.
    log_request(
        method=method,
        path=request.path[:500],
        status=response.status_code,
        ms=round(seconds * 1000, 1),
        address=request.remote_addr,
        key=authority.key_name(),
        **refusal,
    )
