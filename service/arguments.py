"""Parameters: read strictly, declared once in :mod:`service.parameters`.

flask-smorest's own parser answers 422 for a bad value and lets unknown and repeated
parameters pass. This one refuses all of them with 400, naming the parameter; it also
looks at the given parameters only, not at all that could be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import partial, wraps
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, quote_from_bytes

import flask_smorest
from flask import Flask, Response, request
from marshmallow import Schema, ValidationError, fields
from rapidfuzz import fuzz, process

from index.access import Scope
from index.errors import InvalidValue, LimitExceeded
from index.parsing import KINDS
from service.bodies import has_no_body, json_object
from service.parameters import (
    PATH_PARAMETERS,
    NoArguments,
    Repeatable,
    WholeText,
    with_id,
)
from service.paths import BY_ID, PATH, checked_id
from service.refusals import RepeatedParameter, UnknownParameter
from service.schemas import Problem

View = Callable[..., Response]

MAX_PARAMETERS = 500
_PATH_NAME = re.compile(r"<(?:\w+:)?(\w+)>")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))

# Parameters by what other APIs call them, without - and _.
ELSEWHERE = {
    "q": ("query", "querry", "search"),
    "limit": ("size", "perpage", "pagesize", "rows"),
    "facet_size": ("size", "limit", "rows"),
    "page": ("offset", "start"),
    "from": ("fromdate", "datefrom", "begindate", "startdate", "since"),
    "to": ("todate", "dateto", "enddate", "until"),
    "sort": ("order", "orderby", "sortby"),
    "facet": ("facets",),
    "passages": ("highlight",),
}

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


class ArgumentsParser:
    """Hands the declared parameters of a request to a view, as a dictionary.

    Only what was given is in it, by the names of the API, in the order given.
    """

    DEFAULT_VALIDATION_STATUS = 400

    def use_args(
        self, schema: type[Schema], *, location: str
    ) -> Callable[[View], View]:
        """Return a decorator that appends the parameters to a view's arguments.

        :param location: ``query``, or ``json`` for the same names in a body.
        """
        declared = {
            field.data_key or name: field for name, field in schema().fields.items()
        }
        if location == "query":
            given = _of_query
        else:
            given = partial(_of_body, optional=getattr(schema, "optional", False))

        def decorator(view: View) -> View:
            @wraps(view)
            def wrapper(*args: Any, **kwargs: Any) -> Response:
                return view(*args, load(given(declared), declared), **kwargs)

            return wrapper

        return decorator


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
        takes: type[Schema],
        problems: tuple[int, ...],
        location: str = "query",
        **declared: Any,
    ) -> Callable[[View], View]:
        """Return a decorator that makes a function two views of an article.

        By the article's path and, for proxies that decode paths, by its ``id`` as a
        parameter, which is the only difference between the two.

        :param rest: of the path, behind the article.
        :param declared: as :meth:`operation` takes it.
        """

        def decorator(view: View) -> View:
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
            return view

        return decorator


def scopes_of(app: Flask) -> dict[str, Scope | None]:
    """Return the scope of each endpoint of an app that has one declared."""
    found: dict[str, Scope | None] = dict.fromkeys(app.config["OPEN_ENDPOINTS"], OPEN)
    for name, blueprint in app.blueprints.items():
        if isinstance(blueprint, Blueprint):
            found |= {f"{name}.{view}": each for view, each in blueprint.scopes.items()}
    return found


def load(
    given: dict[str, Any], declared: dict[str, fields.Field[Any]]
) -> dict[str, Any]:
    """Return parameters with their values read.

    :raises UnknownParameter: one is not declared.
    :raises InvalidValue: a value does not fit, or a required one is missing.
    """
    loaded: dict[str, Any] = {}
    for name, value in given.items():
        if name not in declared:
            raise UnknownParameter(name, nearest=nearest(name, declared))
        try:
            loaded[name] = declared[name].deserialize(value)
        except ValidationError as error:
            raise InvalidValue(
                name,
                " ".join(map(str, error.messages)),
                got=", ".join(map(str, value)) if isinstance(value, list) else value,
                code=getattr(error, "code", None),
            ) from error
    for name, field in declared.items():
        if field.required and name not in loaded:
            raise InvalidValue(name, "is required")
    return loaded


def nearest(name: str, declared: Collection[str]) -> str | None:
    """Return the parameter that a name may stand for: one spelt or meant alike."""
    known = {each.casefold(): each for each in declared}
    folded = name.casefold()
    if folded in known:
        return known[folded]
    word = re.sub(r"[-_]", "", folded)
    for parameter, others in ELSEWHERE.items():
        if word in others and parameter in declared:
            return parameter
    found = process.extractOne(folded, list(known), scorer=fuzz.ratio, score_cutoff=60)
    return known[found[0]] if found else None


def query_pairs(query_string: str) -> list[tuple[str, str]]:
    """Return the names and values of a query string, in order.

    :param query_string: as WSGI gives it, its bytes as Latin-1.
    :raises InvalidValue: something in it is not UTF-8.
    """
    # Some clients send UTF-8 as it is, without escapes.
    ascii_only = quote_from_bytes(query_string.encode("latin-1"), safe=_PRINTABLE)
    if ascii_only.count("&") >= MAX_PARAMETERS:
        raise LimitExceeded(
            "parameters", limit=MAX_PARAMETERS, got=ascii_only.count("&") + 1
        )
    try:
        return parse_qsl(ascii_only, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        name = _name_of_undecodable(ascii_only)
        raise InvalidValue(
            name, "is not UTF-8 text; encode it as UTF-8", code="invalid_encoding"
        ) from error


def _name_of_undecodable(query_string: str) -> str:
    for pair in query_string.split("&"):
        try:
            parse_qsl(pair, keep_blank_values=True, errors="strict")
        except UnicodeDecodeError:
            return re.sub(r"[^\w.]", "?", pair.partition("=")[0])[:50]
    return "parameters"


def _of_query(declared: dict[str, fields.Field[Any]]) -> dict[str, Any]:
    values: dict[str, list[str]] = {}
    for name, value in query_pairs(request.environ.get("QUERY_STRING", "")):
        values.setdefault(name, []).append(value)
    given: dict[str, Any] = {}
    for name, several in values.items():
        if isinstance(declared.get(name), Repeatable):
            given[name] = several
        elif len(several) > 1 and name in declared:
            raise RepeatedParameter(name, got=len(several))
        else:
            given[name] = several[0]
    return given


def _of_body(
    declared: dict[str, fields.Field[Any]], *, optional: bool
) -> dict[str, Any]:
    outside = [name for name, _ in query_pairs(request.environ.get("QUERY_STRING", ""))]
    if outside:
        names = ", ".join(dict.fromkeys(outside))
        raise UnknownParameter(
            outside[0],
            hint=f"with {request.method} put {names[:200]} into the JSON body",
        )
    given = {} if optional and has_no_body() else json_object()
    for name, value in given.items():
        if name in declared and not _fits(declared[name], value):
            raise InvalidValue(name, "has the wrong type", got=KINDS.get(type(value)))
    return given


def _fits(field: fields.Field[Any], value: object) -> bool:
    if isinstance(field, Repeatable):
        items = value if isinstance(value, list) else [value]
        return all(_fits(field.inner, item) for item in items)
    if isinstance(field, fields.Boolean):
        return isinstance(value, int)
    if isinstance(field, fields.Integer):
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(field, WholeText) and isinstance(value, int):
        return not isinstance(value, bool)
    return isinstance(value, str)
