"""Counting the words of a test collection once, so that each trial only scores.

Scores are computed with the functions of the engines' ranking, as an engine does it, so
a trial needs no index.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.data import Collection
from benchmarks.ranking.metrics import ndcg
from benchmarks.ranking.parameters import Parameters, applied
from index.article import FIELD_BY_NAME, Role
from index.engines import ranking
from index.text import analyse, word_key, word_keys

LANGUAGE = "en"  # of all test collections

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Postings:
    """The posting list of a word: paragraphs, frequencies, and sums by document."""

    paragraphs: npt.NDArray[np.int64]
    frequencies: Floats
    in_headline: Floats  # by document
    in_body: Floats
    articles: int  # document frequency


class CountedCollection:
    """A test collection with the words of its queries counted."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self.ids = [article.id for article in collection.documents]
        postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        lengths: list[int] = []
        owners: list[int] = []
        headlines: list[bool] = []
        for number, article in enumerate(collection.documents):
            for paragraph in article.paragraphs:
                tokens = analyse(paragraph.text)
                for stem, count in Counter(word_keys(tokens.forms, LANGUAGE)).items():
                    postings[stem].append((len(lengths), count))
                lengths.append(tokens.length)
                owners.append(number)
                headlines.append(paragraph.role is Role.HEADLINE)
        self._lengths = np.array(lengths, float)
        self._owners = np.array(owners)
        self._is_headline = np.array(headlines)
        self._starts = np.searchsorted(self._owners, np.arange(len(self.ids)))
        self._headline_length = self._by_document(self._lengths * self._is_headline)
        self._body_length = self._by_document(self._lengths * ~self._is_headline)
        # Documents with equal scores are in the order of their ids.
        self._place = np.argsort(np.argsort(np.array(self.ids)))
        self._postings = {
            query: [
                self._postings_of(pairs)
                for word in words
                if (pairs := postings.get(word_key(word, LANGUAGE)))
            ]
            for query, words in collection.queries.items()
        }

    def scores(self, query: str, chosen: Parameters) -> Floats:
        """Score of each document, 0 without a word of the query.

        The engines must use the parameters: see
        :func:`benchmarks.ranking.parameters.applied`.
        """
        articles = np.zeros(len(self.ids))
        paragraphs = np.zeros(len(self._lengths))
        mean_headline = _mean(self._headline_length)
        mean_body = _mean(self._body_length)
        mean_paragraph = float(self._lengths.mean())
        for term in self._postings[query]:
            weighted = ranking.field_frequency(
                term.in_headline, self._headline_length, mean_headline, chosen.headline
            ) + ranking.field_frequency(
                term.in_body, self._body_length, mean_body, FIELD_BY_NAME["body"].weight
            )
            idf = ranking.idf(len(self.ids), term.articles)
            articles += ranking.article_part(weighted, idf, 1.0)
            paragraphs[term.paragraphs] += ranking.paragraph_part(
                term.frequencies,
                self._lengths[term.paragraphs],
                mean_paragraph,
                ranking.idf(len(self._lengths), len(term.paragraphs)),
                1.0,
            )
        best = np.maximum.reduceat(paragraphs, self._starts)
        scores: Floats = ranking.article_score(articles, best)
        return scores

    def ranking(self, query: str, chosen: Parameters, depth: int) -> list[str]:
        """Ids of the best documents, the best first."""
        scores = self.scores(query, chosen)
        order = np.lexsort((self._place, -scores))[:depth]
        return [self.ids[number] for number in order if scores[number] > 0]

    def ndcg(self, chosen: Parameters) -> float:
        """Mean nDCG@10 over the queries."""
        judgements = self.collection.judgements
        with applied(chosen):
            scores = [
                ndcg(self.ranking(query, chosen, 10), judgements[query], 10)
                for query in self.collection.queries
            ]
        return sum(scores) / len(scores)

    def _by_document(self, values: Floats) -> Floats:
        return np.bincount(self._owners, values, len(self.ids)).astype(float)

    def _postings_of(self, pairs: Sequence[tuple[int, int]]) -> _Postings:
        paragraphs = np.array([paragraph for paragraph, _ in pairs])
        counts = np.array([count for _, count in pairs], float)
        everywhere = np.zeros(len(self._lengths))
        everywhere[paragraphs] = counts
        in_headline = self._by_document(everywhere * self._is_headline)
        in_body = self._by_document(everywhere * ~self._is_headline)
        return _Postings(
            paragraphs=paragraphs,
            frequencies=counts,
            in_headline=in_headline,
            in_body=in_body,
            articles=int(((in_headline + in_body) > 0).sum()),
        )


def _mean(lengths: Floats) -> float:
    """Mean of the lengths that are not 0."""
    lengths = lengths[lengths > 0]
    return float(lengths.mean()) if len(lengths) else 1.0
