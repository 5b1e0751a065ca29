"""Statistics that scores depend on, counted by the cluster among public articles.

They are our own counts, not those of its term statistics: deleted documents and shards
change nothing. They are kept for the next searches of the same snapshot.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from sys import maxsize
from typing import Any

from index.article import PASSAGE_FIELDS
from index.dates import micros
from index.engines.opensearch.mapping import (
    LINES,
    PARAGRAPHS,
    length_field,
    paragraphs_field,
)
from index.engines.opensearch.searching.conditions import (
    Query,
    every,
    public,
    some,
    visible,
)
from index.engines.opensearch.searching.formula import InArticle
from index.engines.opensearch.searching.leaves import Leaves, scored_by_none
from index.engines.opensearch.searching.view import Body, View
from index.engines.opensearch.tokens import form_term
from index.engines.result import WordCount
from index.errors import InvalidQuery
from index.query import (
    PUBLIC,
    FieldStatistics,
    Fuzzy,
    LeafStatistics,
    Places,
    Prefix,
    Reader,
    Search,
    Statistics,
    Wildcard,
    WordLeaf,
    places_of,
    scoring_leaves,
    weighted_fields,
    weighted_leaves,
)

_LANGUAGES = 1_000  # more than there are stemmers
_FORMS_AT_ONCE = 1_000
# Above it, aggregations round: they compute with doubles.
_EXACT = 2**53
_ROUNDING = 1_024
_NONE = {"value": None}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the index at an instant.

    :param low: in microseconds since 1970 UTC, the first instant at which the same
        articles show; ``high`` is the first at which others do.
    :param languages: those with stems of their own that articles are in, and ``""``.
    :param articles: number of articles that the public may see.
    """

    low: int
    high: int
    languages: tuple[str, ...]
    articles: int


class Counting:
    """The counts that one search needs."""

    def __init__(self, view: View, search: Search) -> None:
        self._view, self._search = view, search
        names = self._names()
        self.facts, self._fields = self._facts(names)
        self._hidden = (search.hidden, self.facts.low)

    def _names(self) -> tuple[str, ...]:
        if self._search.statistics is not None:
            return ()
        leaves = weighted_leaves(self._search.query, self._search.places)
        return weighted_fields(leaves, self._search.places)

    def _facts(self, names: Sequence[str]) -> tuple[Facts, dict[str, FieldStatistics]]:
        view, search = self._view, self._search
        now = micros(search.now)
        facts: Facts | None = view.counts.get(view.token, ("facts", search.hidden))
        if facts is not None and not facts.low <= now < facts.high:
            facts = None
        fields: dict[str, FieldStatistics] = {}
        if facts is not None:
            for name in names:
                key = ("field", search.hidden, facts.low, name)
                fields[name] = view.counts.get(view.token, key)
        lacking = [name for name in names if fields.get(name) is None]
        if facts is not None and not lacking:
            return facts, fields
        body: Body = {
            "size": 0,
            "track_total_hits": True,
            "query": public(search),
            "aggs": {"index": {"global": {}, "aggs": _turns(now)}},
        }
        for name in lacking:
            body["aggs"] |= _of_field(name)
        answer = view.ask(body, search.deadline)
        facts = _facts_of(answer, now)
        view.counts.keep(view.token, ("facts", search.hidden), facts)
        for name in lacking:
            fields[name] = _field_of(answer, name)
            key = ("field", search.hidden, facts.low, name)
            view.counts.keep(view.token, key, fields[name])
        return facts, fields

    # Leaves.

    def forms(self, leaves: Iterable[WordLeaf]) -> dict[WordLeaf, Sequence[str]]:
        """What each prefix, wildcard and fuzzy leaf stands for.

        :raises InvalidQuery: one stands for too many words.
        """
        forms: dict[WordLeaf, Sequence[str]] = {}
        for leaf in leaves:
            if isinstance(leaf, Prefix | Wildcard | Fuzzy):
                forms[leaf] = self._view.expand(leaf, self._search.deadline)
                if len(forms[leaf]) > self._view.expansions:
                    self._check_expansions(leaf, forms[leaf])
        return forms

    def _check_expansions(self, leaf: WordLeaf, forms: Sequence[str]) -> None:
        """Refuse a leaf if too many of its forms are in public articles."""
        limit = self._view.expansions
        places = places_of(leaf, self._search.places)
        key = ("expansions", *self._hidden, leaf, places)
        occurring = self._view.counts.get(self._view.token, key)
        if occurring is None:
            occurring = 0
            for at in range(0, len(forms), _FORMS_AT_ONCE):
                occurring += self._occurring(forms[at : at + _FORMS_AT_ONCE], places)
                if occurring > limit:
                    break
            self._view.counts.keep(self._view.token, key, occurring)
        if occurring > limit:
            raise InvalidQuery(
                f"{leaf.text} matches more than {limit:,} words; write more letters",
                code="wildcard_too_broad",
                limit=limit,
            )

    def _occurring(self, forms: Sequence[str], places: Places) -> int:
        """Number of forms that public articles have in their paragraphs or lines."""
        filters = [_with_form(form, places) for form in forms]
        body: Body = {
            "size": 0,
            "track_total_hits": False,
            "query": public(self._search),
            "aggs": {"forms": {"filters": {"filters": filters}}},
        }
        answer = self._view.ask(body, self._search.deadline)
        buckets = answer["aggregations"]["forms"]["buckets"]
        return sum(bucket["doc_count"] > 0 for bucket in buckets)

    def count(self, leaves: Leaves) -> tuple[Statistics, tuple[WordCount, ...]]:
        """The statistics of the search, and the articles of each of its word leaves."""
        view, search = self._view, self._search
        weighted = weighted_leaves(search.query, search.places)
        words = scoring_leaves(search.query)
        wanted = dict.fromkeys((leaf, search.reader) for leaf in words)
        if search.statistics is None:
            wanted |= dict.fromkeys((leaf, PUBLIC) for leaf in weighted)
        counts: dict[tuple[WordLeaf, Reader], LeafStatistics] = {}
        for leaf, reader in wanted:
            counts[leaf, reader] = view.counts.get(view.token, self._key(leaf, reader))
        lacking = [each for each in wanted if counts[each] is None]
        bodies = [self._leaf_body(leaf, reader, leaves) for leaf, reader in lacking]
        answers = view.ask_many(bodies, search.deadline) if bodies else []
        for each, answer in zip(lacking, answers, strict=True):
            inner = answer.get("aggregations", {}).get("paragraphs", {})
            counts[each] = LeafStatistics(
                articles=answer["hits"]["total"]["value"],
                paragraphs=inner.get("matching", {}).get("doc_count", 0),
            )
            view.counts.keep(view.token, self._key(*each), counts[each])
        statistics = search.statistics or Statistics(
            seq=view.seq,
            articles=self.facts.articles,
            fields=self._fields,
            leaves={leaf: counts[leaf, PUBLIC] for leaf in weighted},
        )
        terms = [
            WordCount(leaf.text, counts[leaf, search.reader].articles) for leaf in words
        ]
        return statistics, tuple(terms)

    def _key(self, leaf: WordLeaf, reader: Reader) -> tuple[object, ...]:
        places = places_of(leaf, self._search.places)
        return ("leaf", *self._hidden, leaf, places, reader)

    def _leaf_body(self, leaf: WordLeaf, reader: Reader, leaves: Leaves) -> Body:
        search = self._search
        places = places_of(leaf, search.places)
        seen_by = public(search) if reader == PUBLIC else visible(search)
        body: Body = {
            "size": 0,
            "track_total_hits": True,
            "query": every([seen_by, leaves.in_article(InArticle(leaf, places))]),
        }
        if places.passages:
            matching = leaves.frequency(leaf, PARAGRAPHS, places.passages)
            body["aggs"] = {
                "paragraphs": {
                    "nested": {"path": PARAGRAPHS},
                    "aggs": {"matching": {"filter": matching}},
                }
            }
        return body


def _with_form(form: str, places: Places) -> Query:
    """Articles with a form in any paragraph, or in one of some lines."""
    term = form_term(form)
    queries: list[Query] = []
    if places.passages:
        in_text: Query = {"term": {f"{PARAGRAPHS}.f": term}}
        queries.append(scored_by_none(PARAGRAPHS, in_text))
    if places.lines:
        in_line = every(
            [
                {"term": {f"{LINES}.f": term}},
                {"terms": {f"{LINES}.field": list(places.lines)}},
            ]
        )
        queries.append(scored_by_none(LINES, in_line))
    return some(queries)


def _turns(now: int) -> dict[str, Any]:
    """Aggregations: the languages, and when articles last and next appear or expire."""
    aggregations: dict[str, Any] = {
        "languages": {"terms": {"field": "stems", "size": _LANGUAGES}}
    }
    for name in ("embargoed_until", "expires"):
        for side, metric in (("lte", "max"), ("gt", "min")):
            aggregations[f"{name} {side}"] = {
                "filter": {"range": {name: {side: now}}},
                "aggs": {"turn": {metric: {"field": name}}},
            }
    return aggregations


def _facts_of(answer: Body, now: int) -> Facts:
    index = answer["aggregations"]["index"]
    low, high = -maxsize, maxsize
    for name in ("embargoed_until", "expires"):
        before = index[f"{name} lte"].get("turn", _NONE)["value"]
        after = index[f"{name} gt"].get("turn", _NONE)["value"]
        if before is not None:
            low = max(low, min(int(before) + _error(before), now))
        if after is not None:
            high = min(high, max(int(after) - _error(after), now + 1))
    languages = {bucket["key"] for bucket in index["languages"]["buckets"]}
    return Facts(
        low=low,
        high=high,
        languages=tuple(sorted(languages)),
        articles=answer["hits"]["total"]["value"],
    )


def _error(instant: float) -> int:
    """How far off an instant may be that an aggregation gave."""
    return _ROUNDING if abs(instant) >= _EXACT else 0


def _of_field(name: str) -> dict[str, Any]:
    aggregations: dict[str, Any] = {
        f"articles {name}": {"value_count": {"field": length_field(name)}},
        f"words {name}": {"sum": {"field": length_field(name)}},
    }
    if name in PASSAGE_FIELDS:
        aggregations[f"paragraphs {name}"] = {"sum": {"field": paragraphs_field(name)}}
    return aggregations


def _field_of(answer: Body, name: str) -> FieldStatistics:
    found = answer["aggregations"]
    paragraphs = found.get(f"paragraphs {name}", {"value": 0})
    return FieldStatistics(
        articles=int(found[f"articles {name}"]["value"]),
        words=int(found[f"words {name}"]["value"]),
        paragraphs=int(paragraphs["value"]),
    )
