"""Search, and what helps with asking: suggestions, facets, the fields there are."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flask import Response, request

from index.access import Scope
from index.archive import Answer
from index.article import FIELDS, FILTERABLE, Kind
from index.errors import InvalidQuery
from index.query import Filter, Request, Sort, Unit
from index.query import Scope as QueryScope
from service.api.links import Links, linked_facet, search_document
from service.api.search_schemas import (
    FacetAnswer,
    FacetArguments,
    FieldsAnswer,
    SearchAnswer,
    SearchArguments,
    SuggestAnswer,
    SuggestArguments,
)
from service.authority import reader
from service.context import context
from service.exchange import Blueprint, conditional, decoded, json_response

blueprint = Blueprint(
    "search", __name__, description="Find paragraphs and the articles they are in"
)
PATH = "/v1/search"

# What a parameter is called here and in the request that the archive takes.
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
    also={304: None},
    problems=(503,),
)
def search(given: dict[str, Any]) -> Response:
    """Find articles or paragraphs."""
    asked = request_of(given)
    started = time.perf_counter()
    with context().archive.asking(asked, reader=reader()) as question:
        return conditional(
            question.tag(_parameters(asked)),
            lambda: _answered(given, asked, question.answer(), started),
        )


@blueprint.operation(
    "POST",
    PATH,
    scope=Scope.SEARCH,
    takes=SearchArguments,
    location="json",
    gives=SearchAnswer,
    problems=(411, 413, 415, 422, 503),
)
def search_by_body(given: dict[str, Any]) -> Response:
    """Find articles or paragraphs, with the parameters in a JSON object."""
    asked = request_of(given)
    started = time.perf_counter()
    return _answered(
        given, asked, context().archive.search(asked, reader=reader()), started
    )


@blueprint.operation(
    "GET",
    "/v1/facets/<field>",
    scope=Scope.SEARCH,
    takes=FacetArguments,
    gives=FacetAnswer,
    also={304: None},
    problems=(503,),
)
def facet(given: dict[str, Any], field: str) -> Response:
    """Count articles by the values of one field."""
    field = decoded(field, "facet")
    asked = replace(
        request_of(given),
        limit=0,
        facets=(field,),
        facet_prefix=given.get("prefix", ""),
    )
    narrowed = {
        name: value
        for name, value in given.items()
        if name not in ("prefix", "facet_size")
    }
    links = Links(request.script_root + PATH, narrowed)
    with context().archive.asking(asked, reader=reader()) as question:
        return conditional(
            question.tag(_parameters(asked)),
            lambda: _facet_answer(field, question.answer(), links),
        )


@blueprint.operation(
    "GET",
    "/v1/suggest",
    scope=Scope.SEARCH,
    takes=SuggestArguments,
    gives=SuggestAnswer,
    problems=(503,),
)
def suggest(given: dict[str, Any]) -> Response:
    """Suggest words, headlines and names that start like what was typed."""
    q, most = given["q"], context().settings.query_characters
    if len(q) > most:
        raise InvalidQuery(
            f"q has {len(q):,} characters; at most {most:,}",
            code="query_too_long",
            limit=most,
            got=len(q),
        )
    found = context().archive.suggest(
        q, limit=given.get("limit", 10), now=datetime.now(UTC), reader=reader()
    )
    return json_response(
        {
            "suggestions": [
                {
                    "text": each.text,
                    "type": each.type,
                    "articles": each.articles,
                    "id": each.id,
                }
                for each in found
            ]
        }
    )


@blueprint.operation("GET", "/v1/fields", scope=Scope.SEARCH, gives=FieldsAnswer)
def list_fields(given: dict[str, Any]) -> Response:
    """List the fields, and what can be done with each."""
    return json_response(
        {
            "fields": [
                {
                    "name": each.name,
                    "kind": each.kind.value,
                    "about": each.about,
                    "many": each.many,
                    "searchable": each.searchable_words,
                    "range": each.kind in (Kind.INTEGER, Kind.DATE),
                    "filterable": each.filterable,
                    "facetable": each.facetable,
                    "sortable": each.kind is Kind.DATE,
                    "returned": each.returned,
                }
                for each in FIELDS
            ]
        }
    )


def request_of(given: dict[str, Any]) -> Request:
    """Return the request that parameters stand for."""
    values: dict[str, Any] = {
        _NAMES.get(name, name): given[name] for name in _PLAIN if name in given
    }
    for name, kind in _ENUMS.items():
        if name in given:
            values[name] = kind(given[name])
    return Request(
        **values,
        filters=tuple(_filters(given)),
        facets=tuple(dict.fromkeys(given.get("facet", ()))),
        fields=tuple(dict.fromkeys(given.get("fields", ()))),
    )


def _filters(given: dict[str, Any]) -> list[Filter]:
    found = []
    for name in FILTERABLE:
        values = tuple(given.get(name, ()))
        missing = given.get(f"missing.{name}", False)
        if values or missing:
            found.append(Filter(field=name, values=values, missing=missing))
        if refused := tuple(given.get(f"exclude.{name}", ())):
            found.append(Filter(field=name, values=refused, exclude=True))
    return found


def _facet_answer(field: str, answer: Answer, links: Links) -> Response:
    return json_response(
        {
            "field": field,
            **linked_facet(answer.facets[0], links),
            "index": {"seq": answer.seq, "behind": answer.behind},
        }
    )


def _parameters(asked: Request) -> str:
    return f"{request.path} {asked!r}"


def _answered(
    given: dict[str, Any], asked: Request, answer: Answer, started: float
) -> Response:
    searched = time.perf_counter()
    links = Links(request.script_root + PATH, given)
    response = json_response(search_document(answer, asked, links))
    written = time.perf_counter()
    response.headers["Server-Timing"] = (
        f"search;dur={(searched - started) * 1000:.1f},"
        f" write;dur={(written - searched) * 1000:.1f}"
    )
    return response
