"""How the term dictionary and the posting lists of one field are written.

A **posting list** has the occurrences of one word: of all terms with the same stem, in
articles of one language. A *tag* for each occurrence says which of these terms it is; a
list of one term has no tags. So a search for a word reads one list, however the word is
spelt, and a search for one spelling filters that list by tag.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.article import PASSAGE_FIELDS
from index.engines.whoosh.files.arrays import (
    Array,
    ArraysWriter,
    Column,
    Ints,
    Mask,
    narrowed_offsets,
)
from index.engines.whoosh.files.packed import packed_column
from index.engines.whoosh.files.schema import WIDTH_MARK, form_of
from index.text import LOOSE_MARK, fold

_MARK, _LOOSE = WIDTH_MARK.encode(), LOOSE_MARK.encode()

# A word in at least one document of 32 also has a bitmap, which is then the smaller of
# the two. In segments with fewer documents than this no bitmap pays.
DENSE = 32
LEAST_DENSE = 4_096
# Higher frequencies and lengths count as this in the upper bounds of scores.
IMPACT_CAP = 255

# Most paragraphs are body text: a document is in this field if it is in no other.
MAIN_FIELD = "body"
MAIN_FIELD_NUMBER = PASSAGE_FIELDS.index(MAIN_FIELD)
SIDE_FIELDS = tuple(
    name for at, name in enumerate(PASSAGE_FIELDS) if at != MAIN_FIELD_NUMBER
)


@dataclass(frozen=True, slots=True)
class Documents:
    """Columns of the documents that posting lists need.

    :param first: first document of each article, and at the end their number.
    :param owner: article of each document.
    :param passage: field of each document, as an index into ``PASSAGE_FIELDS``.
    :param lengths: length of each document, in words.
    """

    first: Array
    owner: Array
    passage: Array
    lengths: Array


@dataclass(frozen=True, slots=True)
class PostingLists:
    """A run of posting lists, end to end.

    :param rows_at: offset of each list in ``rows``, then the end of the last.
    :param rows: document or article of each posting, ascending within a list.
    :param frequencies: frequency of each posting.
    :param positions: position of each occurrence, ascending within a posting.
    :param tags_at: offset of each list in ``tags``.
    :param tags: tag of each occurrence; a list of one term has none.
    """

    rows_at: Ints
    rows: Array
    frequencies: Array
    positions: Array
    tags_at: Ints
    tags: Array

    def __len__(self) -> int:
        return len(self.rows_at) - 1


@dataclass(frozen=True, slots=True)
class TermDictionary:
    """The terms of a field, and the posting lists they are in.

    :param terms: in the order of their bytes.
    :param stems: keys of the posting lists, in the order of their bytes: language, a
        zero byte, stem.
    :param members_at: offset of each posting list in ``members``.
    :param members: the terms of each posting list, ascending; a term's tag is its index
        among the terms of its list.
    :param occurrences: number of occurrences of each member.
    :param folded: folded form of each term.
    :param by_folded: the terms in the order of their folded forms.
    """

    terms: Sequence[bytes]
    stems: Sequence[bytes]
    members_at: Ints
    members: Ints
    occurrences: Ints
    folded: Sequence[bytes]
    by_folded: Ints


def write_term_dictionary(
    out: ArraysWriter, name: str, dictionary: TermDictionary
) -> None:
    """Write the terms of a field, to be found by term, by stem and by folded form."""
    terms, members = dictionary.terms, dictionary.members
    out.put_strings(f"{name}/terms", terms)
    out.put_strings(f"{name}/stems", dictionary.stems)
    counts = np.diff(dictionary.members_at)
    out.put(f"{name}/members.at", dictionary.members_at.astype("<u4"))
    out.put(f"{name}/members", members.astype("<u4"))
    lists = np.repeat(np.arange(len(counts)), counts)
    tags = np.arange(len(members)) - np.repeat(dictionary.members_at[:-1], counts)
    by_term = np.argsort(members, kind="stable")
    at = np.zeros(len(terms) + 1, np.int64)
    np.cumsum(np.bincount(members, minlength=len(terms)), out=at[1:])
    out.put(f"{name}/entries.at", at.astype("<u4"))
    out.put(f"{name}/entries", lists[by_term].astype("<u4"))
    out.column(f"{name}/entries.tag").append(tags[by_term])
    occurrences = packed_column(out, f"{name}/entries.occurrences")
    occurrences.append(dictionary.occurrences[by_term])
    folded, by_folded = dictionary.folded, dictionary.by_folded
    out.put_strings(f"{name}/folded", [folded[term] for term in by_folded.tolist()])
    out.put(f"{name}/folded.term", by_folded.astype("<u4"))


def folded_term(term: bytes) -> bytes:
    """Folded form of a term."""
    # Most terms are their own folded form, and this test is cheaper than folding.
    if term.isascii() and _MARK not in term and _LOOSE not in term:
        return term
    return fold(form_of(term.decode())[0]).encode()


class PostingListsWriter:
    """Writes the posting lists of a field, run by run, in the order of their keys.

    :param documents: ``None`` for a field whose rows are articles.
    """

    def __init__(
        self, out: ArraysWriter, name: str, documents: Documents | None
    ) -> None:
        self._out, self._name = out, name
        self._documents = documents
        self._frequencies = packed_column(out, f"{name}/frequencies")
        self._positions = packed_column(out, f"{name}/positions")
        self._tags = packed_column(out, f"{name}/tags")
        self._offsets = {
            array: _Offsets() for array in ("rows", "positions", "tags", "articles")
        }
        self._rows: Column | None = None
        self._article_postings: _ArticlePostingsWriter | None = None
        if documents is None:
            self._rows = out.column(f"{name}/rows", "<i4")
        else:
            self._article_postings = _ArticlePostingsWriter(out, name)

    def append(self, lists: PostingLists, *, continues: bool = False) -> None:
        """Append a run of posting lists.

        :param continues: the run is one list, more of the one that was appended last.
            No article has postings in both parts.
        """
        if self._rows is not None:
            self._rows.append(lists.rows)
        self._frequencies.append(lists.frequencies)
        self._positions.append(lists.positions)
        self._tags.append(lists.tags)
        ends = np.zeros(len(lists.rows) + 1, np.int64)
        np.cumsum(lists.frequencies, out=ends[1:])
        lengths = {
            "rows": np.diff(lists.rows_at),
            "positions": np.diff(ends[lists.rows_at]),
            "tags": np.diff(lists.tags_at),
        }
        if self._documents is not None and self._article_postings is not None:
            lengths["articles"] = self._article_postings.append(
                lists, self._documents, continues=continues
            )
        for array, of_array in lengths.items():
            self._offsets[array].add(of_array, continues=continues)

    def close(self) -> None:
        """Write the offsets of all posting lists."""
        for array, offsets in self._offsets.items():
            if array != "articles" or self._documents is not None:
                self._out.put(f"{self._name}/{array}.at", offsets.array())
        if self._article_postings is not None:
            self._article_postings.close()


class _Offsets:
    """Collects the lengths of runs, and adds them up to offsets."""

    def __init__(self) -> None:
        self._lengths: list[Array] = []

    def add(self, lengths: Array, *, continues: bool = False) -> None:
        if continues:
            self._lengths[-1][-1] += lengths[0]
        else:
            self._lengths.append(lengths)

    def array(self) -> Array:
        lengths = np.concatenate(self._lengths or [np.empty(0, np.int64)])
        at = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=at[1:])
        return narrowed_offsets(at)


@dataclass(frozen=True, slots=True)
class ArticlePostings:
    """A posting list by article: it answers most of a search.

    :param articles: ascending.
    :param paragraph_counts: matching documents in each article.
    :param frequencies: occurrences in each article.
    :param impacts: input of the upper bound of the article's best paragraph score: the
        highest frequency in a document, and the length of the shortest matching one,
        both capped at :data:`IMPACT_CAP`, as ``frequency << 8 | length``.
    :param side_fields: for each field of paragraphs but the main one, the articles with
        the word in that field, ascending, and its frequencies there.
    """

    articles: Array
    paragraph_counts: Array
    frequencies: Array
    impacts: Array
    side_fields: Mapping[str, tuple[Array, Array]]


def article_postings(
    rows: Array, frequencies: Array, *, owner: Array, passage: Array, lengths: Array
) -> ArticlePostings:
    """Group the postings of documents by article.

    :param owner: see :class:`Documents`, as for ``passage`` and ``lengths``.
    """
    owners = owner[rows]
    starts = np.flatnonzero(_run_starts(owners, np.array([0, len(rows)])))
    passages = passage[rows]
    side_fields = {}
    for name in SIDE_FIELDS:
        at = np.flatnonzero(passages == PASSAGE_FIELDS.index(name))
        if len(at):
            articles = owners[at]
            runs = np.flatnonzero(_run_starts(articles, np.array([0, len(at)])))
            sums = np.add.reduceat(frequencies[at], runs, dtype=np.int64)
            side_fields[name] = articles[runs], sums
    counts, sums, impacts = _article_statistics(rows, frequencies, starts, lengths)
    return ArticlePostings(owners[starts], counts, sums, impacts, side_fields)


def _article_statistics(
    rows: Array, frequencies: Array, starts: Array, lengths: Array
) -> tuple[Array, Array, Array]:
    """Paragraph count, frequency and impact of each article.

    :param starts: index of the first posting of each article.
    """
    if not len(starts):
        none = np.empty(0, np.int64)
        return none, none, none.astype("<u2")
    highest = np.maximum.reduceat(np.minimum(frequencies, IMPACT_CAP), starts)
    shortest = np.minimum.reduceat(np.minimum(lengths.take(rows), IMPACT_CAP), starts)
    return (
        np.diff(np.append(starts, len(rows))).astype(np.int32),
        np.add.reduceat(frequencies, starts, dtype=np.int32),
        highest.astype("<u2") << 8 | shortest.astype("<u2"),
    )


class _ArticlePostingsWriter:
    """Writes posting lists by article, and the bitmaps of frequent words."""

    def __init__(self, out: ArraysWriter, name: str) -> None:
        self._out, self._name = out, name
        self._articles = out.column(f"{name}/articles", "<i4")
        self._paragraphs = packed_column(out, f"{name}/paragraphs")
        self._paragraph_counts = packed_column(out, f"{name}/spreads")
        self._frequencies = packed_column(out, f"{name}/totals")
        self._impacts = out.column(f"{name}/bests", "<u2")
        self._side_fields: dict[str, tuple[Column, Column, _Offsets]] = {
            side: (
                out.column(f"{name}/{side}", "<i4", optional=True),
                out.column(f"{name}/{side}.frequencies", optional=True),
                _Offsets(),
            )
            for side in SIDE_FIELDS
        }
        self._dense: list[int] = []
        self._bitmaps = out.column(f"{name}/bits", "<u1")
        self._lists = 0
        self._last: Mask | None = None  # documents of the last list

    def append(
        self, lists: PostingLists, documents: Documents, *, continues: bool
    ) -> Array:
        """Write a run of posting lists; return the number of articles in each."""
        rows, frequencies = lists.rows, lists.frequencies
        owners = documents.owner.take(rows)
        starts = np.flatnonzero(_run_starts(owners, lists.rows_at))
        self._articles.append(owners.take(starts))
        self._paragraphs.append(rows - documents.first.take(owners))
        counts, sums, impacts = _article_statistics(
            rows, frequencies, starts, documents.lengths
        )
        self._paragraph_counts.append(counts)
        self._frequencies.append(sums)
        self._impacts.append(impacts)
        self._append_side_fields(lists, documents, owners, continues=continues)
        self._append_bitmaps(lists, len(documents.owner), continues=continues)
        self._lists += len(lists) - continues
        return np.diff(np.searchsorted(starts, lists.rows_at))

    def _append_side_fields(
        self,
        lists: PostingLists,
        documents: Documents,
        owners: Array,
        *,
        continues: bool,
    ) -> None:
        passages = documents.passage.take(lists.rows)
        side = np.flatnonzero(passages != MAIN_FIELD_NUMBER)
        list_of = np.searchsorted(lists.rows_at, side, "right") - 1
        for name, (articles, frequencies, offsets) in self._side_fields.items():
            inside = passages[side] == PASSAGE_FIELDS.index(name)
            at, numbers = side[inside], list_of[inside]
            counts = np.zeros(len(lists), np.int64)
            if len(at):
                bounds = np.searchsorted(numbers, np.arange(len(lists) + 1))
                runs = np.flatnonzero(_run_starts(owners[at], bounds))
                articles.append(owners[at[runs]])
                frequencies.append(
                    np.add.reduceat(lists.frequencies[at], runs, dtype=np.int64)
                )
                counts = np.diff(np.searchsorted(runs, bounds))
            offsets.add(counts, continues=continues)

    def _append_bitmaps(
        self, lists: PostingLists, documents: int, *, continues: bool
    ) -> None:
        if documents < LEAST_DENSE:
            return
        if continues:
            assert self._last is not None, "it was begun"
            self._last[lists.rows] = True
            return
        self._end_last()
        first = self._lists
        dense = np.diff(lists.rows_at[:-1]) * DENSE >= documents
        for number in np.flatnonzero(dense).tolist():
            rows = lists.rows[lists.rows_at[number] : lists.rows_at[number + 1]]
            self._append_bitmap(first + number, _bits(rows, documents))
        # More of the last list may follow.
        if len(lists):
            self._last = _bits(lists.rows[lists.rows_at[-2] :], documents)

    def _end_last(self) -> None:
        """Write the bitmap of the last list, if it is frequent enough."""
        last, self._last = self._last, None
        if last is not None and np.count_nonzero(last) * DENSE >= len(last):
            self._append_bitmap(self._lists - 1, last)

    def _append_bitmap(self, number: int, bits: Mask) -> None:
        self._bitmaps.append(np.packbits(bits, bitorder="little"))
        self._dense.append(number)

    def close(self) -> None:
        """Write the offsets of the side fields, and which lists have a bitmap."""
        self._end_last()
        for name, (articles, _, offsets) in self._side_fields.items():
            if articles.count:
                self._out.put(f"{self._name}/{name}.at", offsets.array())
        self._out.put(f"{self._name}/dense", np.array(self._dense, "<u4"))


def _bits(rows: Array, documents: int) -> Mask:
    bits = np.zeros(documents, bool)
    bits[rows] = True
    return bits


def _run_starts(values: Array, at: Ints) -> NDArray[np.bool_]:
    """Mask of the values that differ from the one before, or begin a list."""
    starts = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=starts[1:])
    starts[at[:-1][np.diff(at) > 0]] = True
    return starts
