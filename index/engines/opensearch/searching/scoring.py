"""Scores, as queries of the cluster: the formulas of :mod:`index.engines.ranking`.

Frequencies are scores of the cluster, which scripts turn into parts of our score. The
cluster keeps scores with 24 bits: a score may differ by 1e-6 of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from index.article import FIELD_BY_NAME, PASSAGE_FIELDS
from index.engines import ranking
from index.engines.opensearch.mapping import LINE_FIELDS, LINES, PARAGRAPHS
from index.engines.opensearch.searching import scripts
from index.engines.opensearch.searching.cases import Case, Compiler, Counted
from index.engines.opensearch.searching.conditions import Query, some, with_score
from index.engines.opensearch.searching.formula import TRUE
from index.engines.opensearch.searching.leaves import nested
from index.query import Statistics

_FIELDS_OF_PATH = {PARAGRAPHS: PASSAGE_FIELDS, LINES: LINE_FIELDS}


class Scores:
    """Compiles the scores of one search.

    :param statistics: of the index, or those that an earlier page was scored with.
    """

    def __init__(self, compiler: Compiler, statistics: Statistics) -> None:
        self._compiler, self._statistics = compiler, statistics
        self._leaves = compiler.leaves

    def articles(self, cases: Sequence[Case]) -> list[Query]:
        """Parts of the scores of articles, which add up."""
        # A leaf that a query has twice counts twice.
        common = Counter(cases[0].counted) if cases else Counter()
        for case in cases[1:]:
            common &= Counter(
                counted for counted in case.counted if counted.in_article == TRUE
            )
        queries: list[Query] = []
        for case in cases:
            own = Counter(case.counted) - common
            parts = [self._article_part(counted) for counted in own.elements()]
            if case.counted:
                best = self.paragraph(case)
                boost = ranking.PARAGRAPH_SHARE
                parts.append(nested(PARAGRAPHS, best, score_mode="max", boost=boost))
            if parts:
                queries.append(with_score(self._compiler.articles(case), parts))
        # Those that count in every case are asked once.
        shared = sorted(common.elements(), key=str)
        return [*queries, *map(self._article_part, shared)]

    def paragraph(self, case: Case) -> Query:
        """Matching paragraphs of a case, by their scores."""
        paragraphs = self._compiler.query(case.paragraphs)
        parts = [self._paragraph_part(counted) for counted in case.counted]
        return with_score([paragraphs], parts)

    def _paragraph_part(self, counted: Counted) -> Query:
        leaf, passages = counted.leaf.leaf, counted.leaf.places.passages
        count, mean = self._statistics.paragraphs(passages)
        frequency = self._statistics.leaves[leaf].paragraphs
        weight = leaf.boost * float(ranking.idf(count, frequency))
        scored = scripts.scored(
            self._leaves.frequency(leaf, PARAGRAPHS, passages),
            scripts.paragraph_part(weight, mean),
        )
        if counted.in_paragraph == TRUE:
            return scored
        where = self._compiler.query(counted.in_paragraph)
        return {"bool": {"must": [scored], "filter": [where]}}

    def _article_part(self, counted: Counted) -> Query:
        leaf, places = counted.leaf.leaf, counted.leaf.places
        statistics = self._statistics
        idf = ranking.idf(statistics.articles, statistics.leaves[leaf].articles)
        frequencies = [
            self._weighted_frequency(counted, path, names)
            for path, names in ((PARAGRAPHS, places.passages), (LINES, places.lines))
            if names
        ]
        weight = float(ranking.article_weight(idf, leaf.boost))
        scored = scripts.scored(some(frequencies), scripts.article_part(weight))
        where = self._compiler.having(counted.in_article)
        return {"bool": {"must": [scored], "filter": where}} if where else scored

    def _weighted_frequency(
        self, counted: Counted, path: str, names: tuple[str, ...]
    ) -> Query:
        """Articles with a leaf in some fields, by its weighted frequency there."""
        fields = _FIELDS_OF_PATH[path]
        statistics = self._statistics.fields
        script = scripts.field_frequency(
            path,
            [FIELD_BY_NAME[name].weight for name in fields],
            [statistics[name].mean_length if name in names else 1.0 for name in fields],
        )
        frequency = self._leaves.frequency(counted.leaf.leaf, path, names)
        return nested(path, scripts.scored(frequency, script), score_mode="sum")
