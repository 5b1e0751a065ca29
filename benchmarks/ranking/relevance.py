"""The quality of our ranking beside tantivy's: ``make relevance COLLECTIONS=FOLDER``.

Queries are the OR of their words on both sides. tantivy has title and text of a
document in one field (``en_stem``) and ranks by its BM25; ours are articles of
paragraphs, ranked as any search is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.data.judged import Collection, collections
from benchmarks.data.workload import NOW
from benchmarks.ranking import tuning
from benchmarks.ranking.metrics import average_precision, ndcg, recall
from benchmarks.report import write_json
from index.engines import open_engine
from index.query import Or, Query, Search, Term

DEPTH = 1_000  # documents of a ranking that are looked at

Rank = Callable[[Sequence[str]], list[str]]  # the words of a query → ids, best first


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Means over the queries of a collection, each 0 to 1."""

    ndcg: float  # at 10
    average_precision: float
    recall: float  # at 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Scores by collection, then by who ranked."""

    scores: Mapping[str, Mapping[str, Scores]]

    def mean(self, name: str) -> Scores:
        """Return the means over the collections, each as much as the others."""
        return mean_of([each[name] for each in self.scores.values()])

    @property
    def ratio(self) -> float:
        """Our mean nDCG@10 by tantivy's."""
        return self.mean("ours").ndcg / self.mean("tantivy").ndcg

    def document(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "ratio": self.ratio,
            "collections": {
                name: {who: asdict(scores) for who, scores in each.items()}
                for name, each in self.scores.items()
            },
            "mean": {who: asdict(self.mean(who)) for who in ("ours", "tantivy")},
        }


def compare(judged: Sequence[Collection]) -> Comparison:
    """Rank every collection by our engine and by tantivy, and score both."""
    scores: dict[str, dict[str, Scores]] = {}
    for each in judged:
        with tempfile.TemporaryDirectory() as folder:
            scores[each.name] = {
                "ours": _ours(each, Path(folder)),
                "tantivy": _tantivy(each, Path(folder)),
            }
    return Comparison(scores=scores)


def evaluate(judged: Collection, rank: Rank) -> Scores:
    """Return the mean scores of a ranker over a collection's queries."""
    found = []
    for query, words in judged.queries.items():
        ranking, relevant = rank(words), judged.judged[query]
        found.append(
            Scores(
                ndcg=ndcg(ranking, relevant, 10),
                average_precision=average_precision(ranking, relevant),
                recall=recall(ranking, relevant, 100),
            )
        )
    return mean_of(found)


def mean_of(found: Sequence[Scores]) -> Scores:
    """Return the arithmetic mean of each score."""
    count = len(found)
    return Scores(
        ndcg=sum(each.ndcg for each in found) / count,
        average_precision=sum(each.average_precision for each in found) / count,
        recall=sum(each.recall for each in found) / count,
    )


def any_of(words: Sequence[str]) -> Query:
    """Return the OR of a query's words."""
    return Or(tuple(Term(word, text=word) for word in words))


def _ours(judged: Collection, folder: Path) -> Scores:
    with closing(open_engine(f"whoosh:{folder / 'ours'}")) as engine:
        engine.rebuild(judged.documents, seq=1, total=len(judged.documents))
        snapshot = engine.snapshot()

        def rank(words: Sequence[str]) -> list[str]:
            search = Search(query=any_of(words), now=NOW, limit=DEPTH, passages=0)
            return [hit.id for hit in snapshot.search(search).hits]

        return evaluate(judged, rank)


def _tantivy(judged: Collection, folder: Path) -> Scores:
    # Imported here: whoever only looks at our own ranking needs no tantivy.
    from benchmarks.peers.tantivy import Tantivy

    with closing(Tantivy(folder / "tantivy", whole_articles=True)) as peer:
        peer.build(judged.documents)
        peer.open()

        def rank(words: Sequence[str]) -> list[str]:
            return peer.ranking(peer.query(any_of(words)), DEPTH)

        return evaluate(judged, rank)


def main(argv: Sequence[str]) -> int:
    """Compare, and search for better parameters if asked to; print what came of it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ranking.relevance",
        description="The quality of our ranking beside tantivy's BM25.",
    )
    parser.add_argument("folder", type=Path, help="whose folders are test collections")
    parser.add_argument(
        "--tune",
        action="store_true",
        help="also look for better parameters, leaving one collection out at a time",
    )
    parser.add_argument(
        "--vary",
        type=_parameters,
        default=tuple(tuning.GRID),
        metavar="NAME,…",
        help=f"with --tune: leave only these free, of {', '.join(tuning.GRID)}",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write it there too")
    args = parser.parse_args(argv)
    console = Console(highlight=False, markup=False)
    try:
        judged = collections(args.folder)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    found = compare(judged)
    console.print(table(found, judged))
    document: dict[str, Any] = {"comparison": found.document()}
    if args.tune:
        with console.status("searching for parameters") as status:
            tuned = tuning.tune(judged, args.vary, tell=status.update)
        theirs = {name: each["tantivy"].ndcg for name, each in found.scores.items()}
        console.print(tuning.table(tuned, theirs))
        console.print(tuning.neighbours(tuned, theirs))
        document["tuning"] = tuned.document()
    if args.json is not None:
        write_json(document, args.json)
    return 0


def _parameters(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name not in tuning.GRID:
            raise argparse.ArgumentTypeError(
                f"no parameter {name!r}; choose from {', '.join(tuning.GRID)}"
            )
    return names


def table(found: Comparison, judged: Sequence[Collection]) -> Table:
    """Return the scores as a table for people."""
    shown = Table(title="Relevance: ours / tantivy's BM25")
    shown.add_column("collection")
    for name in ("documents", "queries", "nDCG@10", "MAP", "recall@100", "nDCG ratio"):
        shown.add_column(name, justify="right")
    sizes = {each.name: each for each in judged}
    for name, scores in found.scores.items():
        size = sizes[name]
        shown.add_row(
            name,
            f"{len(size.documents):,}",
            f"{len(size.queries):,}",
            *_cells(scores["ours"], scores["tantivy"]),
        )
    shown.add_section()
    shown.add_row("mean", "", "", *_cells(found.mean("ours"), found.mean("tantivy")))
    return shown


def _cells(ours: Scores, theirs: Scores) -> list[str]:
    pairs = [
        (ours.ndcg, theirs.ndcg),
        (ours.average_precision, theirs.average_precision),
        (ours.recall, theirs.recall),
    ]
    ratio = ours.ndcg / theirs.ndcg
    return [*(f"{our:.3f} / {their:.3f}" for our, their in pairs), f"{ratio:.3f}"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
