"""Scores, as queries of the cluster: the formulas of :mod:`index.engines.ranking`.

Frequencies are scores of the cluster, which scripts turn into parts of our score. The
cluster keeps scores with 24 bits: a score may differ by 1e-6 of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from index.article import FIELD_BY_NAME, PASSAGE_FIELDS
from index.engines import ranking
from index.engines.opensearch.mapping import LINE_FIELDS, LINES, PARAGRAPHS
from index.engines.opensearch.searching import scripts
from index.engines.opensearch.searching.cases import Case, Compiler, Counted
from index.engines.opensearch.searching.conditions import Query, some, with_score
from index.engines.opensearch.searching.formula import (
    TRUE,
    Every,
    Formula,
    InParagraph,
    Some,
    formula_of,
    known,
)
from index.engines.opensearch.searching.leaves import nested
from index.query import Scope, Search, Statistics

_FIELDS_OF_PATH = {PARAGRAPHS: PASSAGE_FIELDS, LINES: LINE_FIELDS}


class Scores:
    """Compiles the scores of one search.

    :param statistics: of the index, or those that an earlier page was scored with.
    """

    def __init__(self, compiler: Compiler, statistics: Statistics) -> None:
        self._compiler, self._statistics = compiler, statistics
        self._leaves = compiler.leaves

    def articles(self, search: Search, cases: Sequence[Case]) -> Query:
        """Articles that match, by their scores."""
        if search.scope is Scope.PARAGRAPH:
            common = _common(cases)
            having = some([self._having(case, common) for case in cases])
            return _with_should(having, self._article_parts(common))
        formula = known(formula_of(search.query, search), {})
        if len(cases) == 1 and not cases[0].truths:
            (case,) = cases
            parts: dict[Formula, Query] = {
                each.leaf.true: self._article_part(each) for each in case.counted
            }
            if _adds_up(formula, parts, case.counted):
                return _with_should(self._scored(formula, parts), self._best(case))
        return with_score([self._compiler.query(formula)], self._in_cases(cases))

    def _in_cases(self, cases: Sequence[Case]) -> list[Query]:
        """Parts of the scores of matching articles, which add up."""
        common = _common(cases)
        queries: list[Query] = []
        for case in cases:
            parts = [*self._article_parts(_own(case, common)), *self._best(case)]
            if parts:
                queries.append(with_score(self._compiler.articles(case), parts))
        return [*queries, *self._article_parts(common)]

    def _having(self, case: Case, common: Counter[Counted]) -> Query:
        """Articles of a case with a matching paragraph, by their scores.

        :param common: leaves that are left out.
        """
        articles, best = self._compiler.articles(case), self._best(case)
        if not best:
            paragraphs = self._compiler.having(case.paragraphs)
            return with_score([*articles, *paragraphs], [])
        parts = self._article_parts(_own(case, common))
        return {"bool": {"filter": articles, "must": best, "should": parts}}

    def _best(self, case: Case) -> list[Query]:
        """Articles with a matching paragraph, by its share of their scores."""
        if not case.counted:
            return []
        share = ranking.PARAGRAPH_SHARE
        best = self.paragraph(case)
        return [nested(PARAGRAPHS, best, score_mode="max", boost=share)]

    def paragraph(self, case: Case) -> Query:
        """Matching paragraphs of a case, by their scores."""
        counted = [each for each in case.counted if each.leaf.places.passages]
        parts: dict[Formula, Query] = {
            InParagraph(each.leaf.leaf, each.leaf.places.passages): (
                self._paragraph_part(each)
            )
            for each in counted
        }
        if all(each.in_paragraph == TRUE for each in counted) and _adds_up(
            case.paragraphs, parts, counted
        ):
            return self._scored(case.paragraphs, parts)
        matching = self._compiler.query(case.paragraphs)
        return with_score([matching], [*map(self._paragraph_part, counted)])

    def _scored(self, formula: Formula, parts: Mapping[Formula, Query]) -> Query:
        """What a formula is true of, by the sum of its parts that are true.

        A leaf is read once, to match and to score.
        """
        if formula in parts:
            return parts[formula]
        if isinstance(formula, Some):
            return some([self._scored(part, parts) for part in formula.parts])
        if isinstance(formula, Every) and formula.parts:
            scored = [
                part
                for part in formula.parts
                if any(atom in parts for atom in _required(part))
            ]
            others = [part for part in formula.parts if part not in scored]
            return {
                "bool": {
                    "must": [self._scored(part, parts) for part in scored],
                    "filter": [self._compiler.query(part) for part in others],
                }
            }
        return with_score([self._compiler.query(formula)], [])

    def _article_parts(self, counted: Counter[Counted]) -> list[Query]:
        return [self._article_part(each) for each in counted.elements()]

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


def _common(cases: Sequence[Case]) -> Counter[Counted]:
    """Leaves that count in every case; the same word may be in a query twice."""
    common = Counter(cases[0].counted if cases else ())
    for case in cases[1:]:
        common &= Counter(
            counted for counted in case.counted if counted.in_article == TRUE
        )
    return common


def _own(case: Case, common: Counter[Counted]) -> Counter[Counted]:
    return Counter(case.counted) - common


def _adds_up(
    formula: Formula, parts: Mapping[Formula, object], counted: Sequence[Counted]
) -> bool:
    """Whether the parts of a formula that are true are all that counts.

    Each of them must be in it once, and below no NOT.
    """
    required = list(_required(formula))
    return len(parts) == len(counted) and all(
        required.count(part) == 1 for part in parts
    )


def _required(formula: Formula) -> Iterator[Formula]:
    """Yield the parts of a formula that are no AND and no OR, below no NOT."""
    if isinstance(formula, Every | Some):
        for part in formula.parts:
            yield from _required(part)
    else:
        yield formula


def _with_should(query: Query, parts: Sequence[Query]) -> Query:
    """What a query matches; the scores of those parts that match are added."""
    return {"bool": {"must": [query], "should": list(parts)}} if parts else query
