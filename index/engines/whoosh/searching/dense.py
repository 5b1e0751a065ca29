"""Dense evaluation: bitmaps and scores over every document.

For searches whose hits are paragraphs, or whose words must all occur in one paragraph:
they need the truth and the score of each document.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from index.engines import ranking
from index.engines.result import Hit, LeafScore, Passage
from index.engines.whoosh.files import Array, Ints, Mask, cached
from index.engines.whoosh.searching.article_set import ArticleSet
from index.engines.whoosh.searching.query_tree import Clause, QueryTree
from index.engines.whoosh.searching.snapshot import Floats, IndexSnapshot
from index.engines.whoosh.searching.sorting import Candidates
from index.engines.whoosh.searching.weighting import Weighting
from index.query import Scope, Search, Sort, SortKey, Unit, WordLeaf


class DenseRanker:
    """Ranks the hits of one search; see :class:`.evaluation.Ranker`.

    :param hits: articles that match and pass the filters.
    """

    def __init__(
        self,
        snapshot: IndexSnapshot,
        search: Search,
        tree: QueryTree,
        hits: ArticleSet,
        weighting: Weighting,
    ) -> None:
        self._snapshot, self._search, self._tree = snapshot, search, tree
        self._weighting, self._norms = weighting, weighting.norms
        self._numbers = hits.numbers
        self.check = tree.check
        if search.scope is Scope.PARAGRAPH:
            truth = tree.truth(search.query)
            self._matching: Mask = truth & hits.mask[snapshot.owner]
            self._root: Mask = self._matching
            self._clauses = tree.clauses(lambda: self._root)
        else:
            self._root = hits.mask
            self._clauses = tree.clauses(lambda: self._root)
            self._matching = self._with_leaf(hits.mask)
        self._counts = [self._counting(clause) for clause in self._clauses]

    @cached
    def total(self) -> int:
        """Number of matching paragraphs."""
        return int(np.count_nonzero(self._matching))

    def page(self) -> tuple[Sequence[Hit], bool]:
        """Hits of the page, sorted, and whether more follow."""
        search = self._search
        relevance = search.sort is Sort.RELEVANCE
        if search.unit is Unit.PARAGRAPH:
            documents = np.flatnonzero(self._matching)
            scores = ranking.rounded(self._scores[documents]) if relevance else None
            candidates = Candidates(
                articles=self._snapshot.owner[documents],
                documents=documents,
                scores=scores,
            )
        else:
            scores = self._article_scores[self._numbers] if relevance else None
            candidates = Candidates(articles=self._numbers, scores=scores)
        self.check()
        chosen, more = candidates.page(search, self._snapshot)
        keys = candidates.keys(chosen, search, self._snapshot)
        hits = [
            self._hit(candidates, at, key)
            for at, key in zip(chosen.tolist(), keys, strict=True)
        ]
        if search.explain:
            hits = self._explained(hits, candidates, chosen)
        return hits, more

    # Which paragraphs match, and where each leaf counts.

    def _with_leaf(self, hits: Mask) -> Mask:
        """Documents with a leaf that counts; if a hit has none, all its documents."""
        snapshot = self._snapshot
        matching = np.zeros(snapshot.documents, bool)
        for clause in self._clauses:
            if not clause.places.whole:
                rows = clause.postings.rows
                matching[rows[self._context(clause)[snapshot.owner[rows]]]] = True
        having = np.zeros(snapshot.articles, bool)
        having[snapshot.owner[matching]] = True
        matching |= (hits & ~having)[snapshot.owner]
        return matching

    def _counting(self, clause: Clause) -> Mask:
        """Bitmap of where a leaf counts, over articles or documents, by scope."""
        return self._context(clause) & self._tree.leaf_truth(clause.leaf)

    def _context(self, clause: Clause) -> Mask:
        return self._root if clause.context is None else clause.context

    @cached
    def _article_counts(self) -> list[Mask]:
        """Articles in which each leaf counts."""
        if self._search.scope is Scope.ARTICLE:
            return self._counts
        masks = []
        for counts in self._counts:
            mask = np.zeros(self._snapshot.articles, bool)
            mask[self._snapshot.owner[counts]] = True
            masks.append(mask)
        return masks

    # Scores.

    @property
    def _scoring(self) -> Iterator[tuple[Clause, Mask, Mask]]:
        """The clauses that score, and where each counts: as it is, and in articles."""
        for clause, counts, articles in zip(
            self._clauses, self._counts, self._article_counts, strict=True
        ):
            self.check()
            if clause.scores:
                yield clause, counts, articles

    @cached
    def _scores(self) -> Floats:
        """Scores of all documents.

        The parts of the clauses are added one after the other, and none is kept: each
        has a number for every document.
        """
        scores = np.zeros(self._snapshot.documents)
        for clause, counts, _ in self._scoring:
            rows, part = self._paragraph_part(clause, counts)
            scores[rows] += part
        return scores

    def _article_part(self, clause: Clause, counts: Mask) -> Floats:
        """What a clause adds to the score of each article."""
        snapshot, postings = self._snapshot, clause.postings
        rows = postings.rows
        owners = snapshot.owner[rows]
        norms = self._norms.of_documents(snapshot.passage[rows], owners)
        weighted: Floats = np.bincount(
            owners, weights=norms * postings.frequencies, minlength=snapshot.articles
        ).astype(np.float64)
        for name, line in postings.lines.items():
            norms = self._norms.of_field(name, line.rows)
            weighted[line.rows] += line.frequencies * norms
        part = ranking.article_part(
            weighted,
            self._weighting.article_idf(clause.leaf, postings),
            clause.leaf.boost,
        )
        scores: Floats = np.where(counts, part, 0.0)
        return scores

    def _paragraph_part(self, clause: Clause, counts: Mask) -> tuple[Array, Floats]:
        """What a clause adds to the scores of documents, and these documents."""
        snapshot, postings = self._snapshot, clause.postings
        rows = postings.rows
        if not len(rows):
            return rows, np.empty(0)
        part = ranking.paragraph_part(
            postings.frequencies.astype(np.float64),
            snapshot.lengths[rows],
            self._norms.mean_paragraph(clause.places.passages),
            self._weighting.document_idf(clause.leaf, postings),
            clause.leaf.boost,
        )
        at = rows if self._search.scope is Scope.PARAGRAPH else snapshot.owner[rows]
        return rows, np.where(counts[at], part, 0.0)

    @cached
    def _article_scores(self) -> Floats:
        """Scores of all articles."""
        snapshot = self._snapshot
        if not snapshot.articles:
            return np.zeros(0)
        parts = np.zeros(snapshot.articles)
        for clause, _, counts in self._scoring:
            parts += self._article_part(clause, counts)
        best = np.maximum.reduceat(
            np.where(self._matching, self._scores, 0.0), snapshot.first[:-1]
        )
        scores: Floats = ranking.article_score(parts, best)
        return scores

    # Hits.

    def _hit(self, candidates: Candidates, at: int, key: SortKey) -> Hit:
        snapshot, search = self._snapshot, self._search
        article = int(candidates.articles[at])
        segment, number = snapshot.located(article)
        first, end = snapshot.first[article : article + 2].tolist()
        matching = np.flatnonzero(self._matching[first:end]) + first
        score = key.score
        if candidates.documents is not None:
            chosen = [int(candidates.documents[at])]
            score = float(ranking.rounded(self._scores[chosen[0]]))
        else:
            # The headline is shown with each hit anyway, so it is not a passage.
            below = matching[matching - first + int(snapshot.first_n[article]) > 0]
            scores = ranking.rounded(self._scores[below])
            best = np.lexsort((below, -scores))[: search.passages]
            chosen = sorted(below[best].tolist())
        return Hit(
            id=key.id,
            version=segment.version(number),
            score=score,
            key=key,
            passages=tuple(self._passage(article, document) for document in chosen),
            passages_total=len(matching),
            leaves=self._leaves(self._article_counts, article),
            parts=None,
        )

    def _paragraph_number(self, article: int, document: int) -> int:
        snapshot = self._snapshot
        return document - int(snapshot.first[article]) + int(snapshot.first_n[article])

    def _leaves(self, counts: Sequence[Mask], at: int) -> tuple[WordLeaf, ...]:
        """Leaves that count in an article or document."""
        return tuple(
            clause.leaf
            for clause, mask in zip(self._clauses, counts, strict=True)
            if mask[at]
        )

    def _passage(self, article: int, document: int) -> Passage:
        at = document if self._search.scope is Scope.PARAGRAPH else article
        return Passage(
            n=self._paragraph_number(article, document),
            score=float(ranking.rounded(self._scores[document])),
            leaves=self._leaves(self._counts, at),
        )

    def _explained(
        self, hits: Sequence[Hit], candidates: Candidates, chosen: Ints
    ) -> list[Hit]:
        """Hits, each with what its leaves add to its score and its best document's."""
        articles = candidates.articles[chosen].tolist()
        best = [
            self._best_document(article)
            if candidates.documents is None
            else int(candidates.documents[at])
            for article, at in zip(articles, chosen.tolist(), strict=True)
        ]
        parts: list[list[LeafScore]] = [[] for _ in hits]
        scores = np.zeros(self._snapshot.documents)
        for clause, counts, article_counts in self._scoring:
            in_article = self._article_part(clause, article_counts)
            rows, part = self._paragraph_part(clause, counts)
            scores[rows] = part
            for own, article, document in zip(parts, articles, best, strict=True):
                own.append(
                    LeafScore(
                        text=clause.leaf.text,
                        article=float(ranking.rounded(in_article[article])),
                        paragraph=float(ranking.rounded(scores[document])),
                    )
                )
            scores[rows] = 0.0
        return [
            hit._replace(parts=tuple(own)) for hit, own in zip(hits, parts, strict=True)
        ]

    def _best_document(self, article: int) -> int:
        """The matching document of an article with the highest score."""
        first, end = self._snapshot.first[article : article + 2].tolist()
        matching = np.flatnonzero(self._matching[first:end]) + first
        return int(matching[np.argmax(ranking.rounded(self._scores[matching]))])
