"""A search over the articles of one moment, one article after another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from index.deadline import until
from index.engines import ranking
from index.engines.memory.docs import Doc, Docs, date_of
from index.engines.memory.facets import facet_of
from index.engines.memory.matching import Matcher, excluded, in_range, included
from index.engines.memory.postings import LeafPostings
from index.engines.memory.scoring import Scorer
from index.engines.result import Hit, Page, Passage, WordCount
from index.query import (
    Search,
    Sort,
    SortKey,
    Statistics,
    Unit,
    WordLeaf,
    scoring_leaves,
    weighted_fields,
    weighted_leaves,
)


class Evaluation:
    """The evaluation of one search.

    :param seq: newest change of the store in ``docs``.
    :param postings: of all word leaves of the search; see :func:`.all_postings`.
    """

    def __init__(
        self,
        docs: Docs,
        search: Search,
        *,
        seq: int,
        postings: Mapping[WordLeaf, LeafPostings],
    ) -> None:
        self._docs, self._search, self._seq = docs, search, seq
        self._visible = docs.visible(search)
        self._check = until(search.deadline)
        self._postings = postings
        self._matcher = Matcher(search, self._postings)
        self._statistics = search.statistics or self._own_statistics(seq)
        self._scorer = Scorer(
            self._statistics, self._postings, self._matcher, self._check
        )

    def _own_statistics(self, seq: int) -> Statistics:
        leaves = weighted_leaves(self._search.query, self._search.places)
        names = weighted_fields(leaves, self._search.places)
        public = self._docs.public(self._search)
        return Statistics(
            seq=seq,
            articles=len(public),
            fields={name: public.statistics(name) for name in names},
            leaves={leaf: self._postings[leaf].statistics(public) for leaf in leaves},
        )

    def page(self) -> Page:
        """Page of hits."""
        search = self._search
        base = [doc for doc in self._docs if self._is_base(doc)]
        hits = [doc for doc in base if included(doc.article, search)]
        matching = {doc: self._matcher.matching_paragraphs(doc) for doc in hits}
        rows = self._rows(hits, matching)
        rows.sort(key=lambda row: self._order(row[0]))
        if search.after is not None:
            after = self._order(search.after)
            rows = [row for row in rows if self._order(row[0]) > after]
        end = search.offset + search.limit
        chosen = rows[search.offset : end]
        more = bool(chosen) and len(rows) > end
        return Page(
            hits=tuple(self._hit(*row, matching[row[1]]) for row in chosen),
            articles=len(hits),
            paragraphs=sum(map(len, matching.values())),
            facets=tuple(facet_of(facet, base, search) for facet in search.facets),
            after=chosen[-1][0] if more else None,
            statistics=self._statistics
            if more and search.sort is Sort.RELEVANCE
            else None,
            seq=self._seq,
            terms=tuple(
                WordCount(
                    text=leaf.text,
                    articles=len(self._postings[leaf].articles & self._visible),
                )
                for leaf in scoring_leaves(search.query)
            ),
        )

    def hits(self, keys: Iterable[SortKey]) -> tuple[Hit, ...]:
        """The hits with these sort keys, which match the search."""
        docs = [(key, self._docs.by_id[key.id]) for key in keys]
        return tuple(
            self._hit(key, doc, self._matcher.matching_paragraphs(doc))
            for key, doc in docs
        )

    def _is_base(self, doc: Doc) -> bool:
        """Whether an article matches, before filters that include values."""
        self._check()
        search = self._search
        return (
            doc in self._visible
            and (search.dates is None or in_range(doc.article, search.dates))
            and not excluded(doc.article, search)
            and self._matcher.matches(doc)
        )

    # Order.

    def _rows(
        self, hits: list[Doc], matching: Mapping[Doc, list[int]]
    ) -> list[tuple[SortKey, Doc]]:
        """Sort key of each hit: an article or a paragraph."""
        search = self._search
        relevance = search.sort is Sort.RELEVANCE
        date = "updated" if search.sort is Sort.UPDATED else "published"
        rows = []
        for doc in hits:
            self._check()
            article = doc.article
            if search.unit is Unit.ARTICLE:
                score = (
                    self._scorer.article_score(doc, matching[doc]) if relevance else 0.0
                )
                key = SortKey(score=score, date=date_of(article, date), id=article.id)
                rows.append((key, doc))
                continue
            for n in matching[doc]:
                key = SortKey(
                    score=self._rounded_score(doc, n) if relevance else 0.0,
                    date=date_of(article, date),
                    id=article.id,
                    n=article.paragraphs[n].n,
                )
                rows.append((key, doc))
        return rows

    def _order(self, key: SortKey) -> tuple[float, bool, int, str, int]:
        date = key.date or 0
        if self._search.sort is not Sort.OLDEST:
            date = -date
        n = -1 if key.n is None else key.n
        return (-key.score, key.date is None, date, key.id, n)

    def _rounded_score(self, doc: Doc, n: int) -> float:
        return float(ranking.rounded(self._scorer.paragraph_score(doc, n)))

    # Hits.

    def _hit(self, key: SortKey, doc: Doc, matching: list[int]) -> Hit:
        search = self._search
        first = doc.article.paragraphs[0].n
        scores = {n: self._rounded_score(doc, n) for n in matching}
        best = sorted(matching, key=lambda n: (-scores[n], n))
        if key.n is None:
            score = key.score
            # The headline is shown with each hit, and is not one of its passages.
            below = [n for n in best if doc.article.paragraphs[n].n > 0]
            chosen = sorted(below[: search.passages])
        else:
            chosen = [key.n - first]
            score = scores[chosen[0]]
        counting = {
            numbered
            for n in matching
            for numbered in self._matcher.counting_leaves(doc, n)
        }
        scored = best if key.n is None else chosen
        return Hit(
            id=doc.article.id,
            version=doc.article.version or "",
            score=score,
            key=key,
            passages=tuple(
                Passage(
                    n=doc.article.paragraphs[n].n,
                    score=scores[n],
                    leaves=tuple(
                        leaf for _, leaf in self._matcher.counting_leaves(doc, n)
                    ),
                )
                for n in chosen
            ),
            passages_total=len(matching),
            leaves=tuple(
                leaf for _, leaf in sorted(counting, key=lambda numbered: numbered[0])
            ),
            parts=self._scorer.explain(search.query, doc, matching, scored[0])
            if search.explain
            else None,
        )
