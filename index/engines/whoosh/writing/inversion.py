"""Inversion: from the words of each text to the posting list of each word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from index.article import PASSAGE_FIELDS
from index.engines.whoosh.files import (
    ID,
    LINE_FIELDS,
    PARAGRAPH_WORDS,
    VALUE_GAP,
    VERSION,
    Array,
    ArraysWriter,
    Documents,
    Ints,
    PostingLists,
    PostingListsWriter,
    write_term_dictionary,
)
from index.engines.whoosh.writing.buffer import (
    COLUMNS,
    ChunkRuns,
    KeywordValues,
    WriteBuffer,
)
from index.engines.whoosh.writing.chunks import ChunkDictionary
from index.engines.whoosh.writing.vocabulary import Vocabulary

_LOW_HALF = (1 << 32) - 1


def write_segment(buffer: WriteBuffer, path: Path) -> int:
    """Write the articles of a buffer as a segment; return its length in bytes.

    The file is not synced to disk: a commit does that, if there ever is one.
    """
    out = ArraysWriter(path)
    try:
        buffer.number()
        chunks = _ChunkArrays(buffer.chunks)
        sizes = np.array(buffer.sizes, np.int64)
        owner = np.repeat(np.arange(len(buffer), dtype="<i4"), sizes)
        run_lengths = _run_lengths(buffer.text, chunks)
        lengths = _row_lengths(buffer.text, run_lengths, len(owner))
        first = np.zeros(len(buffer) + 1, "<i4")
        np.cumsum(sizes, out=first[1:])
        documents = Documents(
            first=first,
            owner=owner,
            passage=np.frombuffer(buffer.passages, "<u1").copy(),
            lengths=lengths,
        )
        write_documents(out, documents)
        for name, dtype in COLUMNS.items():
            out.put(name, np.array(buffer.columns[name], dtype))
        write_ids(out, buffer.ids)
        language_of_article = np.array(buffer.language, np.int64)
        for name, values in buffer.values.items():
            _write_keywords(out, name, values, len(buffer))
        _write_keywords(out, VERSION, _version_values(buffer.versions), len(buffer))
        languages = list(buffer.languages)
        _write_field(
            out,
            PARAGRAPH_WORDS,
            _occurrences(buffer.text, run_lengths, chunks),
            buffer.chunks.vocabulary,
            language_of_article[owner],
            languages,
            documents,
        )
        for name in LINE_FIELDS:
            runs = buffer.lines[name]
            if len(runs.ends):
                run_lengths = _run_lengths(runs, chunks)
                line_lengths = _row_lengths(runs, run_lengths, len(buffer))
                out.column(f"{name}/lengths").append(line_lengths)
                _write_field(
                    out,
                    name,
                    _occurrences(runs, run_lengths, chunks),
                    buffer.chunks.vocabulary,
                    language_of_article,
                    languages,
                    None,
                )
        return out.close({"languages": sorted(languages)})
    except BaseException:
        out.abandon()
        raise


def write_documents(out: ArraysWriter, documents: Documents) -> None:
    """Write the columns of documents, and the size of each field of each article."""
    articles = len(documents.first) - 1
    out.put("first", documents.first)
    out.put("owner", documents.owner)
    out.put("passage", documents.passage)
    out.column("lengths").append(documents.lengths)
    for at, name in enumerate(PASSAGE_FIELDS):
        inside = documents.passage == at
        owners = documents.owner[inside]
        counts = np.bincount(owners, minlength=articles)
        lengths = np.bincount(
            owners, weights=documents.lengths[inside], minlength=articles
        )
        out.column(f"{name}.counts").append(counts)
        out.column(f"{name}.lengths").append(lengths.astype(np.int64))


# From chunks to occurrences.


class _ChunkArrays:
    """A chunk dictionary as arrays; ``counts`` is the number of tokens by chunk."""

    def __init__(self, chunks: ChunkDictionary) -> None:
        self.starts = np.array(chunks.starts, np.int64)
        self.counts = np.diff(self.starts)
        self.lengths = np.array(chunks.lengths, np.int64)
        self.entries = np.array(chunks.entries, np.int32)
        self.offsets = np.array(chunks.offsets, np.int32)


class _Occurrences:
    """Term, row and position of every occurrence: by row and then by position."""

    def __init__(self, terms: Array, rows: Array, positions: Array) -> None:
        self.terms, self.rows, self.positions = terms, rows, positions


def _run_lengths(runs: ChunkRuns, chunks: _ChunkArrays) -> Ints:
    """Length of each run, in positions."""
    numbers = np.frombuffer(runs.numbers, np.int32)
    before = np.zeros(len(numbers) + 1, np.int64)
    np.cumsum(chunks.lengths.take(numbers), out=before[1:])
    return np.diff(before[np.frombuffer(runs.ends, np.int64)], prepend=0)


def _row_lengths(runs: ChunkRuns, run_lengths: Ints, rows: int) -> Ints:
    """Length of each row, in positions, without the gaps between values."""
    return np.bincount(runs.rows, weights=run_lengths, minlength=rows).astype(np.int64)


def _run_starts(runs: ChunkRuns, run_lengths: Ints) -> Ints:
    """Position of the first word of each run: in a row the runs are values."""
    rows = np.frombuffer(runs.rows, np.int32)
    sizes = run_lengths + VALUE_GAP
    before = sizes.cumsum() - sizes
    first = np.diff(rows, prepend=-1).nonzero()[0]
    return before - before[first].repeat(np.diff(np.append(first, len(rows))))


def _occurrences(
    runs: ChunkRuns, run_lengths: Ints, chunks: _ChunkArrays
) -> _Occurrences:
    numbers = np.frombuffer(runs.numbers, np.int32)
    ends = np.frombuffer(runs.ends, np.int64)
    sizes = ends - np.append(0, ends[:-1])
    lengths = chunks.lengths.take(numbers)
    after = np.cumsum(lengths)
    # In its run a chunk begins where the chunks before it end.
    firsts = np.append(0, after)[np.cumsum(sizes) - sizes]
    shift = _run_starts(runs, run_lengths) - firsts
    positions = (after - lengths + np.repeat(shift, sizes)).astype(np.int32)
    rows = np.repeat(np.frombuffer(runs.rows, np.int32), sizes)
    # take() needs half the time of an index in brackets.
    counts = chunks.counts.take(numbers)
    starts = chunks.starts.take(numbers)
    if (counts == 1).all():
        entries = starts
    else:
        inside = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        entries = np.repeat(starts, counts) + inside
        positions = np.repeat(positions, counts)
        rows = np.repeat(rows, counts)
    return _Occurrences(
        chunks.entries.take(entries), rows, positions + chunks.offsets.take(entries)
    )


# From occurrences to posting lists.


def _write_field(
    out: ArraysWriter,
    name: str,
    occurrences: _Occurrences,
    vocabulary: Vocabulary,
    language_of_row: Array,
    languages: list[str],
    documents: Documents | None,
) -> None:
    """Write the dictionary and the posting lists of a field.

    :param language_of_row: as positions in ``languages``.
    """
    width = len(vocabulary)
    pairs = occurrences.terms
    if len(languages) > 1:
        pairs = language_of_row[occurrences.rows] * width + pairs
    counts = np.bincount(pairs, minlength=width * len(languages))
    used = np.flatnonzero(counts)
    dictionary, list_of, tag_of = vocabulary.dictionary(used, counts[used], languages)
    write_term_dictionary(out, name, dictionary)
    place = np.zeros(width * len(languages), np.int32)
    place[used] = np.arange(len(used), dtype=np.int32)
    pairs = place.take(pairs)
    # Sorting list and position in one integer is several times faster than a stable
    # argsort of the lists.
    key = list_of.take(pairs) << 32
    key |= np.arange(len(key))
    key.sort()
    order = key & _LOW_HALF
    key >>= 32
    lists = _posting_lists(
        key,
        occurrences.rows.take(order),
        occurrences.positions.take(order),
        tag_of.take(pairs.take(order)),
        np.diff(dictionary.members_at),
    )
    writer = PostingListsWriter(out, name, documents)
    writer.append(lists)
    writer.close()


def _posting_lists(
    lists: Ints, rows: Array, positions: Array, tags: Array, members: Ints
) -> PostingLists:
    """Posting lists of sorted occurrences.

    :param lists: list of each occurrence, ascending.
    :param members: number of terms of each list.
    """
    first = np.ones(len(lists), bool)
    first[1:] = (lists[1:] != lists[:-1]) | (rows[1:] != rows[:-1])
    starts = np.flatnonzero(first)
    rows_at = np.searchsorted(lists[starts], np.arange(len(members) + 1))
    several = members > 1
    counts = np.bincount(lists, minlength=len(members)) * several
    tags_at = np.zeros(len(members) + 1, np.int64)
    np.cumsum(counts, out=tags_at[1:])
    return PostingLists(
        rows_at=rows_at,
        rows=rows.take(starts),
        frequencies=np.diff(np.append(starts, len(lists))),
        positions=positions,
        tags_at=tags_at,
        tags=tags.compress(several.take(lists)),
    )


# Ids and keyword values.


def write_ids(out: ArraysWriter, ids: list[str]) -> None:
    """Write the ids in sort order, the article of each, and each article's rank."""
    order = sorted(range(len(ids)), key=ids.__getitem__)
    out.put_strings(f"{ID}/terms", [ids[at].encode() for at in order])
    places = np.empty(len(ids), "<i4")
    places[order] = np.arange(len(ids), dtype="<i4")
    out.put(f"{ID}/rows", np.array(order, "<i4"))
    out.put(f"{ID}/places", places)


def _version_values(versions: list[str]) -> KeywordValues:
    values = KeywordValues()
    for article, version in enumerate(versions):
        values.add(article, version)
    return values


def _write_keywords(
    out: ArraysWriter, name: str, values: KeywordValues, articles: int
) -> None:
    if not values.spellings:
        return
    write_keywords(
        out,
        name,
        [spelling.encode() for spelling in values.spellings],
        np.array(values.articles, np.int64),
        np.array(values.numbers, np.int64),
        articles,
    )


def write_keywords(
    out: ArraysWriter,
    name: str,
    spellings: list[bytes],
    article_of: Any,
    numbers: Any,
    articles: int,
) -> None:
    """Write the values of a keyword field.

    :param article_of: article of each value, ascending; ``numbers`` its spelling.
    """
    out.put_strings(f"{name}/values", spellings)
    counts = np.bincount(article_of, minlength=articles)
    out.put(f"{name}/codes", np.asarray(numbers, "<i4"))
    if counts.max(initial=0) > 1 or len(numbers) < articles:
        at = np.zeros(articles + 1, "<u4")
        np.cumsum(counts, out=at[1:])
        out.put(f"{name}/codes.at", at)
