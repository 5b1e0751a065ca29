"""The results of judging and tuning a ranking, as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from benchmarks.data import Collection
from benchmarks.ranking.parameters import GRID, current
from benchmarks.ranking.relevance import Comparison, Scores
from benchmarks.ranking.tuning import Tuning


def relevance_table(comparison: Comparison, collections: Sequence[Collection]) -> Table:
    """The scores of both rankers, by collection."""
    table = Table(title="Relevance: ours / tantivy's BM25")
    table.add_column("collection")
    for name in ("documents", "queries", "nDCG@10", "MAP", "recall@100", "nDCG ratio"):
        table.add_column(name, justify="right")
    by_name = {collection.name: collection for collection in collections}
    for name, scores in comparison.scores.items():
        collection = by_name[name]
        table.add_row(
            name,
            f"{len(collection.documents):,}",
            f"{len(collection.queries):,}",
            *_score_cells(scores["ours"], scores["tantivy"]),
        )
    table.add_section()
    means = _score_cells(comparison.mean("ours"), comparison.mean("tantivy"))
    table.add_row("mean", "", "", *means)
    return table


def _score_cells(ours: Scores, theirs: Scores) -> list[str]:
    pairs = [
        (ours.ndcg, theirs.ndcg),
        (ours.average_precision, theirs.average_precision),
        (ours.recall, theirs.recall),
    ]
    ratio = ours.ndcg / theirs.ndcg
    return [*(f"{our:.3f} / {their:.3f}" for our, their in pairs), f"{ratio:.3f}"]


def folds_table(tuning: Tuning, peer: Mapping[str, float]) -> Table:
    """The parameters chosen without each collection, and their nDCG@10 on it.

    :param peer: tantivy's nDCG@10 by collection.
    """
    table = Table(
        title=f"nDCG@10, {', '.join(tuning.varied)} chosen without the collection"
    )
    for name in ("left out", "chosen on the others"):
        table.add_column(name)
    for name in ("textbook", "chosen", "now", "textbook / tantivy", "chosen", "now"):
        table.add_column(name, justify="right")
    textbook, chosen, now, theirs = [], [], [], []
    for fold in tuning.folds:
        name = str(fold.left_out)
        textbook.append(tuning.textbook[name])
        chosen.append(fold.ndcg[name])
        now.append(tuning.now[name])
        theirs.append(peer[name])
        last = [series[-1:] for series in (textbook, chosen, now)]
        table.add_row(name, str(fold.chosen), *_ndcg_cells(last, theirs[-1:]))
    table.add_section()
    table.add_row(
        "mean, each left out", "", *_ndcg_cells([textbook, chosen, now], theirs)
    )
    table.add_row(
        "none",
        str(tuning.together.chosen),
        *_ndcg_cells([textbook, list(tuning.together.ndcg.values()), now], theirs),
    )
    return table


def _ndcg_cells(ours: Sequence[Sequence[float]], theirs: Sequence[float]) -> list[str]:
    """The mean of each series, and its ratio to the mean of theirs."""
    return [
        *(f"{sum(series) / len(series):.4f}" for series in ours),
        *(f"{sum(series) / sum(theirs):.3f}" for series in ours),
    ]


def neighbours_table(tuning: Tuning, peer: Mapping[str, float]) -> Table:
    """The effect of changing one of our parameters; ``*`` marks our values.

    :param peer: tantivy's nDCG@10 by collection.
    """
    now = current()
    table = Table(title=f"nDCG@10 around what we use now: {now}")
    table.add_column("parameter")
    for name in ("value", *tuning.now, "mean", "/ tantivy"):
        table.add_column(name, justify="right")
    for neighbour in tuning.neighbours:
        mark = " *" if neighbour.value == getattr(now, neighbour.name) else ""
        ours = list(neighbour.ndcg.values())
        table.add_row(
            neighbour.name + mark,
            f"{neighbour.value:g}",
            *(f"{value:.4f}" for value in ours),
            f"{sum(ours) / len(ours):.4f}",
            f"{sum(ours) / sum(peer.values()):.3f}",
            end_section=neighbour.value == GRID[neighbour.name][-1],
        )
    return table
