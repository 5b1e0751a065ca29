"""Memory of a search: an upper bound of what it takes, before it is evaluated."""

from __future__ import annotations

from index.engines.whoosh.files import PARAGRAPH_WORDS, WORD_FIELDS
from index.engines.whoosh.searching.proximity import OCCURRENCE, ONE_PASS
from index.engines.whoosh.searching.query_tree import QueryTree
from index.engines.whoosh.searching.snapshot import IndexSnapshot
from index.engines.whoosh.searching.sparse import EXACT_ENTRIES, KEPT_ENTRIES
from index.engines.whoosh.searching.unions import ONE_RUN
from index.query import (
    Exact,
    Near,
    Phrase,
    Range,
    Scope,
    Search,
    Term,
    Unit,
    leaves,
)

# Bytes of a search for each document, each article, and each of these by leaf. Scores
# are 8 bytes, numbers of articles 8, those of documents 4, bitmaps 1.
_DOCUMENT, _ARTICLE, _ARTICLE_LEAF, _ARTICLE_FACET = 12, 48, 2, 24
# For each document of a posting list: while one leaf is scored, and what stays of it;
# while the lists of a prefix, a phrase and the like are joined.
_SCORED, _KEPT, _JOINED = 64, 9, 32
_RUN = 40  # for each posting of one run of those
# For each article of a posting list, of searches for articles; for each paragraph of a
# hit and each leaf, while the hit is scored exactly.
_ARTICLE_KEPT, _ENTRY = 32, 80
# Words of a NEAR or a phrase that begin at one position: one, and a part of it.
_AT_ONE_POSITION = 2


def is_dense(search: Search) -> bool:
    """Whether a search needs the truth and the score of each document."""
    return search.scope is Scope.PARAGRAPH or search.unit is Unit.PARAGRAPH


def memory_of(
    snapshot: IndexSnapshot, search: Search, tree: QueryTree, small: float
) -> int:
    """Upper bound of the bytes that a search takes.

    :param small: bytes up to which the bound need not be close: leaves then count as if
        every document had them.
    """
    documents, articles = snapshot.documents, snapshot.articles
    words = [leaf for leaf, _ in leaves(search.query) if not isinstance(leaf, Range)]
    is_by_document = search.scope is Scope.PARAGRAPH
    fixed = documents * _DOCUMENT if is_dense(search) else documents
    fixed += articles * (_ARTICLE + _ARTICLE_FACET * len(search.facets))
    by_leaf = articles * _ARTICLE_LEAF + documents * is_by_document
    fixed += len(words) * by_leaf
    together = [leaf for leaf in words if isinstance(leaf, Near | Phrase | Exact)]
    longest = _AT_ONE_POSITION * _longest_row(snapshot) if together else 0
    of_document = _KEPT if is_dense(search) else _ARTICLE_KEPT + _ENTRY
    bound = fixed + documents * (_SCORED + _JOINED + of_document * len(words))
    if together:
        bound += (ONE_PASS + longest) * OCCURRENCE
    if bound <= small or not words:
        return bound
    lengths = [
        tree.postings(leaf).document_count if isinstance(leaf, Term) else documents
        for leaf in words
    ]
    joined = 0
    if not all(isinstance(leaf, Term) for leaf in words):
        joined, fixed = _JOINED, fixed + ONE_RUN * _RUN
    if together:
        if longest > ONE_PASS:
            sums = [_most_occurrences(tree, leaf) for leaf in together]
            longest = min(longest, max(sums))
        fixed += (ONE_PASS + longest) * OCCURRENCE
    if is_dense(search):
        kept = sum(lengths) * _KEPT
    else:
        # By article: a list has no more of them than documents.
        kept = sum(min(length, articles) for length in lengths) * _ARTICLE_KEPT
        entries = KEPT_ENTRIES + EXACT_ENTRIES + len(words) * snapshot.largest
        kept += min(sum(lengths), entries) * _ENTRY
    return fixed + kept + max(lengths) * (_SCORED + joined)


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
