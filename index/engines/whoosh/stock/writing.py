"""Segments that Whoosh's writers write: documents that are not articles of ours.

The file of such a segment is of the kind ``documents``. Each field has these arrays:

``terms``
    In the order of their bytes.
``rows``, ``weights``
    Document and weight of each posting; ``rows.at`` is the offset of each term.
``positions``, ``positions.at``
    Positions and their offset by posting, if the field's format has positions.
``frequencies``
    Frequency of each posting, if the format has no positions and the frequencies are
    not the weights.
``lengths``
    Exact length of each document.
``column``
    The field's column, as Whoosh wrote it.

Stored fields are JSON.
"""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any

import numpy as np
from whoosh.codec import base
from whoosh.columns import Column
from whoosh.formats import Existence, Frequency, Positions

from index.engines.whoosh.files import (
    Array,
    ArraysWriter,
    narrowed_offsets,
    narrowest_type,
)
from index.engines.whoosh.stock.columns import ColumnDraft
from index.engines.whoosh.stock.contents import DOCUMENTS, STORED
from index.engines.whoosh.stock.stored_values import NotSupported, stored_text

_FORMATS = (Existence, Frequency, Positions)
_WHOLE = 2**53  # below this a float holds every whole number


class SegmentDraft:
    """The file of a segment that two writers fill: one by document, one by field.

    It is written when the last open writer is closed.
    """

    def __init__(self, path: Path) -> None:
        self.arrays = ArraysWriter(path)
        self.documents: int | None = None  # known when all are written
        self._open = 0
        self._incomplete = False

    @property
    def is_open(self) -> bool:
        """Whether a writer is still open."""
        return self._open > 0

    def open(self) -> None:
        """Count a writer that opens the draft."""
        self._open += 1

    def close(self, *, incomplete: bool = False) -> None:
        """Count a writer as closed; write the file after the last.

        :param incomplete: the writer stopped early: write no file.
        """
        self._open -= 1
        self._incomplete |= incomplete
        if self._open:
            return
        if self._incomplete:
            self.arrays.abandon()
            return
        if self.documents is None:
            self.documents = 0
            self.arrays.put_strings(STORED, [])
        self.arrays.close({"kind": DOCUMENTS, DOCUMENTS: self.documents})


class ColumnarDocumentWriter(base.PerDocumentWriter):  # type: ignore[misc]
    """Writes stored fields, lengths and columns; Whoosh calls it in order."""

    def __init__(self, draft: SegmentDraft) -> None:
        draft.open()
        self._draft = draft
        self.is_closed = False
        self._stored: list[bytes] = []
        self._lengths: dict[str, array[int]] = {}
        self._columns: dict[str, ColumnDraft] = {}
        # The current document, which may still be cancelled.
        self._values: dict[str, Any] | None = None
        self._field_lengths: dict[str, int] = {}
        self._cells: list[tuple[str, Column, Any]] = []

    def start_doc(self, docnum: int) -> None:
        """Begin a document; its number is one more than the last."""
        assert self._values is None, "the document before was not finished"
        assert docnum == len(self._stored), (docnum, len(self._stored))
        self._values, self._field_lengths, self._cells = {}, {}, []

    def add_field(
        self, fieldname: str, fieldobj: Any, value: Any, length: int | None
    ) -> None:
        """Add the length of a field, and its stored value unless that is ``None``."""
        assert self._values is not None, "no document was started"
        if value is not None:
            self._values[fieldname] = value
        if length:
            self._field_lengths[fieldname] = length

    def add_column_value(self, fieldname: str, columnobj: Column, value: Any) -> None:
        """Add a value to a field's column.

        :raises NotSupported: the column pickles its values.
        """
        if fieldname not in self._columns:
            self._columns[fieldname] = ColumnDraft(fieldname, columnobj)
        self._cells.append((fieldname, columnobj, value))

    def add_vector_items(self, fieldname: str, fieldobj: Any, items: Any) -> None:
        """Refuse a term vector.

        :raises NotSupported: always.
        """
        raise NotSupported("term vectors are not supported", field=fieldname)

    def finish_doc(self) -> None:
        """Add the current document.

        :raises NotSupported: a stored value is of an unsupported type.
        """
        assert self._values is not None, "no document was started"
        number = len(self._stored)
        text = stored_text(self._values) if self._values else b""
        for name, length in self._field_lengths.items():
            lengths = self._lengths.setdefault(name, array("Q"))
            lengths.extend([0] * (number - len(lengths)))
            lengths.append(length)
        for name, _, value in self._cells:
            self._columns[name].add(number, value)
        self._stored.append(text)
        self._values = None

    def cancel_doc(self) -> None:
        """Drop the current document."""
        self._values = None

    def close(self) -> None:
        """Write all documents, also one that was not finished, as Whoosh does."""
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
            data = np.frombuffer(column.close(count), np.uint8)
            arrays.put(f"{name}/column", data)
        self._draft.documents = count
        self.is_closed = True
        self._draft.close()


class ColumnarFieldWriter(base.FieldWriter):  # type: ignore[misc]
    """Writes the terms and postings of each field, all in order."""

    def __init__(self, draft: SegmentDraft) -> None:
        draft.open()
        self._draft = draft
        self.is_closed = False
        self._field: _FieldDraft | None = None

    def start_field(self, fieldname: str, fieldobj: Any) -> None:
        """Begin a field.

        :raises NotSupported: its format is not one of ours.
        """
        if type(fieldobj.format) not in _FORMATS:
            kind = type(fieldobj.format).__name__
            raise NotSupported(
                f"postings of format {kind} are not supported", field=fieldname
            )
        self._field = _FieldDraft(fieldname, fieldobj.format)

    def start_term(self, text: bytes) -> None:
        """Begin a term."""
        assert self._field is not None, "no field was started"
        self._field.start_term(text)

    def add(
        self, docnum: int, weight: float, vbytes: bytes, length: int | None
    ) -> None:
        """Add a posting of the current term.

        Whoosh also passes postings of cancelled documents; these are left out.
        """
        assert self._field is not None, "no field was started"
        documents = self._draft.documents
        if documents is None or docnum < documents:
            self._field.add(docnum, weight, vbytes)

    def finish_term(self) -> None:
        """Finish a term."""
        assert self._field is not None, "no field was started"
        self._field.finish_term()

    def finish_field(self) -> None:
        """Write the current field."""
        assert self._field is not None, "no field was started"
        self._field.write(self._draft.arrays)
        self._field = None

    def close(self) -> None:
        """Close; there will be no file if a field was not finished."""
        self.is_closed = True
        self._draft.close(incomplete=self._field is not None)


class _FieldDraft:
    """The terms and postings of a field being written."""

    def __init__(self, name: str, format_: Any) -> None:
        self._name, self._format = name, format_
        self._has_positions = isinstance(format_, Positions)
        self._has_frequencies = isinstance(format_, Frequency)
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
        if self._has_positions:
            # Whoosh has just encoded these in this process: no pickle reaches the file.
            positions = self._format.decode_positions(value) if value else []
            self._frequencies.append(len(positions))
            self._positions.extend(positions)
        elif self._has_frequencies:
            # A word for the spelling checker comes with bytes of another format.
            encoded = len(value) == self._format.posting_size
            self._frequencies.append(
                self._format.decode_frequency(value) if encoded else 1
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
        arrays.put(
            f"{name}/rows.at", narrowed_offsets(np.frombuffer(self._rows_at, np.int64))
        )
        arrays.put(f"{name}/rows", np.frombuffer(self._rows, np.int32))
        weights = _weights(np.frombuffer(self._weights, np.float64))
        arrays.put(f"{name}/weights", weights)
        frequencies = np.frombuffer(self._frequencies, np.int64)
        if self._has_positions:
            ends = np.append(0, np.cumsum(frequencies))
            arrays.put(f"{name}/positions.at", narrowed_offsets(ends))
            positions = np.frombuffer(self._positions, np.int64)
            arrays.column(f"{name}/positions").append(positions)
        elif self._has_frequencies and not np.array_equal(frequencies, weights):
            arrays.column(f"{name}/frequencies").append(frequencies)


def _weights(exact: Array) -> Array:
    """Weights as whole numbers if all are, else as the 32-bit floats of Whoosh."""
    whole = (exact >= 0) & (exact < _WHOLE) & (exact == np.floor(exact))
    if whole.all():
        return exact.astype(narrowest_type(int(exact.max(initial=0))))
    return exact.astype("<f4")
