"""How are RSS, Atom and WordPress exports read?"""

from index.formats.feeds.reading import (
    ATOM_ROOTS,
    RSS_ROOTS,
    read_atom,
    read_rss,
    read_wxr,
)
from index.formats.feeds.wordpress import is_export

__all__ = [
    "ATOM_ROOTS",
    "RSS_ROOTS",
    "is_export",
    "read_atom",
    "read_rss",
    "read_wxr",
]
