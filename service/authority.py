"""Authorization: which key a request was sent with, and whether it has the scope.

Checked before any view, in one place. Each operation declares its scope; an app with an
endpoint that has none does not start. The key comes in a header and is looked up for
each request, so a revoked key is refused at once, in every process.

Browsers know cookies: a session is as good as its key in ``GET`` and ``HEAD`` of pages
and nowhere else. A key in a header goes before it.

Feed readers know passwords only: a key whose one scope is ``feed`` may come as one, in
requests for feeds and nowhere else.

As long as no key was ever created, callers on this machine need none: they may do
everything except read articles that are withheld or under embargo.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask, Response, g, request

from index.access import KEY_PREFIX, UNLIMITED, Allowance, Key, Scope, Session
from index.errors import ServiceError
from index.query import PUBLIC, Reader
from service.context import Context, context, its_facts, this_request
from service.cookies import Cookie, sent_cookie
from service.exchange import (
    OPEN,
    add_vary,
    asks_for_feed,
    feeds_of,
    pages_of,
    scopes_of,
)
from service.hosts import LOOPBACK, is_loopback, network_of, without_port
from service.refusals import (
    BasicRefused,
    ConflictingKeys,
    RateLimited,
    ScopeMissing,
    TooManyFailures,
    Unauthorized,
)

POLICY = "key"  # name of the rate in headers
WINDOW = 60  # seconds
# Wrong keys that one address may send in a minute; then the answer is 429. A right key
# is accepted even then, since behind a proxy all callers have one address.
FAILURES = 60
LOG_INS = 30  # a minute with one key: each is a write
_READS = ("GET", "HEAD")
_BEARER = "bearer "

log = logging.getLogger("nutgraf.authority")


def register(app: Flask, ctx: Context) -> None:
    """Make an app check the key and scope of each request.

    :raises RuntimeError: an endpoint declares no scope, not even an open one.
    """
    scopes, feeds, pages = scopes_of(app), feeds_of(app), pages_of(app)
    missing = {rule.endpoint for rule in app.url_map.iter_rules()} - scopes.keys()
    if missing:
        raise RuntimeError(f"no scope is declared for {', '.join(sorted(missing))}")

    @app.before_request
    def authorize() -> None:
        request, facts = this_request(), its_facts()
        # No endpoint: the answer is 404 or 405. OPTIONS only lists methods.
        endpoint = request.endpoint
        if endpoint is None or request.method == "OPTIONS":
            return
        scope = scopes[endpoint]
        if scope is OPEN:
            return
        facts.feed = endpoint in feeds and asks_for_feed()
        facts.page = endpoint in pages and request.method in _READS
        key = _key_of_request(ctx)
        facts.key = key
        if key is None:
            return
        _take_allowance(ctx, key)
        if facts.feed and _password() is not None and key.scopes != {Scope.FEED}:
            log.warning("password", extra={"key": key.name, "path": request.path})
            raise BasicRefused(tuple(sorted(key.scopes)))
        if scope not in key.scopes and not (facts.feed and Scope.FEED in key.scopes):
            log.warning(
                "scope", extra={"key": key.name, "scope": scope, "path": request.path}
            )
            raise ScopeMissing(scope)

    @app.after_request
    def add_rate(response: Response) -> Response:
        facts = its_facts()
        if facts.get("feed"):
            add_vary(response, "Authorization", "X-API-Key")
        if facts.get("page"):
            add_vary(response, "Cookie")
        if "session" in facts:
            # The next one at this computer may be logged in with another key.
            response.headers["Cache-Control"] = "no-store"
            for name in ("ETag", "Last-Modified"):
                response.headers.pop(name, None)
        allowance: Allowance | None = facts.get("allowance")
        if allowance is not None:
            # As in draft-ietf-httpapi-ratelimit-headers-10.
            response.headers["RateLimit-Policy"] = (
                f'"{POLICY}";q={allowance.limit};w={WINDOW}'
            )
            response.headers["RateLimit"] = (
                f'"{POLICY}";r={allowance.left};t={_seconds(allowance.full)}'
            )
        return response


def reader() -> Reader:
    """Reader of this request: what its key may see."""
    key: Key | None = g.get("key")
    return PUBLIC if key is None else key.reader


def require(scope: Scope) -> None:
    """Check that the caller has a further scope, besides that of the operation.

    :raises ScopeMissing: their key does not have it.
    """
    key: Key | None = g.get("key")
    if key is not None and scope not in key.scopes:
        raise ScopeMissing(scope)


def session() -> Session | None:
    """Session that this request for a page is answered for; ``None`` without one."""
    current: Session | None = g.get("session")
    return current


def log_in(secret: str) -> str:
    """Begin a session with a key; return the id of the session.

    :raises Unauthorized: the key is not live.
    :raises TooManyFailures: this address has sent too many wrong keys.
    :raises ScopeMissing: the key may not search.
    :raises RateLimited: the key is used, or logs in, too often.
    :raises StoreFull: the session cannot be stored.
    """
    ctx = context()
    key = g.key = _live_key(ctx, secret)
    _take_allowance(ctx, key)
    if Scope.SEARCH not in key.scopes:
        log.warning(
            "scope",
            extra={"key": key.name, "scope": Scope.SEARCH, "path": request.path},
        )
        raise ScopeMissing(Scope.SEARCH)
    allowance = ctx.archive.rates.take(f"log-in {key.id}", LOG_INS)
    if not allowance.taken:
        raise RateLimited(
            limit=LOG_INS,
            retry_after=max(1, _seconds(allowance.wait)),
            what="log-ins with this key",
        )
    return ctx.archive.sessions.begin(key)


def asks_for_keys() -> bool:
    """Whether this request needs a key for what is not open."""
    return not _needs_no_key(context()) or context().archive.keys.ever()


def key_check() -> Callable[[], None]:
    """Check that raises :class:`Unauthorized` once the key of this request has ended.

    For answers that take long: it also works after the view has returned.
    """
    key: Key | None = g.get("key")
    keys = context().archive.keys

    def check() -> None:
        if key is None:
            if keys.ever():
                raise Unauthorized(sent=False)
            return
        current = keys.known(key.id)
        if current is None or current.state(datetime.now(UTC)) != "live":
            raise Unauthorized(sent=True)

    return check


def key_name() -> str | None:
    """Name of this request's key, for the log."""
    key: Key | None = g.get("key")
    return None if key is None else key.name


def key_id() -> str:
    """Id of this request's key; blank if it has none."""
    key: Key | None = g.get("key")
    return "" if key is None else key.id


def may(scope: Scope) -> bool:
    """Whether the caller of an open operation has a scope."""
    try:
        key = _key_of_request(context())
    except (Unauthorized, ConflictingKeys, TooManyFailures):
        return False
    return key is None or scope in key.scopes


def _key_of_request(ctx: Context) -> Key | None:
    """Live key that was sent; ``None`` if none was sent and none is needed.

    In a request for a page, a session stands for its key if no key was sent.

    :raises Unauthorized: no key was sent, or one that is not live.
    :raises ConflictingKeys: two different keys were sent.
    :raises TooManyFailures: this address has sent too many wrong keys.
    """
    sent = _sent_key()
    if sent is not None:
        return _live_key(ctx, sent)
    key = _key_of_session(ctx) if g.get("page") else None
    if key is None and not (_needs_no_key(ctx) and not ctx.archive.keys.ever()):
        raise Unauthorized(sent=False)
    return key


def _key_of_session(ctx: Context) -> Key | None:
    """Key of the session that a cookie names; ``None`` if there is no live one."""
    session_id = sent_cookie(Cookie.SESSION)
    if session_id is None:
        return None
    sessions = ctx.archive.sessions
    current = sessions.find(session_id)
    if current is None:
        return None
    try:
        sessions.use(session_id, current)
    except ServiceError as error:
        # On a full disk people go on reading. Not recorded, the use is not counted.
        log.warning("the use of a session was not recorded: %s", error)
    g.session = current
    return current.key


def _live_key(ctx: Context, sent: str) -> Key:
    """Key with this secret, if it is live.

    :raises Unauthorized: it is not.
    :raises TooManyFailures: this address has sent too many wrong keys.
    """
    key = ctx.archive.keys.find(sent)
    state = "unknown" if key is None else key.state(datetime.now(UTC))
    if key is not None and state == "live":
        return key
    address = request.remote_addr or ""
    allowance = ctx.archive.rates.fail(network_of(address), FAILURES)
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


def _sent_key() -> str | None:
    """Key in the headers, ``None`` if there is none."""
    keys = []
    # Werkzeug's headers take long to say that there is none of a name.
    headers = this_request().environ
    authorization = headers.get("HTTP_AUTHORIZATION", "")
    # Other schemes are for somebody else, such as a proxy.
    if authorization[: len(_BEARER)].lower() == _BEARER:
        keys.append(authorization[len(_BEARER) :].strip())
    elif (password := _password()) is not None:
        keys.append(password)
    if "HTTP_X_API_KEY" in headers:
        keys.append(headers["HTTP_X_API_KEY"].strip())
    if len(set(keys)) > 1:
        raise ConflictingKeys
    return keys[0] if keys else None


def _password() -> str | None:
    """Key that was sent as a Basic password in a request for a feed.

    Other passwords are for somebody else, such as a proxy.
    """
    sent = request.authorization if g.get("feed") else None
    if sent is None or sent.type != "basic":
        return None
    password = (sent.password or "").strip()
    return password if password.startswith(KEY_PREFIX) else None


def _needs_no_key(ctx: Context) -> bool:
    """Whether this request can only come from this machine."""
    request = this_request()
    return (
        ctx.loopback
        and its_facts().get("own_host", False)
        and is_loopback(f"{request.remote_addr or 'localhost'}:0")
        # Any other host name means that the request came through a proxy.
        and without_port(request.host) in (*LOOPBACK, ctx.bound_host)
    )


def _take_allowance(ctx: Context, key: Key) -> None:
    rates = ctx.archive.rates
    limit = ctx.settings.rate if key.rate is None else key.rate
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
