"""Here is a word; where is it? The term dictionary and posting lists of one field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np

from index.deadline import Check
from index.engines.whoosh.files.arrays import (
    Array,
    ArraysFile,
    Ints,
    Mask,
    expand_ranges,
)
from index.engines.whoosh.files.letter_bags import AT_ONCE, LetterBags
from index.engines.whoosh.files.posting_lists import (
    SIDE_FIELDS,
    ArticlePostings,
    PostingLists,
)
from index.engines.whoosh.files.schema import WIDTH_MARK, form_of
from index.text import LOOSE_MARK

_WIDTH, _LOOSE = WIDTH_MARK.encode(), LOOSE_MARK.encode()

# Offsets of positions are cached for every 32nd posting, of up to 64 posting lists.
_BLOCK = 32
_CACHED_LISTS = 64


class FieldIndex:
    """The inverted index of one field of a segment.

    Terms are numbered in the order of their bytes, posting lists in that of their
    stems. A row is a document in the field of paragraphs, an article in other fields.
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
        self._bags = LetterBags(self._folded)

    # Term dictionary.

    def list_of(self, language: str, stem: str) -> int:
        """Posting list of a stem in a language, -1 if there is none."""
        return self.stems.find(f"{language}\0{stem}".encode())

    def term_number(self, term: str) -> int:
        """Number of a term, -1 if it does not occur."""
        return self.terms.find(term.encode())

    def terms_of(self, form: str) -> list[int]:
        """Terms of a form: one for each width in positions; its loose terms are not."""
        numbers = []
        data = form.encode()
        number = self.terms.bisect(data)
        while number < len(self.terms):
            term = self.terms[number]
            if term == data or term.startswith(data + _WIDTH):
                numbers.append(number)
            elif not term.startswith(data + _LOOSE):  # these sort between the two
                break
            number += 1
        return numbers

    def terms_with_prefix(self, prefix: str) -> Array:
        """Terms whose folded form starts with a prefix."""
        low, high = self._folded_range(prefix)
        return self._folded_terms[low:high]

    def terms_matching(
        self, pattern: re.Pattern[str], literal: str, check: Check
    ) -> Array:
        """Terms whose folded form matches a pattern.

        :param literal: what every match starts with.
        :param check: called every some terms; it may raise to stop.
        """
        low, high = self._folded_range(literal)
        matches = pattern.match
        numbers: list[int] = []
        for start in range(low, high, AT_ONCE):
            check()
            forms = self._folded.texts(start, min(start + AT_ONCE, high))
            numbers += [at for at, form in enumerate(forms, start) if matches(form)]
        return self._folded_terms[numbers]

    def terms_near(self, form: str, distance: int, check: Check) -> Array:
        """Terms whose folded form is at most ``distance`` edits away (OSA).

        :param check: called every some terms; it may raise to stop.
        """
        return self._folded_terms[self._bags.near(form, distance, check)]

    @property
    def cache_bytes(self) -> int:
        """Memory that :meth:`terms_near` takes for its next use."""
        return self._bags.bytes

    def form(self, term: int) -> tuple[str, int]:
        """Form of a term, and its width in positions."""
        return form_of(self.terms.text(term))

    def occurrences(self, term: int) -> int:
        """Frequency of a term in the segment, deleted articles included."""
        low, high = self._entries_at[term : term + 2].tolist()
        return int(self._occurrences[low:high].sum())

    def occurrences_of_lists(self, numbers: Ints) -> int:
        """Number of occurrences in some posting lists."""
        at = self._positions_at
        # The offsets are unsigned, and narrow.
        return int(
            at[numbers + 1].sum(dtype=np.int64) - at[numbers].sum(dtype=np.int64)
        )

    def entries(self, term: int) -> list[tuple[int, int]]:
        """Posting lists with a term, and its tag in each."""
        low, high = self._entries_at[term : term + 2].tolist()
        return list(
            zip(
                self._entries[low:high].tolist(),
                self._entry_tags[low:high].tolist(),
                strict=True,
            )
        )

    def lists_of(self, terms: Array) -> tuple[Ints, dict[int, Array]]:
        """Posting lists of several terms.

        First the lists whose terms are all wanted; then the other lists, with the tags
        of their wanted terms.
        """
        counts = self._entries_at[terms + 1] - self._entries_at[terms]
        at = expand_ranges(self._entries_at[terms].astype(np.int64), counts)
        lists, tags = self._entries[at], self._entry_tags[at]
        order = np.argsort(lists, kind="stable")
        lists, tags = lists[order], tags[order]
        numbers, starts = np.unique(lists, return_index=True)
        ends = np.append(starts[1:], len(lists))
        sizes = self.members_at[numbers + 1] - self.members_at[numbers]
        complete = ends - starts == sizes
        partial = {
            int(numbers[at]): tags[starts[at] : ends[at]]
            for at in np.flatnonzero(~complete).tolist()
        }
        return numbers[complete].astype(np.int64), partial

    def _folded_range(self, prefix: str) -> tuple[int, int]:
        data = prefix.encode()
        low = self._folded.bisect(data)
        # UTF-8 never has this byte, so it sorts behind every form with the prefix.
        return low, self._folded.bisect(data + b"\xff")

    # Posting lists.

    def postings(self, number: int) -> tuple[Array, Array]:
        """Rows of a posting list, ascending, and the frequency in each."""
        low, high = self.rows_at[number : number + 2].tolist()
        return self._rows[low:high], self._frequencies[low:high]

    def positions(self, number: int) -> Array:
        """Positions of a posting list: for each row as many as its frequency."""
        low, high = self._positions_at[number : number + 2].tolist()
        return self._positions[low:high]

    def tags(self, number: int) -> Array | None:
        """Tag of each position; ``None`` if the list has one term."""
        low, high = self._tags_at[number : number + 2].tolist()
        return self._tags[low:high] if high > low else None

    def widths(self, number: int) -> list[int]:
        """Width of each term of a posting list, by tag."""
        low, high = self.members_at[number : number + 2].tolist()
        return [self.form(term)[1] for term in self.members[low:high].tolist()]

    def postings_of(self, numbers: Ints) -> tuple[Array, Array]:
        """Rows and frequencies of several posting lists, end to end."""
        starts = self.rows_at[numbers].astype(np.int64)
        at = expand_ranges(starts, self.rows_at[numbers + 1].astype(np.int64) - starts)
        return self._rows[at], self._frequencies[at]

    def tagged_postings(self, number: int, wanted: Array) -> tuple[Array, Array]:
        """Rows and frequencies of the terms of a posting list with these tags."""
        rows, frequencies = self.postings(number)
        tags = self.tags(number)
        if tags is None or not len(rows):
            return rows, frequencies
        # By far most often the tag of one term is wanted.
        matches = tags == wanted[0] if len(wanted) == 1 else np.isin(tags, wanted)
        starts = np.cumsum(frequencies, dtype=np.int64) - frequencies
        counts = np.add.reduceat(matches, starts, dtype=np.int64)
        matching = np.flatnonzero(counts)
        return rows[matching], counts[matching]

    def occurring_in(self, terms: Array, inside: Callable[[Array], Mask]) -> Mask:
        """Which of some terms occur in certain rows.

        :param inside: which of some rows are among the certain ones.
        """
        starts = self._entries_at[terms].astype(np.int64)
        counts = self._entries_at[terms + 1] - starts
        at = expand_ranges(starts, counts)
        at_list, tags = self._entries[at], self._entry_tags[at]
        numbers, list_of = np.unique(at_list, return_inverse=True)
        low = self.rows_at[numbers].astype(np.int64)
        sizes = self.rows_at[numbers + 1] - low
        matching = inside(self._rows[expand_ranges(low, sizes)])
        sums = np.append(0, matching.cumsum(dtype=np.int64))
        ends = sizes.cumsum()
        found = sums[ends] - sums[ends - sizes]
        members = self.members_at[numbers + 1] - self.members_at[numbers]
        # Of a list with several terms, the rows of each must be looked at, unless all
        # of its rows are certain.
        known = (members == 1) | (found == sizes)
        occurs = (found > 0)[list_of] & (self._occurrences[at] > 0)
        for entry in (occurs & ~known[list_of]).nonzero()[0].tolist():
            rows, _ = self.tagged_postings(int(at_list[entry]), tags[entry : entry + 1])
            occurs[entry] = inside(rows).any()
        occurring = np.zeros(len(terms), bool)
        occurring[np.repeat(np.arange(len(terms)), counts)[occurs]] = True
        return occurring

    def occurrences_in(
        self, number: int, wanted: Array, wanted_tags: Array | None = None
    ) -> tuple[Array, Array, Array | int]:
        """Row, position and width of each occurrence of a posting list in some rows.

        :param wanted: rows, ascending.
        :param wanted_tags: the tags of the terms wanted; all terms by default.
        """
        rows, frequencies = self.postings(number)
        positions, tags = self.positions(number), self.tags(number)
        chosen = np.searchsorted(rows, wanted)
        if len(rows):
            chosen[chosen == len(rows)] = 0
            chosen = chosen[rows[chosen] == wanted]
        else:
            chosen = chosen[:0]  # all articles of the list were deleted
        counts = frequencies[chosen].astype(np.int64)
        at = expand_ranges(self._position_offsets(number, chosen), counts)
        occurring, positions = np.repeat(rows[chosen], counts), positions[at]
        if tags is None:
            return occurring, positions, self.widths(number)[0]
        tags = tags[at]
        if wanted_tags is not None:
            matches = np.isin(tags, wanted_tags)
            occurring, positions = occurring[matches], positions[matches]
            tags = tags[matches]
        return occurring, positions, np.array(self.widths(number), np.int64)[tags]

    def _position_offsets(self, number: int, postings: Ints) -> Ints:
        """Offset of the positions of some postings, within their posting list."""
        _, frequencies = self.postings(number)
        if len(postings) * _BLOCK > len(frequencies):
            ends: Ints = frequencies.cumsum(dtype=np.int64)
            offsets: Ints = ends[postings] - frequencies[postings]
            return offsets
        blocks = postings // _BLOCK
        inside = np.arange(_BLOCK)
        neighbours = blocks[:, np.newaxis] * _BLOCK + inside
        before = inside < (postings % _BLOCK)[:, np.newaxis]
        skipped = frequencies.take(neighbours, mode="clip") * before
        offsets = self._block_offsets(number)[blocks]
        offsets += skipped.sum(axis=1, dtype=np.int64)
        return offsets

    def _block_offsets(self, number: int) -> Ints:
        """Offset of the positions of every 32nd posting, within its posting list."""
        offsets = self._blocks.get(number)
        if offsets is None:
            _, frequencies = self.postings(number)
            blocks = np.arange(0, len(frequencies), _BLOCK)
            sums = np.add.reduceat(frequencies, blocks, dtype=np.int64)
            offsets = np.cumsum(sums) - sums
            if len(self._blocks) >= _CACHED_LISTS:
                self._blocks.clear()
            self._blocks[number] = offsets
        return offsets

    # Runs of posting lists, for merging.

    def slice(self, first: int, end: int) -> PostingLists:
        """Posting lists ``first`` to ``end``, the latter not included."""
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

    def blocks(
        self, number: int, limit: int, bound: Callable[[int, int, Array], int]
    ) -> Iterator[PostingLists]:
        """Yield one posting list in blocks, each of up to ``limit`` occurrences.

        A block that one article fills may have more.

        :param bound: index of a row where a block may end, by the index of its first
            row, that of the last it has room for and all rows of the list.
        """
        rows, frequencies = self.postings(number)
        positions, tags = self.positions(number), self.tags(number)
        start = place = 0
        while start < len(rows):
            sizes = frequencies[start : start + limit].cumsum(dtype=np.int64)
            count = int(sizes.searchsorted(limit, "right"))
            end = bound(start, min(start + max(count, 1), len(rows)), rows)
            of_block = frequencies[start:end]
            size = int(of_block.sum(dtype=np.int64))
            own_tags = self._tags[:0] if tags is None else tags[place : place + size]
            yield PostingLists(
                rows_at=np.array([0, end - start]),
                rows=rows[start:end],
                frequencies=of_block,
                positions=positions[place : place + size],
                tags_at=np.array([0, len(own_tags)]),
                tags=own_tags,
            )
            start, place = end, place + size

    def list_occurrences(self) -> Ints:
        """Number of occurrences in each posting list."""
        at = self._positions_at.astype(np.int64)
        return at[1:] - at[:-1]

    def member_occurrences(self) -> Ints:
        """Number of occurrences of each member of each list, in their order."""
        # Entries are sorted by term and then by list, members by list and then by term.
        at = self._entries_at.astype(np.int64)
        of_term = np.repeat(np.arange(len(self.terms)), at[1:] - at[:-1])
        order = np.lexsort((of_term, self._entries))
        return self._occurrences[order].astype(np.int64)


class ParagraphIndex(FieldIndex):
    """The inverted index of the paragraphs, with its posting lists by article."""

    def __init__(self, file: ArraysFile, name: str, documents: int) -> None:
        super().__init__(file, name)
        self._documents = documents
        self._articles_at = file[f"{name}/articles.at"]
        self._articles = file[f"{name}/articles"]
        self._paragraph_counts = file[f"{name}/spreads"]
        self._article_frequencies = file[f"{name}/totals"]
        self._impacts = file[f"{name}/bests"]
        self._side_fields = {
            side: (
                file[f"{name}/{side}.at"],
                file[f"{name}/{side}"],
                file[f"{name}/{side}.frequencies"],
            )
            for side in SIDE_FIELDS
            if len(file[f"{name}/{side}"])
        }
        self._bitmap_of = {
            number: at for at, number in enumerate(file[f"{name}/dense"].tolist())
        }
        self._bitmaps = file[f"{name}/bits"].reshape(
            len(self._bitmap_of), (documents + 7) // 8
        )

    def article_postings(self, number: int) -> ArticlePostings:
        """One posting list, by article."""
        low, high = self._articles_at[number : number + 2].tolist()
        side_fields = {}
        for name, (at, articles, frequencies) in self._side_fields.items():
            start, end = at[number : number + 2].tolist()
            if end > start:
                side_fields[name] = articles[start:end], frequencies[start:end]
        return ArticlePostings(
            articles=self._articles[low:high],
            paragraph_counts=self._paragraph_counts[low:high],
            frequencies=self._article_frequencies[low:high],
            impacts=self._impacts[low:high],
            side_fields=side_fields,
        )

    def bitmap(self, number: int) -> Mask | None:
        """Documents of a posting list as a mask; ``None`` if it has no bitmap."""
        at = self._bitmap_of.get(number)
        if at is None:
            return None
        bits = np.unpackbits(
            self._bitmaps[at], count=self._documents, bitorder="little"
        )
        return bits.view(np.bool_)
