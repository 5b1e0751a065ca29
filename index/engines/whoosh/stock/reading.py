"""Reading segments the way Whoosh reads: terms, cursors and documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from whoosh.codec import base
from whoosh.columns import Column, ColumnReader
from whoosh.formats import Format
from whoosh.reading import TermInfo, TermNotFound
from whoosh.util.numeric import byte_to_length

from index.engines.whoosh.files import Strings
from index.engines.whoosh.stock.contents import Contents, Words
from index.engines.whoosh.stock.postings import Lengths, PostingBlock, PostingMatcher


class ColumnarTermsReader(base.TermsReader):  # type: ignore[misc]  # no types
    """Reads the terms of a segment, each as its bytes."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._lengths = Lengths(contents)

    def __contains__(self, term: tuple[str, bytes]) -> bool:
        words = self._contents.words(term[0])
        return words is not None and words.terms.find(term[1]) >= 0

    def indexed_field_names(self) -> Iterator[str]:
        """Return the fields that have terms."""
        return iter(self._contents.fields)

    def cursor(self, fieldname: str, fieldobj: Any) -> base.FieldCursor:
        """Return a cursor that stands on the first term of a field."""
        words = self._contents.words(fieldname)
        if words is None:
            return base.EmptyCursor()
        return ColumnarFieldCursor(words, self._lengths[fieldname], fieldobj)

    def terms(self) -> Iterator[tuple[str, bytes]]:
        """Yield every field and term, in order."""
        return self.terms_from("", b"")

    def terms_from(self, fieldname: str, prefix: bytes) -> Iterator[tuple[str, bytes]]:
        """Yield every field and term from one on, in order."""
        for name, words, number in self._numbers_from(fieldname, prefix):
            yield name, words.terms[number]

    def items(self) -> Iterator[tuple[tuple[str, bytes], TermInfo]]:
        """Yield every field and term with its statistics, in order."""
        return self.items_from("", b"")

    def items_from(
        self, fieldname: str, prefix: bytes
    ) -> Iterator[tuple[tuple[str, bytes], TermInfo]]:
        """Yield every field and term from one on with its statistics, in order."""
        for name, words, number in self._numbers_from(fieldname, prefix):
            block = PostingBlock(words.postings(number), self._lengths[name])
            yield (name, words.terms[number]), block.info

    def term_info(self, fieldname: str, text: bytes) -> TermInfo:
        """Return the statistics of a term.

        :raises TermNotFound: Whoosh's, where the segment does not have it.
        """
        return self._known_block(fieldname, text).info

    def frequency(self, fieldname: str, text: bytes) -> float:
        """Return the weight of a term in all documents, 0 if it is in none."""
        block = self._block(fieldname, text)
        return 0 if block is None else float(block.info.weight())

    def doc_frequency(self, fieldname: str, text: bytes) -> int:
        """Return how many documents have a term."""
        block = self._block(fieldname, text)
        return 0 if block is None else len(block.postings.documents)

    def matcher(
        self, fieldname: str, text: bytes, format_: Format, scorer: Any = None
    ) -> PostingMatcher:
        """Return a matcher of a term; Whoosh leaves out the deleted documents.

        :raises TermNotFound: Whoosh's, where the segment does not have it.
        """
        block = self._known_block(fieldname, text)
        return PostingMatcher(block, format_, term=(fieldname, text), scorer=scorer)

    def _block(self, fieldname: str, text: bytes) -> PostingBlock | None:
        words = self._contents.words(fieldname)
        number = -1 if words is None else words.terms.find(text)
        if words is None or number < 0:
            return None
        return PostingBlock(words.postings(number), self._lengths[fieldname])

    def _known_block(self, fieldname: str, text: bytes) -> PostingBlock:
        block = self._block(fieldname, text)
        if block is None:
            raise TermNotFound(f"No term {fieldname}:{text!r}")
        return block

    def _numbers_from(
        self, fieldname: str, prefix: bytes
    ) -> Iterator[tuple[str, Words, int]]:
        for name in self._contents.fields:
            words = self._contents.words(name)
            if words is None or name < fieldname:
                continue
            first = words.terms.bisect(prefix) if name == fieldname else 0
            for number in range(first, len(words.terms)):
                yield name, words, number


class ColumnarFieldCursor(base.FieldCursor):  # type: ignore[misc]
    """Goes through the terms of a field, as text."""

    def __init__(self, words: Words, lengths: bytes, field: Any) -> None:
        self._words, self._lengths = words, lengths
        self._terms: Strings = words.terms
        self._field = field
        self._at = 0

    def first(self) -> Any:
        """Go to the first term, and return it."""
        self._at = 0
        return self.text()

    def find(self, string: str | bytes) -> Any:
        """Go to the first term that is not before a string, and return it."""
        wanted = string if isinstance(string, bytes) else self._field.to_bytes(string)
        self._at = self._terms.bisect(wanted)
        return self.text()

    def next(self) -> Any:
        """Go to the next term and return it, ``None`` behind the last."""
        self._at += 1
        return self.text()

    def text(self) -> Any:
        """Return the term it stands on, ``None`` behind the last."""
        if not self.is_valid():
            return None
        return self._field.from_bytes(self._terms[self._at])

    def term_info(self) -> TermInfo | None:
        """Return the statistics of that term."""
        if not self.is_valid():
            return None
        return PostingBlock(self._words.postings(self._at), self._lengths).info

    def is_valid(self) -> bool:
        """Return whether it stands on a term."""
        return self._at < len(self._terms)


class ColumnarDocumentReader(base.PerDocumentReader):  # type: ignore[misc]
    """Reads what a segment holds by document; what is deleted its segment says."""

    def __init__(self, contents: Contents, segment: Any) -> None:
        self._contents, self._segment = contents, segment
        self._lengths = Lengths(contents)

    def doc_count(self) -> int:
        """Return how many documents are not deleted."""
        return self.doc_count_all() - int(self._segment.deleted_count())

    def doc_count_all(self) -> int:
        """Return how many documents there are, deleted or not."""
        return self._contents.documents

    def has_deletions(self) -> bool:
        """Return whether any document is deleted."""
        return bool(self._segment.has_deletions())

    def is_deleted(self, docnum: int) -> bool:
        """Return whether a document is deleted."""
        return bool(self._segment.is_deleted(docnum))

    def deleted_docs(self) -> Iterator[int]:
        """Return the deleted documents."""
        return iter(self._segment.deleted_docs())

    def all_doc_ids(self) -> Iterator[int]:
        """Return the documents that are not deleted."""
        if not self.has_deletions():
            return iter(range(self.doc_count_all()))
        return iter(np.flatnonzero(self._segment.live()).tolist())

    def stored_fields(self, docnum: int) -> dict[str, Any]:
        """Return the stored fields of a document, for the caller to keep."""
        return self._contents.stored(docnum)

    # Columns.

    def supports_columns(self) -> bool:
        """Return that fields may have columns."""
        return True

    def has_column(self, fieldname: str) -> bool:
        """Return whether a field has one."""
        return self._contents.has_column(fieldname)

    def column_reader(self, fieldname: str, column: Column) -> ColumnReader:
        """Return a new reader of a field's column."""
        return self._contents.column(fieldname, column)

    # Lengths.

    def doc_field_length(self, docnum: int, fieldname: str, default: int = 0) -> int:
        """Return the length of a field in a document, rounded as in stock Whoosh."""
        lengths = self._lengths[fieldname]
        return int(byte_to_length(lengths[docnum])) or default if lengths else default

    def field_length(self, fieldname: str) -> int:
        """Return the length of a field in all documents, not rounded."""
        exact = self._contents.lengths(fieldname)
        return 0 if exact is None else int(exact.sum(dtype=np.int64))

    def min_field_length(self, fieldname: str) -> int:
        """Return the length of a field where it is shortest, rounded likewise."""
        lengths = self._lengths[fieldname]
        return int(byte_to_length(min(lengths))) if lengths else 0

    def max_field_length(self, fieldname: str) -> int:
        """Return the length of a field where it is longest, rounded likewise."""
        lengths = self._lengths[fieldname]
        return int(byte_to_length(max(lengths))) if lengths else 0
