"""Lines about another engine that `--engine` names, such as a cluster."""

from __future__ import annotations

import statistics

from benchmarks.data import TimedSearch
from benchmarks.lines.comparison import search_documents
from benchmarks.lines.line import Measured
from benchmarks.measuring import percentile
from benchmarks.session import OURS, Session
from index.engines import Page, Snapshot

# Scores of a cluster are 32 bits wide: hits whose scores differ by less may be swapped.
CLOSE = 1e-4


def ingest(session: Session) -> Measured:
    """Paragraphs per second of building the engine's index from the store."""
    built = session.build_other()
    return Measured(
        value=built.rate,
        note=f"{built.paragraphs:,} paragraphs in {built.seconds:.1f} s",
        details={"seconds": built.seconds, "paragraphs": built.paragraphs},
    )


def p50(session: Session) -> Measured:
    """Median of the medians of all searches, in milliseconds."""
    return _percentile(session, 50)


def p95(session: Session) -> Measured:
    """95th percentile of the medians of all searches, in milliseconds."""
    return _percentile(session, 95)


def prefix(session: Session) -> Measured:
    """The slowest prefix search, in milliseconds."""
    slowest, times = max(
        (pair for pair in session.other_searches if pair[0].kind == "prefix"),
        key=lambda pair: pair[1].median[OURS],
    )
    return Measured(value=times.median[OURS], note=slowest.q)


def agreement(session: Session) -> Measured:
    """Share of the searches that both engines answer alike."""
    session.announce("comparing answers")
    searches = session.workplace.workload.searches
    differing = [
        search.label
        for search in searches
        if not _alike(session.snapshot, session.other, search)
    ]
    return Measured(
        value=1 - len(differing) / len(searches),
        note=f"{len(searches) - len(differing)} of {len(searches)}",
        details={"differing": differing},
    )


def _percentile(session: Session, percent: float) -> Measured:
    pairs = session.other_searches
    medians = [times.median[OURS] for _, times in pairs]
    slowest, times = max(pairs, key=lambda pair: pair[1].median[OURS])
    return Measured(
        value=percentile(medians, percent),
        note=f"mean {statistics.fmean(medians):.1f}, slowest"
        f" {times.median[OURS]:.1f} ({slowest.label})",
        details={"searches": list(search_documents(pairs))},
    )


def _alike(one: Snapshot, other: Snapshot, timed: TimedSearch) -> bool:
    search = timed.compiled()
    return alike(one.search(search), other.search(search))


def alike(one: Page, other: Page) -> bool:
    """Whether two answers have the same totals, facets and hits."""
    if (one.articles, one.paragraphs) != (other.articles, other.paragraphs):
        return False
    if one.facets != other.facets or len(one.hits) != len(other.hits):
        return False
    # The last hits of a page may be others with the same score.
    last = one.hits[-1].score if one.hits else 0.0
    scores = {hit.id: hit.score for hit in other.hits}
    return all(
        abs(scores.get(hit.id, last) - hit.score) <= CLOSE for hit in one.hits
    ) and all(
        abs(left.score - right.score) <= CLOSE
        for left, right in zip(one.hits, other.hits, strict=True)
    )
