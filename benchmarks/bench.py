"""The command line of the benchmark: ``make bench``, or ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import machine, report
from benchmarks.data import Copies, Corpus, File, Generated, Workload, workload_of
from benchmarks.documents import write_json
from benchmarks.lines import BY_NAME, LINES, Line
from benchmarks.measuring import ROOT, Failed
from benchmarks.peers import has_tantivy
from benchmarks.report import Result
from benchmarks.session import QUICK, Effort, Session
from benchmarks.web import VARIABLE, port_of
from benchmarks.workplace import OtherCorpus, Workplace
from index.errors import NutgrafError

RESULTS = ROOT / "benchmarks" / "results"
PARAGRAPHS = 100_000
QUICK_PARAGRAPHS = 2_000
SEARCHES, QUICK_SEARCHES = 8, 2  # of each kind
WIDE = 120  # columns where stdout is not a terminal


def build_parser() -> argparse.ArgumentParser:
    """Parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure Nutgraf and its peers, one line for each figure.",
    )
    add = parser.add_argument
    add("--corpus", type=Path, metavar="PATH", help="file of articles, also with gzip")
    add(
        "--map",
        type=mapping_of,
        action="append",
        default=[],
        metavar="NAME=FIELD,…",
        help="read the file's NAME as our FIELD",
    )
    add(
        "--paragraphs",
        type=int,
        metavar="N",
        help=f"paragraphs to generate without --corpus (default: {PARAGRAPHS:,})",
    )
    add(
        "--copies",
        type=int,
        metavar="N",
        help="copy the articles, under new ids, up to this many paragraphs",
    )
    add(
        "--only",
        type=_lines,
        metavar="LINE,…",
        help=f"measure only these lines: {', '.join(BY_NAME)}",
    )
    add(
        "--quick",
        action="store_true",
        help="use a small corpus and short measurements, to see that everything runs",
    )
    add(
        "--seed",
        type=int,
        default=1,
        help="seed of the corpus and the workload (default: %(default)s)",
    )
    add("--workload", type=Path, metavar="FILE", help="result whose workload to use")
    add(
        "--collections",
        type=Path,
        metavar="FOLDER",
        help="folder of test collections, for the line relevance",
    )
    add(
        "--engine",
        metavar="URL",
        help="also measure this engine of ours, such as a cluster, with the workload",
    )
    add(
        "--keep",
        type=Path,
        metavar="FOLDER",
        help="keep the store and the indexes there, and reuse them",
    )
    add(
        "--json",
        type=Path,
        metavar="FILE",
        help="file for the result (default: a new one in benchmarks/results)",
    )
    return parser


def main(argv: Sequence[str]) -> int:
    """Measure, print a table, write the result; 0 if every line could be measured."""
    parser = build_parser()
    args = parser.parse_args(argv)
    base, corpus = _corpora(args, parser)
    workload = None if args.workload is None else _read_workload(args.workload, parser)
    opensearch = _opensearch(parser)
    lines = _chosen_lines(args, parser, opensearch)
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = WIDE
    described, at = machine.description(), datetime.now(UTC)
    with (
        _progress(console, len(lines)) as (announce, advance),
        _folder(args.keep) as folder,
    ):
        try:
            workplace = Workplace(
                folder,
                corpus,
                base=base,
                seed=args.seed,
                per_kind=QUICK_SEARCHES if args.quick else SEARCHES,
                workload=workload,
                announce=announce,
            )
        except (OtherCorpus, NutgrafError, OSError, ValueError) as error:
            parser.error(str(error))
        session = Session(
            workplace,
            effort=QUICK if args.quick else Effort(),
            collections=args.collections,
            opensearch=opensearch,
            engine=args.engine,
            announce=announce,
        )
        try:
            results = []
            for line in lines:
                results.append(_measured(line, session))
                advance()
        finally:
            session.close()
    report.show(console, results, workplace, described)
    path = args.json or RESULTS / f"{at:%Y%m%d-%H%M%S}.json"
    write_json(report.document(results, workplace, described, at), path)
    console.print(f"written to {path}")
    return 1 if any(result.measured is None for result in results) else 0


def _measured(line: Line, session: Session) -> Result:
    """Measure one line; a failure ends only this line."""
    session.announce(line.name)
    started = time.perf_counter()
    try:
        measured = line.measure(session)
    except (Failed, NutgrafError, OSError) as error:
        return Result(line=line, measured=None, error=str(error))
    return Result(line=line, measured=measured, seconds=time.perf_counter() - started)


def _opensearch(parser: argparse.ArgumentParser) -> int | None:
    """The port of the OpenSearch node to compare with; ``None`` without one."""
    url = os.environ.get(VARIABLE)
    if not url:
        return None
    try:
        return port_of(url)
    except ValueError as error:
        parser.error(str(error))


def _chosen_lines(
    args: argparse.Namespace, parser: argparse.ArgumentParser, opensearch: int | None
) -> list[Line]:
    """The lines to measure, in their order."""
    if args.only is not None:
        lines = [line for line in LINES if line.name in args.only]
    else:
        # Not everybody has test collections, or a node.
        lines = [
            line
            for line in LINES
            if (line.name != "relevance" or args.collections)
            and (not line.node or opensearch)
            and (not line.engine or args.engine)
        ]
    with_engine = [line.name for line in lines if line.engine]
    if with_engine and not args.engine:
        parser.error(f"{', '.join(with_engine)}: name an engine with --engine")
    with_node = [line.name for line in lines if line.node]
    if with_node and not opensearch:
        parser.error(
            f"{', '.join(with_node)}: name an OpenSearch node in {VARIABLE}, such as"
            " http://127.0.0.1:9200. Or choose other lines with --only"
        )
    with_peer = [line.name for line in lines if line.peer]
    if with_peer and not has_tantivy():
        parser.error(
            f"{', '.join(with_peer)}: tantivy is not installed; make bench installs it."
            " Or choose other lines with --only"
        )
    return lines


def _corpora(
    args: argparse.Namespace, parser: argparse.ArgumentParser
) -> tuple[Corpus, Corpus]:
    """The corpus that words are drawn from, and the one that is searched."""
    base: Corpus
    if args.corpus is not None:
        if args.paragraphs is not None or args.quick:
            parser.error(
                "--corpus has a size of its own: leave out --paragraphs and --quick"
            )
        if not args.corpus.is_file():
            parser.error(f"--corpus: {args.corpus} is not a file")
        mapping = dict(pair for pairs in args.map for pair in pairs)
        base = File(path=args.corpus.absolute(), mapping=mapping)
    else:
        if args.map:
            parser.error("--map is for the names in a --corpus")
        paragraphs = args.paragraphs or (QUICK_PARAGRAPHS if args.quick else PARAGRAPHS)
        base = Generated(paragraphs=paragraphs, seed=args.seed)
    if args.copies is None:
        return base, base
    return base, Copies(of=base, paragraphs=args.copies)


def _read_workload(path: Path, parser: argparse.ArgumentParser) -> Workload:
    try:
        return workload_of(json.loads(path.read_text("utf-8"))["workload"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        parser.error(
            f"--workload: {path} is not the result of an earlier run ({error})"
        )


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """The folder to work in: the one to keep, or a temporary one."""
    if keep is not None:
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="nutgraf-bench-") as folder:
        yield Path(folder)


@contextmanager
def _progress(
    console: Console, lines: int
) -> Iterator[tuple[Callable[[str], None], Callable[[], None]]]:
    """Show progress for the length of a block: a bar on a terminal, else lines.

    :return: a function that announces what is going on, and one to call when a line is
        done.
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

        def announce(text: str) -> None:
            progress.update(task, description=text)
            if plain and "round" not in text:
                progress.console.print(text, highlight=False, markup=False)

        yield announce, lambda: progress.advance(task)


def mapping_of(text: str) -> tuple[tuple[str, str], ...]:
    """Pairs of a name in the input and our field, from ``NAME=FIELD,…``."""
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
