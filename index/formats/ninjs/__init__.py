"""IPTC ninjs: how is it read and written?"""

from index.formats.ninjs.properties import MARKS, MEDIA, PROPERTIES, WEAK_MARKS
from index.formats.ninjs.reading import read, read_record
from index.formats.ninjs.releases import RELEASES, write_release
from index.formats.ninjs.writing import write

__all__ = [
    "MARKS",
    "MEDIA",
    "PROPERTIES",
    "RELEASES",
    "WEAK_MARKS",
    "read",
    "read_record",
    "write",
    "write_release",
]
