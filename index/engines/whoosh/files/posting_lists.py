"""Posting lists: how those of one field are written.

A **list** holds the occurrences of one word: of all terms with one stem, in articles of
one language. Which of its terms an occurrence is of, its *tag* says; a list of one term
has none. So a word is found by one list however it is spelt, and a spelling by its tag.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.article import PASSAGE_FIELDS
from index.engines.whoosh.files.arrays import Array, ArraysWriter, Column, Ints
from index.engines.whoosh.files.schema import WIDTH_MARK, form_of
from index.text import fold

_MARK = WIDTH_MARK.encode()

# A list that is in at least one document of so many has a bitmap beside it: then that
# is the shorter way to say where.
DENSE = 32
LEAST_DENSE = 4_096  # documents of a segment, below which no bitmap pays
IMPACT_CAP = 255  # the highest frequency and length that a bound tells apart

# The field that most paragraphs are in: what is in no other is in this one.
MAIN_FIELD = "body"
MAIN_FIELD_NUMBER = PASSAGE_FIELDS.index(MAIN_FIELD)
SIDE_FIELDS = tuple(
    name for at, name in enumerate(PASSAGE_FIELDS) if at != MAIN_FIELD_NUMBER
)


@dataclass(frozen=True, slots=True)
class Documents:
    """What documents are, as far as their posting lists need it.

    :param owner: each document's article.
    :param passage: each one's field, as a position in ``PASSAGE_FIELDS``; ``length``.
    """

    owner: Array
    passage: Array
    lengths: Array


@dataclass(frozen=True, slots=True)
class PostingLists:
    """A run of lists, end to end.

    :param rows_at: where each list's postings begin; behind the last, where it ends.
    :param rows: of each posting; ascending within a list. Documents, or articles.
    :param frequencies: of each posting.
    :param positions: of each occurrence, ascending within a posting.
    :param tags_at: likewise of ``tags``, one of each occurrence, none for a list of one
        term.
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
    """The words of a field.

    :param terms: in the order of their bytes; ``stems`` the lists' names, likewise: the
        language that stems them, a zero byte, the stem.
    :param members: the terms of each list, in order, as numbers: a term's tag is its
        place there; ``members_at`` where each list's begin; ``occurrences`` of each.
    """

    terms: Sequence[bytes]
    stems: Sequence[bytes]
    members_at: Ints
    members: Ints
    occurrences: Ints


def write_term_dictionary(out: ArraysWriter, name: str, words: TermDictionary) -> None:
    """Write the words of a field, to be found by term, by stem and by folded form."""
    out.put_strings(f"{name}/terms", words.terms)
    out.put_strings(f"{name}/stems", words.stems)
    counts = np.diff(words.members_at)
    out.put(f"{name}/members.at", words.members_at.astype("<u4"))
    out.put(f"{name}/members", words.members.astype("<u4"))
    lists = np.repeat(np.arange(len(counts)), counts)
    tags = np.arange(len(words.members)) - np.repeat(words.members_at[:-1], counts)
    order = np.argsort(words.members, kind="stable")
    at = np.zeros(len(words.terms) + 1, np.int64)
    np.cumsum(np.bincount(words.members, minlength=len(words.terms)), out=at[1:])
    out.put(f"{name}/entries.at", at.astype("<u4"))
    out.put(f"{name}/entries", lists[order].astype("<u4"))
    out.column(f"{name}/entries.tag").append(tags[order])
    out.column(f"{name}/entries.occurrences").append(words.occurrences[order])
    folded = [_folded(term) for term in words.terms]
    order = np.array(
        sorted(range(len(folded)), key=folded.__getitem__), np.int64
    )  # nearly sorted already
    out.put_strings(f"{name}/folded", [folded[at] for at in order.tolist()])
    out.put(f"{name}/folded.term", order.astype("<u4"))


def _folded(term: bytes) -> bytes:
    # Most terms are their own folded form, and it costs less to see that than to fold.
    if term.isascii() and _MARK not in term:
        return term
    return fold(form_of(term.decode())[0]).encode()


class PostingListsWriter:
    """Writes the lists of a field, run by run, in the order of their names.

    :param documents: where rows are documents; ``None`` where they are articles.
    """

    def __init__(
        self, out: ArraysWriter, name: str, documents: Documents | None
    ) -> None:
        self._out, self._name = out, name
        self._documents = documents
        self._rows = out.column(f"{name}/rows", "<i4")
        self._frequencies = out.column(f"{name}/frequencies")
        self._positions = out.column(f"{name}/positions")
        self._tags = out.column(f"{name}/tags")
        self._starts = {
            each: _Starts() for each in ("rows", "positions", "tags", "articles")
        }
        self._over_articles = (
            None if documents is None else _ArticlePostingsWriter(out, name)
        )

    def append(self, lists: PostingLists) -> None:
        """Write a run of lists behind those that are there."""
        self._rows.append(lists.rows)
        self._frequencies.append(lists.frequencies)
        self._positions.append(lists.positions)
        self._tags.append(lists.tags)
        self._starts["rows"].add(np.diff(lists.rows_at))
        ends = np.zeros(len(lists.rows) + 1, np.int64)
        np.cumsum(lists.frequencies, out=ends[1:])
        self._starts["positions"].add(np.diff(ends[lists.rows_at]))
        self._starts["tags"].add(np.diff(lists.tags_at))
        if self._documents is not None and self._over_articles is not None:
            self._starts["articles"].add(
                self._over_articles.append(lists, self._documents)
            )

    def close(self) -> None:
        """Write what was only known at the end."""
        for each, starts in self._starts.items():
            if each != "articles" or self._documents is not None:
                self._out.put(f"{self._name}/{each}.at", starts.array())
        if self._over_articles is not None:
            self._over_articles.close()


class _Starts:
    """Where each of many runs begins, known by their lengths."""

    def __init__(self) -> None:
        self._lengths: list[Array] = []

    def add(self, lengths: Array) -> None:
        self._lengths.append(lengths)

    def array(self) -> Array:
        lengths = np.concatenate(self._lengths or [np.empty(0, np.int64)])
        at = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=at[1:])
        return at.astype("<u4" if at[-1] < 1 << 32 else "<u8")


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
    """Return documents that match by their articles."""
    owners = owner[rows]
    starts = np.flatnonzero(_changes(owners, np.array([0, len(rows)])))
    passages = passage[rows]
    side = {}
    for name in SIDE_FIELDS:
        at = np.flatnonzero(passages == PASSAGE_FIELDS.index(name))
        if len(at):
            here = owners[at]
            runs = np.flatnonzero(_changes(here, np.array([0, len(at)])))
            summed = np.add.reduceat(frequencies[at], runs, dtype=np.int64)
            side[name] = here[runs], summed
    spreads, totals, bests = _summed(rows, frequencies, starts, lengths)
    return ArticlePostings(owners[starts], spreads, totals, bests, side)


def _summed(
    rows: Array, frequencies: Array, starts: Array, lengths: Array
) -> tuple[Array, Array, Array]:
    """Return the spread, total and best of each run of rows of one article."""
    if not len(starts):
        none = np.empty(0, np.int64)
        return none, none, none.astype("<u2")
    most = np.maximum.reduceat(np.minimum(frequencies, IMPACT_CAP), starts)
    least = np.minimum.reduceat(np.minimum(lengths[rows], IMPACT_CAP), starts)
    return (
        np.diff(np.append(starts, len(rows))).astype(np.int32),
        np.add.reduceat(frequencies, starts, dtype=np.int32),
        most.astype("<u2") << 8 | least.astype("<u2"),
    )


class _ArticlePostingsWriter:
    """Writes lists by article, with the bitmaps of those that are in many documents."""

    def __init__(self, out: ArraysWriter, name: str) -> None:
        self._out, self._name = out, name
        self._articles = out.column(f"{name}/articles", "<i4")
        self._spreads = out.column(f"{name}/spreads")
        self._totals = out.column(f"{name}/totals")
        self._bests = out.column(f"{name}/bests", "<u2")
        self._side: dict[str, tuple[Column, Column, _Starts]] = {
            each: (
                out.column(f"{name}/{each}", "<i4"),
                out.column(f"{name}/{each}.frequencies"),
                _Starts(),
            )
            for each in SIDE_FIELDS
        }
        self._dense: list[int] = []
        self._bits = out.column(f"{name}/bits", "<u1")
        self._lists = 0

    def append(self, lists: PostingLists, documents: Documents) -> Array:
        """Write a run of lists, and return how many articles each has."""
        rows, frequencies = lists.rows, lists.frequencies
        owners = documents.owner[rows]
        starts = np.flatnonzero(_changes(owners, lists.rows_at))
        self._articles.append(owners[starts])
        spreads, totals, bests = _summed(rows, frequencies, starts, documents.lengths)
        self._spreads.append(spreads)
        self._totals.append(totals)
        self._bests.append(bests)
        self._append_side(lists, documents, owners)
        self._append_bitmaps(lists, len(documents.owner))
        self._lists += len(lists)
        return np.diff(np.searchsorted(starts, lists.rows_at))

    def _append_side(
        self, lists: PostingLists, documents: Documents, owners: Array
    ) -> None:
        passages = documents.passage[lists.rows]
        side = np.flatnonzero(passages != MAIN_FIELD_NUMBER)
        of_list = np.searchsorted(lists.rows_at, side, "right") - 1
        for name, (articles, frequencies, starts) in self._side.items():
            inside = passages[side] == PASSAGE_FIELDS.index(name)
            at, where = side[inside], of_list[inside]
            counts = np.zeros(len(lists), np.int64)
            if len(at):
                bounds = np.searchsorted(where, np.arange(len(lists) + 1))
                runs = np.flatnonzero(_changes(owners[at], bounds))
                articles.append(owners[at[runs]])
                frequencies.append(
                    np.add.reduceat(lists.frequencies[at], runs, dtype=np.int64)
                )
                counts = np.diff(np.searchsorted(runs, bounds))
            starts.add(counts)

    def _append_bitmaps(self, lists: PostingLists, documents: int) -> None:
        if documents < LEAST_DENSE:
            return
        many = np.diff(lists.rows_at) * DENSE >= documents
        for number in np.flatnonzero(many).tolist():
            bits = np.zeros(documents, bool)
            bits[lists.rows[lists.rows_at[number] : lists.rows_at[number + 1]]] = True
            self._bits.append(np.packbits(bits, bitorder="little"))
            self._dense.append(self._lists + number)

    def close(self) -> None:
        """Write what was only known at the end."""
        for name, (_, _, starts) in self._side.items():
            self._out.put(f"{self._name}/{name}.at", starts.array())
        self._out.put(f"{self._name}/dense", np.array(self._dense, "<u4"))


def _changes(values: Array, at: Ints) -> NDArray[np.bool_]:
    """Return where a value differs from the one before, or a list begins."""
    changed = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=changed[1:])
    changed[at[:-1][np.diff(at) > 0]] = True
    return changed
