"""tantivy-py: Lucene's design in Rust, the fastest engine that Python can embed.

As DESIGN 10 pins it: one writer thread, one document a paragraph with the headline as
its own, the text stemmed (``en_stem``) with positions, three fast fields and the date,
and nothing stored but ids. Its hits stay the addresses that it gives; reading their ids
would cost it more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import tantivy

from benchmarks.data.workload import FACETS
from benchmarks.peers import DAYS, Answer, Run, Unsupported
from index.article import Article
from index.dates import from_micros
from index.query import (
    All,
    And,
    FacetRequest,
    Fuzzy,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Range,
    Search,
    Sort,
    Term,
)

HEAP_BYTES = 512_000_000  # of the writer, as much as ours has by default
TEXT, PUBLISHED = "text", "published"
_MUST, _SHOULD = tantivy.Occur.Must, tantivy.Occur.Should
_MUST_NOT = tantivy.Occur.MustNot


def english() -> tantivy.TextAnalyzer:
    """Return tantivy's own ``en_stem``, to cut the words of a query with."""
    kind = tantivy.Filter
    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(kind.remove_long(40))
        .filter(kind.lowercase())
        .filter(kind.stemmer("english"))
        .build()
    )


class Tantivy:
    """A tantivy index in a folder.

    :param whole_articles: one document an article instead of one a paragraph.
    """

    def __init__(self, folder: Path, *, whole_articles: bool = False) -> None:
        self.name = "tantivy, articles" if whole_articles else "tantivy"
        self._folder, self._whole = folder, whole_articles
        self._schema = _schema()
        self._analyzer = english()
        self._index: tantivy.Index | None = None
        self._searcher: tantivy.Searcher | None = None

    def build(self, articles: Iterable[Article]) -> int:
        """Index articles, all of it on disk when this returns; return their number."""
        self._folder.mkdir(parents=True, exist_ok=True)
        index = tantivy.Index(self._schema, path=str(self._folder), reuse=False)
        writer = index.writer(heap_size=HEAP_BYTES, num_threads=1)
        # Of the ways to make a document in Python this is the fastest: a third faster
        # than keywords, half as fast again as add_json.
        add, make, schema = (
            writer.add_document,
            tantivy.Document.from_dict,
            self._schema,
        )
        count = 0
        for article in articles:
            count += 1
            for document in self._documents(article):
                add(make(document, schema))
        writer.commit()
        writer.wait_merging_threads()
        return count

    def open(self) -> None:
        """Open what was built."""
        self._index = tantivy.Index(self._schema, path=str(self._folder), reuse=True)
        self._searcher = self._index.searcher()

    def compile(self, search: Search) -> Run:
        """Return a function that answers a search: 10 best, exact total, facets."""
        searcher = self._opened()
        query = self.query(search.query)
        if search.dates is not None:
            query = _all_of([query, self._range(search.dates)])
        facets = {each.name: _aggregation(each) for each in search.facets}
        by_date = search.sort is Sort.NEWEST
        order_by = PUBLISHED if by_date else None
        limit = search.limit

        def run() -> Answer:
            found = searcher.search(query, limit, count=True, order_by_field=order_by)
            counted = searcher.aggregate(query, facets)
            total: int = found.count  # type: ignore[attr-defined]
            return Answer(
                hits=len(found.hits),
                total=total,
                facets=sum(len(each["buckets"]) for each in counted.values()),
            )

        return run

    def size(self) -> int:
        """Return how many bytes the index has on disk."""
        return sum(path.stat().st_size for path in self._folder.iterdir())

    def close(self) -> None:
        """Let go of files and memory."""
        self._index = self._searcher = None

    def ranking(self, query: tantivy.Query, limit: int) -> list[str]:
        """Return the ids of the best documents, the best first."""
        searcher = self._opened()
        found = searcher.search(query, limit, count=False)
        return [searcher.doc(address)["id"][0] for _, address in found.hits]

    def query(self, query: Query) -> tantivy.Query:
        """Return our query as tantivy's.

        :raises Unsupported: it has nothing like it.
        """
        if isinstance(query, And | Or):
            return self._boolean(query)
        if isinstance(query, Not):
            return self._boolean(And((query,)))
        if isinstance(query, All):
            return tantivy.Query.all_query()
        if isinstance(query, Range):
            return self._range(query)
        if isinstance(query, Term):
            return self._words((query.form,))
        if isinstance(query, Phrase):
            return self._words(query.forms)
        if isinstance(query, Prefix):
            # Ours match whole words, its the stems of words.
            pattern = f"{query.prefix}.*"
            return tantivy.Query.regex_query(self._schema, TEXT, pattern)
        if isinstance(query, Fuzzy):
            return tantivy.Query.fuzzy_term_query(
                self._schema, TEXT, query.form, query.distance
            )
        raise Unsupported(type(query).__name__)

    def _boolean(self, query: And | Or) -> tantivy.Query:
        occur = _MUST if isinstance(query, And) else _SHOULD
        clauses = [
            (_MUST_NOT, self.query(child.child))
            if isinstance(child, Not) and isinstance(query, And)
            else (occur, self.query(child))
            for child in query.children
        ]
        if not clauses:
            every = isinstance(query, And)
            return tantivy.Query.all_query() if every else tantivy.Query.empty_query()
        if all(occur is _MUST_NOT for occur, _ in clauses):
            clauses.append((_MUST, tantivy.Query.all_query()))
        return tantivy.Query.boolean_query(clauses)

    def _words(self, forms: Iterable[str]) -> tantivy.Query:
        words = [word for form in forms for word in self._analyzer.analyze(form)]
        if not words:
            return tantivy.Query.empty_query()
        if len(words) == 1:
            # With frequencies, without positions: nobody asks for them here.
            return tantivy.Query.term_query(self._schema, TEXT, words[0], "freq")
        return tantivy.Query.phrase_query(self._schema, TEXT, list(words))

    def _range(self, bounds: Range) -> tantivy.Query:
        if bounds.field != PUBLISHED:
            raise Unsupported(bounds.field)
        return tantivy.Query.range_query(
            self._schema,
            PUBLISHED,
            tantivy.FieldType.Date,
            None if bounds.low is None else from_micros(bounds.low),
            None if bounds.high is None else from_micros(bounds.high),
        )

    def _documents(self, article: Article) -> Iterator[dict[str, Any]]:
        values: dict[str, str | datetime] = {
            name: value
            for name in (*FACETS, PUBLISHED)
            if (value := getattr(article, name)) is not None
        }
        if self._whole:
            text = "\n".join(each.text for each in article.paragraphs)
            yield {"id": article.id, TEXT: text, **values}
            return
        for each in article.paragraphs:
            yield {"id": f"{article.id}#p{each.n}", TEXT: each.text, **values}

    def _opened(self) -> tantivy.Searcher:
        if self._searcher is None:
            raise ValueError("open it first")
        return self._searcher


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field(
        "id", stored=True, tokenizer_name="raw", index_option="basic"
    )
    builder.add_text_field(TEXT, tokenizer_name="en_stem", index_option="position")
    for name in FACETS:
        builder.add_text_field(
            name, fast=True, tokenizer_name="raw", index_option="basic"
        )
    builder.add_date_field(PUBLISHED, fast=True)
    return builder.build()


def _all_of(queries: list[tantivy.Query]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(_MUST, query) for query in queries])


def _aggregation(facet: FacetRequest) -> dict[str, Any]:
    if facet.interval is None:
        return {"terms": {"field": facet.field, "size": 10}}
    width = f"{DAYS[facet.interval]}d"
    return {"date_histogram": {"field": facet.field, "fixed_interval": width}}
