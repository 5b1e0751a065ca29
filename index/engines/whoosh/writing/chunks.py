"""Chunks: the pieces of texts between white space, numbered.

Each different chunk is analysed once. Those of many texts are found in the bytes of the
texts and looked up together by array operations: of a hundred chunks ninety have been
met before, and for them no string is made.
"""

from __future__ import annotations

import secrets
from array import array
from collections.abc import Sequence
from itertools import repeat

import numpy as np

from index.engines.whoosh.files import Array, Ints, Mask, expand_ranges, term_of
from index.engines.whoosh.writing.vocabulary import Vocabulary
from index.text import (
    Convention,
    analysis_of,
    depends_on_convention,
    may_be_time,
    plain_form,
    surfaces,
    with_ascii_spaces,
    with_times_marked,
)

# Memory of a dictionary in bytes: for each different chunk besides its characters, for
# each token of one, and for each term.
_CHUNK, _CHUNK_TOKEN, _TERM = 220, 60, 320
# Punctuation that may surround a word of letters and digits without being part of it.
_PUNCTUATION = ".,;:!?\"'()[]“”‘’…–—"
_SPACES = np.zeros(256, bool)  # white space in ASCII, as str.split() has it
_SPACES[[9, 10, 11, 12, 13, 28, 29, 30, 31, 32]] = True

_KEY = 8  # bytes of a key
_LONGEST = 2 * _KEY  # bytes of a chunk that has a place in the table
_PART = 1 << 13  # chunks that are looked up together
_FEWEST_PLACES, _MOST_PLACES = 1 << 8, 1 << 19
_PLACE = 20  # bytes
# What is left of eight bytes of text, if a chunk has only so many of them.
_KEY_MASKS = np.array([(1 << 8 * count) - 1 for count in range(_KEY + 1)], np.uint64)
# Nobody who sends texts can choose the places that their chunks have.
_FACTORS = np.array([secrets.randbits(64) | 1 for _ in range(2)], np.uint64)


class ChunkDictionary:
    """Numbers of chunks, and the tokens of each.

    No word contains white space that text is split at, so the words of a text are those
    of its chunks.

    :ivar vocabulary: the terms.
    :ivar starts: where the tokens of each chunk begin.
    :ivar lengths: length of each chunk, in positions.
    :ivar entries: term of each token; ``offsets`` its position within the chunk.
    """

    def __init__(self) -> None:
        self.vocabulary = Vocabulary()
        self.starts = array("q", [0])
        self.lengths = array("i")
        self.entries = array("i")
        self.offsets = array("i")
        self._times = bytearray()  # of each chunk, whether it may be a time
        # Of each term, the chunk that is this term alone; -1 if it was not met.
        self._plain = array("i")
        self._characters = 0
        self._by_convention: dict[Convention, _ConventionChunks] = {}

    @property
    def bytes(self) -> int:
        """Approximate memory in use."""
        readings = self._by_convention.values()
        return (
            _CHUNK * sum(map(len, readings))
            + _CHUNK_TOKEN * len(self.entries)
            + _TERM * len(self.vocabulary)
            + self._characters
            + sum(reading.table.bytes for reading in readings)
        )

    def tokens_in(self, numbers: Array) -> int:
        """Number of tokens in chunks, each counted as often as it occurs."""
        starts = np.frombuffer(self.starts, np.int64)
        return int((starts.take(numbers + 1) - starts.take(numbers)).sum())

    def numbers_of(
        self, texts: Sequence[str], conventions: Sequence[Convention]
    ) -> tuple[Array, Ints]:
        """Numbers of the chunks of texts, end to end, and how many each text has.

        :param conventions: that of the article that each text is from.
        """
        places: dict[Convention, list[int]] = {}
        for place, convention in enumerate(conventions):
            places.setdefault(convention, []).append(place)
        if len(places) == 1:
            return self._numbers_under(conventions[0], texts)
        numbered = [
            self._numbers_under(convention, [texts[place] for place in of])
            for convention, of in places.items()
        ]
        order = np.argsort(np.concatenate(list(places.values())))
        counts = np.concatenate([counts for _, counts in numbered])
        ranges = expand_ranges((counts.cumsum() - counts)[order], counts[order])
        numbers = np.concatenate([numbers for numbers, _ in numbered])
        return numbers[ranges], counts[order]

    def _numbers_under(
        self, convention: Convention, texts: Sequence[str]
    ) -> tuple[Array, Ints]:
        """Numbers of the chunks of texts that are read by one convention."""
        reading = self._by_convention.get(convention)
        if reading is None:
            reading = self._by_convention[convention] = _ConventionChunks(
                self, convention
            )
        numbers, counts = reading.numbers_of(texts)
        times = np.frombuffer(self._times, bool).take(numbers)
        if times.any():  # in few texts, so most are not searched
            ends = counts.cumsum()
            places = np.unique(ends.searchsorted(times.nonzero()[0], "right"))
            marked = [with_times_marked(texts[place]) for place in places.tolist()]
            # It has the same white space, so the same number of chunks.
            inside = np.zeros(len(texts), bool)
            inside[places] = True
            numbers[inside.repeat(counts)] = reading.numbers_of(marked)[0]
        return numbers, counts

    def number_of(self, chunk: str, convention: Convention) -> int:
        """Number of a chunk that was not met in articles of a convention before."""
        self._characters += len(chunk)
        form = plain_form(chunk)
        if form is not None:
            return self._plain_number(form)
        if convention == Convention() or not depends_on_convention(chunk):
            bare = chunk.strip(_PUNCTUATION)
            form = plain_form(bare)
            # A word in punctuation has the number of the word; .5 is a number itself.
            if form is not None and not (bare[0].isdigit() and f".{bare}" in chunk):
                return self._plain_number(form)
        number = self._add(chunk, convention)
        if not convention.decimal_comma and may_be_time(chunk):
            self._times[number] = True
        return number

    def _plain_number(self, form: str) -> int:
        """Number of the chunks that are one word of one form."""
        term, plain = self.vocabulary.number_of(form), self._plain
        if term >= len(plain):
            plain.extend(repeat(-1, term + 1 - len(plain)))
        if plain[term] < 0:
            self.entries.append(term)
            self.offsets.append(0)
            plain[term] = self._end(1)
        return plain[term]

    def _add(self, chunk: str, convention: Convention) -> int:
        """Add a chunk of any words; return its number."""
        entries, offsets = self.entries, self.offsets
        term_number = self.vocabulary.number_of
        length = 0
        for surface in surfaces(chunk):
            analysis = analysis_of(surface, convention)
            if isinstance(analysis, str):
                entries.append(term_number(analysis))
                offsets.append(length)
                length += 1
                continue
            for form, position, width in zip(
                analysis.forms, analysis.positions, analysis.widths, strict=True
            ):
                term = form if width == 1 else term_of(form, width)
                entries.append(term_number(term))
                offsets.append(length + position)
            length += analysis.length
        return self._end(length)

    def _end(self, length: int) -> int:
        """Number the chunk whose tokens were added last."""
        self.lengths.append(length)
        self.starts.append(len(self.entries))
        self._times.append(False)
        return len(self.lengths) - 1


class _ConventionChunks(dict[bytes, int]):
    """Numbers of the chunks in articles of one convention, by their UTF-8.

    :ivar table: those of short chunks that were met last.
    """

    def __init__(self, chunks: ChunkDictionary, convention: Convention) -> None:
        super().__init__()
        self._chunks, self._convention = chunks, convention
        self.table = _ChunkTable(_FEWEST_PLACES)

    def __missing__(self, chunk: bytes) -> int:
        text = chunk.decode("utf-8", "surrogatepass")
        number = self[chunk] = self._chunks.number_of(text, self._convention)
        return number

    def numbers_of(self, texts: Sequence[str]) -> tuple[Array, Ints]:
        """See :meth:`ChunkDictionary.numbers_of`; times count as numbers."""
        encoded = [
            with_ascii_spaces(text).encode("utf-8", "surrogatepass") for text in texts
        ]
        # The key of a shorter chunk ends in zeros; to a word both characters are alike.
        data = b"".join((b" ", b" ".join(encoded), b" " * _LONGEST))
        data = data.replace(b"\0", b"\1")
        spaces = _SPACES.take(np.frombuffer(data, np.uint8))
        bounds = (spaces[1:] != spaces[:-1]).nonzero()[0]
        bounds += 1
        starts, ends = bounds[::2], bounds[1::2]
        numbers = np.empty(len(starts), np.int32)
        for low in range(0, len(starts), _PART):
            part = slice(low, low + _PART)
            numbers[part] = self._looked_up(data, starts[part], ends[part])
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
        after = starts.searchsorted((lengths + 1).cumsum())
        return numbers, np.diff(after, prepend=0)

    def _looked_up(self, data: bytes, starts: Ints, ends: Ints) -> Array:
        """Numbers of the chunks in some places of a text."""
        keys = _keys_of(data, starts, ends - starts)
        if len(self) * 2 > self.table.places:
            self.table = self.table.grown()
        places = self.table.places_of(keys)
        numbers, found = self.table.find(keys, places)
        short = ends - starts <= _LONGEST
        found &= short
        missing = (~found).nonzero()[0]
        spans = zip(starts[missing].tolist(), ends[missing].tolist(), strict=True)
        met = [self[data[start:end]] for start, end in spans]
        numbers[missing] = met
        kept = missing[short[missing]]
        self.table.put(keys[:, kept], places[kept], numbers[kept])
        return numbers


def _keys_of(data: bytes, starts: Ints, lengths: Ints) -> Array:
    """The first eight bytes of each chunk as a number, and the next eight."""
    eights = np.ndarray((len(data) - _KEY + 1,), "<u8", data, strides=(1,))
    keys = np.empty((2, len(starts)), np.uint64)
    keys[0] = eights[starts]
    keys[0] &= _KEY_MASKS.take(lengths, mode="clip")
    keys[1] = eights[starts + _KEY]
    keys[1] &= _KEY_MASKS.take(lengths - _KEY, mode="clip")
    return keys


class _ChunkTable:
    """Numbers of short chunks by their keys, found for many chunks at once.

    A chunk has one place. It takes it from another chunk, which then has to be looked
    up in the dictionary.

    :param places: a power of two.
    """

    def __init__(self, places: int) -> None:
        self.places = places
        self._shift = np.uint64(64 - places.bit_length() + 1)
        self._keys = np.zeros((2, places), np.uint64)
        self._numbers = np.zeros(places, np.int32)

    @property
    def bytes(self) -> int:
        """Memory of the table."""
        return _PLACE * self.places

    def grown(self) -> _ChunkTable:
        """A table of four times the places, with the same chunks."""
        if self.places >= _MOST_PLACES:
            return self
        larger = _ChunkTable(min(self.places * 4, _MOST_PLACES))
        taken = self._keys[0].nonzero()[0]
        keys = self._keys[:, taken]
        larger.put(keys, larger.places_of(keys), self._numbers[taken])
        return larger

    def places_of(self, keys: Array) -> Ints:
        """Place of each chunk."""
        mixed = keys[0] * _FACTORS[0]
        mixed ^= mixed >> np.uint64(32)
        mixed += keys[1]
        mixed *= _FACTORS[1]
        mixed >>= self._shift
        places: Ints = mixed.astype(np.int64)
        return places

    def find(self, keys: Array, places: Ints) -> tuple[Array, Mask]:
        """What the places have for numbers, and whether these are of the chunks."""
        found = self._keys[0].take(places) == keys[0]
        found &= self._keys[1].take(places) == keys[1]
        return self._numbers.take(places), found

    def put(self, keys: Array, places: Ints, numbers: Array) -> None:
        """Put chunks in their places; of several with the same place the last stays."""
        self._keys[:, places] = keys
        self._numbers[places] = numbers
