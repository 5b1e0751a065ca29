"""The figures at each size of a store that grows by copies of its articles."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from benchmarks.data import Copies, Corpus
from benchmarks.lines import BY_NAME
from benchmarks.measuring import percentile
from benchmarks.session import OURS, Effort, Session
from benchmarks.workplace import Workplace

# Rates assumed before anything was measured, in paragraphs per second.
LOAD_RATE, REBUILD_RATE = 12_000.0, 20_000.0
OTHER_SECONDS = 120.0  # opening, searches and writes at one size
BYTES_PER_PARAGRAPH = 2_500  # on disk, with the old index beside the new one


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The figures at one size.

    :param paragraphs: without headlines, like all numbers of paragraphs.
    :param text_bytes: of headlines and paragraphs.
    :param load_rate: paragraphs per second of ``nutgraf load`` since the size before,
        until all of them are indexed; ``None`` if it was interrupted.
    :param rebuild_rate: paragraphs per second of ``nutgraf rebuild``.
    :param rebuild_peak_bytes: its peak memory, with its children.
    :param p50_ms: median over the searches of the workload of their median time in
        process.
    :param opening_seconds: first answer of a new process.
    :param write_ms: median time of a write until it is searchable.
    :param seconds: time that loading and measuring took.
    """

    articles: int
    paragraphs: int
    text_bytes: int
    load_rate: float | None
    rebuild_rate: float
    rebuild_peak_bytes: int
    index_bytes: int
    p50_ms: float
    p95_ms: float
    opening_seconds: float
    write_ms: float
    seconds: float


def measure_steps(
    workplace: Workplace,
    base: Corpus,
    sizes: Sequence[int],
    *,
    effort: Effort,
    announce: Callable[[str], None] = lambda text: None,
) -> Iterator[Step]:
    """Grow the store to each size, and measure it there.

    A store that has a size already, from an interrupted run, is not loaded again.

    :param base: the articles to copy; iterated many times.
    :param sizes: numbers of paragraphs, ascending.
    """
    for paragraphs in sizes:
        started = time.monotonic()
        load_rate = None
        if not workplace.is_loaded or workplace.size.paragraphs < paragraphs:
            load_rate = _grow(workplace, Copies(of=base, paragraphs=paragraphs))
        with closing(Session(workplace, effort=effort, announce=announce)) as session:
            yield _measured(session, load_rate, started)


def _grow(workplace: Workplace, corpus: Corpus) -> float | None:
    """Load what the store does not have; paragraphs per second."""
    before = workplace.size if workplace.is_loaded else None
    result = workplace.grow(corpus)
    articles, paragraphs, _ = workplace.size
    if before is not None:
        articles -= before.articles
        paragraphs -= before.paragraphs
    report = json.loads(result.output.strip().splitlines()[-1])["report"]
    # An interrupted load had stored some of them.
    return paragraphs / result.seconds if report["created"] == articles else None


def _measured(session: Session, load_rate: float | None, started: float) -> Step:
    size = session.workplace.size
    rebuild = BY_NAME["memory"].measure(session).details
    index_bytes = BY_NAME["size"].measure(session).details["bytes"][OURS]
    opening = BY_NAME["opening"].measure(session).value
    timed = session.compared(session.workplace.workload.scored, session.snapshot, {})
    medians = [times.median[OURS] for _, times in timed]
    return Step(
        articles=size.articles,
        paragraphs=size.paragraphs,
        text_bytes=size.text_bytes,
        load_rate=load_rate,
        rebuild_rate=size.paragraphs / rebuild["seconds"],
        rebuild_peak_bytes=rebuild["peak_bytes"],
        index_bytes=index_bytes,
        p50_ms=statistics.median(medians),
        p95_ms=percentile(medians, 95),
        opening_seconds=opening,
        write_ms=BY_NAME["write"].measure(session).value,
        seconds=time.monotonic() - started,
    )


def seconds_left(done: Sequence[Step], sizes: Sequence[int]) -> float:
    """Estimated time of the sizes that are not done, by the rates of the last one."""
    last = done[-1] if done else None
    loading = (last and last.load_rate) or LOAD_RATE
    rebuilding = last.rebuild_rate if last else REBUILD_RATE
    before = last.paragraphs if last else 0
    seconds = 0.0
    for size in sizes:
        if size > before:
            seconds += (size - before) / loading + size / rebuilding + OTHER_SECONDS
            before = size
    return seconds


def remaining(done: Sequence[Step], sizes: Sequence[int]) -> list[int]:
    """The sizes that are not done."""
    largest = max((step.paragraphs for step in done), default=0)
    return [size for size in sorted(set(sizes)) if size > largest]


def step_of(document: dict[str, Any]) -> Step:
    """A step from its fields as JSON."""
    return Step(**document)
