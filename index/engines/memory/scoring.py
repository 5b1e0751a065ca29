"""The score of an article and of its paragraphs, leaf by leaf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from index.article import FIELD_BY_NAME, PASSAGE_FIELDS
from index.deadline import Check
from index.engines import ranking
from index.engines.memory.docs import Doc
from index.engines.memory.matching import Matcher, NumberedLeaf
from index.engines.memory.postings import LeafPostings
from index.engines.result import LeafScore
from index.query import Query, Statistics, WordLeaf, scoring_leaves


class Scorer:
    """Scores articles by the formulas of :mod:`index.engines.ranking`.

    Parts of a score are by the number of the leaf among the scoring leaves.

    :param statistics: of the index, or those that an earlier page was scored with.
    """

    def __init__(
        self,
        statistics: Statistics,
        postings: Mapping[WordLeaf, LeafPostings],
        matcher: Matcher,
        check: Check,
    ) -> None:
        self._statistics, self._postings = statistics, postings
        self._matcher, self._check = matcher, check

    def article_score(self, doc: Doc, matching: Sequence[int]) -> float:
        """Score of an article.

        :param matching: its matching paragraphs.
        """
        best = max(self.paragraph_score(doc, n) for n in matching)
        parts = sum(self._article_parts(doc, matching).values())
        return float(ranking.article_score(parts, best))

    def paragraph_score(self, doc: Doc, n: int) -> float:
        """Score of a paragraph, not rounded."""
        self._check()
        return sum(self._paragraph_parts(doc, n).values())

    def explain(
        self, query: Query, doc: Doc, matching: Sequence[int], best: int
    ) -> tuple[LeafScore, ...]:
        """Part of each leaf in the score of an article.

        :param best: the paragraph that counts: the one with the highest score.
        """
        in_paragraph = self._paragraph_parts(doc, best)
        in_article = self._article_parts(doc, matching)
        return tuple(
            LeafScore(
                text=leaf.text,
                article=float(ranking.rounded(in_article.get(number, 0.0))),
                paragraph=float(ranking.rounded(in_paragraph.get(number, 0.0))),
            )
            for number, leaf in enumerate(scoring_leaves(query))
            if self._is_scored(leaf)
        )

    def _is_scored(self, leaf: WordLeaf) -> bool:
        return self._postings[leaf].places.scores

    def _scored_leaves(self, doc: Doc, paragraph: int) -> list[NumberedLeaf]:
        counting = self._matcher.counting_leaves(doc, paragraph)
        return [(number, leaf) for number, leaf in counting if self._is_scored(leaf)]

    def _paragraph_parts(self, doc: Doc, n: int) -> dict[int, float]:
        return {
            number: self._paragraph_part(leaf, doc, n)
            for number, leaf in self._scored_leaves(doc, n)
        }

    def _paragraph_part(self, leaf: WordLeaf, doc: Doc, n: int) -> float:
        postings = self._postings[leaf]
        frequency = postings.passages.get(doc, {}).get(n, 0)
        if not frequency:
            return 0.0
        count, mean = self._statistics.paragraphs(postings.places.passages)
        document_frequency = self._statistics.leaves[leaf].paragraphs
        return float(
            ranking.paragraph_part(
                frequency,
                doc.passages[n].length,
                mean,
                ranking.idf(count, document_frequency),
                leaf.boost,
            )
        )

    def _article_parts(self, doc: Doc, matching: Sequence[int]) -> dict[int, float]:
        scored = {
            numbered for n in matching for numbered in self._scored_leaves(doc, n)
        }
        return {
            number: self._article_part(leaf, doc)
            for number, leaf in sorted(scored, key=lambda numbered: numbered[0])
        }

    def _article_part(self, leaf: WordLeaf, doc: Doc) -> float:
        postings = self._postings[leaf]
        weighted = 0.0
        for name in (*postings.places.passages, *postings.places.lines):
            if name in PASSAGE_FIELDS:
                frequency = sum(
                    count
                    for n, count in postings.passages.get(doc, {}).items()
                    if doc.fields[n] == name
                )
            else:
                frequency = postings.lines.get(doc, {}).get(name, 0)
            if frequency:
                weighted += ranking.field_frequency(
                    frequency,
                    doc.length(name),
                    self._statistics.fields[name].mean_length,
                    FIELD_BY_NAME[name].weight,
                )
        statistics = self._statistics
        idf = ranking.idf(statistics.articles, statistics.leaves[leaf].articles)
        return float(ranking.article_part(weighted, idf, leaf.boost))
