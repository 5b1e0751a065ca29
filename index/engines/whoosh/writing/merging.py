"""Segment merge: posting lists put end to end, deleted documents left out.

Dictionaries are merged first; then posting lists, one run after the other, so that
memory stays bounded however large the segments are.
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
from index.engines.whoosh.writing.buffer import COLUMNS
from index.engines.whoosh.writing.inversion import (
    write_documents,
    write_ids,
    write_keywords,
)

# Occurrences of a run, each of some 60 bytes while it is merged.
_RUN_OCCURRENCES = 1_000_000
_THREADS = 2  # each merges a run


@dataclass(frozen=True, slots=True)
class _Source:
    """One of the segments that are merged.

    :param live: which of its articles are live.
    :param documents: new number of each of its documents, -1 for a deleted one.
    :param articles: new number of each of its articles, -1 for a deleted one.
    :param whole: none of its documents is deleted.
    """

    segment: Segment
    live: Mask
    documents: Array
    articles: Array
    whole: bool

    def rows(self, *, of_documents: bool) -> Array:
        """New numbers of the rows of a field."""
        return self.documents if of_documents else self.articles


def merge(segments: Sequence[tuple[Segment, Mask]], path: Path) -> int:
    """Write segments as one, in their order; return its number of documents.

    :param segments: each with the bitmap of its live documents.
    """
    out = ArraysWriter(path)
    try:
        sources = _sources(segments)
        documents, sizes = _merged_documents(sources)
        write_documents(out, sizes, documents)
        for name, dtype in COLUMNS.items():
            out.put(
                name,
                _live_column(sources, methodcaller("column", name)).astype(dtype),
            )
        write_ids(out, _live_ids(sources))
        for name in (*VALUE_FIELDS, VERSION):
            _merge_keywords(out, sources, name, len(sizes))
        for name in WORD_FIELDS:
            if any(source.segment.field(name) is not None for source in sources):
                if name != PARAGRAPH_WORDS:
                    lengths = _live_column(sources, methodcaller("line_lengths", name))
                    out.column(f"{name}/lengths").append(lengths)
                _merge_field(
                    out, sources, name, documents if name == PARAGRAPH_WORDS else None
                )
        languages = {name for source in sources for name in source.segment.languages}
        out.close({"languages": sorted(languages)})
    except BaseException:
        out.abandon()
        raise
    return len(documents.owner)


# Columns.


def _sources(segments: Sequence[tuple[Segment, Mask]]) -> list[_Source]:
    sources = []
    document = article = 0
    for segment, live in segments:
        articles = live[segment.first[:-1]]
        sources.append(
            _Source(
                segment,
                articles,
                _renumbered(live, document),
                _renumbered(articles, article),
                bool(articles.all()),
            )
        )
        document += int(np.count_nonzero(live))
        article += int(np.count_nonzero(articles))
    return sources


def _renumbered(live: Mask, first: int) -> Array:
    """New numbers of live rows, from ``first``; -1 for the others."""
    numbers = np.cumsum(live, dtype=np.int32)
    numbers += first - 1
    numbers[~live] = -1
    return numbers


def _live_column(
    sources: Sequence[_Source], column: Callable[[Segment], Array]
) -> Array:
    return np.concatenate([column(source.segment)[source.live] for source in sources])


def _merged_documents(sources: Sequence[_Source]) -> tuple[Documents, Ints]:
    """The columns of live documents, and the number of documents of each article."""
    owners, passages, lengths, sizes = [], [], [], []
    for source in sources:
        segment, live = source.segment, source.documents >= 0
        owners.append(source.articles[segment.owner[live]])
        passages.append(segment.passage[live])
        lengths.append(segment.lengths[live])
        sizes.append(np.diff(segment.first)[source.live])
    return (
        Documents(
            owner=np.concatenate(owners).astype("<i4"),
            passage=np.concatenate(passages),
            lengths=np.concatenate(lengths),
        ),
        np.concatenate(sizes).astype(np.int64),
    )


def _live_ids(sources: Sequence[_Source]) -> list[str]:
    return [
        source.segment.article_id(number)
        for source in sources
        for number in np.flatnonzero(source.live).tolist()
    ]


def _merge_keywords(
    out: ArraysWriter, sources: Sequence[_Source], name: str, articles: int
) -> None:
    numbers: dict[bytes, int] = {}
    article_of, codes = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for source in sources:
        spellings, owners, code = source.segment.values(name)
        if spellings is None:
            continue
        live = source.live[owners]
        used = np.unique(code[live])
        renumbered = np.zeros(len(spellings), np.int64)
        for old in used.tolist():
            renumbered[old] = numbers.setdefault(spellings[old], len(numbers))
        article_of.append(source.articles[owners[live]].astype(np.int64))
        codes.append(renumbered[code[live]])
    if numbers:
        write_keywords(
            out,
            name,
            list(numbers),
            np.concatenate(article_of),
            np.concatenate(codes),
            articles,
        )


# Dictionaries.


@dataclass(frozen=True, slots=True)
class _SourceField:
    """A field of one of the segments, with the new numbers of its lists.

    :param rows: new number of each of its rows, -1 for a deleted one.
    :param whole: none of its rows is deleted.
    :param lists: new number of each of its lists, ascending.
    :param tags: new tag of each member of its lists.
    """

    field: FieldIndex
    rows: Array
    whole: bool
    lists: Ints
    tags: Ints


def _merge_field(
    out: ArraysWriter,
    sources: Sequence[_Source],
    name: str,
    documents: Documents | None,
) -> None:
    having = [
        (field, source)
        for source in sources
        if (field := source.segment.field(name)) is not None
    ]
    dictionary, lists, tags = _merged_dictionary([field for field, _ in having])
    fields = [
        _SourceField(
            field,
            source.rows(of_documents=documents is not None),
            source.whole,
            lists[at],
            tags[at],
        )
        for at, (field, source) in enumerate(having)
    ]
    writer = PostingListsWriter(out, name, documents)
    several = np.diff(dictionary.members_at) > 1
    with ThreadPoolExecutor(_THREADS) as pool:
        # The next runs are merged while one is written: NumPy releases the GIL.
        runs = iter(_runs(fields, len(several)))
        merged = deque(
            pool.submit(_merged_run, fields, low, high, several[low:high])
            for low, high in islice(runs, _THREADS + 1)
        )
        # A word that occurs only in deleted articles stays in the dictionary until its
        # segments are gone: an empty list costs little, finding it a pass over all.
        write_term_dictionary(out, name, dictionary)
        while merged:
            writer.append(merged.popleft().result())
            for low, high in islice(runs, 1):
                merged.append(
                    pool.submit(_merged_run, fields, low, high, several[low:high])
                )
    writer.close()


def _merged_dictionary(
    fields: Sequence[FieldIndex],
) -> tuple[TermDictionary, list[Ints], list[Ints]]:
    """Union of the dictionaries of several fields.

    :return: the dictionary; for each field the new numbers of its lists; for each field
        the new tags of their members.
    """
    terms, terms_of = _sorted_union([field.terms.all() for field in fields])
    stems, lists_of = _sorted_union([field.stems.all() for field in fields])
    pairs, counts = [], []
    for field, numbers, lists in zip(fields, terms_of, lists_of, strict=True):
        at = field.members_at.astype(np.int64)
        sizes = at[1:] - at[:-1]
        members = numbers[field.members]
        pairs.append(np.repeat(lists, sizes) * len(terms) + members)
        counts.append(field.member_occurrences())
    all_pairs = np.concatenate(pairs)
    united, places = np.unique(all_pairs, return_inverse=True)
    occurrences = np.bincount(places, weights=np.concatenate(counts))
    of_list = united // max(len(terms), 1)
    members_at = np.searchsorted(of_list, np.arange(len(stems) + 1))
    tags = np.arange(len(united)) - members_at[of_list]
    dictionary = TermDictionary(
        terms=terms,
        stems=stems,
        members_at=members_at,
        members=united % max(len(terms), 1),
        occurrences=occurrences.astype(np.int64),
    )
    bounds = np.cumsum([len(part) for part in pairs])[:-1]
    return dictionary, lists_of, np.split(tags[places], bounds)


def _sorted_union(texts: Sequence[list[bytes]]) -> tuple[list[bytes], list[Ints]]:
    """Distinct strings in order, and for each list the places of its strings there."""
    distinct = sorted(set().union(*texts))
    place = {text: at for at, text in enumerate(distinct)}
    return distinct, [
        np.fromiter(map(place.__getitem__, part), np.int64, len(part)) for part in texts
    ]


# Posting lists.


def _runs(fields: Sequence[_SourceField], count: int) -> list[tuple[int, int]]:
    """Runs of lists, as first and end, each of up to :data:`_RUN_OCCURRENCES`.

    A longer list is a run of its own.
    """
    sizes = np.zeros(count, np.int64)
    for source in fields:
        sizes[source.lists] += source.field.list_occurrences()
    ends = np.cumsum(sizes)
    bounds = [0]
    while bounds[-1] < count:
        done = int(ends[bounds[-1] - 1]) if bounds[-1] else 0
        bound = int(ends.searchsorted(done + _RUN_OCCURRENCES, "right"))
        bounds.append(min(count, max(bound, bounds[-1] + 1)))
    return list(pairwise(bounds))


@dataclass(frozen=True, slots=True)
class _RunPart:
    """A run of lists of one source, renumbered.

    :param counts: number of postings that it adds to each of the new lists.
    :param places: number of occurrences that it adds to each.
    """

    counts: Ints
    places: Ints
    rows: Array
    frequencies: Array
    positions: Array
    tags: Array


def _merged_run(
    fields: Sequence[_SourceField], low: int, high: int, several: Mask
) -> PostingLists:
    """New lists of a run, those of the sources end to end.

    :param several: which of the lists have several terms, and so tags.
    """
    parts = [
        part for source in fields if (part := _run_part(source, low, high)) is not None
    ]
    count = high - low
    rows_at = _starts(sum((part.counts for part in parts), np.zeros(count, np.int64)))
    places_at = _starts(sum((part.places for part in parts), np.zeros(count, np.int64)))
    rows = np.empty(rows_at[-1], np.int32)
    frequencies = np.empty(rows_at[-1], np.int64)
    positions = np.empty(places_at[-1], np.int64)
    tags = np.zeros(places_at[-1], np.int64)
    row, place = rows_at[:-1].copy(), places_at[:-1].copy()
    for part in parts:
        at = expand_ranges(row, part.counts)
        rows[at], frequencies[at] = part.rows, part.frequencies
        at = expand_ranges(place, part.places)
        positions[at], tags[at] = part.positions, part.tags
        row += part.counts
        place += part.places
    sizes = np.diff(places_at)
    return PostingLists(
        rows_at=rows_at,
        rows=rows,
        frequencies=frequencies,
        positions=positions,
        tags_at=_starts(sizes * several),
        tags=tags[np.repeat(several, sizes)],
    )


def _run_part(source: _SourceField, low: int, high: int) -> _RunPart | None:
    field = source.field
    first, end = source.lists.searchsorted([low, high]).tolist()
    if first == end:
        return None
    lists = source.lists[first:end] - low
    run = field.slice(first, end)
    rows = source.rows[run.rows]
    frequencies = run.frequencies.astype(np.int64)
    positions = run.positions
    list_of_row = np.repeat(lists, np.diff(run.rows_at))
    list_of_place = np.repeat(list_of_row, frequencies)
    tags = _new_tags(source, first, end, run)
    if not source.whole:
        live = rows >= 0
        inside = np.repeat(live, frequencies)
        rows, frequencies, list_of_row = (
            rows[live],
            frequencies[live],
            list_of_row[live],
        )
        positions, tags = positions[inside], tags[inside]
        list_of_place = list_of_place[inside]
    return _RunPart(
        counts=np.bincount(list_of_row, minlength=high - low),
        places=np.bincount(list_of_place, minlength=high - low),
        rows=rows,
        frequencies=frequencies,
        positions=positions,
        tags=tags,
    )


def _new_tags(source: _SourceField, first: int, end: int, run: PostingLists) -> Ints:
    """New tag of each occurrence of a run."""
    members_at = source.field.members_at.astype(np.int64)
    ends = np.append(0, np.cumsum(run.frequencies, dtype=np.int64))
    places = np.diff(ends[run.rows_at])
    old = np.zeros(int(ends[-1]), np.int64)
    tagged = np.diff(run.tags_at) > 0
    old[np.repeat(tagged, places)] = run.tags
    tags: Ints = source.tags[np.repeat(members_at[first:end], places) + old]
    return tags


def _starts(counts: Ints) -> Ints:
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts
