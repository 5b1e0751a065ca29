"""The benchmark's command line: ``make bench``, or ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import importlib.util
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import machine, report
from benchmarks.data.corpus import Copies, Corpus, File, Generated
from benchmarks.data.workload import Workload, workload_of
from benchmarks.line import Line
from benchmarks.lines import BY_NAME, LINES
from benchmarks.measuring.processes import ROOT, Failed
from benchmarks.report import Result
from benchmarks.session import QUICK, Bench, Effort
from benchmarks.workplace import OtherCorpus, Workplace
from index.errors import NutgrafError

RESULTS = ROOT / "benchmarks" / "results"
PARAGRAPHS = 100_000
QUICK_PARAGRAPHS = 2_000
QUICK_SEARCHES = 2  # of a kind
WIDE = 120  # columns of what is no terminal


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure Nutgraf beside its peers, each bar a line.",
    )
    add = parser.add_argument
    add("--corpus", type=Path, metavar="PATH", help="a file of articles, .gz too")
    add(
        "--map",
        type=_pairs,
        action="append",
        default=[],
        metavar="NAME=FIELD,…",
        help="names in the file, and the field each one is",
    )
    add(
        "--paragraphs",
        type=int,
        metavar="N",
        help=f"generate so many instead (by default {PARAGRAPHS:,})",
    )
    add(
        "--copies",
        type=int,
        metavar="N",
        help="copy the articles, under new ids, until there are so many paragraphs",
    )
    add(
        "--only",
        type=_lines,
        metavar="LINE,…",
        help=f"measure these lines: {', '.join(BY_NAME)}",
    )
    add(
        "--quick",
        action="store_true",
        help="a small generated corpus and short measurements: does it run?",
    )
    add("--seed", type=int, default=1, help="of the corpus and of the workload")
    add("--workload", type=Path, metavar="FILE", help="that of an earlier result")
    add(
        "--collections",
        type=Path,
        metavar="FOLDER",
        help="test collections, for the line relevance",
    )
    add(
        "--keep",
        type=Path,
        metavar="FOLDER",
        help="keep store and indexes there, and use what is there already",
    )
    add(
        "--json",
        type=Path,
        metavar="FILE",
        help="where the result goes (by default a new file in benchmarks/results)",
    )
    return parser


def main(argv: Sequence[str]) -> int:
    """Measure, print a table, write the result; 0 if every line could be measured."""
    parser = build_parser()
    args = parser.parse_args(argv)
    base, corpus = _corpora(args, parser)
    workload = None if args.workload is None else _recorded(args.workload, parser)
    lines = _chosen(args, parser)
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = WIDE
    described, at = machine.description(), datetime.now(UTC)
    with (
        _progress(console, len(lines)) as (tell, advance),
        _folder(args.keep) as folder,
    ):
        try:
            workplace = Workplace(
                folder,
                corpus,
                base=base,
                seed=args.seed,
                each=QUICK_SEARCHES if args.quick else 8,
                workload=workload,
                tell=tell,
            )
        except (OtherCorpus, NutgrafError, OSError, ValueError) as error:
            parser.error(str(error))
        bench = Bench(
            workplace,
            effort=QUICK if args.quick else Effort(),
            collections=args.collections,
            tell=tell,
        )
        try:
            results = []
            for line in lines:
                results.append(_measured(line, bench))
                advance()
        finally:
            bench.close()
    report.show(console, results, workplace, described)
    path = args.json or RESULTS / f"{at:%Y%m%d-%H%M%S}.json"
    report.write_json(report.document(results, workplace, described, at), path)
    console.print(f"written to {path}")
    return 1 if any(each.measured is None for each in results) else 0


def _measured(line: Line, bench: Bench) -> Result:
    """Measure one line; what fails costs that line only."""
    bench.tell(line.name)
    started = time.perf_counter()
    try:
        measured = line.measure(bench)
    except (Failed, NutgrafError, OSError) as error:
        return Result(line=line, measured=None, error=str(error))
    return Result(line=line, measured=measured, seconds=time.perf_counter() - started)


def _chosen(args: argparse.Namespace, parser: argparse.ArgumentParser) -> list[Line]:
    """Return the lines to measure, in their order."""
    if args.only is not None:
        lines = [line for line in LINES if line.name in args.only]
    else:
        # Test collections are not everybody's, so that line is for whoever names some.
        lines = [line for line in LINES if line.name != "relevance" or args.collections]
    wanting = [line.name for line in lines if line.peer]
    if wanting and importlib.util.find_spec("tantivy") is None:
        parser.error(
            f"{', '.join(wanting)}: tantivy is not installed; make bench installs it,"
            " or choose other lines with --only"
        )
    return lines


def _corpora(
    args: argparse.Namespace, parser: argparse.ArgumentParser
) -> tuple[Corpus, Corpus]:
    """Return the corpus that words are drawn from, and the one that is searched."""
    base: Corpus
    if args.corpus is not None:
        if args.paragraphs is not None or args.quick:
            parser.error("--corpus is as large as it is: no --paragraphs, no --quick")
        if not args.corpus.is_file():
            parser.error(f"--corpus: {args.corpus} is no file")
        mapping = dict(pair for pairs in args.map for pair in pairs)
        base = File(path=args.corpus.absolute(), mapping=mapping)
    else:
        if args.map:
            parser.error("--map is for the names in a --corpus")
        asked = args.paragraphs or (QUICK_PARAGRAPHS if args.quick else PARAGRAPHS)
        base = Generated(paragraphs=asked, seed=args.seed)
    if args.copies is None:
        return base, base
    return base, Copies(of=base, paragraphs=args.copies)


def _recorded(path: Path, parser: argparse.ArgumentParser) -> Workload:
    try:
        return workload_of(json.loads(path.read_text("utf-8"))["workload"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        parser.error(f"--workload: {path} is no result of an earlier run ({error})")


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        yield kept.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="nutgraf-bench-") as made:
        yield Path(made)


@contextmanager
def _progress(
    console: Console, lines: int
) -> Iterator[tuple[Callable[[str], None], Callable[[], None]]]:
    """Yield how to say what is going on, and how to say that a line is done.

    On a terminal there is a bar; elsewhere each new thing is a line.
    """
    with Progress(
        TextColumn("{task.completed}/{task.total} lines"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task("", total=lines)
        plain = not progress.console.is_terminal

        def tell(text: str) -> None:
            progress.update(task, description=text)
            if plain and "round" not in text:
                progress.console.print(text, highlight=False, markup=False)

        yield tell, lambda: progress.advance(task)


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    for pair in text.split(","):
        name, equals, field = (part.strip() for part in pair.partition("="))
        if not (name and equals and field):
            raise argparse.ArgumentTypeError(f"write NAME=FIELD, not {pair!r}")
        pairs.append((name, field))
    return tuple(pairs)


def _lines(text: str) -> frozenset[str]:
    names = {name.strip() for name in text.split(",") if name.strip()}
    unknown = sorted(names - BY_NAME.keys())
    if unknown or not names:
        raise argparse.ArgumentTypeError(
            f"no line {', '.join(unknown) or repr(text)}; choose from"
            f" {', '.join(BY_NAME)}"
        )
    return frozenset(names)
