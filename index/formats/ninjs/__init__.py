"""IPTC ninjs: how is it read and written?"""

from index.formats.ninjs.reading import WRAPPERS, read, wrapper_of
from index.formats.ninjs.writing import write

__all__ = [
    "WRAPPERS",
    "read",
    "wrapper_of",
    "write",
]
