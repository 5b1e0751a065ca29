"""The lines of the benchmark: what each measures, its bar and its aim.

Every line is measured through what Nutgraf offers to anybody: its command line, its
HTTP API, and :func:`index.engines.open_engine`. Bars and aims are those of DESIGN 10;
``docs/benchmarks.md`` says how each figure comes about.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from benchmarks.data import judged
from benchmarks.data.corpus import first
from benchmarks.data.workload import FUZZY, Asked, by_kind
from benchmarks.line import Line, Measured
from benchmarks.measuring.processes import (
    NUTGRAF,
    ROOT,
    Failed,
    nutgraf_server,
    request_json,
    run,
    started,
)
from benchmarks.measuring.timing import (
    Timed,
    geometric_mean,
    median_ratio,
    milliseconds,
    percentile,
)
from benchmarks.peers.fts5 import FTS5
from benchmarks.peers.stock_whoosh import StockWhoosh
from benchmarks.ranking import relevance
from benchmarks.session import ARTICLES, BARE, CONNECTIONS, OURS, TANTIVY, Bench
from benchmarks.workplace import Workplace
from index.jobs import Indexer

STOCK_PARAGRAPHS = 36_000


# What each line measures.


def _build(bench: Bench) -> Measured:
    found = bench.builds
    rates = {name: [each.rate for each in some] for name, some in found.items()}
    ratio = median_ratio(rates[OURS], rates[TANTIVY])
    ours, theirs = (statistics.median(rates[name]) for name in (OURS, TANTIVY))
    return Measured(
        value=ratio,
        note=f"{ours:,.0f} paragraphs/s, tantivy {theirs:,.0f}",
        details={"paragraphs_per_second": rates},
    )


def _load(bench: Bench) -> Measured:
    done = bench.workplace.load()
    rate = bench.workplace.size.paragraphs / done.seconds
    return Measured(
        value=rate,
        note=f"{done.seconds:.1f} s, peak {_mb(done.peak_bytes)}",
        details={
            "seconds": done.seconds,
            "peak_bytes": done.peak_bytes,
            "report": json.loads(done.output.strip().splitlines()[-1])["report"],
        },
    )


def _compare(found: Iterable[tuple[Asked, Timed]], peer: str) -> Measured:
    found = [pair for pair in found if pair[0].kind != FUZZY]
    ratios = [timed.ratio[peer] for _, timed in found]
    ours, theirs = (
        geometric_mean(timed.median[name] for _, timed in found)
        for name in (OURS, peer)
    )
    return Measured(
        value=geometric_mean(ratios),
        note=f"{ours:.2f} ms, {peer} {theirs:.2f} ms, {len(found)} searches",
        details={"by_kind": kinds(found, peer), "searches": list(_each(found))},
    )


def _searching(bench: Bench) -> Measured:
    measured = _compare(bench.searches, TANTIVY)
    agreement = _agreement(bench)
    return Measured(
        value=measured.value,
        note=measured.note,
        details={**measured.details, "equal_counts": agreement},
    )


def _agreement(bench: Bench) -> dict[str, float]:
    """Return our number of paragraphs by tantivy's, over all one-word searches."""
    peer = bench.ready(*bench.tantivy())
    ratios = []
    for each in bench.workplace.workload.asked:
        if each.kind.startswith("word"):
            search = each.search()
            theirs: Any = peer.compile(search)()
            ours = bench.snapshot.search(search).paragraphs
            ratios.append(ours / max(1, theirs.total))
    return {
        "lowest": min(ratios),
        "median": statistics.median(ratios),
        "highest": max(ratios),
    }


def _worst(bench: Bench) -> Measured:
    scored = [pair for pair in bench.searches if pair[0].kind != FUZZY]
    asked, timed = max(scored, key=lambda pair: pair[1].ratio[TANTIVY])
    return Measured(
        value=timed.ratio[TANTIVY],
        note=f"{asked.label}: {timed.median[OURS]:.2f} ms,"
        f" tantivy {timed.median[TANTIVY]:.2f}",
        details={"search": asdict(asked), "median_ms": dict(timed.median)},
    )


def _articles(bench: Bench) -> Measured:
    return _compare(bench.searches, ARTICLES)


def _fts5(bench: Bench) -> Measured:
    folder = bench.workplace.folder / "fts5"
    peer = bench.ready(FTS5(folder), folder)
    bench.tell("search, beside SQLite FTS5")
    asked = bench.workplace.workload.scored
    return _faster(bench.compared(asked, bench.snapshot, {peer.name: peer}), peer.name)


def _stock(bench: Bench) -> Measured:
    workplace = bench.workplace
    paragraphs = min(STOCK_PARAGRAPHS, workplace.size.paragraphs)
    folder = workplace.folder / "stock-whoosh"
    peer = StockWhoosh(folder)
    if not workplace.is_built(folder):
        workplace.build(peer, folder, first(workplace.corpus, paragraphs))
    engine = workplace.build_engine("ours-small", first(workplace.corpus, paragraphs))
    with closing(engine), closing(peer):
        peer.open()
        found = bench.compared(
            workplace.workload.scored, engine.snapshot(), {peer.name: peer}
        )
    measured = _faster(found, peer.name)
    return Measured(
        value=measured.value,
        note=f"{measured.note}, {paragraphs:,} paragraphs",
        details={**measured.details, "paragraphs": paragraphs},
    )


def _faster(found: list[tuple[Asked, Timed]], peer: str) -> Measured:
    """Return how many times faster we are."""
    measured = _compare(found, peer)
    return Measured(
        value=geometric_mean(1 / timed.ratio[peer] for _, timed in found),
        note=measured.note,
        details=measured.details,
    )


def _http(bench: Bench) -> Measured:
    loads = bench.served.loads
    rates = {name: [each.rate for each in some] for name, some in loads.items()}
    share = 100 * median_ratio(rates[OURS], rates[BARE])
    ours, bare = (statistics.median(rates[name]) for name in (OURS, BARE))
    p50 = statistics.median(each.p50_ms for each in loads[OURS])
    return Measured(
        value=share,
        note=f"{ours:,.0f}/s, p50 {p50:.1f} ms, bare {bare:,.0f}/s",
        details={
            "connections": CONNECTIONS,
            "rounds": {name: [asdict(e) for e in some] for name, some in loads.items()},
        },
    )


def _uss(bench: Bench) -> Measured:
    found = bench.served.unshared_bytes
    return Measured(
        value=found[-1] / 1e6,
        note=f"first worker {_mb(found[0])}, after the load of line http",
        details={"unshared_bytes": list(found)},
    )


def _write(bench: Bench) -> Measured:
    workplace = bench.workplace
    bench.workplace.engine().close()
    took: list[float] = []
    with (
        _indexer(workplace),
        nutgraf_server(workplace.variables) as server,
        closing(server.connection()) as connection,
    ):
        bench.tell("writes")
        for n in range(-2, bench.effort.writes):
            path = f"/v1/articles/{quote(_written_id(n), safe='')}"
            body = json.dumps(_written(n)).encode()

            def put(path: str = path, body: bytes = body) -> None:
                answer = request_json(connection, "PUT", f"{path}?wait=1", body)
                if not answer["indexed"]:
                    raise Failed("a write was not indexed within its time")

            took.append(milliseconds(put))
        for n in range(-2, bench.effort.writes):
            path = f"/v1/articles/{quote(_written_id(n), safe='')}"
            request_json(connection, "DELETE", path)
    with closing(workplace.store()) as store, closing(workplace.engine()) as engine:
        Indexer(store, engine).catch_up()
    took = took[2:]  # the first two warm up
    return Measured(
        value=statistics.median(took),
        note=f"{len(took)} one after the other, p95 {percentile(took, 95):.0f} ms",
        details={"milliseconds": took},
    )


@contextmanager
def _indexer(workplace: Workplace) -> Iterator[None]:
    with started((*NUTGRAF, "indexer"), workplace.variables):
        with closing(workplace.store()) as store:
            for _ in range(200):
                if store.indexer_running():
                    break
                time.sleep(0.05)
        yield


def _written_id(n: int) -> str:
    return f"urn:nutgraf:written:{n + 2}"


def _written(n: int) -> dict[str, Any]:
    return {
        "headline": f"Written while it is measured, number {n + 2}",
        "paragraphs": [
            "This article is here for as long as it takes to find it.",
            "Its second paragraph says nothing that the first did not.",
        ],
        "source": "Benchmark",
        "published": "2024-01-01T00:00:00Z",
    }


def _opening(bench: Bench) -> Measured:
    bench.workplace.engine().close()
    workload = bench.workplace.workload
    asked = (workload.of("word, frequent") or workload.scored)[0]
    question = json.dumps(
        {"url": bench.workplace.variables["NUTGRAF_ENGINE"], "search": asdict(asked)}
    )
    answers = []
    for _ in range(bench.effort.openings):
        bench.tell("first answer of a new process")
        done = subprocess.run(
            (sys.executable, "-m", "benchmarks.measuring.opening"),
            cwd=ROOT,
            input=question,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Failed(f"opening ended: {done.stderr.strip()[-500:]}")
        answers.append(json.loads(done.stdout))
    median = statistics.median(each["seconds"] for each in answers)
    return Measured(
        value=median,
        note=f"median of {len(answers)} new processes, files in the page cache",
        details={"answers": answers},
    )


def _size(bench: Bench) -> Measured:
    with closing(bench.workplace.engine()) as engine:
        state = engine.state()
    text = bench.workplace.size.text_bytes
    sizes = {OURS: state.bytes}
    if bench.workplace.is_built(bench.workplace.folder / "tantivy"):
        sizes[TANTIVY] = bench.tantivy()[0].size()
    beside = f", tantivy {_mb(sizes[TANTIVY])}" if TANTIVY in sizes else ""
    return Measured(
        value=state.bytes / text,
        note=f"{_mb(state.bytes)} for {_mb(text)} of text, {state.segments} segments"
        f"{beside}",
        details={"bytes": sizes, "text_bytes": text, "segments": state.segments},
    )


def _slowest(kind: str) -> Callable[[Bench], Measured]:
    def measure(bench: Bench) -> Measured:
        asked = bench.workplace.workload.of(kind)
        bench.tell(kind)
        found = bench.compared(asked, bench.snapshot, {})
        times = [timed.median[OURS] for _, timed in found]
        slowest = max(found, key=lambda pair: pair[1].median[OURS])[0]
        return Measured(
            value=max(times),
            note=f"slowest of {len(times)} ({slowest.q}),"
            f" median {statistics.median(times):.1f} ms",
            details={"searches": list(_each(found))},
        )

    return measure


def _memory(bench: Bench) -> Measured:
    bench.workplace.engine().close()
    bench.tell("nutgraf rebuild")
    done = run((*NUTGRAF, "rebuild", "--json"), bench.workplace.variables)
    return Measured(
        value=done.peak_bytes / 1e9,
        note=f"{bench.workplace.size.paragraphs:,} paragraphs in {done.seconds:.1f} s",
        details={"peak_bytes": done.peak_bytes, "seconds": done.seconds},
    )


def _growth(bench: Bench) -> Measured:
    workplace = bench.workplace
    total = workplace.size.paragraphs
    sizes = sorted(
        {n for n in (STOCK_PARAGRAPHS, workplace.base_size.paragraphs) if n < total}
    ) or [total // 10]
    asked = workplace.workload.scored
    times: dict[int, list[tuple[Asked, Timed]]] = {}
    for n in sizes:
        engine = workplace.build_engine(f"ours-{n}", first(workplace.corpus, n))
        with closing(engine):
            times[n] = bench.compared(asked, engine.snapshot(), {})
    times[total] = bench.compared(asked, bench.snapshot, {})
    means = {
        n: geometric_mean(timed.median[OURS] for _, timed in found)
        for n, found in times.items()
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
                        timed.median[OURS] for each, timed in found if each.kind == kind
                    )
                    for n, found in times.items()
                }
                for kind, _ in by_kind(asked)
            },
        },
    )


def _relevance(bench: Bench) -> Measured:
    if bench.collections is None:
        raise Failed("name the folder of test collections with --collections")
    bench.tell("relevance")
    report = relevance.compare(judged.collections(bench.collections))
    return Measured(
        value=report.ratio,
        note=f"nDCG@10 {report.mean('ours').ndcg:.3f},"
        f" tantivy {report.mean('tantivy').ndcg:.3f}",
        details=report.document(),
    )


# In the order they are measured: what changes the index comes after what reads it.
LINES: tuple[Line, ...] = (
    Line(
        name="load",
        what="nutgraf load until behind is 0",
        unit="par./s",
        measure=_load,
        bar=5_000,
        aim=15_000,
        higher=True,
    ),
    Line(
        name="build",
        what="index build from the store, against tantivy's rate",
        unit="×",
        measure=_build,
        bar=0.7,
        aim=1.5,
        higher=True,
        peer=True,
    ),
    Line(
        name="memory",
        what="peak memory of nutgraf rebuild",
        unit="GB",
        measure=_memory,
        bar=1.5,
    ),
    Line(
        name="size",
        what="index size, against the article text",
        unit="×",
        measure=_size,
        bar=2.5,
        aim=1.2,
    ),
    Line(
        name="opening",
        what="first answer after the engine is opened",
        unit="s",
        measure=_opening,
        bar=1.0,
        aim=0.2,
    ),
    Line(
        name="search",
        what="search in process, mean of the workload, against tantivy's time",
        unit="×",
        measure=_searching,
        bar=1.2,
        aim=0.6,
        peer=True,
    ),
    Line(
        name="worst",
        what="the slowest single search, against tantivy's time",
        unit="×",
        measure=_worst,
        bar=4.0,
        aim=2.0,
        peer=True,
    ),
    Line(
        name="articles",
        what="search, against tantivy with one document an article",
        unit="×",
        measure=_articles,
        peer=True,
    ),
    Line(
        name="prefix",
        what="prefix, the slowest",
        unit="ms",
        measure=_slowest("prefix"),
        bar=50,
    ),
    Line(
        name="fuzzy",
        what="fuzzy, distance 1, the slowest",
        unit="ms",
        measure=_slowest(FUZZY),
        bar=50,
    ),
    Line(
        name="stock",
        what="search, faster than stock Whoosh",
        unit="×",
        measure=_stock,
        bar=30,
        aim=200,
        higher=True,
    ),
    Line(
        name="fts5",
        what="search, faster than SQLite FTS5",
        unit="×",
        measure=_fts5,
        higher=True,
    ),
    Line(
        name="growth",
        what="growth of search time by growth of the corpus",
        unit="×",
        measure=_growth,
        bar=1.0,
    ),
    Line(
        name="http",
        what="HTTP search with facets and passages, of a bare answer's rate",
        unit="%",
        measure=_http,
        bar=20,
        aim=40,
        higher=True,
    ),
    Line(
        name="uss",
        what="memory of the second web worker alone (USS)",
        unit="MB",
        measure=_uss,
        bar=80,
        aim=60,
    ),
    Line(
        name="write",
        what="write until searchable (?wait=1), p50",
        unit="ms",
        measure=_write,
        bar=500,
        aim=50,
    ),
    Line(
        name="relevance",
        what="nDCG@10 on test collections, against tantivy's BM25",
        unit="×",
        measure=_relevance,
        bar=1.0,
        aim=1.08,
        higher=True,
        peer=True,
    ),
)
BY_NAME = {line.name: line for line in LINES}


def kinds(
    found: Iterable[tuple[Asked, Timed]], peer: str
) -> list[dict[str, str | float]]:
    """Return the means of each kind of search, and the worst ratio in it."""
    by_asked = dict(found)
    return [
        {
            "kind": kind,
            "ours_ms": geometric_mean(by_asked[each].median[OURS] for each in some),
            "peer_ms": geometric_mean(by_asked[each].median[peer] for each in some),
            "ratio": geometric_mean(by_asked[each].ratio[peer] for each in some),
            "worst": max(by_asked[each].ratio[peer] for each in some),
        }
        for kind, some in by_kind(by_asked)
    ]


def _each(found: Iterable[tuple[Asked, Timed]]) -> Iterator[dict[str, Any]]:
    for asked, timed in found:
        yield {
            "kind": asked.kind,
            "q": asked.q,
            "median_ms": dict(timed.median),
            "ratio": dict(timed.ratio),
            "rounds": timed.rounds,
        }


def _mb(count: float) -> str:
    return f"{count / 1e6:,.0f} MB"
