"""The limit of expansions: how many words a prefix, wildcard or fuzzy term stands for.

Only words of articles that the public may see now count: whether a search is refused
must not tell of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from index.deadline import Check
from index.engines.whoosh.files import (
    PARAGRAPH_WORDS,
    Array,
    FieldIndex,
    Mask,
    Segment,
)
from index.engines.whoosh.searching.segment_postings import expanded_terms
from index.engines.whoosh.searching.snapshot import IndexSnapshot
from index.errors import InvalidQuery
from index.query import Fuzzy, Places, Prefix, Wildcard

_AT_ONCE = 2_000  # terms of which the postings are read at a time


class Expansion(NamedTuple):
    """Terms of a field of one segment to which a leaf expands.

    :param base: number of the segment's first article.
    """

    terms: Array
    field: FieldIndex
    segment: Segment
    base: int


def expansions_of(
    snapshot: IndexSnapshot,
    leaf: Prefix | Wildcard | Fuzzy,
    places: Places,
    check: Check,
) -> list[Expansion]:
    """Terms to which a leaf expands, in each field and segment that has some."""
    names = ((PARAGRAPH_WORDS,) if places.passages else ()) + places.lines
    expansions: list[Expansion] = []
    for segment, base, _ in snapshot.segments_with_bases():
        for name in names:
            check()
            field = segment.field(name)
            if field is not None:
                terms = expanded_terms(field, leaf, check)
                if len(terms):
                    expansions.append(Expansion(terms, field, segment, base))
    return expansions


def limit_expansions(
    leaf: Prefix | Wildcard | Fuzzy,
    expansions: Sequence[Expansion],
    *,
    limit: int,
    counted: Callable[[], Mask | None],
    check: Check,
) -> bool:
    """Refuse a leaf that expands to too many words; return whether it never will.

    :param counted: bitmap of the articles whose words count; ``None`` for all.
    :return: whether it expands to at most ``limit`` words with those of all articles.
    :raises InvalidQuery: code ``wildcard_too_broad``.
    """
    if sum(len(each.terms) for each in expansions) <= limit:
        return True
    forms: set[str] = set()
    for each in expansions:
        check()
        forms.update(each.field.form(term)[0] for term in each.terms.tolist())
    if len(forms) <= limit:
        return True
    bitmap = counted()
    if bitmap is None or _exceeds(expansions, bitmap, limit, check):
        raise InvalidQuery(
            f"{leaf.text} matches more than {limit:,} words; write more letters",
            code="wildcard_too_broad",
            limit=limit,
        )
    return False


def _exceeds(
    expansions: Sequence[Expansion], counted: Mask, limit: int, check: Check
) -> bool:
    """Whether more than ``limit`` words occur in counted articles.

    No more terms are looked at than are needed to say so.
    """
    forms: set[str] = set()
    for terms, field, segment, base in expansions:
        is_paragraphs = field is segment.field(PARAGRAPH_WORDS)
        articles = counted[base : base + segment.articles]

        def inside(
            rows: Array,
            articles: Mask = articles,
            owner: Array | None = segment.owner if is_paragraphs else None,
        ) -> Mask:
            return np.asarray(articles[rows if owner is None else owner[rows]])

        for start in range(0, len(terms), _AT_ONCE):
            check()
            some = terms[start : start + _AT_ONCE]
            for term in some[field.occurring_in(some, inside)].tolist():
                forms.add(field.form(term)[0])
            if len(forms) > limit:
                return True
    return False
