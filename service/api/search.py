"""Search, and what helps to write one: suggestions, facets, the list of fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Response, after_this_request, request

from index.access import Scope
from index.archive import Answer, Question, Suggestion, Tag
from index.article import FIELDS, FILTERABLE, Kind
from index.errors import InvalidQuery, InvalidValue
from index.query import Filter, Request, Sort, Unit
from index.query import Scope as QueryScope
from index.rendering import FEED_FIELDS
from service.api.exports import export_response
from service.api.feeds import feed_response
from service.api.links import Links, linked_facet, search_document
from service.api.search_schemas import (
    FacetAnswer,
    FacetArguments,
    FieldsAnswer,
    FormatSearchArguments,
    SearchAnswer,
    SearchArguments,
    SuggestAnswer,
    SuggestArguments,
)
from service.authority import reader
from service.context import context, this_request
from service.exchange import (
    EXPORTS,
    FEEDS,
    JSON,
    MEDIA_TYPES,
    Blueprint,
    SearchFormat,
    Timing,
    accepted_format,
    add_vary,
    conditional_response,
    decoded,
    json_response,
    write_json,
)

blueprint = Blueprint(
    "search", __name__, description="Search for paragraphs and their articles"
)
PATH = "/v1/search"

OTHER_TYPES = tuple(
    media_type for name, media_type in MEDIA_TYPES.items() if name != SearchFormat.JSON
)
_FORMATS = tuple(SearchFormat)
# Formats of a search by a body: a feed is an address.
_OF_BODIES = tuple(name for name in SearchFormat if name not in FEEDS)
_FEED_LIMIT = 50  # hits in a page of a feed, unless the request says how many
# Parameters that would change nothing in a format.
_NOT_IN = {
    SearchFormat.JSON: ("guard",),
    SearchFormat.NDJSON: ("guard", "page", "facet", "facet_size"),
    SearchFormat.CSV: ("page", "facet", "facet_size", "explain"),
    **dict.fromkeys(
        FEEDS,
        ("guard", "facet", "facet_size", "explain", "unit", "fields", "passages"),
    ),
}

_DEFAULTS = {
    **{each.name: each.default for each in dataclasses.fields(Request)},
    "guard": True,
}

_TOOK = b'"took_ms":'

# Names of parameters here, and in the Request that the archive takes.
_NAMES = {"in": "within", "from": "since", "to": "until"}
_ENUMS = {"scope": QueryScope, "unit": Unit, "sort": Sort}
_PLAIN = (
    *("q", "in", "from", "to", "date", "tz", "limit", "page", "cursor"),
    *("facet_size", "passages", "passage_length", "strict", "explain"),
)


@blueprint.operation(
    "GET",
    PATH,
    scope=Scope.SEARCH,
    takes=SearchArguments,
    gives=SearchAnswer,
    gives_text=OTHER_TYPES,
    also={304: None},
    problems=(406, 503),
    feeds=True,
)
def search(arguments: dict[str, Any]) -> Response:
    """Search for articles or paragraphs."""
    search_format = _format_of(arguments, _FORMATS)
    if search_format is not SearchFormat.JSON:
        # Its links must lead to the same format, whoever follows them.
        arguments = {**arguments, "format": search_format.value}
    return _answer(search_format, arguments)


@blueprint.operation(
    "GET",
    f"{PATH}.<any({', '.join(SearchFormat)}):format>",
    scope=Scope.SEARCH,
    takes=FormatSearchArguments,
    gives=SearchAnswer,
    gives_text=OTHER_TYPES,
    also={304: None},
    problems=(503,),
    feeds=True,
)
def search_as(arguments: dict[str, Any], format: str) -> Response:
    """Search for articles or paragraphs, with the format of the answer in the path."""
    return _answer(SearchFormat(format), arguments)


@blueprint.operation(
    "POST",
    PATH,
    scope=Scope.SEARCH,
    takes=SearchArguments,
    location="json",
    gives=SearchAnswer,
    gives_text=tuple(MEDIA_TYPES[name] for name in _OF_BODIES[1:]),
    problems=(406, 411, 413, 415, 422, 503),
)
def search_by_body(arguments: dict[str, Any]) -> Response:
    """Search for articles or paragraphs, with the parameters in a JSON object."""
    search_format = _format_of(arguments, _OF_BODIES)
    if search_format in FEEDS:
        raise InvalidValue(
            "format", "feeds are read with GET; choose json, ndjson or csv here"
        )
    search_request = request_of(arguments, search_format)
    if search_format in EXPORTS:
        return _export(search_request, search_format, arguments)
    with context().archive.asking(search_request, reader=reader()) as question:
        tag = question.tag(_parameters(search_request))
        return _search_response(arguments, search_request, question, tag)


@blueprint.operation(
    "GET",
    "/v1/facets/<field>",
    scope=Scope.SEARCH,
    takes=FacetArguments,
    gives=FacetAnswer,
    also={304: None},
    problems=(503,),
)
def facet(arguments: dict[str, Any], field: str) -> Response:
    """Count articles by the values of one field."""
    field = decoded(field, "facet")
    search_request = replace(
        request_of(arguments),
        limit=0,
        facets=(field,),
        facet_prefix=arguments.get("prefix", ""),
    )
    narrowed = {
        name: value
        for name, value in arguments.items()
        if name not in ("prefix", "facet_size")
    }
    links = Links(request.script_root + PATH, narrowed)
    with context().archive.asking(search_request, reader=reader()) as question:
        tag = question.tag(_parameters(search_request))

        def answer() -> Response:
            pieces = _cached_answer(
                tag,
                arguments,
                lambda: (write_json(_facet_document(field, question.answer(), links)),),
            )
            return Response(b"".join(pieces), content_type=JSON)

        return conditional_response(tag, answer)


@blueprint.operation(
    "GET",
    "/v1/suggest",
    scope=Scope.SEARCH,
    takes=SuggestArguments,
    gives=SuggestAnswer,
    problems=(503,),
)
def suggest(arguments: dict[str, Any]) -> Response:
    """Suggest words, headlines and names that start with the typed text."""
    suggestions = suggestions_of(arguments["q"], arguments.get("limit", 10))
    return json_response(
        {
            "suggestions": [
                {
                    "text": suggestion.text,
                    "type": suggestion.type,
                    "articles": suggestion.articles,
                    "id": suggestion.id,
                }
                for suggestion in suggestions
            ]
        }
    )


@blueprint.operation("GET", "/v1/fields", scope=Scope.SEARCH, gives=FieldsAnswer)
def list_fields(arguments: dict[str, Any]) -> Response:
    """List the fields, and what each can be used for."""
    return json_response(
        {
            "fields": [
                {
                    "name": field.name,
                    "kind": field.kind.value,
                    "about": field.about,
                    "many": field.many,
                    "searchable": field.searchable_words,
                    "range": field.kind in (Kind.INTEGER, Kind.DATE),
                    "filterable": field.filterable,
                    "facetable": field.facetable,
                    "sortable": field.kind is Kind.DATE,
                    "returned": field.returned,
                }
                for field in FIELDS
            ]
        }
    )


def suggestions_of(q: str, limit: int) -> tuple[Suggestion, ...]:
    """Suggestions for a typed text that this caller may see.

    :raises InvalidQuery: it is longer than a query may be.
    """
    most = context().settings.query_characters
    if len(q) > most:
        raise InvalidQuery(
            f"q has {len(q):,} characters; at most {most:,}",
            code="query_too_long",
            limit=most,
            got=len(q),
        )
    return context().archive.suggest(q, limit=limit, reader=reader())


def unused_in(search_format: SearchFormat) -> tuple[str, ...]:
    """Parameters that mean nothing in a format, and are refused there."""
    return _NOT_IN[search_format]


def request_of(
    arguments: dict[str, Any], search_format: SearchFormat = SearchFormat.JSON
) -> Request:
    """Request to the archive, from the parameters of a search.

    :raises InvalidValue: a parameter means nothing in the format.
    """
    for name, value in arguments.items():
        # Generated clients may send every default.
        if name in _NOT_IN[search_format] and value != _DEFAULTS.get(name):
            raise InvalidValue(
                name, f"means nothing with format={search_format}; leave it out"
            )
    values: dict[str, Any] = {
        _NAMES.get(name, name): arguments[name] for name in _PLAIN if name in arguments
    }
    for name, kind in _ENUMS.items():
        if name in arguments:
            values[name] = kind(arguments[name])
    fields = tuple(dict.fromkeys(arguments.get("fields", ())))
    if search_format in EXPORTS:
        values.pop("limit", None)  # of all pages together
    if search_format in FEEDS:
        fields = FEED_FIELDS
        values = {
            "sort": Sort.UPDATED,  # what is new or corrected comes first
            "limit": min(_FEED_LIMIT, context().settings.limit),
            **values,
            "passages": 1,
        }
    return Request(
        **values,
        filters=tuple(_filters(arguments)),
        facets=tuple(dict.fromkeys(arguments.get("facet", ()))),
        fields=fields,
    )


def _format_of(
    arguments: dict[str, Any], offered: tuple[SearchFormat, ...]
) -> SearchFormat:
    """Format that the parameter names; without it, the one that ``Accept`` prefers.

    :raises NotAcceptable: it accepts none of those offered.
    """
    after_this_request(_varied)
    if "format" in arguments:
        return SearchFormat(arguments["format"])
    return accepted_format(offered)


def _varied(response: Response) -> Response:
    add_vary(response, "Accept")
    return response


def _filters(arguments: dict[str, Any]) -> list[Filter]:
    filters = []
    for name in FILTERABLE:
        values = tuple(arguments.get(name, ()))
        missing = arguments.get(f"missing.{name}", False)
        if values or missing:
            filters.append(Filter(field=name, values=values, missing=missing))
        if excluded := tuple(arguments.get(f"exclude.{name}", ())):
            filters.append(Filter(field=name, values=excluded, exclude=True))
    return filters


def _answer(search_format: SearchFormat, arguments: dict[str, Any]) -> Response:
    search_request = request_of(arguments, search_format)
    if search_format in EXPORTS:
        return _export(search_request, search_format, arguments)
    with context().archive.asking(search_request, reader=reader()) as question:
        parameters = _parameters(search_request)
        if search_format in FEEDS:
            return feed_response(
                question, search_format, arguments, f"{search_format} {parameters}"
            )
        tag = question.tag(parameters)
        return conditional_response(
            tag, lambda: _search_response(arguments, search_request, question, tag)
        )


def _export(
    search_request: Request, search_format: SearchFormat, arguments: dict[str, Any]
) -> Response:
    return export_response(
        search_request,
        search_format,
        most=arguments.get("limit"),
        guards=arguments.get("guard", True),
    )


def _facet_document(field: str, answer: Answer, links: Links) -> dict[str, Any]:
    return {
        "field": field,
        **linked_facet(answer.facets[0], links),
        "index": {"seq": answer.seq, "behind": answer.behind},
    }


def _parameters(search_request: Request) -> str:
    return f"{_own_path(' ')} {search_request!r}"


def _own_path(separator: str = "") -> str:
    """Path of this request, from the root of the host."""
    request = this_request()
    return f"{request.script_root}{separator}{request.path}"


def _cached_answer(
    tag: Tag, arguments: dict[str, Any], write: Callable[[], tuple[bytes, ...]]
) -> tuple[bytes, ...]:
    """The pieces of an answer, from the cache or else written now.

    :param arguments: as they were sent; links have their order, which no tag has.
    """
    ctx, form = context(), repr(arguments)
    pieces = ctx.archive.answer_cache.get(tag, form)
    if pieces is None:
        pieces = write()
        ctx.archive.answer_cache.put(tag, form, pieces)
    else:
        ctx.metrics.cached_answers.inc()
    return pieces


def _search_response(
    arguments: dict[str, Any], search_request: Request, question: Question, tag: Tag
) -> Response:
    timing = Timing()

    def write() -> tuple[bytes, bytes]:
        answer = question.answer()
        timing.done("search")
        links = Links(_own_path(), arguments)
        body = write_json(search_document(answer, search_request, links))
        # In texts, of which some come first, quotes are escaped.
        before, _, after = body.partition(_TOOK)
        return before, after[after.index(b",") :]

    before, after = _cached_answer(tag, arguments, write)
    timing.done("write")
    took = str(timing.ms("search")).encode()
    response = Response(b"".join((before, _TOOK, took, after)), content_type=JSON)
    return timing.add_to(response)
