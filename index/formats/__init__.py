"""Which formats are there, and how is a file read and written?"""

from index.formats.detection import detect, detect_object
from index.formats.field_names import check_mapping
from index.formats.options import ReadOptions
from index.formats.record import Read
from index.formats.table import FORMATS, read, read_parsed, write

__all__ = [
    "FORMATS",
    "Read",
    "ReadOptions",
    "check_mapping",
    "detect",
    "detect_object",
    "read",
    "read_parsed",
    "write",
]
