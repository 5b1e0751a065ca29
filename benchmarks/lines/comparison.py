"""The comparison of search times with those of a peer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from benchmarks.data import FUZZY, TimedSearch, by_kind
from benchmarks.lines.line import Measured
from benchmarks.measuring import Times, geometric_mean
from benchmarks.session import OURS


def compared(pairs: Iterable[tuple[TimedSearch, Times]], peer: str) -> Measured:
    """Our time relative to a peer's: the geometric mean over all searches."""
    pairs = [pair for pair in pairs if pair[0].kind != FUZZY]
    ratios = [timed.ratio[peer] for _, timed in pairs]
    ours, theirs = (
        geometric_mean(timed.median[name] for _, timed in pairs)
        for name in (OURS, peer)
    )
    return Measured(
        value=geometric_mean(ratios),
        note=f"{ours:.2f} ms, {peer} {theirs:.2f} ms, {len(pairs)} searches",
        details={
            "by_kind": kinds(pairs, peer),
            "searches": list(search_documents(pairs)),
        },
    )


def speedup(pairs: list[tuple[TimedSearch, Times]], peer: str) -> Measured:
    """How many times faster we are than a peer: the geometric mean."""
    measured = compared(pairs, peer)
    return Measured(
        value=geometric_mean(1 / timed.ratio[peer] for _, timed in pairs),
        note=measured.note,
        details=measured.details,
    )


def kinds(
    pairs: Iterable[tuple[TimedSearch, Times]], peer: str
) -> list[dict[str, str | float]]:
    """Mean times and the worst ratio of each kind of search."""
    timed_of = dict(pairs)
    return [
        {
            "kind": kind,
            "ours_ms": geometric_mean(timed_of[s].median[OURS] for s in searches),
            "peer_ms": geometric_mean(timed_of[s].median[peer] for s in searches),
            "ratio": geometric_mean(timed_of[s].ratio[peer] for s in searches),
            "worst": max(timed_of[s].ratio[peer] for s in searches),
        }
        for kind, searches in by_kind(timed_of)
    ]


def search_documents(
    pairs: Iterable[tuple[TimedSearch, Times]],
) -> Iterator[dict[str, Any]]:
    """Each search with its times, for JSON."""
    for search, timed in pairs:
        yield {
            "kind": search.kind,
            "q": search.q,
            "median_ms": dict(timed.median),
            "ratio": dict(timed.ratio),
            "rounds": timed.rounds,
        }
