"""Lines about the index: loading, building, memory, size and opening."""

from __future__ import annotations

import json
import statistics
from contextlib import closing
from dataclasses import asdict

from benchmarks.index_parts import bytes_by_part
from benchmarks.lines.line import Measured
from benchmarks.measuring import NUTGRAF, answer_of, median_ratio, run
from benchmarks.session import OURS, TANTIVY, Session


def load(session: Session) -> Measured:
    """Paragraphs per second of ``nutgraf load``, until all of them are indexed."""
    result = session.workplace.load()
    rate = session.workplace.size.paragraphs / result.seconds
    return Measured(
        value=rate,
        note=f"{result.seconds:.1f} s, peak {_mb(result.peak_bytes)}",
        details={
            "seconds": result.seconds,
            "peak_bytes": result.peak_bytes,
            "report": json.loads(result.output.strip().splitlines()[-1])["report"],
        },
    )


def build(session: Session) -> Measured:
    """Our rate of building the index from the store, relative to tantivy's."""
    rates = {
        name: [built.rate for built in builds]
        for name, builds in session.builds.items()
    }
    ratio = median_ratio(rates[OURS], rates[TANTIVY])
    ours, theirs = (statistics.median(rates[name]) for name in (OURS, TANTIVY))
    return Measured(
        value=ratio,
        note=f"{ours:,.0f} paragraphs/s, tantivy {theirs:,.0f}",
        details={"paragraphs_per_second": rates},
    )


def memory(session: Session) -> Measured:
    """Peak memory of ``nutgraf rebuild``, in GB."""
    session.workplace.engine().close()
    session.announce("nutgraf rebuild")
    result = run((*NUTGRAF, "rebuild", "--json"), session.workplace.variables)
    paragraphs = session.workplace.size.paragraphs
    return Measured(
        value=result.peak_bytes / 1e9,
        note=f"{paragraphs:,} paragraphs in {result.seconds:.1f} s",
        details={"peak_bytes": result.peak_bytes, "seconds": result.seconds},
    )


def size(session: Session) -> Measured:
    """Size of the index, relative to the size of the text."""
    with closing(session.workplace.engine()) as engine:
        state = engine.state()
    text_bytes = session.workplace.size.text_bytes
    sizes = {OURS: state.bytes}
    if session.workplace.is_built(session.workplace.folder / "tantivy"):
        sizes[TANTIVY] = session.tantivy()[0].size()
    theirs = f", tantivy {_mb(sizes[TANTIVY])}" if TANTIVY in sizes else ""
    return Measured(
        value=state.bytes / text_bytes,
        note=f"{_mb(state.bytes)} for {_mb(text_bytes)} of text,"
        f" {state.segments} segments{theirs}",
        details={
            "bytes": sizes,
            "text_bytes": text_bytes,
            "segments": state.segments,
            "parts": bytes_by_part(session.workplace.folder / "index"),
        },
    )


def opening(session: Session) -> Measured:
    """Seconds until a new process has opened the engine and answered a search."""
    session.workplace.engine().close()
    workload = session.workplace.workload
    search = (workload.of("word, frequent") or workload.scored)[0]
    question = {
        "url": session.workplace.variables["NUTGRAF_ENGINE"],
        "search": asdict(search),
    }
    answers = []
    for _ in range(session.effort.openings):
        session.announce("first answer of a new process")
        answers.append(answer_of("benchmarks.measuring.opening", question))
    median = statistics.median(answer["seconds"] for answer in answers)
    return Measured(
        value=median,
        note=f"median of {len(answers)} new processes, files in the page cache",
        details={"answers": answers},
    )


def _mb(count: float) -> str:
    return f"{count / 1e6:,.0f} MB"
