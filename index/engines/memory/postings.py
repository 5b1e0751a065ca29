"""Where a leaf of the query occurs, article by article."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from index.deadline import Check, until
from index.engines.memory.docs import Doc, Docs
from index.errors import InvalidQuery
from index.query import (
    All,
    And,
    Fuzzy,
    LeafStatistics,
    Not,
    Or,
    Places,
    Prefix,
    Query,
    Range,
    Search,
    Wildcard,
    WordLeaf,
    form_tests,
    occurrences,
    places_of,
)


@dataclass(slots=True)
class LeafPostings:
    """The occurrences of a leaf.

    :ivar passages: article → paragraph → frequency, where the leaf occurs.
    :ivar lines: article → field of its own → frequency.
    """

    places: Places
    passages: dict[Doc, dict[int, int]] = field(default_factory=dict)
    lines: dict[Doc, dict[str, int]] = field(default_factory=dict)

    def match(self, doc: Doc, paragraph: int | None = None) -> bool:
        """Whether the leaf matches an article, or one of its paragraphs."""
        if doc in self.lines:
            return True
        if paragraph is None or self.places.whole:
            return doc in self.passages
        return paragraph in self.passages.get(doc, {})

    @property
    def articles(self) -> set[Doc]:
        """Articles in which the leaf occurs."""
        return {*self.passages, *self.lines}

    def statistics(self, docs: Docs) -> LeafStatistics:
        """Document frequencies of the leaf among some articles."""
        return LeafStatistics(
            articles=sum(doc in docs for doc in self.articles),
            paragraphs=sum(
                len(paragraphs)
                for doc, paragraphs in self.passages.items()
                if doc in docs
            ),
        )


def all_postings(
    docs: Docs, search: Search, *, expansions: int
) -> dict[WordLeaf, LeafPostings]:
    """Look up all word leaves of a search; see :func:`postings_of`."""
    check = until(search.deadline)
    return {
        leaf: postings_of(leaf, docs, search, expansions=expansions, check=check)
        for leaf in dict.fromkeys(word_leaves(search.query))
    }


def postings_of(
    leaf: WordLeaf, docs: Docs, search: Search, *, expansions: int, check: Check
) -> LeafPostings:
    """Look up a leaf in all articles.

    :param expansions: how many words a prefix, wildcard or fuzzy term may stand for.
    :param check: called for each article; see :func:`index.deadline.until`.
    :raises InvalidQuery: the leaf stands for more words than that.
    """
    postings = LeafPostings(places_of(leaf, search.places))
    public = docs.public(search)
    for doc in _candidates(leaf, docs, public, postings.places, expansions):
        check()
        passages = {
            number: frequency
            for number, (tokens, name) in enumerate(
                zip(doc.passages, doc.fields, strict=True)
            )
            if name in postings.places.passages
            and (frequency := len(occurrences(tokens, leaf, doc.language, check)))
        }
        lines = {
            name: frequency
            for name in postings.places.lines
            if (
                frequency := sum(
                    len(occurrences(tokens, leaf, doc.language, check))
                    for tokens in doc.lines.get(name, ())
                )
            )
        }
        if passages:
            postings.passages[doc] = passages
        if lines:
            postings.lines[doc] = lines
    return postings


def word_leaves(query: Query) -> Iterator[WordLeaf]:
    """Yield the leaves of a query that are looked up in texts."""
    if isinstance(query, And | Or):
        for child in query.children:
            yield from word_leaves(child)
    elif isinstance(query, Not):
        yield from word_leaves(query.child)
    elif not isinstance(query, All | Range):
        yield query


def _candidates(
    leaf: WordLeaf, docs: Docs, public: Docs, places: Places, expansions: int
) -> set[Doc]:
    """Articles with all words of a leaf, in any field.

    :param public: those whose words count for the limit of expansions.
    """
    if isinstance(leaf, Prefix | Wildcard | Fuzzy):
        (test,) = form_tests(leaf, "")
        forms, having = docs.with_form(test)
        counted = {doc for doc in having if doc in public}
        _check_expansions(leaf, forms, counted, places, expansions)
        return having
    candidates: set[Doc] = set()
    for language in {doc.language for doc in docs}:
        having = {doc for doc in docs if doc.language == language}
        for test in form_tests(leaf, language):
            having &= docs.with_form(test)[1]
        candidates |= having
    return candidates


def _check_expansions(
    leaf: WordLeaf, forms: set[str], docs: set[Doc], places: Places, limit: int
) -> None:
    if len(forms) <= limit:
        return
    occurring: set[str] = set()
    for doc in docs:
        if places.passages:
            occurring.update(form for tokens in doc.passages for form in tokens.forms)
        for name in places.lines:
            for tokens in doc.lines.get(name, ()):
                occurring.update(tokens.forms)
    words = len(forms & occurring)
    if words > limit:
        raise InvalidQuery(
            f"{leaf.text} matches more than {limit:,} words; write more letters",
            code="wildcard_too_broad",
            limit=limit,
        )
