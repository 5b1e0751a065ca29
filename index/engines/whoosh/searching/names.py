"""Names: values of a field, found by the starts of their words."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import numpy as np

from index.deadline import Check
from index.engines.facets import Counted, value_order
from index.engines.result import WordCount
from index.engines.whoosh.files import Array
from index.engines.whoosh.searching.evaluation import Evaluation
from index.engines.whoosh.searching.facets import spelling_counts
from index.engines.whoosh.searching.keyword_column import KeywordColumn
from index.engines.whoosh.searching.snapshot import IndexSnapshot
from index.text import has_words, may_share_a_word

_LAST = "\U0010ffff"  # sorts after every character of a word


def names(
    snapshot: IndexSnapshot,
    evaluation: Evaluation,
    field: str,
    typed: Sequence[str],
    limit: int,
) -> tuple[WordCount, ...]:
    """Values with words that start with the typed ones; see ``Snapshot.names``.

    The sorted words of each segment's values say which values to look at, and only the
    candidates for the first ``limit`` are put in order.
    """
    column = snapshot.keyword_column(field)
    # A word that is typed again narrows nothing here.
    first, *others = dict.fromkeys(typed)
    groups, leading = _groups(snapshot, column, field, first)
    for word in others:
        evaluation.check()
        groups = np.intersect1d(groups, _groups(snapshot, column, field, word)[0])
    evaluation.check()
    inside = evaluation.visible[column.articles]
    counts = np.bincount(column.groups[inside], minlength=len(column.keys))
    groups = groups[counts[groups] > 0]
    if may_share_a_word(typed):
        groups = np.array(
            list(_with_all_words(column, groups, typed, evaluation.check)), np.int64
        )
    if not len(groups) or not limit:
        return ()
    # Leading values come before all others, however frequent those are.
    ranks = counts[groups] + np.isin(groups, leading) * (snapshot.articles + 1)
    if len(groups) > limit:
        threshold = np.partition(ranks, len(ranks) - limit)[len(ranks) - limit]
        groups, ranks = groups[ranks >= threshold], ranks[ranks >= threshold]
    spelled = None
    if not column.has_sole_spellings:
        spelled = np.bincount(
            column.spelled[evaluation.visible[column.spelled_articles]],
            minlength=len(column.spellings),
        )
    rows = []
    for group, rank in zip(groups.tolist(), ranks.tolist(), strict=True):
        evaluation.check()
        articles = int(counts[group])
        spellings = spelling_counts(column, group, spelled)
        shown = Counted(articles=articles, spellings=spellings).shown
        rows.append((-rank, value_order(shown), articles))
    rows.sort()
    return tuple(
        WordCount(text=order[1], articles=articles)
        for _, order, articles in rows[:limit]
    )


def _with_all_words(
    column: KeywordColumn, groups: Array, typed: Sequence[str], check: Check
) -> Iterator[int]:
    """Yield the groups in which each typed word starts a word of its own."""
    for group in groups.tolist():
        check()
        if has_words(column.keys[group], typed):
            yield group


def _groups(
    snapshot: IndexSnapshot, column: KeywordColumn, field: str, word: str
) -> tuple[Array, Array]:
    """Groups with a word that starts so, and those whose first word does; ascending."""
    having, leading = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for segment, spelling_of_code in zip(
        snapshot.segments, column.spelling_of_code, strict=True
    ):
        forms, ends, entries = segment.words_of_values(field)
        low, high = bisect_left(forms, word), bisect_left(forms, word + _LAST)
        if low == high:
            continue
        found = entries[int(ends[low - 1]) if low else 0 : int(ends[high - 1])]
        groups = column.group_of_spelling[spelling_of_code[found >> 1]]
        having.append(groups)
        leading.append(groups[(found & 1).astype(bool)])
    return np.unique(np.concatenate(having)), np.unique(np.concatenate(leading))
