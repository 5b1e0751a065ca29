"""One segment of the index, opened: what never changes once it is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from index.article import PASSAGE_FIELDS
from index.engines.whoosh.files.arrays import Array, ArraysFile, Ints, Mask, Strings
from index.engines.whoosh.files.cache import cached
from index.engines.whoosh.files.posting_lists import (
    SIDE_FIELDS,
    ArticlePostings,
    PostingLists,
)
from index.engines.whoosh.files.schema import ID, VERSION, form_of
from index.errors import IndexDamaged

_BLOCK = 32  # postings, before each of which it is known where positions begin
_BLOCKS_KEPT = 64  # lists of which that is known
NO_VALUE = np.iinfo(np.int64).min  # a date or number that an article does not have


class FieldIndex:
    """The words of one field of a segment, and where they are.

    Terms and lists are numbers, each in the order of their bytes. Rows are documents
    for a field of paragraphs, else articles.
    """

    def __init__(self, file: ArraysFile, name: str) -> None:
        self.name = name
        self.terms = file.strings(f"{name}/terms")
        self.stems = file.strings(f"{name}/stems")
        self._folded = file.strings(f"{name}/folded")
        self._folded_terms = file[f"{name}/folded.term"]
        self.members_at = file[f"{name}/members.at"]
        self.members = file[f"{name}/members"]
        self._entries_at = file[f"{name}/entries.at"]
        self._entries = file[f"{name}/entries"]
        self._entry_tags = file[f"{name}/entries.tag"]
        self._occurrences = file[f"{name}/entries.occurrences"]
        self.rows_at = file[f"{name}/rows.at"]
        self._rows = file[f"{name}/rows"]
        self._frequencies = file[f"{name}/frequencies"]
        self._positions_at = file[f"{name}/positions.at"]
        self._positions = file[f"{name}/positions"]
        self._tags_at = file[f"{name}/tags.at"]
        self._tags = file[f"{name}/tags"]
        self._blocks: dict[int, Ints] = {}

    # Looking words up.

    def list_of(self, language: str, stem: str) -> int:
        """Return the list of a stem in a language, -1 if there is none."""
        return self.stems.find(f"{language}\0{stem}".encode())

    def term_number(self, term: str) -> int:
        """Return the number of a term, -1 if there is none."""
        return self.terms.find(term.encode())

    def terms_of(self, form: str) -> list[int]:
        """Return the terms of a form: one for each of its widths."""
        found = []
        data = form.encode()
        number = self.terms.bisect(data)
        while number < len(self.terms):
            term = self.terms[number]
            if term != data and not term.startswith(data + b"\x1f"):
                break
            found.append(number)
            number += 1
        return found

    def terms_with_prefix(self, prefix: str) -> Array:
        """Return the terms whose folded form starts like this."""
        low, high = self._folded_range(prefix)
        return self._folded_terms[low:high]

    def terms_matching(self, pattern: re.Pattern[str], literal: str) -> Array:
        """Return the terms whose folded form fits a pattern and starts like this."""
        low, high = self._folded_range(literal)
        fits = pattern.match
        found = [
            at
            for at, form in enumerate(self._folded.texts(low, high), low)
            if fits(form)
        ]
        return self._folded_terms[found]

    def terms_near(self, form: str, distance: int) -> Array:
        """Return the terms whose folded form is within so many edits."""
        lengths, letters = self._signatures
        wanted = _letters(form)
        # An edit adds or takes away at most one letter each.
        close = np.abs(lengths - len(form)) <= distance
        close &= np.bitwise_count(letters ^ wanted) <= 2 * distance
        found = [
            at
            for at in np.flatnonzero(close).tolist()
            if OSA.distance(form, self._folded.text(at), score_cutoff=distance)
            <= distance
        ]
        return self._folded_terms[found]

    def form(self, term: int) -> tuple[str, int]:
        """Return the form and the width of a term."""
        return form_of(self.terms.text(term))

    def occurrences(self, term: int) -> int:
        """Return how often a term occurs, in articles that live or not."""
        low, high = self._entries_at[term : term + 2].tolist()
        return int(self._occurrences[low:high].sum())

    def entries(self, term: int) -> list[tuple[int, int]]:
        """Return each list that a term is in, with its tag there."""
        low, high = self._entries_at[term : term + 2].tolist()
        return list(
            zip(
                self._entries[low:high].tolist(),
                self._entry_tags[low:high].tolist(),
                strict=True,
            )
        )

    def lists_of(self, terms: Array) -> tuple[Ints, dict[int, Array]]:
        """Return the lists that terms stand for.

        First those of which every term is wanted, then the others, each with the tags
        that are.
        """
        counts = self._entries_at[terms + 1] - self._entries_at[terms]
        at = expand_ranges(self._entries_at[terms].astype(np.int64), counts)
        lists, tags = self._entries[at], self._entry_tags[at]
        order = np.argsort(lists, kind="stable")
        lists, tags = lists[order], tags[order]
        numbers, starts = np.unique(lists, return_index=True)
        ends = np.append(starts[1:], len(lists))
        sizes = self.members_at[numbers + 1] - self.members_at[numbers]
        whole = ends - starts == sizes
        parted = {
            int(numbers[each]): tags[starts[each] : ends[each]]
            for each in np.flatnonzero(~whole).tolist()
        }
        return numbers[whole].astype(np.int64), parted

    def _folded_range(self, prefix: str) -> tuple[int, int]:
        data = prefix.encode()
        low = self._folded.bisect(data)
        # No UTF-8 has this byte, so it is behind whatever starts with the prefix.
        return low, self._folded.bisect(data + b"\xff")

    @cached
    def _signatures(self) -> tuple[Ints, NDArray[np.uint64]]:
        """The length of each folded form, and a bit for each letter that is in it."""
        forms = self._folded.texts()
        lengths = np.array([len(form) for form in forms], np.int64)
        points = np.frombuffer("".join(forms).encode("utf-32-le"), np.uint32)
        bits = np.uint64(1) << (points % 64).astype(np.uint64)
        starts = np.cumsum(lengths) - lengths
        # Every form has a letter, so no run is empty.
        letters = np.bitwise_or.reduceat(bits, starts) if len(starts) else bits
        return lengths, letters

    # Reading lists.

    def postings(self, number: int) -> tuple[Array, Array]:
        """Return the rows of a list, ascending, and how often the word is in each."""
        low, high = self.rows_at[number : number + 2].tolist()
        return self._rows[low:high], self._frequencies[low:high]

    def positions(self, number: int) -> Array:
        """Return the positions of a list: of each row as many as its frequency."""
        low, high = self._positions_at[number : number + 2].tolist()
        return self._positions[low:high]

    def tags(self, number: int) -> Array | None:
        """Return the tag of each of the positions; ``None`` if there is one term."""
        low, high = self._tags_at[number : number + 2].tolist()
        return self._tags[low:high] if high > low else None

    def widths(self, number: int) -> list[int]:
        """Return the width of each term of a list, by tag."""
        low, high = self.members_at[number : number + 2].tolist()
        return [self.form(term)[1] for term in self.members[low:high].tolist()]

    def postings_of(self, numbers: Ints) -> tuple[Array, Array]:
        """Return the rows and frequencies of several lists, one behind the other."""
        starts = self.rows_at[numbers].astype(np.int64)
        at = expand_ranges(starts, self.rows_at[numbers + 1].astype(np.int64) - starts)
        return self._rows[at], self._frequencies[at]

    def tagged_postings(self, number: int, wanted: Array) -> tuple[Array, Array]:
        """Return where terms of a list are, by their tags: rows and frequencies."""
        rows, frequencies = self.postings(number)
        tags = self.tags(number)
        if tags is None or not len(rows):
            return rows, frequencies
        inside = np.isin(tags, wanted)
        starts = np.cumsum(frequencies, dtype=np.int64) - frequencies
        counts = np.add.reduceat(inside, starts, dtype=np.int64)
        having = np.flatnonzero(counts)
        return rows[having], counts[having]

    def occurrences_in(
        self, number: int, wanted: Array, meant: Array | None = None
    ) -> tuple[Array, Array, Array | int]:
        """Return each occurrence of a list in some rows: row, position and width.

        :param wanted: rows, ascending.
        :param meant: the tags that count; all by default.
        """
        rows, frequencies = self.postings(number)
        positions, tags = self.positions(number), self.tags(number)
        chosen = np.searchsorted(rows, wanted)
        if len(rows):
            chosen[chosen == len(rows)] = 0
            chosen = chosen[rows[chosen] == wanted]
        else:
            chosen = chosen[:0]  # all its articles were deleted
        counts = frequencies[chosen].astype(np.int64)
        at = expand_ranges(self._positions_of(number, chosen), counts)
        found, positions = np.repeat(rows[chosen], counts), positions[at]
        if tags is None:
            return found, positions, self.widths(number)[0]
        tags = tags[at]
        if meant is not None:
            inside = np.isin(tags, meant)
            found, positions, tags = found[inside], positions[inside], tags[inside]
        return found, positions, np.array(self.widths(number), np.int64)[tags]

    def _positions_of(self, number: int, postings: Ints) -> Ints:
        """Return where in a list the positions of some of its postings begin."""
        _, frequencies = self.postings(number)
        if len(postings) * _BLOCK > len(frequencies):
            ends: Ints = frequencies.cumsum(dtype=np.int64)
            begins: Ints = ends[postings] - frequencies[postings]
            return begins
        blocks = postings // _BLOCK
        inside = np.arange(_BLOCK)
        within = blocks[:, np.newaxis] * _BLOCK + inside
        before = inside < (postings % _BLOCK)[:, np.newaxis]
        some = frequencies.take(within, mode="clip") * before
        begins = self._block_starts(number)[blocks]
        begins += some.sum(axis=1, dtype=np.int64)
        return begins

    def _block_starts(self, number: int) -> Ints:
        """Return where the positions of every so many postings of a list begin."""
        found = self._blocks.get(number)
        if found is None:
            _, frequencies = self.postings(number)
            blocks = np.arange(0, len(frequencies), _BLOCK)
            sums = np.add.reduceat(frequencies, blocks, dtype=np.int64)
            found = np.cumsum(sums) - sums
            if len(self._blocks) >= _BLOCKS_KEPT:
                self._blocks.clear()
            self._blocks[number] = found
        return found

    # Whole runs of lists, for merging.

    def slice(self, first: int, end: int) -> PostingLists:
        """Return a run of lists."""
        rows_at = self.rows_at[first : end + 1].astype(np.int64)
        low, high = self._positions_at[[first, end]].tolist()
        tags_at = self._tags_at[first : end + 1].astype(np.int64)
        return PostingLists(
            rows_at=rows_at - rows_at[0],
            rows=self._rows[rows_at[0] : rows_at[-1]],
            frequencies=self._frequencies[rows_at[0] : rows_at[-1]],
            positions=self._positions[low:high],
            tags_at=tags_at - tags_at[0],
            tags=self._tags[tags_at[0] : tags_at[-1]],
        )

    def list_occurrences(self) -> Ints:
        """Return how often each list's word occurs."""
        at = self._positions_at.astype(np.int64)
        return at[1:] - at[:-1]

    def member_occurrences(self) -> Ints:
        """Return how often each member of each list occurs, in the order of members."""
        # Entries stand by term and then by list, members by list and then by term.
        at = self._entries_at.astype(np.int64)
        of_term = np.repeat(np.arange(len(self.terms)), at[1:] - at[:-1])
        order = np.lexsort((of_term, self._entries))
        return self._occurrences[order].astype(np.int64)


class ParagraphIndex(FieldIndex):
    """The words of the paragraphs, with their lists by article too."""

    def __init__(self, file: ArraysFile, name: str, documents: int) -> None:
        super().__init__(file, name)
        self._documents = documents
        self._articles_at = file[f"{name}/articles.at"]
        self._articles = file[f"{name}/articles"]
        self._spreads = file[f"{name}/spreads"]
        self._totals = file[f"{name}/totals"]
        self._bests = file[f"{name}/bests"]
        self._side = {
            each: (
                file[f"{name}/{each}.at"],
                file[f"{name}/{each}"],
                file[f"{name}/{each}.frequencies"],
            )
            for each in SIDE_FIELDS
            if len(file[f"{name}/{each}"])
        }
        self._dense = {
            number: at for at, number in enumerate(file[f"{name}/dense"].tolist())
        }
        self._bits = file[f"{name}/bits"].reshape(
            len(self._dense), (documents + 7) // 8
        )

    def article_postings(self, number: int) -> ArticlePostings:
        """Return a list by article."""
        low, high = self._articles_at[number : number + 2].tolist()
        side = {}
        for name, (at, articles, frequencies) in self._side.items():
            start, end = at[number : number + 2].tolist()
            if end > start:
                side[name] = articles[start:end], frequencies[start:end]
        return ArticlePostings(
            articles=self._articles[low:high],
            paragraph_counts=self._spreads[low:high],
            frequencies=self._totals[low:high],
            impacts=self._bests[low:high],
            side_fields=side,
        )

    def bitmap(self, number: int) -> Mask | None:
        """Return which documents a frequent word is in; ``None`` if it is not."""
        at = self._dense.get(number)
        if at is None:
            return None
        bits = np.unpackbits(self._bits[at], count=self._documents, bitorder="little")
        return bits.view(np.bool_)


class Segment:
    """A segment that never changes; which of its articles live is the snapshot's.

    :ivar first: each article's first document, and behind the last, where they end.
    :ivar owner: each document's article; ``passage`` its field, ``lengths`` its words.
    :ivar damage: what :meth:`check` found, if it did.
    :raises IndexDamaged: the file is not what was written, or none of ours.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.id = name
        self.damage: str | None = None
        self.file = file = ArraysFile(path)
        if "languages" not in file.metadata:
            raise IndexDamaged(f"{path.name} was written by another program")
        self.languages: list[str] = list(file.metadata["languages"])
        self.first = file["first"]
        self.owner = file["owner"]
        self.passage = file["passage"]
        self.lengths = file["lengths"]
        self.articles = len(self.first) - 1
        self.documents = len(self.owner)
        self._ids = file.strings(f"{ID}/terms")
        self._id_rows = file[f"{ID}/rows"]
        self.id_ranks = file[f"{ID}/places"]
        self._fields: dict[str, FieldIndex | None] = {}

    def __repr__(self) -> str:
        return f"<Segment {self.id}: {self.articles:,} articles>"

    def column(self, name: str) -> Array:
        """Return one number of each article."""
        return self.file[name]

    def passage_column(self, name: str, what: str) -> Array:
        """Return of each article the ``counts`` or ``lengths`` of a passage field."""
        return self.file[f"{name}.{what}"]

    def line_lengths(self, name: str) -> Array:
        """Return each article's length in a field of its own, in words."""
        if f"{name}/lengths" in self.file:
            return self.file[f"{name}/lengths"]
        return np.zeros(self.articles, np.uint8)

    def field(self, name: str) -> FieldIndex | None:
        """Return the words of a field, ``None`` if no article has any."""
        if name not in self._fields:
            made: FieldIndex | None = None
            if f"{name}/terms" in self.file:
                documents = f"{name}/articles" in self.file
                made = (
                    ParagraphIndex(self.file, name, self.documents)
                    if documents
                    else FieldIndex(self.file, name)
                )
            self._fields[name] = made
        return self._fields[name]

    def values(self, name: str) -> tuple[Strings | None, Array, Array]:
        """Return a field's spellings, and of each value its article and spelling."""
        if f"{name}/codes" not in self.file:
            none = np.empty(0, np.int32)
            return None, none, none
        codes = self.file[f"{name}/codes"]
        articles: Array = np.arange(self.articles, dtype=np.int32)
        if f"{name}/codes.at" in self.file:
            articles = np.repeat(articles, np.diff(self.file[f"{name}/codes.at"]))
        return self.file.strings(f"{name}/values"), articles, codes

    def value(self, name: str, article: int) -> str | None:
        """Return the first value of an article in a field."""
        if f"{name}/codes" not in self.file:
            return None
        at, high = article, article + 1
        if f"{name}/codes.at" in self.file:
            at, high = self.file[f"{name}/codes.at"][article : article + 2].tolist()
        if at == high:
            return None
        code = int(self.file[f"{name}/codes"][at])
        return self.file.strings(f"{name}/values").text(code)

    # Ids.

    def find(self, article_id: str) -> int:
        """Return the article of an id, -1 if it is not here."""
        place = self._ids.find(article_id.encode("utf-8", "surrogatepass"))
        return -1 if place < 0 else int(self._id_rows[place])

    def id_rank(self, article_id: str) -> int:
        """Return how many ids here are before another."""
        return self._ids.bisect(article_id.encode("utf-8", "surrogatepass"))

    def article_id(self, article: int) -> str:
        """Return the id of an article."""
        return self._ids.text(int(self.id_ranks[article]))

    def article_ids(self, articles: Array) -> list[str]:
        """Return the ids of articles."""
        return self._ids.texts_of(self.id_ranks.take(articles).tolist())

    def versions(self, articles: Array) -> list[str]:
        """Return the versions of articles."""
        spellings, codes = self._versions
        return [spellings[code] for code in codes.take(articles).tolist()]

    def version(self, article: int) -> str:
        """Return the version of an article."""
        spellings, codes = self._versions
        return spellings[int(codes[article])]

    @cached
    def _versions(self) -> tuple[list[str], Array]:
        spellings, _, codes = self.values(VERSION)
        assert spellings is not None, self
        return spellings.texts(), codes

    def paragraph_number(self, document: int) -> int:
        """Return the number of a paragraph in its article."""
        article = int(self.owner[document])
        start = int(self.file["first_n"][article])
        return document - int(self.first[article]) + start

    def damaged(self) -> Iterator[str]:
        """Yield the name of each array that is not what was written; reads all."""
        return self.file.damaged()

    def check(
        self, kind: str = "", rest: Callable[[int], None] = lambda count: None
    ) -> None:
        """Read the arrays whose names end like this; all by default.

        :param rest: called with the bytes of each block that was read.
        :raises IndexDamaged: one is not what was written.
        """
        for name in self.file.damaged(kind, rest):
            self.damage = f"{name} in {self.file.path.name}"
            raise IndexDamaged(self.damage)


def _letters(form: str) -> np.uint64:
    bits = 0
    for letter in form:
        bits |= 1 << (ord(letter) % 64)
    return np.uint64(bits)


def expand_ranges(starts: Array, counts: Array) -> Ints:
    """Return the numbers of several ranges, one behind the other."""
    ends = counts.cumsum(dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    found: Ints = (starts + counts - ends).repeat(counts)
    found += np.arange(total)
    return found


def passage_numbers(names: Any) -> list[int]:
    """Return the numbers of passage fields."""
    return [PASSAGE_FIELDS.index(name) for name in names]
