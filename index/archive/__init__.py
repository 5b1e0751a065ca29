"""What can be asked? The store and an engine, together."""

from index.archive.answers import Answer, ArticleHit, ArticleView, Excerpt
from index.archive.archive import Archive
from index.archive.carried import Carriage, CarriedArticle
from index.archive.condition import ArchiveState, Condition
from index.archive.feed import ChangePage
from index.archive.moment import Moment
from index.archive.parts import open_engine_of, open_parts
from index.archive.question import Question
from index.archive.subscription import FeedPage, Removal
from index.archive.suggestions import Suggestion
from index.archive.tags import Tag
from index.archive.walk import pages_of
from index.engines import Facet

__all__ = [
    "Answer",
    "Archive",
    "ArchiveState",
    "ArticleHit",
    "ArticleView",
    "Carriage",
    "CarriedArticle",
    "ChangePage",
    "Condition",
    "Excerpt",
    "Facet",
    "FeedPage",
    "Moment",
    "Question",
    "Removal",
    "Suggestion",
    "Tag",
    "open_engine_of",
    "open_parts",
    "pages_of",
]
