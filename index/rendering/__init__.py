"""How does an answer look outside?"""

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
from index.rendering.links import permalink
from index.rendering.representations import (
    REPRESENTATIONS,
    Representation,
    representation,
)

__all__ = [
    "REPRESENTATIONS",
    "Document",
    "Representation",
    "answer_document",
    "article_document",
    "difference_document",
    "error_document",
    "excerpt_document",
    "facet_document",
    "permalink",
    "representation",
    "rights_document",
]
