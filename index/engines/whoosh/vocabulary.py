"""The words of visible articles: completions, and what a slip may have meant."""

from __future__ import annotations

import numpy as np
from rapidfuzz.distance import OSA

from index.engines.whoosh.schema import PARAGRAPH_WORDS
from index.engines.whoosh.search import Evaluation
from index.engines.whoosh.state import State
from index.result import WordCount
from index.text import fold, is_plain


def words(
    state: State, evaluation: Evaluation, prefix: str, limit: int
) -> tuple[WordCount, ...]:
    """Return the words that start with a folded prefix, commonest first, then by word.

    A form is counted by its postings first; since hidden articles only lower that, it
    is looked at closely only while it can still be among the first.
    """
    bounds: dict[str, int] = {}
    for segment in state.segments:
        table = segment.words(PARAGRAPH_WORDS)
        for number in table.starting(prefix):
            evaluation.check()
            if table.widths[number] == 1 and is_plain(table.forms[number]):
                rows, _ = segment.frequencies(PARAGRAPH_WORDS, number)
                form = table.forms[number]
                bounds[form] = bounds.get(form, 0) + len(rows)
    found: list[WordCount] = []
    for form in sorted(bounds, key=lambda each: (-bounds[each], each)):
        if len(found) >= limit and found[limit - 1].articles > bounds[form]:
            break
        evaluation.check()
        count = _visible_articles(state, evaluation, form)
        if count:
            found.append(WordCount(text=form, articles=count))
            found.sort(key=lambda word: (-word.articles, word.text))
    return tuple(found[:limit])


def similar(state: State, evaluation: Evaluation, form: str) -> str | None:
    """Return the commonest word of visible articles that is a slip from a form."""
    folded = fold(form)
    distance = 1 if len(folded) <= 4 else 2
    candidates: set[str] = set()
    for segment in state.segments:
        table = segment.words(PARAGRAPH_WORDS)
        evaluation.check()
        candidates.update(
            table.forms[number]
            for number in table.near(folded, distance)
            if table.widths[number] == 1
            and table.folded[number] != folded
            and is_plain(table.forms[number])
        )
    best: tuple[int, int, str] | None = None
    for candidate in sorted(candidates):
        evaluation.check()
        count = _visible_articles(state, evaluation, candidate)
        if count:
            rank = (OSA.distance(folded, fold(candidate)), -count, candidate)
            best = rank if best is None else min(best, rank)
    return None if best is None else best[2]


def _visible_articles(state: State, evaluation: Evaluation, form: str) -> int:
    mask = np.zeros(state.articles, bool)
    for segment, articles, paragraphs in zip(
        state.segments, state.article_bases, state.paragraph_bases, strict=True
    ):
        del articles
        table = segment.words(PARAGRAPH_WORDS)
        for number in table.by_form.get(form, ()):
            if table.widths[number] == 1:
                rows, _ = segment.frequencies(PARAGRAPH_WORDS, number)
                mask[state.owner[rows + paragraphs]] = True
    return int((mask & evaluation.visible).sum())
