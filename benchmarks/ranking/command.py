"""The command line: ``make relevance``, or ``python -m benchmarks.ranking``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.data import read_collections
from benchmarks.documents import write_json
from benchmarks.ranking.parameters import GRID
from benchmarks.ranking.relevance import compare_rankings
from benchmarks.ranking.tables import folds_table, neighbours_table, relevance_table
from benchmarks.ranking.tuning import tune


def main(argv: Sequence[str]) -> int:
    """Compare the rankings, and tune the parameters if asked to; print the results."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ranking",
        description="Compare the quality of our ranking with tantivy's BM25.",
    )
    parser.add_argument(
        "folder", type=Path, help="folder whose subfolders are test collections"
    )
    parser.add_argument(
        "--tune",
        action="store_true",
        help="also look for better parameters, leaving out each collection in turn",
    )
    parser.add_argument(
        "--vary",
        type=_parameter_names,
        default=tuple(GRID),
        metavar="NAME,…",
        help=f"parameters to tune (default: all of {', '.join(GRID)})",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the result to a file"
    )
    args = parser.parse_args(argv)
    console = Console(highlight=False, markup=False)
    try:
        collections = read_collections(args.folder)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    comparison = compare_rankings(collections)
    console.print(relevance_table(comparison, collections))
    document: dict[str, Any] = {"comparison": comparison.document()}
    if args.tune:
        with console.status("tuning the parameters") as status:
            tuning = tune(collections, args.vary, announce=status.update)
        theirs = {
            name: by_ranker["tantivy"].ndcg
            for name, by_ranker in comparison.scores.items()
        }
        console.print(folds_table(tuning, theirs))
        console.print(neighbours_table(tuning, theirs))
        document["tuning"] = tuning.document()
    if args.json is not None:
        write_json(document, args.json)
    return 0


def _parameter_names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name not in GRID:
            raise argparse.ArgumentTypeError(
                f"no parameter {name!r}; choose from {', '.join(GRID)}"
            )
    return names
