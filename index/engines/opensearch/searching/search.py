"""A search on the cluster: what to ask, in what order, and the page of the answer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from index.engines.memory import word_leaves
from index.engines.opensearch.mapping import PARAGRAPHS
from index.engines.opensearch.searching import scripts
from index.engines.opensearch.searching.cases import Case, Compiler, cases_of
from index.engines.opensearch.searching.conditions import (
    Query,
    every,
    excluded,
    in_range,
    included,
    no,
    some,
    visible,
    with_score,
)
from index.engines.opensearch.searching.facets import Facets
from index.engines.opensearch.searching.formula import TRUE, formula_of
from index.engines.opensearch.searching.hits import hits_of
from index.engines.opensearch.searching.leaves import Leaves, nested
from index.engines.opensearch.searching.scoring import Scores
from index.engines.opensearch.searching.statistics import Counting
from index.engines.opensearch.searching.view import Body, View
from index.engines.result import Page
from index.query import Scope, Search, Sort, SortKey, Unit

# Sort values of an article without a date: the last ones in either order.
_UNKNOWN = (2**63 - 1, -(2**63))
_TOTALS = "paragraphs"

Row = tuple[SortKey, Body]  # of a hit: its sort key, and the answer for its article


def answer(view: View, search: Search) -> Page:
    """Answer a search; see :meth:`index.engines.Snapshot.search`."""
    counting = Counting(view, search)
    forms = counting.forms(word_leaves(search.query))
    leaves = Leaves(counting.facts.languages, forms)
    statistics, terms, absent = counting.count(leaves)
    compiler = Compiler(leaves)
    cases = cases_of(search, absent)
    base = every([_admitted(search), _matching(search, compiler, cases)])
    facets = Facets(view, search, base)
    ranked = search.sort is Sort.RELEVANCE
    rows = _Rows(search, compiler, cases, Scores(compiler, statistics))
    counts: Body = {
        "size": 0,
        "track_total_hits": True,
        "query": base,
        "aggs": {**_totals(search, compiler, cases), **facets.aggregations()},
    }
    wanted = included(search)
    if wanted:
        counts["post_filter"] = every(wanted)
    if search.limit == 0:
        counted = view.ask(counts, search.deadline)
        found: list[Row] = []
    elif rows.behind_cursor:
        counted, listed = view.ask_many([counts, rows.body(wanted)], search.deadline)
        found = rows.rows(listed)
    else:
        counted = view.ask({**counts, **rows.body()}, search.deadline)
        found = rows.rows(counted)
    chosen = (
        found[search.offset :][: search.limit] if rows.whole else found[: search.limit]
    )
    more = bool(chosen) and found[-1] is not chosen[-1]
    sources = {hit["_id"]: hit["_source"] for _, hit in chosen}
    if sources and rows.without_places:
        sources = _with_places(view, search, sources)
    totals, articles = counted["aggregations"], counted["hits"]["total"]["value"]
    return Page(
        hits=hits_of(
            sources.values(), [key for key, _ in chosen], search, statistics, forms
        ),
        articles=articles,
        paragraphs=_total(totals[_TOTALS]),
        facets=facets.facets(totals),
        after=chosen[-1][0] if more else None,
        statistics=statistics if more and ranked else None,
        seq=view.seq,
        terms=terms,
    )


def _with_places(view: View, search: Search, ids: Collection[str]) -> dict[str, Body]:
    """The whole documents of the articles of a page, by their names.

    :param ids: their names.
    """
    body: Body = {"size": len(ids), "query": {"ids": {"values": list(ids)}}}
    hits = view.ask(body, search.deadline)["hits"]["hits"]
    return {hit["_id"]: hit["_source"] for hit in hits}


def _admitted(search: Search) -> Query:
    """Articles that may match whatever the query is, before filters include values."""
    required = [visible(search)]
    if search.dates is not None:
        required.append(in_range(search.dates))
    return every(required, excluded(search))


def _matching(search: Search, compiler: Compiler, cases: Sequence[Case]) -> Query:
    """Articles that the query matches."""
    if search.scope is Scope.ARTICLE:
        return compiler.query(formula_of(search.query, search))
    return some(
        [
            every([*compiler.articles(case), *compiler.having(case.paragraphs)])
            for case in cases
        ]
    )


# Totals.


def _totals(search: Search, compiler: Compiler, cases: Sequence[Case]) -> Body:
    """Aggregations that count the matching paragraphs."""
    sets: dict[str, Any] = {}
    for number, case in enumerate(cases):
        articles = compiler.articles(case)
        matching = compiler.query(case.paragraphs)
        if case.paragraphs == TRUE:
            sets[f"{number}"] = _all_paragraphs(articles)
            continue
        sets[f"{number}"] = {
            "filter": every(articles),
            "aggs": {
                "inside": {
                    "nested": {"path": PARAGRAPHS},
                    "aggs": {"matching": {"filter": matching}},
                }
            },
        }
        if case.or_all:
            others = no(every(compiler.having(case.paragraphs)))
            sets[f"{number} others"] = _all_paragraphs([*articles, others])
    return {_TOTALS: {"filter": every(included(search)), "aggs": sets}}


def _all_paragraphs(articles: Sequence[Query]) -> Body:
    return {
        "filter": every(articles),
        "aggs": {"all": {"sum": {"field": "paragraph_count"}}},
    }


def _total(counted: Body) -> int:
    total = 0
    for part in counted.values():
        # What matches no article has no inner aggregations.
        if isinstance(part, dict) and part.get("doc_count"):
            if "all" in part:
                total += int(part["all"]["value"])
            else:
                total += part["inside"]["matching"]["doc_count"]
    return total


# Rows.


class _Rows:
    """The hits of a search in order.

    :ivar whole: whether the rows start behind the cursor, with those of the offset.
    :ivar behind_cursor: whether the rows are asked for by themselves, since the cursor
        leaves out articles that the totals count.
    :ivar without_places: whether the rows lack the places of words, since most of their
        articles are not of the page.
    """

    def __init__(
        self, search: Search, compiler: Compiler, cases: Sequence[Case], scores: Scores
    ) -> None:
        self._search, self._compiler = search, compiler
        self._cases, self._scores = cases, scores
        self._ranked = search.sort is Sort.RELEVANCE
        self._date = "updated" if search.sort is Sort.UPDATED else "published"
        self._ascending = search.sort is Sort.OLDEST
        of_paragraphs = search.unit is Unit.PARAGRAPH
        self.whole = of_paragraphs or search.after is not None
        self.behind_cursor = of_paragraphs and search.after is not None
        self.without_places = of_paragraphs and search.offset > 0

    def body(self, wanted: Sequence[Query] = ()) -> Body:
        """What to ask for.

        :param wanted: what else the articles must match.
        """
        search = self._search
        first = 0 if self.whole else search.offset
        body: Body = {
            "from": first,
            "size": search.offset + search.limit + 1 - first,
            "sort": self._sort(),
        }
        if self._ranked:
            body["track_scores"] = True
        # What scores an article or paragraph also matches it: no leaf is read twice.
        required = [_admitted(search), *wanted]
        if search.unit is Unit.PARAGRAPH:
            if self.without_places:
                body["_source"] = ["id"]
            scored = self._paragraphs()
            if search.scope is Scope.ARTICLE:
                required.append(_matching(search, self._compiler, self._cases))
        elif self._ranked:
            scored = self._scores.articles(search, self._cases)
        else:
            scored = _matching(search, self._compiler, self._cases)
        if search.unit is Unit.ARTICLE and search.after is not None:
            body["search_after"] = self._values(search.after)
        body["query"] = {"bool": {"filter": required, "must": [scored]}}
        return body

    def rows(self, answer: Body) -> list[Row]:
        """The rows of an answer."""
        hits = answer["hits"]["hits"]
        if self._search.unit is Unit.ARTICLE:
            return [(self._key(hit["sort"], hit), hit) for hit in hits]
        rows = [row for hit in hits for row in self._paragraph_rows(hit)]
        rows.sort(key=lambda row: self._order(row[0]))
        return rows[: self._search.offset + self._search.limit + 1]

    def _sort(self) -> list[Any]:
        by_date = {
            self._date: {
                "order": "asc" if self._ascending else "desc",
                "missing": "_last",
            }
        }
        sort: list[Any] = [by_date, {"id": "asc"}]
        return [_by_score(), *sort] if self._ranked else sort

    def _key(self, values: Sequence[Any], hit: Body) -> SortKey:
        score = values[0] if self._ranked else 0.0
        date = values[-2]
        return SortKey(
            score=float(score),
            date=None if date in _UNKNOWN else date,
            id=hit["_source"]["id"],
        )

    def _values(self, key: SortKey) -> list[Any]:
        date = key.date
        if date is None:
            date = _UNKNOWN[0] if self._ascending else _UNKNOWN[1]
        return [key.score, date, key.id] if self._ranked else [date, key.id]

    def _order(self, key: SortKey) -> tuple[Any, ...]:
        date = key.date or 0
        date = date if self._ascending else -date
        return (-key.score, key.date is None, date, key.id, key.n)

    # Paragraphs: the first ones are in the articles whose best paragraphs come first.

    def _paragraphs(self) -> Query:
        """Articles by their best matching paragraph, with those as inner hits."""
        queries = []
        for number, case in enumerate(self._cases):
            articles = self._compiler.articles(case)
            paragraphs = self._scores.paragraph(case)
            if not self._ranked:
                paragraphs = self._compiler.query(case.paragraphs)
            queries += list(self._inside(f"{number}", articles, paragraphs))
            if case.or_all:
                others = no(every(self._compiler.having(case.paragraphs)))
                queries += self._inside(
                    f"{number} others",
                    [*articles, others],
                    with_score([], []),
                )
        return some(queries)

    def _inside(
        self, name: str, articles: list[Query], paragraphs: Query
    ) -> Iterator[Query]:
        """Yield queries for those paragraphs of some articles behind the cursor."""
        after = self._search.after
        if after is None:
            yield self._inner(name, articles, paragraphs)
            return
        n = -1 if after.n is None else after.n
        same: Query = {"term": {"id": after.id}}
        later = every([self._is_later(after)])
        if not self._ranked:
            numbered: Query = {"range": {f"{PARAGRAPHS}.n": {"gt": n}}}
            rest = every([paragraphs, numbered])
            yield self._inner(f"{name} same", [*articles, same], rest)
            yield self._inner(f"{name} later", [*articles, later], paragraphs)
            return
        earlier = no(some([same, later]))
        for which, where, last in (
            ("earlier", earlier, _UNKNOWN[0]),
            ("same", same, n),
            ("later", later, -1),
        ):
            behind = scripts.positive(
                paragraphs, scripts.score_after(after.score, last)
            )
            yield self._inner(f"{name} {which}", [*articles, where], behind)

    def _is_later(self, key: SortKey) -> Query:
        """Articles behind the one of a key by date and id."""
        later_id: Query = {"range": {"id": {"gt": key.id}}}
        unknown = no({"exists": {"field": self._date}})
        if key.date is None:
            return every([unknown, later_id])
        side = "gt" if self._ascending else "lt"
        same_date: Query = {"term": {self._date: key.date}}
        return some(
            [
                unknown,
                {"range": {self._date: {side: key.date}}},
                every([same_date, later_id]),
            ]
        )

    def _inner(self, name: str, articles: list[Query], paragraphs: Query) -> Query:
        ranked, by_number = self._ranked, {f"{PARAGRAPHS}.n": "asc"}
        inner = {
            "name": name,
            "size": self._search.offset + self._search.limit + 1,
            # A script has no score to sort by, unless it is a sort key itself.
            "sort": [_by_score(), by_number, "_score"] if ranked else [by_number],
            "_source": False,
        }
        matching = nested(PARAGRAPHS, paragraphs, score_mode="max", inner_hits=inner)
        # Every article gets the inner hits of all of these queries, matching or not.
        return {"bool": {"filter": articles, "must": [matching], "_name": name}}

    def _paragraph_rows(self, hit: Body) -> Iterator[Row]:
        key = self._key(hit["sort"], hit)
        for name in hit["matched_queries"]:
            for paragraph in hit["inner_hits"][name]["hits"]["hits"]:
                values = paragraph["sort"]
                score, n = values[:2] if self._ranked else (0.0, *values)
                yield key._replace(score=score, n=n), hit


def _by_score() -> Body:
    return {
        "_script": {
            "type": "number",
            "order": "desc",
            "script": scripts.rounded_score(),
        }
    }
