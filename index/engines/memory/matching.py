"""Which articles and paragraphs a query matches, and which of its leaves count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from index.article import DATE_FIELD_NAMES, Article
from index.engines.memory.docs import Doc, date_of, values_of
from index.engines.memory.postings import LeafPostings
from index.query import (
    All,
    And,
    Filter,
    Not,
    Or,
    Query,
    Range,
    Scope,
    Search,
    WordLeaf,
)
from index.text import field_key

# A leaf with its number among the scoring leaves: the same word may occur twice in q.
NumberedLeaf = tuple[int, WordLeaf]


class Matcher:
    """Matches one search against single articles.

    A *unit* is what all words of the query must occur in: an article (``None``) or a
    paragraph, by its number from 0.
    """

    def __init__(
        self, search: Search, postings: Mapping[WordLeaf, LeafPostings]
    ) -> None:
        self._query, self._scope = search.query, search.scope
        self._postings = postings

    def matches(self, doc: Doc) -> bool:
        """Whether the query matches an article."""
        return any(self._true(self._query, doc, unit) for unit in self._units(doc))

    def counting_leaves(self, doc: Doc, paragraph: int) -> list[NumberedLeaf]:
        """Leaves that count in a paragraph.

        A leaf counts if it is true, under no NOT, and in no AND that is false.
        """
        by_article = self._scope is Scope.ARTICLE
        return self._counting(doc, None if by_article else paragraph)

    def matching_paragraphs(self, doc: Doc) -> list[int]:
        """Paragraphs of a matching article that match, ascending.

        In the scope of an article: those with a leaf that counts, else all.
        """
        numbers = list(range(len(doc.passages)))
        if self._scope is Scope.PARAGRAPH:
            return [n for n in numbers if self._true(self._query, doc, n)]
        matching: set[int] = set()
        for _, leaf in self._counting(doc, None):
            if not self._postings[leaf].places.whole:
                matching.update(self._postings[leaf].passages.get(doc, ()))
        return sorted(matching) or numbers

    def _true(self, query: Query, doc: Doc, unit: int | None) -> bool:
        if isinstance(query, And):
            return all(self._true(child, doc, unit) for child in query.children)
        if isinstance(query, Or):
            return any(self._true(child, doc, unit) for child in query.children)
        if isinstance(query, Not):
            return not self._true(query.child, doc, unit)
        if isinstance(query, All):
            return True
        if isinstance(query, Range):
            return in_range(doc.article, query)
        return self._postings[query].match(doc, unit)

    def _units(self, doc: Doc) -> list[int | None]:
        if self._scope is Scope.ARTICLE:
            return [None]
        return list(range(len(doc.passages)))

    def _counting(self, doc: Doc, unit: int | None) -> list[NumberedLeaf]:
        def walk(query: Query, holds: bool) -> Iterator[tuple[WordLeaf, bool]]:
            if isinstance(query, And):
                holds = holds and self._true(query, doc, unit)
                for child in query.children:
                    yield from walk(child, holds)
            elif isinstance(query, Or):
                for child in query.children:
                    yield from walk(child, holds)
            elif not isinstance(query, Not | All | Range):
                yield query, holds and self._true(query, doc, unit)

        leaves = enumerate(walk(self._query, True))
        return [(number, leaf) for number, (leaf, counts) in leaves if counts]


# Filters.


def in_range(article: Article, bounds: Range) -> bool:
    """Whether a date or number of an article is in a range."""
    if bounds.field in DATE_FIELD_NAMES:
        value = date_of(article, bounds.field)
    else:
        value = getattr(article, bounds.field)
    return (
        value is not None
        and (bounds.low is None or value >= bounds.low)
        and (bounds.high is None or value <= bounds.high)
    )


def excluded(article: Article, search: Search) -> bool:
    """Whether an article has a value that a filter excludes."""
    return any(
        filter_.exclude and _has_value(article, filter_) for filter_ in search.filters
    )


def included(article: Article, search: Search, *, besides: str = "") -> bool:
    """Whether an article passes the filters that include values.

    Filters of the same field are alternatives; fields are combined by AND.

    :param besides: a field whose filters are ignored.
    """
    passed: dict[str, bool] = {}
    for filter_ in search.filters:
        if not filter_.exclude and filter_.field != besides:
            has = _has_value(article, filter_)
            passed[filter_.field] = passed.get(filter_.field, False) or has
    return all(passed.values())


def _has_value(article: Article, filter_: Filter) -> bool:
    field = filter_.field
    values = {field_key(field, value) for value in values_of(article, field)}
    chosen = {field_key(field, value) for value in filter_.values}
    return bool(values & chosen) or (filter_.missing and not values)
