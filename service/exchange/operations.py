"""Operations: each is declared once, with scope, parameters and answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import flask_smorest
from flask import Flask, Response
from marshmallow import Schema

from index.access import Scope
from service.exchange.arguments import ArgumentsParser, View
from service.exchange.deprecation import DeprecatedPath
from service.exchange.page_routes import PageBlueprint
from service.exchange.parameters import PATH_PARAMETERS, NoArguments, with_id
from service.exchange.paths import BY_ID, PATH, checked_id, decode_id
from service.exchange.schemas import Problem

_PATH_NAME = re.compile(r"<(?:[^:<>]+:)?(\w+)>")


# Meaning of each status that operations answer with.
MEANINGS = {
    207: "Some articles were stored, others failed; results says which",
    304: "The answer with the ETag that was sent has not changed",
    400: "A parameter, the query or the JSON is not valid",
    401: "There is no key, or it is unknown, expired or revoked",
    403: "The key lacks the scope, or the signature or origin is not accepted",
    404: "No such article, paragraph or version, or push is switched off",
    406: "Accept names none of the media types of the answer",
    408: "The request arrived too slowly",
    409: "It conflicts with the stored content, status or history",
    410: "The article was killed; the problem has its notice",
    411: "The request needs a body",
    412: "The article is not in the state that If-Match names",
    413: "The body is too large, or has too many articles",
    415: "The media type is not accepted",
    422: "The body cannot be decompressed, or none of its articles could be stored",
    429: "Too many requests with this key, or wrong keys from this address",
    431: "The request line and headers are too large",
    503: "The index or the store is not available now; see Retry-After",
    507: "The store's disk is full",
}


OPEN = None  # scope of an operation that everybody may call


# The two ways to send a key, by their names in the OpenAPI document.
KEY_HEADERS = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


# How keys of feeds may be sent as well: readers of feeds know passwords only.
BASIC = {"basic": {"type": "http", "scheme": "basic"}}


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """Blueprint whose views declare their scope, parameters and answers.

    Views get the id in the path decoded.
    """

    ARGUMENTS_PARSER = ArgumentsParser()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scopes: dict[str, Scope | None] = {}  # by the view's name
        self.feeds: set[str] = set()  # names of the views that feed keys may call
        self.before_request(decode_id)

    def operation(
        self,
        method: str,
        rule: str,
        *,
        scope: Scope | None,
        takes: type[Schema] = NoArguments,
        gives: type[Schema] | dict[str, str],
        gives_status: int = 200,
        gives_type: str = "application/json",
        gives_text: tuple[str, ...] = (),
        also: Mapping[int, type[Schema] | None] = MappingProxyType({}),
        problems: tuple[int, ...] = (),
        location: str = "query",
        feeds: bool = False,
        headers: tuple[dict[str, Any], ...] = (),
        documented: Mapping[str, Any] = MappingProxyType({}),
    ) -> Callable[[View], View]:
        """Decorator that makes a function the view of a method and path.

        :param scope: the scope that a key needs, or :data:`OPEN`. There is no default.
        :param takes: the parameters; the view gets them as a dictionary, first.
        :param gives: the answer, with ``gives_status`` and the type ``gives_type``.
        :param gives_text: other media types that the answer is available in.
        :param also: other answers that are not problems, by status.
        :param problems: statuses of its problems; 400 and 403 are always added, and
            those for slow clients, long heads and keys.
        :param location: where the parameters are, ``query`` or ``json``.
        :param feeds: whether it answers with feeds, too: a key with the scope ``feed``
            opens these.
        :param headers: the headers that the view reads, as OpenAPI describes them.
        :param documented: more about the operation, for OpenAPI.
        """

        always = {400, 403, 408, 431}
        if scope is not OPEN:
            always |= {401, 429, 503}

        def decorator(view: View) -> View:
            self.scopes[view.__name__] = scope
            if feeds:
                self.feeds.add(view.__name__)
            required = not getattr(takes, "optional", False)
            wrapped = self.arguments(takes, location=location, required=required)(view)
            wrapped._apidoc["arguments"]["parameters"] += map(dict, headers)
            answers = self.response(gives_status, gives, content_type=gives_type)
            wrapped = answers(wrapped)
            for media_type in gives_text:
                kind = "object" if media_type.endswith("+json") else "string"
                wrapped = self.alt_response(
                    200, schema={"type": kind}, content_type=media_type
                )(wrapped)
            for status, schema in also.items():
                wrapped = self.alt_response(
                    status, schema=schema, description=MEANINGS[status]
                )(wrapped)
            for status in sorted(always | {*problems}):
                # By name: flask-smorest copies a schema with every answer after it.
                wrapped = self.alt_response(
                    status,
                    schema=Problem.__name__,
                    content_type="application/problem+json",
                    description=MEANINGS[status],
                )(wrapped)
            details = {"operationId": view.__name__, **documented}
            if scope is not OPEN:
                details["security"] = [{name: [scope.value]} for name in KEY_HEADERS]
                if feeds:
                    details["security"] += [
                        {name: [Scope.FEED.value]} for name in (*KEY_HEADERS, *BASIC)
                    ]
            parameters = [PATH_PARAMETERS[name] for name in _PATH_NAME.findall(rule)]
            # It was wrapped once for each answer that it documents. Requests go past
            # these: a view answers with a response, which they would only hand on.
            called = self.ARGUMENTS_PARSER.use_args(takes, location=location)(view)
            called.__dict__["_apidoc"] = self.doc(**details)(wrapped)._apidoc
            self.route(rule, methods=[method], parameters=parameters)(called)
            return view

        return decorator

    def of_article(
        self,
        method: str,
        rest: str = "",
        *,
        formerly: DeprecatedPath | None = None,
        **declared: Any,
    ) -> Callable[[View], View]:
        """Decorator that makes a function two views of an article.

        One finds the article by its path; the other, for proxies that decode paths, by
        the parameter ``id``. They differ in nothing else.

        :param rest: rest of the path, after the article.
        :param formerly: what ``rest`` was before; adds two deprecated routes.
        :param declared: the other arguments of :meth:`operation`.
        """

        def decorator(view: View) -> View:
            self._add_both_routes(view, method, rest, **declared)
            if formerly is not None:
                self._add_both_routes(
                    formerly.view(view, rest),
                    method,
                    formerly.rest,
                    documented={"deprecated": True},
                    **declared,
                )
            return view

        return decorator

    def _add_both_routes(
        self,
        view: View,
        method: str,
        rest: str,
        *,
        takes: type[Schema],
        problems: tuple[int, ...],
        location: str = "query",
        **declared: Any,
    ) -> None:
        def by_id(arguments: dict[str, Any]) -> Response:
            return view(arguments, checked_id(arguments["id"]))

        by_id.__name__ = f"{view.__name__}_by_id"
        summary = (view.__doc__ or "").strip().partition("\n")[0].rstrip(".")
        by_id.__doc__ = f"{summary} (by id)."
        # The id is in the body, so the body is required.
        no_body = (411,) if location == "json" else ()
        for rule, schema, statuses, function in (
            (f"{PATH}{rest}", takes, problems, view),
            (f"{BY_ID}{rest}", with_id(takes), (*problems, *no_body), by_id),
        ):
            self.operation(
                method,
                rule,
                takes=schema,
                problems=statuses,
                location=location,
                **declared,
            )(function)


def scopes_of(app: Flask) -> dict[str, Scope | None]:
    """Scope of each endpoint of an app that declares one."""
    scopes: dict[str, Scope | None] = dict.fromkeys(app.config["OPEN_ENDPOINTS"], OPEN)
    for name, blueprint in app.blueprints.items():
        if isinstance(blueprint, Blueprint | PageBlueprint):
            scopes |= {
                f"{name}.{view}": scope for view, scope in blueprint.scopes.items()
            }
    return scopes


def pages_of(app: Flask) -> frozenset[str]:
    """Endpoints of an app that answer with pages."""
    return frozenset(
        f"{name}.{view}"
        for name, blueprint in app.blueprints.items()
        if isinstance(blueprint, PageBlueprint)
        for view in blueprint.scopes
    )


def feeds_of(app: Flask) -> frozenset[str]:
    """Endpoints of an app that answer with feeds, too."""
    return frozenset(
        f"{name}.{view}"
        for name, blueprint in app.blueprints.items()
        if isinstance(blueprint, Blueprint)
        for view in blueprint.feeds
    )
