"""Where a leaf of the query matches in a segment, as arrays."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from index.article import PASSAGE_FIELDS
from index.deadline import Check
from index.engines.whoosh.files import (
    PARAGRAPH_WORDS,
    Array,
    ArticlePostings,
    FieldIndex,
    Ints,
    Mask,
    ParagraphIndex,
    Segment,
    article_postings,
    cached,
    narrowest_type,
    passage_numbers,
)
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
    near_windows,
    wildcard_pattern,
)
from index.text import fold, is_single_cjk, word_key

_AT_ONCE = 1_000  # rows that a Near is looked for in before the deadline is looked at
_POSITION_BITS = 32  # a place in a segment is row << 32 | position
_POSITIONS = (1 << _POSITION_BITS) - 1
_NO_ROWS = np.empty(0, np.int32)


class ParagraphPostings:
    """Documents of a segment that match, ascending, and how often each does."""

    def __init__(self, segment: Segment, rows: Array, frequencies: Array) -> None:
        self.segment = segment
        self.rows, self.frequencies = rows, frequencies

    @cached
    def articles(self) -> ArticlePostings:
        """The same by article."""
        segment = self.segment
        return article_postings(
            self.rows,
            self.frequencies,
            owner=segment.owner,
            passage=segment.passage,
            lengths=segment.lengths,
        )

    @property
    def arrays(self) -> list[Array]:
        """All arrays that it holds."""
        found = [self.rows, self.frequencies]
        if "articles" in self.__dict__:
            each = self.articles
            found += [
                each.articles,
                each.paragraph_counts,
                each.frequencies,
                each.impacts,
            ]
        return found

    def mark(self, mask: Mask) -> None:
        """Set a mask over the segment's documents where there is a match."""
        mask[self.rows] = True


class StoredPostings(ParagraphPostings):
    """All of one list: what the segment knows of it need not be worked out."""

    def __init__(self, segment: Segment, field: ParagraphIndex, number: int) -> None:
        super().__init__(segment, *field.postings(number))
        self._field, self._number = field, number

    @cached
    def articles(self) -> ArticlePostings:
        """The same by article."""
        return self._field.article_postings(self._number)

    def mark(self, mask: Mask) -> None:
        """Set a mask over the segment's documents where there is a match."""
        found = self._field.bitmap(self._number)
        if found is None:
            mask[self.rows] = True
        else:
            mask |= found


@dataclass(frozen=True, slots=True)
class Postings:
    """Rows that match, ascending, and how often each does."""

    rows: Array
    frequencies: Array


_NOWHERE = Postings(_NO_ROWS, _NO_ROWS)


@dataclass(frozen=True, slots=True)
class SegmentPostings:
    """Where a leaf matches in one segment.

    :param lines: by field; rows are the segment's articles.
    """

    paragraphs: ParagraphPostings
    lines: dict[str, Postings]


def postings_of(
    segment: Segment, leaf: WordLeaf, places: Places, check: Check
) -> SegmentPostings:
    """Return where a leaf matches in a segment."""
    lines = {}
    for name in places.lines:
        field = segment.field(name)
        if field is not None:
            found = _Finding(segment, field, leaf, check).rows()
            if len(found.rows):
                lines[name] = found
    return SegmentPostings(_in_paragraphs(segment, leaf, places, check), lines)


def _in_paragraphs(
    segment: Segment, leaf: WordLeaf, places: Places, check: Check
) -> ParagraphPostings:
    field = segment.field(PARAGRAPH_WORDS)
    if not places.passages or not isinstance(field, ParagraphIndex):
        return ParagraphPostings(segment, _NO_ROWS, _NO_ROWS)
    finding = _Finding(segment, field, leaf, check)
    everywhere = len(places.passages) == len(PASSAGE_FIELDS)
    number = finding.one_list() if everywhere else None
    if number is not None:
        return StoredPostings(segment, field, number)
    found = finding.rows()
    if everywhere:
        return ParagraphPostings(segment, found.rows, found.frequencies)
    wanted = np.zeros(len(PASSAGE_FIELDS), bool)
    wanted[passage_numbers(places.passages)] = True
    inside = wanted[segment.passage[found.rows]]
    return ParagraphPostings(segment, found.rows[inside], found.frequencies[inside])


def expanded_terms(field: FieldIndex, leaf: WordLeaf) -> Array | None:
    """Return the terms of a field that a prefix, wildcard or fuzzy leaf stands for.

    ``None`` for any other leaf.
    """
    if isinstance(leaf, Prefix):
        return field.terms_with_prefix(leaf.prefix)
    if isinstance(leaf, Wildcard):
        literal = re.split(r"[*?]", leaf.pattern, maxsplit=1)[0]
        return field.terms_matching(wildcard_pattern(leaf.pattern), literal)
    if isinstance(leaf, Fuzzy):
        return field.terms_near(leaf.form, leaf.distance)
    return None


@dataclass(frozen=True, slots=True)
class _Slot:
    """What one word of a leaf stands for: lists, all of them or some of their terms.

    :param parted: lists of which only terms with these tags are meant.
    :param count: how many times a Near asks for the word.
    """

    lists: tuple[int, ...]
    parted: tuple[tuple[int, Array], ...] = ()
    count: int = 1

    def __bool__(self) -> bool:
        return bool(self.lists or self.parted)


class _Finding:
    """One leaf being looked for in one field of a segment."""

    def __init__(
        self, segment: Segment, field: FieldIndex, leaf: WordLeaf, check: Check
    ) -> None:
        self._segment, self._field = segment, field
        self._leaf, self._check = leaf, check

    def one_list(self) -> int | None:
        """Return the one list that the leaf is, ``None`` if it is not that simple."""
        leaf = self._leaf
        if not isinstance(leaf, Term) or is_single_cjk(leaf.form):
            return None
        found = [
            number
            for language in self._segment.languages
            if (number := self._stem(leaf.form, language)) >= 0
        ]
        return found[0] if len(found) == 1 else None

    def rows(self) -> Postings:
        """Return the rows that match."""
        leaf, field = self._leaf, self._field
        terms = expanded_terms(field, leaf)
        if terms is not None:
            return self._either(self._slot_of_terms(terms))
        if isinstance(leaf, Exact):
            slots = tuple(
                self._slot_of_terms(np.array(field.terms_of(form), np.int64))
                for form in leaf.forms
            )
            return self._together(slots)
        assert isinstance(leaf, Term | Phrase | Near), leaf
        # The lists of different languages have no article in common.
        return _joined(
            self._together(self._stem_slots(leaf, language))
            for language in self._segment.languages
        )

    def _slot_of_terms(self, terms: Array) -> _Slot:
        lists, parted = self._field.lists_of(terms)
        return _Slot(tuple(lists.tolist()), tuple(parted.items()))

    def _stem_slots(
        self, leaf: Term | Phrase | Near, language: str
    ) -> tuple[_Slot, ...]:
        forms = (leaf.form,) if isinstance(leaf, Term) else leaf.forms
        counts = Counter(dict.fromkeys(forms, 1))
        if isinstance(leaf, Near):
            # Forms with one stem are one word, which then is needed several times.
            first: dict[str, str] = {}
            counts = Counter(
                first.setdefault(word_key(form, language), form) for form in forms
            )
            forms = tuple(counts)
        return tuple(self._word(form, language, counts[form]) for form in forms)

    def _word(self, form: str, language: str, count: int) -> _Slot:
        if is_single_cjk(form):
            slot = self._slot_of_terms(self._field.terms_with_prefix(fold(form)))
            return self._only(slot, language, count)
        number = self._stem(form, language)
        return _Slot((number,) if number >= 0 else (), (), count)

    def _only(self, slot: _Slot, language: str, count: int) -> _Slot:
        """Return what of a slot is in the lists of a language."""
        stems = self._field.stems
        low = stems.bisect(f"{language}\0".encode())
        high = stems.bisect(f"{language}\1".encode())
        return _Slot(
            tuple(each for each in slot.lists if low <= each < high),
            tuple(each for each in slot.parted if low <= each[0] < high),
            count,
        )

    def _stem(self, form: str, language: str) -> int:
        return self._field.list_of(language, word_key(form, language))

    def _together(self, slots: Sequence[_Slot]) -> Postings:
        if not all(slots):
            return _NOWHERE
        if isinstance(self._leaf, Near):
            return self._nearby(slots, self._leaf.distance)
        if len(slots) == 1:
            return self._either(slots[0])
        return self._successive(slots)

    def _either(self, slot: _Slot) -> Postings:
        """Any of these words: frequencies add up."""
        self._check()
        field = self._field
        found = [Postings(*field.tagged_postings(*each)) for each in slot.parted]
        if len(slot.lists) == 1:
            found.append(Postings(*field.postings(slot.lists[0])))
        elif slot.lists:
            found.append(Postings(*field.postings_of(np.array(slot.lists, np.int64))))
        if len(found) == 1 and len(slot.lists) <= 1:
            return found[0]
        return _union(found)

    def _successive(self, slots: Sequence[_Slot]) -> Postings:
        """A word of each slot, each where the one before it ends.

        From the right: of each slot only the places stay whose end is the start of one
        that stayed in the next. What stays of the first slot are the phrases.
        """
        rows = self._common_rows(slots)
        following: Ints | None = None
        for slot in reversed(slots):
            if not len(rows):
                return _NOWHERE
            starts, ends = self._spans(slot, rows)
            if following is not None:
                starts = starts[_among(ends, following)]
            following = _distinct(starts)
            if not len(following):
                return _NOWHERE
        assert following is not None
        found, counts = np.unique(following >> _POSITION_BITS, return_counts=True)
        return Postings(found.astype(np.int32), _narrow(counts))

    def _nearby(self, slots: Sequence[_Slot], distance: int) -> Postings:
        """The words of all slots within a distance, row by row."""
        every = self._common_rows(slots)
        counts = [slot.count for slot in slots]
        found: list[int] = []
        frequencies: list[int] = []
        for start in range(0, len(every), _AT_ONCE):
            rows = every[start : start + _AT_ONCE]
            places = [self._by_row(slot, rows) for slot in slots]
            for row in rows.tolist():
                self._check()
                here_of = [by_row[row] for by_row in places]
                count = sum(
                    1 for _ in near_windows(here_of, counts, distance, self._check)
                )
                if count:
                    found.append(row)
                    frequencies.append(count)
        return Postings(np.array(found, np.int32), np.array(frequencies, np.int64))

    def _by_row(self, slot: _Slot, rows: Array) -> dict[int, dict[int, int]]:
        """Return by row and position how wide a slot's word is there."""
        starts, ends = self._spans(slot, rows)
        by_row: dict[int, dict[int, int]] = defaultdict(dict)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            here, position = by_row[start >> _POSITION_BITS], start & _POSITIONS
            here[position] = max(end - start, here.get(position, 0))
        return by_row

    def _common_rows(self, slots: Sequence[_Slot]) -> Array:
        each = sorted((self._either(slot).rows for slot in slots), key=len)
        common = each[0]
        for rows in each[1:]:
            common = common[_among(common, rows)]
        return common

    def _spans(self, slot: _Slot, rows: Array) -> tuple[Ints, Ints]:
        """Return where a slot's words start and end in these rows, as places."""
        starts, ends = [], []
        whole: list[tuple[int, Array | None]] = [(each, None) for each in slot.lists]
        for number, tags in whole + list(slot.parted):
            self._check()
            at, positions, widths = self._field.occurrences_in(number, rows, tags)
            places = (at.astype(np.int64) << _POSITION_BITS) | positions
            starts.append(places)
            ends.append(places + widths)
        return np.concatenate(starts), np.concatenate(ends)


def _among(values: Array, ascending: Array) -> Mask:
    """Return which values are in an ascending array."""
    if not len(ascending):
        return np.zeros(len(values), bool)
    at = np.searchsorted(ascending, values)
    at[at == len(ascending)] = 0
    found: Mask = ascending[at] == values
    return found


def _distinct(values: Ints) -> Ints:
    """Return each value once, ascending; cheap where they are in order already."""
    if len(values) > 1 and not (values[1:] > values[:-1]).all():
        return np.unique(values)
    return values


def _joined(found: Iterable[Postings]) -> Postings:
    """Return rows of which no two are the same, in order."""
    parts = [each for each in found if len(each.rows)]
    if len(parts) < 2:
        return parts[0] if parts else _NOWHERE
    rows = np.concatenate([each.rows for each in parts])
    order = np.argsort(rows)
    frequencies = np.concatenate([each.frequencies for each in parts])
    return Postings(rows[order], frequencies[order])


def _union(found: Iterable[Postings]) -> Postings:
    """Return each row once, with the sum of its frequencies."""
    parts = [each for each in found if len(each.rows)]
    if not parts:
        return _NOWHERE
    rows = np.concatenate([each.rows for each in parts])
    frequencies = np.concatenate([each.frequencies for each in parts])
    # One sort of pairs costs less than finding the order first.
    pairs = rows.astype(np.int64) << 32 | frequencies
    pairs.sort()
    rows = (pairs >> 32).astype(np.int32)
    starts = np.flatnonzero(np.append(True, rows[1:] != rows[:-1]))
    summed = np.add.reduceat(pairs & 0xFFFFFFFF, starts)
    return Postings(rows[starts], _narrow(summed))


def _narrow(frequencies: Ints) -> Array:
    """Return frequencies in the narrowest type: they may be kept for a while."""
    return frequencies.astype(narrowest_type(int(frequencies.max(initial=0))))
