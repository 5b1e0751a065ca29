"""Memory of a search: an upper bound of what it takes, before it is evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from index.engines.whoosh.files import PARAGRAPH_WORDS, WORD_FIELDS, Array
from index.engines.whoosh.searching.proximity import OCCURRENCE, ONE_PASS
from index.engines.whoosh.searching.query_tree import QueryTree
from index.engines.whoosh.searching.ranker import EXACT_ENTRIES, KEPT_ENTRIES
from index.engines.whoosh.searching.segment_postings import Joined, joined_in
from index.engines.whoosh.searching.snapshot import IndexSnapshot
from index.engines.whoosh.searching.unions import ONE_RUN
from index.query import (
    All,
    And,
    Exact,
    Fuzzy,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Range,
    Search,
    Term,
    Unit,
    Wildcard,
    WordLeaf,
    leaves,
    places_of,
    scoring_leaves,
)

# Bytes of a search for each document and each article: bitmaps are 1 byte. For each
# article that matches, by leaf and by facet: numbers of articles are 8.
_DOCUMENT, _ARTICLE_BITMAPS = 3, 4
_ARTICLE, _ARTICLE_LEAF, _ARTICLE_FACET = 48, 10, 24
# For each row of the query, where it is evaluated by document: its number and article,
# and what tests it. For each of them in the context of a leaf. For each paragraph that
# is a hit: its number, its article and its score, once more while they are sorted.
_ROW, _CONTEXT, _CANDIDATE = 24, 5, 64
# For each document of a posting list: its own, while the lists of a prefix, a phrase
# and the like are joined; for each posting of one run of those.
_KEPT, _JOINED, _RUN = 12, 96, 40
# For each article of a posting list, 16 of them for upper bounds by number: then it has
# a quarter of all articles. For each paragraph of a hit and each leaf, while the hit is
# scored exactly.
_ARTICLE_KEPT, _ENTRY = 48, 80
# Words of a NEAR or a phrase that begin at one position: one, and a part of it.
_AT_ONE_POSITION = 2
_SAMPLES = 1_000  # of the documents that the largest articles have together


def memory_of(
    snapshot: IndexSnapshot, search: Search, tree: QueryTree, *, closely: bool = False
) -> int:
    """Upper bound of the bytes that a search takes.

    :param closely: look up the posting lists of phrases, prefixes and the like; by
        default those of single words only, and the others may match everything.
    """
    documents, articles = snapshot.documents, snapshot.articles
    words: list[int] = []  # for each leaf, the documents that match it at most
    others: list[WordLeaf] = []  # all but single words
    joining = 0  # bytes while the lists of one leaf are joined
    word_leaves = [
        leaf for leaf, _ in leaves(search.query) if not isinstance(leaf, Range)
    ]
    for leaf in word_leaves:
        joined = _joined(leaf, snapshot, search, tree) if closely else None
        words.append(_most_of_leaf(leaf, snapshot, search, tree, joined))
        if not isinstance(leaf, Term):
            others.append(leaf)
            joining = max(
                joining, documents * _JOINED if joined is None else joined.bytes
            )
    most = documents
    if closely or tree.by_document or search.unit is Unit.PARAGRAPH:
        lengths = dict(zip(word_leaves, words, strict=True))
        most = min(documents, _most_matching(search, tree, lengths, documents))
    of_article = _ARTICLE + _ARTICLE_LEAF * len(words)
    of_article += _ARTICLE_FACET * len(search.facets)
    of_document, of_row = _DOCUMENT, 0
    if tree.by_document:
        of_document += len(words)
        of_row = _ROW + _CONTEXT * len(words)
    if search.unit is Unit.PARAGRAPH:
        of_row += _CANDIDATE
    bitmaps = articles * (_ARTICLE_BITMAPS + len(words))
    size = bitmaps + min(articles, most) * of_article + documents * of_document
    size += most * of_row
    if not words:
        return size
    if others:
        size += joining + ONE_RUN * _RUN
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
    leaf: WordLeaf,
    snapshot: IndexSnapshot,
    search: Search,
    tree: QueryTree,
    joined: Joined | None,
) -> int:
    """Upper bound of the documents that match a leaf."""
    if not isinstance(leaf, Term) and joined is None:
        return snapshot.documents
    if tree.by_document:
        places = places_of(leaf, search.places)
        if places.whole or places.lines:
            return snapshot.documents  # a match counts for the whole article
    if joined is not None:
        return min(joined.rows, snapshot.documents)
    return tree.postings(leaf).document_count


def _joined(
    leaf: WordLeaf, snapshot: IndexSnapshot, search: Search, tree: QueryTree
) -> Joined | None:
    """Upper bounds of what joining the lists of a leaf comes to.

    ``None`` if it stands for too many words: then its lists are not looked up.
    """
    if (known := tree.known_postings(leaf)) is not None:
        return Joined(known.document_count + len(known.all_articles), 0)
    places = places_of(leaf, search.places)
    names = ((PARAGRAPH_WORDS,) if places.passages else ()) + places.lines
    terms: dict[tuple[str, str], Array] = {}
    if isinstance(leaf, Prefix | Wildcard | Fuzzy):
        expansions = tree.expansions_of(leaf, places)
        if sum(len(each.terms) for each in expansions) > tree.limit:
            return None
        terms = {(each.segment.id, each.field.name): each.terms for each in expansions}
    most_documents = snapshot.memoized("largest articles", lambda: _largest(snapshot))
    parts = [
        joined_in(
            *(segment, field, leaf, tree.check),
            terms=terms.get((segment.id, name)),
            most_documents=most_documents,
        )
        for segment in snapshot.segments
        for name in names
        if (field := segment.field(name)) is not None
    ]
    return Joined(sum(part.rows for part in parts), sum(part.bytes for part in parts))


def _largest(snapshot: IndexSnapshot) -> Callable[[int], int]:
    """A function from a number of articles to the documents that they have at most."""
    step = -(-max(1, snapshot.articles) // _SAMPLES)
    descending = -np.sort(-snapshot.sizes)
    starts = np.arange(0, snapshot.articles, step)
    sums = np.add.reduceat(descending, starts, dtype=np.int64)
    together = np.append(0, sums.cumsum()).tolist()

    def most_documents(articles: int) -> int:
        return int(together[min(-(-articles // step), len(together) - 1)])

    return most_documents


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
