"""Segment merge: posting lists put end to end, deleted documents left out.

Dictionaries are merged first; then posting lists, one run after the other and long ones
in blocks, so that memory stays bounded however large the segments are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
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
    PostingListsWriter,
    Segment,
    TermDictionary,
    folded_term,
    write_term_dictionary,
)
from index.engines.whoosh.writing.buffer import COLUMNS
from index.engines.whoosh.writing.inversion import (
    write_documents,
    write_ids,
    write_keywords,
)
from index.engines.whoosh.writing.merged_lists import (
    OCCURRENCE,
    SourceField,
    parts,
)

# Most occurrences of a part.
_RUN_OCCURRENCES = 1_000_000
_THREADS = 2  # each merges a part
_RUNS = _THREADS + 2  # one more waits, and one is being written
_SHARE = 1 / 2  # of the memory budget, for parts


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


def merge(segments: Sequence[tuple[Segment, Mask]], path: Path, *, memory: int) -> int:
    """Write segments as one, in their order; return its number of documents.

    :param segments: each with the bitmap of its live documents.
    :param memory: budget in bytes, for posting lists.
    """
    limit = min(_RUN_OCCURRENCES, int(memory * _SHARE / (_RUNS * OCCURRENCE)))
    out = ArraysWriter(path)
    try:
        sources = _sources(segments)
        documents = _merged_documents(sources)
        articles = len(documents.first) - 1
        write_documents(out, documents)
        for name, dtype in COLUMNS.items():
            out.put(
                name,
                _live_column(sources, methodcaller("column", name)).astype(dtype),
            )
        write_ids(out, _live_ids(sources))
        for name in (*VALUE_FIELDS, VERSION):
            _merge_keywords(out, sources, name, articles)
        for name in WORD_FIELDS:
            if any(source.segment.field(name) is not None for source in sources):
                if name != PARAGRAPH_WORDS:
                    lengths = _live_column(sources, methodcaller("line_lengths", name))
                    out.column(f"{name}/lengths").append(lengths)
                of_field = documents if name == PARAGRAPH_WORDS else None
                _merge_field(out, sources, name, of_field, max(limit, 1))
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


def _merged_documents(sources: Sequence[_Source]) -> Documents:
    """The columns of live documents."""
    owners, passages, lengths, sizes = [], [], [], []
    for source in sources:
        segment, live = source.segment, source.documents >= 0
        owners.append(source.articles[segment.owner[live]])
        passages.append(segment.passage[live])
        lengths.append(segment.lengths[live])
        sizes.append(np.diff(segment.first)[source.live])
    return Documents(
        first=np.append(0, np.concatenate(sizes)).cumsum().astype("<i4"),
        owner=np.concatenate(owners).astype("<i4"),
        passage=np.concatenate(passages),
        lengths=np.concatenate(lengths),
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


def _merge_field(
    out: ArraysWriter,
    sources: Sequence[_Source],
    name: str,
    documents: Documents | None,
    limit: int,
) -> None:
    having = [
        (field, source)
        for source in sources
        if (field := source.segment.field(name)) is not None
    ]
    dictionary, lists, tags = _merged_dictionary([field for field, _ in having])
    fields = [
        SourceField(
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
        pieces = parts(fields, several, limit)
        merged = deque(
            (pool.submit(part), continues)
            for part, continues in islice(pieces, _THREADS + 1)
        )
        # A word that occurs only in deleted articles stays in the dictionary until its
        # segments are gone: an empty list costs little, finding it a pass over all.
        write_term_dictionary(out, name, dictionary)
        while merged:
            future, continues = merged.popleft()
            writer.append(future.result(), continues=continues)
            for part, continues in islice(pieces, 1):
                merged.append((pool.submit(part), continues))
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
    folded = [folded_term(term) for term in terms]
    by_folded = sorted(range(len(terms)), key=folded.__getitem__)  # nearly sorted
    dictionary = TermDictionary(
        terms=terms,
        stems=stems,
        members_at=members_at,
        members=united % max(len(terms), 1),
        occurrences=occurrences.astype(np.int64),
        folded=folded,
        by_folded=np.array(by_folded, np.int64),
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
