"""IPTC ninjs: how is it read and written?"""

from index.formats.ninjs.reading import WRAPPERS, read, read_parsed
from index.formats.ninjs.writing import write

__all__ = [
    "WRAPPERS",
    "read",
    "read_parsed",
    "write",
]
