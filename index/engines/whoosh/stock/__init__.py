"""How does Whoosh itself read and write our segments?"""

from index.engines.whoosh.stock.contents import Contents, contents_of
from index.engines.whoosh.stock.reading import (
    ColumnarDocumentReader,
    ColumnarTermsReader,
)
from index.engines.whoosh.stock.stored_values import NotSupported
from index.engines.whoosh.stock.writing import (
    ColumnarDocumentWriter,
    ColumnarFieldWriter,
    SegmentDraft,
)

__all__ = [
    "ColumnarDocumentReader",
    "ColumnarDocumentWriter",
    "ColumnarFieldWriter",
    "ColumnarTermsReader",
    "Contents",
    "NotSupported",
    "SegmentDraft",
    "contents_of",
]
