"""Which formats are there, and how is a file read and written?"""

from index.formats.detection import detect, detect_object
from index.formats.field_names import check_mapping
from index.formats.record import Read
from index.formats.table import FORMATS, Format, read, read_parsed, write

__all__ = [
    "FORMATS",
    "Format",
    "Read",
    "check_mapping",
    "detect",
    "detect_object",
    "read",
    "read_parsed",
    "write",
]
