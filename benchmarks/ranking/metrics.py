"""How good a ranking is, by judgements of what is relevant (as in TREC).

Figures are those of ``trec_eval``: a relevance judged is its own gain, and what nobody
judged is not relevant.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

Judged = Mapping[str, int]  # document → relevance, above 0 where it is relevant


def ndcg(ranking: Sequence[str], judged: Judged, depth: int = 10) -> float:
    """Return the normalised discounted cumulative gain, 0 to 1.

    The gain at rank r, from 1, is divided by log2(r + 1); the sum by that of the best
    order there could be.
    """
    best = sorted((gain for gain in judged.values() if gain > 0), reverse=True)
    if not best:
        raise ValueError("nothing is relevant")
    gains = [max(0, judged.get(document, 0)) for document in ranking[:depth]]
    return _discounted(gains) / _discounted(best[:depth])


def average_precision(ranking: Sequence[str], judged: Judged) -> float:
    """Return the mean of the precisions at each relevant document, 0 to 1.

    One that the ranking does not hold counts as 0.
    """
    relevant = _relevant(judged)
    found, total = 0, 0.0
    for rank, document in enumerate(ranking, 1):
        if document in relevant:
            found += 1
            total += found / rank
    return total / len(relevant)


def recall(ranking: Sequence[str], judged: Judged, depth: int = 100) -> float:
    """Return the share of the relevant documents that is among the first, 0 to 1."""
    relevant = _relevant(judged)
    return len(relevant.intersection(ranking[:depth])) / len(relevant)


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


def _relevant(judged: Judged) -> set[str]:
    relevant = {document for document, gain in judged.items() if gain > 0}
    if not relevant:
        raise ValueError("nothing is relevant")
    return relevant
