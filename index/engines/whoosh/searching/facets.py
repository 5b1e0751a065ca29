"""Facets by array operations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from index.article import DATE_FIELD_NAMES
from index.deadline import Check
from index.engines.facets import Buckets, Counted, buckets, no_dates, value_facet
from index.engines.result import Facet, FacetValue
from index.engines.whoosh.files import NO_VALUE, Array, Ints
from index.engines.whoosh.searching.article_set import ArticleSet
from index.engines.whoosh.searching.keyword_column import KeywordColumn
from index.engines.whoosh.searching.snapshot import Floats, IndexSnapshot
from index.query import FacetRequest, Search, value_key

# Fields whose values make at most so many combinations are counted together.
_COMBINATIONS = 512
_PLANS = 16  # sets of fields that are counted so: each takes a number an article


def count_facets(
    state: IndexSnapshot,
    requests: Sequence[tuple[FacetRequest, ArticleSet]],
    search: Search,
    tz: tzinfo,
    check: Check,
) -> tuple[Facet, ...]:
    """Return the facet of each field over the articles that are hits for it."""
    counted = _counted_together(state, requests, search)
    facets = []
    for request, hits in requests:
        check()
        if request.field in DATE_FIELD_NAMES:
            facets.append(_count_dates(state, request, search, hits.numbers, tz))
            continue
        counts = counted.get(request.field)
        if counts is None:
            facets.append(_count_values(state, request, search, hits))
        else:
            facets.append(_simple_facet(state, request, search, hits, counts))
    return tuple(facets)


class _Together(NamedTuple):
    """How several fields are counted by one pass.

    :param codes: each article's combination of values; ``size`` how many there are.
    :param sums: of each combination, which counts it adds to: those of the values of
        each field in their order, and of none; ``bounds`` where each field's begin.
        Floats are multiplied by faster code, and are exact up to 2⁵³.
    """

    codes: Array
    size: int
    sums: Floats
    bounds: tuple[int, ...]


def _counted_together(
    state: IndexSnapshot,
    requests: Sequence[tuple[FacetRequest, ArticleSet]],
    search: Search,
) -> dict[str, list[int]]:
    """Return by field the counts of its values in their order, and then of none.

    Only of fields that are simple to count, all over the same hits.
    """
    fields = [
        request.field
        for request, _ in requests
        if request.field not in DATE_FIELD_NAMES
    ]
    filtered = [each.field for each in search.filters]
    if not requests or any(
        request.prefix or request.field in filtered for request, _ in requests
    ):
        return {}
    plans = state.keep("together", dict[frozenset[str], Any])
    key = frozenset(fields)
    if key not in plans:
        if len(plans) >= _PLANS:
            return {}
        plans[key] = _together(state, sorted(key))
    plan = plans[key]
    if plan is None:
        return {}
    names, together = plan
    numbers = requests[0][1].numbers
    counts = np.bincount(together.codes.take(numbers), minlength=together.size)
    every = (counts.astype(np.float64) @ together.sums).astype(np.int64).tolist()
    bounds = together.bounds
    return {name: every[bounds[at] : bounds[at + 1]] for at, name in enumerate(names)}


def _together(
    state: IndexSnapshot, fields: Sequence[str]
) -> tuple[list[str], _Together] | None:
    names, codes, shape, ranks = [], [], [], []
    for name in dict.fromkeys(fields):
        values = None if name in DATE_FIELD_NAMES else state.values(name)
        if values is not None and values.codes is not None and values.all_alone:
            names.append(name)
            codes.append(values.codes)
            shape.append(len(values.keys) + 1)
            ranks.append(np.array([*values.ranks, len(values.keys)]))
    size = math.prod(shape)
    if not names or size > _COMBINATIONS:
        return None
    combined: Array = np.ravel_multi_index(codes, shape).astype(np.int16)
    places = np.unravel_index(np.arange(size), shape)
    bounds = (0, *np.cumsum(shape).tolist())
    sums = np.zeros((size, bounds[-1]))
    for at, place in enumerate(places):
        sums[np.arange(size), bounds[at] + ranks[at][place]] = 1
    return names, _Together(combined, size, sums, bounds)


def _simple_facet(
    state: IndexSnapshot,
    request: FacetRequest,
    search: Search,
    hits: ArticleSet,
    counts: Sequence[int],
) -> Facet:
    """Return the facet of a field of which nothing is asked but to be counted."""
    names = state.values(request.field).in_order
    *counts, missing = counts
    found = [at for at, count in enumerate(counts) if count]
    # Values are in their order already, and sorting leaves equals as they are.
    found.sort(key=counts.__getitem__, reverse=True)
    listed = found[: search.facet_size]
    shown = [counts[at] for at in listed]
    return Facet(
        field=request.field,
        values=tuple(map(FacetValue, [names[at] for at in listed], shown)),
        missing=missing,
        other=len(hits) - missing - sum(shown),
        distinct=len(found),
    )


def _count_dates(
    state: IndexSnapshot,
    request: FacetRequest,
    search: Search,
    numbers: Ints,
    tz: tzinfo,
) -> Facet:
    dates = state.column(request.field)[numbers]
    if len(dates) and dates.min() == NO_VALUE:
        dates = dates[dates != NO_VALUE]
    missing = len(numbers) - len(dates)
    known = (int(dates.min()), int(dates.max())) if len(dates) else None
    found = buckets(request, known, search.dates, tz)
    if found is None:
        return no_dates(request, missing=missing)
    counts = np.bincount(_places(found, dates), minlength=len(found.labels))
    return found.facet(request, counts.tolist(), missing=missing)


def _places(found: Buckets, dates: Ints) -> Ints:
    """Return the bucket of each date."""
    edges, widths = _edges(found.edges)
    # Most buckets are about as wide as each other: a division finds the place, or the
    # one before or behind it, for less than a search does.
    width = int(widths.max())
    if width > 2 * int(widths.min()) or len(edges) < 8:
        return edges.searchsorted(dates, "right") - 1
    places = (dates - edges[0]) // (int(edges[-1] - edges[0]) // len(widths) or 1)
    np.minimum(places, len(widths) - 1, out=places)
    early = edges[places] > dates
    late = edges[places + 1] <= dates
    if early.any() or late.any():
        places += late.astype(np.int64) - early
        wrong = (edges[places] > dates) | (edges[places + 1] <= dates)
        if wrong.any():
            return edges.searchsorted(dates, "right") - 1
    found_places: Ints = places
    return found_places


@lru_cache(maxsize=64)
def _edges(edges: tuple[int, ...]) -> tuple[Ints, Ints]:
    found = np.array(edges)
    return found, found[1:] - found[:-1]


def _count_values(
    state: IndexSnapshot,
    request: FacetRequest,
    search: Search,
    hits: ArticleSet,
) -> Facet:
    values, numbers = state.values(request.field), hits.numbers
    size = len(values.keys)
    if values.codes is not None:
        counts = np.bincount(values.codes[numbers], minlength=size + 1)
        missing, counts = int(counts[size]), counts[:size]
    else:
        inside = hits.mask[values.articles]
        counts = np.bincount(values.groups[inside], minlength=size)
        having = np.zeros(state.articles, bool)
        having[values.articles[inside]] = True
        missing = len(numbers) - int(np.count_nonzero(having))

    def with_other(listed: frozenset[str]) -> int:
        shown = [values.keys[each] for each in listed if each in values.keys]
        if values.codes is not None:
            return len(numbers) - missing - int(counts[shown].sum())
        others = hits.mask[values.articles]
        others[np.isin(values.groups, shown)] = False
        having = np.zeros(state.articles, bool)
        having[values.articles[others]] = True
        return int(np.count_nonzero(having))

    active = [
        value
        for each in search.filters
        if each.field == request.field and not each.exclude
        for value in each.values
    ]
    spelled = None
    if not values.all_alone:
        spelled = np.bincount(
            values.spelled[hits.mask[values.spelled_articles]],
            minlength=len(values.spellings),
        )
    groups = counts.nonzero()[0]
    distinct = None if request.prefix else len(groups)
    if distinct is not None and distinct > search.facet_size:
        groups = _first(groups, counts, search.facet_size, values, active)
    names = values.names
    return value_facet(
        request,
        {
            names[group]: Counted(
                articles=count, spellings=_spellings(values, group, spelled)
            )
            for group, count in zip(
                groups.tolist(), counts[groups].tolist(), strict=True
            )
        },
        active=active,
        size=search.facet_size,
        missing=missing,
        with_other=with_other,
        distinct=distinct,
    )


def _first(
    groups: Ints, counts: Ints, size: int, values: KeywordColumn, active: list[str]
) -> Ints:
    """Return the groups that can be listed: the commonest, their equals, the active."""
    here = counts[groups]
    least = np.partition(here, len(here) - size)[len(here) - size] if size else None
    chosen = np.zeros(len(groups), bool) if least is None else here >= least
    wanted = [
        values.keys[value_key(each)]
        for each in active
        if value_key(each) in values.keys
    ]
    return groups[chosen | np.isin(groups, wanted)]


def _spellings(
    values: KeywordColumn, group: int, counts: Ints | None
) -> Mapping[str, int]:
    """Return how often each spelling of a group stands in the hits."""
    members = values.members[group]
    if counts is None or len(members) == 1:
        return values.alone[group]
    return {
        values.spellings[member]: count
        for member in members
        if (count := int(counts[member]))
    }
