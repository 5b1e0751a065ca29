"""The difference of two versions of an article: paragraph by paragraph, word by word.

Equal paragraphs are aligned first, in the order that keeps most of them. Those in the
gaps between are paired by the words they share. A difference is complete: each version
can be rebuilt from it and the other version.

Time and memory are bounded, to about a second for the longest articles. Finding words
takes most of it: once the budget of a difference is spent, the remaining texts count as
replaced, and the difference is marked as coarse.
"""

from __future__ import annotations

import html
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from index.article import Article, Paragraph, Role, document_of
from index.errors import LimitExceeded
from index.history.alignment import matching_blocks
from index.history.budget import FINDING_WORDS, Budget, steps_of
from index.history.word_changes import word_changes
from index.text import Span, analyse

SIMILAR = 0.4  # share of common words that makes two paragraphs one changed paragraph
_MOST_IN_GAP = 10_000  # pairs of paragraphs that are compared in one gap
_MOST_IN_ALL = 100_000  # and in a whole difference
_AHEAD = 4  # paragraphs to compare one with in a gap that has too many pairs
MOST_PARAGRAPHS = 25_000  # of both versions together: the answer contains them all


class ChangeKind(StrEnum):
    """How a paragraph changed."""

    UNCHANGED = "unchanged"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParagraphChange:
    """A paragraph of one version, or a pair of paragraphs, one of each version.

    The text of ``old`` without ``removed`` is the text of ``new`` without ``added``.

    :param old: ``None`` for an added paragraph.
    :param new: ``None`` for a removed one.
    :param removed: spans of the old text, in order; no two touch.
    :param added: spans of the new text, likewise.
    :param html: both texts in one, escaped, with ``<del>`` and ``<ins>``.
    :param moved: for a removed or added paragraph: its number in the other version, if
        the same text is there.
    """

    kind: ChangeKind
    old: Paragraph | None
    new: Paragraph | None
    removed: tuple[Span, ...] = ()
    added: tuple[Span, ...] = ()
    html: str
    moved: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """A field that differs, with both values as JSON; ``None`` if it has no value."""

    name: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The changes from one version of an article to another.

    :param old: the version that the changes start from.
    :param new: the version that they lead to.
    :param coarse: the texts were too long to compare all of them word by word, so some
        changed paragraphs count as replaced, or as removed and added, as a whole.
    """

    id: str
    old: str
    new: str
    coarse: bool
    fields: tuple[FieldChange, ...]
    paragraphs: tuple[ParagraphChange, ...]


def difference_of(old: Article, new: Article) -> Difference:
    """Difference of two versions of an article.

    :raises LimitExceeded: together they have too many paragraphs.
    """
    assert old.version is not None and new.version is not None, "both are stored"
    count = len(old.paragraphs) + len(new.paragraphs)
    if count > MOST_PARAGRAPHS:
        raise LimitExceeded("paragraphs", limit=MOST_PARAGRAPHS, got=count)
    budget = Budget()
    paragraphs = paragraph_changes(old.paragraphs, new.paragraphs, budget)
    return Difference(
        id=new.id,
        old=old.version,
        new=new.version,
        coarse=budget.coarse,
        fields=field_changes(old, new),
        paragraphs=paragraphs,
    )


def paragraph_changes(
    old: Sequence[Paragraph], new: Sequence[Paragraph], budget: Budget | None = None
) -> tuple[ParagraphChange, ...]:
    """Change of every paragraph, in reading order; removed ones before added ones.

    :param budget: charged for the texts that are read.
    """
    return _with_moves(list(_changes(old, new, budget or Budget())))


def field_changes(old: Article, new: Article) -> tuple[FieldChange, ...]:
    """Fields that differ, the headline included, by their names in JSON.

    Members of ``extra`` count as fields, named ``extra.NAME``. The version is not one.
    """
    before, after = _flat(old), _flat(new)
    return tuple(
        FieldChange(name=name, old=before.get(name), new=after.get(name))
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    )


def _flat(article: Article) -> dict[str, Any]:
    document = document_of(article)
    for name in ("id", "version", "paragraphs"):
        document.pop(name, None)
    extra = document.pop("extra", {})
    return document | {f"extra.{name}": value for name, value in extra.items()}


def _changes(
    old: Sequence[Paragraph], new: Sequence[Paragraph], budget: Budget
) -> Iterator[ParagraphChange]:
    comparisons = _MOST_IN_ALL
    old_start = new_start = 0
    if old and new and old[0].n == new[0].n == 0:
        # Headlines are always a pair, even without a word in common.
        yield _pair(old[0], new[0], budget)
        old_start = new_start = 1
    # As paragraph keys, but without the count of the same text further up.
    old_items = [(paragraph.role, paragraph.text) for paragraph in old]
    new_items = [(paragraph.role, paragraph.text) for paragraph in new]
    for block in matching_blocks(old_items, new_items, old_start, new_start):
        before, after = old[old_start : block.old], new[new_start : block.new]
        pairable = len(before) * len(after)
        steps = sum(
            steps_of(paragraph.text, FINDING_WORDS) for paragraph in (*before, *after)
        )
        if not pairable or not budget.spend(steps):
            pairs = []
        elif pairable <= min(_MOST_IN_GAP, comparisons):
            comparisons -= pairable
            pairs = _best_pairs(before, after)
        else:
            pairs = _near_pairs(before, after)
        yield from _gap(before, after, pairs, budget)
        old_start, new_start = block.old_end, block.new_end
        for first, second in zip(
            old[block.old : old_start], new[block.new : new_start], strict=True
        ):
            yield _pair(first, second, budget)


def _gap(
    old: Sequence[Paragraph],
    new: Sequence[Paragraph],
    pairs: list[tuple[int, int]],
    budget: Budget,
) -> Iterator[ParagraphChange]:
    """Yield the changes of the paragraphs between two equal blocks."""
    old_start = new_start = 0
    for i, j in pairs:
        yield from _unpaired(old[old_start:i], new[new_start:j])
        yield _pair(old[i], new[j], budget)
        old_start, new_start = i + 1, j + 1
    yield from _unpaired(old[old_start:], new[new_start:])


def _best_pairs(
    old: Sequence[Paragraph], new: Sequence[Paragraph]
) -> list[tuple[int, int]]:
    """Pairs, ascending on both sides, with the highest sum of similarities."""
    old_words, new_words = _words(old), _words(new)
    alike = [
        [_similarity(first, second) for second in new_words] for first in old_words
    ]
    # best[i][j]: the highest sum for the paragraphs from i and j on.
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in reversed(range(len(old))):
        row, below = best[i], best[i + 1]
        for j in reversed(range(len(new))):
            row[j] = max(below[j], row[j + 1])
            if alike[i][j] >= SIMILAR:
                row[j] = max(row[j], alike[i][j] + below[j + 1])
    pairs: list[tuple[int, int]] = []
    i = j = 0
    while i < len(old) and j < len(new):
        if alike[i][j] >= SIMILAR and best[i][j] == alike[i][j] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _near_pairs(
    old: Sequence[Paragraph], new: Sequence[Paragraph]
) -> list[tuple[int, int]]:
    """Pairs where there are too many to compare all: each with one of the next few.

    Both sides are walked at a pace that reaches their ends together.
    """
    old_words, new_words = _words(old), _words(new)
    pairs: list[tuple[int, int]] = []
    next_new = 0
    for i, first in enumerate(old_words):
        start = max(next_new, i * len(new) // len(old) - _AHEAD // 2)
        alike = [
            _similarity(first, second) for second in new_words[start : start + _AHEAD]
        ]
        if alike and max(alike) >= SIMILAR:
            j = start + alike.index(max(alike))
            pairs.append((i, j))
            next_new = j + 1
    return pairs


def _words(paragraphs: Sequence[Paragraph]) -> list[frozenset[str]]:
    return [frozenset(analyse(paragraph.text).forms) for paragraph in paragraphs]


def _similarity(old: frozenset[str], new: frozenset[str]) -> float:
    """Dice coefficient of two sets of words."""
    common = len(old & new)
    return 2 * common / (len(old) + len(new)) if common else 0.0


def _pair(old: Paragraph, new: Paragraph, budget: Budget) -> ParagraphChange:
    removed, added, markup = word_changes(old.text, new.text, budget)
    equal = (old.role, old.text, old.credit) == (new.role, new.text, new.credit)
    return ParagraphChange(
        kind=ChangeKind.UNCHANGED if equal else ChangeKind.CHANGED,
        old=old,
        new=new,
        removed=removed,
        added=added,
        html=markup,
    )


def _unpaired(
    old: Sequence[Paragraph], new: Sequence[Paragraph]
) -> Iterator[ParagraphChange]:
    for paragraph in old:
        yield ParagraphChange(
            kind=ChangeKind.REMOVED,
            old=paragraph,
            new=None,
            removed=((0, len(paragraph.text)),),
            html=f"<del>{html.escape(paragraph.text)}</del>",
        )
    for paragraph in new:
        yield ParagraphChange(
            kind=ChangeKind.ADDED,
            old=None,
            new=paragraph,
            added=((0, len(paragraph.text)),),
            html=f"<ins>{html.escape(paragraph.text)}</ins>",
        )


def _with_moves(changes: list[ParagraphChange]) -> tuple[ParagraphChange, ...]:
    """Changes with ``moved`` set for a paragraph removed here and added there."""
    added: defaultdict[tuple[Role, str], deque[int]] = defaultdict(deque)
    for place, change in enumerate(changes):
        if change.old is None and change.new is not None:
            added[change.new.role, change.new.text].append(place)
    for place, change in enumerate(changes):
        if change.new is None and change.old is not None:
            places = added[change.old.role, change.old.text]
            if places:
                addition = changes[places[0]]
                assert addition.new is not None, "it was added"
                changes[place] = replace(change, moved=addition.new.n)
                changes[places.popleft()] = replace(addition, moved=change.old.n)
    return tuple(changes)
