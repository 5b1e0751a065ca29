"""Articles on their way into a segment: their words as numbers, their values in lists.

Each surface word is analysed once and then is a number; a text is the row of its words'
numbers. Terms, positions and everything else follow from those by array operations when
the segment is written, so taking in an article costs little more than splitting it.
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
from index.text import stem_language, surfaces, word
from index.visibility import restrictions

UNKNOWN = -(2**63)  # a date or number that an article does not have

# What a buffer takes of memory while its segment is made, in bytes: of a word of text,
# of a surface word, of one of its tokens, of a document, of an article, of a value.
_TOKEN, _SURFACE, _ENTRY, _DOCUMENT, _ARTICLE, _VALUE = 72, 320, 160, 60, 900, 200

_PASSAGE_OF_ROLE = {
    role: PASSAGE_FIELDS.index(name) for role, name in FIELD_OF_ROLE.items()
}


class Surfaces(dict[str, int]):
    """Surface words and their numbers; what a word stands for is found out once.

    :ivar terms: each indexed term and its number.
    :ivar starts: of each surface, where its tokens begin; ``lengths`` its positions.
    :ivar entries: of each token its term; ``offsets`` its position from the word's own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.terms: dict[str, int] = {}
        self.starts = array("q", [0])
        self.lengths = array("i")
        self.entries = array("i")
        self.offsets = array("i")

    def __missing__(self, surface: str) -> int:
        found = word(surface)
        terms = self.terms
        for form, position, width in zip(
            found.forms, found.positions, found.widths, strict=True
        ):
            self.entries.append(terms.setdefault(term_of(form, width), len(terms)))
            self.offsets.append(position)
        number = len(self.lengths)
        self.lengths.append(found.length)
        self.starts.append(len(self.entries))
        self[surface] = number
        return number


@dataclass(slots=True)
class Words:
    """The words of a field: runs of surface numbers, each in a row.

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
    """

    def __init__(self, language: str) -> None:
        self._language = language
        self.surfaces = Surfaces()
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
            + _SURFACE * len(self.surfaces)
            + _ENTRY * len(self.surfaces.entries)
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
        for name, values in self.values.items():
            for value in dict.fromkeys(values_of(article, name)):
                values.add(at, value)
        for name, words in self.lines.items():
            self._add_line(words, at, values_of(article, name))

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
        number_of = self.surfaces.__getitem__
        row = len(passages)
        for paragraph in paragraphs:
            passages.append(_PASSAGE_OF_ROLE[paragraph.role])
            numbers.extend(map(number_of, surfaces(paragraph.text)))
            ends.append(len(numbers))
            rows.append(row)
            starts.append(0)
            row += 1

    def _add_line(self, words: Words, article: int, values: Sequence[str]) -> None:
        lengths, number_of = self.surfaces.lengths, self.surfaces.__getitem__
        start = 0
        for value in values:
            before = len(words.numbers)
            words.numbers.extend(map(number_of, surfaces(value)))
            words.ends.append(len(words.numbers))
            words.rows.append(article)
            words.starts.append(start)
            start += VALUE_GAP + sum(lengths[each] for each in words.numbers[before:])
