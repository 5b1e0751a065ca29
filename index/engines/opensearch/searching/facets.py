"""Facets: exact counts of articles, from aggregations of the cluster."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from index.article import DATE_FIELD_NAMES, FIELD_BY_NAME
from index.dates import zone
from index.engines.facets import Buckets, Counted, buckets, no_dates, value_facet
from index.engines.opensearch.mapping import (
    keys_field,
    seconds_field,
    spellings_field,
)
from index.engines.opensearch.searching.conditions import Query, every, included
from index.engines.opensearch.searching.view import Body, View
from index.engines.result import Facet
from index.query import FacetRequest, Search
from index.text import field_key

# Values that are counted with the search; if a field has more, it is asked again.
_FIRST_VALUES = 1_000
_VALUES_AT_ONCE = 10_000
_MICROSECONDS = 1_000_000
# What matches no article has no inner aggregations.
_OF_NOTHING: dict[str, Any] = {
    "keys": {"buckets": []},
    "spellings": {"buckets": []},
    "first": {"value": None},
    "last": {"value": None},
    "missing": {"doc_count": 0},
}
_NOT_LISTED = """
for (def key : doc[params.column]) {
  if (!params.listed.containsKey(key)) { return true; }
}
return false;
"""


class Facets:
    """The facets of one search.

    :param base: the articles that match before filters include values.
    """

    def __init__(self, view: View, search: Search, base: Query) -> None:
        self._view, self._search, self._base = view, search, base

    def aggregations(self) -> dict[str, Any]:
        """What to count together with the search."""
        return {
            f"facet {number}": {
                "filter": self._counted(request),
                "aggs": self._first(request),
            }
            for number, request in enumerate(self._search.facets)
        }

    def facets(self, answer: Mapping[str, Any]) -> tuple[Facet, ...]:
        """The facets, from the aggregations of an answer.

        :raises LimitExceeded: a date facet has too many buckets.
        """
        facets: list[Facet] = []
        for number, request in enumerate(self._search.facets):
            dates = request.field in DATE_FIELD_NAMES
            compute = self._dates if dates else self._values
            facets.append(compute(request, _OF_NOTHING | answer[f"facet {number}"]))
        return tuple(facets)

    def _counted(self, request: FacetRequest) -> Query:
        """What to count of the articles that match: the field's own filters do not."""
        return every(included(self._search, besides=request.field))

    def _first(self, request: FacetRequest) -> dict[str, Any]:
        first: dict[str, Any]
        if request.field in DATE_FIELD_NAMES:
            column = {"field": seconds_field(request.field)}
            first = {"first": {"min": column}, "last": {"max": column}}
        else:
            first = {
                name: {"terms": {"field": column, "size": _FIRST_VALUES}}
                for name, column in _columns(request.field).items()
            }
            column = {"field": keys_field(request.field)}
        return {**first, "missing": {"missing": column}}

    def _ask(self, request: FacetRequest, *queries: Query, **body: Any) -> Body:
        """Ask again about the articles that a facet counts."""
        asked = {
            "size": 0,
            "track_total_hits": True,
            "query": every([self._base, self._counted(request), *queries]),
            **body,
        }
        return self._view.ask(asked, self._search.deadline)

    # Values.

    def _values(self, request: FacetRequest, answer: Mapping[str, Any]) -> Facet:
        counts = {
            name: self._all_of(request, name, answer[name])
            for name in _columns(request.field)
        }
        spellings: dict[str, dict[str, int]] = defaultdict(dict)
        for value, count in counts["spellings"].items():
            spellings[field_key(request.field, value)][value] = count
        keys = counts["keys"]
        return value_facet(
            request,
            {
                key: Counted(articles=count, spellings=spellings[key])
                for key, count in keys.items()
            },
            active=[
                value
                for condition in self._search.filters
                if condition.field == request.field and not condition.exclude
                for value in condition.values
            ],
            size=self._search.facet_size,
            missing=answer["missing"]["doc_count"],
            with_other=lambda listed: self._others(request, keys, listed),
        )

    def _all_of(
        self, request: FacetRequest, name: str, answer: Mapping[str, Any]
    ) -> dict[str, int]:
        """The number of articles with each value of a column."""
        counts = _counts_of(answer)
        if len(counts) < _FIRST_VALUES:
            return counts
        column = _columns(request.field)[name]
        parts = 1
        part = 0
        counts = {}
        while part < parts:
            terms = {
                "field": column,
                "size": _VALUES_AT_ONCE,
                "include": {"partition": part, "num_partitions": parts},
            }
            found = _counts_of(
                self._ask(request, aggs={name: {"terms": terms}})["aggregations"][name]
            )
            if len(found) == _VALUES_AT_ONCE:  # perhaps more: in smaller parts
                parts, part, counts = parts * 4, 0, {}
            else:
                counts |= found
                part += 1
        return counts

    def _others(
        self, request: FacetRequest, keys: Mapping[str, int], listed: frozenset[str]
    ) -> int:
        """Number of articles with a value that is not listed."""
        rest = keys.keys() - listed
        if len(rest) < 2 or not FIELD_BY_NAME[request.field].many:
            return sum(keys[key] for key in rest)
        script = {
            "source": _NOT_LISTED,
            "params": {
                "column": keys_field(request.field),
                "listed": dict.fromkeys(listed, True),
            },
        }
        answer = self._ask(request, {"script": {"script": script}})
        return int(answer["hits"]["total"]["value"])

    # Dates.

    def _dates(self, request: FacetRequest, answer: Mapping[str, Any]) -> Facet:
        search = self._search
        missing = answer["missing"]["doc_count"]
        first, last = answer["first"]["value"], answer["last"]["value"]
        span = None
        if first is not None:
            span = int(first) * _MICROSECONDS, int(last) * _MICROSECONDS
        histogram = buckets(request, span, search.dates, zone(search.tz))
        if histogram is None:
            return no_dates(request, missing=missing)
        counts: Sequence[int] = [0] * len(histogram.labels)
        if span is not None:
            counts = self._in_buckets(request, histogram)
        return histogram.facet(request, counts, missing=missing)

    def _in_buckets(self, request: FacetRequest, histogram: Buckets) -> Sequence[int]:
        # All dates are in the buckets: the first and the last need only one end.
        edges = [edge // _MICROSECONDS for edge in histogram.edges[1:-1]]
        ranges: list[dict[str, int]] = [{} for _ in histogram.labels]
        for number, edge in enumerate(edges):
            ranges[number]["to"] = ranges[number + 1]["from"] = edge
        if not edges:
            answer = self._ask(request, {"exists": {"field": request.field}})
            return [answer["hits"]["total"]["value"]]
        counted = {"range": {"field": seconds_field(request.field), "ranges": ranges}}
        answer = self._ask(request, aggs={"dates": counted})
        return [
            bucket["doc_count"] for bucket in answer["aggregations"]["dates"]["buckets"]
        ]


def _columns(field: str) -> dict[str, str]:
    return {"keys": keys_field(field), "spellings": spellings_field(field)}


def _counts_of(answer: Mapping[str, Any]) -> dict[str, int]:
    return {bucket["key"]: bucket["doc_count"] for bucket in answer["buckets"]}
