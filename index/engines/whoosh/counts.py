"""Facets by array operations."""

from __future__ import annotations

from datetime import tzinfo

import numpy as np

from index.deadline import Check
from index.engines.whoosh.segment import UNKNOWN, Ints
from index.engines.whoosh.state import Mask, State, Values
from index.facets import Counted, buckets, no_dates, value_facet
from index.fields import DATES
from index.query import FacetRequest, Search
from index.result import Facet


def count_facet(
    state: State,
    request: FacetRequest,
    search: Search,
    hits: Mask,
    tz: tzinfo,
    check: Check,
) -> Facet:
    """Return the facet of a field over the articles that are hits for it."""
    check()
    if request.field in DATES:
        return _count_dates(state, request, search, hits, tz)
    return _count_values(state, request, search, hits, check)


def _count_dates(
    state: State, request: FacetRequest, search: Search, hits: Mask, tz: tzinfo
) -> Facet:
    column: Ints = getattr(state, request.field)
    dates = column[hits & (column != UNKNOWN)]
    missing = int(hits.sum()) - len(dates)
    known = (int(dates.min()), int(dates.max())) if len(dates) else None
    found = buckets(request, known, search.dates, tz)
    if found is None:
        return no_dates(request, missing=missing)
    places = np.searchsorted(np.array(found.edges), dates, "right") - 1
    counts = np.bincount(places, minlength=len(found.starts))
    return found.facet(request, counts.tolist(), missing=missing)


def _count_values(
    state: State, request: FacetRequest, search: Search, hits: Mask, check: Check
) -> Facet:
    values = state.values(request.field)
    inside = hits[values.articles]
    groups, articles = values.groups[inside], values.articles[inside]
    counts = np.bincount(groups, minlength=len(values.keys))
    having = np.zeros(state.articles, bool)
    having[articles] = True

    def with_other(listed: frozenset[str]) -> int:
        others = np.ones(len(values.keys), bool)
        others[[values.keys[each] for each in listed if each in values.keys]] = False
        return len(np.unique(articles[others[groups]]))

    keys = list(values.keys)
    counted = {}
    for group in np.flatnonzero(counts).tolist():
        check()
        counted[keys[group]] = Counted(
            articles=int(counts[group]), spellings=_spellings(values, group, hits)
        )
    return value_facet(
        request,
        counted,
        active=[
            value
            for each in search.filters
            if each.field == request.field and not each.exclude
            for value in each.values
        ],
        size=search.facet_size,
        missing=int(hits.sum()) - int(having.sum()),
        with_other=with_other,
    )


def _spellings(values: Values, group: int, hits: Mask) -> dict[str, int]:
    members = values.members[group]
    if len(members) == 1:
        return {values.spellings[members[0]]: 1}
    return {
        values.spellings[member]: count
        for member in members
        if (count := int(hits[values.spelled_articles[values.spelled == member]].sum()))
    }
