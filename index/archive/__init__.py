"""What can be asked? The store and an engine, together."""

from index.archive.answers import Answer, ArticleHit, ArticleView, Excerpt
from index.archive.archive import Archive, open_parts
from index.archive.condition import ArchiveState, Condition
from index.archive.feed import ChangePage
from index.archive.tags import Tag
from index.engines import Facet

__all__ = [
    "Answer",
    "Archive",
    "ArchiveState",
    "ArticleHit",
    "ArticleView",
    "ChangePage",
    "Condition",
    "Excerpt",
    "Facet",
    "Tag",
    "open_parts",
]
