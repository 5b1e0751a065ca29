"""Lines about searching: times beside those of peers, growth, relevance."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from typing import Any

from benchmarks.data import (
    FUZZY,
    TimedSearch,
    by_kind,
    first_articles,
    read_collections,
)
from benchmarks.lines.comparison import compared, search_documents, speedup
from benchmarks.lines.line import Measured
from benchmarks.measuring import Failed, Times, geometric_mean
from benchmarks.peers import FTS5, StockWhoosh
from benchmarks.ranking import compare_rankings
from benchmarks.session import ARTICLES, OURS, TANTIVY, Session

STOCK_PARAGRAPHS = 36_000


def search(session: Session) -> Measured:
    """Our time relative to tantivy's, with one tantivy document per paragraph."""
    measured = compared(session.searches, TANTIVY)
    return Measured(
        value=measured.value,
        note=measured.note,
        details={**measured.details, "equal_counts": _equal_counts(session)},
    )


def _equal_counts(session: Session) -> dict[str, float]:
    """Our number of paragraphs by tantivy's, over all searches of one word."""
    peer = session.opened(*session.tantivy())
    ratios = []
    for timed in session.workplace.workload.searches:
        if timed.kind.startswith("word"):
            compiled = timed.compiled()
            theirs: Any = peer.compile(compiled)()
            ours = session.snapshot.search(compiled).paragraphs
            ratios.append(ours / max(1, theirs.total))
    return {
        "lowest": min(ratios),
        "median": statistics.median(ratios),
        "highest": max(ratios),
    }


def worst(session: Session) -> Measured:
    """The highest ratio of our time to tantivy's, over all searches."""
    scored = [pair for pair in session.searches if pair[0].kind != FUZZY]
    slowest, timed = max(scored, key=lambda pair: pair[1].ratio[TANTIVY])
    return Measured(
        value=timed.ratio[TANTIVY],
        note=f"{slowest.label}: {timed.median[OURS]:.2f} ms,"
        f" tantivy {timed.median[TANTIVY]:.2f}",
        details={"search": asdict(slowest), "median_ms": dict(timed.median)},
    )


def articles(session: Session) -> Measured:
    """Our time relative to tantivy's, with one tantivy document per article."""
    return compared(session.searches, ARTICLES)


def slowest_of(kind: str) -> Callable[[Session], Measured]:
    """A measurement of the slowest search of a kind, in milliseconds."""

    def measure(session: Session) -> Measured:
        session.announce(kind)
        pairs = session.compared(
            session.workplace.workload.of(kind), session.snapshot, {}
        )
        times = [timed.median[OURS] for _, timed in pairs]
        slowest = max(pairs, key=lambda pair: pair[1].median[OURS])[0]
        return Measured(
            value=max(times),
            note=f"slowest of {len(times)} ({slowest.q}),"
            f" median {statistics.median(times):.1f} ms",
            details={"searches": list(search_documents(pairs))},
        )

    return measure


def stock(session: Session) -> Measured:
    """How many times faster we are than stock Whoosh, on a small corpus."""
    workplace = session.workplace
    paragraphs = min(STOCK_PARAGRAPHS, workplace.size.paragraphs)
    folder = workplace.folder / "stock-whoosh"
    peer = StockWhoosh(folder)
    if not workplace.is_built(folder):
        workplace.build(peer, folder, first_articles(workplace.corpus, paragraphs))
    engine = workplace.build_engine(
        "ours-small", first_articles(workplace.corpus, paragraphs)
    )
    with closing(engine), closing(peer):
        peer.open()
        pairs = session.compared(
            workplace.workload.scored, engine.snapshot(), {peer.name: peer}
        )
    measured = speedup(pairs, peer.name)
    return Measured(
        value=measured.value,
        note=f"{measured.note}, {paragraphs:,} paragraphs",
        details={**measured.details, "paragraphs": paragraphs},
    )


def fts5(session: Session) -> Measured:
    """How many times faster we are than SQLite FTS5."""
    folder = session.workplace.folder / "fts5"
    peer = session.opened(FTS5(folder), folder)
    session.announce("search, compared with SQLite FTS5")
    pairs = session.compared(
        session.workplace.workload.scored, session.snapshot, {peer.name: peer}
    )
    return speedup(pairs, peer.name)


def growth(session: Session) -> Measured:
    """Growth of our search time relative to growth of the corpus, in the last step."""
    workplace = session.workplace
    total = workplace.size.paragraphs
    sizes = sorted(
        {n for n in (STOCK_PARAGRAPHS, workplace.base_size.paragraphs) if n < total}
    ) or [total // 10]
    searches = workplace.workload.scored
    times: dict[int, list[tuple[TimedSearch, Times]]] = {}
    for n in sizes:
        engine = workplace.build_engine(
            f"ours-{n}", first_articles(workplace.corpus, n)
        )
        with closing(engine):
            times[n] = session.compared(searches, engine.snapshot(), {})
    times[total] = session.compared(searches, session.snapshot, {})
    means = {
        n: geometric_mean(timed.median[OURS] for _, timed in pairs)
        for n, pairs in times.items()
    }
    before = sizes[-1]
    return Measured(
        value=(means[total] / means[before]) / (total / before),
        note=", ".join(f"{n:,}: {mean:.2f} ms" for n, mean in means.items()),
        details={
            "mean_ms": means,
            "by_kind": {
                kind: {
                    n: geometric_mean(
                        timed.median[OURS]
                        for search, timed in pairs
                        if search.kind == kind
                    )
                    for n, pairs in times.items()
                }
                for kind, _ in by_kind(searches)
            },
        },
    )


def relevance(session: Session) -> Measured:
    """Our nDCG@10 relative to tantivy's, over the test collections."""
    if session.collections is None:
        raise Failed("name the folder of test collections with --collections")
    session.announce("relevance")
    comparison = compare_rankings(read_collections(session.collections))
    return Measured(
        value=comparison.ratio,
        note=f"nDCG@10 {comparison.mean('ours').ndcg:.3f},"
        f" tantivy {comparison.mean('tantivy').ndcg:.3f}",
        details=comparison.document(),
    )
