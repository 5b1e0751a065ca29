"""Matching in one segment: posting lists of words, phrases, NEAR and prefixes."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
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
    passage_numbers,
)
from index.engines.whoosh.searching.unions import (
    NO_POSTINGS,
    ONE_RUN,
    Postings,
    RunningUnion,
    disjoint_union,
    narrowed,
    union,
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

_ROWS_AT_ONCE = 1_000  # rows of a NEAR whose positions are read at a time
_POSITION_BITS = 32  # a place in a segment is row << 32 | position
_POSITION_MASK = (1 << _POSITION_BITS) - 1


class ParagraphPostings:
    """Documents of a segment that match, ascending, and the frequency in each."""

    def __init__(self, segment: Segment, rows: Array, frequencies: Array) -> None:
        self.segment = segment
        self.rows, self.frequencies = rows, frequencies

    @cached
    def articles(self) -> ArticlePostings:
        """The same postings by article."""
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
        """All arrays in use."""
        arrays = [self.rows, self.frequencies]
        if "articles" in self.__dict__:
            articles = self.articles
            arrays += [
                articles.articles,
                articles.paragraph_counts,
                articles.frequencies,
                articles.impacts,
            ]
        return arrays

    def set_bits(self, mask: Mask) -> None:
        """Set the bits of matching documents in a bitmap of the segment's documents."""
        mask[self.rows] = True


class StoredPostings(ParagraphPostings):
    """One whole posting list of the segment, with what the file stores beside it."""

    def __init__(self, segment: Segment, field: ParagraphIndex, number: int) -> None:
        super().__init__(segment, *field.postings(number))
        self._field, self._number = field, number

    @cached
    def articles(self) -> ArticlePostings:
        """The same postings by article, as stored."""
        return self._field.article_postings(self._number)

    def set_bits(self, mask: Mask) -> None:
        """Set the bits of matching documents in a bitmap of the segment's documents."""
        bitmap = self._field.bitmap(self._number)
        if bitmap is None:
            mask[self.rows] = True
        else:
            mask |= bitmap


@dataclass(frozen=True, slots=True)
class SegmentPostings:
    """Posting lists of a leaf in one segment.

    :param lines: by article field; rows are the segment's articles.
    """

    paragraphs: ParagraphPostings
    lines: dict[str, Postings]


def postings_of(
    segment: Segment, leaf: WordLeaf, places: Places, check: Check
) -> SegmentPostings:
    """Posting lists of a leaf in a segment, in the fields that are searched."""
    lines = {}
    for name in places.lines:
        field = segment.field(name)
        if field is not None:
            postings = _LeafMatcher(segment, field, leaf, check).postings()
            if len(postings.rows):
                lines[name] = postings
    return SegmentPostings(_paragraph_postings(segment, leaf, places, check), lines)


def _paragraph_postings(
    segment: Segment, leaf: WordLeaf, places: Places, check: Check
) -> ParagraphPostings:
    field = segment.field(PARAGRAPH_WORDS)
    if not places.passages or not isinstance(field, ParagraphIndex):
        return ParagraphPostings(segment, NO_POSTINGS.rows, NO_POSTINGS.rows)
    matcher = _LeafMatcher(segment, field, leaf, check)
    everywhere = len(places.passages) == len(PASSAGE_FIELDS)
    number = matcher.single_list() if everywhere else None
    if number is not None:
        return StoredPostings(segment, field, number)
    postings = matcher.postings()
    if everywhere:
        return ParagraphPostings(segment, postings.rows, postings.frequencies)
    searched = np.zeros(len(PASSAGE_FIELDS), bool)
    searched[passage_numbers(places.passages)] = True
    inside = searched[segment.passage[postings.rows]]
    return ParagraphPostings(
        segment, postings.rows[inside], postings.frequencies[inside]
    )


def expanded_terms(field: FieldIndex, leaf: WordLeaf) -> Array | None:
    """Terms of a field to which a prefix, wildcard or fuzzy leaf expands.

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
class _WordLists:
    """The posting lists in which one word of a leaf is found.

    :param lists: numbers of the lists whose postings all count.
    :param parted: lists where only the terms with these tags count.
    :param count: how many times a NEAR asks for the word.
    """

    lists: tuple[int, ...]
    parted: tuple[tuple[int, Array], ...] = ()
    count: int = 1

    def __bool__(self) -> bool:
        return bool(self.lists or self.parted)


class _LeafMatcher:
    """Matches one leaf in one field of a segment."""

    def __init__(
        self, segment: Segment, field: FieldIndex, leaf: WordLeaf, check: Check
    ) -> None:
        self._segment, self._field = segment, field
        self._leaf, self._check = leaf, check

    def single_list(self) -> int | None:
        """Number of the stored list that is the leaf's postings, if one is."""
        leaf = self._leaf
        if not isinstance(leaf, Term) or is_single_cjk(leaf.form):
            return None
        numbers = [
            number
            for language in self._segment.languages
            if (number := self._list_of(leaf.form, language)) >= 0
        ]
        return numbers[0] if len(numbers) == 1 else None

    def postings(self) -> Postings:
        """Posting list of the leaf in the field."""
        leaf, field = self._leaf, self._field
        terms = expanded_terms(field, leaf)
        if terms is not None:
            return self._disjunction(self._lists_of_terms(terms))
        if isinstance(leaf, Exact):
            words = tuple(
                self._lists_of_terms(np.array(field.terms_of(form), np.int64))
                for form in leaf.forms
            )
            return self._all_words(words)
        assert isinstance(leaf, Term | Phrase | Near), leaf
        # An article has one language, so lists of two languages share no article.
        return disjoint_union(
            self._all_words(self._stemmed_words(leaf, language))
            for language in self._segment.languages
        )

    # From words to lists.

    def _lists_of_terms(self, terms: Array) -> _WordLists:
        lists, parted = self._field.lists_of(terms)
        return _WordLists(tuple(lists.tolist()), tuple(parted.items()))

    def _stemmed_words(
        self, leaf: Term | Phrase | Near, language: str
    ) -> tuple[_WordLists, ...]:
        forms = (leaf.form,) if isinstance(leaf, Term) else leaf.forms
        counts = Counter(dict.fromkeys(forms, 1))
        if isinstance(leaf, Near):
            # Forms with one stem are one word, which must then occur several times.
            first: dict[str, str] = {}
            counts = Counter(
                first.setdefault(word_key(form, language), form) for form in forms
            )
            forms = tuple(counts)
        return tuple(self._stemmed_word(form, language, counts[form]) for form in forms)

    def _stemmed_word(self, form: str, language: str, count: int) -> _WordLists:
        if is_single_cjk(form):
            lists = self._lists_of_terms(self._field.terms_with_prefix(fold(form)))
            return self._in_language(lists, language, count)
        number = self._list_of(form, language)
        return _WordLists((number,) if number >= 0 else (), (), count)

    def _in_language(self, word: _WordLists, language: str, count: int) -> _WordLists:
        """The lists of a word in one language."""
        stems = self._field.stems
        low = stems.bisect(f"{language}\0".encode())
        high = stems.bisect(f"{language}\1".encode())
        return _WordLists(
            tuple(number for number in word.lists if low <= number < high),
            tuple(part for part in word.parted if low <= part[0] < high),
            count,
        )

    def _list_of(self, form: str, language: str) -> int:
        return self._field.list_of(language, word_key(form, language))

    # From lists to postings.

    def _all_words(self, words: Sequence[_WordLists]) -> Postings:
        """Postings of all words together: a single word, a phrase or a NEAR."""
        if not all(words):
            return NO_POSTINGS
        if isinstance(self._leaf, Near):
            return self._near(words, self._leaf.distance)
        if len(words) == 1:
            return self._disjunction(words[0])
        return self._phrase(words)

    def _disjunction(self, word: _WordLists) -> Postings:
        """Union of a word's lists: frequencies add up."""
        self._check()
        field = self._field
        if len(word.lists) > 1:
            lists = np.array(word.lists, np.int64)
            count = int((field.rows_at[lists + 1] - field.rows_at[lists]).sum())
            if count > ONE_RUN:
                return self._long_disjunction(word, lists)
        postings = [Postings(*field.tagged_postings(*part)) for part in word.parted]
        if len(word.lists) == 1:
            postings.append(Postings(*field.postings(word.lists[0])))
        elif word.lists:
            postings.append(
                Postings(*field.postings_of(np.array(word.lists, np.int64)))
            )
        if len(postings) == 1 and len(word.lists) <= 1:
            return postings[0]
        return union(postings)

    def _long_disjunction(self, word: _WordLists, lists: Ints) -> Postings:
        """The same for many lists, in memory that does not grow with their number."""
        field = self._field
        total = RunningUnion(self._rows_of_field())
        for part in word.parted:
            self._check()
            total.add(Postings(*field.tagged_postings(*part)))
        lengths = field.rows_at[lists + 1].astype(np.int64) - field.rows_at[lists]
        run = lengths.cumsum() // ONE_RUN
        for group in np.split(lists, np.flatnonzero(np.diff(run)) + 1):
            self._check()
            total.add(union([Postings(*field.postings_of(group))]))
        return total.postings()

    def _rows_of_field(self) -> int:
        """Number of rows that the lists of the field are about."""
        if isinstance(self._field, ParagraphIndex):
            return self._segment.documents
        return self._segment.articles

    def _phrase(self, words: Sequence[_WordLists]) -> Postings:
        """Each word starting where the one before it ends.

        Works from right to left: an occurrence of a word stays if it ends where an
        occurrence of the next word that stayed starts. The occurrences of the first
        word that stay are the phrases.
        """
        rows = self._common_rows(words)
        following: Ints | None = None
        for word in reversed(words):
            if not len(rows):
                return NO_POSTINGS
            starts, ends = self._spans(word, rows)
            if following is not None:
                starts = starts[_is_among(ends, following)]
            following = _distinct(starts)
            if not len(following):
                return NO_POSTINGS
        assert following is not None
        matching, counts = np.unique(following >> _POSITION_BITS, return_counts=True)
        return Postings(matching.astype(np.int32), narrowed(counts))

    def _near(self, words: Sequence[_WordLists], distance: int) -> Postings:
        """All words within a distance of each other, row by row."""
        common = self._common_rows(words)
        counts = [word.count for word in words]
        matching: list[int] = []
        frequencies: list[int] = []
        for start in range(0, len(common), _ROWS_AT_ONCE):
            rows = common[start : start + _ROWS_AT_ONCE]
            widths = [self._widths_by_row(word, rows) for word in words]
            for row in rows.tolist():
                self._check()
                in_row = [by_row[row] for by_row in widths]
                count = sum(
                    1 for _ in near_windows(in_row, counts, distance, self._check)
                )
                if count:
                    matching.append(row)
                    frequencies.append(count)
        return Postings(np.array(matching, np.int32), np.array(frequencies, np.int64))

    def _widths_by_row(
        self, word: _WordLists, rows: Array
    ) -> dict[int, dict[int, int]]:
        """Width of a word at each of its positions, by row."""
        starts, ends = self._spans(word, rows)
        by_row: dict[int, dict[int, int]] = defaultdict(dict)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            in_row, position = by_row[start >> _POSITION_BITS], start & _POSITION_MASK
            in_row[position] = max(end - start, in_row.get(position, 0))
        return by_row

    def _common_rows(self, words: Sequence[_WordLists]) -> Array:
        """Conjunction: rows in which every word occurs."""
        by_length = sorted((self._disjunction(word).rows for word in words), key=len)
        common = by_length[0]
        for rows in by_length[1:]:
            common = common[_is_among(common, rows)]
        return common

    def _spans(self, word: _WordLists, rows: Array) -> tuple[Ints, Ints]:
        """Start and end of each occurrence of a word in these rows, as places."""
        starts, ends = [], []
        whole: list[tuple[int, Array | None]] = [
            (number, None) for number in word.lists
        ]
        for number, tags in whole + list(word.parted):
            self._check()
            at, positions, widths = self._field.occurrences_in(number, rows, tags)
            places = (at.astype(np.int64) << _POSITION_BITS) | positions
            starts.append(places)
            ends.append(places + widths)
        return np.concatenate(starts), np.concatenate(ends)


def _is_among(values: Array, ascending: Array) -> Mask:
    """Which values occur in an ascending array."""
    if not len(ascending):
        return np.zeros(len(values), bool)
    at = np.searchsorted(ascending, values)
    at[at == len(ascending)] = 0
    among: Mask = ascending[at] == values
    return among


def _distinct(values: Ints) -> Ints:
    """Each value once, ascending; cheap if they are already."""
    if len(values) > 1 and not (values[1:] > values[:-1]).all():
        return np.unique(values)
    return values
