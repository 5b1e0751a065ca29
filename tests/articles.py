"""Articles that tests write."""

from __future__ import annotations

from typing import Any

from index.article import Article, article_of


def article(article_id: str, *paragraphs: Any, **values: Any) -> Article:
    """An article in its version 1, read from the names and values of its JSON."""
    return article_of(
        {"id": article_id, "version": "1", "paragraphs": list(paragraphs), **values}
    )
