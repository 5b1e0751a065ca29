"""The embedded engine: a Whoosh index of paragraphs, searched as arrays."""

from index.engines.whoosh.engine import WhooshEngine

__all__ = [
    "WhooshEngine",
]
