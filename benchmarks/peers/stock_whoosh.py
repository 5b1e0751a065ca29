"""Whoosh as it comes: its schema, stemming analyzer, codec, searcher and facets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from whoosh import fields, query, sorting
from whoosh.analysis import StemmingAnalyzer
from whoosh.index import create_in, open_dir

from benchmarks.data.workload import FACETS
from benchmarks.peers import Answer, Run, Unsupported
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
        """Index articles, all of it on disk when this returns; return their number."""
        self._folder.mkdir(parents=True, exist_ok=True)
        writer = create_in(str(self._folder), self._schema()).writer(limitmb=WRITER_MB)
        count = 0
        for article in articles:
            count += 1
            values = {name: getattr(article, name) or "" for name in FACETS}
            if article.published is not None:
                # Its dates know no zone; ours are all UTC.
                values[PUBLISHED] = article.published.replace(tzinfo=None)
            for each in article.paragraphs:
                writer.add_document(
                    id=f"{article.id}#p{each.n}", text=each.text, **values
                )
        writer.commit()
        return count

    def open(self) -> None:
        """Open what was built."""
        self._searcher = open_dir(str(self._folder)).searcher()

    def compile(self, search: Search) -> Run:
        """Return a function that answers a search: 10 best, exact total, facets."""
        searcher = self._searcher
        asked = self._query(search.query)
        if asked == query.NullQuery:
            raise Unsupported("stop words only")
        if search.dates is not None:
            asked = query.And([asked, _range(search.dates)])
        facets = sorting.Facets()
        for each in search.facets:
            # Dates too: its date buckets need bounds, and cost it more than values do.
            facets.add_facet(
                each.name, sorting.FieldFacet(each.field, maptype=sorting.Count)
            )
        by_date = search.sort is Sort.NEWEST
        options: dict[str, Any] = {"limit": search.limit, "groupedby": facets}
        if by_date:
            options |= {"sortedby": PUBLISHED, "reverse": True}

        def run() -> Answer:
            found = searcher.search(asked, **options)
            return Answer(
                hits=min(search.limit, len(found)),
                total=len(found),
                facets=sum(len(found.groups(each.name)) for each in search.facets),
            )

        return run

    def size(self) -> int:
        """Return how many bytes the index has on disk."""
        return sum(path.stat().st_size for path in self._folder.iterdir())

    def close(self) -> None:
        """Let go of files and memory."""
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

    def _query(self, asked: Query) -> Any:
        if isinstance(asked, And | Or):
            return self._compound(asked)
        if isinstance(asked, Not):
            return query.Not(self._query(asked.child))
        if isinstance(asked, All):
            return query.Every()
        if isinstance(asked, Range):
            return _range(asked)
        if isinstance(asked, Term):
            return self._words((asked.form,))
        if isinstance(asked, Phrase):
            return self._words(asked.forms)
        if isinstance(asked, Prefix):
            return query.Prefix(TEXT, asked.prefix)
        if isinstance(asked, Fuzzy):
            return query.FuzzyTerm(TEXT, asked.form, maxdist=asked.distance)
        raise Unsupported(type(asked).__name__)

    def _compound(self, asked: And | Or) -> Any:
        children = [self._query(child) for child in asked.children]
        children = [child for child in children if child != query.NullQuery]
        if not children:
            return query.NullQuery
        kind = query.And if isinstance(asked, And) else query.Or
        return kind(children)

    def _words(self, forms: Iterable[str]) -> Any:
        # Its analyzer drops stop words, in queries as in texts; so does its parser.
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
