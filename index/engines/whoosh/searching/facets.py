"""Facet counting by array operations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from index.article import DATE_FIELD_NAMES
from index.deadline import Check
from index.engines.facets import (
    Buckets,
    Counted,
    buckets,
    folded_prefix,
    no_dates,
    value_facet,
)
from index.engines.result import Facet, FacetValue
from index.engines.whoosh.files import NO_VALUE, Array, Ints
from index.engines.whoosh.searching.keyword_column import FoldedValues, KeywordColumn
from index.engines.whoosh.searching.row_set import RowSet
from index.engines.whoosh.searching.snapshot import Floats, IndexSnapshot
from index.query import FacetRequest, Search

# Fields with at most so many combinations of values are counted in one pass.
_COMBINATIONS = 512
# More values than so many that are tied are not put in order one by one.
_MANY_TIED = 500
# Sets of fields to memoize a combined column of: each takes 2 bytes per article.
_COMBINED = 16


def count_facets(
    snapshot: IndexSnapshot,
    requests: Sequence[tuple[FacetRequest, RowSet]],
    search: Search,
    tz: tzinfo,
    check: Check,
) -> tuple[Facet, ...]:
    """Facets of the requested fields.

    :param requests: each with the articles to count.
    """
    combined = _combined_counts(snapshot, requests, search)
    facets = []
    for request, hits in requests:
        check()
        if request.field in DATE_FIELD_NAMES:
            facets.append(_date_facet(snapshot, request, search, hits.numbers, tz))
            continue
        counts = combined.get(request.field)
        if counts is None:
            facets.append(_value_facet(snapshot, request, search, hits, check))
        else:
            facets.append(_plain_facet(snapshot, request, search, hits, counts))
    return tuple(facets)


# Several fields in one pass.


class _CombinedColumn(NamedTuple):
    """The combination of values that each article has in several fields.

    :param codes: number of each article's combination.
    :param size: number of combinations that articles have.
    :param sums: for each combination (row), 1 in the columns of the counts it adds to:
        for each field its values in sort order, then "no value". Floats are multiplied
        by faster code, and are exact up to 2⁵³.
    :param bounds: first column of each field in ``sums``, then the end of the last.
    """

    codes: Array
    size: int
    sums: Floats
    bounds: tuple[int, ...]


def _combined_counts(
    snapshot: IndexSnapshot,
    requests: Sequence[tuple[FacetRequest, RowSet]],
    search: Search,
) -> dict[str, list[int]]:
    """Counts by field: of its values in sort order, then of articles without a value.

    Only of fields with few values, one per article. Empty if a facet has a prefix, or
    counts other articles than the rest because its field is filtered.
    """
    if not requests:
        return {}
    filtered = [condition.field for condition in search.filters]
    fields: list[str] = []
    for request, _ in requests:
        if request.prefix or request.field in filtered:
            return {}
        if request.field not in DATE_FIELD_NAMES:
            fields.append(request.field)
    columns = snapshot.memoized("combined columns", dict[frozenset[str], Any])
    key = frozenset(fields)
    if key not in columns:
        if len(columns) >= _COMBINED:
            return {}
        columns[key] = _combined_column(snapshot, sorted(key))
    entry = columns[key]
    if entry is None:
        return {}
    names, column = entry
    numbers = requests[0][1].numbers
    counts = np.bincount(column.codes.take(numbers), minlength=column.size)
    summed = (counts.astype(np.float64) @ column.sums).astype(np.int64).tolist()
    bounds = column.bounds
    return {name: summed[bounds[at] : bounds[at + 1]] for at, name in enumerate(names)}


def _combined_column(
    snapshot: IndexSnapshot, fields: Sequence[str]
) -> tuple[list[str], _CombinedColumn] | None:
    names: list[str] = []
    columns: list[KeywordColumn] = []
    codes: list[Array] = []
    for name in dict.fromkeys(fields):
        column = None if name in DATE_FIELD_NAMES else snapshot.keyword_column(name)
        if (
            column is not None
            and column.group_of_article is not None
            and column.has_sole_spellings
        ):
            names.append(name)
            columns.append(column)
            codes.append(column.group_of_article)
    shape = [len(column.groups_by_key) + 1 for column in columns]
    size = math.prod(shape)
    if not names or size > _COMBINATIONS:
        return None
    ranks = [np.array([*column.ranks, len(column.groups_by_key)]) for column in columns]
    # Most combinations are those of no article.
    present, combined = np.unique(
        np.ravel_multi_index(codes, shape), return_inverse=True
    )
    bounds = (0, *np.cumsum(shape).tolist())
    sums = np.zeros((len(present), bounds[-1]))
    for at, numbers in enumerate(np.unravel_index(present, shape)):
        sums[np.arange(len(present)), bounds[at] + ranks[at][numbers]] = 1
    return names, _CombinedColumn(combined.astype(np.int16), len(present), sums, bounds)


def _plain_facet(
    snapshot: IndexSnapshot,
    request: FacetRequest,
    search: Search,
    hits: RowSet,
    counts: Sequence[int],
) -> Facet:
    """Facet of an unfiltered field, without a prefix.

    :param counts: see :func:`_combined_counts`.
    """
    spellings = snapshot.keyword_column(request.field).sorted_spellings
    *counts, missing = counts
    present = [at for at, count in enumerate(counts) if count]
    # The values are in sort order, and a stable sort keeps ties so.
    present.sort(key=counts.__getitem__, reverse=True)
    listed = present[: search.facet_size]
    listed_counts = [counts[at] for at in listed]
    return Facet(
        field=request.field,
        values=tuple(map(FacetValue, [spellings[at] for at in listed], listed_counts)),
        missing=missing,
        other=len(hits) - missing - sum(listed_counts),
        distinct=len(present),
    )


# Dates.


def _date_facet(
    snapshot: IndexSnapshot,
    request: FacetRequest,
    search: Search,
    numbers: Ints,
    tz: tzinfo,
) -> Facet:
    dates = snapshot.column(request.field)[numbers]
    if len(dates) and dates.min() == NO_VALUE:
        dates = dates[dates != NO_VALUE]
    missing = len(numbers) - len(dates)
    known = (int(dates.min()), int(dates.max())) if len(dates) else None
    grid = buckets(request, known, search.dates, tz)
    if grid is None:
        return no_dates(request, missing=missing)
    counts = np.bincount(_bucket_numbers(grid, dates), minlength=len(grid.labels))
    return grid.facet(request, counts.tolist(), missing=missing)


def _bucket_numbers(grid: Buckets, dates: Ints) -> Ints:
    """Number of the bucket of each date."""
    edges, widths = _edges(grid.edges)
    # Most buckets are of about the same width. Then a division gives the bucket, or one
    # of its neighbours, at less cost than a binary search.
    width = int(widths.max())
    if width > 2 * int(widths.min()) or len(edges) < 8:
        return edges.searchsorted(dates, "right") - 1
    numbers = (dates - edges[0]) // (int(edges[-1] - edges[0]) // len(widths) or 1)
    np.minimum(numbers, len(widths) - 1, out=numbers)
    too_high = edges[numbers] > dates
    too_low = edges[numbers + 1] <= dates
    if too_high.any() or too_low.any():
        numbers += too_low.astype(np.int64) - too_high
        wrong = (edges[numbers] > dates) | (edges[numbers + 1] <= dates)
        if wrong.any():
            return edges.searchsorted(dates, "right") - 1
    bucket_numbers: Ints = numbers
    return bucket_numbers


@lru_cache(maxsize=64)
def _edges(edges: tuple[int, ...]) -> tuple[Ints, Ints]:
    """Edges of buckets as an array, and the buckets' widths."""
    array = np.array(edges)
    return array, array[1:] - array[:-1]


# Values.


def _value_facet(
    snapshot: IndexSnapshot,
    request: FacetRequest,
    search: Search,
    hits: RowSet,
    check: Check,
) -> Facet:
    column, numbers = snapshot.keyword_column(request.field), hits.numbers
    size = len(column.groups_by_key)
    if column.group_of_article is not None:
        counts = np.bincount(column.group_of_article[numbers], minlength=size + 1)
        missing, counts = int(counts[size]), counts[:size]
    else:
        inside = hits.mask[column.articles]
        counts = np.bincount(column.groups[inside], minlength=size)
        having = np.zeros(snapshot.articles, bool)
        having[column.articles[inside]] = True
        missing = len(numbers) - int(np.count_nonzero(having))

    def with_other(listed: frozenset[str]) -> int:
        listed_groups = [
            column.groups_by_key[key] for key in listed if key in column.groups_by_key
        ]
        if column.group_of_article is not None:
            return len(numbers) - missing - int(counts[listed_groups].sum())
        others = hits.mask[column.articles]
        others[np.isin(column.groups, listed_groups)] = False
        having = np.zeros(snapshot.articles, bool)
        having[column.articles[others]] = True
        return int(np.count_nonzero(having))

    active = [
        value
        for condition in search.filters
        if condition.field == request.field and not condition.exclude
        for value in condition.values
    ]
    spelled = None
    if not column.has_sole_spellings:
        spelled = np.bincount(
            column.spelled[hits.mask[column.spelled_articles]],
            minlength=len(column.spellings),
        )
    selected = [
        group for value in active if (group := column.group_of(value)) is not None
    ]
    groups = counts.nonzero()[0]
    distinct: int | None = len(groups)
    if request.prefix:
        folded = snapshot.folded_values(request.field, check)
        prefix = folded_prefix(request.prefix)
        groups = np.intersect1d(groups, folded.groups_with_prefix(column, prefix))
        # Which spelling of several is shown, and starts with the prefix, is seen later.
        several = bool((folded.group_ranks[groups] < 0).any())
        distinct = None if several else len(groups)
    if distinct is not None and distinct > search.facet_size:
        groups = _top_groups(
            groups,
            counts,
            search.facet_size,
            lambda: snapshot.folded_values(request.field, check),
        )
    chosen = [group for group in selected if counts[group]]
    groups = np.union1d(groups, np.array(chosen, np.int64))
    keys = column.keys
    return value_facet(
        request,
        {
            keys[group]: Counted(
                articles=count, spellings=spelling_counts(column, group, spelled)
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


def _top_groups(
    groups: Ints, counts: Ints, size: int, folded: Callable[[], FoldedValues]
) -> Ints:
    """Groups that may be listed: the ``size`` most frequent.

    Of many that are tied with the last of them, the first by folded form, everything
    tied with the last of these, and those with several spellings.
    """
    if not size:
        return groups[:0]
    frequencies = counts[groups]
    threshold = np.partition(frequencies, len(groups) - size)[len(groups) - size]
    tied = groups[frequencies == threshold]
    wanted = size - int(np.count_nonzero(frequencies > threshold))
    if len(tied) > wanted + _MANY_TIED:
        ranks = folded().group_ranks[tied]
        ranked = ranks[ranks >= 0]
        if len(ranked) > wanted:
            tied = tied[ranks <= np.partition(ranked, wanted - 1)[wanted - 1]]
    return np.concatenate([groups[frequencies > threshold], tied])


def spelling_counts(
    column: KeywordColumn, group: int, counts: Ints | None
) -> Mapping[str, int]:
    """Number of hits with each spelling of a group."""
    members = column.spellings_of_group[group]
    if counts is None or len(members) == 1:
        return column.sole_spellings[group]
    return {
        column.spellings[member]: count
        for member in members
        if (count := int(counts[member]))
    }
