"""Making one segment of several: lists put end to end, what is deleted left out.

Words are merged first; then lists, so many at a time that memory stays bounded however
large the segments are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice, pairwise
from operator import methodcaller
from pathlib import Path

import numpy as np

from index.engines.whoosh.files import (
    PARAGRAPH_WORDS,
    VALUE_FIELDS,
    VERSION,
    WORD_FIELDS,
    Array,
    ArraysWriter,
    Documents,
    FieldIndex,
    Ints,
    Mask,
    PostingLists,
    PostingListsWriter,
    Segment,
    TermDictionary,
    expand_ranges,
    write_term_dictionary,
)
from index.engines.whoosh.writing.inversion import (
    write_documents,
    write_ids,
    write_values,
)

COLUMNS = {
    "status": "<u1",
    "first_n": "<u1",
    "embargoed_until": "<i8",
    "expires": "<i8",
    "published": "<i8",
    "updated": "<i8",
    "urgency": "<i8",
}
# Occurrences merged at a time, of some 60 bytes each while they are, in each thread.
_AT_ONCE, _THREADS = 1_000_000, 2


@dataclass(frozen=True, slots=True)
class _Part:
    """One of the segments that are merged.

    :param documents: of each of its documents the new number, -1 for none; ``articles``
        likewise.
    """

    segment: Segment
    live: Mask
    documents: Array
    articles: Array
    whole: bool

    def rows(self, *, of_documents: bool) -> Array:
        """Return the new numbers of rows."""
        return self.documents if of_documents else self.articles


def merge(segments: Sequence[tuple[Segment, Mask]], path: Path) -> int:
    """Write segments as one, in their order; return how many documents it has.

    :param segments: each with which of its documents live.
    """
    out = ArraysWriter(path)
    try:
        parts = _parts(segments)
        documents, sizes = _documents(parts)
        write_documents(out, sizes, documents)
        for name, kind in COLUMNS.items():
            out.put(
                name,
                _kept(parts, methodcaller("column", name)).astype(kind),
            )
        write_ids(out, _ids(parts))
        for name in (*VALUE_FIELDS, VERSION):
            _merge_values(out, parts, name, len(sizes))
        for name in WORD_FIELDS:
            if any(part.segment.field(name) is not None for part in parts):
                if name != PARAGRAPH_WORDS:
                    lengths = _kept(parts, methodcaller("line_lengths", name))
                    out.column(f"{name}/lengths").append(lengths)
                _merge_field(
                    out, parts, name, documents if name == PARAGRAPH_WORDS else None
                )
        languages = {name for part in parts for name in part.segment.languages}
        out.close({"languages": sorted(languages)})
    except BaseException:
        out.abandon()
        raise
    return len(documents.owner)


def _parts(segments: Sequence[tuple[Segment, Mask]]) -> list[_Part]:
    parts = []
    document = article = 0
    for segment, live in segments:
        articles = live[segment.first[:-1]]
        parts.append(
            _Part(
                segment,
                articles,
                _numbered(live, document),
                _numbered(articles, article),
                bool(articles.all()),
            )
        )
        document += int(np.count_nonzero(live))
        article += int(np.count_nonzero(articles))
    return parts


def _numbered(live: Mask, first: int) -> Array:
    numbers = np.cumsum(live, dtype=np.int32)
    numbers += first - 1
    numbers[~live] = -1
    return numbers


def _kept(parts: Sequence[_Part], column: Callable[[Segment], Array]) -> Array:
    return np.concatenate([column(part.segment)[part.live] for part in parts])


def _documents(parts: Sequence[_Part]) -> tuple[Documents, Ints]:
    owners, passages, lengths, sizes = [], [], [], []
    for part in parts:
        segment, live = part.segment, part.documents >= 0
        owners.append(part.articles[segment.owner[live]])
        passages.append(segment.passage[live])
        lengths.append(segment.lengths[live])
        sizes.append(np.diff(segment.first)[part.live])
    return (
        Documents(
            owner=np.concatenate(owners).astype("<i4"),
            passage=np.concatenate(passages),
            lengths=np.concatenate(lengths),
        ),
        np.concatenate(sizes).astype(np.int64),
    )


def _ids(parts: Sequence[_Part]) -> list[str]:
    return [
        part.segment.article_id(number)
        for part in parts
        for number in np.flatnonzero(part.live).tolist()
    ]


def _merge_values(
    out: ArraysWriter, parts: Sequence[_Part], name: str, articles: int
) -> None:
    numbers: dict[bytes, int] = {}
    of_article, codes = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for part in parts:
        spellings, here, code = part.segment.values(name)
        if spellings is None:
            continue
        live = part.live[here]
        used = np.unique(code[live])
        recoded = np.zeros(len(spellings), np.int64)
        for old in used.tolist():
            recoded[old] = numbers.setdefault(spellings[old], len(numbers))
        of_article.append(part.articles[here[live]].astype(np.int64))
        codes.append(recoded[code[live]])
    if numbers:
        write_values(
            out,
            name,
            list(numbers),
            np.concatenate(of_article),
            np.concatenate(codes),
            articles,
        )


# Words.


@dataclass(frozen=True, slots=True)
class _Source:
    """A field of one of the segments, and what becomes of its lists.

    :param rows: the new number of each of its rows, -1 for none.
    :param lists: the new number of each of its lists, ascending.
    :param tags: the new tag of each member of its lists.
    """

    field: FieldIndex
    rows: Array
    whole: bool
    lists: Ints
    tags: Ints


def _merge_field(
    out: ArraysWriter,
    parts: Sequence[_Part],
    name: str,
    documents: Documents | None,
) -> None:
    having = [
        (field, part)
        for part in parts
        if (field := part.segment.field(name)) is not None
    ]
    words, lists, tags = _words([field for field, _ in having])
    sources = [
        _Source(
            field,
            part.rows(of_documents=documents is not None),
            part.whole,
            lists[at],
            tags[at],
        )
        for at, (field, part) in enumerate(having)
    ]
    writer = PostingListsWriter(out, name, documents)
    several = np.diff(words.members_at) > 1
    with ThreadPoolExecutor(_THREADS) as pool:
        # Some runs are merged while the one before is written: NumPy lets go of the
        # interpreter.
        runs = iter(_runs(sources, len(several)))
        merged = deque(
            pool.submit(_merged, sources, low, high, several[low:high])
            for low, high in islice(runs, _THREADS + 1)
        )
        # What is only in deleted articles stays until nothing of it is left: a list
        # without rows costs little, and to know them would cost a pass over everything.
        write_term_dictionary(out, name, words)
        while merged:
            writer.append(merged.popleft().result())
            for low, high in islice(runs, 1):
                merged.append(
                    pool.submit(_merged, sources, low, high, several[low:high])
                )
    writer.close()


def _words(
    fields: Sequence[FieldIndex],
) -> tuple[TermDictionary, list[Ints], list[Ints]]:
    """Return the words of several fields, and what becomes of each one's lists.

    :return: the words; of each field the new numbers of its lists; and the new tags of
        their members.
    """
    terms, terms_of = _united([field.terms.all() for field in fields])
    stems, lists_of = _united([field.stems.all() for field in fields])
    pairs, counts = [], []
    for field, numbers, lists in zip(fields, terms_of, lists_of, strict=True):
        at = field.members_at.astype(np.int64)
        sizes = at[1:] - at[:-1]
        members = numbers[field.members]
        pairs.append(np.repeat(lists, sizes) * len(terms) + members)
        counts.append(field.member_occurrences())
    every = np.concatenate(pairs)
    united, places = np.unique(every, return_inverse=True)
    occurrences = np.bincount(places, weights=np.concatenate(counts))
    of_list = united // max(len(terms), 1)
    members_at = np.searchsorted(of_list, np.arange(len(stems) + 1))
    tags = np.arange(len(united)) - members_at[of_list]
    words = TermDictionary(
        terms=terms,
        stems=stems,
        members_at=members_at,
        members=united % max(len(terms), 1),
        occurrences=occurrences.astype(np.int64),
    )
    bounds = np.cumsum([len(each) for each in pairs])[:-1]
    return words, lists_of, np.split(tags[places], bounds)


def _united(texts: Sequence[list[bytes]]) -> tuple[list[bytes], list[Ints]]:
    """Return strings in order, each once, and the place there of each one given."""
    every = sorted(set().union(*texts))
    place = {text: at for at, text in enumerate(every)}
    return every, [
        np.fromiter(map(place.__getitem__, each), np.int64, len(each)) for each in texts
    ]


# Lists.


def _runs(sources: Sequence[_Source], count: int) -> list[tuple[int, int]]:
    """Return runs of lists, each of about so many occurrences as fit in memory."""
    sizes = np.zeros(count, np.int64)
    for each in sources:
        sizes[each.lists] += each.field.list_occurrences()
    ends = np.cumsum(sizes)
    bounds = [0]
    while bounds[-1] < count:
        done = int(ends[bounds[-1] - 1]) if bounds[-1] else 0
        bound = int(ends.searchsorted(done + _AT_ONCE, "right"))
        bounds.append(min(count, max(bound, bounds[-1] + 1)))
    return list(pairwise(bounds))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of one source's lists, with new numbers.

    :param counts: how many postings each of the new lists gets from it; ``places`` how
        many occurrences.
    """

    counts: Ints
    places: Ints
    rows: Array
    frequencies: Array
    positions: Array
    tags: Array


def _merged(
    sources: Sequence[_Source], low: int, high: int, several: Mask
) -> PostingLists:
    pieces = [
        piece
        for each in sources
        if (piece := _piece(each, low, high, several)) is not None
    ]
    count = high - low
    rows_at = _starts(
        sum((piece.counts for piece in pieces), np.zeros(count, np.int64))
    )
    places_at = _starts(
        sum((piece.places for piece in pieces), np.zeros(count, np.int64))
    )
    rows = np.empty(rows_at[-1], np.int32)
    frequencies = np.empty(rows_at[-1], np.int64)
    positions = np.empty(places_at[-1], np.int64)
    tags = np.zeros(places_at[-1], np.int64)
    row, place = rows_at[:-1].copy(), places_at[:-1].copy()
    for piece in pieces:
        at = expand_ranges(row, piece.counts)
        rows[at], frequencies[at] = piece.rows, piece.frequencies
        at = expand_ranges(place, piece.places)
        positions[at], tags[at] = piece.positions, piece.tags
        row += piece.counts
        place += piece.places
    sizes = np.diff(places_at)
    return PostingLists(
        rows_at=rows_at,
        rows=rows,
        frequencies=frequencies,
        positions=positions,
        tags_at=_starts(sizes * several),
        tags=tags[np.repeat(several, sizes)],
    )


def _piece(source: _Source, low: int, high: int, several: Mask) -> _Piece | None:
    field = source.field
    first, end = source.lists.searchsorted([low, high]).tolist()
    if first == end:
        return None
    lists = source.lists[first:end] - low
    run = field.slice(first, end)
    rows = source.rows[run.rows]
    frequencies = run.frequencies.astype(np.int64)
    positions = run.positions
    of_row = np.repeat(lists, np.diff(run.rows_at))
    of_place = np.repeat(of_row, frequencies)
    tags = _retagged(source, first, end, run)
    if not source.whole:
        kept = rows >= 0
        inside = np.repeat(kept, frequencies)
        rows, frequencies, of_row = rows[kept], frequencies[kept], of_row[kept]
        positions, tags, of_place = positions[inside], tags[inside], of_place[inside]
    return _Piece(
        counts=np.bincount(of_row, minlength=high - low),
        places=np.bincount(of_place, minlength=high - low),
        rows=rows,
        frequencies=frequencies,
        positions=positions,
        tags=tags,
    )


def _retagged(source: _Source, first: int, end: int, run: PostingLists) -> Ints:
    """Return the new tag of each occurrence of a run."""
    members_at = source.field.members_at.astype(np.int64)
    ends = np.append(0, np.cumsum(run.frequencies, dtype=np.int64))
    places = np.diff(ends[run.rows_at])
    old = np.zeros(int(ends[-1]), np.int64)
    tagged = np.diff(run.tags_at) > 0
    old[np.repeat(tagged, places)] = run.tags
    found: Ints = source.tags[np.repeat(members_at[first:end], places) + old]
    return found


def _starts(counts: Ints) -> Ints:
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts
