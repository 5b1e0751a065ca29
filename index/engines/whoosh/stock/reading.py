"""Whoosh's readers over our segments: terms, cursors and documents."""

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
from index.engines.whoosh.stock.contents import Contents, FieldTerms
from index.engines.whoosh.stock.postings import Lengths, PostingBlock, PostingMatcher


class ColumnarTermsReader(base.TermsReader):  # type: ignore[misc]  # no types
    """Reads the terms of a segment, as bytes."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._lengths = Lengths(contents)

    def __contains__(self, term: tuple[str, bytes]) -> bool:
        field_terms = self._contents.terms(term[0])
        return field_terms is not None and field_terms.terms.find(term[1]) >= 0

    def indexed_field_names(self) -> Iterator[str]:
        """Fields that have terms."""
        return iter(self._contents.fields)

    def cursor(self, fieldname: str, fieldobj: Any) -> base.FieldCursor:
        """Cursor on the first term of a field."""
        field_terms = self._contents.terms(fieldname)
        if field_terms is None:
            return base.EmptyCursor()
        return ColumnarFieldCursor(field_terms, self._lengths[fieldname], fieldobj)

    def terms(self) -> Iterator[tuple[str, bytes]]:
        """Yield all fields and terms, in order."""
        return self.terms_from("", b"")

    def terms_from(self, fieldname: str, prefix: bytes) -> Iterator[tuple[str, bytes]]:
        """Yield fields and terms in order, from one term on."""
        for name, field_terms, number in self._numbers_from(fieldname, prefix):
            yield name, field_terms.terms[number]

    def items(self) -> Iterator[tuple[tuple[str, bytes], TermInfo]]:
        """Yield all fields and terms with their statistics, in order."""
        return self.items_from("", b"")

    def items_from(
        self, fieldname: str, prefix: bytes
    ) -> Iterator[tuple[tuple[str, bytes], TermInfo]]:
        """Yield fields and terms with their statistics in order, from one term on."""
        for name, field_terms, number in self._numbers_from(fieldname, prefix):
            block = PostingBlock(field_terms.postings(number), self._lengths[name])
            yield (name, field_terms.terms[number]), block.info

    def term_info(self, fieldname: str, text: bytes) -> TermInfo:
        """Statistics of a term.

        :raises TermNotFound: the segment does not have it; the class is Whoosh's.
        """
        return self._known_block(fieldname, text).info

    def frequency(self, fieldname: str, text: bytes) -> float:
        """Weight of a term in all documents, 0 if it does not occur."""
        block = self._block(fieldname, text)
        return 0 if block is None else float(block.info.weight())

    def doc_frequency(self, fieldname: str, text: bytes) -> int:
        """Document frequency of a term."""
        block = self._block(fieldname, text)
        return 0 if block is None else len(block.postings.documents)

    def matcher(
        self, fieldname: str, text: bytes, format_: Format, scorer: Any = None
    ) -> PostingMatcher:
        """Matcher of a term; Whoosh itself leaves out deleted documents.

        :raises TermNotFound: the segment does not have it; the class is Whoosh's.
        """
        block = self._known_block(fieldname, text)
        return PostingMatcher(block, format_, term=(fieldname, text), scorer=scorer)

    def _block(self, fieldname: str, text: bytes) -> PostingBlock | None:
        field_terms = self._contents.terms(fieldname)
        number = -1 if field_terms is None else field_terms.terms.find(text)
        if field_terms is None or number < 0:
            return None
        return PostingBlock(field_terms.postings(number), self._lengths[fieldname])

    def _known_block(self, fieldname: str, text: bytes) -> PostingBlock:
        block = self._block(fieldname, text)
        if block is None:
            raise TermNotFound(f"No term {fieldname}:{text!r}")
        return block

    def _numbers_from(
        self, fieldname: str, prefix: bytes
    ) -> Iterator[tuple[str, FieldTerms, int]]:
        for name in self._contents.fields:
            field_terms = self._contents.terms(name)
            if field_terms is None or name < fieldname:
                continue
            first = field_terms.terms.bisect(prefix) if name == fieldname else 0
            for number in range(first, len(field_terms.terms)):
                yield name, field_terms, number


class ColumnarFieldCursor(base.FieldCursor):  # type: ignore[misc]
    """Iterates over the terms of a field, as text."""

    def __init__(self, field_terms: FieldTerms, lengths: bytes, field: Any) -> None:
        self._field_terms, self._lengths = field_terms, lengths
        self._terms: Strings = field_terms.terms
        self._field = field
        self._at = 0

    def first(self) -> Any:
        """Go to the first term; return it."""
        self._at = 0
        return self.text()

    def find(self, string: str | bytes) -> Any:
        """Go to the first term that does not sort before a string; return it."""
        wanted = string if isinstance(string, bytes) else self._field.to_bytes(string)
        self._at = self._terms.bisect(wanted)
        return self.text()

    def next(self) -> Any:
        """Go to the next term; return it, ``None`` behind the last."""
        self._at += 1
        return self.text()

    def text(self) -> Any:
        """Current term, ``None`` behind the last."""
        if not self.is_valid():
            return None
        return self._field.from_bytes(self._terms[self._at])

    def term_info(self) -> TermInfo | None:
        """Statistics of the current term."""
        if not self.is_valid():
            return None
        return PostingBlock(self._field_terms.postings(self._at), self._lengths).info

    def is_valid(self) -> bool:
        """Whether the cursor is on a term."""
        return self._at < len(self._terms)


class ColumnarDocumentReader(base.PerDocumentReader):  # type: ignore[misc]
    """Reads documents; the segment knows which of them are deleted."""

    def __init__(self, contents: Contents, segment: Any) -> None:
        self._contents, self._segment = contents, segment
        self._lengths = Lengths(contents)

    def doc_count(self) -> int:
        """Number of documents that are not deleted."""
        return self.doc_count_all() - int(self._segment.deleted_count())

    def doc_count_all(self) -> int:
        """Number of documents, deleted ones included."""
        return self._contents.documents

    def has_deletions(self) -> bool:
        """Whether any document is deleted."""
        return bool(self._segment.has_deletions())

    def is_deleted(self, docnum: int) -> bool:
        """Whether a document is deleted."""
        return bool(self._segment.is_deleted(docnum))

    def deleted_docs(self) -> Iterator[int]:
        """Deleted documents."""
        return iter(self._segment.deleted_docs())

    def all_doc_ids(self) -> Iterator[int]:
        """Documents that are not deleted."""
        if not self.has_deletions():
            return iter(range(self.doc_count_all()))
        return iter(np.flatnonzero(self._segment.live()).tolist())

    def stored_fields(self, docnum: int) -> dict[str, Any]:
        """Stored fields of a document; the caller may change them."""
        return self._contents.stored(docnum)

    # Columns.

    def supports_columns(self) -> bool:
        """Say that fields may have columns."""
        return True

    def has_column(self, fieldname: str) -> bool:
        """Whether a field has a column."""
        return self._contents.has_column(fieldname)

    def column_reader(self, fieldname: str, column: Column) -> ColumnReader:
        """New reader of a field's column."""
        return self._contents.column(fieldname, column)

    # Lengths.

    def doc_field_length(self, docnum: int, fieldname: str, default: int = 0) -> int:
        """Length of a field in a document, rounded as in stock Whoosh."""
        lengths = self._lengths[fieldname]
        return int(byte_to_length(lengths[docnum])) or default if lengths else default

    def field_length(self, fieldname: str) -> int:
        """Length of a field in all documents, exact."""
        exact = self._contents.lengths(fieldname)
        return 0 if exact is None else int(exact.sum(dtype=np.int64))

    def min_field_length(self, fieldname: str) -> int:
        """Shortest length of a field, rounded as in stock Whoosh."""
        lengths = self._lengths[fieldname]
        return int(byte_to_length(min(lengths))) if lengths else 0

    def max_field_length(self, fieldname: str) -> int:
        """Longest length of a field, rounded as in stock Whoosh."""
        lengths = self._lengths[fieldname]
        return int(byte_to_length(max(lengths))) if lengths else 0
