"""Ranking by masks and scores over every document.

It serves searches whose hits are paragraphs, or whose words must meet in one: there
each document's own truth and score is wanted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from index.engines import ranking
from index.engines.result import Hit, LeafScore, Passage
from index.engines.whoosh.files import Ints, Mask, cached
from index.engines.whoosh.searching.article_set import ArticleSet
from index.engines.whoosh.searching.query_tree import ContributingLeaf, QueryTree
from index.engines.whoosh.searching.snapshot import Floats, IndexSnapshot
from index.engines.whoosh.searching.sorting import Candidates
from index.query import Scope, Search, Sort, SortKey, Unit, WordLeaf


class DenseRanker:
    """The ranking of one search; see :class:`.evaluation.Ranking`.

    :param hits: which articles are hits.
    """

    def __init__(
        self, state: IndexSnapshot, search: Search, tree: QueryTree, hits: ArticleSet
    ) -> None:
        self._state, self._search, self._tree = state, search, tree
        self._numbers = hits.numbers
        self.check = tree.check
        if search.scope is Scope.PARAGRAPH:
            truth = tree.truth(search.query)
            self._matching: Mask = truth & hits.mask[state.owner]
            self._root: Mask = self._matching
            self._counted = tree.counting(lambda: self._root)
        else:
            self._root = hits.mask
            self._counted = tree.counting(lambda: self._root)
            self._matching = self._with_words(hits.mask)
        self._counts = [self._where(each) for each in self._counted]

    @cached
    def total(self) -> int:
        """How many paragraphs match."""
        return int(np.count_nonzero(self._matching))

    def page(self) -> tuple[Sequence[Hit], bool]:
        """Return the hits of the page, in order, and whether more follow."""
        search = self._search
        relevance = search.sort is Sort.RELEVANCE
        if search.unit is Unit.PARAGRAPH:
            documents = np.flatnonzero(self._matching)
            scores = ranking.rounded(self._scores[documents]) if relevance else None
            rows = Candidates(
                articles=self._state.owner[documents],
                documents=documents,
                scores=scores,
            )
        else:
            scores = self._article_scores[self._numbers] if relevance else None
            rows = Candidates(articles=self._numbers, scores=scores)
        self.check()
        chosen, more = rows.page(search, self._state)
        keys = rows.keys(chosen, search, self._state)
        return [
            self._hit(rows, at, key)
            for at, key in zip(chosen.tolist(), keys, strict=True)
        ], more

    # Which paragraphs match, and which leaves count where.

    def _with_words(self, hits: Mask) -> Mask:
        """Return which documents of hits have a leaf that counts; all where none."""
        state = self._state
        matching = np.zeros(state.documents, bool)
        for each in self._counted:
            if not each.places.whole:
                rows = each.found.rows
                matching[rows[self._context(each)[state.owner[rows]]]] = True
        having = np.zeros(state.articles, bool)
        having[state.owner[matching]] = True
        matching |= (hits & ~having)[state.owner]
        return matching

    def _where(self, each: ContributingLeaf) -> Mask:
        """Return where a leaf counts, over articles or paragraphs as the scope is."""
        return self._context(each) & self._tree.leaf_truth(each.leaf)

    def _context(self, each: ContributingLeaf) -> Mask:
        return self._root if each.context is None else each.context

    @cached
    def _article_counts(self) -> list[Mask]:
        """Return in which articles each leaf counts."""
        if self._search.scope is Scope.ARTICLE:
            return self._counts
        masks = []
        for counts in self._counts:
            mask = np.zeros(self._state.articles, bool)
            mask[self._state.owner[counts]] = True
            masks.append(mask)
        return masks

    # Scores.

    @cached
    def _parts(self) -> list[tuple[ContributingLeaf, Floats, Floats]]:
        """Each scoring leaf with its parts of every article's and paragraph's score."""
        return [
            (
                each,
                self._article_part(each, articles),
                self._paragraph_part(each, counts),
            )
            for each, counts, articles in zip(
                self._counted, self._counts, self._article_counts, strict=True
            )
            if each.scores
        ]

    @cached
    def _scores(self) -> Floats:
        scores = np.zeros(self._state.documents)
        for _, _, part in self._parts:
            scores += part
        return scores

    def _article_part(self, each: ContributingLeaf, counts: Mask) -> Floats:
        self.check()
        state, found = self._state, each.found
        rows = found.rows
        owners = state.owner[rows]
        weights = state.passage_scales[state.passage[rows], owners]
        weighted: Floats = np.bincount(
            owners, weights=weights * found.frequencies, minlength=state.articles
        ).astype(np.float64)
        for name, line in found.lines.items():
            weighted[line.rows] += line.frequencies * state.scale(name)[line.rows]
        part = ranking.article_part(
            weighted,
            found.article_idf,
            each.leaf.boost,
        )
        scores: Floats = np.where(counts, part, 0.0)
        return scores

    def _paragraph_part(self, each: ContributingLeaf, counts: Mask) -> Floats:
        state, found = self._state, each.found
        rows = found.rows
        scores = np.zeros(state.documents)
        if not len(rows):
            return scores
        _, mean = state.document_statistics(each.places.passages)
        part = ranking.paragraph_part(
            found.frequencies.astype(np.float64),
            state.lengths[rows],
            mean,
            found.document_idf,
            each.leaf.boost,
        )
        at = rows if self._search.scope is Scope.PARAGRAPH else state.owner[rows]
        scores[rows] = np.where(counts[at], part, 0.0)
        return scores

    @cached
    def _article_scores(self) -> Floats:
        state = self._state
        if not state.articles:
            return np.zeros(0)
        parts = np.zeros(state.articles)
        for _, article, _ in self._parts:
            parts += article
        best = np.maximum.reduceat(
            np.where(self._matching, self._scores, 0.0), state.first[:-1]
        )
        scores: Floats = ranking.article_score(parts, best)
        return scores

    # Hits.

    def _hit(self, rows: Candidates, at: int, key: SortKey) -> Hit:
        state, search = self._state, self._search
        article = int(rows.articles[at])
        segment, number = state.located(article)
        first, end = state.first[article : article + 2].tolist()
        here = np.flatnonzero(self._matching[first:end]) + first
        score = key.score
        if rows.documents is not None:
            chosen = [int(rows.documents[at])]
            score = float(ranking.rounded(self._scores[chosen[0]]))
        else:
            # The headline is shown with each hit, and is no passage of it.
            below = here[here - first + int(state.first_n[article]) > 0]
            scores = ranking.rounded(self._scores[below])
            best = np.lexsort((below, -scores))[: search.passages]
            chosen = sorted(below[best].tolist())
        return Hit(
            id=key.id,
            version=segment.version(number),
            score=score,
            key=key,
            passages=tuple(self._passage(article, document) for document in chosen),
            passages_total=len(here),
            leaves=self._leaves(self._article_counts, article),
            parts=self._explained(article, here, chosen) if search.explain else None,
        )

    def _n(self, article: int, document: int) -> int:
        state = self._state
        return document - int(state.first[article]) + int(state.first_n[article])

    def _leaves(self, counts: Sequence[Mask], at: int) -> tuple[WordLeaf, ...]:
        return tuple(
            each.leaf
            for each, mask in zip(self._counted, counts, strict=True)
            if mask[at]
        )

    def _passage(self, article: int, document: int) -> Passage:
        at = document if self._search.scope is Scope.PARAGRAPH else article
        return Passage(
            n=self._n(article, document),
            score=float(ranking.rounded(self._scores[document])),
            leaves=self._leaves(self._counts, at),
        )

    def _explained(
        self, article: int, here: Ints, chosen: list[int]
    ) -> tuple[LeafScore, ...]:
        if self._search.unit is Unit.PARAGRAPH:
            best = chosen[0]
        else:
            best = int(here[np.argmax(ranking.rounded(self._scores[here]))])
        return tuple(
            LeafScore(
                text=each.leaf.text,
                article=float(ranking.rounded(in_article[article])),
                paragraph=float(ranking.rounded(in_paragraph[best])),
            )
            for each, in_article, in_paragraph in self._parts
        )
