"""How does an answer look outside?"""

from index.rendering.atom import atom_document
from index.rendering.citation import citation_of
from index.rendering.feeds import FEED_FIELDS, Feed, FeedLinks, feed_of
from index.rendering.json import (
    Document,
    answer_document,
    article_document,
    difference_document,
    error_document,
    excerpt_document,
    facet_document,
    rights_document,
)
from index.rendering.jsonfeed import jsonfeed_document
from index.rendering.lines import end_line, hit_lines
from index.rendering.opensearch import opensearch_document
from index.rendering.representations import (
    REPRESENTATIONS,
    Representation,
    representation,
)
from index.rendering.rss import rss_document
from index.rendering.tables import Table

__all__ = [
    "FEED_FIELDS",
    "REPRESENTATIONS",
    "Document",
    "Feed",
    "FeedLinks",
    "Representation",
    "Table",
    "answer_document",
    "article_document",
    "atom_document",
    "citation_of",
    "difference_document",
    "end_line",
    "error_document",
    "excerpt_document",
    "facet_document",
    "feed_of",
    "hit_lines",
    "jsonfeed_document",
    "opensearch_document",
    "representation",
    "rights_document",
    "rss_document",
]
