"""How do articles become segments?"""

from index.engines.whoosh.writing.writer import Writer

__all__ = [
    "Writer",
]
