"""Matching in one segment: posting lists of words, phrases, NEAR and prefixes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from index.article import PASSAGE_FIELDS
from index.deadline import Check
from index.engines.whoosh.files import (
    PARAGRAPH_WORDS,
    Array,
    DecodedRows,
    FieldIndex,
    Ints,
    ParagraphIndex,
    Segment,
    passage_numbers,
)
from index.engines.whoosh.searching.paragraph_postings import (
    ParagraphPostings,
    StoredPostings,
)
from index.engines.whoosh.searching.proximity import Proximity, WordLists
from index.engines.whoosh.searching.unions import (
    NO_POSTINGS,
    ONE_RUN,
    Postings,
    RunningUnion,
    disjoint_union,
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
    wildcard_pattern,
)
from index.text import fold, is_single_cjk, word_key

# Bytes that joining takes meanwhile: for each article and each posting of a word that
# is read beside others, and for each posting of its whole list, which is only mapped.
# For each row of a field where the lists of a word are added up, and of the result.
_WORD_ARTICLE, _WORD_ROW, _MAPPED_ROW = 40, 40, 4
_SUMMED_ROW, _RESULT = 9, 48


class Joined(NamedTuple):
    """Upper bounds of what joining the lists of a leaf comes to.

    :param rows: of the result.
    :param bytes: that it takes meanwhile, besides one run of a union and one pass over
        positions.
    """

    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class SegmentPostings:
    """Posting lists of a leaf in one segment.

    :param lines: by article field; rows are the segment's articles.
    """

    paragraphs: ParagraphPostings
    lines: dict[str, Postings]


def postings_of(
    segment: Segment,
    leaf: WordLeaf,
    places: Places,
    check: Check,
    terms: Mapping[str, Array],
) -> SegmentPostings:
    """Posting lists of a leaf in a segment, in the fields that are searched.

    :param terms: by field, those to which a prefix, wildcard or fuzzy leaf expands.
    """
    lines = {}
    for name in places.lines:
        field = segment.field(name)
        if field is not None:
            matcher = _LeafMatcher(segment, field, leaf, check, terms.get(name))
            postings = matcher.postings()
            if len(postings.rows):
                lines[name] = postings
    paragraphs = _paragraph_postings(
        segment, leaf, places, check, terms.get(PARAGRAPH_WORDS)
    )
    return SegmentPostings(paragraphs, lines)


def near_postings_of(
    segment: Segment,
    leaf: Near,
    distances: Sequence[int],
    places: Places,
    check: Check,
) -> list[SegmentPostings]:
    """:func:`postings_of` a NEAR with each of these distances, in one scan."""
    paragraphs = [_no_postings(segment)] * len(distances)
    lines: list[dict[str, Postings]] = [{} for _ in distances]
    for name in places.lines:
        field = segment.field(name)
        if field is not None:
            matcher = _LeafMatcher(segment, field, leaf, check)
            for postings, by_name in zip(matcher.near(distances), lines, strict=True):
                if len(postings.rows):
                    by_name[name] = postings
    field = segment.field(PARAGRAPH_WORDS)
    if places.passages and isinstance(field, ParagraphIndex):
        matcher = _LeafMatcher(segment, field, leaf, check)
        paragraphs = [
            _in_passages(segment, postings, places)
            for postings in matcher.near(distances)
        ]
    return list(map(SegmentPostings, paragraphs, lines))


def joined_in(
    segment: Segment,
    field: FieldIndex,
    leaf: WordLeaf,
    check: Check,
    *,
    terms: Array | None,
    most_documents: Callable[[int], int],
) -> Joined:
    """Upper bounds for a leaf in a field of a segment, from the lengths of its lists.

    :param terms: to which a prefix, wildcard or fuzzy leaf expands.
    :param most_documents: upper bound of the documents of a number of articles.
    """
    return _LeafMatcher(segment, field, leaf, check, terms).joined(most_documents)


def _no_postings(segment: Segment) -> ParagraphPostings:
    return ParagraphPostings(segment, NO_POSTINGS.rows, NO_POSTINGS.rows)


def _paragraph_postings(
    segment: Segment,
    leaf: WordLeaf,
    places: Places,
    check: Check,
    terms: Array | None,
) -> ParagraphPostings:
    field = segment.field(PARAGRAPH_WORDS)
    if not places.passages or not isinstance(field, ParagraphIndex):
        return _no_postings(segment)
    matcher = _LeafMatcher(segment, field, leaf, check, terms)
    everywhere = len(places.passages) == len(PASSAGE_FIELDS)
    number = matcher.single_list() if everywhere else None
    if number is not None:
        return StoredPostings(segment, field, number)
    return _in_passages(segment, matcher.postings(), places)


def _in_passages(
    segment: Segment, postings: Postings, places: Places
) -> ParagraphPostings:
    """Postings in the passage fields that are searched."""
    if len(places.passages) == len(PASSAGE_FIELDS):
        return ParagraphPostings(segment, postings.rows, postings.frequencies)
    searched = np.zeros(len(PASSAGE_FIELDS), bool)
    searched[passage_numbers(places.passages)] = True
    inside = searched[segment.passage[postings.rows]]
    return ParagraphPostings(
        segment, postings.rows[inside], postings.frequencies[inside]
    )


def expanded_terms(
    field: FieldIndex, leaf: Prefix | Wildcard | Fuzzy, check: Check
) -> Array:
    """Terms of a field to which a leaf expands."""
    if isinstance(leaf, Prefix):
        return field.terms_with_prefix(leaf.prefix)
    if isinstance(leaf, Wildcard):
        literal = re.split(r"[*?]", leaf.pattern, maxsplit=1)[0]
        return field.terms_matching(wildcard_pattern(leaf.pattern), literal, check)
    return field.terms_near(leaf.form, leaf.distance, check)


class _LeafMatcher:
    """Matches one leaf in one field of a segment.

    :param terms: to which a prefix, wildcard or fuzzy leaf expands; ``None`` for none.
    """

    def __init__(
        self,
        segment: Segment,
        field: FieldIndex,
        leaf: WordLeaf,
        check: Check,
        terms: Array | None = None,
    ) -> None:
        self._segment, self._field = segment, field
        self._leaf, self._check, self._terms = leaf, check, terms

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
        leaf = self._leaf
        if isinstance(leaf, Prefix | Wildcard | Fuzzy):
            if self._terms is None:
                return NO_POSTINGS
            return self._disjunction(self._lists_of_terms(self._terms))
        if isinstance(leaf, Exact):
            return self._all_words(self._exact_words(leaf))
        assert isinstance(leaf, Term | Phrase), leaf
        # An article has one language, so lists of two languages share no article.
        return disjoint_union(
            self._all_words(self._stemmed_words(leaf, language))
            for language in self._segment.languages
        )

    def near(self, distances: Sequence[int]) -> list[Postings]:
        """Posting list of the NEAR that the leaf is, with each of these distances."""
        assert isinstance(self._leaf, Near), self._leaf
        by_language = []
        for language in self._segment.languages:
            words = self._stemmed_words(self._leaf, language)
            if all(words):
                proximity = self._proximity(words)
                by_language.append(proximity.near(distances))
        # As in postings(): no article has two languages.
        return [
            disjoint_union(of_language[at] for of_language in by_language)
            for at in range(len(distances))
        ]

    def joined(self, most_documents: Callable[[int], int]) -> Joined:
        """See :func:`joined_in`."""
        leaf = self._leaf
        if isinstance(leaf, Prefix | Wildcard | Fuzzy):
            if self._terms is None:
                return Joined(0, 0)
            return self._joined_words(
                (self._lists_of_terms(self._terms),), most_documents
            )
        if isinstance(leaf, Exact):
            return self._joined_words(self._exact_words(leaf), most_documents)
        by_language = [
            self._joined_words(self._stemmed_words(leaf, language), most_documents)
            for language in self._segment.languages
        ]
        rows = sum(joined.rows for joined in by_language)
        most = max((joined.bytes for joined in by_language), default=0)
        return Joined(rows, most + (_RESULT * rows if len(by_language) > 1 else 0))

    def _joined_words(
        self, words: Sequence[WordLists], most_documents: Callable[[int], int]
    ) -> Joined:
        if not all(words):
            return Joined(0, 0)
        field = self._field
        numbers = [
            np.array([*word.lists, *(part[0] for part in word.parted)], np.int64)
            for word in words
        ]
        all_rows = self._rows_of_field()
        rows = [min(int(field.counts(lists).sum()), all_rows) for lists in numbers]
        articles = [int(field.article_counts(lists).sum()) for lists in numbers]
        result, common = min(rows), most_documents(min(articles))
        read = sum(
            count * _WORD_ARTICLE
            + rows_of_word * _MAPPED_ROW
            + min(rows_of_word, common) * _WORD_ROW
            if word.is_one_list and len(words) > 1
            else rows_of_word * (_MAPPED_ROW + _WORD_ROW) + _SUMMED_ROW * all_rows
            for word, rows_of_word, count in zip(words, rows, articles, strict=True)
        )
        return Joined(result, read + _RESULT * result)

    # From words to lists.

    def _exact_words(self, leaf: Exact) -> tuple[WordLists, ...]:
        return tuple(
            self._lists_of_terms(np.array(self._field.terms_of(form), np.int64))
            for form in leaf.forms
        )

    def _lists_of_terms(self, terms: Array) -> WordLists:
        lists, parted = self._field.lists_of(terms)
        return WordLists(tuple(lists.tolist()), tuple(parted.items()))

    def _stemmed_words(
        self, leaf: Term | Phrase | Near, language: str
    ) -> tuple[WordLists, ...]:
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

    def _stemmed_word(self, form: str, language: str, count: int) -> WordLists:
        if is_single_cjk(form):
            lists = self._lists_of_terms(self._field.terms_with_prefix(fold(form)))
            return self._in_language(lists, language, count)
        number = self._list_of(form, language)
        return WordLists((number,) if number >= 0 else (), (), count)

    def _in_language(self, word: WordLists, language: str, count: int) -> WordLists:
        """The lists of a word in one language."""
        stems = self._field.stems
        low = stems.bisect(f"{language}\0".encode())
        high = stems.bisect(f"{language}\1".encode())
        return WordLists(
            tuple(number for number in word.lists if low <= number < high),
            tuple(part for part in word.parted if low <= part[0] < high),
            count,
        )

    def _list_of(self, form: str, language: str) -> int:
        return self._field.list_of(language, word_key(form, language))

    # From lists to postings.

    def _all_words(self, words: Sequence[WordLists]) -> Postings:
        """Postings of all words together: a single word or a phrase."""
        if not all(words):
            return NO_POSTINGS
        if len(words) == 1:
            return self._disjunction(words[0])
        return self._proximity(words).phrase()

    def _proximity(self, words: Sequence[WordLists]) -> Proximity:
        numbers = [word.lists[0] for word in words if word.is_one_list]
        decoded: dict[int, DecodedRows] = {}
        if isinstance(self._field, ParagraphIndex) and len(numbers) == len(words):
            self._check()
            together = self._field.postings_together(numbers)
            postings = [Postings(each.rows, each.frequencies) for each in together]
            decoded = dict(zip(numbers, together, strict=True))
        else:
            postings = [self._disjunction(word) for word in words]
        return Proximity(self._field, words, postings, decoded, self._check)

    def _disjunction(self, word: WordLists) -> Postings:
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

    def _long_disjunction(self, word: WordLists, lists: Ints) -> Postings:
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
