"""Where a leaf of the query matches in a segment, as arrays."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from index.deadline import Check
from index.engines.whoosh.schema import PARAGRAPH_WORDS
from index.engines.whoosh.segment import Ints, Segment, Words
from index.fields import PASSAGE_FIELDS
from index.matching import wildcard_pattern, windows
from index.query import (
    Exact,
    Fuzzy,
    Near,
    Phrase,
    Places,
    Prefix,
    Term,
    Wildcard,
    WordLeaf,
)
from index.text import fold, is_single_cjk, key

_POSITION_BITS = 32  # a place in a segment is row << 32 | position
_EMPTY = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Matches:
    """Rows that match, ascending, and how often each does."""

    rows: Ints
    frequencies: Ints


NO_MATCHES = Matches(_EMPTY, _EMPTY)


@dataclass(frozen=True, slots=True)
class LeafMatches:
    """Where a leaf matches in one segment.

    :param paragraphs: rows are the segment's paragraphs.
    :param lines: by field; rows are the segment's articles.
    """

    paragraphs: Matches
    lines: dict[str, Matches]


def match(
    segment: Segment, leaf: WordLeaf, places: Places, check: Check
) -> LeafMatches:
    """Return where a leaf matches in a segment."""
    paragraphs = NO_MATCHES
    if places.passages:
        paragraphs = _match_field(segment, PARAGRAPH_WORDS, leaf, check)
        if len(places.passages) < len(PASSAGE_FIELDS):
            wanted = np.zeros(len(PASSAGE_FIELDS), bool)
            wanted[[PASSAGE_FIELDS.index(name) for name in places.passages]] = True
            inside = wanted[segment.columns.passage[paragraphs.rows]]
            paragraphs = Matches(
                paragraphs.rows[inside], paragraphs.frequencies[inside]
            )
    lines = {}
    for name in places.lines:
        found = _match_field(segment, name, leaf, check)
        if len(found.rows):
            lines[name] = found
    return LeafMatches(paragraphs, lines)


def expand(segment: Segment, name: str, leaf: WordLeaf) -> list[int] | None:
    """Return the words of a field that a prefix, wildcard or fuzzy leaf stands for.

    ``None`` for any other leaf.
    """
    if isinstance(leaf, Prefix):
        return segment.words(name).starting(leaf.prefix)
    if isinstance(leaf, Wildcard):
        literal = re.split(r"[*?]", leaf.pattern, maxsplit=1)[0]
        return segment.words(name).fitting(wildcard_pattern(leaf.pattern), literal)
    if isinstance(leaf, Fuzzy):
        return segment.words(name).near(leaf.form, leaf.distance)
    return None


def _match_field(segment: Segment, name: str, leaf: WordLeaf, check: Check) -> Matches:
    expanded = expand(segment, name, leaf)
    if expanded is not None:
        return _either(segment, name, expanded, check)
    if isinstance(leaf, Exact):
        by_form = segment.words(name).by_form
        slots = tuple(_Slot(tuple(by_form.get(form, ()))) for form in leaf.forms)
        return _together(segment, name, leaf, slots, check)
    assert isinstance(leaf, Term | Phrase | Near), leaf
    by_language = {
        number: _stem_slots(segment.words(name), leaf, language)
        for number, language in enumerate(segment.columns.languages)
    }
    if len(set(by_language.values())) == 1:
        return _together(segment, name, leaf, by_language[0], check)
    return _union(
        _of_language(
            segment, name, number, _together(segment, name, leaf, slots, check)
        )
        for number, slots in by_language.items()
    )


@dataclass(frozen=True, slots=True)
class _Slot:
    """The indexed words that one word of a leaf stands for.

    :param count: how many times a Near asks for it.
    """

    numbers: tuple[int, ...]
    count: int = 1


_Slots = tuple[_Slot, ...]


def _stem_slots(words: Words, leaf: Term | Phrase | Near, language: str) -> _Slots:
    forms = (leaf.form,) if isinstance(leaf, Term) else leaf.forms
    counts = Counter(dict.fromkeys(forms, 1))
    if isinstance(leaf, Near):
        # Forms with one stem are one word, which then is needed several times.
        first: dict[str, str] = {}
        counts = Counter(first.setdefault(key(form, language), form) for form in forms)
        forms = tuple(counts)
    return tuple(
        _Slot(tuple(_with_stem(words, form, language)), counts[form]) for form in forms
    )


def _with_stem(words: Words, form: str, language: str) -> list[int]:
    if is_single_cjk(form):
        return words.starting(fold(form))
    return words.with_key(key(form, language), language)


def _together(
    segment: Segment, name: str, leaf: WordLeaf, slots: _Slots, check: Check
) -> Matches:
    if not all(slot.numbers for slot in slots):
        return NO_MATCHES
    if isinstance(leaf, Near):
        return _nearby(segment, name, slots, leaf.distance, check)
    if len(slots) == 1:
        return _either(segment, name, slots[0].numbers, check)
    return _successive(segment, name, slots, check)


def _either(
    segment: Segment, name: str, numbers: Iterable[int], check: Check
) -> Matches:
    """Any of these words: frequencies add up."""
    found = []
    for number in numbers:
        check()
        found.append(Matches(*segment.frequencies(name, number)))
    return _union(found)


def _successive(segment: Segment, name: str, slots: _Slots, check: Check) -> Matches:
    """A word of each slot, each where the one before it ends.

    From the right: of each slot only the places stay whose end is the start of one
    that stayed in the next. What stays of the first slot are the phrases.
    """
    rows = _common_rows(segment, name, slots, check)
    following: Ints | None = None
    for slot in reversed(slots):
        starts, ends = _spans(segment, name, slot.numbers, rows, check)
        if following is not None:
            starts = starts[_among(ends, following)]
        following = np.unique(starts)
        if not len(following):
            return NO_MATCHES
    assert following is not None
    return Matches(*np.unique(following >> _POSITION_BITS, return_counts=True))


def _nearby(
    segment: Segment, name: str, slots: _Slots, distance: int, check: Check
) -> Matches:
    """The words of all slots within a distance, row by row."""
    rows = _common_rows(segment, name, slots, check)
    counts = [slot.count for slot in slots]
    mask = (1 << _POSITION_BITS) - 1
    places: list[dict[int, dict[int, int]]] = []  # by word, row and position: width
    for slot in slots:
        starts, ends = _spans(segment, name, slot.numbers, rows, check)
        by_row: dict[int, dict[int, int]] = defaultdict(dict)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            here, position = by_row[start >> _POSITION_BITS], start & mask
            here[position] = max(end - start, here.get(position, 0))
        places.append(by_row)
    found, frequencies = [], []
    for row in rows.tolist():
        check()
        here_of = [by_row[row] for by_row in places]
        count = sum(1 for _ in windows(here_of, counts, distance, check))
        if count:
            found.append(row)
            frequencies.append(count)
    return Matches(np.array(found, np.int64), np.array(frequencies, np.int64))


def _common_rows(segment: Segment, name: str, slots: _Slots, check: Check) -> Ints:
    common: Ints | None = None
    for slot in slots:
        rows = _either(segment, name, slot.numbers, check).rows
        common = rows if common is None else common[_among(common, rows)]
    assert common is not None
    return common


def _spans(
    segment: Segment, name: str, numbers: tuple[int, ...], rows: Ints, check: Check
) -> tuple[Ints, Ints]:
    """Return where these words start and end in these rows, as places."""
    widths = segment.words(name).widths
    starts, ends = [], []
    for number in numbers:
        check()
        at, positions = segment.positions(name, number)
        inside = _among(at, rows)
        places = (at[inside] << _POSITION_BITS) | positions[inside]
        starts.append(places)
        ends.append(places + widths[number])
    return np.concatenate(starts), np.concatenate(ends)


def _among(values: Ints, ascending: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which values are in an ascending array."""
    if not len(ascending):
        return np.zeros(len(values), bool)
    at = np.searchsorted(ascending, values)
    at[at == len(ascending)] = 0
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = ascending[at] == values
    return found


def _of_language(segment: Segment, name: str, number: int, found: Matches) -> Matches:
    columns = segment.columns
    articles = found.rows
    if name == PARAGRAPH_WORDS:
        articles = columns.owner[found.rows]
    inside = columns.language[articles] == number
    return Matches(found.rows[inside], found.frequencies[inside])


def _union(found: Iterable[Matches]) -> Matches:
    parts = [each for each in found if len(each.rows)]
    if not parts:
        return NO_MATCHES
    if len(parts) == 1:
        return parts[0]
    every = np.concatenate([each.rows for each in parts])
    counts = np.concatenate([each.frequencies for each in parts])
    rows, inverse = np.unique(every, return_inverse=True)
    return Matches(rows, np.bincount(inverse, weights=counts).astype(np.int64))
