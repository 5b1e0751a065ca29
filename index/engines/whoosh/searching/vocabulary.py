"""The vocabulary of visible articles: completions, and corrections of misspellings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from heapq import heapify, heappop, heappush
from itertools import islice

import numpy as np
from rapidfuzz.distance import OSA

from index.engines.result import WordCount
from index.engines.whoosh.files import PARAGRAPH_WORDS, FieldIndex
from index.engines.whoosh.searching.evaluation import Evaluation
from index.engines.whoosh.searching.snapshot import IndexSnapshot
from index.text import fold, is_plain


def completions(
    snapshot: IndexSnapshot, evaluation: Evaluation, prefix: str, limit: int
) -> tuple[WordCount, ...]:
    """Words that start with a folded prefix, most frequent first, then by word.

    The occurrences of a word are an upper bound of its articles, and cheap to count.
    """
    bounds: dict[str, int] = {}
    for field in _paragraph_fields(snapshot):
        for term in field.terms_with_prefix(prefix).tolist():
            evaluation.check()
            form, width = field.form(term)
            if width == 1 and is_plain(form):
                bounds[form] = bounds.get(form, 0) + field.occurrences(term)
    return tuple(islice(_by_frequency(snapshot, evaluation, bounds), limit))


def corrections(
    snapshot: IndexSnapshot, evaluation: Evaluation, form: str
) -> Iterator[str]:
    """Yield words of visible articles close to a form, the closest first.

    Within one edit up to four characters, else within two. Of equally close words the
    most frequent comes first. Words are counted only once all before them are taken.
    """
    folded = fold(form)
    distance = 1 if len(folded) <= 4 else 2
    bounds: dict[str, int] = {}
    for field in _paragraph_fields(snapshot):
        evaluation.check()
        for term in field.terms_near(folded, distance, evaluation.check).tolist():
            other, width = field.form(term)
            if width == 1 and fold(other) != folded and is_plain(other):
                bounds[other] = bounds.get(other, 0) + field.occurrences(term)
    by_distance: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for other, bound in bounds.items():
        by_distance[OSA.distance(folded, fold(other))][other] = bound
    for edits in sorted(by_distance):
        for word in _by_frequency(snapshot, evaluation, by_distance[edits]):
            yield word.text


def _by_frequency(
    snapshot: IndexSnapshot, evaluation: Evaluation, bounds: Mapping[str, int]
) -> Iterator[WordCount]:
    """Yield words of visible articles, most frequent first, then by word.

    A word's articles are counted only once no other can come before it.

    :param bounds: words, and upper bounds of their articles.
    """
    # The second member: whether the first is the count, no longer a bound.
    heap = [(-bound, False, form) for form, bound in bounds.items()]
    heapify(heap)
    while heap:
        evaluation.check()
        number, counted, form = heappop(heap)
        if counted:
            yield WordCount(text=form, articles=-number)
        elif count := _visible_articles(snapshot, evaluation, form):
            heappush(heap, (-count, True, form))


def _paragraph_fields(snapshot: IndexSnapshot) -> Iterator[FieldIndex]:
    """The paragraph words of each segment."""
    for segment in snapshot.segments:
        field = segment.field(PARAGRAPH_WORDS)
        if field is not None:
            yield field


def _visible_articles(
    snapshot: IndexSnapshot, evaluation: Evaluation, form: str
) -> int:
    """Number of visible articles with a form in a paragraph."""
    mask = np.zeros(snapshot.articles, bool)
    for segment, base, _ in snapshot.segments_with_bases():
        field = segment.field(PARAGRAPH_WORDS)
        term = -1 if field is None else field.term_number(form)
        if field is None or term < 0:
            continue
        for number, tag in field.entries(term):
            rows, _ = field.tagged_postings(number, np.array([tag]))
            mask[segment.owner[rows] + base] = True
    return int(np.count_nonzero(mask & evaluation.visible))
