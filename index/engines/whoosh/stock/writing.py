"""Writing segments for a writer of Whoosh's: documents that are no articles of ours.

Such a segment is a file of arrays of the kind ``documents``. Of each field there are
``terms``, in the order of their bytes, ``rows`` and ``weights`` of each posting with
``rows.at`` where those of each term begin, where the format has them ``positions`` and
``positions.at`` of each posting, or ``frequencies`` if they are not the weights;
``lengths`` of each document, exact; and ``column``, as Whoosh wrote it. What documents
store is JSON.
"""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any

import numpy as np
from whoosh.codec import base
from whoosh.columns import Column
from whoosh.formats import Existence, Frequency, Positions

from index.engines.whoosh.files import Array, ArraysWriter, narrowest_type
from index.engines.whoosh.stock.columns import ColumnDraft
from index.engines.whoosh.stock.contents import DOCUMENTS, STORED
from index.engines.whoosh.stock.stored_values import NotKept, stored_text

_FORMATS = (Existence, Frequency, Positions)
_WHOLE = 2**53  # from here on not every whole number is a weight


class SegmentDraft:
    """The file of a segment that two writers fill: one by document, one by field.

    It is written when the last of those that were made is closed.
    """

    def __init__(self, path: Path) -> None:
        self.arrays = ArraysWriter(path)
        self.documents: int | None = None  # known once they are all there
        self._open = 0
        self._spoilt = False

    @property
    def is_open(self) -> bool:
        """Whether a writer is not done yet."""
        return self._open > 0

    def open(self) -> None:
        """Take note of another writer."""
        self._open += 1

    def close(self, *, spoilt: bool = False) -> None:
        """Take note that a writer is done.

        :param spoilt: it broke off: there shall be no file.
        """
        self._open -= 1
        self._spoilt |= spoilt
        if self._open:
            return
        if self._spoilt:
            self.arrays.abandon()
            return
        if self.documents is None:
            self.documents = 0
            self.arrays.put_strings(STORED, [])
        self.arrays.close({"kind": DOCUMENTS, DOCUMENTS: self.documents})


class ColumnarDocumentWriter(base.PerDocumentWriter):  # type: ignore[misc]
    """Writes what is kept by document; Whoosh has no types, and calls it in order."""

    def __init__(self, draft: SegmentDraft) -> None:
        draft.open()
        self._draft = draft
        self.is_closed = False
        self._stored: list[bytes] = []
        self._lengths: dict[str, array[int]] = {}
        self._columns: dict[str, ColumnDraft] = {}
        # Of the document that is being written; it may be taken back.
        self._values: dict[str, Any] | None = None
        self._sizes: dict[str, int] = {}
        self._cells: list[tuple[str, Column, Any]] = []

    def start_doc(self, docnum: int) -> None:
        """Begin a document, which is behind the one before."""
        assert self._values is None, "the document before was not finished"
        assert docnum == len(self._stored), (docnum, len(self._stored))
        self._values, self._sizes, self._cells = {}, {}, []

    def add_field(
        self, fieldname: str, fieldobj: Any, value: Any, length: int | None
    ) -> None:
        """Keep what a field stores, if it is not ``None``, and its length."""
        assert self._values is not None, "no document was started"
        if value is not None:
            self._values[fieldname] = value
        if length:
            self._sizes[fieldname] = length

    def add_column_value(self, fieldname: str, columnobj: Column, value: Any) -> None:
        """Keep the value of a field's column.

        :raises NotKept: the column would be pickled.
        """
        if fieldname not in self._columns:
            self._columns[fieldname] = ColumnDraft(fieldname, columnobj)
        self._cells.append((fieldname, columnobj, value))

    def add_vector_items(self, fieldname: str, fieldobj: Any, items: Any) -> None:
        """Refuse the terms of a document.

        :raises NotKept: always.
        """
        raise NotKept("term vectors are not kept", field=fieldname)

    def finish_doc(self) -> None:
        """Keep the document.

        :raises NotKept: it stores a value that is not kept.
        """
        assert self._values is not None, "no document was started"
        number = len(self._stored)
        text = stored_text(self._values) if self._values else b""
        for name, length in self._sizes.items():
            lengths = self._lengths.setdefault(name, array("Q"))
            lengths.extend([0] * (number - len(lengths)))
            lengths.append(length)
        for name, _, value in self._cells:
            self._columns[name].add(number, value)
        self._stored.append(text)
        self._values = None

    def cancel_doc(self) -> None:
        """Take the document back."""
        self._values = None

    def close(self) -> None:
        """Write all documents; one that was not finished is kept too, as in Whoosh."""
        if self._values is not None:
            self.finish_doc()
        count = len(self._stored)
        arrays = self._draft.arrays
        arrays.put_strings(STORED, self._stored)
        for name, lengths in self._lengths.items():
            lengths.extend([0] * (count - len(lengths)))
            exact = np.frombuffer(lengths, np.uint64)
            arrays.column(f"{name}/lengths").append(exact)
        for name, column in self._columns.items():
            kept = np.frombuffer(column.close(count), np.uint8)
            arrays.put(f"{name}/column", kept)
        self._draft.documents = count
        self.is_closed = True
        self._draft.close()


class ColumnarFieldWriter(base.FieldWriter):  # type: ignore[misc]
    """Writes terms and their postings, field by field, each once and in order."""

    def __init__(self, draft: SegmentDraft) -> None:
        draft.open()
        self._draft = draft
        self.is_closed = False
        self._field: _FieldDraft | None = None

    def start_field(self, fieldname: str, fieldobj: Any) -> None:
        """Begin a field.

        :raises NotKept: of its format.
        """
        if type(fieldobj.format) not in _FORMATS:
            kind = type(fieldobj.format).__name__
            raise NotKept(f"postings of format {kind} are not kept", field=fieldname)
        self._field = _FieldDraft(fieldname, fieldobj.format)

    def start_term(self, text: bytes) -> None:
        """Begin a term."""
        assert self._field is not None, "no field was started"
        self._field.start_term(text)

    def add(
        self, docnum: int, weight: float, vbytes: bytes, length: int | None
    ) -> None:
        """Keep a posting of the term.

        One of a document that was taken back is left out: Whoosh passes it on.
        """
        assert self._field is not None, "no field was started"
        documents = self._draft.documents
        if documents is None or docnum < documents:
            self._field.add(docnum, weight, vbytes)

    def finish_term(self) -> None:
        """Be done with a term."""
        assert self._field is not None, "no field was started"
        self._field.finish_term()

    def finish_field(self) -> None:
        """Write a field."""
        assert self._field is not None, "no field was started"
        self._field.write(self._draft.arrays)
        self._field = None

    def close(self) -> None:
        """Be done; there shall be no file if a field was broken off."""
        self.is_closed = True
        self._draft.close(spoilt=self._field is not None)


class _FieldDraft:
    """The postings of a field."""

    def __init__(self, name: str, format_: Any) -> None:
        self._name, self._format = name, format_
        self._placed = isinstance(format_, Positions)
        self._counted = isinstance(format_, Frequency)
        self._terms: list[bytes] = []
        self._term: bytes | None = None
        self._rows_at = array("q", [0])
        self._rows = array("i")
        self._weights = array("d")
        self._frequencies = array("q")
        self._positions = array("q")

    def start_term(self, text: bytes) -> None:
        if self._terms and text <= self._terms[-1]:
            raise base.OutOfOrderError(f"{self._name}:{text!r} {self._terms[-1]!r}")
        self._term = text

    def add(self, document: int, weight: float, value: bytes) -> None:
        assert self._term is not None, "no term was started"
        self._rows.append(document)
        self._weights.append(weight)
        if self._placed:
            # Whoosh encoded them a moment ago, in this process: no pickle is kept.
            positions = self._format.decode_positions(value) if value else []
            self._frequencies.append(len(positions))
            self._positions.extend(positions)
        elif self._counted:
            # With a word for the spelling checker comes whatever was at hand.
            known = len(value) == self._format.posting_size
            self._frequencies.append(
                self._format.decode_frequency(value) if known else 1
            )

    def finish_term(self) -> None:
        assert self._term is not None, "no term was started"
        if len(self._rows) > self._rows_at[-1]:
            self._terms.append(self._term)
            self._rows_at.append(len(self._rows))
        self._term = None

    def write(self, arrays: ArraysWriter) -> None:
        name = self._name
        arrays.put_strings(f"{name}/terms", self._terms)
        arrays.put(f"{name}/rows.at", _starts(np.frombuffer(self._rows_at, np.int64)))
        arrays.put(f"{name}/rows", np.frombuffer(self._rows, np.int32))
        weights = _weights(np.frombuffer(self._weights, np.float64))
        arrays.put(f"{name}/weights", weights)
        frequencies = np.frombuffer(self._frequencies, np.int64)
        if self._placed:
            ends = np.append(0, np.cumsum(frequencies))
            arrays.put(f"{name}/positions.at", _starts(ends))
            positions = np.frombuffer(self._positions, np.int64)
            arrays.column(f"{name}/positions").append(positions)
        elif self._counted and not np.array_equal(frequencies, weights):
            arrays.column(f"{name}/frequencies").append(frequencies)


def _starts(at: Array) -> Array:
    return at.astype("<u4" if at[-1] < 1 << 32 else "<u8")


def _weights(exact: Array) -> Array:
    """Return weights as whole numbers if all are, else as precisely as Whoosh does."""
    whole = (exact >= 0) & (exact < _WHOLE) & (exact == np.floor(exact))
    if whole.all():
        return exact.astype(narrowest_type(int(exact.max(initial=0))))
    return exact.astype("<f4")
