"""Memory of a search: an upper bound of what it takes, before it is evaluated."""

from __future__ import annotations

from collections.abc import Mapping

from index.engines.whoosh.files import PARAGRAPH_WORDS, WORD_FIELDS
from index.engines.whoosh.searching.proximity import OCCURRENCE, ONE_PASS
from index.engines.whoosh.searching.query_tree import QueryTree
from index.engines.whoosh.searching.ranker import EXACT_ENTRIES, KEPT_ENTRIES
from index.engines.whoosh.searching.snapshot import IndexSnapshot
from index.engines.whoosh.searching.unions import ONE_RUN
from index.query import (
    All,
    And,
    Exact,
    Near,
    Not,
    Or,
    Phrase,
    Query,
    Range,
    Search,
    Term,
    Unit,
    WordLeaf,
    leaves,
    places_of,
    scoring_leaves,
)

# Bytes of a search for each document, each article, and each article by leaf and by
# facet: bitmaps are 1 byte, numbers of articles 8.
_DOCUMENT, _ARTICLE, _ARTICLE_LEAF, _ARTICLE_FACET = 3, 48, 10, 24
# For each row of the query, where it is evaluated by document: its number and article,
# and what tests it. For each of them in the context of a leaf. For each paragraph that
# is a hit: its number, its article and its score, once more while they are sorted.
_ROW, _CONTEXT, _CANDIDATE = 24, 5, 64
# For each document of a posting list: its own, while the lists of a prefix, a phrase
# and the like are joined; for each posting of one run of those.
_KEPT, _JOINED, _RUN = 12, 96, 40
# For each article of a posting list; for each paragraph of a hit and each leaf, while
# the hit is scored exactly.
_ARTICLE_KEPT, _ENTRY = 32, 80
# Words of a NEAR or a phrase that begin at one position: one, and a part of it.
_AT_ONE_POSITION = 2


def memory_of(snapshot: IndexSnapshot, search: Search, tree: QueryTree) -> int:
    """Upper bound of the bytes that a search takes.

    Only the posting lists of single words are looked up for it.
    """
    documents, articles = snapshot.documents, snapshot.articles
    words: list[int] = []
    others: list[WordLeaf] = []  # all but single words
    word_leaves = [
        leaf for leaf, _ in leaves(search.query) if not isinstance(leaf, Range)
    ]
    for leaf in word_leaves:
        words.append(_most_of_leaf(leaf, snapshot, search, tree))
        if not isinstance(leaf, Term):
            others.append(leaf)
    of_article = _ARTICLE + _ARTICLE_LEAF * len(words)
    of_article += _ARTICLE_FACET * len(search.facets)
    of_document, of_row = _DOCUMENT, 0
    if tree.by_document:
        of_document += len(words)
        of_row = _ROW + _CONTEXT * len(words)
    if search.unit is Unit.PARAGRAPH:
        of_row += _CANDIDATE
    size = articles * of_article + documents * of_document
    if of_row:
        lengths = dict(zip(word_leaves, words, strict=True))
        most = _most_matching(search, tree, lengths, documents)
        size += min(documents, most) * of_row
    if not words:
        return size
    if others:
        size += max(words) * _JOINED + ONE_RUN * _RUN
    together = [leaf for leaf in others if isinstance(leaf, Near | Phrase | Exact)]
    if together:
        longest = _AT_ONE_POSITION * _longest_row(snapshot)
        if longest > ONE_PASS:
            sums = [_most_occurrences(tree, leaf) for leaf in together]
            longest = min(longest, max(sums))
        size += (ONE_PASS + longest) * OCCURRENCE
    # By article: a list has no more of them than documents.
    size += sum([min(length, articles) for length in words]) * _ARTICLE_KEPT
    entries = KEPT_ENTRIES + EXACT_ENTRIES + len(words) * snapshot.largest
    return size + min(sum(words), entries) * _ENTRY + sum(words) * _KEPT


def _most_of_leaf(
    leaf: WordLeaf, snapshot: IndexSnapshot, search: Search, tree: QueryTree
) -> int:
    """Upper bound of the documents that match a leaf."""
    if not isinstance(leaf, Term):
        return snapshot.documents
    if tree.by_document:
        places = places_of(leaf, search.places)
        if places.whole or places.lines:
            return snapshot.documents  # a match counts for the whole article
    return tree.postings(leaf).document_count


def _most_matching(
    search: Search, tree: QueryTree, lengths: Mapping[WordLeaf, int], documents: int
) -> int:
    """Upper bound of the matching documents.

    :param lengths: upper bound for each leaf.
    """

    def most(query: Query) -> int:
        if isinstance(query, And):
            return min(map(most, query.children), default=documents)
        if isinstance(query, Or):
            return sum(map(most, query.children))
        if isinstance(query, Not | All | Range):
            return documents
        return lengths[query]

    if tree.by_document:
        return most(search.query)
    scoring = scoring_leaves(search.query)
    for leaf in scoring:
        places = places_of(leaf, search.places)
        if places.whole or places.lines:
            return documents  # of an article with the leaf elsewhere, all match
    # Those with a leaf match, or all of an article without any.
    return (
        sum([lengths[x] for x in scoring]) if _needs_word(search.query) else documents
    )


def _needs_word(query: Query) -> bool:
    """Whether a query is true only where a word outside any NOT is."""
    if isinstance(query, And):
        return any(map(_needs_word, query.children))
    if isinstance(query, Or):
        return all(map(_needs_word, query.children))
    return not isinstance(query, Not | All | Range)


def _longest_row(snapshot: IndexSnapshot) -> int:
    """Positions of the longest paragraph, or field of an article."""

    def compute() -> int:
        lengths = [segment.lengths for segment in snapshot.segments]
        for name in WORD_FIELDS:
            if name != PARAGRAPH_WORDS:
                lengths += [seg.line_lengths(name) for seg in snapshot.segments]
        return max((int(column.max(initial=0)) for column in lengths), default=0)

    return snapshot.memoized("longest row", compute)


def _most_occurrences(tree: QueryTree, leaf: Near | Phrase | Exact) -> int:
    """Upper bound of the occurrences of a leaf's words in one row."""
    return sum(
        tree.postings(Term(form, leaf.field)).highest_frequency for form in leaf.forms
    )
