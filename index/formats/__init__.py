"""Which formats are there, and how is a file read and written?"""

from index.formats.completion import check_id_from, defaults_of
from index.formats.detection import (
    detect,
    detect_object,
    document_format,
    read_detected,
    read_listed,
    read_parsed,
)
from index.formats.html import POLICY as PAGE_POLICY
from index.formats.mapping import check_mapping
from index.formats.ninjs import RELEASES as NINJS_RELEASES
from index.formats.ninjs import write_release as write_ninjs
from index.formats.options import ReadOptions
from index.formats.record import Read
from index.formats.records import is_shapeless
from index.formats.table import FORMATS, read, write
from index.formats.wrappers import Item, items_of

__all__ = [
    "FORMATS",
    "NINJS_RELEASES",
    "PAGE_POLICY",
    "Item",
    "Read",
    "ReadOptions",
    "check_id_from",
    "check_mapping",
    "defaults_of",
    "detect",
    "detect_object",
    "document_format",
    "is_shapeless",
    "items_of",
    "read",
    "read_detected",
    "read_listed",
    "read_parsed",
    "write",
    "write_ninjs",
]
