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

from index.article import Article
from index.dates import micros
from index.engines.whoosh.schema import (
    LINE_FIELDS,
    VALUE_FIELDS,
    VALUE_GAP,
    term_of,
    values_of,
)
from index.fields import FIELD_OF_ROLE, PASSAGE_FIELDS
from index.text import plain_form, stem_language, surfaces, word
from index.visibility import restrictions

UNKNOWN = -(2**63)  # a date or number that an article does not have

# What a buffer takes of memory while its segment is made, in bytes: of a chunk of text,
# of a different chunk, of one of its tokens, of a document, of an article, of a value.
CHUNK_BYTES = 220
_TOKEN, _ENTRY, _DOCUMENT, _ARTICLE, _VALUE = 72, 60, 60, 900, 200
# What may stand around a word of letters and digits without being of it.
_AROUND = ".,;:!?\"'()[]“”‘’…–—"

_FIELDS = tuple(dict.fromkeys((*LINE_FIELDS, *VALUE_FIELDS)))
_PASSAGE_OF_ROLE = {
    role: PASSAGE_FIELDS.index(name) for role, name in FIELD_OF_ROLE.items()
}


class Chunks(dict[str, int]):
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

    def __missing__(self, chunk: str) -> int:
        form = plain_form(chunk)
        if form is not None:
            number = self._plain(form)
        else:
            bare = chunk.strip(_AROUND)
            # A word with something around it is that word.
            number = self._analysed(chunk) if plain_form(bare) is None else self[bare]
        self[chunk] = number
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
class Words:
    """The words of a field: runs of chunks, by number, each in a row.

    :ivar ends: where in ``numbers`` each run ends; ``rows`` the row each is in, and
        ``starts`` the position of its first word there.
    """

    numbers: array[int] = field(default_factory=lambda: array("i"))
    ends: array[int] = field(default_factory=lambda: array("q"))
    rows: array[int] = field(default_factory=lambda: array("i"))
    starts: array[int] = field(default_factory=lambda: array("q"))


@dataclass(slots=True)
class Values:
    """The values of a keyword field: each article's, as numbers of spellings."""

    spellings: dict[str, int] = field(default_factory=dict)
    articles: array[int] = field(default_factory=lambda: array("i"))
    numbers: array[int] = field(default_factory=lambda: array("i"))

    def add(self, article: int, value: str) -> None:
        """Add a value of an article."""
        spellings = self.spellings
        self.articles.append(article)
        self.numbers.append(spellings.setdefault(value, len(spellings)))


class Buffer:
    """Articles that will be one segment, in the order they were added.

    :param language: how articles without a language are analysed.
    :param chunks: those of the buffer before, if there is one.
    """

    def __init__(self, language: str, chunks: Chunks | None = None) -> None:
        self._language = language
        self.chunks = Chunks() if chunks is None else chunks
        self.text = Words()
        self.lines: dict[str, Words] = {name: Words() for name in LINE_FIELDS}
        self.ids: list[str] = []
        self.versions: list[str] = []
        self.languages: dict[str, int] = {}
        self.language = array("i")
        self.numbers: dict[str, array[int]] = {
            name: array("q")
            for name in (
                "status",
                "embargoed_until",
                "expires",
                "published",
                "updated",
                "urgency",
                "first_n",
                "documents",
            )
        }
        self.passages = array("B")
        self.values: dict[str, Values] = {name: Values() for name in VALUE_FIELDS}

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def bytes(self) -> int:
        """About how much memory it takes to make a segment of it."""
        values = sum(len(each.numbers) for each in self.values.values())
        words = sum(len(each.numbers) for each in self.lines.values())
        return (
            _TOKEN * (len(self.text.numbers) + words)
            + CHUNK_BYTES * len(self.chunks)
            + _ENTRY * len(self.chunks.entries)
            + _DOCUMENT * len(self.passages)
            + _ARTICLE * len(self.ids)
            + _VALUE * values
        )

    def add(self, article: Article) -> None:
        """Take in an article, which has a version and an id that no other has."""
        at = len(self.ids)
        assert article.version is not None, article.id
        self.ids.append(article.id)
        self.versions.append(article.version)
        stems = stem_language(article.language or self._language)
        languages = self.languages
        self.language.append(languages.setdefault(stems, len(languages)))
        numbers = self.numbers
        for name, value in restrictions(article)._asdict().items():
            numbers[name].append(value)
        published, updated = article.published, article.updated
        known = UNKNOWN if published is None else micros(published)
        numbers["published"].append(known)
        numbers["updated"].append(known if updated is None else micros(updated))
        urgency = article.urgency
        numbers["urgency"].append(UNKNOWN if urgency is None else urgency)
        self._add_paragraphs(article)
        for name in _FIELDS:
            value = getattr(article, name)
            if value:
                texts = values_of(article, name)
                if name in self.values:
                    for text in dict.fromkeys(texts):
                        self.values[name].add(at, text)
                if name in self.lines:
                    self._add_line(self.lines[name], at, texts)

    def _add_paragraphs(self, article: Article) -> None:
        paragraphs = article.paragraphs
        self.numbers["first_n"].append(paragraphs[0].n)
        self.numbers["documents"].append(len(paragraphs))
        words, passages = self.text, self.passages
        numbers, ends, rows, starts = (
            words.numbers,
            words.ends,
            words.rows,
            words.starts,
        )
        number_of = self.chunks.__getitem__
        row = len(passages)
        for paragraph in paragraphs:
            passages.append(_PASSAGE_OF_ROLE[paragraph.role])
            numbers.extend(map(number_of, paragraph.text.split()))
            ends.append(len(numbers))
            rows.append(row)
            starts.append(0)
            row += 1

    def _add_line(self, words: Words, article: int, values: Sequence[str]) -> None:
        lengths, number_of = self.chunks.lengths, self.chunks.__getitem__
        start = 0
        for value in values:
            before = len(words.numbers)
            words.numbers.extend(map(number_of, value.split()))
            words.ends.append(len(words.numbers))
            words.rows.append(article)
            words.starts.append(start)
            start += VALUE_GAP + sum(lengths[each] for each in words.numbers[before:])
