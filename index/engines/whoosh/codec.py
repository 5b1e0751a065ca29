"""Whoosh's codec for our segments: each is one memory-mapped file of arrays.

Whoosh's table of contents holds pickled segments, so the module path and the state of
:class:`ColumnarSegment` are part of the format on disk. The state is whole numbers and
text. It includes the deleted documents: each generation has its own.
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
    NotSupported,
    SegmentDraft,
    contents_of,
)
from index.errors import IndexDamaged

EXTENSION = ".seg"
_CRC = 4  # bytes


class ColumnarCodec(base.Codec):  # type: ignore[misc]  # Whoosh has no types
    """Reads and writes segments of arrays, one file each.

    :raises NotSupported: the storage has no folder, such as one in memory.
    """

    # A term's shortest and longest document are computed when the term is read.
    length_stats = False

    def __init__(self) -> None:
        self._drafts: WeakValueDictionary[Path, SegmentDraft] = WeakValueDictionary()
        self._contents: WeakValueDictionary[Path, Contents] = WeakValueDictionary()

    def new_segment(self, storage: Any, indexname: str) -> ColumnarSegment:
        """Start a segment."""
        return ColumnarSegment(indexname)

    def per_document_writer(
        self, storage: Any, segment: ColumnarSegment
    ) -> ColumnarDocumentWriter:
        """Writer of a new segment's documents; there is one per segment."""
        return ColumnarDocumentWriter(self._draft(storage, segment))

    def field_writer(
        self, storage: Any, segment: ColumnarSegment
    ) -> ColumnarFieldWriter:
        """Writer of a new segment's terms; there is one per segment."""
        return ColumnarFieldWriter(self._draft(storage, segment))

    def terms_reader(
        self, storage: Any, segment: ColumnarSegment
    ) -> ColumnarTermsReader:
        """Reader of a segment's terms.

        :raises IndexDamaged: the segment's file is damaged.
        """
        return ColumnarTermsReader(self._open(storage, segment))

    def per_document_reader(
        self, storage: Any, segment: ColumnarSegment
    ) -> ColumnarDocumentReader:
        """Reader of a segment's documents.

        :raises IndexDamaged: the segment's file is damaged, or has another number of
            documents.
        :raises NotSupported: the segment is still being written.
        """
        draft = self._drafts.get(_path(storage, segment))
        if draft is not None and draft.is_open:
            # Whoosh's writer of several processes does this before it merges segments.
            raise NotSupported(
                "a segment that is not written cannot be read: no procs="
            )
        contents = self._open(storage, segment)
        if contents.documents != segment.doc_count_all():
            raise IndexDamaged(
                f"{segment!r} has {contents.documents} documents,"
                f" not {segment.doc_count_all()}"
            )
        return ColumnarDocumentReader(contents, segment)

    def _draft(self, storage: Any, segment: ColumnarSegment) -> SegmentDraft:
        path = _path(storage, segment)
        draft = self._drafts.get(path)
        if draft is None:
            self._drafts[path] = draft = SegmentDraft(path)
        return draft

    def _open(self, storage: Any, segment: ColumnarSegment) -> Contents:
        # Whoosh asks for two readers of each segment: they share one memory map.
        path = _path(storage, segment)
        contents = self._contents.get(path)
        if contents is None:
            contents = contents_of(path, segment.segment_id())
            self._contents[path] = contents
        return contents


class ColumnarSegment(base.Segment):  # type: ignore[misc]
    """A segment in the table of contents: its id, its size and its deleted documents.

    :param documents: number of documents in its file.
    :param segid: letters and digits; a new random id by default.
    """

    def __init__(
        self, indexname: str, *, documents: int = 0, segid: str | None = None
    ) -> None:
        self.indexname = indexname
        self.segid: str = self._random_id() if segid is None else segid
        self._documents = documents
        self._packed = ""  # the deleted documents, as they were unpickled
        self._deleted: Mask | None = None  # the same, once unpacked; may have changed

    def __getstate__(self) -> dict[str, int | str]:
        deleted = self._packed if self._deleted is None else _packed(self._deleted)
        return {
            "indexname": self.indexname,
            "segid": self.segid,
            "documents": self._documents,
            "deleted": deleted,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        types = {"indexname": str, "segid": str, "documents": int, "deleted": str}
        if {name: type(value) for name, value in state.items()} != types:
            raise IndexDamaged("a segment in the table of contents")
        self.indexname, self.segid = state["indexname"], state["segid"]
        self._documents, self._packed = state["documents"], state["deleted"]
        self._deleted = None

    def codec(self) -> ColumnarCodec:
        """Codec that reads the segment."""
        return ColumnarCodec()

    def is_compound(self) -> bool:
        """Say that its file is not packed into a compound file."""
        return False

    def should_assemble(self) -> bool:
        """Say that its file need not be packed into a compound file."""
        return False

    def doc_count_all(self) -> int:
        """Number of documents, deleted ones included."""
        return self._documents

    def set_doc_count(self, doccount: int) -> None:
        """Set the number of documents that were written."""
        deleted = self._mask()
        if deleted is not None and doccount != len(deleted):
            common = deleted[:doccount]
            self._deleted = np.zeros(doccount, bool)
            self._deleted[: len(common)] = common
        self._documents = doccount

    # Deletion mask.

    def has_deletions(self) -> bool:
        """Whether any document is deleted."""
        return self.deleted_count() > 0

    def deleted_count(self) -> int:
        """Number of deleted documents.

        :raises IndexDamaged: the deletion mask is damaged. All methods that need it
            raise this.
        """
        deleted = self._mask()
        return 0 if deleted is None else int(np.count_nonzero(deleted))

    def deleted_docs(self) -> Iterator[int]:
        """Deleted documents, ascending."""
        deleted = self._mask()
        return iter(() if deleted is None else np.flatnonzero(deleted).tolist())

    def is_deleted(self, docnum: int) -> bool:
        """Whether a document is deleted; False for one that does not exist."""
        deleted = self._mask()
        # Whoosh's inverse matcher asks for the document behind the last.
        return deleted is not None and docnum < len(deleted) and bool(deleted[docnum])

    def delete_document(self, docnum: int, delete: bool = True) -> None:
        """Delete a document, or undo that."""
        if not 0 <= docnum < self._documents:
            raise IndexError(f"{self!r} has no document {docnum}")
        deleted = self._mask()
        if deleted is None:
            self._deleted = deleted = np.zeros(self._documents, bool)
        deleted[docnum] = delete

    def live(self) -> Mask:
        """Mask of the documents that are not deleted."""
        deleted = self._mask()
        return np.ones(self._documents, bool) if deleted is None else ~deleted

    def with_deletions(self, ranges: Iterable[tuple[int, int]]) -> ColumnarSegment:
        """Copy of the segment with more documents deleted.

        :param ranges: of documents: the first and the count of each.
        """
        deleted = ~self.live()
        for first, count in ranges:
            deleted[first : first + count] = True
        copy = ColumnarSegment(
            self.indexname, documents=self._documents, segid=self.segid
        )
        copy._deleted = deleted
        return copy

    def _mask(self) -> Mask | None:
        if self._deleted is None and self._packed:
            self._deleted = _unpacked(self._packed, self._documents, repr(self))
        return self._deleted


def _path(storage: Any, segment: ColumnarSegment) -> Path:
    folder = getattr(storage, "folder", None)
    if not folder or not isinstance(folder, str | Path):  # '' for one in memory
        kind = type(storage).__name__
        raise NotSupported(
            f"segments are files in a folder, which {kind} does not have"
        )
    return Path(folder, segment.make_filename(EXTENSION))


def _packed(deleted: Mask) -> str:
    """Pack a mask: base 85 of a CRC-32 and the compressed bitmap; '' if it is empty."""
    if not deleted.any():
        return ""
    bits = np.packbits(deleted, bitorder="little").tobytes()
    crc = zlib.crc32(bits).to_bytes(_CRC, "little")
    return b85encode(crc + zlib.compress(bits)).decode("ascii")


def _unpacked(text: str, documents: int, segment: str) -> Mask:
    """Unpack a mask that :func:`_packed` packed.

    :param segment: for the error.
    :raises IndexDamaged: the text is not a mask of so many documents.
    """
    try:
        data = b85decode(text)
        bits = zlib.decompress(data[_CRC:])
    except (ValueError, zlib.error) as error:
        raise IndexDamaged(f"the deleted documents of {segment}") from error
    crc = int.from_bytes(data[:_CRC], "little")
    if zlib.crc32(bits) != crc or len(bits) != (documents + 7) // 8:
        raise IndexDamaged(f"the deleted documents of {segment}")
    bitmap = np.frombuffer(bits, np.uint8)
    return np.unpackbits(bitmap, count=documents, bitorder="little").view(np.bool_)
