"""OpenSearch as a contestant: a node on this machine, which somebody else started.

Its indexes stay in the node, so that the next run with the same corpus has them. Each
has one shard without replicas, the text in ``english`` without stop words and with
offsets for the highlighter, and the segments that its own merges leave.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import orjson

from benchmarks.data import FACETS, TimedSearch
from benchmarks.measuring import HOST, Failed, Server, WebRequest
from benchmarks.web.contestant import Hits
from benchmarks.workplace import Workplace
from index.article import Article
from index.query import All, And, FacetRequest, Not, Or, Phrase, Prefix, Query, Term

OPENSEARCH = "OpenSearch"
VARIABLE = "NUTGRAF_BENCH_OPENSEARCH"
_URL = re.compile(r"http://(?:127\.0\.0\.1|localhost):(\d{1,5})/?")
_BULK_BYTES = 5_000_000
_MERGE_SECONDS = 600.0
_SHOWN = ("headline", "byline", "url", *FACETS, "published")
_KEYWORD = {"type": "keyword"}
_STORED = {"type": "keyword", "index": False, "doc_values": False}
_INDEX = {
    "settings": {
        "number_of_shards": 1,
        "number_of_replicas": 0,
        "refresh_interval": -1,
        "analysis": {
            "analyzer": {"text": {"type": "english", "stopwords": "_none_"}},
        },
    },
    "mappings": {
        "dynamic": False,
        "properties": {
            "text": {"type": "text", "analyzer": "text", "index_options": "offsets"},
            "published": {"type": "date"},
            **dict.fromkeys(("headline", "byline", "url"), _STORED),
            **dict.fromkeys(FACETS, _KEYWORD),
        },
    },
}


def port_of(url: str) -> int:
    """The port of a node on this machine.

    :raises ValueError: the URL is another one than ``http://127.0.0.1:PORT``.
    """
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError(
            f"{VARIABLE} is {url!r}: write http://127.0.0.1:PORT, a node on this"
            " machine without TLS, whose processes can be measured"
        )
    return int(match[1])


class OpenSearch:
    """A node, with an index of articles and one of paragraphs."""

    name = OPENSEARCH

    def __init__(self, workplace: Workplace, port: int) -> None:
        self._workplace, self._port = workplace, port

    def prepare(self) -> None:
        """Index the articles, unless the node has them from an earlier run."""
        about = {
            "corpus": self._workplace.corpus.description(),
            "size": self._workplace.size._asdict(),
        }
        text = json.dumps([about, _INDEX], sort_keys=True)
        fingerprint = hashlib.sha256(text.encode()).hexdigest()
        for hits in Hits:
            index = _index_of(hits)
            mapping = self._ask("GET", f"/{index}/_mapping", missing=True)
            meta = (mapping or {}).get(index, {}).get("mappings", {}).get("_meta")
            if meta != {"complete": fingerprint}:
                self._build(hits, fingerprint)

    def _build(self, hits: Hits, fingerprint: str) -> None:
        index = _index_of(hits)
        self._ask("DELETE", f"/{index}", missing=True)
        self._ask("PUT", f"/{index}", orjson.dumps(_INDEX))
        with closing(self._workplace.store()) as store, store.reading() as view:
            for body in _bulks(_documents(view.iterate(), hits)):
                answer = self._ask("POST", f"/{index}/_bulk", body)
                if answer["errors"]:
                    raise Failed("OpenSearch refused a document")
        self._ask("POST", f"/{index}/_refresh")
        self._await_merges(index)
        meta = orjson.dumps({"_meta": {"complete": fingerprint}})
        self._ask("PUT", f"/{index}/_mapping", meta)

    def _await_merges(self, index: str) -> None:
        deadline = time.monotonic() + _MERGE_SECONDS
        while time.monotonic() < deadline:
            stats = self._ask("GET", f"/{index}/_stats/merge")
            if not stats["_all"]["total"]["merges"]["current"]:
                return
            time.sleep(0.5)

    @contextmanager
    def serving(self) -> Iterator[Server]:
        """The node, which runs before and afterwards."""
        nodes = self._ask("GET", "/_nodes/_local/process")["nodes"]
        pid = next(iter(nodes.values()))["process"]["id"]
        if not Path(f"/proc/{pid}").exists():
            raise Failed("OpenSearch does not run on this machine")
        yield Server(pid, self._port)

    def request(self, search: TimedSearch, hits: Hits) -> WebRequest:
        """The request for a search."""
        compiled = search.compiled()
        query = query_of(compiled.query)
        if search.since is not None:
            dates = {"published": {"gte": search.since, "lte": search.until}}
            query = {"bool": {"must": [query], "filter": [{"range": dates}]}}
        shown, fragments = [*_SHOWN], {"number_of_fragments": 3, "fragment_size": 300}
        if hits is Hits.PARAGRAPHS:
            shown, fragments = [*_SHOWN, "text"], {"number_of_fragments": 0}
        body: dict[str, Any] = {
            "query": query,
            "size": compiled.limit,
            "track_total_hits": True,
            "_source": shown,
            "highlight": {"fields": {"text": fragments}},
            "aggs": {facet.name: _aggregation(facet) for facet in compiled.facets},
        }
        if search.sort == "newest":
            body["sort"] = [{"published": "desc"}]
        return WebRequest(path=f"/{_index_of(hits)}/_search", body=json.dumps(body))

    def total(self, answer: Any, hits: Hits) -> int:
        """Number of documents."""
        total: int = answer["hits"]["total"]["value"]
        return total

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        missing: bool = False,
    ) -> Any:
        """The JSON of an answer.

        :param missing: 404 is no error; the answer is ``None`` then.
        :raises Failed: another status than 200.
        """
        connection = http.client.HTTPConnection(HOST, self._port, timeout=120)
        with closing(connection):
            headers = {"Content-Type": "application/json"}
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            data = response.read()
        if response.status == 404 and missing:
            return None
        if response.status != 200:
            raise Failed(
                f"OpenSearch: {method} {path}: {response.status} {data[:500]!r}"
            )
        return json.loads(data)


def query_of(query: Query) -> dict[str, Any]:
    """Our query in OpenSearch's query DSL."""
    if isinstance(query, All):
        return {"match_all": {}}
    if isinstance(query, Term):
        return {"match": {"text": query.form}}
    if isinstance(query, Phrase):
        return {"match_phrase": {"text": " ".join(query.forms)}}
    if isinstance(query, Prefix):
        return {"prefix": {"text": query.prefix}}
    if isinstance(query, Or):
        return {"bool": {"should": [query_of(child) for child in query.children]}}
    if isinstance(query, And):
        clauses: dict[str, list[Any]] = {"must": [], "must_not": []}
        for child in query.children:
            if isinstance(child, Not):
                clauses["must_not"].append(query_of(child.child))
            else:
                clauses["must"].append(query_of(child))
        return {"bool": clauses}
    raise ValueError(f"the workload has no {type(query).__name__}")


def _aggregation(facet: FacetRequest) -> dict[str, Any]:
    if facet.interval is None:
        return {"terms": {"field": facet.field, "size": 10}}
    interval = facet.interval.value
    return {"date_histogram": {"field": facet.field, "calendar_interval": interval}}


def _index_of(hits: Hits) -> str:
    return f"nutgraf-bench-{hits.value}"


def _documents(
    articles: Iterable[Article], hits: Hits
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each document with its id."""
    for article in articles:
        values = {name: getattr(article, name) for name in _SHOWN}
        if hits is Hits.ARTICLES:
            texts = [paragraph.text for paragraph in article.paragraphs]
            yield article.id, {"text": texts, **values}
            continue
        for paragraph in article.paragraphs:
            document = {"text": paragraph.text, **values}
            yield f"{article.id}#p{paragraph.n}", document


def _bulks(documents: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[bytes]:
    """Documents as bodies of bulk requests."""
    body = bytearray()
    for document_id, document in documents:
        for line in ({"index": {"_id": document_id}}, document):
            body += orjson.dumps(line) + b"\n"
        if len(body) >= _BULK_BYTES:
            yield bytes(body)
            body.clear()
    if body:
        yield bytes(body)
