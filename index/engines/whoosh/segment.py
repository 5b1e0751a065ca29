"""One segment of the index, opened: columns, words and postings as arrays."""

from __future__ import annotations

import bisect
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA
from whoosh.reading import SegmentReader

from index.engines.whoosh.schema import (
    LINE_FIELDS,
    PARAGRAPH_WORDS,
    ROW,
    VALUE_FIELDS,
    form_of,
)
from index.engines.whoosh.storage import damage_told
from index.text import fold, keys

Ints = NDArray[np.int64]

UNKNOWN = np.iinfo(np.int64).min  # a date or number that an article does not have
CACHE_BYTES = 256 * 1024 * 1024  # decoded postings kept, in each process


@dataclass(frozen=True, slots=True)
class Columns:
    """What a segment's articles and paragraphs are, one entry each, in index order.

    :param first: each article's first paragraph; ``owner`` each paragraph's article.
    :param lengths: of paragraphs, in words; ``lines`` of an article's own fields.
    :param passage: each paragraph's field, as a position in ``PASSAGE_FIELDS``.
    :param values: field → (spellings, article of each value, spelling of each value).
    :param document: each article's own document in the segment.
    """

    ids: list[str]
    versions: list[str]
    languages: list[str]
    language: Ints
    status: Ints
    embargoed_until: Ints
    expires: Ints
    published: Ints
    updated: Ints
    urgency: Ints
    document: Ints
    first: Ints
    owner: Ints
    passage: Ints
    n: Ints
    lengths: Ints
    lines: dict[str, Ints]
    values: dict[str, tuple[list[str], Ints, Ints]]


@dataclass(slots=True)
class Words:
    """The words of one field of a segment.

    :param forms: surface forms, as the index has them; ``widths`` of each.
    """

    terms: list[str]
    forms: list[str] = field(init=False)
    widths: list[int] = field(init=False)
    folded: list[str] = field(init=False)
    by_form: dict[str, list[int]] = field(init=False)
    _sorted: list[tuple[str, int]] = field(init=False)
    _by_key: dict[str, dict[str, list[int]]] = field(init=False)

    def __post_init__(self) -> None:
        pairs = [form_of(term) for term in self.terms]
        self.forms = [form for form, _ in pairs]
        self.widths = [width for _, width in pairs]
        self.folded = [fold(form) for form in self.forms]
        self.by_form = {}
        for number, form in enumerate(self.forms):
            self.by_form.setdefault(form, []).append(number)
        self._sorted = sorted(zip(self.folded, range(len(self.terms)), strict=True))
        self._by_key = {}

    def with_key(self, wanted: str, language: str) -> list[int]:
        """Return the words whose stem in a language is this."""
        table = self._by_key.get(language)
        if table is None:
            table = {}
            for number, stem in enumerate(keys(self.forms, language)):
                table.setdefault(stem, []).append(number)
            self._by_key[language] = table
        return table.get(wanted, [])

    def starting(self, prefix: str) -> list[int]:
        """Return the words whose folded form starts like this."""
        low = bisect.bisect_left(self._sorted, (prefix, -1))
        high = bisect.bisect_left(self._sorted, (prefix + "\U0010ffff", -1))
        return [number for _, number in self._sorted[low:high]]

    def fitting(self, pattern: re.Pattern[str], literal: str) -> list[int]:
        """Return the words whose folded form fits a pattern and starts like this."""
        return [
            number
            for number in self.starting(literal)
            if pattern.match(self.folded[number])
        ]

    def near(self, form: str, distance: int) -> list[int]:
        """Return the words whose folded form is within so many edits."""
        low, high = len(form) - distance, len(form) + distance
        return [
            number
            for number, folded in enumerate(self.folded)
            if low <= len(folded) <= high
            and OSA.distance(form, folded, score_cutoff=distance) <= distance
        ]


class PostingsCache:
    """Decoded postings of all segments, the least recently used dropped first."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._held: OrderedDict[Any, tuple[Ints, ...]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, name: Any, make: Callable[[], tuple[Ints, ...]]) -> tuple[Ints, ...]:
        """Return what is held under a name, made first if it is not."""
        with self._lock:
            found = self._held.get(name)
            if found is not None:
                self._held.move_to_end(name)
                return found
        made = make()
        with self._lock:
            if name not in self._held:
                self._held[name] = made
                self._bytes += sum(array.nbytes for array in made)
            while self._bytes > self._limit and len(self._held) > 1:
                _, dropped = self._held.popitem(last=False)
                self._bytes -= sum(array.nbytes for array in dropped)
        return made


class Segment:
    """A segment that never changes; which of its articles live is the snapshot's."""

    def __init__(self, reader: SegmentReader, cache: PostingsCache) -> None:
        self.id: str = reader.segment().segment_id()
        self._reader = reader
        self._cache = cache
        # A Whoosh reader has one file position for all its callers.
        self._lock = threading.Lock()
        self._words: dict[str, Words] = {}
        with self._lock:
            self.columns = _read_columns(reader)
        documents = int(reader.doc_count_all())
        # Of each document, the article or the paragraph that it stands for.
        self._article_of = np.full(documents, -1, np.int64)
        self._paragraph_of = np.full(documents, -1, np.int64)
        columns = self.columns
        self._article_of[columns.document] = np.arange(len(columns.ids))
        spoken_for = np.zeros(documents, bool)
        spoken_for[columns.document] = True
        self._paragraph_of[~spoken_for] = np.arange(len(columns.owner))
        # Nearly every search needs these: better made now than within its deadline.
        for language in columns.languages:
            self.words(PARAGRAPH_WORDS).with_key("", language)

    def words(self, name: str) -> Words:
        """Return the words of a field: ``text`` is all paragraphs, or a line's name."""
        found = self._words.get(name)
        if found is None:
            with self._lock, damage_told(f"words of {self.id}"):
                terms = [
                    term.decode() if isinstance(term, bytes) else term
                    for term in self._reader.lexicon(name)
                ]
            found = self._words.setdefault(name, Words(terms))
        return found

    def frequencies(self, name: str, number: int) -> tuple[Ints, Ints]:
        """Return (rows, frequencies) of a word: where it stands, and how often.

        Rows are paragraphs for ``text``, else articles; ascending.
        """
        rows, frequencies = self._cache.get(
            (self.id, name, number), lambda: self._decode(name, number, False)
        )
        return rows, frequencies

    def positions(self, name: str, number: int) -> tuple[Ints, Ints]:
        """Return (rows, positions) of a word, one entry for each time it stands."""
        rows, positions = self._cache.get(
            (self.id, name, number, "positions"),
            lambda: self._decode(name, number, True),
        )
        return rows, positions

    def _decode(self, name: str, number: int, positions: bool) -> tuple[Ints, ...]:
        term = self.words(name).terms[number]
        documents: list[int] = []
        found: list[float] = []
        counts: list[int] = []
        with self._lock, damage_told(f"postings of {self.id}"):
            matcher = self._reader.postings(name, term)
            # A segment with deletions wraps its matchers, and a wrapper has no format.
            format_ = self._reader.schema[name].format
            decode = format_.decode_positions if positions else None
            while matcher.is_active():
                documents.append(matcher.id())
                if decode is None:
                    found.append(matcher.weight())
                else:
                    places = decode(matcher.value())
                    counts.append(len(places))
                    found.extend(places)
                matcher.next()
        row_of = self._paragraph_of if name == PARAGRAPH_WORDS else self._article_of
        rows = row_of[np.array(documents, np.int64)]
        if positions:
            rows = np.repeat(rows, np.array(counts, np.int64))
        return rows, np.array(found, np.int64)


def _read_columns(reader: SegmentReader) -> Columns:
    rows: list[dict[str, Any]] = []
    documents: list[int] = []
    document, end = 0, int(reader.doc_count_all())
    while document < end:
        row = json.loads(reader.stored_fields(document)[ROW])
        rows.append(row)
        documents.append(document)
        document += 1 + len(row["fields"])
    sizes = [len(row["fields"]) for row in rows]
    languages = sorted({row["language"] for row in rows})
    restrictions = np.array([row["restrictions"] for row in rows], np.int64).reshape(
        -1, 3
    )
    firsts = np.zeros(len(rows), np.int64)
    np.cumsum(sizes[:-1], out=firsts[1:])
    starts = [row["first"] for row in rows]
    return Columns(
        ids=[row["id"] for row in rows],
        versions=[row["version"] for row in rows],
        languages=languages,
        language=_ints([languages.index(row["language"]) for row in rows]),
        status=restrictions[:, 0].copy(),
        embargoed_until=restrictions[:, 1].copy(),
        expires=restrictions[:, 2].copy(),
        published=_optional([row["published"] for row in rows]),
        updated=_optional(
            [
                row["published"] if row["updated"] is None else row["updated"]
                for row in rows
            ]
        ),
        urgency=_optional([row["urgency"] for row in rows]),
        document=_ints(documents),
        first=firsts,
        owner=np.repeat(np.arange(len(rows)), _ints(sizes)),
        passage=_ints([each for row in rows for each in row["fields"]]),
        n=_ints(
            [
                start + offset
                for start, size in zip(starts, sizes, strict=True)
                for offset in range(size)
            ]
        ),
        lengths=_ints([each for row in rows for each in row["lengths"]]),
        lines={
            name: _ints([row["lines"].get(name, 0) for row in rows])
            for name in LINE_FIELDS
        },
        values={name: _values(rows, name) for name in VALUE_FIELDS},
    )


def _values(rows: Sequence[dict[str, Any]], name: str) -> tuple[list[str], Ints, Ints]:
    numbers: dict[str, int] = {}
    articles: list[int] = []
    spellings: list[int] = []
    for article, row in enumerate(rows):
        for value in row["values"].get(name, ()):
            articles.append(article)
            spellings.append(numbers.setdefault(value, len(numbers)))
    return list(numbers), _ints(articles), _ints(spellings)


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, np.int64)


def _optional(values: Sequence[int | None]) -> Ints:
    return _ints([UNKNOWN if value is None else value for value in values])
