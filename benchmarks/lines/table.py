"""The lines of the benchmark, with their bars and aims.

Every line is measured through what Nutgraf offers to its users: its command line, its
HTTP API, and :func:`index.engines.open_engine`. docs/benchmarks.md says how each figure
is measured.
"""

from __future__ import annotations

from benchmarks.data import FUZZY
from benchmarks.lines import indexing, searching, serving
from benchmarks.lines.line import Line
from benchmarks.web import FLASK_TANTIVY, OPENSEARCH, Hits

# In the order of measuring: lines that change the index come after those that read it.
LINES: tuple[Line, ...] = (
    Line(
        name="load",
        what="nutgraf load, until all is indexed",
        unit="par./s",
        measure=indexing.load,
        bar=5_000,
        aim=15_000,
        higher=True,
    ),
    Line(
        name="build",
        what="rate of building the index from the store, relative to tantivy's",
        unit="×",
        measure=indexing.build,
        bar=1.0,
        aim=1.5,
        higher=True,
        peer=True,
    ),
    Line(
        name="memory",
        what="peak memory of nutgraf rebuild",
        unit="GB",
        measure=indexing.memory,
        bar=1.5,
    ),
    Line(
        name="size",
        what="size of the index, relative to the text",
        unit="×",
        measure=indexing.size,
        bar=2.5,
        aim=1.2,
    ),
    Line(
        name="opening",
        what="first answer of a new process",
        unit="s",
        measure=indexing.opening,
        bar=1.0,
        aim=0.2,
    ),
    Line(
        name="search",
        what="search in process, mean of the workload, relative to tantivy's time",
        unit="×",
        measure=searching.search,
        bar=0.9,
        aim=0.6,
        peer=True,
    ),
    Line(
        name="worst",
        what="the slowest single search, relative to tantivy's time",
        unit="×",
        measure=searching.worst,
        bar=3.0,
        aim=2.0,
        peer=True,
    ),
    Line(
        name="articles",
        what="search, relative to tantivy with one document per article",
        unit="×",
        measure=searching.articles,
        bar=1.5,
        aim=1.0,
        peer=True,
    ),
    Line(
        name="prefix",
        what="slowest prefix search",
        unit="ms",
        measure=searching.slowest_of("prefix"),
        bar=50,
    ),
    Line(
        name="fuzzy",
        what="slowest fuzzy search, distance 1",
        unit="ms",
        measure=searching.slowest_of(FUZZY),
        bar=50,
    ),
    Line(
        name="stock",
        what="search, times faster than stock Whoosh",
        unit="×",
        measure=searching.stock,
        higher=True,
    ),
    Line(
        name="fts5",
        what="search, times faster than SQLite FTS5",
        unit="×",
        measure=searching.fts5,
        higher=True,
    ),
    Line(
        name="growth",
        what="growth of search time, relative to growth of the corpus",
        unit="×",
        measure=searching.growth,
        bar=1.0,
    ),
    Line(
        name="http_articles",
        what="CPU per request over HTTP, article hits, relative to Flask + tantivy",
        unit="×",
        measure=serving.cpu(FLASK_TANTIVY, Hits.ARTICLES),
        bar=1.3,
        aim=0.9,
        peer=True,
    ),
    Line(
        name="http_paragraphs",
        what="the same with paragraph hits",
        unit="×",
        measure=serving.cpu(FLASK_TANTIVY, Hits.PARAGRAPHS),
        bar=2.0,
        aim=1.2,
        peer=True,
    ),
    Line(
        name="opensearch_articles",
        what="CPU per request over HTTP, article hits, relative to OpenSearch",
        unit="×",
        measure=serving.cpu(OPENSEARCH, Hits.ARTICLES),
        bar=0.9,
        aim=0.6,
        node=True,
    ),
    Line(
        name="opensearch_paragraphs",
        what="the same with paragraph hits",
        unit="×",
        measure=serving.cpu(OPENSEARCH, Hits.PARAGRAPHS),
        bar=1.5,
        aim=0.9,
        node=True,
    ),
    Line(
        name="opensearch_rate",
        what="requests per second, 8 connections, article hits, relative to OpenSearch",
        unit="×",
        measure=serving.rate(OPENSEARCH),
        bar=1.2,
        aim=2.0,
        higher=True,
        node=True,
    ),
    Line(
        name="again",
        what="CPU of the same request again, relative to the first time",
        unit="×",
        measure=serving.again,
        bar=0.4,
        aim=0.2,
    ),
    Line(
        name="nothing",
        what="CPU of a search without hits, relative to one with hits",
        unit="×",
        measure=serving.nothing,
        bar=1.0,
    ),
    Line(
        name="uss",
        what="unshared memory of the second web worker (USS)",
        unit="MB",
        measure=serving.uss,
        bar=80,
        aim=60,
    ),
    Line(
        name="write",
        what="write until it is searchable (?wait=1), p50",
        unit="ms",
        measure=serving.write,
        bar=500,
        aim=50,
    ),
    Line(
        name="relevance",
        what="nDCG@10 on test collections, relative to tantivy's BM25",
        unit="×",
        measure=searching.relevance,
        bar=1.0,
        aim=1.08,
        higher=True,
        peer=True,
    ),
)
BY_NAME = {line.name: line for line in LINES}
