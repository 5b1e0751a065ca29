"""Facets: how many articles have each value, or a date in each bucket."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from index.article import DATE_FIELD_NAMES
from index.dates import zone
from index.engines.facets import Counted, buckets, no_dates, value_facet
from index.engines.memory.docs import Doc, date_of, values_of
from index.engines.memory.matching import included
from index.engines.result import Facet
from index.query import FacetRequest, Search
from index.text import field_key


def facet_of(request: FacetRequest, base: Sequence[Doc], search: Search) -> Facet:
    """Facet of a field.

    :param base: the articles that match before filters include values. The filters of
        this field do not count, so that its other values stay on offer.
    """
    docs = [doc for doc in base if included(doc.article, search, besides=request.field)]
    if request.field in DATE_FIELD_NAMES:
        return _date_facet(request, docs, search)
    with_value: dict[str, set[Doc]] = defaultdict(set)
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for doc in docs:
        for value in set(values_of(doc.article, request.field)):
            key = field_key(request.field, value)
            with_value[key].add(doc)
            spellings[key][value] += 1
    with_any = {doc for having in with_value.values() for doc in having}
    return value_facet(
        request,
        {
            key: Counted(articles=len(having), spellings=spellings[key])
            for key, having in with_value.items()
        },
        active=[
            value
            for filter_ in search.filters
            if filter_.field == request.field and not filter_.exclude
            for value in filter_.values
        ],
        size=search.facet_size,
        missing=len(docs) - len(with_any),
        with_other=lambda listed: len(
            {
                doc
                for key, having in with_value.items()
                if key not in listed
                for doc in having
            }
        ),
    )


def _date_facet(request: FacetRequest, docs: Sequence[Doc], search: Search) -> Facet:
    dates = [date_of(doc.article, request.field) for doc in docs]
    known = [date for date in dates if date is not None]
    missing = len(dates) - len(known)
    span = (min(known), max(known)) if known else None
    histogram = buckets(request, span, search.dates, zone(search.tz))
    if histogram is None:
        return no_dates(request, missing=missing)
    counts = Counter(histogram.place(date) for date in known)
    numbers = range(len(histogram.labels))
    return histogram.facet(request, [counts[n] for n in numbers], missing=missing)
