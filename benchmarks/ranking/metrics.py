"""Measures of a ranking, from relevance judgements (as in TREC).

Figures are those of ``trec_eval``: the gain of a document is its judged relevance, and
a document without a judgement is not relevant.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

Judgements = Mapping[str, int]  # document → relevance; relevant if above 0


def ndcg(ranking: Sequence[str], judgements: Judgements, depth: int = 10) -> float:
    """Normalised discounted cumulative gain, 0 to 1.

    The gain at rank r, from 1, is divided by log2(r + 1), and the sum of the gains by
    that of the ideal order.

    :raises ValueError: no document is relevant, as for the other measures.
    """
    best = sorted((gain for gain in judgements.values() if gain > 0), reverse=True)
    if not best:
        raise ValueError("nothing is relevant")
    gains = [max(0, judgements.get(document, 0)) for document in ranking[:depth]]
    return _discounted(gains) / _discounted(best[:depth])


def average_precision(ranking: Sequence[str], judgements: Judgements) -> float:
    """Mean of the precisions at each relevant document, 0 to 1.

    A relevant document that is not in the ranking counts as 0.
    """
    relevant = _relevant(judgements)
    hits, total = 0, 0.0
    for rank, document in enumerate(ranking, 1):
        if document in relevant:
            hits += 1
            total += hits / rank
    return total / len(relevant)


def recall(ranking: Sequence[str], judgements: Judgements, depth: int = 100) -> float:
    """Share of the relevant documents that are among the first, 0 to 1."""
    relevant = _relevant(judgements)
    return len(relevant.intersection(ranking[:depth])) / len(relevant)


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


def _relevant(judgements: Judgements) -> set[str]:
    relevant = {document for document, gain in judgements.items() if gain > 0}
    if not relevant:
        raise ValueError("nothing is relevant")
    return relevant
