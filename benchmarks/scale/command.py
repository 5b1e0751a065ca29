"""The command line of growing: ``make scale``, or ``python -m benchmarks.scale``."""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.bench import RESULTS, WIDE, mapping_of
from benchmarks.data import Corpus, File, Generated, Kept
from benchmarks.documents import write_json
from benchmarks.measuring import Failed
from benchmarks.report import shown
from benchmarks.scale.plot import plot
from benchmarks.scale.steps import (
    BYTES_PER_PARAGRAPH,
    Step,
    measure_steps,
    remaining,
    seconds_left,
    step_of,
)
from benchmarks.session import Effort
from benchmarks.workplace import OtherCorpus, Workplace
from index.errors import NutgrafError

SIZES = (1_000_000, 2_000_000, 5_000_000, 10_000_000)
PARAGRAPHS = 100_000  # generated without --corpus
# The default is enough for some five million paragraphs.
SEARCH_MEMORY = 1024 * 1024 * 1024
EFFORT = Effort(search_seconds=20.0, openings=3, writes=20)


def build_parser() -> argparse.ArgumentParser:
    """Parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale",
        description="Measure Nutgraf with more and more copies of a corpus. Stop it at"
        " any time: sizes that are done are kept, and the same command goes on.",
    )
    add = parser.add_argument
    add("--corpus", type=Path, metavar="PATH", help="file of articles, also with gzip")
    add(
        "--map",
        type=mapping_of,
        default=(),
        metavar="NAME=FIELD,…",
        help="read the file's NAME as our FIELD",
    )
    add(
        "--sizes",
        type=_sizes,
        default=SIZES,
        metavar="N,…",
        help="numbers of paragraphs (default: 1, 2, 5 and 10 million)",
    )
    add(
        "--folder",
        type=Path,
        default=RESULTS / "scale",
        metavar="FOLDER",
        help="store, index, scale.json, scale.svg (default: benchmarks/results/scale)",
    )
    add("--plot", type=Path, metavar="FILE", help="write the plot to this file, too")
    return parser


def main(argv: Sequence[str]) -> int:
    """Measure each size; write the figures and the plot after each."""
    parser = build_parser()
    args = parser.parse_args(argv)
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = WIDE

    def announce(text: str) -> None:
        if "round" not in text:
            console.print(text)

    if args.corpus is not None and not args.corpus.is_file():
        parser.error(f"--corpus: {args.corpus} is not a file")
    folder: Path = args.folder.absolute()
    base: Corpus = (
        Generated(paragraphs=PARAGRAPHS)
        if args.corpus is None
        else File(path=args.corpus.absolute(), mapping=dict(args.map))
    )
    base = Kept(of=base)
    try:
        workplace = Workplace(
            folder,
            base,
            base=base,
            search_memory=SEARCH_MEMORY,
            announce=announce,
        )
        done = _done(folder / "scale.json")
    except (OtherCorpus, NutgrafError, OSError, ValueError) as error:
        parser.error(str(error))
    sizes = remaining(done, args.sizes)
    if done:
        _write(done, workplace, folder, args.plot)
    measured = measure_steps(workplace, base, sizes, effort=EFFORT, announce=announce)
    try:
        for size in sizes:
            needed = size * BYTES_PER_PARAGRAPH - _bytes_in(folder)
            if (free := shutil.disk_usage(folder).free) < needed:
                console.print(
                    f"{size:,} paragraphs need {needed / 1e9:.0f} GB more on disk, and"
                    f" {free / 1e9:.0f} are free"
                )
                return 1
            console.print(
                f"{size:,} paragraphs; about {_minutes(seconds_left(done, sizes))} left"
                " for all sizes"
            )
            done.append(next(measured))
            _write(done, workplace, folder, args.plot)
    except (Failed, NutgrafError, OSError) as error:
        console.print(f"stopped: {error}")
        return 1
    except KeyboardInterrupt:
        console.print("stopped; the same command goes on")
        return 130
    finally:
        if done:
            console.print(growth_table(done))
            console.print(f"written to {folder / 'scale.json'} and scale.svg")
    return 0


def _done(path: Path) -> list[Step]:
    """The sizes that an earlier run measured.

    :raises ValueError: another command, or another release, has written the file.
    """
    if not path.exists():
        return []
    try:
        return [step_of(step) for step in json.loads(path.read_text("utf-8"))["sizes"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"the figures in {path} cannot be read: delete its folder to start again"
        ) from error


def _write(
    done: Sequence[Step], workplace: Workplace, folder: Path, plot_file: Path | None
) -> None:
    document: dict[str, Any] = {
        "machine": machine.description(),
        "corpus": workplace.corpus.description(),
        "workload": workplace.workload.document(),
        "sizes": [asdict(step) for step in done],
    }
    write_json(document, folder / "scale.json")
    for path in (folder / "scale.svg", plot_file):
        if path is not None:
            path.write_text(plot(done), "utf-8")


def growth_table(done: Sequence[Step]) -> Table:
    """The figures as a table."""
    table = Table(title="Growth")
    for name in (
        *("paragraphs", "load/s", "rebuild/s", "peak GB", "index GB", "of text"),
        *("p50 ms", "p95 ms", "opening s", "write ms", "took"),
    ):
        table.add_column(name, justify="right", no_wrap=True)
    for step in done:
        table.add_row(
            f"{step.paragraphs:,}",
            "" if step.load_rate is None else f"{step.load_rate:,.0f}",
            f"{step.rebuild_rate:,.0f}",
            f"{step.rebuild_peak_bytes / 1e9:.2f}",
            f"{step.index_bytes / 1e9:.2f}",
            f"{step.index_bytes / step.text_bytes:.2f} ×",
            shown(step.p50_ms),
            shown(step.p95_ms),
            f"{step.opening_seconds:.2f}",
            shown(step.write_ms),
            _minutes(step.seconds),
        )
    return table


def _minutes(seconds: float) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(seconds))


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _sizes(text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(size) for size in text.split(","))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise argparse.ArgumentTypeError(
            f"write numbers of paragraphs, such as 1000000,2000000, not {text!r}"
        )
    return sizes
