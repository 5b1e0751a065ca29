"""Turning a buffer of articles into a segment: from words by text to lists by word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from index.article import PASSAGE_FIELDS
from index.engines.whoosh.files import (
    ID,
    LINE_FIELDS,
    PARAGRAPH_WORDS,
    VERSION,
    Array,
    ArraysWriter,
    Documents,
    Ints,
    PostingLists,
    PostingListsWriter,
    TermDictionary,
    form_of,
    write_term_dictionary,
)
from index.engines.whoosh.writing.buffer import (
    ChunkDictionary,
    ChunkRuns,
    KeywordValues,
    WriteBuffer,
)
from index.text import word_keys

_LOW_HALF = (1 << 32) - 1


def write_segment(buffer: WriteBuffer, path: Path) -> int:
    """Write the articles of a buffer as a segment; return its length in bytes.

    It is not synced to disk: that is due when it is committed, if it ever is.
    """
    out = ArraysWriter(path)
    try:
        tables = _Tables(buffer.chunks)
        sizes = np.array(buffer.sizes, np.int64)
        owner = np.repeat(np.arange(len(buffer), dtype="<i4"), sizes)
        lengths = _lengths(buffer.text, tables, len(owner))
        documents = Documents(
            owner=owner,
            passage=np.frombuffer(buffer.passages, "<u1").copy(),
            lengths=lengths,
        )
        write_documents(out, sizes, documents)
        for name in ("status", "first_n"):
            out.put(name, np.array(buffer.numbers[name], "<u1"))
        for name in ("embargoed_until", "expires", "published", "updated", "urgency"):
            out.put(name, np.array(buffer.numbers[name], "<i8"))
        write_ids(out, buffer.ids)
        languages = np.array(buffer.language, np.int64)
        for name, values in buffer.values.items():
            _write_values(out, name, values, len(buffer))
        _write_values(out, VERSION, _versions(buffer.versions), len(buffer))
        names = list(buffer.languages)
        _write_field(
            out,
            PARAGRAPH_WORDS,
            _occurrences(buffer.text, tables),
            tables,
            languages[owner],
            names,
            documents,
        )
        for name in LINE_FIELDS:
            words = buffer.lines[name]
            if len(words.ends):
                found = _lengths(words, tables, len(buffer))
                out.column(f"{name}/lengths").append(found)
                _write_field(
                    out,
                    name,
                    _occurrences(words, tables),
                    tables,
                    languages,
                    names,
                    None,
                )
        return out.close({"languages": sorted(names)})
    except BaseException:
        out.abandon()
        raise


def write_documents(out: ArraysWriter, sizes: Ints, documents: Documents) -> None:
    """Write what documents are, and how much of each field an article has.

    :param sizes: how many documents each article has.
    """
    first = np.zeros(len(sizes) + 1, "<i4")
    np.cumsum(sizes, out=first[1:])
    out.put("first", first)
    out.put("owner", documents.owner)
    out.put("passage", documents.passage)
    out.column("lengths").append(documents.lengths)
    for at, name in enumerate(PASSAGE_FIELDS):
        inside = documents.passage == at
        owners = documents.owner[inside]
        counts = np.bincount(owners, minlength=len(sizes))
        lengths = np.bincount(
            owners, weights=documents.lengths[inside], minlength=len(sizes)
        )
        out.column(f"{name}.counts").append(counts)
        out.column(f"{name}.lengths").append(lengths.astype(np.int64))


class _Tables:
    """What chunks stand for, as arrays."""

    def __init__(self, chunks: ChunkDictionary) -> None:
        self.terms = list(chunks.terms)
        self.starts = np.array(chunks.starts, np.int64)
        self.counts = np.diff(self.starts)
        self.lengths = np.array(chunks.lengths, np.int64)
        self.entries = np.array(chunks.entries, np.int32)
        self.offsets = np.array(chunks.offsets, np.int32)


class _Occurrences:
    """Every occurrence of a term: by row and then by position."""

    def __init__(self, terms: Array, rows: Array, positions: Array) -> None:
        self.terms, self.rows, self.positions = terms, rows, positions


def _lengths(words: ChunkRuns, tables: _Tables, rows: int) -> Ints:
    """Return the length of each row, in positions, gaps between values left out."""
    numbers = np.frombuffer(words.numbers, np.int32)
    ends = np.frombuffer(words.ends, np.int64)
    before = np.zeros(len(numbers) + 1, np.int64)
    np.cumsum(tables.lengths[numbers], out=before[1:])
    runs = np.diff(before[ends], prepend=0)
    return np.bincount(words.rows, weights=runs, minlength=rows).astype(np.int64)


def _occurrences(words: ChunkRuns, tables: _Tables) -> _Occurrences:
    numbers = np.frombuffer(words.numbers, np.int32)
    ends = np.frombuffer(words.ends, np.int64)
    sizes = ends - np.append(0, ends[:-1])
    lengths = tables.lengths[numbers]
    after = np.cumsum(lengths)
    # Within its run a word stands where the words before it end.
    firsts = np.append(0, after)[np.cumsum(sizes) - sizes]
    shift = np.frombuffer(words.starts, np.int64) - firsts
    positions = (after - lengths + np.repeat(shift, sizes)).astype(np.int32)
    rows = np.repeat(np.frombuffer(words.rows, np.int32), sizes)
    counts = tables.counts[numbers]
    starts = tables.starts[numbers]
    if (counts == 1).all():
        entries = starts
    else:
        inside = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        entries = np.repeat(starts, counts) + inside
        positions = np.repeat(positions, counts)
        rows = np.repeat(rows, counts)
    return _Occurrences(
        tables.entries[entries], rows, positions + tables.offsets[entries]
    )


def _write_field(
    out: ArraysWriter,
    name: str,
    found: _Occurrences,
    tables: _Tables,
    languages: Array,
    names: list[str],
    documents: Documents | None,
) -> None:
    """Write a field's words and lists.

    :param languages: of each row, as numbers of ``names``.
    """
    width = len(tables.terms)
    pairs = found.terms
    if len(names) > 1:
        pairs = languages[found.rows] * width + pairs
    counts = np.bincount(pairs, minlength=width * len(names))
    used = np.flatnonzero(counts)
    words, list_of, tag_of = _dictionary(used, counts[used], tables.terms, names)
    write_term_dictionary(out, name, words)
    place = np.zeros(width * len(names), np.int32)
    place[used] = np.arange(len(used), dtype=np.int32)
    pairs = place[pairs]
    # Sorting pairs of a number and a place is several times as fast as a stable sort.
    key = list_of[pairs].astype(np.int64) << 32
    key |= np.arange(len(key))
    key.sort()
    order = key & _LOW_HALF
    key >>= 32
    lists = _lists(
        key,
        found.rows[order],
        found.positions[order],
        tag_of[pairs[order]],
        np.diff(words.members_at),
    )
    writer = PostingListsWriter(out, name, documents)
    writer.append(lists)
    writer.close()


def _dictionary(
    used: Ints, counts: Ints, terms: list[str], names: list[str]
) -> tuple[TermDictionary, Ints, Ints]:
    """Return a field's words, and of each used pair its list and its tag.

    :param used: pairs of a language and a term, as one number, ascending; ``counts``
        how often each occurs.
    """
    forms: dict[int, list[str]] = {}
    stems: list[str] = []
    for number, language in enumerate(names):
        low = np.searchsorted(used, number * len(terms))
        high = np.searchsorted(used, (number + 1) * len(terms))
        here = [terms[at] for at in (used[low:high] - number * len(terms)).tolist()]
        forms[number] = here
        found = word_keys([form_of(term)[0] for term in here], language)
        stems += [f"{language}\0{stem}" for stem in found]
    every = [term for here in forms.values() for term in here]
    sorted_terms = sorted(set(every))
    number_of = {term: at for at, term in enumerate(sorted_terms)}
    sorted_stems = sorted(set(stems))
    list_number = {stem: at for at, stem in enumerate(sorted_stems)}
    term_numbers = np.array([number_of[term] for term in every], np.int64)
    list_of = np.array([list_number[stem] for stem in stems], np.int64)
    order = np.lexsort((term_numbers, list_of))
    members_at = np.zeros(len(sorted_stems) + 1, np.int64)
    np.cumsum(np.bincount(list_of, minlength=len(sorted_stems)), out=members_at[1:])
    tag_of = np.empty(len(order), np.int64)
    tag_of[order] = np.arange(len(order)) - members_at[list_of[order]]
    words = TermDictionary(
        terms=[term.encode() for term in sorted_terms],
        stems=[stem.encode() for stem in sorted_stems],
        members_at=members_at,
        members=term_numbers[order],
        occurrences=counts[order],
    )
    return words, list_of, tag_of


def _lists(
    lists: Ints, rows: Array, positions: Array, tags: Array, members: Ints
) -> PostingLists:
    """Return sorted occurrences as lists.

    :param lists: the list that each occurrence is in, ascending.
    :param members: how many terms each list has.
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
        rows=rows[starts],
        frequencies=np.diff(np.append(starts, len(lists))),
        positions=positions,
        tags_at=tags_at,
        tags=tags[several[lists]],
    )


def write_ids(out: ArraysWriter, ids: list[str]) -> None:
    """Write the ids in order, the article of each, and each article's place."""
    order = sorted(range(len(ids)), key=ids.__getitem__)
    out.put_strings(f"{ID}/terms", [ids[at].encode() for at in order])
    places = np.empty(len(ids), "<i4")
    places[order] = np.arange(len(ids), dtype="<i4")
    out.put(f"{ID}/rows", np.array(order, "<i4"))
    out.put(f"{ID}/places", places)


def _versions(versions: list[str]) -> KeywordValues:
    values = KeywordValues()
    for article, version in enumerate(versions):
        values.add(article, version)
    return values


def _write_values(
    out: ArraysWriter, name: str, values: KeywordValues, articles: int
) -> None:
    if not values.spellings:
        return
    write_values(
        out,
        name,
        [each.encode() for each in values.spellings],
        np.array(values.articles, np.int64),
        np.array(values.numbers, np.int64),
        articles,
    )


def write_values(
    out: ArraysWriter,
    name: str,
    spellings: list[bytes],
    of_article: Any,
    numbers: Any,
    articles: int,
) -> None:
    """Write the values of a field.

    :param of_article: of each value its article, ascending; ``numbers`` its spelling.
    """
    out.put_strings(f"{name}/values", spellings)
    counts = np.bincount(of_article, minlength=articles)
    out.put(f"{name}/codes", np.asarray(numbers, "<i4"))
    if counts.max(initial=0) > 1 or len(numbers) < articles:
        at = np.zeros(articles + 1, "<u4")
        np.cumsum(counts, out=at[1:])
        out.put(f"{name}/codes.at", at)
