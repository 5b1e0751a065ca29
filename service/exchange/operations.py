"""Operations: each declared once with its scope, its parameters and its answers."""

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
from service.exchange.former import Former
from service.exchange.parameters import PATH_PARAMETERS, NoArguments, with_id
from service.exchange.paths import BY_ID, PATH, checked_id, decode_id
from service.exchange.schemas import Problem

_PATH_NAME = re.compile(r"<(?:\w+:)?(\w+)>")


# What each status means where an operation can answer with it.
MEANINGS = {
    207: "Some are kept; results says which",
    304: "Nothing changed since the ETag sent",
    400: "A parameter, the query or the JSON is wrong",
    401: "There is no key, or none that is known and has not ended",
    403: "The key lacks the scope, a signature is wrong, or the origin may not call",
    404: "There is no such article, paragraph or version, or the service is off",
    408: "The request did not come in time",
    409: "What is stored forbids it: other content, or a kill",
    410: "The article was killed; the problem is its notice",
    411: "A body is needed",
    413: "The body is too large, or holds too many articles",
    415: "The media type is not read here",
    422: "The body cannot be unpacked, or none of its articles be kept",
    429: "The key, or the address with wrong keys, has called too often",
    431: "The head of the request is too large",
    503: "The index or the store cannot answer just now; see Retry-After",
    507: "The store's disk is full",
}


OPEN = None  # the scope of what everybody may call


# How a key is sent: the names of both ways in the OpenAPI document.
KEY_HEADERS = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """A blueprint whose views declare who may call, what they take and answer."""

    ARGUMENTS_PARSER = ArgumentsParser()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scopes: dict[str, Scope | None] = {}  # by view
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
        documented: Mapping[str, Any] = MappingProxyType({}),
    ) -> Callable[[View], View]:
        """Return a decorator that makes a function the view of a method and path.

        :param scope: what a key must have, or :data:`OPEN`. There is no default.
        :param takes: the parameters; they come as a dictionary, the first argument.
        :param gives: the answer, with ``gives_status``, of the type ``gives_type``.
        :param gives_text: other media types that the same can be asked for in.
        :param also: other answers that are no problem, by status.
        :param problems: the statuses of the problems it can answer with; 400 and 403
            are always among them, as are those of slow clients, long heads and keys.
        :param location: where the parameters are, ``query`` or ``json``.
        :param documented: what else OpenAPI says of it.
        """

        always = {400, 403, 408, 431}
        if scope is not OPEN:
            always |= {401, 429, 503}

        def decorator(view: View) -> View:
            self.scopes[view.__name__] = scope
            needed = not getattr(takes, "optional", False)
            wrapped = self.arguments(takes, location=location, required=needed)(view)
            answers = self.response(gives_status, gives, content_type=gives_type)
            wrapped = answers(wrapped)
            for media_type in gives_text:
                wrapped = self.alt_response(
                    200, schema={"type": "string"}, content_type=media_type
                )(wrapped)
            for status, schema in also.items():
                wrapped = self.alt_response(
                    status, schema=schema, description=MEANINGS[status]
                )(wrapped)
            for status in sorted(always | {*problems}):
                wrapped = self.alt_response(
                    status,
                    schema=Problem,
                    content_type="application/problem+json",
                    description=MEANINGS[status],
                )(wrapped)
            more = {"operationId": view.__name__, **documented}
            if scope is not OPEN:
                more["security"] = [{name: [scope.value]} for name in KEY_HEADERS]
            parameters = [PATH_PARAMETERS[n] for n in _PATH_NAME.findall(rule)]
            self.route(rule, methods=[method], parameters=parameters)(
                self.doc(**more)(wrapped)
            )
            return view

        return decorator

    def of_article(
        self,
        method: str,
        rest: str = "",
        *,
        formerly: Former | None = None,
        **declared: Any,
    ) -> Callable[[View], View]:
        """Return a decorator that makes a function two views of an article.

        By the article's path and, for proxies that decode paths, by its ``id`` as a
        parameter, which is the only difference between the two.

        :param rest: of the path, behind the article.
        :param formerly: what ``rest`` was before: two more routes, deprecated.
        :param declared: as :meth:`operation` takes it.
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
        def by_id(given: dict[str, Any]) -> Response:
            return view(given, checked_id(given["id"]))

        by_id.__name__ = f"{view.__name__}_by_id"
        does = (view.__doc__ or "").strip().partition("\n")[0].rstrip(".")
        by_id.__doc__ = f"{does} (by id, where a proxy decodes paths)."
        # A body that names the article cannot be left out.
        more = (411,) if location == "json" else ()
        for rule, schema, statuses, each in (
            (f"{PATH}{rest}", takes, problems, view),
            (f"{BY_ID}{rest}", with_id(takes), (*problems, *more), by_id),
        ):
            self.operation(
                method,
                rule,
                takes=schema,
                problems=statuses,
                location=location,
                **declared,
            )(each)


def scopes_of(app: Flask) -> dict[str, Scope | None]:
    """Return the scope of each endpoint of an app that has one declared."""
    found: dict[str, Scope | None] = dict.fromkeys(app.config["OPEN_ENDPOINTS"], OPEN)
    for name, blueprint in app.blueprints.items():
        if isinstance(blueprint, Blueprint):
            found |= {f"{name}.{view}": each for view, each in blueprint.scopes.items()}
    return found
