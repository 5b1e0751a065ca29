"""Tuning: a search for better parameters, and whether they hold on other collections.

Each collection is left out in turn: parameters are chosen on the others and judged on
it. Parameters that only fit the collections they were chosen on lose there. The search
starts from the textbook's parameters, not from ours: ours were chosen on all
collections, so they know the one left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from benchmarks.data import Collection
from benchmarks.ranking.counting import CountedCollection
from benchmarks.ranking.parameters import GRID, TEXTBOOK, Parameters, current

MOST_ROUNDS = 6
_LEAST_GAIN = 1e-3  # of nDCG; a smaller change is noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """The parameters chosen with one collection left out, and their results.

    :param left_out: ``None`` if all collections took part.
    :param ndcg: collection → nDCG@10 with the chosen parameters.
    """

    left_out: str | None
    chosen: Parameters
    ndcg: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """The nDCG@10 of each collection with one parameter changed."""

    name: str
    value: float
    ndcg: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """The result: a fold for each collection, and the best fit to all of them.

    :param varied: names of the tuned parameters; the others stay the textbook's.
    :param textbook: collection → nDCG@10 with the textbook's parameters.
    :param now: collection → nDCG@10 with our parameters.
    :param together: the best fit to all collections.
    :param neighbours: of our parameters.
    """

    varied: tuple[str, ...]
    textbook: Mapping[str, float]
    now: Mapping[str, float]
    folds: tuple[Fold, ...]
    together: Fold
    neighbours: tuple[Neighbour, ...]

    def document(self) -> dict[str, Any]:
        """The result for JSON."""
        return asdict(self)


def tune(
    collections: Sequence[Collection],
    varied: Sequence[str] = tuple(GRID),
    *,
    announce: Callable[[str], None] = lambda text: None,
) -> Tuning:
    """Choose parameters with each collection left out, and on all of them.

    :raises ValueError: there are fewer than two collections.
    """
    if len(collections) < 2:
        raise ValueError("leaving one out needs at least two collections")
    counted = [CountedCollection(collection) for collection in collections]
    known: dict[tuple[str, Parameters], float] = {}

    def score(counts: CountedCollection, chosen: Parameters) -> float:
        trial = (counts.collection.name, chosen)
        if trial not in known:
            announce(f"{counts.collection.name}: {chosen}")
            known[trial] = counts.ndcg(chosen)
        return known[trial]

    def scores(chosen: Parameters) -> dict[str, float]:
        return {counts.collection.name: score(counts, chosen) for counts in counted}

    def fold(left_out: CountedCollection | None) -> Fold:
        training = [counts for counts in counted if counts is not left_out]
        chosen = _best(
            lambda tried: (
                sum(score(counts, tried) for counts in training) / len(training)
            ),
            varied,
        )
        return Fold(
            left_out=None if left_out is None else left_out.collection.name,
            chosen=chosen,
            ndcg=scores(chosen),
        )

    now = current()
    return Tuning(
        varied=tuple(varied),
        textbook=scores(TEXTBOOK),
        now=scores(now),
        folds=tuple(fold(counts) for counts in counted),
        together=fold(None),
        neighbours=tuple(
            Neighbour(
                name=name, value=value, ndcg=scores(replace(now, **{name: value}))
            )
            for name, choices in GRID.items()
            for value in choices
        ),
    )


def _best(score: Callable[[Parameters], float], varied: Sequence[str]) -> Parameters:
    """The best parameters, by hill climbing from the textbook's, one at a time."""
    best = TEXTBOOK
    value = score(best)
    for _ in range(MOST_ROUNDS):
        before = best
        for name in varied:
            for choice in GRID[name]:
                tried = replace(best, **{name: choice})
                if tried != best and (result := score(tried)) > value + _LEAST_GAIN:
                    best, value = tried, result
        if best == before:
            break
    return best
