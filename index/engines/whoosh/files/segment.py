"""One segment of the index, opened: immutable once it is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from index.article import PASSAGE_FIELDS
from index.engines.whoosh.files.arrays import Array, ArraysFile, Strings
from index.engines.whoosh.files.cache import cached
from index.engines.whoosh.files.field_index import FieldIndex
from index.engines.whoosh.files.paragraph_index import ParagraphIndex
from index.engines.whoosh.files.rows import ArticleRows
from index.engines.whoosh.files.schema import ID, VERSION
from index.errors import IndexDamaged
from index.text import words_of_value

NO_VALUE = np.iinfo(np.int64).min  # a date or number that an article does not have


class Segment:
    """An immutable segment; a snapshot knows which of its articles are deleted.

    A document is a paragraph. Articles and documents are numbered from 0.

    :ivar first: first document of each article, and at the end their number.
    :ivar owner: article of each document.
    :ivar passage: field of each document, as an index into ``PASSAGE_FIELDS``.
    :ivar lengths: length of each document, in words.
    :ivar id_ranks: rank of each article's id among the sorted ids.
    :ivar damage: the damage that :meth:`check` found.
    :raises IndexDamaged: the file is damaged, or Whoosh's own writer wrote it.
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
        self._words_of_values: dict[str, tuple[list[str], Array, Array]] = {}

    def __repr__(self) -> str:
        return f"<Segment {self.id}: {self.articles:,} articles>"

    def column(self, name: str) -> Array:
        """A column: one number of each article."""
        return self.file[name]

    def passage_column(self, name: str, what: str) -> Array:
        """Number of documents (``counts``) or words (``lengths``) per article.

        :param name: a field of paragraphs.
        """
        return self.file[f"{name}.{what}"]

    def line_lengths(self, name: str) -> Array:
        """Length of each article's own field (byline, keywords …), in words."""
        if f"{name}/lengths" in self.file:
            return self.file[f"{name}/lengths"]
        return np.zeros(self.articles, np.uint8)

    def field(self, name: str) -> FieldIndex | None:
        """Inverted index of a field, ``None`` if no article has a word in it."""
        if name not in self._fields:
            field: FieldIndex | None = None
            if f"{name}/terms" in self.file:
                by_article = f"{name}/articles" in self.file
                field = (
                    ParagraphIndex(self.file, name, self.documents)
                    if by_article
                    else FieldIndex(self.file, name, ArticleRows(self.file, name))
                )
            self._fields[name] = field
        return self._fields[name]

    def cache_bytes(self) -> int:
        """Memory that its dictionaries take for words that are similar to others."""
        return sum(field.cache_bytes for field in self._fields.values() if field)

    def values(self, name: str) -> tuple[Strings | None, Array, Array]:
        """Distinct values of a keyword field, and its column.

        :return: the values, ``None`` if there are none; of each occurrence of a value
            the article, ascending, and the number of the value.
        """
        if f"{name}/codes" not in self.file:
            none = np.empty(0, np.int32)
            return None, none, none
        codes = self.file[f"{name}/codes"]
        articles: Array = np.arange(self.articles, dtype=np.int32)
        if f"{name}/codes.at" in self.file:
            articles = np.repeat(articles, np.diff(self.file[f"{name}/codes.at"]))
        return self.file.strings(f"{name}/values"), articles, codes

    def words_of_values(self, name: str) -> tuple[list[str], Array, Array]:
        """Words of the values of a keyword field, computed at first use.

        :return: the forms of the words, sorted; for each the end of its entries; the
            entries: twice the number of a value, and 1 more for its first word.
        """
        if name not in self._words_of_values:
            spellings, _, _ = self.values(name)
            entries: defaultdict[str, list[int]] = defaultdict(list)
            for number, value in enumerate(spellings.texts() if spellings else ()):
                for place, forms in enumerate(words_of_value(value)):
                    for form in forms:
                        entries[form].append(2 * number + (place == 0))
            forms_ = sorted(entries)
            ends = np.cumsum([len(entries[form]) for form in forms_], dtype=np.int64)
            flat = [entry for form in forms_ for entry in entries[form]]
            self._words_of_values[name] = forms_, ends, np.array(flat, np.int32)
        return self._words_of_values[name]

    def value(self, name: str, article: int) -> str | None:
        """First value of an article in a keyword field."""
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
        """Article of an id, -1 if the segment does not have it."""
        rank = self._ids.find(article_id.encode("utf-8", "surrogatepass"))
        return -1 if rank < 0 else int(self._id_rows[rank])

    def id_rank(self, article_id: str) -> int:
        """Number of ids that sort before an id, which may be of another segment."""
        return self._ids.bisect(article_id.encode("utf-8", "surrogatepass"))

    def article_id(self, article: int) -> str:
        """Id of an article."""
        return self._ids.text(int(self.id_ranks[article]))

    def article_ids(self, articles: Array) -> list[str]:
        """Ids of articles."""
        return self._ids.texts_of(self.id_ranks.take(articles).tolist())

    def versions(self, articles: Array) -> list[str]:
        """Versions of articles."""
        spellings, codes = self._versions
        return [spellings[code] for code in codes.take(articles).tolist()]

    def version(self, article: int) -> str:
        """Version of an article."""
        spellings, codes = self._versions
        return spellings[int(codes[article])]

    @cached
    def _versions(self) -> tuple[list[str], Array]:
        spellings, _, codes = self.values(VERSION)
        assert spellings is not None, self
        return spellings.texts(), codes

    def paragraph_number(self, document: int) -> int:
        """Number of a document within its article."""
        article = int(self.owner[document])
        start = int(self.file["first_n"][article])
        return document - int(self.first[article]) + start

    def damaged(self) -> Iterator[str]:
        """Yield the names of damaged arrays, by reading all."""
        return self.file.damaged()

    def check(
        self, suffix: str = "", throttle: Callable[[int], None] = lambda count: None
    ) -> None:
        """Compare arrays with their checksums.

        :param suffix: only arrays whose names end like this.
        :param throttle: called with the length of each block that was read, in bytes.
        :raises IndexDamaged: an array is damaged.
        """
        for name in self.file.damaged(suffix, throttle):
            self.damage = f"{name} in {self.file.path.name}"
            raise IndexDamaged(self.damage)


def passage_numbers(names: Iterable[str]) -> list[int]:
    """Indexes of fields of paragraphs in ``PASSAGE_FIELDS``."""
    return [PASSAGE_FIELDS.index(name) for name in names]
