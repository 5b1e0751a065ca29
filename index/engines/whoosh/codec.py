"""The index's segments to Whoosh: a codec over arrays in one memory-mapped file.

Whoosh's table of contents holds pickled segments, so the path and the state of
:class:`ColumnarSegment` are disk format. The state is whole numbers and text; which
documents are deleted is part of it, so every generation has its own.
"""

from __future__ import annotations

import zlib
from base64 import b85decode, b85encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from whoosh.codec import base

from index.engines.whoosh.files import Mask
from index.engines.whoosh.stock import (
    ColumnarDocumentReader,
    ColumnarDocumentWriter,
    ColumnarFieldWriter,
    ColumnarTermsReader,
    Contents,
    NotKept,
    SegmentDraft,
    contents_of,
)
from index.errors import IndexDamaged

EXTENSION = ".seg"
_CRC = 4  # bytes


class ColumnarCodec(base.Codec):  # type: ignore[misc]  # Whoosh has no types
    """Reads and writes segments of arrays, one file each, in a folder.

    :raises NotKept: of a storage that has no folder, such as one in memory.
    """

    # The lengths in a term's statistics are found when it is read, from the documents.
    length_stats = False

    def __init__(self) -> None:
        self._drafts: WeakValueDictionary[Path, SegmentDraft] = WeakValueDictionary()
        self._contents: WeakValueDictionary[Path, Contents] = WeakValueDictionary()

    def new_segment(self, storage: Any, indexname: str) -> ColumnarSegment:
        """Return a segment that is to be written."""
        return ColumnarSegment(indexname)

    def per_document_writer(
        self, storage: Any, segment: ColumnarSegment
    ) -> ColumnarDocumentWriter:
        """Return the one writer of a new segment's documents."""
        return ColumnarDocumentWriter(self._draft(storage, segment))

    def field_writer(
        self, storage: Any, segment: ColumnarSegment
    ) -> ColumnarFieldWriter:
        """Return the one writer of a new segment's terms."""
        return ColumnarFieldWriter(self._draft(storage, segment))

    def terms_reader(
        self, storage: Any, segment: ColumnarSegment
    ) -> ColumnarTermsReader:
        """Return a reader of a segment's terms.

        :raises IndexDamaged: the segment's file is not what was written.
        """
        return ColumnarTermsReader(self._open(storage, segment))

    def per_document_reader(
        self, storage: Any, segment: ColumnarSegment
    ) -> ColumnarDocumentReader:
        """Return a reader of a segment's documents.

        :raises IndexDamaged: the segment's file is not what was written, or of another
            number of documents.
        :raises NotKept: it is still being written.
        """
        draft = self._drafts.get(_path(storage, segment))
        if draft is not None and draft.is_open:
            # What one process of several does before it merges what the others wrote.
            raise NotKept("a segment that is not written cannot be read: no procs=")
        contents = self._open(storage, segment)
        if contents.documents != segment.doc_count_all():
            raise IndexDamaged(
                f"{segment!r} has {contents.documents} documents,"
                f" not {segment.doc_count_all()}"
            )
        return ColumnarDocumentReader(contents, segment)

    def _draft(self, storage: Any, segment: ColumnarSegment) -> SegmentDraft:
        path = _path(storage, segment)
        found = self._drafts.get(path)
        if found is None:
            self._drafts[path] = found = SegmentDraft(path)
        return found

    def _open(self, storage: Any, segment: ColumnarSegment) -> Contents:
        # Whoosh asks for two readers of each segment: they share one map.
        path = _path(storage, segment)
        found = self._contents.get(path)
        if found is None:
            found = contents_of(path, segment.segment_id())
            self._contents[path] = found
        return found


class ColumnarSegment(base.Segment):  # type: ignore[misc]
    """A segment in the table of contents: its name, its size, and what is deleted.

    :param documents: how many its file holds.
    :param segid: letters and digits; new ones by default.
    """

    def __init__(
        self, indexname: str, *, documents: int = 0, segid: str | None = None
    ) -> None:
        self.indexname = indexname
        self.segid: str = self._random_id() if segid is None else segid
        self._documents = documents
        self._text = ""
        self._deleted: Mask | None = None  # as the text says, once that was read

    def __getstate__(self) -> dict[str, int | str]:
        deleted = self._text if self._deleted is None else _text_of(self._deleted)
        return {
            "indexname": self.indexname,
            "segid": self.segid,
            "documents": self._documents,
            "deleted": deleted,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        kinds = {"indexname": str, "segid": str, "documents": int, "deleted": str}
        if {name: type(value) for name, value in state.items()} != kinds:
            raise IndexDamaged("a segment in the table of contents")
        self.indexname, self.segid = state["indexname"], state["segid"]
        self._documents, self._text = state["documents"], state["deleted"]
        self._deleted = None

    def codec(self) -> ColumnarCodec:
        """Return a codec that reads it."""
        return ColumnarCodec()

    def is_compound(self) -> bool:
        """Return that its file is not packed into another one."""
        return False

    def should_assemble(self) -> bool:
        """Return that its file is not to be packed into another one."""
        return False

    def doc_count_all(self) -> int:
        """Return how many documents it has, deleted or not."""
        return self._documents

    def set_doc_count(self, doccount: int) -> None:
        """Say how many documents were written."""
        deleted = self._mask()
        if deleted is not None and doccount != len(deleted):
            kept = deleted[:doccount]
            self._deleted = np.zeros(doccount, bool)
            self._deleted[: len(kept)] = kept
        self._documents = doccount

    # What is deleted.

    def has_deletions(self) -> bool:
        """Return whether any document is deleted."""
        return self.deleted_count() > 0

    def deleted_count(self) -> int:
        """Return how many documents are deleted.

        :raises IndexDamaged: what is deleted cannot be read; so do all that need it.
        """
        deleted = self._mask()
        return 0 if deleted is None else int(np.count_nonzero(deleted))

    def deleted_docs(self) -> Iterator[int]:
        """Return the deleted documents, ascending."""
        deleted = self._mask()
        return iter(() if deleted is None else np.flatnonzero(deleted).tolist())

    def is_deleted(self, docnum: int) -> bool:
        """Return whether a document is deleted: none is that it does not have."""
        deleted = self._mask()
        # Whoosh's matcher of what a query leaves out asks for the one behind the last.
        return deleted is not None and docnum < len(deleted) and bool(deleted[docnum])

    def delete_document(self, docnum: int, delete: bool = True) -> None:
        """Delete a document, or have it back."""
        if not 0 <= docnum < self._documents:
            raise IndexError(f"{self!r} has no document {docnum}")
        deleted = self._mask()
        if deleted is None:
            self._deleted = deleted = np.zeros(self._documents, bool)
        deleted[docnum] = delete

    def live(self) -> Mask:
        """Return of each document whether it is not deleted."""
        deleted = self._mask()
        return np.ones(self._documents, bool) if deleted is None else ~deleted

    def with_deletions(self, ranges: Iterable[tuple[int, int]]) -> ColumnarSegment:
        """Return the segment with more documents deleted; this one stays as it is.

        :param ranges: of documents: the first of each, and how many.
        """
        deleted = ~self.live()
        for first, count in ranges:
            deleted[first : first + count] = True
        made = ColumnarSegment(
            self.indexname, documents=self._documents, segid=self.segid
        )
        made._deleted = deleted
        return made

    def _mask(self) -> Mask | None:
        if self._deleted is None and self._text:
            self._deleted = _mask_of(self._text, self._documents, repr(self))
        return self._deleted


def _path(storage: Any, segment: ColumnarSegment) -> Path:
    folder = getattr(storage, "folder", None)
    if not folder or not isinstance(folder, str | Path):  # in memory it is called ''
        kind = type(storage).__name__
        raise NotKept(f"segments are files in a folder, which {kind} does not have")
    return Path(folder, segment.make_filename(EXTENSION))


def _text_of(deleted: Mask) -> str:
    """Return a bitmap of documents as text, '' if no bit is set."""
    if not deleted.any():
        return ""
    bits = np.packbits(deleted, bitorder="little").tobytes()
    crc = zlib.crc32(bits).to_bytes(_CRC, "little")
    return b85encode(crc + zlib.compress(bits)).decode("ascii")


def _mask_of(text: str, documents: int, what: str) -> Mask:
    """Return the bitmap that :func:`_text_of` made a text of.

    :raises IndexDamaged: it made none such.
    """
    try:
        data = b85decode(text)
        bits = zlib.decompress(data[_CRC:])
    except (ValueError, zlib.error) as error:
        raise IndexDamaged(f"the deleted documents of {what}") from error
    crc = int.from_bytes(data[:_CRC], "little")
    if zlib.crc32(bits) != crc or len(bits) != (documents + 7) // 8:
        raise IndexDamaged(f"the deleted documents of {what}")
    packed = np.frombuffer(bits, np.uint8)
    return np.unpackbits(packed, count=documents, bitorder="little").view(np.bool_)
