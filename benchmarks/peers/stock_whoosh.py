"""Stock Whoosh: its own schema, stemming analyzer, codec, searcher and facets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from whoosh import fields, query, sorting
from whoosh.analysis import StemmingAnalyzer
from whoosh.index import create_in, open_dir

from benchmarks.data import FACETS
from benchmarks.peers.peer import Answer, Run, Unsupported
from index.article import Article
from index.dates import from_micros
from index.query import (
    All,
    And,
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

WRITER_MB = 512
TEXT, PUBLISHED = "text", "published"


class StockWhoosh:
    """A stock Whoosh index in a folder."""

    name = "stock Whoosh"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._analyzer = StemmingAnalyzer()
        self._searcher: Any = None

    def build(self, articles: Iterable[Article]) -> int:
        """Index articles, all on disk on return; the number of articles."""
        self._folder.mkdir(parents=True, exist_ok=True)
        writer = create_in(str(self._folder), self._schema()).writer(limitmb=WRITER_MB)
        count = 0
        for article in articles:
            count += 1
            values = {name: getattr(article, name) or "" for name in FACETS}
            if article.published is not None:
                # Its dates have no time zone; ours are all UTC.
                values[PUBLISHED] = article.published.replace(tzinfo=None)
            for paragraph in article.paragraphs:
                writer.add_document(
                    id=f"{article.id}#p{paragraph.n}", text=paragraph.text, **values
                )
        writer.commit()
        return count

    def open(self) -> None:
        """Open the index."""
        self._searcher = open_dir(str(self._folder)).searcher()

    def compile(self, search: Search) -> Run:
        """A function that answers a search: the best hits, exact total, facets."""
        searcher = self._searcher
        compiled = self._query(search.query)
        if compiled == query.NullQuery:
            raise Unsupported("stop words only")
        if search.dates is not None:
            compiled = query.And([compiled, _range(search.dates)])
        facets = sorting.Facets()
        for facet in search.facets:
            # Dates too: its date buckets need bounds, and are slower than values.
            facets.add_facet(
                facet.name, sorting.FieldFacet(facet.field, maptype=sorting.Count)
            )
        by_date = search.sort is Sort.NEWEST
        options: dict[str, Any] = {"limit": search.limit, "groupedby": facets}
        if by_date:
            options |= {"sortedby": PUBLISHED, "reverse": True}

        def run() -> Answer:
            results = searcher.search(compiled, **options)
            return Answer(
                hits=min(search.limit, len(results)),
                total=len(results),
                facets=sum(len(results.groups(facet.name)) for facet in search.facets),
            )

        return run

    def size(self) -> int:
        """Bytes of the index on disk."""
        return sum(path.stat().st_size for path in self._folder.iterdir())

    def close(self) -> None:
        """Release files and memory."""
        if self._searcher is not None:
            self._searcher.close()
            self._searcher = None

    def _schema(self) -> fields.Schema:
        return fields.Schema(
            id=fields.ID(stored=True),
            text=fields.TEXT(analyzer=self._analyzer),
            published=fields.DATETIME(sortable=True),
            **{name: fields.ID(sortable=True) for name in FACETS},
        )

    def _query(self, ours: Query) -> Any:
        if isinstance(ours, And | Or):
            return self._compound(ours)
        if isinstance(ours, Not):
            return query.Not(self._query(ours.child))
        if isinstance(ours, All):
            return query.Every()
        if isinstance(ours, Range):
            return _range(ours)
        if isinstance(ours, Term):
            return self._words((ours.form,))
        if isinstance(ours, Phrase):
            return self._words(ours.forms)
        if isinstance(ours, Prefix):
            return query.Prefix(TEXT, ours.prefix)
        if isinstance(ours, Fuzzy):
            return query.FuzzyTerm(TEXT, ours.form, maxdist=ours.distance)
        raise Unsupported(type(ours).__name__)

    def _compound(self, ours: And | Or) -> Any:
        children = [self._query(child) for child in ours.children]
        children = [child for child in children if child != query.NullQuery]
        if not children:
            return query.NullQuery
        kind = query.And if isinstance(ours, And) else query.Or
        return kind(children)

    def _words(self, forms: Iterable[str]) -> Any:
        # Its analyzer drops stop words, in texts as well as in queries.
        words = [
            token.text for form in forms for token in self._analyzer(form, mode="query")
        ]
        if not words:
            return query.NullQuery
        if len(words) == 1:
            return query.Term(TEXT, words[0])
        return query.Phrase(TEXT, words)


def _range(bounds: Range) -> Any:
    ends = (
        None if end is None else from_micros(end).replace(tzinfo=None)
        for end in (bounds.low, bounds.high)
    )
    return query.DateRange(bounds.field, *ends)
