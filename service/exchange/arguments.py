"""Parameters: read strictly, declared once in :mod:`service.exchange.parameters`.

flask-smorest's own parser answers 422 for a bad value and lets unknown and repeated
parameters pass. This one refuses all of them with 400, naming the parameter; it also
looks at the given parameters only, not at all that could be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import partial, wraps
from typing import Any
from urllib.parse import parse_qsl, quote_from_bytes

from flask import Response, request
from marshmallow import Schema, ValidationError, fields
from rapidfuzz import fuzz, process

from index.errors import InvalidValue, LimitExceeded
from index.parsing import JSON_TYPES
from service.exchange.bodies import has_no_body, json_object
from service.exchange.parameters import Repeatable, WholeText
from service.refusals import RepeatedParameter, UnknownParameter

View = Callable[..., Response]

MAX_PARAMETERS = 500
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
            raise InvalidValue(
                name, "has the wrong type", got=JSON_TYPES.get(type(value))
            )
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
