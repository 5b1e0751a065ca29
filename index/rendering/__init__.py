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

__all__ = [
    "Document",
    "answer_document",
    "article_document",
    "difference_document",
    "error_document",
    "excerpt_document",
    "facet_document",
    "rights_document",
]
