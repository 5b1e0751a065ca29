"""Memory of a search: an upper bound of what it takes, before it is evaluated."""

from __future__ import annotations

from index.engines.whoosh.files import PARAGRAPH_WORDS, WORD_FIELDS
from index.engines.whoosh.searching.proximity import OCCURRENCE, ONE_PASS
from index.engines.whoosh.searching.query_tree import QueryTree
from index.engines.whoosh.searching.ranker import EXACT_ENTRIES, KEPT_ENTRIES
from index.engines.whoosh.searching.snapshot import IndexSnapshot
from index.engines.whoosh.searching.unions import ONE_RUN
from index.query import (
    Exact,
    Near,
    Phrase,
    Range,
    Search,
    Term,
    Unit,
    leaves,
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


def memory_of(
    snapshot: IndexSnapshot, search: Search, tree: QueryTree, small: float
) -> int:
    """Upper bound of the bytes that a search takes.

    :param small: bytes up to which the bound need not be close: leaves then count as if
        every document had them.
    """
    documents, articles = snapshot.documents, snapshot.articles
    words = [leaf for leaf, _ in leaves(search.query) if not isinstance(leaf, Range)]
    of_article = _ARTICLE + _ARTICLE_LEAF * len(words)
    of_article += _ARTICLE_FACET * len(search.facets)
    of_document, of_row = _DOCUMENT, 0
    if tree.by_document:
        of_document += len(words)
        of_row = _ROW + _CONTEXT * len(words)
    if search.unit is Unit.PARAGRAPH:
        of_row += _CANDIDATE
    fixed = articles * of_article + documents * of_document
    together = [leaf for leaf in words if isinstance(leaf, Near | Phrase | Exact)]
    longest = _AT_ONE_POSITION * _longest_row(snapshot) if together else 0
    of_leaf = _KEPT + _ARTICLE_KEPT + _ENTRY
    bound = fixed + documents * (of_row + _JOINED + of_leaf * len(words))
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
    # By article: a list has no more of them than documents.
    kept = sum(min(length, articles) for length in lengths) * _ARTICLE_KEPT
    entries = KEPT_ENTRIES + EXACT_ENTRIES + len(words) * snapshot.largest
    kept += min(sum(lengths), entries) * _ENTRY + sum(lengths) * _KEPT
    if of_row:
        kept += min(documents, tree.most_documents) * of_row
    return fixed + kept + max(lengths) * joined


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
