"""The words of visible articles: completions, and what a slip may have meant."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rapidfuzz.distance import OSA

from index.engines.result import WordCount
from index.engines.whoosh.files import PARAGRAPH_WORDS, FieldIndex
from index.engines.whoosh.searching.evaluation import Evaluation
from index.engines.whoosh.searching.snapshot import IndexSnapshot
from index.text import fold, is_plain


def completions(
    state: IndexSnapshot, evaluation: Evaluation, prefix: str, limit: int
) -> tuple[WordCount, ...]:
    """Return the words that start with a folded prefix, commonest first, then by word.

    A form is counted by its occurrences first; since it is in no more articles than
    that, it is looked at closely only while it can still be among the first.
    """
    bounds: dict[str, int] = {}
    for field, _ in _fields(state):
        for term in field.terms_with_prefix(prefix).tolist():
            evaluation.check()
            form, width = field.form(term)
            if width == 1 and is_plain(form):
                bounds[form] = bounds.get(form, 0) + field.occurrences(term)
    found: list[WordCount] = []
    for form in sorted(bounds, key=lambda each: (-bounds[each], each)):
        if len(found) >= limit and found[limit - 1].articles > bounds[form]:
            break
        evaluation.check()
        count = _visible_articles(state, evaluation, form)
        if count:
            found.append(WordCount(text=form, articles=count))
            found.sort(key=lambda word: (-word.articles, word.text))
            del found[limit:]
    return tuple(found[:limit])


def correction(state: IndexSnapshot, evaluation: Evaluation, form: str) -> str | None:
    """Return the commonest word of visible articles that is a slip from a form."""
    folded = fold(form)
    distance = 1 if len(folded) <= 4 else 2
    candidates: set[str] = set()
    for field, _ in _fields(state):
        evaluation.check()
        for term in field.terms_near(folded, distance).tolist():
            other, width = field.form(term)
            if width == 1 and fold(other) != folded and is_plain(other):
                candidates.add(other)
    best: tuple[int, int, str] | None = None
    by_distance = sorted(
        (OSA.distance(folded, fold(candidate)), candidate) for candidate in candidates
    )
    for edits, candidate in by_distance:
        if best is not None and edits > best[0]:
            break
        evaluation.check()
        count = _visible_articles(state, evaluation, candidate)
        if count:
            rank = (edits, -count, candidate)
            best = rank if best is None else min(best, rank)
    return None if best is None else best[2]


def _fields(state: IndexSnapshot) -> Iterator[tuple[FieldIndex, int]]:
    """Yield the paragraphs' words of each segment, and its first article."""
    for segment, base, _ in state.each():
        field = segment.field(PARAGRAPH_WORDS)
        if field is not None:
            yield field, base


def _visible_articles(state: IndexSnapshot, evaluation: Evaluation, form: str) -> int:
    mask = np.zeros(state.articles, bool)
    for segment, base, _ in state.each():
        field = segment.field(PARAGRAPH_WORDS)
        term = -1 if field is None else field.term_number(form)
        if field is None or term < 0:
            continue
        for number, tag in field.entries(term):
            rows, _ = field.tagged_postings(number, np.array([tag]))
            mask[segment.owner[rows] + base] = True
    return int(np.count_nonzero(mask & evaluation.visible))
