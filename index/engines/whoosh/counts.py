"""Facets by array operations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from functools import partial

import numpy as np

from index.deadline import Check
from index.engines.whoosh.hits import Hits
from index.engines.whoosh.segment import UNKNOWN, Ints
from index.engines.whoosh.state import State
from index.engines.whoosh.values import Values
from index.facets import Buckets, Counted, buckets, no_dates, same_value, value_facet
from index.fields import DATES
from index.query import FacetRequest, Search
from index.result import Facet

# Fields whose values make at most so many combinations are counted together.
_COMBINATIONS = 4_096


def count_facets(
    state: State,
    requests: Sequence[tuple[FacetRequest, Hits]],
    search: Search,
    tz: tzinfo,
    check: Check,
) -> tuple[Facet, ...]:
    """Return the facet of each field over the articles that are hits for it."""
    counted = _counted_together(state, requests)
    facets = []
    for request, hits in requests:
        check()
        if request.field in DATES:
            facets.append(_count_dates(state, request, search, hits.numbers, tz))
        else:
            counts = counted.get((request.field, id(hits)))
            facets.append(_count_values(state, request, search, hits, counts))
    return tuple(facets)


def _counted_together(
    state: State, requests: Sequence[tuple[FacetRequest, Hits]]
) -> dict[tuple[str, int], Ints]:
    """Return the counts of fields by one pass over the hits that they share.

    By field and hits: of each value, and then of none.
    """
    groups: dict[int, tuple[Hits, list[str]]] = {}
    for request, hits in requests:
        if request.field not in DATES and state.values(request.field).codes is not None:
            fields = groups.setdefault(id(hits), (hits, []))[1]
            if request.field not in fields:
                fields.append(request.field)
    counted = {}
    for key, (hits, fields) in groups.items():
        shape = [len(state.values(name).keys) + 1 for name in fields]
        if len(fields) < 2 or math.prod(shape) > _COMBINATIONS:
            continue
        codes = state.keep(
            ("together", *fields), partial(_combined, state, fields, shape)
        )
        counts = np.bincount(codes[hits.numbers], minlength=math.prod(shape))
        cube = counts.reshape(shape)
        for at, name in enumerate(fields):
            others = tuple(axis for axis in range(len(shape)) if axis != at)
            counted[name, key] = cube.sum(axis=others)
    return counted


def _combined(state: State, fields: Sequence[str], shape: Sequence[int]) -> Ints:
    codes = [state.values(name).codes for name in fields]
    found: Ints = np.ravel_multi_index(codes, shape)  # type: ignore[arg-type, assignment]
    return found


def _count_dates(
    state: State, request: FacetRequest, search: Search, numbers: Ints, tz: tzinfo
) -> Facet:
    dates = state.column(request.field)[numbers]
    if len(dates) and dates.min() == UNKNOWN:
        dates = dates[dates != UNKNOWN]
    missing = len(numbers) - len(dates)
    known = (int(dates.min()), int(dates.max())) if len(dates) else None
    found = buckets(request, known, search.dates, tz)
    if found is None:
        return no_dates(request, missing=missing)
    counts = np.bincount(_places(found, dates), minlength=len(found.starts))
    return found.facet(request, counts.tolist(), missing=missing)


def _places(found: Buckets, dates: Ints) -> Ints:
    """Return the bucket of each date."""
    edges = np.array(found.edges)
    widths = np.diff(edges)
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


def _count_values(
    state: State,
    request: FacetRequest,
    search: Search,
    hits: Hits,
    counts: Ints | None,
) -> Facet:
    values, numbers = state.values(request.field), hits.numbers
    size = len(values.keys)
    if values.codes is not None:
        if counts is None:
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
    groups = counts.nonzero()[0]
    distinct = None if request.prefix else len(groups)
    if distinct is not None and distinct > search.facet_size:
        groups = _first(groups, counts, search.facet_size, values, active)
    names = values.names
    return value_facet(
        request,
        {
            names[group]: Counted(
                articles=count, spellings=_spellings(values, group, hits)
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
    groups: Ints, counts: Ints, size: int, values: Values, active: list[str]
) -> Ints:
    """Return the groups that can be listed: the commonest, their equals, the active."""
    here = counts[groups]
    least = np.partition(here, len(here) - size)[len(here) - size] if size else None
    chosen = np.zeros(len(groups), bool) if least is None else here >= least
    wanted = [
        values.keys[same_value(each)]
        for each in active
        if same_value(each) in values.keys
    ]
    return groups[chosen | np.isin(groups, wanted)]


def _spellings(values: Values, group: int, hits: Hits) -> Mapping[str, int]:
    members = values.members[group]
    if len(members) == 1:
        return values.alone[group]
    return {
        values.spellings[member]: count
        for member in members
        if (
            count := int(
                hits.mask[values.spelled_articles[values.spelled == member]].sum()
            )
        )
    }
