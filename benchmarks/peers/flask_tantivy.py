"""A search service as a Flask developer would write it on tantivy-py.

``GET /articles?q=…`` and ``GET /paragraphs?q=…`` take our parameters ``q``, ``sort``,
``from``, ``to`` and ``facet``, and answer with what our service has: the best 10 hits
with their fields and marked text, the exact total, and facets. The query goes to
tantivy's own parser. It has no formatter for several fragments of a document, so the
first three paragraphs with a word of the query are marked one by one.

The variable ``TANTIVY_FOLDER`` names the folder with the two indexes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import tantivy
from flask import Flask, Response, request

from benchmarks.data import FACETS
from benchmarks.peers.tantivy import HEAP_BYTES
from index.article import Article

SHOWN = ("headline", "byline", "url")  # stored only
FRAGMENTS = 3
FRAGMENT_CHARACTERS = 300  # of an article; about a paragraph
PARAGRAPH_CHARACTERS = 100_000  # all of it
_WIDTHS = {"week": "7d", "month": "30d", "year": "365d"}


class StoredTantivy:
    """A tantivy index with stored text; for ``Workplace.build_peer``."""

    name = "tantivy with stored text"

    def __init__(self, folder: Path, *, whole_articles: bool) -> None:
        self._folder, self._whole = folder, whole_articles

    def build(self, articles: Iterable[Article]) -> int:
        """Index articles, all on disk on return; the number of articles."""
        self._folder.mkdir(parents=True, exist_ok=True)
        schema = _schema()
        index = tantivy.Index(schema, path=str(self._folder), reuse=False)
        writer = index.writer(heap_size=HEAP_BYTES, num_threads=1)
        count = 0
        for article in articles:
            count += 1
            for document in self._documents(article):
                writer.add_document(tantivy.Document.from_dict(document, schema))
        writer.commit()
        writer.wait_merging_threads()
        return count

    def _documents(self, article: Article) -> Iterator[dict[str, Any]]:
        values = {
            name: value
            for name in (*FACETS, *SHOWN, "published")
            if (value := getattr(article, name)) is not None
        }
        if self._whole:
            texts = [paragraph.text for paragraph in article.paragraphs]
            yield {"id": article.id, "text": texts, **values}
            return
        for paragraph in article.paragraphs:
            document_id = f"{article.id}#p{paragraph.n}"
            yield {"id": document_id, "text": paragraph.text, **values}


class _Index:
    """One of the two indexes, open, with what an answer has of each hit."""

    def __init__(self, folder: Path, *, whole_articles: bool) -> None:
        self._schema = _schema()
        self._index = tantivy.Index(self._schema, path=str(folder), reuse=True)
        self._searcher = self._index.searcher()
        self._whole = whole_articles

    def answer(self, parameters: Any) -> dict[str, Any]:
        """The answer to a search, for JSON."""
        query = self._query(parameters)
        newest = parameters.get("sort") == "newest"
        searcher = self._searcher
        # Its type stubs do not have the count.
        result: Any = searcher.search(
            query, 10, count=True, order_by_field="published" if newest else None
        )
        aggregations = {
            name: _aggregation(name) for name in parameters.getlist("facet")
        }
        counts = searcher.aggregate(query, aggregations)
        snippets = tantivy.SnippetGenerator.create(
            searcher, query, self._schema, "text"
        )
        snippets.set_max_num_chars(
            FRAGMENT_CHARACTERS if self._whole else PARAGRAPH_CHARACTERS
        )
        return {
            "total": result.count,
            "hits": [
                self._hit(score, searcher.doc(address), snippets)
                for score, address in result.hits
            ],
            "facets": {name: counts[name]["buckets"] for name in aggregations},
        }

    def _query(self, parameters: Any) -> tantivy.Query:
        q = parameters["q"]
        if not q:
            query = tantivy.Query.all_query()
        elif q.endswith("*"):
            # Its parser has no prefixes of one word.
            query = tantivy.Query.regex_query(self._schema, "text", f"{q[:-1]}.*")
        else:
            required, without, excluded = q.partition(" AND NOT ")
            if without:
                # Its parser makes "AND NOT" a clause that matches nothing.
                q = f"+({required}) -({excluded})"
            query = self._index.parse_query(q, ["text"])
        if "from" not in parameters:
            return query
        since, until = (
            datetime.fromisoformat(parameters[name]).replace(tzinfo=UTC)
            for name in ("from", "to")
        )
        dates = tantivy.Query.range_query(
            self._schema,
            "published",
            tantivy.FieldType.Date,
            since,
            until + timedelta(days=1),
            include_upper=False,
        )
        must = tantivy.Occur.Must
        return tantivy.Query.boolean_query([(must, query), (must, dates)])

    def _hit(self, score: Any, document: tantivy.Document, snippets: Any) -> Any:
        values = document.to_dict()
        texts = values.pop("text")
        hit: dict[str, Any] = {name: value[0] for name, value in values.items()}
        hit["score"] = score
        if not self._whole:
            hit["text"] = texts[0]
            hit["html"] = snippets.snippet_from_doc(document).to_html()
            return hit
        hit["fragments"] = fragments = []
        for text in texts:
            snippet = snippets.snippet_from_doc(tantivy.Document(text=text))
            if snippet.highlighted():
                fragments.append(snippet.to_html())
                if len(fragments) == FRAGMENTS:
                    break
        return hit


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field(
        "text", stored=True, tokenizer_name="en_stem", index_option="position"
    )
    builder.add_text_field(
        "id", stored=True, tokenizer_name="raw", index_option="basic"
    )
    for name in FACETS:
        builder.add_text_field(
            name, stored=True, fast=True, tokenizer_name="raw", index_option="basic"
        )
    for name in SHOWN:
        builder.add_text_field(
            name, stored=True, tokenizer_name="raw", index_option="basic"
        )
    builder.add_date_field("published", stored=True, indexed=True, fast=True)
    return builder.build()


def _aggregation(facet: str) -> dict[str, Any]:
    field, _, interval = facet.partition(":")
    if interval:
        width = _WIDTHS[interval]
        return {"date_histogram": {"field": field, "fixed_interval": width}}
    return {"terms": {"field": field, "size": 10}}


@cache
def _index(hits: str) -> _Index:
    """An index, opened by each worker for itself: it does not survive a fork."""
    folder = Path(os.environ["TANTIVY_FOLDER"])
    return _Index(folder / hits, whole_articles=hits == "articles")


app = Flask(__name__)


@app.get("/<any(articles, paragraphs):hits>")
def search(hits: str) -> Response:
    """The answer to a search."""
    answer = _index(hits).answer(request.args)
    return Response(orjson.dumps(answer), mimetype="application/json")
