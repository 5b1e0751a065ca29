"""tantivy-py: Lucene's design in Rust, the fastest engine that Python can embed.

Set up as docs/benchmarks.md says under "Equal work": one writer thread; one document
for each paragraph and one for the headline; text stemmed (``en_stem``) with positions;
three fast fields and the date; only ids stored. Hits remain document addresses, since
reading their ids would take more time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import tantivy

from benchmarks.data import FACETS
from benchmarks.peers.peer import DAYS, Answer, Run, Unsupported
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

HEAP_BYTES = 512_000_000  # of the writer, the default of ours too
TEXT, PUBLISHED = "text", "published"
_MUST, _SHOULD = tantivy.Occur.Must, tantivy.Occur.Should
_MUST_NOT = tantivy.Occur.MustNot


def english() -> tantivy.TextAnalyzer:
    """tantivy's own ``en_stem``, to analyse the words of a query."""
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

    :param whole_articles: one document for each article, not for each paragraph.
    """

    def __init__(self, folder: Path, *, whole_articles: bool = False) -> None:
        self.name = "tantivy, articles" if whole_articles else "tantivy"
        self._folder, self._whole = folder, whole_articles
        self._schema = _schema()
        self._analyzer = english()
        self._index: tantivy.Index | None = None
        self._searcher: tantivy.Searcher | None = None

    def build(self, articles: Iterable[Article]) -> int:
        """Index articles, all on disk on return; the number of articles."""
        self._folder.mkdir(parents=True, exist_ok=True)
        index = tantivy.Index(self._schema, path=str(self._folder), reuse=False)
        writer = index.writer(heap_size=HEAP_BYTES, num_threads=1)
        # from_dict is the fastest way to create documents: a third faster than
        # keywords, half as fast again as add_json.
        add, create, schema = (
            writer.add_document,
            tantivy.Document.from_dict,
            self._schema,
        )
        count = 0
        for article in articles:
            count += 1
            for document in self._documents(article):
                add(create(document, schema))
        writer.commit()
        writer.wait_merging_threads()
        return count

    def open(self) -> None:
        """Open the index."""
        self._index = tantivy.Index(self._schema, path=str(self._folder), reuse=True)
        self._searcher = self._index.searcher()

    def compile(self, search: Search) -> Run:
        """A function that answers a search: the best hits, exact total, facets."""
        searcher = self._opened()
        query = self._compiled(search.query)
        if search.dates is not None:
            query = _all_of([query, self._range(search.dates)])
        facets = {facet.name: _aggregation(facet) for facet in search.facets}
        by_date = search.sort is Sort.NEWEST
        order_by = PUBLISHED if by_date else None
        limit = search.limit

        def run() -> Answer:
            # Its type stubs do not have the count.
            result: Any = searcher.search(
                query, limit, count=True, order_by_field=order_by
            )
            counts = searcher.aggregate(query, facets)
            return Answer(
                hits=len(result.hits),
                total=result.count,
                facets=sum(len(facet["buckets"]) for facet in counts.values()),
            )

        return run

    def size(self) -> int:
        """Bytes of the index on disk."""
        return sum(path.stat().st_size for path in self._folder.iterdir())

    def close(self) -> None:
        """Release files and memory."""
        self._index = self._searcher = None

    def ranking(self, query: Query, limit: int) -> list[str]:
        """Ids of the best documents, the best first."""
        searcher = self._opened()
        result = searcher.search(self._compiled(query), limit, count=False)
        return [searcher.doc(address)["id"][0] for _, address in result.hits]

    def _compiled(self, query: Query) -> tantivy.Query:
        """Our query as tantivy's."""
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
            # Our prefixes match words, its prefixes match stems.
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
            (_MUST_NOT, self._compiled(child.child))
            if isinstance(child, Not) and isinstance(query, And)
            else (occur, self._compiled(child))
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
            # With frequencies, for the score, but without positions.
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
            text = "\n".join(paragraph.text for paragraph in article.paragraphs)
            yield {"id": article.id, TEXT: text, **values}
            return
        for paragraph in article.paragraphs:
            document_id = f"{article.id}#p{paragraph.n}"
            yield {"id": document_id, TEXT: paragraph.text, **values}

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
