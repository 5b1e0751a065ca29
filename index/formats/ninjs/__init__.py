"""IPTC ninjs: how is it read and written?"""

from index.formats.ninjs.properties import MARKS, WRAPPERS
from index.formats.ninjs.reading import read, read_parsed
from index.formats.ninjs.writing import write

__all__ = [
    "MARKS",
    "WRAPPERS",
    "read",
    "read_parsed",
    "write",
]
