"""Arguments: the parameters of a request, read strictly by their declarations.

flask-smorest's own parser answers 422 to a bad value and accepts unknown and repeated
parameters. This one answers 400 to all of them and names the parameter. It also looks
only at the parameters that were sent, not at all those declared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import cache, partial, wraps
from typing import Any
from urllib.parse import parse_qsl, quote_from_bytes

from flask import Response, request
from marshmallow import Schema, ValidationError, fields
from rapidfuzz import fuzz, process

from index.errors import InvalidValue, LimitExceeded
from index.memo import Memo
from index.parsing import JSON_TYPES
from service.exchange.bodies import has_no_body, json_object
from service.exchange.parameters import Repeatable, WholeText
from service.refusals import RepeatedParameter, UnknownParameter

View = Callable[..., Response]

MAX_PARAMETERS = 500
LOADED_BYTES = 1024 * 1024  # of parameters that a process keeps
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))

# Names that other APIs have for our parameters, without - and _.
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
    """Passes the parameters of a request to a view, as a dictionary.

    It holds only those that were sent, by their names in the API, in the order sent.
    """

    DEFAULT_VALIDATION_STATUS = 400

    def use_args(
        self, schema: type[Schema], *, location: str
    ) -> Callable[[View], View]:
        """Decorator that adds the parameters to a view's arguments.

        :param location: ``query``, or ``json`` for a body with the same names.
        """
        if location == "query":
            read = partial(_of_query, schema)
        else:
            optional = getattr(schema, "optional", False)
            read = partial(_of_body, schema, optional=optional)

        def decorator(view: View) -> View:
            @wraps(view)
            def wrapper(*args: Any, **kwargs: Any) -> Response:
                return view(*args, read(), **kwargs)

            return wrapper

        return decorator


@cache
def _declared(schema: type[Schema]) -> dict[str, fields.Field[Any]]:
    """Parameters of a schema, by their names in the API."""
    return {field.data_key or name: field for name, field in schema().fields.items()}


def load(
    sent: dict[str, Any], declared: dict[str, fields.Field[Any]]
) -> dict[str, Any]:
    """Deserialize the parameters of a request.

    :raises UnknownParameter: one is not declared.
    :raises InvalidValue: a value does not fit, or a required parameter is missing.
    """
    loaded: dict[str, Any] = {}
    for name, value in sent.items():
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
    """Parameter that an unknown name probably means: by its spelling or other APIs."""
    by_folded = {parameter.casefold(): parameter for parameter in declared}
    folded = name.casefold()
    if folded in by_folded:
        return by_folded[folded]
    word = re.sub(r"[-_]", "", folded)
    for parameter, aliases in ELSEWHERE.items():
        if word in aliases and parameter in declared:
            return parameter
    closest = process.extractOne(
        folded, list(by_folded), scorer=fuzz.ratio, score_cutoff=60
    )
    return by_folded[closest[0]] if closest else None


def query_pairs(query_string: str) -> list[tuple[str, str]]:
    """Names and values of a query string, in order.

    :param query_string: as WSGI passes it, its bytes decoded as Latin-1.
    :raises InvalidValue: part of it is not UTF-8.
    """
    # Some clients send UTF-8 without escaping it.
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


def _of_query(schema: type[Schema]) -> dict[str, Any]:
    return {**_LOADED[schema, request.environ.get("QUERY_STRING", "")]}


def _loaded(of: tuple[type[Schema], str]) -> dict[str, Any]:
    """Parameters of a schema that a query string holds."""
    schema, query_string = of
    declared = _declared(schema)
    values: dict[str, list[str]] = {}
    for name, value in query_pairs(query_string):
        values.setdefault(name, []).append(value)
    sent: dict[str, Any] = {}
    for name, texts in values.items():
        if isinstance(declared.get(name), Repeatable):
            sent[name] = texts
        elif len(texts) > 1 and name in declared:
            raise RepeatedParameter(name, got=len(texts))
        else:
            sent[name] = texts[0]
    return load(sent, declared)


def _bytes_of(of: tuple[type[Schema], str], _: dict[str, Any]) -> int:
    """Upper bound of the memory that parameters take, with their query string."""
    return 1_000 + 20 * len(of[1]) + 250 * of[1].count("&")


# Query strings that come again: a query string means the same at any time.
_LOADED: Memo[tuple[type[Schema], str], dict[str, Any]] = Memo(
    _loaded, _bytes_of, limit=LOADED_BYTES
)


def _of_body(schema: type[Schema], *, optional: bool) -> dict[str, Any]:
    declared = _declared(schema)
    in_query = [
        name for name, _ in query_pairs(request.environ.get("QUERY_STRING", ""))
    ]
    if in_query:
        names = ", ".join(dict.fromkeys(in_query))
        raise UnknownParameter(
            in_query[0],
            hint=f"with {request.method} put {names[:200]} into the JSON body",
        )
    members = {} if optional and has_no_body() else _flat(json_object(), declared)
    for name, value in members.items():
        if name in declared and not _fits(declared[name], value):
            raise InvalidValue(
                name, "has the wrong type", got=JSON_TYPES.get(type(value))
            )
    return load(members, declared)


def _flat(members: dict[str, Any], declared: Collection[str]) -> dict[str, Any]:
    """Members of a body, those of an object ``exclude`` as ``exclude.NAME``.

    :raises RepeatedParameter: a parameter is sent in both forms.
    """
    groups = {name.partition(".")[0] for name in declared if "." in name}
    flat = {}
    for name, value in members.items():
        if name in groups and isinstance(value, dict):
            inner = {f"{name}.{each}": value[each] for each in value}
        else:
            inner = {name: value}
        for full_name, inner_value in inner.items():
            if full_name in flat:
                raise RepeatedParameter(full_name, got=2)
            flat[full_name] = inner_value
    return flat


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
