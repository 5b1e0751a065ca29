"""Articles on their way into a segment: their words as numbers, their values in lists.

Whatever stands between two spaces is analysed once and then is a number; a text is the
row of its numbers. Terms, positions and everything else follow from those by array
operations when the segment is written, so taking in an article costs little more than
splitting it.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from index.engines.whoosh.files import LINE_FIELDS, VALUE_FIELDS, VALUE_GAP, term_of
from index.engines.whoosh.writing.indexed_article import IndexedArticle
from index.text import plain_form, surfaces, word

# What is a number in an article, one each.
NUMBERS = (
    "status",
    "embargoed_until",
    "expires",
    "published",
    "updated",
    "urgency",
    "first_n",
)

# What a buffer takes of memory while its segment is made, in bytes: of a chunk of text,
# of a different chunk, of one of its tokens, of a document, of an article, of a value.
CHUNK_BYTES = 220
ENTRY_BYTES = 60
_TOKEN, _DOCUMENT, _ARTICLE, _VALUE = 72, 60, 900, 200
# What may stand around a word of letters and digits without being of it.
_AROUND = ".,;:!?\"'()[]“”‘’…–—"


class ChunkDictionary(dict[str, int]):
    """What stands between two spaces, and its number; its words are found out once.

    No word has white space in it, so the words of a text are those of its chunks; and
    splitting at white space costs a tenth of finding words.

    :ivar terms: each indexed term and its number.
    :ivar starts: of each chunk, where its tokens begin; ``lengths`` its positions.
    :ivar entries: of each token its term; ``offsets`` its position from the chunk's.
    """

    def __init__(self) -> None:
        super().__init__()
        self.terms: dict[str, int] = {}
        self.starts = array("q", [0])
        self.lengths = array("i")
        self.entries = array("i")
        self.offsets = array("i")
        self._characters = 0

    @property
    def bytes(self) -> int:
        """About how much memory they take."""
        return (
            CHUNK_BYTES * len(self) + ENTRY_BYTES * len(self.entries) + self._characters
        )

    def __missing__(self, chunk: str) -> int:
        form = plain_form(chunk)
        if form is not None:
            number = self._plain(form)
        else:
            bare = chunk.strip(_AROUND)
            # A word with something around it is that word.
            number = self._analysed(chunk) if plain_form(bare) is None else self[bare]
        self[chunk] = number
        self._characters += len(chunk)
        return number

    def _plain(self, form: str) -> int:
        terms = self.terms
        self.entries.append(terms.setdefault(form, len(terms)))
        self.offsets.append(0)
        self.lengths.append(1)
        self.starts.append(len(self.entries))
        return len(self.lengths) - 1

    def _analysed(self, chunk: str) -> int:
        terms, length = self.terms, 0
        for surface in surfaces(chunk):
            found = word(surface)
            for form, position, width in zip(
                found.forms, found.positions, found.widths, strict=True
            ):
                self.entries.append(terms.setdefault(term_of(form, width), len(terms)))
                self.offsets.append(length + position)
            length += found.length
        self.lengths.append(length)
        self.starts.append(len(self.entries))
        return len(self.lengths) - 1


@dataclass(slots=True)
class ChunkRuns:
    """The words of a field: runs of chunks, by number, each in a row.

    :ivar ends: where in ``numbers`` each run ends; ``rows`` the row each is in, and
        ``starts`` the position of its first word there.
    """

    numbers: array[int] = field(default_factory=lambda: array("i"))
    ends: array[int] = field(default_factory=lambda: array("q"))
    rows: array[int] = field(default_factory=lambda: array("i"))
    starts: array[int] = field(default_factory=lambda: array("q"))


@dataclass(slots=True)
class KeywordValues:
    """The values of a keyword field: each article's, as numbers of spellings."""

    spellings: dict[str, int] = field(default_factory=dict)
    articles: array[int] = field(default_factory=lambda: array("i"))
    numbers: array[int] = field(default_factory=lambda: array("i"))

    def add(self, article: int, value: str) -> None:
        """Add a value of an article."""
        spellings = self.spellings
        self.articles.append(article)
        self.numbers.append(spellings.setdefault(value, len(spellings)))


class WriteBuffer:
    """Articles that will be one segment, in the order they were added.

    :param chunks: those of the buffer before, if there is one.
    """

    def __init__(self, chunks: ChunkDictionary | None = None) -> None:
        self.chunks = ChunkDictionary() if chunks is None else chunks
        self.text = ChunkRuns()
        self.lines: dict[str, ChunkRuns] = {name: ChunkRuns() for name in LINE_FIELDS}
        self.ids: list[str] = []
        self.versions: list[str] = []
        self.languages: dict[str, int] = {}
        self.language = array("i")
        self.numbers: dict[str, array[int]] = {name: array("q") for name in NUMBERS}
        self.sizes = array("q")
        self.passages = array("B")
        self.values: dict[str, KeywordValues] = {
            name: KeywordValues() for name in VALUE_FIELDS
        }
        self._bytes = 0

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def bytes(self) -> int:
        """About how much memory it takes to make a segment of it."""
        return self._bytes + _TOKEN * len(self.text.numbers) + self.chunks.bytes

    def add(self, draft: IndexedArticle) -> None:
        """Take in an article, of an id that no other has."""
        at = len(self.ids)
        self.ids.append(draft.id)
        self.versions.append(draft.version)
        languages = self.languages
        self.language.append(languages.setdefault(draft.language, len(languages)))
        for name, column in self.numbers.items():
            column.append(getattr(draft, name))
        self.sizes.append(len(draft.texts))
        self._bytes += _ARTICLE + _DOCUMENT * len(draft.texts)
        self._add_paragraphs(draft)
        for name, values in draft.values:
            if name in self.values:
                for value in dict.fromkeys(values):
                    self.values[name].add(at, value)
            if name in self.lines:
                self._add_line(self.lines[name], at, values)

    def _add_paragraphs(self, draft: IndexedArticle) -> None:
        words = self.text
        ends, before = words.ends, len(words.numbers)
        chunks: list[str] = []
        for text in draft.texts:
            chunks += text.split()
            ends.append(before + len(chunks))
        words.numbers.extend(map(self.chunks.__getitem__, chunks))
        row = len(self.passages)
        self.passages.frombytes(draft.passages)
        words.rows.extend(range(row, len(self.passages)))
        words.starts.extend(bytes(len(draft.texts)))

    def _add_line(self, words: ChunkRuns, article: int, values: Sequence[str]) -> None:
        lengths, number_of = self.chunks.lengths, self.chunks.__getitem__
        start = 0
        for value in values:
            before = len(words.numbers)
            words.numbers.extend(map(number_of, value.split()))
            words.ends.append(len(words.numbers))
            words.rows.append(article)
            words.starts.append(start)
            self._bytes += _VALUE + _TOKEN * (len(words.numbers) - before)
            start += VALUE_GAP + sum(lengths[each] for each in words.numbers[before:])
