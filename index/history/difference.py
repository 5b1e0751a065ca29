"""What two versions of an article differ in: paragraph by paragraph, word by word.

Paragraphs that are the same in both are found first, in the order that keeps most of
them; what stands between is paired by the words it shares. Either version can be told
from the other and the difference: nothing is left out.

Time and memory are bounded for texts as long as articles may be, to about a second. The
longest common subsequence takes as many steps as the lengths of both sides multiplied:
sides that are too long for it are first cut at what stands once in each. Reading the
words takes longest: when as much was read as one difference may, what remains is told
as a whole, and the difference says that it is coarse.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any, NamedTuple

import regex
from rapidfuzz.distance import LCSseq

from index.article import Article, Paragraph, Role, document_of
from index.errors import LimitExceeded
from index.text import Span, analyse, word_spans

# Of the words of two paragraphs, the share that must be in both to call one a change of
# the other.
SIMILAR = 0.4
_STEPS = 64_000_000  # of an exact comparison; it takes 8 MB and some 5 ms
_PAIRS = 10_000  # paragraphs that are compared with each other in one place,
_ALL_PAIRS = 100_000  # and in a whole difference
_AHEAD = 4  # how far to look for a paragraph where there are too many to compare all
# Items in a row that must stand once in each side to be a place to cut both.
_ANCHORS = (1, 8)

# What is read is counted in steps of some 0.25 µs, as many as take longest: a character
# of a simple script, and one of another, to know the words of a text, and to cut it at
# their edges; and each piece that is compared then.
_OF_WORDS = 1, 11
_OF_CUTTING = 2, 4
_OF_PIECES = 5
_READING = 3_000_000  # steps in one difference
_SIMPLE = "\u0900"  # code points below this
MOST_PARAGRAPHS = 25_000  # of both versions together; each is a part of the answer

_GAP = re.compile(r"\s+|\S")
# Flags by themselves: \X counts those before each of them again and again.
_GRAPHEME = regex.compile(
    r"(?V1)\p{Regional_Indicator}{2}[\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=ZWJ}]*+|\X"
)
# Where a text has none of these, what is seen as a character is one code point.
_JOINING = regex.compile(
    r"(?V1)[^\p{GCB=Other}\p{GCB=LV}\p{GCB=LVT}\p{GCB=LF}\p{GCB=Control}]"
)


class ChangeKind(StrEnum):
    """What became of a paragraph."""

    UNCHANGED = "unchanged"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParagraphChange:
    """One paragraph of either version, or one of each that belong together.

    The text of ``old`` without ``removed`` is the text of ``new`` without ``added``.

    :param old: ``None`` of one that was added; ``new`` of one that was removed.
    :param removed: spans of the old text, in order, none touching another.
    :param added: the same of the new text.
    :param html: both texts in one, escaped, with ``<del>`` and ``<ins>``.
    :param moved: of one that was removed or added: the number that the same paragraph
        has in the other version.
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
    """A field that differs, with its values in their JSON form; ``None`` is none."""

    name: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What two versions of an article differ in.

    :param old: the version that is told from; ``new`` the one that is told.
    :param coarse: the texts were too long to compare all of them word by word: what
        changed may be told as replaced, or as removed and added, as a whole.
    """

    id: str
    old: str
    new: str
    coarse: bool
    fields: tuple[FieldChange, ...]
    paragraphs: tuple[ParagraphChange, ...]


@dataclass(slots=True)
class Effort:
    """How much more one difference may read.

    :param left: in steps.
    :param coarse: something was left out, since it would have been too much.
    """

    left: int = _READING
    coarse: bool = False

    def allows(self, steps: int) -> bool:
        """Return whether so many may be made; if so, they count as made."""
        if steps > self.left:
            self.coarse = True
            return False
        self.left -= steps
        return True


def difference_of(old: Article, new: Article) -> Difference:
    """Return what two versions of an article differ in.

    :raises LimitExceeded: they have too many paragraphs.
    """
    assert old.version is not None and new.version is not None, "both are stored"
    several = len(old.paragraphs) + len(new.paragraphs)
    if several > MOST_PARAGRAPHS:
        raise LimitExceeded("paragraphs", limit=MOST_PARAGRAPHS, got=several)
    effort = Effort()
    paragraphs = paragraph_changes(old.paragraphs, new.paragraphs, effort)
    return Difference(
        id=new.id,
        old=old.version,
        new=new.version,
        coarse=effort.coarse,
        fields=field_changes(old, new),
        paragraphs=paragraphs,
    )


def paragraph_changes(
    old: Sequence[Paragraph], new: Sequence[Paragraph], effort: Effort | None = None
) -> tuple[ParagraphChange, ...]:
    """Return what became of each paragraph, in reading order.

    What was removed stands before what came in its place.

    :param effort: how much it may take; it is told whether that was enough.
    """
    return _with_moves(list(_changes(old, new, effort or Effort())))


def field_changes(old: Article, new: Article) -> tuple[FieldChange, ...]:
    """Return the fields that differ, the headline among them, by their names in JSON.

    Members of ``extra`` count as fields: ``extra.NAME``. The version does not.
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


# Paragraphs.


def _changes(
    old: Sequence[Paragraph], new: Sequence[Paragraph], effort: Effort
) -> Iterator[ParagraphChange]:
    budget = _ALL_PAIRS
    at_old = at_new = 0
    if old and new and old[0].n == new[0].n == 0:
        # A headline goes with the headline, whatever both say.
        yield _pair(old[0], new[0], effort)
        at_old = at_new = 1
    # What keys are made of, but for the count of the same text further up.
    before_keys = [(each.role, each.text) for each in old]
    after_keys = [(each.role, each.text) for each in new]
    for block in _common(before_keys, after_keys, at_old, at_new):
        before, after = old[at_old : block.old], new[at_new : block.new]
        several = len(before) * len(after)
        reading = sum(_steps(each.text, _OF_WORDS) for each in (*before, *after))
        if not several or not effort.allows(reading):
            pairs = []
        elif several <= min(_PAIRS, budget):
            budget -= several
            pairs = _best_pairs(before, after)
        else:
            pairs = _near_pairs(before, after)
        yield from _paired(before, after, pairs, effort)
        at_old, at_new = block.old_end, block.new_end
        for first, second in zip(
            old[block.old : at_old], new[block.new : at_new], strict=True
        ):
            yield _pair(first, second, effort)


def _paired(
    old: Sequence[Paragraph],
    new: Sequence[Paragraph],
    pairs: list[tuple[int, int]],
    effort: Effort,
) -> Iterator[ParagraphChange]:
    """Yield the changes where some of the paragraphs belong together."""
    at_old = at_new = 0
    for i, j in pairs:
        yield from _alone(old[at_old:i], new[at_new:j])
        yield _pair(old[i], new[j], effort)
        at_old, at_new = i + 1, j + 1
    yield from _alone(old[at_old:], new[at_new:])


def _best_pairs(
    old: Sequence[Paragraph], new: Sequence[Paragraph]
) -> list[tuple[int, int]]:
    """Return the pairs, ascending on both sides, that are most alike altogether."""
    words = _words(old), _words(new)
    alike = [[_likeness(first, second) for second in words[1]] for first in words[0]]
    # best[i][j]: of what stands from i in the one and from j in the other.
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
    """Return pairs where there are too many to compare all: each with one soon to come.

    Both sides are walked at the pace that brings them to their ends together.
    """
    words = _words(old), _words(new)
    pairs: list[tuple[int, int]] = []
    taken = 0
    for i, first in enumerate(words[0]):
        start = max(taken, i * len(new) // len(old) - _AHEAD // 2)
        alike = [_likeness(first, each) for each in words[1][start : start + _AHEAD]]
        if alike and max(alike) >= SIMILAR:
            j = start + alike.index(max(alike))
            pairs.append((i, j))
            taken = j + 1
    return pairs


def _words(side: Sequence[Paragraph]) -> list[frozenset[str]]:
    return [frozenset(analyse(each.text).forms) for each in side]


def _likeness(old: frozenset[str], new: frozenset[str]) -> float:
    both = len(old & new)
    return 2 * both / (len(old) + len(new)) if both else 0.0


def _pair(old: Paragraph, new: Paragraph, effort: Effort) -> ParagraphChange:
    removed, added, marked = _marked(old.text, new.text, effort)
    same = (old.role, old.text, old.credit) == (new.role, new.text, new.credit)
    return ParagraphChange(
        kind=ChangeKind.UNCHANGED if same else ChangeKind.CHANGED,
        old=old,
        new=new,
        removed=removed,
        added=added,
        html=marked,
    )


def _alone(
    old: Sequence[Paragraph], new: Sequence[Paragraph]
) -> Iterator[ParagraphChange]:
    for each in old:
        yield ParagraphChange(
            kind=ChangeKind.REMOVED,
            old=each,
            new=None,
            removed=((0, len(each.text)),),
            html=f"<del>{html.escape(each.text)}</del>",
        )
    for each in new:
        yield ParagraphChange(
            kind=ChangeKind.ADDED,
            old=None,
            new=each,
            added=((0, len(each.text)),),
            html=f"<ins>{html.escape(each.text)}</ins>",
        )


def _with_moves(changes: list[ParagraphChange]) -> tuple[ParagraphChange, ...]:
    """Say of what was removed in one place and added in another that it is the same."""
    came: defaultdict[tuple[Role, str], deque[int]] = defaultdict(deque)
    for place, each in enumerate(changes):
        if each.old is None and each.new is not None:
            came[each.new.role, each.new.text].append(place)
    for place, each in enumerate(changes):
        if each.new is None and each.old is not None:
            places = came[each.old.role, each.old.text]
            if places:
                other = changes[places[0]]
                assert other.new is not None, "it was added"
                changes[place] = replace(each, moved=other.new.n)
                changes[places.popleft()] = replace(other, moved=each.old.n)
    return tuple(changes)


# Words.


class _Pieces(NamedTuple):
    """A text cut at the edges of its words, and between words into characters."""

    items: list[str]
    edges: list[int]  # one more than items: where each starts, and the end
    words: list[int]  # where words start


def _marked(
    old: str, new: str, effort: Effort
) -> tuple[tuple[Span, ...], tuple[Span, ...], str]:
    """Return what to mark in each of two texts, and both in one as HTML."""
    if old == new:
        return (), (), html.escape(new)
    sides: list[_Pieces] = []
    for text in (old, new):
        if effort.allows(_steps(text, _OF_CUTTING)):
            sides.append(_pieces(text))
    if len(sides) < 2 or not effort.allows(
        _OF_PIECES * sum(len(each.items) for each in sides)
    ):
        whole = f"<del>{html.escape(old)}</del><ins>{html.escape(new)}</ins>"
        return ((0, len(old)),), ((0, len(new)),), whole
    before, after = sides
    marks: tuple[list[Span], list[Span]] = [], []
    parts: list[str] = []
    at_old = at_new = 0
    for block in _without_scraps(list(_common(before.items, after.items)), before):
        for tag, text, edges, start, end, found in (
            ("del", old, before.edges, at_old, block.old, marks[0]),
            ("ins", new, after.edges, at_new, block.new, marks[1]),
        ):
            if start < end:
                mark = edges[start], edges[end]
                found.append(mark)
                parts.append(f"<{tag}>{html.escape(text[slice(*mark)])}</{tag}>")
        at_old, at_new = block.old_end, block.new_end
        same = new[after.edges[block.new] : after.edges[at_new]]
        parts.append(html.escape(same))
    return tuple(marks[0]), tuple(marks[1]), "".join(parts)


def _steps(text: str, of: tuple[int, int]) -> int:
    return len(text) * of[not text.isascii() and max(text) >= _SIMPLE]


def _pieces(text: str) -> _Pieces:
    spans = word_spans(text)
    edges = [0]
    for start, end in (*spans, (len(text), len(text))):
        if start - edges[-1] == 1:  # a blank, nearly always
            edges.append(start)
        elif start > edges[-1]:
            edges += (match.end() for match in _GAP.finditer(text, edges[-1], start))
        if end > start:
            edges.append(end)
    if _JOINING.search(text):
        whole = {0, *(match.end() for match in _GRAPHEME.finditer(text))}
        edges = [edge for edge in edges if edge in whole]
    return _Pieces(
        items=[text[start:end] for start, end in pairwise(edges)],
        edges=edges,
        words=[start for start, _ in spans],
    )


def _without_scraps(blocks: list[_Block], before: _Pieces) -> list[_Block]:
    """Leave out what is the same between two changes and holds no word.

    Two words in a row that were replaced are one change, not two with a blank between.
    """

    def has_word(block: _Block) -> bool:
        start, end = before.edges[block.old], before.edges[block.old_end]
        return bisect_left(before.words, start) < bisect_left(before.words, end)

    *inner, last = blocks
    return [
        each for each in inner if has_word(each) or (each.old, each.new) == (0, 0)
    ] + [last]


# Sequences.


class _Block(NamedTuple):
    """Items that stand in both of two sequences."""

    old: int  # where they start in the one
    new: int  # and in the other
    size: int

    @property
    def old_end(self) -> int:
        return self.old + self.size

    @property
    def new_end(self) -> int:
        return self.new + self.size


def _common(
    old: Sequence[Any], new: Sequence[Any], at_old: int = 0, at_new: int = 0
) -> Iterator[_Block]:
    """Yield what is common from two places on, in order, and a block at the ends.

    Blocks do not touch each other on both sides at once. Only the last may be empty.
    """
    numbers: defaultdict[Any, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    sides = [numbers[item] for item in old], [numbers[item] for item in new]
    start, size = (at_old, at_new), 0
    for i, j in _matches(*sides, (at_old, len(old)), (at_new, len(new)), 0):
        if (i, j) == (start[0] + size, start[1] + size):
            size += 1
            continue
        if size:
            yield _Block(*start, size)
        start, size = (i, j), 1
    if start[0] + size == len(old) and start[1] + size == len(new):
        yield _Block(*start, size)
    else:
        if size:
            yield _Block(*start, size)
        yield _Block(len(old), len(new), 0)


def _matches(
    old: list[int], new: list[int], in_old: Span, in_new: Span, step: int
) -> Iterator[tuple[int, int]]:
    """Yield places of equal items, ascending on both sides.

    :param step: which of the ways to cut sides that are too long is the next.
    """
    (i, i_end), (j, j_end) = in_old, in_new
    while i < i_end and j < j_end and old[i] == new[j]:
        yield i, j
        i, j = i + 1, j + 1
    tail = 0
    while i < i_end and j < j_end and old[i_end - 1] == new[j_end - 1]:
        i_end, j_end, tail = i_end - 1, j_end - 1, tail + 1
    if i < i_end and j < j_end:
        if (i_end - i) * (j_end - j) <= _STEPS:
            for each in LCSseq.opcodes(old[i:i_end], new[j:j_end]):
                if each.tag == "equal":
                    for k in range(each.src_end - each.src_start):
                        yield i + each.src_start + k, j + each.dest_start + k
        elif step < len(_ANCHORS):
            for place in (
                *_anchors(old, new, (i, i_end), (j, j_end), _ANCHORS[step]),
                (i_end, j_end),
            ):
                yield from _matches(old, new, (i, place[0]), (j, place[1]), step + 1)
                i, j = place
    for k in range(tail):
        yield i_end + k, j_end + k


def _anchors(
    old: list[int], new: list[int], in_old: Span, in_new: Span, size: int
) -> list[tuple[int, int]]:
    """Return where runs stand that are in each side once, ascending in both."""
    runs = [
        list(zip(*(items[start + k : end] for k in range(size)), strict=False))
        for items, (start, end) in ((old, in_old), (new, in_new))
    ]
    counts = [Counter(side) for side in runs]
    places = {run: in_new[0] + k for k, run in enumerate(runs[1])}
    both = [
        (in_old[0] + k, places[run])
        for k, run in enumerate(runs[0])
        if counts[0][run] == 1 == counts[1][run]
    ]
    return _ascending(both)


def _ascending(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest part of pairs that ascends in their second number.

    :param pairs: ascending in their first.
    """
    ends: list[int] = []  # by length: the lowest number that such a part can end with
    last: list[int] = []  # the place of that pair
    before: list[int] = []
    for place, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [j]
        last[length : length + 1] = [place]
    found: list[tuple[int, int]] = []
    place = last[-1] if last else -1
    while place >= 0:
        found.append(pairs[place])
        place = before[place]
    return found[::-1]
