"""Conditions on articles, as queries of the cluster: visibility, filters and ranges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from index.access import USABLE, WITHHELD
from index.dates import micros
from index.engines.opensearch.mapping import keys_field
from index.query import PUBLIC, Filter, Range, Search
from index.text import field_key

Query = dict[str, Any]  # a query of the cluster

EVERYTHING: Query = {"match_all": {}}
NOTHING: Query = {"match_none": {}}


def every(queries: Iterable[Query], excluded: Iterable[Query] = ()) -> Query:
    """What all of these queries match and no excluded one; not scored."""
    required, forbidden = list(queries), list(excluded)
    if len(required) == 1 and not forbidden:
        return required[0]
    if not required and not forbidden:
        return EVERYTHING
    clauses: Query = {"filter": required}
    if forbidden:
        clauses["must_not"] = forbidden
    return {"bool": clauses}


def with_score(queries: Iterable[Query], parts: Sequence[Query]) -> Query:
    """What all of these queries match; the scores of those parts that match add up.

    Without a part that matches, the score is 0.
    """
    base = {"constant_score": {"filter": every(queries), "boost": 0}}
    return {"bool": {"must": [base], "should": list(parts)}} if parts else base


def some(queries: Sequence[Query]) -> Query:
    """What one of these queries matches; the scores of those that match add up."""
    if not queries:
        return NOTHING
    if len(queries) == 1:
        return queries[0]
    return {"bool": {"should": list(queries), "minimum_should_match": 1}}


def no(query: Query) -> Query:
    """What a query does not match."""
    return {"bool": {"must_not": [query]}}


def visible(search: Search) -> Query:
    """Articles that the reader of a search may see."""
    now = micros(search.now)
    required: list[Query] = []
    forbidden: list[Query] = [{"range": {"expires": {"lte": now}}}]
    if search.reader.held:
        required.append({"range": {"status": {"lte": WITHHELD}}})
    else:
        required.append({"term": {"status": USABLE}})
        forbidden.append({"range": {"embargoed_until": {"gt": now}}})
    for condition in search.reader.filters:
        (forbidden if condition.exclude else required).append(_having(condition))
    if search.hidden:
        forbidden.append({"terms": {"id": sorted(search.hidden)}})
    return every(required, forbidden)


def public(search: Search) -> Query:
    """Articles that statistics count: those that the public may see now."""
    return visible(replace(search, reader=PUBLIC))


def excluded(search: Search) -> list[Query]:
    """Queries for the articles with a value that a filter excludes."""
    return [_having(condition) for condition in search.filters if condition.exclude]


def included(search: Search, *, besides: str = "") -> list[Query]:
    """Queries that all match an article that passes the filters that include values.

    Filters of the same field are alternatives.

    :param besides: a field whose filters are ignored.
    """
    by_field: dict[str, list[Query]] = defaultdict(list)
    for condition in search.filters:
        if not condition.exclude and condition.field != besides:
            by_field[condition.field].append(_having(condition))
    return [some(alternatives) for alternatives in by_field.values()]


def in_range(bounds: Range) -> Query:
    """Articles with a date or number in a range."""
    ends = {"gte": bounds.low, "lte": bounds.high}
    known = {name: end for name, end in ends.items() if end is not None}
    if not known:
        return {"exists": {"field": bounds.field}}
    return {"range": {bounds.field: known}}


def _having(condition: Filter) -> Query:
    """Articles with one of the values of a filter, or without any if it says so."""
    field = keys_field(condition.field)
    keys = sorted({field_key(condition.field, value) for value in condition.values})
    queries: list[Query] = [{"terms": {field: keys}}] if keys else []
    if condition.missing:
        queries.append(no({"exists": {"field": field}}))
    return some(queries)
