"""The relevance of our results compared with tantivy's, on test collections.

On both sides a query is the OR of its words. tantivy has the title and text of a
document in one field (``en_stem``) and ranks by its BM25; our documents are articles of
paragraphs, ranked as in any search.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.data import NOW, Collection
from benchmarks.peers import tantivy_peer
from benchmarks.ranking.metrics import average_precision, ndcg, recall
from index.engines import open_engine
from index.query import Or, Query, Search, Term

DEPTH = 1_000  # documents of a ranking that are judged

Rank = Callable[[Sequence[str]], list[str]]  # words of a query → ids, the best first


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Means over the queries of a collection, each 0 to 1."""

    ndcg: float  # at 10
    average_precision: float
    recall: float  # at 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Scores of both rankers: collection → ``ours`` or ``tantivy`` → scores."""

    scores: Mapping[str, Mapping[str, Scores]]

    def mean(self, ranker: str) -> Scores:
        """Means of a ranker over the collections, which all weigh the same."""
        return mean_of([by_ranker[ranker] for by_ranker in self.scores.values()])

    @property
    def ratio(self) -> float:
        """Our mean nDCG@10 divided by tantivy's."""
        return self.mean("ours").ndcg / self.mean("tantivy").ndcg

    def document(self) -> dict[str, Any]:
        """The comparison for JSON."""
        return {
            "ratio": self.ratio,
            "collections": {
                name: {ranker: asdict(scores) for ranker, scores in by_ranker.items()}
                for name, by_ranker in self.scores.items()
            },
            "mean": {
                ranker: asdict(self.mean(ranker)) for ranker in ("ours", "tantivy")
            },
        }


def compare_rankings(collections: Sequence[Collection]) -> Comparison:
    """Rank every collection with our engine and with tantivy, and score both."""
    scores: dict[str, dict[str, Scores]] = {}
    for collection in collections:
        with tempfile.TemporaryDirectory() as folder:
            scores[collection.name] = {
                "ours": _ours(collection, Path(folder)),
                "tantivy": _tantivy(collection, Path(folder)),
            }
    return Comparison(scores=scores)


def evaluate(collection: Collection, rank: Rank) -> Scores:
    """Mean scores of a ranker over the queries of a collection."""
    scores = []
    for query, words in collection.queries.items():
        ranking, judgements = rank(words), collection.judgements[query]
        scores.append(
            Scores(
                ndcg=ndcg(ranking, judgements, 10),
                average_precision=average_precision(ranking, judgements),
                recall=recall(ranking, judgements, 100),
            )
        )
    return mean_of(scores)


def mean_of(scores: Sequence[Scores]) -> Scores:
    """Arithmetic mean of each score."""
    count = len(scores)
    return Scores(
        ndcg=sum(score.ndcg for score in scores) / count,
        average_precision=sum(score.average_precision for score in scores) / count,
        recall=sum(score.recall for score in scores) / count,
    )


def any_of(words: Sequence[str]) -> Query:
    """The OR of the words of a query."""
    return Or(tuple(Term(word, text=word) for word in words))


def _ours(collection: Collection, folder: Path) -> Scores:
    with closing(open_engine(f"whoosh:{folder / 'ours'}")) as engine:
        documents = collection.documents
        engine.rebuild(documents, seq=1, total=len(documents))
        snapshot = engine.snapshot()

        def rank(words: Sequence[str]) -> list[str]:
            search = Search(query=any_of(words), now=NOW, limit=DEPTH, passages=0)
            return [hit.id for hit in snapshot.search(search).hits]

        return evaluate(collection, rank)


def _tantivy(collection: Collection, folder: Path) -> Scores:
    with closing(tantivy_peer(folder / "tantivy", whole_articles=True)) as peer:
        peer.build(collection.documents)
        peer.open()
        return evaluate(collection, lambda words: peer.ranking(any_of(words), DEPTH))
